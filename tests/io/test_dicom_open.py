"""Broken and hostile files are answered with one sentence."""

from __future__ import annotations

import os
import pwd
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian

from echo3d.errors import InputError
from echo3d.io import dicom_open
from echo3d.io.dicom import read_dicom
from echo3d.io.dicom_open import open_dicom


def test_text_file(tmp_path):
    (tmp_path / "a.dcm").write_text("this is no picture\n" * 50)
    with pytest.raises(InputError, match="not a DICOM file"):
        open_dicom(tmp_path / "a.dcm")


def test_empty_file(tmp_path):
    (tmp_path / "a.dcm").touch()
    with pytest.raises(InputError, match="empty"):
        open_dicom(tmp_path / "a.dcm")


def test_folder_instead_of_file(tmp_path):
    with pytest.raises(InputError):
        open_dicom(tmp_path)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.99])
def test_truncated_at_any_place(make_dicom, frames, lossless_syntax, share):
    path = make_dicom("a.dcm", frames, syntax=lossless_syntax)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(InputError):
        read_dicom(path)[0].frames[-1]


def test_deep_nesting(make_dicom, frames):
    """A sequence in a sequence, 1500 times, written by hand because no writer would go so deep."""
    path = make_dicom("a.dcm", frames[:1])
    data = path.read_bytes()
    start = struct.pack("<HH2sHI", 0x0008, 0x1115, b"SQ", 0, 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    end = struct.pack("<HHI", 0xFFFE, 0xE00D, 0) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    at = data.index(struct.pack("<HH2s", 0x0010, 0x0010, b"PN"))
    path.write_bytes(data[:at] + start * 1500 + end * 1500 + data[at:])
    with pytest.raises(InputError, match="deep"):
        open_dicom(path)


def test_deflated_bomb(make_dicom, frames, monkeypatch):
    monkeypatch.setattr(dicom_open, "MAX_INFLATED_BYTES", 10_000)
    path = make_dicom("a.dcm", frames, syntax=DeflatedExplicitVRLittleEndian)
    with pytest.raises(InputError, match="deflated"):
        open_dicom(path)


def test_without_preamble(make_dicom, frames, tmp_path):
    """Old exports begin with the data set itself."""
    data = make_dicom("a.dcm", frames).read_bytes()
    meta = 132 + 12 + struct.unpack("<I", data[140:144])[0]
    (tmp_path / "bare.dcm").write_bytes(data[meta:])
    clip, _ = read_dicom(tmp_path / "bare.dcm")
    assert len(clip.frames) == len(frames)


def test_damaged_values_in_the_header(make_dicom, frames):
    def odd(dataset: Dataset) -> None:
        item = Dataset()
        item.RegionSpatialFormat = 1
        dataset.SequenceOfUltrasoundRegions = Sequence([item])
        dataset.add_new(0x00181063, "DS", "40")

    path = make_dicom("a.dcm", frames, change=odd)
    path.write_bytes(path.read_bytes().replace(b"\x18\x00\x63\x10DS\x02\x0040", b"\x18\x00\x63\x10DS\x02\x00x!"))
    clip, _ = read_dicom(path)
    assert any("30 frames per second" in text for text in clip.source.warnings)


def test_fast(tmp_path, make_dicom, frames):
    """A hundred million pixels in the header of a tiny file are refused at once."""

    def huge(dataset: Dataset) -> None:
        dataset.Rows, dataset.Columns, dataset.NumberOfFrames = 10_000, 10_000, 1

    path = make_dicom("a.dcm", frames[:1, :8, :8], change=huge)
    start = time.perf_counter()
    with pytest.raises(InputError, match="million"):
        read_dicom(path)
    assert time.perf_counter() - start < 1


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_no_permission(make_dicom, frames):
    """The reader runs as another user where the tests run as root, whom nothing is forbidden."""
    path = make_dicom("a.dcm", frames)
    path.chmod(0)
    code = (
        "import os, sys, pathlib\n"
        "from echo3d.errors import InputError\n"
        "from echo3d.io.dicom import read_dicom\n"
        "folder, uid = os.open(sys.argv[1], os.O_RDONLY), int(sys.argv[2])\n"
        "os.fchdir(folder)\n"
        "uid and os.setuid(uid)\n"
        "try:\n    read_dicom(pathlib.Path('a.dcm'))\n"
        "except InputError as exc:\n    print(exc)\n"
    )
    uid = pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 else 0
    path.parent.chmod(0o755)
    root = Path(__file__).resolve().parents[2]
    run = subprocess.run([sys.executable, "-c", code, str(path.parent), str(uid)], capture_output=True, text=True, cwd=root, check=False)
    assert "may not be read by this user" in run.stdout, run.stderr

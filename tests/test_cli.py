"""The command line is the contract: exit codes, one sentence, one JSON object, no traceback, no half-written folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian

from echo3d import __version__
from echo3d.cli import main
from echo3d.core.sector import Fan
from echo3d.core.views import View
from echo3d.io.dicom_write import ClipHeader, write_echo_dicom

Capture = pytest.CaptureFixture[str]


def good_clip(path: Path, *, name: str = "Doe^Jane") -> Path:
    """Write a small clip of a grey fan whose patient has a name."""
    frames = np.zeros((4, 64, 64), np.uint8)
    frames[:, Fan(0.0, 32.0, 40.0, 60.0).mask(64, 64)] = 90
    write_echo_dicom(path, frames, ClipHeader(View.A4C, "SYNTHETIC", 2.0, 40.0, Fan(0.0, 32.0, 40.0, 60.0)))
    dataset = pydicom.dcmread(path)
    dataset.PatientName, dataset.PatientID = name, "4711-secret"
    dataset.save_as(path)
    return path


def changed(path: Path, **values: object) -> Path:
    """Write a clip with other header values."""
    good_clip(path)
    dataset = pydicom.dcmread(path)
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path)
    return path


def empty_folder(folder: Path) -> Path:
    (folder / "Doe_Jane").mkdir()
    return folder / "Doe_Jane"


def text_file(folder: Path) -> Path:
    (folder / "text.dcm").write_text("Dear Jane Doe, this is a letter.")
    return folder / "text.dcm"


def truncated(folder: Path) -> Path:
    path = good_clip(folder / "cut.dcm")
    path.write_bytes(path.read_bytes()[:-400])
    return path


def truncated_in_the_frames(folder: Path) -> Path:
    path = good_clip(folder / "cut.dcm")
    whole = path.read_bytes()
    path.write_bytes(whole[: (whole.index(b"\xe0\x7f\x10\x00") + len(whole)) // 2])
    return path


def sixteen_bits(folder: Path) -> Path:
    """Write a sound clip of 16-bit pixels."""
    dataset = pydicom.dcmread(good_clip(folder / "deep.dcm"))
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.PixelData = np.zeros((4, 64, 64), np.uint16).tobytes()
    dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OW", False
    dataset.save_as(folder / "deep.dcm")
    return folder / "deep.dcm"


def climbing_zip(folder: Path) -> Path:
    path = folder / "study.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(good_clip(folder / "a4c.dcm"), "../../a4c.dcm")
    return path


BAD: dict[str, Callable[[Path], Path]] = {
    "empty folder": empty_folder,
    "nothing there": lambda folder: folder / "Doe_Jane.dcm",
    "text named .dcm": text_file,
    "truncated": truncated,
    "truncated in the frames": truncated_in_the_frames,
    "zero frames": lambda folder: changed(folder / "zero.dcm", NumberOfFrames=0),
    "16 bits": sixteen_bits,
    "16 bits by the header alone": lambda folder: changed(folder / "deep.dcm", BitsAllocated=16, BitsStored=16, HighBit=15),
    "zip that climbs": climbing_zip,
    "100 million pixels": lambda folder: changed(folder / "huge.dcm", Rows=10_000, Columns=10_000),
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_bad_input_is_one_sentence_and_exit_code_2(tmp_path: Path, capfd: Capture, name: str) -> None:
    (tmp_path / "in").mkdir()
    study = BAD[name](tmp_path / "in")
    code = main(["reconstruct", str(study), "--out", str(tmp_path / "out"), "--json"])
    captured = capfd.readouterr()
    answer = json.loads(captured.out)
    assert code == 2
    assert answer == {"error": answer["error"], "exit_code": 2}
    assert captured.err == f"echo3d: {answer['error']}\n"
    assert main(["reconstruct", str(study), "--out", str(tmp_path / "out")]) == 2
    again = capfd.readouterr()
    assert (again.out, again.err) == ("", captured.err)
    for secret in ("Doe", "Jane", "4711", str(tmp_path), "Traceback"):
        assert secret not in captured.out + captured.err
    assert [file.name for file in tmp_path.iterdir()] == ["in"]


def test_bad_input_is_found_before_the_network_is_loaded(tmp_path: Path) -> None:
    code = "import sys; from echo3d.cli import main; print(main(sys.argv[1:]), 'torch' in sys.modules)"
    words = ["reconstruct", str(text_file(tmp_path)), "--out", str(tmp_path / "out")]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2", "False"]


def test_a_file_without_permission_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    study = good_clip(tmp_path / "closed.dcm")
    study.chmod(0)
    bound: list[str] = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("the superuser may read everything, and setpriv is not there to take that away")
        bound = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]
    words = ["reconstruct", str(study), "--out", str(tmp_path / "out")]
    done = subprocess.run([*bound, sys.executable, "-m", "echo3d", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("echo3d: ")
    assert done.stderr.count("\n") == 1
    assert "permission" in done.stderr
    assert str(tmp_path) not in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["closed.dcm"]


WRONG = {
    "no such command": (["recon"], "recon"),
    "no such option": (["reconstruct", "x", "--out", "o", "--bad"], "--bad"),
    "option of the program": (["--bad"], "--bad"),
    "no out": (["reconstruct", "x"], "--out"),
    "no study": (["reconstruct", "--out", "o"], "found none"),
    "unknown view": (["reconstruct", "x", "--out", "o", "--view", "a5c=f.dcm"], "a5c"),
    "view without file": (["reconstruct", "x", "--out", "o", "--view", "a4c"], "a4c=FILE"),
    "view twice": (["reconstruct", "--out", "o", "--view", "a4c=f.dcm", "--view", "A4C=g.dcm"], "twice"),
    "frame no number": (["reconstruct", "x", "--out", "o", "--ed", "a4c=first"], "first"),
    "negative frame": (["reconstruct", "x", "--out", "o", "--es", "a4c=-1"], "-1"),
    "seed no number": (["simulate", "--seed", "x", "--out", "o"], "--seed"),
    "ef too high": (["simulate", "--ef", "2", "--out", "o"], "0.80"),
    "pathology": (["simulate", "--pathology", "flu", "--out", "o"], "flu"),
    "no such style": (["simulate", "--style", "oil", "--out", "o"], "speckle, cyclegan"),
    "no views": (["simulate", "--views", ",", "--out", "o"], "--views"),
    "no record": (["simulate", "absent.json", "--out", "o"], "truth.json"),
}


@pytest.mark.parametrize("name", sorted(WRONG))
def test_wrong_use_is_one_sentence_and_exit_code_2(tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    words, told = WRONG[name]
    assert main(words) == 2
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("echo3d: ")
    assert captured.err.count("\n") == 1
    assert told in captured.err
    assert list(tmp_path.iterdir()) == []


def test_a_full_output_folder_is_refused_before_any_work(tmp_path: Path, capfd: Capture) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").write_text("dear")
    assert main(["demo", "--out", str(tmp_path / "out")]) == 2
    assert "new or empty" in capfd.readouterr().err
    assert (tmp_path / "out" / "letter.txt").read_text() == "dear"


def test_what_fails_inside_is_one_sentence_and_logged_without_its_message(
    tmp_path: Path, own_home: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("Doe^Jane lies in " + str(tmp_path))

    monkeypatch.setattr("echo3d.simulate.simulate_study", fail)
    assert main(["simulate", "--out", str(tmp_path / "out"), "--json"]) == 3
    captured = capfd.readouterr()
    assert json.loads(captured.out)["exit_code"] == 3
    assert "RuntimeError" in captured.err
    log = (own_home / "logs" / "echo3d.log").read_text()
    assert "RuntimeError at cli.py:" in log
    for text in (captured.out, captured.err, log):
        assert "Doe" not in text
        assert str(tmp_path) not in text


def test_version_and_help(capfd: Capture) -> None:
    assert main(["--version"]) == 0
    assert capfd.readouterr().out == f"echo3d {__version__}\n"
    assert main(["--help"]) == 0
    out = capfd.readouterr().out
    for command in ("demo", "reconstruct", "simulate", "slice", "cohort", "doctor"):
        assert command in out


def test_help_starts_without_anything_heavy() -> None:
    code = "import sys; from echo3d.cli import main; main(['--help']); print(sorted(set(sys.modules) & set(sys.argv[1].split(','))))"
    heavy = "torch,numpy,scipy,pyvista,vtk,PySide6,pydicom,cv2,av,reportlab"
    done = subprocess.run([sys.executable, "-c", code, heavy], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_json_is_all_there_is_on_standard_output(tmp_path: Path) -> None:
    words = ["simulate", "--seed", "5", "--ef", "0.5", "--views", "a4c", "--out", str(tmp_path / "study"), "--json"]
    done = subprocess.run([sys.executable, "-m", "echo3d", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    answer = json.loads(done.stdout)
    assert answer["ef"] == pytest.approx(0.5, abs=0.002)
    assert answer["files"] == ["a4c.dcm", "truth.json"]
    assert done.stderr == ""


def test_doctor_looks_at_everything(capfd: Capture) -> None:
    code = main(["doctor", "--json"])
    answer = json.loads(capfd.readouterr().out)
    states = {check["name"]: check["state"] for check in answer["checks"]}
    assert {"OpenGL", "GPU", "Decoders", "Template", "Weights", "Demo patient"} <= set(states)
    assert code == (0 if answer["ok"] else 3)
    assert states["Decoders"] == "ok"
    assert states["Template"] == "ok"

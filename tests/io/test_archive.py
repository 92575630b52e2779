"""Zips that are safe and zips that are not."""

from __future__ import annotations

import stat
import zipfile

import pytest

from echo3d.errors import InputError
from echo3d.io import archive
from echo3d.io.archive import unpack


def packed(path, *members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        for member, data in members:
            opened.writestr(member, data)
    return path


@pytest.fixture
def out(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def test_files_come_out_with_their_folders(tmp_path, out):
    unpack(packed(tmp_path / "a.zip", ("a/b.txt", b"one"), ("c.txt", b"two"), ("a/B.txt", b"three")), out)
    assert (out / "a" / "b.txt").read_bytes() == b"one" and (out / "c.txt").read_bytes() == b"two"


@pytest.mark.parametrize("name", ["../a", "a/../../b", "/etc/a", "..\\a", "C:\\a", "C:a"])
def test_names_that_lead_outside(tmp_path, out, name):
    with pytest.raises(InputError, match="leads outside"):
        unpack(packed(tmp_path / "a.zip", ("good", b"x"), (name, b"x")), out)
    assert list(out.iterdir()) == []


def test_links(tmp_path, out):
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(InputError, match="links"):
        unpack(packed(tmp_path / "a.zip", (link, "/etc/passwd")), out)


def test_bombs(tmp_path, out, monkeypatch):
    with pytest.raises(InputError, match="times its size"):
        unpack(packed(tmp_path / "a.zip", ("zeros", bytes(5_000_000))), out)
    monkeypatch.setattr(archive, "MAX_MEMBERS", 3)
    with pytest.raises(InputError, match="at most 3 files"):
        unpack(packed(tmp_path / "b.zip", *((str(n), b"x") for n in range(4))), out)


def test_a_member_larger_than_it_says(tmp_path, out):
    path = packed(tmp_path / "a.zip", ("a", b"0123456789" * 10))
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")
    path.write_bytes(bytes(data))
    with pytest.raises(InputError):
        unpack(path, out)


def test_no_zip_at_all(tmp_path, out):
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(InputError, match="damaged"):
        unpack(tmp_path / "a.zip", out)

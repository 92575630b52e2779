"""Result folders appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from echo3d.errors import InputError
from echo3d.results import check_out, write_whole


def write_one(folder: Path) -> None:
    (folder / "result.json").write_text("{}")


def test_a_folder_appears_when_it_is_complete(tmp_path: Path) -> None:
    out = tmp_path / "new" / "deep"
    write_whole(out, write_one)
    assert [file.name for file in out.iterdir()] == ["result.json"]
    assert [file.name for file in out.parent.iterdir()] == ["deep"]


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        write_one(folder)
        raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        write_whole(tmp_path / "out", fail)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_is_taken_and_a_full_one_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    write_whole(tmp_path / "empty", write_one)
    with pytest.raises(InputError, match=r"new or empty, found 1 entries; .*--force") as caught:
        write_whole(tmp_path / "empty", write_one)
    assert str(tmp_path) not in str(caught.value)


def test_force_replaces_a_result_but_no_other_folder(tmp_path: Path) -> None:
    out, other = tmp_path / "out", tmp_path / "letters"
    write_whole(out, write_one)
    (out / "old.txt").write_text("old")
    write_whole(out, write_one, force=True)
    assert [file.name for file in out.iterdir()] == ["result.json"]
    other.mkdir()
    (other / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="choose another folder"):
        write_whole(other, write_one, force=True)
    assert (other / "letter.txt").read_text() == "dear"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["letters", "out"]


def test_a_failed_replacement_keeps_the_old_result(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        raise OSError(28, "No space left on device", str(folder))

    write_whole(tmp_path / "out", write_one)
    with pytest.raises(InputError, match="no space left on device") as caught:
        write_whole(tmp_path / "out", fail, force=True)
    assert str(tmp_path) not in str(caught.value)
    assert (tmp_path / "out" / "result.json").is_file()
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError, match="found a file"):
        check_out(tmp_path / "out")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_place_that_may_not_be_written_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(InputError, match="permission denied"):
            write_whole(tmp_path / "out", write_one)
    finally:
        tmp_path.chmod(0o700)

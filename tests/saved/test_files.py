"""Files that a session names are found where they were or where they were moved to, and known by their content."""

from __future__ import annotations

from pathlib import Path

import pytest

from echo3d.errors import InputError, StoppedError
from echo3d.saved.files import Digests, find, rebased, refer, relative


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A folder for sessions and one for data, side by side."""
    for name in ("sessions", "data/study"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "data" / "heart.vtp").write_text("heart", encoding="utf-8")
    for name in ("a", "b"):
        (tmp_path / "data" / "study" / name).write_text(name, encoding="utf-8")
    return tmp_path / "sessions", tmp_path / "data"


def test_paths_are_relative_and_files_are_known_by_content(folders: tuple[Path, Path], tmp_path: Path) -> None:
    base, data = folders
    ref = refer(data / "heart.vtp", base, Digests().of)
    assert ref.path == "../data/heart.vtp"
    assert str(tmp_path) not in ref.model_dump_json()
    found = find(ref, base, Digests(), what="the heart")
    assert found.path.read_text() == "heart" and not found.changed and not found.moved
    (data / "heart.vtp").write_text("other", encoding="utf-8")
    assert find(ref, base, Digests(), what="the heart").changed


def test_a_moved_file_is_found_by_its_content(folders: tuple[Path, Path]) -> None:
    base, data = folders
    ref = refer(data / "heart.vtp", base, Digests().of)
    (base / "below").mkdir()
    (data / "heart.vtp").rename(base / "below" / "heart.vtp")
    (base / "heart.vtp").write_text("another heart of that name", encoding="utf-8")
    found = find(ref, base, Digests(), what="the heart")
    assert found.moved and found.path == base.resolve() / "below" / "heart.vtp"
    (base / "below" / "heart.vtp").unlink()
    with pytest.raises(InputError, match="found no file heart.vtp"):
        find(ref, base, Digests(), what="the heart")


def test_a_folder_is_known_by_its_files(folders: tuple[Path, Path]) -> None:
    base, data = folders
    ref = refer(data / "study", base, Digests().of)
    assert ref.folder and not find(ref, base, Digests(), what="the study").changed
    (data / "study" / "a").rename(data / "study" / "c")
    assert not find(ref, base, Digests(), what="the study").changed, "names of its files do not count"
    (data / "study" / "c").write_text("changed", encoding="utf-8")
    assert find(ref, base, Digests(), what="the study").changed
    (data / "study").rename(base / "study")
    with pytest.raises(InputError, match="found no folder study"):
        find(ref, base, Digests(), what="the study")


def test_a_folder_moved_beside_the_session_is_found(folders: tuple[Path, Path]) -> None:
    base, data = folders
    ref = refer(data / "study", base, Digests().of)
    (data / "study").rename(base / "study")
    assert find(ref, base, Digests(), what="the study").moved


def test_hashes_are_kept_until_the_file_changes(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    base, data = folders
    digests = Digests()
    first = digests.of(data / "heart.vtp")
    monkeypatch.setattr(digests, "_file", lambda _: pytest.fail("hashed again"))
    assert digests.of(data / "heart.vtp") == first == digests.known(data / "heart.vtp")
    (data / "heart.vtp").unlink()
    assert digests.of(data / "heart.vtp") == first, "of a file that is gone the last hash is known"
    assert digests.known(base / "nothing") == ""


def test_hashing_can_be_stopped(folders: tuple[Path, Path]) -> None:
    digests = Digests()
    digests.stopped = True
    with pytest.raises(StoppedError):
        digests.of(folders[1] / "heart.vtp")


def test_a_session_saved_elsewhere_names_the_same_file(folders: tuple[Path, Path], tmp_path: Path) -> None:
    base, data = folders
    ref = refer(data / "heart.vtp", base, Digests().of)
    other = rebased(ref, base, tmp_path)
    assert other.path == "data/heart.vtp" and other.sha256 == ref.sha256


def test_links_do_not_lead_astray(folders: tuple[Path, Path], tmp_path: Path) -> None:
    base, data = folders
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "er")
    ref = refer(data / "heart.vtp", tmp_path / "link", Digests().of)
    assert find(ref, tmp_path / "link", Digests(), what="the heart").path.read_text() == "heart"
    assert relative(data / "heart.vtp", base) == "../data/heart.vtp"


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null"])
def test_devices_are_no_files(folders: tuple[Path, Path], path: str) -> None:
    base, data = folders
    if not Path(path).exists():
        pytest.skip("needs a device file")
    ref = refer(data / "heart.vtp", base, Digests().of).model_copy(update={"path": relative(Path(path), base)})
    with pytest.raises(InputError, match="found no file"):
        find(ref, base, Digests(), what="the heart")

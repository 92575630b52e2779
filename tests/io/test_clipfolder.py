"""A folder of many patients' clips: what is fit is kept, all else is named by its number and left out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from echo3d.errors import InputError
from echo3d.io.clipfolder import read_clip_folder
from echo3d.io.images import write_png
from echo3d.io.video import write_mp4

Frames = NDArray[np.uint8]


def with_colour(frames: Frames, which: list[int]) -> Frames:
    """Return (T, H, W, 3) with a red and blue box in some frames."""
    film = np.repeat(frames[..., None], 3, axis=-1)
    film[which, 50:80, 60:90] = (200, 30, 20)
    film[which, 60:70, 70:80] = (20, 40, 220)
    return film


def test_colour_is_passed_over(tmp_path: Path, frames: Frames) -> None:
    film = np.concatenate([frames, frames])
    write_mp4(tmp_path / "a.mp4", with_colour(film, [2, 5]), frame_ms=40)
    write_mp4(tmp_path / "b.mp4", with_colour(film, list(range(8))), frame_ms=40)
    found = read_clip_folder(tmp_path)
    assert [one.frames for one in found.clips] == [(0, 1, 3, 4, 6, 7)]
    assert found.notes[0] == "File 1: 2 of 8 frames hold colour and are passed over."
    assert found.notes[1].startswith("File 2 is left out: every frame holds colour")


def test_colour_in_dicom_is_passed_over(make_dicom: Callable[..., Path], frames: Frames) -> None:
    path = make_dicom("a.dcm", with_colour(frames, [1]))
    assert read_clip_folder(path.parent).clips[0].frames == (0, 2, 3)


def test_what_is_no_echo_is_named_and_left_out(tmp_path: Path, frames: Frames) -> None:
    below = tmp_path / "doe_jane"
    below.mkdir()
    write_png(below / "fan.png", frames[0])
    write_png(below / "letter.png", np.random.default_rng(0).integers(0, 255, (90, 120), np.uint8))
    (below / "notes_of_jane.txt").write_text("no picture")
    (below / "broken.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\1" * 40)
    (below / "cut.mp4").write_bytes(b"\0\0\0\x18ftypmp42")
    found = read_clip_folder(tmp_path)
    assert len(found.clips) == 1
    left = [note for note in found.notes if "left out" in note]
    assert len(left) == 4 and any("No fan" in note or "no fan" in note for note in left)
    assert not any("jane" in note.lower() or str(tmp_path) in note for note in found.notes)


def test_numbered_pictures_of_several_sizes_are_taken_one_by_one(tmp_path: Path, frames: Frames) -> None:
    write_png(tmp_path / "p_1.png", frames[0])
    write_png(tmp_path / "p_2.png", np.kron(frames[1], np.ones((2, 2), np.uint8)))
    found = read_clip_folder(tmp_path)
    assert len(found.clips) == 2 and any("2 sizes" in note for note in found.notes)


def test_one_patient_is_one_person_in_all_studies(make_dicom: Callable[..., Path], frames: Frames) -> None:
    for number, (patient, study) in enumerate([("1", "1.2"), ("1", "1.3"), ("2", "1.4")]):
        make_dicom(f"{number}.dcm", frames, change=lambda d, p=patient, s=study: d.update({"PatientID": p, "StudyInstanceUID": s}))
    path = make_dicom("3.dcm", frames, change=lambda d: d.update({"PatientID": ""}))
    people = [one.person for one in read_clip_folder(path.parent).clips]
    assert people[0] == people[1] and len(set(people)) == 3


def test_nothing_fit_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "Doe.txt").write_text("no picture")
    for folder, said in ((tmp_path, "of 1 files none can be used"), (tmp_path / "none", "must lie in a folder")):
        with pytest.raises(InputError, match=said) as caught:
            read_clip_folder(folder)
        assert "Doe" not in str(caught.value) and str(tmp_path) not in str(caught.value)

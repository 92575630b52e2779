"""Every echo clip below a folder, whoever's it is: what a network learns the look of real pictures from.

A study is one patient's and may say its files' names; here many patients' clips lie together, so messages number the files, what is kept
lies within the fan, and frames in colour, which is no tissue, are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from echo3d.core.images import EchoClip
from echo3d.errors import InputError
from echo3d.io.clips import NO_FAN, Reading, build_clip, coloured
from echo3d.io.dicom import dicom_reading
from echo3d.io.frames import spread
from echo3d.io.gather import Found, gather
from echo3d.io.kinds import Kind
from echo3d.io.names import short_hash
from echo3d.io.studies import grouped, pictures_reading, video_reading

FRAMES = 24
"""Frames of a clip that are looked at, spread over it; neighbours hardly differ. Our choice."""

MOST_NOTES = 20
"""Files named one by one; of a folder of thousands the rest is counted."""

_NO_CLIP = "no DICOM, MP4, AVI, PNG or JPEG file"


@dataclass(frozen=True, slots=True, eq=False)
class FolderClip:
    """A clip that is fit to learn from.

    Parameters
    ----------
    clip : with nothing outside its fan
    person : stands for whose it is, by the header's patient number, else by the folder, else by the file; kept in memory only
    frames : numbers of grey frames, spread over the clip
    """

    clip: EchoClip
    person: str
    frames: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ClipFolder:
    """What a folder holds.

    Parameters
    ----------
    clips : those that are fit
    notes : one sentence for each file left out, and for what was done to others; without names
    """

    clips: tuple[FolderClip, ...]
    notes: tuple[str, ...]


def read_clip_folder(folder: Path, *, frames: int = FRAMES) -> ClipFolder:
    """Return the clips of a folder and all below it.

    Parameters
    ----------
    folder : of DICOM files, videos and pictures; numbered pictures of one size are a clip
    frames : looked at in each clip

    Raises
    ------
    InputError
        If there is no folder, or nothing in it is fit.
    """
    if not folder.is_dir():
        raise InputError("real clips must lie in a folder, found none there; name a folder of DICOM, MP4, AVI or PNG files")
    clips: list[FolderClip] = []
    notes: list[str] = []
    with TemporaryDirectory(prefix="echo3d-") as scratch:
        found = gather([folder], Path(scratch))
    for number, group in _numbered(found):
        try:
            one, said = _clip(group, frames)
        except InputError as exc:
            notes.append(f"File {number} is left out: {_lowered(str(exc))}")
            continue
        clips.append(one)
        notes += [f"File {number}: {sentence}" for sentence in said]
    if not clips:
        empty = "it is empty; give another folder, or leave clips out to learn from simulated pictures"
        first = f"of {len(found)} files none can be used; the first reason: {notes[0]}" if found else empty
        raise InputError(f"a folder of real clips must hold echo clips with a fan and without colour, {first}")
    return ClipFolder(tuple(clips), (*_fewer(notes), *_sizes(clips)))


def _numbered(found: list[Found]) -> Iterator[tuple[int, list[Found]]]:
    """Return groups of files with the number of their first; pictures that are numbered but differ in size are taken one by one."""
    numbers = {file.path: number for number, file in enumerate(found, start=1)}
    for group in grouped(found):
        parts = [group] if len(group) == 1 or _one_size(group) else [[file] for file in group]
        yield from ((numbers[part[0].path], part) for part in parts)


def _one_size(group: list[Found]) -> bool:
    try:
        pictures_reading(group, None)
    except InputError:
        return False
    return True


def _clip(group: list[Found], frames: int) -> tuple[FolderClip, list[str]]:
    """Return the clip of one group of files, and what is to be said of it."""
    reading, person = _reading(group)
    clip = build_clip(reading)
    if NO_FAN in clip.source.warnings:
        raise InputError("No fan is seen in it; give clips that show the whole fan.")
    mask = clip.fan.mask(reading.pictures.height, reading.pictures.width)
    looked = spread(len(clip.frames), frames)
    plain = tuple(index for index in looked if not coloured(reading.pictures, index, mask))
    if not plain:
        raise InputError("Every frame holds colour (colour Doppler?), which hides tissue; give grey clips.")
    passed = len(looked) - len(plain)
    return FolderClip(clip, person, plain), [f"{passed} of {len(looked)} frames hold colour and are passed over."] * bool(passed)


def _reading(group: list[Found]) -> tuple[Reading, str]:
    """Return what a reader finds, and whose it is."""
    file = group[0]
    whose = short_hash(file.folders[0] if file.folders else file.path.name)
    if file.kind is Kind.DICOM:
        reading, patient = dicom_reading(file.path)
        return reading, patient.person or whose
    if file.kind is Kind.VIDEO:
        return video_reading(file, None), whose
    if file.kind is Kind.IMAGE:
        return pictures_reading(group, None), whose
    raise InputError(f"It is {_NO_CLIP}; give these.")


def _fewer(notes: list[str]) -> list[str]:
    """Return the first notes, and how many more there are."""
    more = len(notes) - MOST_NOTES
    return notes if more <= 0 else [*notes[:MOST_NOTES], f"{more} more files were left out or used in part."]


def _sizes(clips: list[FolderClip]) -> list[str]:
    """Return what is to be said of clips of several sizes or of none."""
    sizes = {clip.clip.frames[0].shape for clip in clips}
    unscaled = sum(clip.clip.pixel_mm is None for clip in clips)
    said = [f"The clips come in {len(sizes)} sizes and are brought to one raster."] if len(sizes) > 1 else []
    return said + ([f"{unscaled} of {len(clips)} clips state no pixel size; their fans are taken to be equally deep."] if unscaled else [])


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]

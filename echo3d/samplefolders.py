"""What a folder holds that a training could learn from, in one sentence; read from the files' heads alone, without torch."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from echo3d.dataset.folder import is_ours
from echo3d.errors import InputError

PICTURES = (".dcm", ".mp4", ".avi", ".mov", ".png", ".jpg", ".jpeg", ".zip")
_PARTS = {"data": ("samples", "train"), "slices": ("slices",), "val": ("val", "validation")}
_MOST = 400
"""Shards whose heads are read; what lies beyond is estimated from them."""


@dataclass(frozen=True, slots=True)
class Found:
    """What lies in a folder.

    Parameters
    ----------
    sentence : on it, for people
    samples : how many
    slices : how many label slices lie with them
    styles : that all of its shards have pictures in
    problem : whether nothing can be learned from it
    parts : folders by the setting that they are for: ``data``, ``slices``, ``val``
    """

    sentence: str
    samples: int = 0
    slices: int = 0
    styles: tuple[str, ...] = ()
    problem: bool = False
    parts: Mapping[str, Path] = field(default_factory=dict)


def look_into(folder: Path) -> Found:
    """Return what a data set holds: a folder with ``samples``, ``slices`` and ``val``, or one of samples with the others beside it."""
    if not folder.is_dir():
        return Found("There is no such folder; choose another.", problem=True)
    parts = parts_of(folder)
    if "data" not in parts:
        return _unusable(folder)
    shards = shards_in(parts["data"])
    samples, styles = count_rows(shards, "field"), styles_of(parts["data"], shards)
    said = [f"{samples} samples in {len(shards)} shard{'s' if len(shards) > 1 else ''}"]
    said.append(f"styles {', '.join(styles)}" if styles else "no pictures of any style yet")
    slices = count_rows(shards_in(parts["slices"]), "field") if "slices" in parts else 0
    if slices:
        said.append(f"label slices of {slices} phases of hearts")
    if "val" in parts:
        said.append(f"{count_rows(shards_in(parts['val']), 'field')} samples held back")
    missing = [title for name, title in (("slices", "no label slices"), ("val", "no held back samples")) if name not in parts]
    said += [" and ".join(missing) + " beside them"] if missing else []
    return Found("; ".join(said) + ".", samples, slices, styles, parts=parts)


def _unusable(folder: Path) -> Found:
    if is_ours(folder):
        try:
            count = len(records_in(folder))
        except InputError as exc:
            return Found(f"A data set of the Position page. {str(exc)[:1].upper()}{str(exc)[1:]}.", problem=True)
        way = "draws these hearts anew with them: choose this folder there under Which" if count else "draws hearts with them"
        said = "A data set of the Position page: pictures with their truth, without the label slices that a training here needs."
        return Found(f"{said} Make a data set… {way}.", problem=True)
    return Found("No samples to learn from lie in this folder; make some with Make a data set…, or choose another.", problem=True)


def records_in(folder: Path) -> list[dict[str, Any]]:
    """Return the records of the beating hearts of a cohort, or of a data set, whose validation hearts come last; each heart once.

    Raises
    ------
    InputError
        If the folder is neither, or is not finished.
    """
    if is_ours(folder):
        from echo3d.dataset.manifest import read_manifest

        files = sorted(read_manifest(folder)["files"], key=lambda file: file["split"] != "train")
        found = [file["record"] for file in files if file.get("record")]
    else:
        from echo3d.cohort.generate import read_cohort

        found = [line["record"] for line in read_cohort(folder)[1]]
    return list({json.dumps(record, sort_keys=True): record for record in found}.values())


def parts_of(folder: Path) -> dict[str, Path]:
    """Return which folders serve which setting, those that hold shards only."""
    own = {name: folder / word for name, words in _PARTS.items() for word in words if shards_in(folder / word)}
    if "data" in own or not shards_in(folder):
        return own
    places = [(name, folder.parent / word) for name, words in _PARTS.items() for word in words if name != "data"]
    return {"data": folder} | {name: place for name, place in places if place != folder and shards_in(place)}


def shards_in(folder: Path) -> list[Path]:
    """Return the shards of a folder."""
    return sorted(folder.glob("*.npz")) if folder.is_dir() else []


def styles_of(folder: Path, shards: Sequence[Path]) -> tuple[str, ...]:
    """Return the styles that every shard of a folder has pictures in."""
    names = {shard.name for shard in shards}
    drawn = sorted(place for place in folder.iterdir() if place.is_dir())
    return tuple(place.name for place in drawn if names and names <= {path.name for path in place.glob("*.npz")})


def count_rows(shards: Sequence[Path], key: str) -> int:
    """Return how many rows an array has in all shards together, from the files' heads."""
    read = [rows_in(shard, key) for shard in shards[:_MOST]]
    return sum(read) if len(shards) <= _MOST else round(sum(read) / len(read) * len(shards))


def rows_in(shard: Path, key: str) -> int:
    """Return how many rows an array of a shard has, 0 where the file is damaged."""
    try:
        with zipfile.ZipFile(shard) as packed, packed.open(f"{key}.npy") as stream:
            version = np.lib.format.read_magic(stream)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            return int(read(stream)[0][0])
    except (OSError, ValueError, KeyError, IndexError, zipfile.BadZipFile):
        return 0


def look_into_clips(folder: Path) -> Found:
    """Return what a folder of real clips holds, which show the style that pictures are to be given."""
    if not folder.is_dir():
        return Found("There is no such folder; choose another.", problem=True)
    clips = [path for path in folder.rglob("*") if path.suffix.lower() in PICTURES or path.name.startswith("IM")]
    if not clips:
        return Found("No clips or pictures lie in this folder; choose one with DICOM, video or picture files.", problem=True)
    return Found(f"{len(clips)} files of clips or pictures.", len(clips))

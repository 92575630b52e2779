"""From what the user gave (folders, zips, a DICOMDIR, files) to the list of files to read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydicom import Dataset
from pydicom.uid import MediaStorageDirectoryStorage

from echo3d.errors import InputError
from echo3d.io.archive import unpack
from echo3d.io.dicom_open import BROKEN, open_dicom, quiet
from echo3d.io.kinds import Kind, kind_of

MAX_FILES = 5_000
"""Files of one study; a busy echo examination has some hundreds."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file that may be a clip.

    Parameters
    ----------
    path : where it lies
    kind : what it is by its bytes
    named : whether the user named this very file; then it must be readable
    folders : names of the folders below the one that the user gave
    """

    path: Path
    kind: Kind
    named: bool
    folders: tuple[str, ...] = ()


def gather(paths: Sequence[Path], scratch: Path) -> list[Found]:
    """Return the files of folders (with those below), zips, DICOMDIRs and single files, in natural order.

    Parameters
    ----------
    paths : what the user gave
    scratch : an empty folder for what comes out of zips; the caller removes it after reading

    Raises
    ------
    InputError
        If something does not exist, may not be read, or is no safe zip.
    """
    found: list[Found] = []
    for number, path in enumerate(paths):
        found += _gather_one(Path(path), scratch / str(number))
        if len(found) > MAX_FILES:
            raise InputError(f"A study may have at most {MAX_FILES} files, this one has more; give the folder of one patient.")
    return found


def _gather_one(path: Path, scratch: Path) -> list[Found]:
    try:
        is_folder, exists = path.is_dir(), path.exists()
    except OSError as exc:
        raise InputError("What was given cannot be read by this user; change its permissions or copy it.") from exc
    if not exists:
        raise InputError("What was given does not exist; check the path.")
    if is_folder:
        return _folder(path)
    kind = kind_of(path)
    if kind is Kind.ZIP:
        scratch.mkdir(parents=True)
        unpack(path, scratch)
        return _folder(scratch)
    listed = _dicomdir(path) if kind is Kind.DICOM and path.stem.upper() == "DICOMDIR" else None
    return [Found(path, kind, named=True)] if listed is None else listed


def _folder(folder: Path) -> list[Found]:
    """Return every file below a folder but hidden ones, DICOMDIRs and notes beside the clips; links to folders are not followed."""
    found: list[Found] = []
    for root, folders, names in os.walk(folder, onerror=_unreadable):
        folders[:] = sorted((name for name in folders if not _hidden(name)), key=_natural)
        below = Path(root).relative_to(folder).parts
        for name in sorted((name for name in names if not _passed_over(name)), key=_natural):
            found.append(Found(Path(root) / name, _kind_or_other(Path(root) / name), named=False, folders=below))
            if len(found) > MAX_FILES:
                return found
    return found


def _unreadable(exc: OSError) -> None:
    raise InputError("The folder may not be read by this user; change its permissions or copy it.") from exc


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _passed_over(name: str) -> bool:
    """Return whether a file of a folder is none that could be a clip, so that nobody misses it: truth.json beside a synthetic study too."""
    return _hidden(name) or name.upper() == "DICOMDIR" or name.lower().endswith(".json")


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a sorting key under which a9 comes before a10."""
    parts: list[tuple[int, str]] = []
    for letter in name.lower():
        if letter.isascii() and letter.isdigit() and parts and parts[-1][1] == "":
            parts[-1] = (parts[-1][0] * 10 + int(letter), "")
        else:
            parts.append((int(letter), "") if letter.isascii() and letter.isdigit() else (-1, letter))
    return parts


def _kind_or_other(path: Path) -> Kind:
    try:
        kind = kind_of(path)
    except InputError:
        return Kind.OTHER
    return Kind.OTHER if kind is Kind.ZIP else kind


def _dicomdir(path: Path) -> list[Found] | None:
    """Return the files that a DICOMDIR lists and that lie below its folder, None where it is no DICOMDIR.

    Source: PS3.3 F.3.2.2, tags (0004,1220), (0004,1500).
    """
    dataset = open_dicom(path)
    if dataset.file_meta.get("MediaStorageSOPClassUID") != MediaStorageDirectoryStorage:
        return None
    try:
        with quiet():
            listed = [_listed(path.parent, record) for record in dataset.get("DirectoryRecordSequence") or []]
    except BROKEN as exc:
        raise InputError("The DICOMDIR is damaged; give the folder instead.") from exc
    files = [file for file in listed if file is not None]
    return [Found(file, Kind.DICOM, named=False, folders=file.relative_to(path.parent.resolve()).parts[:-1]) for file in files]


def _listed(root: Path, record: Dataset) -> Path | None:
    parts = record.get("ReferencedFileID")
    if record.get("DirectoryRecordType") != "IMAGE" or not parts:
        return None
    file = root.resolve().joinpath(*([parts] if isinstance(parts, str) else [str(part) for part in parts])).resolve()
    return file if file.is_relative_to(root.resolve()) and file.is_file() else None

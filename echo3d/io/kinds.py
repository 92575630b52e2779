"""What kind of file this is, by its first bytes."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from echo3d.errors import InputError


class Kind(Enum):
    """The kinds of files that a study can be made of."""

    DICOM = "DICOM"
    VIDEO = "video"
    IMAGE = "picture"
    ZIP = "zip"
    OTHER = "other"


_VIDEO_SUFFIXES = {".mp4", ".m4v", ".avi", ".mov", ".mkv", ".webm", ".wmv", ".mpg", ".mpeg"}
_DICOM_SUFFIXES = {".dcm", ".dicom", ".ima"}
_IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg"}


def kind_of(path: Path) -> Kind:
    """Return the kind of a file; the bytes decide, the ending only where they say nothing.

    Raises
    ------
    InputError
        If the file cannot be opened.
    """
    try:
        with path.open("rb") as file:
            head = file.read(132)
    except PermissionError as exc:
        raise InputError("The file may not be read by this user; change its permissions or copy it.") from exc
    except OSError as exc:
        raise InputError("The file cannot be opened; check that it still exists and is a file.") from exc
    return _by_bytes(head) or _by_suffix(path.suffix.lower(), head)


def _by_bytes(head: bytes) -> Kind | None:
    if head[128:] == b"DICM":
        return Kind.DICOM
    if head[:4] == b"PK\x03\x04" or head[:4] == b"PK\x05\x06":
        return Kind.ZIP
    if head[:4] == b"\x89PNG" or head[:3] == b"\xff\xd8\xff":
        return Kind.IMAGE
    if head[4:8] == b"ftyp" or (head[:4] == b"RIFF" and head[8:12] == b"AVI ") or head[:4] == b"\x1a\x45\xdf\xa3":
        return Kind.VIDEO
    return None


def _by_suffix(suffix: str, head: bytes) -> Kind:
    if suffix in _VIDEO_SUFFIXES:
        return Kind.VIDEO
    if suffix in _IMAGE_SUFFIXES:
        return Kind.IMAGE
    if suffix == ".zip":
        return Kind.ZIP
    bare = head[:2] == b"\x08\x00" and head[3:4] == b"\x00"
    return Kind.DICOM if suffix in _DICOM_SUFFIXES or bare else Kind.OTHER

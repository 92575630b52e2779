"""Zip files unpacked with care."""

from __future__ import annotations

import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from echo3d.errors import InputError

MAX_MEMBERS = 5_000
MAX_TOTAL_BYTES = 4_000_000_000
MAX_RATIO = 200
_CHUNK = 1 << 20


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip into an existing empty folder; every member is checked before the first byte is written.

    Raises
    ------
    InputError
        If it is no zip, is damaged or protected, or a member leads outside the folder, is a link, or makes the whole too large.

    Source: our choice of limits; CWE-22 (path traversal), CWE-409 (decompression bombs).
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [member for member in opened.infolist() if not member.is_dir()]
            _check(members)
            for number, member in enumerate(members):
                _extract(opened, member, _target(folder, member.filename, number))
    except PermissionError as exc:
        raise InputError("The zip file may not be read by this user; change its permissions or copy it.") from exc
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as exc:
        raise InputError("The zip file is damaged, protected by a password or packed in an unknown way; pack it again.") from exc


def _check(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MAX_MEMBERS:
        raise InputError(f"A zip may hold at most {MAX_MEMBERS} files, this one holds {len(members)}; give one study.")
    total = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if total > MAX_TOTAL_BYTES or total > MAX_RATIO * max(packed, 1024):
        limit = f"{MAX_TOTAL_BYTES // 10**9} GB and {MAX_RATIO} times its size"
        raise InputError(f"A zip may unpack to at most {limit}, this one says {total} bytes; pack only the study.")
    for member in members:
        _check_name(member)


def _check_name(member: zipfile.ZipInfo) -> None:
    name = member.filename.replace("\\", "/")
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise InputError("A zip may hold only files below its own folder, this one leads outside; do not trust it, pack it again.")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise InputError("A zip may hold no links, this one holds one; pack the files themselves.")


def _target(folder: Path, name: str, number: int) -> Path:
    """Return where a member goes: its own folders and name with a number before it where the name is taken or too long."""
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("", ".")]
    target = folder.joinpath(*(part[:100] for part in parts[:-1]), parts[-1][-100:])
    return target.with_name(f"{number}_{target.name}") if target.exists() else target


def _extract(opened: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
    """Write one member, no more bytes than its entry promised."""
    target.parent.mkdir(parents=True, exist_ok=True)
    room = member.file_size
    with opened.open(member) as source, target.open("wb") as sink:
        while chunk := source.read(_CHUNK):
            room -= len(chunk)
            if room < 0:
                raise InputError("A file in the zip is larger than the zip says; do not trust it, pack it again.")
            sink.write(chunk)

"""Make the folder that PyInstaller left smaller: what is not used goes, names for debuggers are taken out."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

import contents

INSIDE = "_internal"

_AS_THEY_CAME = re.compile(r"_internal/(PySide6|shiboken6)/.*|_internal/libQt6.*")
"""Libraries of Qt, which are passed on unmodified."""

_LOADED = 1
"""PT_LOAD: a part of an ELF file that is mapped into memory."""

_OPENED_BY_NAME = re.compile(r"libpython3.*|libgcc_s\..*|libgomp.*")
"""Libraries that are opened by name while the program runs, so that no file says that it needs them."""


def drop(folder: Path) -> int:
    """Remove the files that ``contents`` leaves out, and links to nothing; return how many bytes that saved."""
    saved = 0
    inside = folder / INSIDE
    for path in sorted(inside.rglob("*")):
        if not path.is_dir() and contents.dropped(path.relative_to(inside).as_posix()):
            saved += 0 if path.is_symlink() else path.stat().st_size
            path.unlink()
    for path in sorted(inside.rglob("*")):
        if path.is_symlink() and not path.exists():
            path.unlink()
    return saved


def unreached(folder: Path) -> list[Path]:
    """Return the libraries beside Python's that no other file needs, links among them; none where there is no objdump to tell."""
    inside = folder / INSIDE
    if shutil.which("objdump") is None:
        return []
    beside = {path.name: path for path in inside.glob("lib*.so*") if path.is_file()}
    others = [path for path in inside.rglob("*.so*") if path.is_file() and not path.is_symlink() and path.parent != inside]
    others += [path for path in inside.glob("*.so") if path.name not in beside]
    known = needed([*others, *(path for path in beside.values() if not path.is_symlink())])
    waiting = [name for path in others for name in known[path]] + [name for name in beside if _OPENED_BY_NAME.fullmatch(name)]
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in beside and name not in reached:
            reached.add(name)
            waiting += known.get(beside[name], [])
    return [path for name, path in sorted(beside.items()) if name not in reached]


def needed(files: Iterable[Path]) -> dict[Path, list[str]]:
    """Return the names of the libraries that each file says it needs."""
    files = list(files)
    found: dict[Path, list[str]] = {path: [] for path in files}
    for start in range(0, len(files), 200):
        said = subprocess.run(["objdump", "-p", *map(str, files[start : start + 200])], capture_output=True, text=True, check=False).stdout
        path = None
        for line in said.splitlines():
            head = re.match(r"(.*):\s+file format", line)
            path = Path(head[1]) if head else path
            word = line.split()
            if path is not None and len(word) == 2 and word[0] == "NEEDED":
                found[path].append(word[1])
    return found


def strip(folder: Path) -> int:
    """Strip a package's libraries in place and return how many bytes that saved; nothing is done where there is no strip.

    Parameters
    ----------
    folder : the package
    """
    if shutil.which("strip") is None:
        return 0
    before = after = 0
    for path in sorted(folder.rglob("*.so*")):
        if path.is_symlink() or not path.is_file() or _AS_THEY_CAME.fullmatch(path.relative_to(folder).as_posix()):
            continue
        part = path.with_name(f"{path.name}.part")
        before += path.stat().st_size
        done = subprocess.run(["strip", "--strip-unneeded", "-o", str(part), str(path)], capture_output=True, check=False)
        if done.returncode == 0 and loadable(part):
            part.chmod(path.stat().st_mode)
            part.replace(path)
        part.unlink(missing_ok=True)
        after += path.stat().st_size
    return before - after


def loadable(path: Path) -> bool:
    """Return whether the system can map an ELF file of 64 bits; strip spoils some of those that a wheel's builder has moved.

    *Source:* System V ABI, program header: p_offset and p_vaddr agree modulo p_align.
    """
    data = path.read_bytes()
    if data[:5] != b"\x7fELF\x02":
        return False
    (start,), (size, count) = struct.unpack_from("<Q", data, 32), struct.unpack_from("<HH", data, 54)
    for number in range(count):
        kind, _, offset, place, _, length, _, align = struct.unpack_from("<IIQQQQQQ", data, start + number * size)
        if kind == _LOADED and ((align > 1 and (offset - place) % align) or offset + length > len(data)):
            return False
    return True


def slim(folder: Path) -> dict[str, int]:
    """Do all of it and return the bytes that each step saved."""
    saved = {"dropped": drop(folder)}
    idle = unreached(folder)
    saved["needed by nothing"] = sum(path.stat().st_size for path in idle if not path.is_symlink())
    for path in idle:
        path.unlink()
    drop(folder)
    return saved | {"stripped": strip(folder)}

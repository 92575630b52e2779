"""Files that a session names: where they lie, seen from the session's own file, and the hash that tells them from others.

A path in a session is relative to the folder of the session's file, with ``..`` where the file lies outside that folder's tree, and never
absolute; where no way leads there, such as to another drive, the name alone is kept. Names of files and folders are kept as they are on
disk: a name that tells who the patient is should be changed before a session is passed on.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from pydantic import BaseModel, ConfigDict, Field, field_validator

from echo3d.errors import InputError, StoppedError

_BLOCK = 1 << 20
_MOST_FILES, _MOST_LOOKED_AT, _DEEPEST = 20_000, 5_000, 4
"""Files of a hashed folder; entries and depth of the search for a file that was moved."""


class FileRef(BaseModel):
    """A file or folder as a session names it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    path: str = Field(min_length=1, max_length=4000, description="Relative to the session's file, with /.")
    sha256: str = Field("", pattern=r"^([0-9a-f]{64})?$", description="Of the content; empty where it is not known.")
    folder: bool = Field(False, description="Whether it is a folder; its hash is that of its files' hashes, in order.")

    @field_validator("path")
    @classmethod
    def _stays_relative(cls, path: str) -> str:
        if not is_relative(path):
            raise ValueError("relative to the session's file")
        return path

    @property
    def name(self) -> str:
        """The name alone."""
        return PurePosixPath(self.path).name


def is_relative(path: str) -> bool:
    """Return whether a path is relative on every system, so that it leads to no other drive and no other machine.

    >>> [is_relative(path) for path in ("a/b.vtp", "../b.vtp", "/etc/b", "C:b", "//host/b")]
    [True, True, False, False, False]
    """
    windows = PureWindowsPath(path)
    return not (PurePosixPath(path).is_absolute() or windows.drive or windows.root or "\0" in path)


def relative(path: Path, base: Path) -> str:
    """Return the way from the folder ``base`` to a file; its name alone where there is no way.

    >>> relative(Path("data/x/heart.vtp"), Path("data/sessions"))
    '../x/heart.vtp'
    """
    there = path.parent.resolve() / path.name if path.name not in ("", "..") else path.resolve()
    try:
        found = Path(os.path.relpath(there, base.resolve())).as_posix()
    except ValueError:  # another drive
        found = there.name
    return found if is_relative(found) else there.name


class Digests:
    """Hashes of files, kept as long as size and time of the file stay; ``stopped`` ends what is being hashed."""

    def __init__(self) -> None:
        self.stopped = False
        self._lock = threading.Lock()
        self._kept: dict[Path, tuple[object, str]] = {}

    def known(self, path: Path) -> str:
        """Return the hash that was last taken of a file, or an empty text."""
        with self._lock:
            return self._kept.get(_key(path), ((), ""))[1]

    def of(self, path: Path) -> str:
        """Return the hash of a file or folder; of one that is gone the last one that is known.

        Raises
        ------
        StoppedError
            If the work was stopped.
        """
        try:
            state = _state(path)
            with self._lock:
                kept = self._kept.get(_key(path))
            if kept is not None and kept[0] == state:
                return kept[1]
            made = self._folder(path) if path.is_dir() else self._file(path)
        except OSError:
            return self.known(path)
        with self._lock:
            self._kept[_key(path)] = (state, made)
        return made

    def _file(self, path: Path) -> str:
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                if self.stopped:
                    raise StoppedError("hashing was stopped")
                digest.update(block)
        return digest.hexdigest()

    def _folder(self, path: Path) -> str:
        each = sorted(self._file(file) for file in _files(path))
        return hashlib.sha256("".join(each).encode()).hexdigest()


def _key(path: Path) -> Path:
    return path.absolute()


def _files(folder: Path) -> list[Path]:
    """Return the files below a folder, without links, in order; the first of very many."""
    found: list[Path] = []
    for root, folders, names in os.walk(folder):
        folders.sort()
        found += [Path(root) / name for name in sorted(names) if (Path(root) / name).is_file() and not (Path(root) / name).is_symlink()]
        if len(found) >= _MOST_FILES:
            break
    return found[:_MOST_FILES]


def _state(path: Path) -> object:
    """Return what changes when a file's or folder's content does."""
    if not path.is_dir():
        if not path.is_file():
            raise FileNotFoundError
        return _stamp(path)
    return tuple((str(file), *_stamp(file)) for file in _files(path))


def _stamp(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


@dataclass(frozen=True, slots=True)
class Found:
    """A file that a session names, where it lies now.

    Parameters
    ----------
    path : of the file
    changed : whether its content is another than when the session was saved
    moved : whether it lies elsewhere
    """

    path: Path
    changed: bool = False
    moved: bool = False


def refer(path: Path, base: Path, digest: Callable[[Path], str]) -> FileRef:
    """Return a file as a session in the folder ``base`` names it."""
    return FileRef(path=relative(path, base), sha256=digest(path), folder=path.is_dir())


def rebased(ref: FileRef, old: Path, new: Path) -> FileRef:
    """Return a file, named from the folder ``old``, as it is named from the folder ``new``."""
    return ref.model_copy(update={"path": relative(old / ref.path, new)})


def find(ref: FileRef, base: Path, digests: Digests, *, what: str) -> Found:
    """Return where a file that a session names lies: where it was, or wherever in the session's folder the same content is.

    Parameters
    ----------
    ref : the file
    base : folder of the session's file
    digests : hashes
    what : the file's role, for the message

    Raises
    ------
    InputError
        If it is nowhere.
    """
    there = base / ref.path
    if _fits(there, ref):
        return Found(there, changed=bool(ref.sha256) and digests.of(there) != ref.sha256)
    for candidate in _below(base, ref.name):
        if _fits(candidate, ref) and ref.sha256 and digests.of(candidate) == ref.sha256:
            return Found(candidate, moved=True)
    kind = "folder" if ref.folder else "file"
    raise InputError(
        f"{what} of a session must lie where it was when it was saved, or in the session's folder, found no {kind} {ref.name}; "
        "put it back or open another"
    )


def _fits(path: Path, ref: FileRef) -> bool:
    """Return whether there is a folder where one is wanted, a regular file elsewhere."""
    try:
        return path.is_dir() if ref.folder else path.is_file()
    except (OSError, ValueError):
        return False


def _below(folder: Path, name: str) -> Iterator[Path]:
    """Yield what is called ``name`` in a folder and a few levels below."""
    seen, depth = 0, len(folder.resolve().parts)
    for root, folders, names in os.walk(folder.resolve()):
        if len(Path(root).parts) - depth >= _DEEPEST:
            folders.clear()
        seen += len(folders) + len(names)
        if name in folders or name in names:
            yield Path(root) / name
        if seen > _MOST_LOOKED_AT:
            return

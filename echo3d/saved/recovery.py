"""What a crash leaves: the autosaved sessions of windows whose process no longer lives.

Each window writes into a file of its own, named after its process, the start of that process and the window. On a clean end the file is
removed; a file whose process no longer lives was left by a crash.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from echo3d.errors import InputError
from echo3d.jobs.processes import identity
from echo3d.paths import user_state
from echo3d.saved.capture import Snapshot, content_of
from echo3d.saved.content import Content, content_from_json
from echo3d.saved.files import is_relative, relative
from echo3d.saved.store import SUFFIX, read_values, session_text, write_text

_NAME = re.compile(r"(\d{1,10})-([0-9a-f]{12})-[0-9a-f]{8}" + re.escape(SUFFIX))


@dataclass(frozen=True, slots=True)
class Orphan:
    """An autosaved session that a crash left.

    Parameters
    ----------
    file : where it lies
    saved_at : when it was written, seconds since 1970
    """

    file: Path
    saved_at: float

    @property
    def at(self) -> str:
        """When it was written, for people."""
        return time.strftime("%H:%M on %d %B" if time.time() - self.saved_at > 43_200 else "%H:%M", time.localtime(self.saved_at))


@dataclass(frozen=True, slots=True, eq=False)
class Recovered:
    """What an autosaved session says.

    Parameters
    ----------
    content : the session
    document : its file, None where it never had one
    problems : one sentence for each damaged section
    """

    content: Content
    document: Path | None
    problems: tuple[str, ...]


def recovery_folder() -> Path:
    """Return the folder of autosaved sessions; made if needed, for this user alone."""
    folder = user_state() / "recovery"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def own_file() -> Path:
    """Return a new name for the autosaved session of a window of this process."""
    return recovery_folder() / f"{os.getpid()}-{_start(os.getpid())}-{uuid.uuid4().hex[:8]}{SUFFIX}"


def _start(pid: int) -> str:
    """Return a short word for the start of a living process, an empty one where none lives."""
    started = identity(pid)
    return "" if started is None else hashlib.sha256(started.encode()).hexdigest()[:12]


def autosave(file: Path, snapshot: Snapshot, document: Path | None, digest: Callable[[Path], str]) -> None:
    """Write what a window shows into its own file.

    Parameters
    ----------
    file : from :func:`own_file`
    snapshot : what the window shows
    document : the session's own file, None where it has none
    digest : returns the hash of a file where it is known; must not take long

    Raises
    ------
    InputError
        If it cannot be written.
    """
    content = content_of(snapshot, file.parent, digest)
    name = None if document is None else relative(document, file.parent)
    write_text(file, session_text(content, document=name), private=True)


def orphans() -> list[Orphan]:
    """Return the autosaved sessions that crashes left, newest first."""
    found = []
    for file in recovery_folder().iterdir():
        named = _NAME.fullmatch(file.name)
        if named is not None and _start(int(named[1])) != named[2]:
            with contextlib.suppress(OSError):
                found.append(Orphan(file, file.stat().st_mtime))
    return sorted(found, key=lambda orphan: -orphan.saved_at)


def recovered(orphan: Orphan) -> Recovered:
    """Return what an autosaved session says; the file stays where it is.

    Raises
    ------
    InputError
        If it is damaged.
    """
    values = read_values(orphan.file)
    content, problems = content_from_json(values)
    name = values.get("document")
    known = isinstance(name, str) and 0 < len(name) <= 4000 and is_relative(name) and name.endswith(SUFFIX)
    return Recovered(content, orphan.file.parent / str(name) if known else None, problems)


def claim(orphan: Orphan, file: Path) -> None:
    """Make an autosaved session that of this window; of two windows only one can.

    Raises
    ------
    InputError
        If another window was first.
    """
    try:
        orphan.file.rename(file)
    except OSError as exc:
        raise InputError("an autosaved session can be recovered once, found it gone; another window has it") from exc


def discard(file: Path) -> None:
    """Remove an autosaved session."""
    with contextlib.suppress(OSError):
        file.unlink(missing_ok=True)

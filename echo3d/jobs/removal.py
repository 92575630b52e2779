"""Delete jobs that have ended."""

from __future__ import annotations

import shutil
from pathlib import Path

from echo3d.errors import InputError
from echo3d.jobs.launcher import LOCK_WAIT_S
from echo3d.jobs.lock import held
from echo3d.jobs.registry import watch
from echo3d.jobs.store import LOCK, SPEC

_AT_WORK = "a job must have ended to be deleted, found it at work; cancel it first"


def delete_job(folder: Path) -> None:
    """Delete a job's folder; it is gone from every list at once. What the job wrote elsewhere stays.

    Raises
    ------
    InputError
        If the folder holds no job, a process works on it, or it may not be written.
    """
    if not (folder / SPEC).exists():
        raise InputError("a job must be a folder with spec.json to be deleted, found none; it may be gone already")
    ended(folder)
    try:
        with held(folder / LOCK, wait_s=LOCK_WAIT_S) as mine:
            if not mine:
                raise _busy()
        hidden = folder.with_name(f".{folder.name}")
        folder.rename(hidden)
        shutil.rmtree(hidden)
    except OSError as exc:
        reason = (exc.strerror or type(exc).__name__).lower()
        raise InputError(f"a job's folder must be writable to delete it, found {reason}; delete the folder by hand") from exc


def ended(folder: Path) -> None:
    """Check that no process works on a job; a damaged one has ended.

    Raises
    ------
    InputError
        If one does.
    """
    try:
        alive = watch(folder).state.alive
    except InputError:
        return
    if alive:
        raise _busy()


def _busy() -> InputError:
    return InputError(_AT_WORK)

"""A job's own process: it holds the folder's lock, calls the target by its name, and writes down how that ended."""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil

from echo3d import __version__
from echo3d.errors import Echo3dError, InputError, StoppedError
from echo3d.jobs.lock import held
from echo3d.jobs.processes import identity
from echo3d.jobs.queue import advance
from echo3d.jobs.spec import JobSpec
from echo3d.jobs.store import (
    CHECKPOINTS,
    LOCK,
    RESULT,
    append,
    cancel_asked,
    free_spare,
    keep_spare,
    read_spec,
    write_answer,
)
from echo3d.logs import places

PACKAGES = ("echo3d", "training")
"""Packages that a target may lie in; a job's folder is data and must not name any code at all."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says where nothing more can be written."""

LOCK_WAIT_S, SPEAK_S = 20.0, 0.5
_NICE = 10


class Job:
    """What a target is handed: its arguments, its folders, and how it tells and asks.

    Parameters
    ----------
    folder : of the job
    spec : what is to be done
    """

    def __init__(self, folder: Path, spec: JobSpec) -> None:
        self.arguments = spec.arguments
        self.checkpoints, self.result = folder / CHECKPOINTS, folder / RESULT
        self._folder, self._spoken = folder, float("-inf")

    def progress(self, done: int, total: int, message: str) -> None:
        """Tell how far it is, twice a second at most but for the last step.

        Raises
        ------
        StoppedError
            If the job is asked to stop.
        """
        now = time.monotonic()
        if done >= total or now - self._spoken >= SPEAK_S:
            append(self._folder, "progress", done=done, total=total, message=message)
            self._spoken = now
        self.check()

    def check(self) -> None:
        """Stop here if that is asked for.

        Raises
        ------
        StoppedError
            If the job is asked to stop.
        """
        if cancel_asked(self._folder):
            raise StoppedError("the job was asked to stop; what is written stays, and Resume goes on from there")

    def say(self, text: str) -> None:
        """Write a line into the log."""
        say(text)


def say(text: str) -> None:
    """Write a line with the time to standard output, which is the job's log; a full disk does not stop the work."""
    with contextlib.suppress(OSError):
        print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}", flush=True)  # noqa: T201 - the log is standard output


def run(folder: Path, *, packages: tuple[str, ...] = PACKAGES, command: Sequence[str] | None = None) -> bool:
    """Do the job of a folder in this process and return whether it was done; then those that waited for it start.

    Parameters
    ----------
    folder : of the job
    packages : where its target may lie
    command : runs the jobs that waited; this installation's own by default

    Raises
    ------
    InputError
        If the folder holds no job, or another process works on it.
    """
    outcome = _worked(folder, packages)
    if outcome is not None:  # a system that goes down starts nothing
        advance(folder.parent, command=command)
    return outcome == "done"


def _worked(folder: Path, packages: tuple[str, ...]) -> str | None:
    """Do the job and write down how it ended; return that, None where the system wants the process to end."""
    spec = read_spec(folder)
    with held(folder / LOCK, wait_s=LOCK_WAIT_S) as mine:
        if not mine:
            raise InputError("a job must run in one process only, found another at work on it; wait for that one or cancel it")
        append(folder, "started", pid=os.getpid(), started=identity(os.getpid()), echo3d=__version__)
        say(f"{spec.title}: started")
        with _terminable(), _spare(folder):
            outcome = _outcome(folder, spec, packages)
        if outcome is None:
            say("ended from outside")
            return None
        kind, values = outcome
        append(folder, kind, **values)
        say(" ".join([kind, *values.values()]))
        return kind


def _outcome(folder: Path, spec: JobSpec, packages: tuple[str, ...]) -> tuple[str, dict[str, str]] | None:
    """Call the target and return the event that it ends with, None where the system wants the process to end."""
    try:
        answer = _target(spec.target, packages)(Job(folder, spec))
        free_spare(folder)
        write_answer(folder, answer or {})
    except StoppedError:
        return ("cancelled", {}) if cancel_asked(folder) else None
    except Echo3dError as exc:
        return "failed", {"sentence": str(exc)}
    except Exception as exc:  # the last border before the user
        say(places(exc))
        return "failed", {"sentence": _sentence(exc)}
    return "done", {}


def _sentence(exc: Exception) -> str:
    """Return one sentence about an unforeseen failure."""
    if isinstance(exc, OSError) and exc.errno in FULL:
        return "the disk must have room for what the job writes, found it full; make room and resume the job, what is written stays"
    return f"something failed inside ({type(exc).__name__}); log.txt in the job's folder says where, please report it"


def _target(name: str, packages: tuple[str, ...]) -> Callable[[Job], dict[str, Any] | None]:
    """Return the function of a target's name.

    Raises
    ------
    InputError
        If it lies outside ``packages`` or is not there.
    """
    module, _, function = name.partition(":")
    if module.partition(".")[0] not in packages:
        raise InputError(f"the target of a job must lie in {' or '.join(packages)}, found another; start the job again")
    try:
        return getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as exc:
        rule = "the target of a job must be part of this installation"
        raise InputError(f"{rule}, found none ({type(exc).__name__}); start it with the version that made it") from exc


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Turn the system's wish to end into StoppedError, so that open files are closed and child processes end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise StoppedError("the process was told to end; what is written stays, and Resume goes on from there")

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def step_back() -> None:
    """Let the window and everything else on this machine have the processor first."""
    with contextlib.suppress(psutil.Error, OSError):
        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if psutil.WINDOWS else _NICE)


@contextlib.contextmanager
def _spare(folder: Path) -> Iterator[None]:
    """Keep some room on the disk for the last word."""
    keep_spare(folder)
    try:
        yield
    finally:
        free_spare(folder)

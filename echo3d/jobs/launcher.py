"""Start, resume and cancel jobs; each runs in a process of its own that does not end with the one that started it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from echo3d import frozen
from echo3d.errors import InputError
from echo3d.jobs.lock import held
from echo3d.jobs.processes import end, identity, tree, wait_for
from echo3d.jobs.registry import Status, watch
from echo3d.jobs.spec import JobSpec, State
from echo3d.jobs.store import LOCK, LOG, append, ask_cancel, clear_cancel, make_job

GRACE_S = (10.0, 5.0)
"""Seconds that a job is given after the flag, and after being told to end; then it is killed with all its children."""

LOCK_WAIT_S = 3.0
"""For how long a lock is waited for: of a killed process with threads the first may be gone before the last lets go of its files."""

AT_WORK = "a job must not be at work already to be started, found that it is; wait for it or cancel it first"


environment = frozen.environment
"""What a process of :func:`own_command` is to be given."""


def worker_command() -> list[str]:
    """Return the command that runs the job of a folder, which is to follow."""
    return own_command("jobs", "run")


def own_command(*words: str) -> list[str]:
    """Return what runs words of this installation's command line; a process of it is to be given :func:`environment`."""
    return frozen.worker_command(*words)


def start(jobs: Path, spec: JobSpec, *, command: Sequence[str] | None = None) -> Path:
    """Make a job below ``jobs``, start it, and return its folder.

    Raises
    ------
    InputError
        If the folder cannot be written or no process can be started.
    """
    folder = make_job(jobs, spec)
    launch(folder, command=command)
    return folder


def launch(folder: Path, *, command: Sequence[str] | None = None, queued: bool = False) -> None:
    """Start the process of a job, or start it again where it was interrupted, cancelled or failed; it goes on where it was.

    Parameters
    ----------
    folder : of the job
    command : runs the job whose folder follows; this installation's own by default
    queued : start it only if it still waits, and hear a wish to stop that came meanwhile

    Raises
    ------
    InputError
        If the job is done or at work already, or no process can be started.
    """
    _startable(watch(folder).state)
    with held(folder / LOCK, wait_s=LOCK_WAIT_S) as mine:
        if not mine:
            raise InputError(AT_WORK)
        _startable(state := watch(folder).state)
        if queued and state is not State.QUEUED:
            raise InputError(f"a job must wait in the queue to be started from it, found it {state}; start it anew")
        if not queued:
            clear_cancel(folder)
        process = _spawn(folder, [*(command or worker_command()), str(folder.absolute())])
        try:
            append(folder, "launched", pid=process.pid, started=identity(process.pid))
        except OSError as exc:
            process.kill()
            raise InputError("a job's folder must have room to start it, found the disk full; make room and resume the job") from exc


def _startable(state: State) -> None:
    if state.alive:
        raise InputError(AT_WORK)
    if state is State.DONE:
        raise InputError("a job must not be done already to be started again, found that it is; start a new one")


resume = launch
"""Another word for the same."""


def _spawn(folder: Path, command: list[str]) -> subprocess.Popen[bytes]:
    """Start a process that has neither our terminal nor our end."""
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    try:
        with (folder / LOG).open("ab") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=folder, env=environment(), **apart
            )
    except OSError as exc:
        raise InputError(f"a job needs a process of its own, found none to start ({type(exc).__name__}); close other programs") from exc
    threading.Thread(target=process.wait, name=f"reaps {folder.name}", daemon=True).start()
    return process


def cancel(folder: Path, *, grace_s: tuple[float, float] = GRACE_S) -> Status:
    """Stop a job and return how it then stands: a flag first, then the system's word, then the end of its whole tree of processes.

    Parameters
    ----------
    folder : of the job
    grace_s : seconds after the flag and after the word

    Raises
    ------
    InputError
        If the job has ended already.
    """
    status = watch(folder)
    if not status.state.alive and status.state not in (State.QUEUED, State.INTERRUPTED):
        raise InputError(f"a job must be at work to be cancelled, found it {status.state}; nothing is left to stop")
    ask_cancel(folder)
    workers = [tree(pid, started) for pid, started in status.trail.runs]
    heads, below = [own[0] for own in workers if own], [process for own in workers for process in own[1:]]
    if wait_for(heads, grace_s[0]):
        below += [process for pid, started in status.trail.runs for process in tree(pid, started)[1:]]
        left = end(heads, kill=False, wait_s=grace_s[1])
        below += [process for pid, started in status.trail.runs for process in tree(pid, started)[1:]]
        end(left, kill=True, wait_s=grace_s[1])
    end(list(dict.fromkeys(below)), kill=True, wait_s=grace_s[1])
    return watch(folder)

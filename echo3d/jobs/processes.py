"""The process table: is the process that a job's folder names still the one that was started, and how is it ended with its children."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import psutil

_START_FIELD = 19
"""Place of the start time among the fields that follow the name in /proc/PID/stat."""


def identity(pid: int) -> str | None:
    """Return what tells a process from any other that ever had its number: its start; None where none of that number lives.

    On Linux the start is counted in ticks since a named boot, because the clock on the wall may be set; elsewhere it is that clock's.
    A process that has ended and was not yet collected by its parent does not live.
    """
    try:
        process = psutil.Process(pid)
        if process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            return None
        return _ticks(pid) if sys.platform == "linux" else f"{process.create_time():.2f}"
    except (psutil.Error, OSError, ValueError, IndexError):
        return None


def _ticks(pid: int) -> str:
    """Return boot and start of a Linux process. *Source:* proc(5), field 22 of stat; the name before it may hold blanks and brackets."""
    after_name = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot}:{after_name[_START_FIELD]}"


def lives(pid: int, started: str) -> bool:
    """Return whether the process of this number and start lives.

    >>> import os
    >>> lives(os.getpid(), identity(os.getpid())), lives(os.getpid(), "another start")
    (True, False)
    """
    return identity(pid) == started


def tree(pid: int, started: str) -> list[psutil.Process]:
    """Return a living process and all its descendants, itself first; none where it no longer lives."""
    if not lives(pid, started):
        return []
    with contextlib.suppress(psutil.Error):
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    return []


def end(processes: list[psutil.Process], *, kill: bool, wait_s: float) -> list[psutil.Process]:
    """Terminate or kill processes, wait for them, and return those that are left; psutil spares a stranger with a reused number."""
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill() if kill else process.terminate()
    return wait_for(processes, wait_s)


def wait_for(processes: list[psutil.Process], wait_s: float) -> list[psutil.Process]:
    """Return which of the processes still live after at most ``wait_s`` seconds."""
    left = psutil.wait_procs([process for process in processes if _goes_on(process)], timeout=wait_s)[1]
    return [process for process in left if _goes_on(process)]


def _goes_on(process: psutil.Process) -> bool:
    """Return whether a process still runs; one that only waits to be collected does not."""
    try:
        return process.is_running() and process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.Error:
        return False

"""A queue with one slot per device: jobs wait until no other works on a device of theirs; whoever looks next starts what may start.

Nothing runs the queue. A job's own process advances it when it ends, so does every look of a window or of ``echo3d jobs``, and a job that
died without a word holds nothing up, because its process is no longer there.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from echo3d.errors import InputError
from echo3d.jobs.devices import devices_in
from echo3d.jobs.launcher import AT_WORK, LOCK_WAIT_S, launch
from echo3d.jobs.lock import held
from echo3d.jobs.registry import Status, list_jobs, watch
from echo3d.jobs.spec import JobSpec, State
from echo3d.jobs.store import LOCK, append, clear_cancel, make_job, read_spec

QUEUE_LOCK = ".queue.lock"
"""File below the folder of jobs; whoever holds it starts jobs."""

QUEUE_WAIT_S = 10.0


def enqueue(jobs: Path, spec: JobSpec, *, command: Sequence[str] | None = None) -> Path:
    """Make a job, start it if its slot is free, and return its folder; without a slot it starts at once.

    Parameters
    ----------
    jobs : folder of the jobs
    spec : what is to be done, and on which devices
    command : runs the job whose folder follows; this installation's own by default

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    folder = make_job(jobs, spec, queued=True)
    advance(jobs, command=command)
    return folder


def resume(folder: Path, *, command: Sequence[str] | None = None) -> None:
    """Go on with a job that was interrupted or cancelled, or that failed: at once, or when its slot is free.

    Raises
    ------
    InputError
        If it is done, waits already, or is at work.
    """
    if not read_spec(folder).slot:
        launch(folder, command=command)
        return
    with held(folder / LOCK, wait_s=LOCK_WAIT_S) as mine:
        state = watch(folder).state
        if not mine or state.alive:
            raise InputError(AT_WORK)
        if state is State.DONE or waits(watch(folder)):
            raise InputError(f"a job must have stopped before its end to be gone on with, found it {state}; start a new one")
        clear_cancel(folder)
        append(folder, "queued")
    advance(folder.parent, command=command)


def advance(jobs: Path, known: Sequence[Status] | None = None, *, command: Sequence[str] | None = None) -> list[Path]:
    """Start the jobs that may start, the longest waiting first, and return their folders.

    Parameters
    ----------
    jobs : folder of the jobs
    known : how the jobs stood a moment ago, so that nothing is read where none waits
    command : runs the job whose folder follows; this installation's own by default
    """
    try:
        if not any(waits(status) for status in (list_jobs(jobs) if known is None else known)):
            return []
        with held(jobs / QUEUE_LOCK, wait_s=QUEUE_WAIT_S) as mine:
            return [folder for folder in startable(list_jobs(jobs)) if _started(folder, command)] if mine else []
    except OSError:  # a folder that cannot be written starts nothing
        return []


def waits(status: Status) -> bool:
    """Return whether a job waits in the queue."""
    return status.state is State.QUEUED and status.trail.queued is not None


def startable(found: Sequence[Status]) -> list[Path]:
    """Return which waiting jobs may start: those that share no device with a running one, nor with one that waits longer."""
    taken = {device for status in found if status.state.alive and status.spec for device in devices_in(status.spec.slot)}
    chosen = []
    for status in sorted((one for one in found if waits(one)), key=lambda one: (one.trail.queued or 0.0, one.name)):
        wanted = devices_in(status.spec.slot) if status.spec else frozenset()
        if not wanted & taken:
            chosen.append(status.folder)
        taken |= wanted
    return chosen


def by_device(found: Sequence[Status]) -> dict[str, tuple[str | None, list[str]]]:
    """Return by device the name of the job that works on it, None where it is free, and of those that wait, the next first."""
    slotted = [(status, device) for status in found if status.spec for device in sorted(devices_in(status.spec.slot))]
    waiting = sorted((one for one in slotted if waits(one[0])), key=lambda one: (one[0].trail.queued or 0.0, one[0].name))
    working = {device: status.name for status, device in slotted if status.state.alive}
    devices = sorted({*working, *(device for _, device in waiting)})
    return {device: (working.get(device), [status.name for status, wanted in waiting if wanted == device]) for device in devices}


def _started(folder: Path, command: Sequence[str] | None) -> bool:
    """Return whether a waiting job was started; one that cannot be goes on waiting."""
    try:
        launch(folder, command=command, queued=True)
    except (InputError, OSError):
        return False
    return True

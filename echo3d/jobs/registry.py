"""Which jobs there are, and how each stands: its state, how far it is, how fast, and how long it will take.

``status = watch(folder)`` reads all of events.jsonl; ``status = watch(folder, status)`` only what is new since, so that a window may ask
every second.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from echo3d.errors import InputError
from echo3d.jobs.processes import lives
from echo3d.jobs.spec import JobEvent, JobSpec, State
from echo3d.jobs.store import SPEC, cancel_asked, read_events, read_spec

WINDOW_S = 120.0
"""Seconds of progress that the rate is taken over."""

_OUTCOMES = {"done": State.DONE, "failed": State.FAILED, "cancelled": State.CANCELLED}
_SILENT = "its process ended without a word; the log may say why, and Resume goes on where it was"


@dataclass(frozen=True, slots=True)
class Trail:
    """What events.jsonl told of the newest run.

    Parameters
    ----------
    offset : bytes read
    runs : number and start of the processes that were given the job since it last came to an end
    outcome : how it came to an end, None where it has not
    sentence : why, where it failed
    progress : the newest progress events of this run, ``WINDOW_S`` seconds and one before
    queued : when it was put into the queue that it still waits in, seconds since 1970; None where it is in none
    """

    offset: int = 0
    runs: tuple[tuple[int, str], ...] = ()
    outcome: State | None = None
    sentence: str = ""
    progress: tuple[JobEvent, ...] = ()
    queued: float | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """How a job stands.

    Parameters
    ----------
    folder : of the job; its name is the job's
    spec : what it is to do, None where spec.json is damaged
    state : see :class:`State`
    done, total : how far it is, 0 of 0 before the first word
    message : its newest line on progress
    rate : steps a second, None before two words
    remaining_s : seconds to go, None where unknown or not running
    sentence : why it failed or how it was interrupted, empty otherwise
    trail : where the next look goes on
    """

    folder: Path
    spec: JobSpec | None
    state: State
    done: int = 0
    total: int = 0
    message: str = ""
    rate: float | None = None
    remaining_s: float | None = None
    sentence: str = ""
    trail: Trail = Trail()

    @property
    def name(self) -> str:
        """The job's name."""
        return self.folder.name

    @property
    def share(self) -> float:
        """How far it is, 0 to 1."""
        return self.done / self.total if self.total else 0.0


def watch(folder: Path, before: Status | None = None) -> Status:
    """Return how a job stands now.

    Parameters
    ----------
    folder : the job's
    before : what an earlier look at the same folder returned

    Raises
    ------
    InputError
        If the folder holds no job, or a damaged one.
    """
    spec = read_spec(folder) if before is None or before.spec is None else before.spec
    trail = _read(folder, Trail() if before is None else before.trail)
    alive = _alive(trail)
    if not alive and trail.outcome is None:
        trail = _read(folder, trail)  # it may have written its last word between the two looks
    return _status(Status(folder, spec, state_of(trail, alive=alive, cancel=cancel_asked(folder)), trail=trail), time.time())


def _alive(trail: Trail) -> bool:
    return trail.outcome is None and any(lives(pid, started) for pid, started in trail.runs)


def _read(folder: Path, trail: Trail) -> Trail:
    events, offset = read_events(folder, trail.offset)
    for event in events:
        trail = followed(trail, event)
    return replace(trail, offset=offset)


def followed(trail: Trail, event: JobEvent) -> Trail:
    """Return what is known after one more event.

    >>> followed(Trail(), JobEvent("launched", 0.0, {"pid": 7, "started": "a"})).runs
    ((7, 'a'),)
    """
    if event.kind == "queued":
        return Trail(trail.offset, queued=event.time)
    if event.kind in ("launched", "started"):
        run = (_whole(event, "pid"), str(event.values.get("started")))
        runs = () if trail.outcome is not None else trail.runs
        return Trail(trail.offset, (*runs, *([] if run in runs else [run])))
    if event.kind == "progress":
        old = [one for one in trail.progress if one.time >= event.time - WINDOW_S]
        edge = trail.progress[-len(old) - 1 : len(trail.progress) - len(old)]
        return replace(trail, progress=(*edge, *old, event))
    if event.kind in _OUTCOMES:
        return replace(trail, outcome=_OUTCOMES[event.kind], sentence=str(event.values.get("sentence", "")))
    return trail


def state_of(trail: Trail, *, alive: bool, cancel: bool) -> State:
    """Return the state that a trail, the process table and the wish to stop make together.

    >>> state_of(Trail(runs=((7, "a"),)), alive=False, cancel=False)
    <State.INTERRUPTED: 'interrupted'>
    """
    if trail.outcome is not None:
        return trail.outcome
    if alive:
        return State.CANCELLING if cancel else State.RUNNING
    if cancel:
        return State.CANCELLED
    return State.INTERRUPTED if trail.runs else State.QUEUED


def _status(status: Status, now: float) -> Status:
    """Return the status with what its progress events say."""
    trail = status.trail
    sentence = _SILENT if status.state is State.INTERRUPTED else trail.sentence
    if not trail.progress:
        return replace(status, sentence=sentence)
    last = trail.progress[-1]
    total, rate = _whole(last, "total"), rate_of(trail.progress)
    done = total if status.state is State.DONE else _whole(last, "done")  # the last word may come before the last step
    to_go = None if rate is None or not status.state.alive else max(0.0, (total - done) / rate - max(0.0, now - last.time))
    message = str(last.values.get("message", ""))
    return replace(status, sentence=sentence, done=done, total=total, message=message, rate=rate, remaining_s=to_go)


def rate_of(progress: Sequence[JobEvent]) -> float | None:
    """Return steps a second from the first to the last of some progress events, None where they tell nothing.

    >>> rate_of([JobEvent("progress", 10.0, {"done": 4}), JobEvent("progress", 14.0, {"done": 6})])
    0.5
    """
    total = progress[-1].values.get("total")
    progress = [
        event for event in progress if event.values.get("total") == total
    ]  # what was said before the total was known does not count
    spent = progress[-1].time - progress[0].time
    steps = _whole(progress[-1], "done") - _whole(progress[0], "done")
    return steps / spent if steps > 0 and spent > 0 else None


def _whole(event: JobEvent, name: str) -> int:
    """Return a whole number of an event, 0 where it has none."""
    value = event.values.get(name)
    return value if isinstance(value, int) else 0


def list_jobs(jobs: Path, before: Mapping[str, Status] = MappingProxyType({})) -> list[Status]:
    """Return how every job below a folder stands, the newest last; a damaged one is listed as failed with its sentence.

    Parameters
    ----------
    jobs : folder of the jobs
    before : by name what an earlier look returned, so that only what is new is read
    """
    found = [
        _listed(folder, before.get(folder.name))
        for folder in jobs.iterdir()
        if (folder / SPEC).exists() and not folder.name.startswith(".")
    ]
    return sorted(found, key=lambda status: (made_at(status.folder), status.name))


def made_at(folder: Path) -> float:
    """Return when a job was made, seconds since 1970; its spec is never written again."""
    try:
        return (folder / SPEC).stat().st_mtime
    except OSError:
        return 0.0


def _listed(folder: Path, before: Status | None) -> Status:
    try:
        return watch(folder, before)
    except InputError as exc:
        return Status(folder, None, State.FAILED, sentence=str(exc))


def find_job(jobs: Path, name: str) -> Path:
    """Return the folder of the job of that name, or of the only one whose name begins so.

    Raises
    ------
    InputError
        If there is none, or several begin so.
    """
    names = [folder.name for folder in jobs.iterdir() if (folder / SPEC).exists() and not folder.name.startswith(".")]
    fitting = [known for known in names if known == name] or [known for known in names if name and known.startswith(name)]
    if len(fitting) == 1:
        return jobs / fitting[0]
    found = "none" if not fitting else f"{len(fitting)} that begin so"
    raise InputError(f"a job must be named as echo3d jobs list names it, found {found}; look it up there")

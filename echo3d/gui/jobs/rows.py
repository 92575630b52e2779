"""What the panel shows of a job, as plain values made off the Qt thread."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from echo3d.errors import InputError
from echo3d.jobs.queue import advance
from echo3d.jobs.registry import Status, list_jobs, made_at
from echo3d.jobs.spec import JobSpec, State
from echo3d.jobs.store import log_tail
from echo3d.jobs.words import STATES, duration

LOG_LINES = 200


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job as it is shown.

    Parameters
    ----------
    name : of the job, which is its folder's
    title : one line for people
    state : see :class:`echo3d.jobs.spec.State`
    share : how far it is, [0, 1]
    done : the same in words
    rate, left, begun : in words, empty where unknown
    out : folder that it writes, or the job's own
    sentence : why it failed or stopped, or its newest line on progress
    """

    name: str
    title: str
    state: State
    share: float = 0.0
    done: str = ""
    rate: str = ""
    left: str = ""
    begun: str = ""
    out: str = ""
    sentence: str = ""

    @property
    def word(self) -> str:
        """The state in a word."""
        return STATES[self.state]

    @property
    def can_cancel(self) -> bool:
        """Whether there is something to stop."""
        return self.state in (State.RUNNING, State.QUEUED)

    @property
    def can_resume(self) -> bool:
        """Whether it can go on."""
        return not self.state.alive and self.state is not State.DONE

    @property
    def can_delete(self) -> bool:
        """Whether it has ended."""
        return not self.state.alive


def row_of(status: Status, made: float) -> JobRow:
    """Return what is shown of a job that was made at a time, seconds since 1970.

    >>> row = row_of(Status(Path("dataset-1"), None, State.RUNNING, 3, 12, rate=0.5, remaining_s=18.0), 0.0)
    >>> row.word, row.done, row.rate, row.left, row.share
    ('Running', '3 of 12', '30 a minute', '18 s', 0.25)
    """
    alive, spec = status.state.alive, status.spec
    return JobRow(
        status.name,
        "Damaged job" if spec is None else spec.title,
        status.state,
        1.0 if status.state is State.DONE else status.share,
        f"{status.done} of {status.total}" if status.total else "",
        _rate(status.rate) if alive and status.rate else "",
        duration(status.remaining_s) if alive and status.remaining_s is not None else "",
        _clock(made),
        str(status.folder) if spec is None else _out(spec, status.folder),
        status.sentence or (status.message if alive else ""),
    )


def _out(spec: JobSpec, folder: Path) -> str:
    out = spec.arguments.get("out")
    return out if isinstance(out, str) and out else str(folder)


def _rate(per_s: float) -> str:
    """Return steps in a time in words.

    >>> _rate(0.5), _rate(4.0), _rate(0.005)
    ('30 a minute', '4.0 a second', '18 an hour')
    """
    if per_s >= 2:
        return f"{per_s:.1f} a second"
    return f"{60 * per_s:.0f} a minute" if per_s >= 1 / 30 else f"{3600 * per_s:.0f} an hour"


def _clock(made: float) -> str:
    """Return a time of day, with the day where that is another."""
    then = time.localtime(made)
    same = time.localtime()[:3] == then[:3]
    return time.strftime("%H:%M" if same else "%d %b %H:%M", then)


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What one look at the store found.

    Parameters
    ----------
    rows : of all jobs, the newest first
    known : by name how each stands, for the next look
    chosen : the job whose log was asked for
    log : its last lines
    """

    rows: tuple[JobRow, ...] = ()
    known: Mapping[str, Status] | None = None
    chosen: str = ""
    log: tuple[str, ...] = ()

    @property
    def running(self) -> int:
        """How many jobs are at work."""
        return sum(row.state.alive for row in self.rows)


def look_at(jobs: Path, before: Look, chosen: str) -> Look:
    """Return how all jobs of a store stand; those that waited for a device that is free now are started.

    Parameters
    ----------
    jobs : folder of the jobs
    before : the look before this one, so that only what is new is read
    chosen : name of the job whose log is wanted, or empty

    Raises
    ------
    InputError
        If the folder cannot be read.
    """
    try:
        found = list_jobs(jobs, before.known or {})
        if advance(jobs, found):
            found = list_jobs(jobs, {status.name: status for status in found})
    except OSError as exc:
        reason = (exc.strerror or type(exc).__name__).lower()
        raise InputError(f"the folder of jobs must be readable, found {reason}; set ECHO3D_JOBS_DIR to another folder") from exc
    rows = tuple(row_of(status, made_at(status.folder)) for status in reversed(found))
    log = tuple(log_tail(jobs / chosen, LOG_LINES)) if chosen else ()
    return Look(rows, {status.name: status for status in found}, chosen, log)


def told(before: Sequence[JobRow], now: Sequence[JobRow]) -> list[tuple[str, str]]:
    """Return the kind of a notice and its sentence for each job that has come to an end since.

    >>> told([JobRow("a", "Data set of 2 hearts in x", State.RUNNING)], [JobRow("a", "Data set of 2 hearts in x", State.DONE)])
    [('done', 'Data set of 2 hearts in x: done. Open folder in the jobs panel (Ctrl+J) shows it.')]
    """
    old = {row.name: row for row in before}
    ended = [row for row in now if row.name in old and old[row.name].state.alive and not row.state.alive]
    return [(_KINDS.get(row.state, "warning"), _end_of(row)) for row in ended]


_KINDS = {State.DONE: "done", State.FAILED: "error", State.CANCELLED: "info"}


def _end_of(row: JobRow) -> str:
    said = f"{row.title}: {row.word.lower()}."
    if row.state is State.DONE:
        return f"{said} Open folder in the jobs panel (Ctrl+J) shows it."
    why = f" {row.sentence[:1].upper()}{row.sentence[1:].rstrip('.')}." if row.sentence else ""
    return f"{said}{why} Resume in the jobs panel (Ctrl+J) goes on with it."

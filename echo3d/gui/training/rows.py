"""What the workspace shows of a run, as plain values made off the Qt thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from echo3d.gui.training.devices import Use, UseMeter
from echo3d.gui.training.recipes import title_of_run
from echo3d.jobs.registry import Status, made_at
from echo3d.jobs.spec import State
from echo3d.jobs.store import log_tail
from echo3d.jobs.words import STATES, duration
from echo3d.runs import Trace, follow, sheets, title_of

KIND = "train"
LOG_LINES = 400


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One training.

    Parameters
    ----------
    name : of its job
    kind, settings, out : recipe, settings and folder
    status : how its job stands
    trace : what its log says
    begun : when its job was made, seconds since 1970
    sheets : pictures of its answers, the oldest first
    """

    name: str
    kind: str
    settings: Mapping[str, Any]
    out: Path
    status: Status
    trace: Trace = field(default_factory=Trace)
    begun: float = 0.0
    sheets: tuple[Path, ...] = ()

    @property
    def title(self) -> str:
        """The name of its folder, which is the run's."""
        return self.out.name

    @property
    def recipe(self) -> str:
        """Its recipe for people."""
        return title_of_run(self.kind, self.settings)

    @property
    def state(self) -> State:
        """How its job stands."""
        return self.status.state

    @property
    def cells(self) -> tuple[str, ...]:
        """What the table shows: name, recipe, state, step, samples a second, remaining time, newest measurement."""
        alive, status, speed = self.state.alive, self.status, self.trace.numbers.get("samples_per_s")
        left = duration(status.remaining_s) if alive and status.remaining_s is not None else ""
        rate = f"{speed:.3g}" if speed is not None else ""
        step = f"{self.trace.step}" if self.trace.step else ""
        return (self.title, self.recipe, STATES[self.state], step, rate, left, self.newest)

    @property
    def newest(self) -> str:
        """The newest of what is measured first, in words."""
        names = self.trace.measured
        return f"{title_of(names[0])} {self.trace.curves[names[0]][1, -1]:.4g}" if names else ""

    @property
    def sentence(self) -> str:
        """Why it failed or stopped, what was said on the way, or its newest line on progress."""
        status = self.status
        said = status.sentence or (status.message if self.state.alive else "")
        return " ".join(f"{one[:1].upper()}{one[1:].rstrip('.')}." for one in (said, *self.trace.notes[-1:]) if one)


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What one reading found.

    Parameters
    ----------
    runs : all trainings, the newest first
    log : the last lines of the log of the run that leads
    use : what that run takes, None where it does not run
    lead : its name
    """

    runs: tuple[Run, ...] = ()
    log: tuple[str, ...] = ()
    use: Use | None = None
    lead: str = ""


def trainings(statuses: Sequence[Status]) -> list[Status]:
    """Return the jobs that train, of all jobs."""
    return [status for status in statuses if status.spec is not None and status.spec.kind == KIND and "out" in status.spec.arguments]


def sight_of(statuses: Sequence[Status], before: Mapping[str, Run], lead: str, meter: UseMeter) -> Sight:
    """Return how all trainings stand; of each log only what is new is read.

    Parameters
    ----------
    statuses : of the jobs
    before : by name what an earlier reading found
    lead : name of the run whose log and use are wanted, or empty
    meter : measures what it takes
    """
    runs = sorted((_run(status, before.get(status.name)) for status in trainings(statuses)), key=lambda run: -run.begun)
    leading = next((run for run in runs if run.name == lead), None)
    if leading is None:
        return Sight(tuple(runs))
    log = tuple(log_tail(leading.status.folder, LOG_LINES))
    pids = [pid for pid, _ in leading.status.trail.runs] if leading.state.alive else []
    return Sight(tuple(runs), log, meter.look(pids) if pids else None, lead)


def is_busy(device: str, runs: Sequence[Run]) -> bool:
    """Return whether a run on a device would have to wait for another; of a device that only the job can name, whether any run is at work.

    >>> is_busy("cpu", [])
    False
    """
    slots = [run.status.spec.slot for run in runs if run.status.spec is not None and (run.state.alive or run.state is State.QUEUED)]
    if device in ("auto", "all", ""):
        return any(slots)
    return any(set(device.split("+")) & set(slot.split("+")) for slot in slots)


def _run(status: Status, before: Run | None) -> Run:
    arguments = {} if status.spec is None else status.spec.arguments
    out = Path(str(arguments["out"]))
    if before is not None and not before.state.alive and not status.state.alive and before.status.trail.offset == status.trail.offset:
        return before
    trace = follow(out, None if before is None else before.trace)
    begun = made_at(status.folder) if before is None else before.begun
    return Run(
        status.name, str(arguments.get("kind", "")), dict(arguments.get("settings", {})), out, status, trace, begun, tuple(sheets(out))
    )

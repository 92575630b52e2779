"""The step of the self-test that trains: one job undisturbed, one cancelled and gone on with; both must end with the same weights."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from echo3d.errors import EngineError
from echo3d.jobs import launcher
from echo3d.jobs.registry import Status, watch
from echo3d.jobs.spec import State
from echo3d.jobs.store import log_tail
from echo3d.paths import user_jobs
from echo3d.trainings import job_spec, settings_of

KIND = "pointpwc"
SETTINGS = {"steps": 20, "pairs": 1, "held": 1, "threads": 1, "device": "cpu"}
"""The smallest of the networks; it draws its own shapes, so that no data set must be made first."""

WAIT_S, LOOK_S = 600.0, 0.05
_GRACE_S = (60.0, 10.0)


def resumed(folder: Path) -> str:
    """Train twice, the second time with a break.

    Raises
    ------
    EngineError
        If a job ends otherwise than it must, or the weights differ.
    """
    settings = settings_of(KIND, SETTINGS)
    smooth, broken = (launcher.start(user_jobs(), job_spec(KIND, settings, folder / name)) for name in ("smooth", "broken"))
    try:
        return _compared(folder, smooth, broken)
    finally:
        for job in (smooth, broken):
            if watch(job).state.alive:
                launcher.cancel(job, grace_s=(1.0, 5.0))


def _compared(folder: Path, smooth: Path, broken: Path) -> str:
    """Break one job off and go on with it; compare what both have learned."""
    at = _until(broken, lambda status: status.done > 0)
    stopped = launcher.cancel(broken, grace_s=_GRACE_S)
    _expect(stopped, State.CANCELLED)
    launcher.resume(broken)
    for job in (broken, smooth):
        _expect(_until(job, lambda status: False), State.DONE)
    if _weights(folder / "smooth") != _weights(folder / "broken"):
        raise EngineError("a run that was broken off must end with the weights of one that was not, found others; please report it")
    return f"cancelled at {100 * at.share:.0f} %, resumed to the same weights"


def _until(job: Path, enough: Callable[[Status], bool]) -> Status:
    """Return how a job stands when that is enough or it has come to an end."""
    status, end = None, time.monotonic() + WAIT_S
    while time.monotonic() < end:
        status = watch(job, status)
        if enough(status) or status.state in (State.DONE, State.FAILED, State.CANCELLED, State.INTERRUPTED):
            return status
        time.sleep(LOOK_S)
    raise EngineError(f"a training of twenty steps must end within {WAIT_S:.0f} s, found that it does not; try on a quiet machine")


def _expect(status: Status, state: State) -> None:
    if status.state is not state:
        why = status.sentence or " ".join(log_tail(status.folder, 3)) or "it says nothing"
        raise EngineError(f"a training must end as {state}, found {status.state} ({why}); install echo3d again")


def _weights(out: Path) -> dict[str, Any]:
    """Return the bytes of every file of weights that a run wrote."""
    found = {path.name: path.read_bytes() for path in out.glob("*.safetensors")}
    if not found:
        raise EngineError("a training must write weights, found none; install echo3d again")
    return found

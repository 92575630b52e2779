"""A few steps of a training, to see how long all of it takes and how much memory: in this process, in a folder that is thrown away."""

from __future__ import annotations

import pkgutil
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from pydantic import BaseModel

from echo3d.curves import read_log
from echo3d.errors import StoppedError
from echo3d.progress import Progress, silent
from echo3d.trainings import RECIPES

STEPS, SECONDS = 8, 40.0
"""Steps of each lesson that are measured at most, and how long after the first at most."""

_STEP = re.compile(r"(?:(?P<lesson>[a-z ]+), )?step \d+,")


@dataclass(slots=True)
class Watch:
    """Hears of steps and notes when; stops the training where it has heard enough and no lesson follows.

    Parameters
    ----------
    lessons : how many there are; the training ends by itself where there are several
    progress : hears of it too
    """

    lessons: int
    progress: Progress = silent
    begun: float = field(default_factory=time.monotonic)
    times: dict[str, list[float]] = field(default_factory=dict)

    def __call__(self, share: float, said: str, /) -> None:
        """Note the time of a step."""
        self.progress(share, said)
        if found := _STEP.match(said):
            times = self.times.setdefault(found["lesson"] or "", [])
            times.append(time.monotonic())
            if self.lessons == 1 and (len(times) > STEPS or (len(times) > 2 and times[-1] - times[0] > SECONDS)):
                raise StoppedError("enough steps were measured")

    def seconds(self, lesson: str) -> float:
        """Return how long a step of a lesson takes; the first, which warms up, counts where there is no other."""
        times = self.times[lesson]
        gaps = [after - before for before, after in zip(times, times[1:], strict=False)]
        return statistics.median(gaps) if gaps else times[0] - self.begun

    def before(self) -> float:
        """Return how long it took to the first step's begin."""
        first = next(iter(self.times))
        return max(0.0, self.times[first][0] - self.begun - self.seconds(first))


def measure(kind: str, settings: BaseModel, *, progress: Progress = silent) -> dict[str, Any]:
    """Return how long a step takes, how much memory is needed, and what follows for the whole training.

    A recipe may have ``shortened(settings, steps)``, so that less is made ready for a trial, ``planned(settings)``, the budget of each
    lesson, and ``left_out(settings, rows)``, the seconds of what is no lesson, given the log of the shortened run; what is not made ready
    here otherwise comes on top of the time.

    Parameters
    ----------
    kind : a name of ``RECIPES``
    settings : of that kind
    progress : hears of the steps

    Returns
    -------
    ``seconds_per_step``, ``samples_per_s``, ``before_s`` (reading and preparing), ``peak_mb``, ``peak_gpu_mb``; ``steps`` and ``whole_s``
    of the whole budget, ``epoch_s`` where there are epochs, and ``lessons`` with the same of each where there are several

    Raises
    ------
    InputError
        If the settings will not do.
    """
    module = RECIPES[kind]
    shortened, planned, left_out = (_maybe(f"{module}:{name}") for name in ("shortened", "planned", "left_out"))
    lessons = planned(settings) if planned else {"": None}
    watch = Watch(len(lessons), progress)
    with tempfile.TemporaryDirectory() as place:
        brief = alone(shortened(settings, STEPS) if shortened else settings)
        try:
            pkgutil.resolve_name(f"{module}:run")(brief, Path(place), resume=False, progress=watch)
        except StoppedError:
            if not watch.times:
                raise
        rows = read_log(Path(place))
    courses = {row.get("lesson", ""): row for row in rows if "course" in row}
    answer = _answer(kind, settings, watch, courses, lessons)
    if left_out and answer["whole_s"] is not None:
        answer["whole_s"] = round(answer["whole_s"] + left_out(settings, rows), 1)
    return answer


def alone(settings: BaseModel) -> BaseModel:
    """Return settings of one process with its share of the batch."""
    processes = int(getattr(settings, "processes", 1))
    if processes == 1:
        return settings
    return settings.model_copy(update={"processes": 1, "batch": max(1, getattr(settings, "batch", processes) // processes)})


def _answer(kind: str, settings: BaseModel, watch: Watch, rows: Mapping[str, Any], lessons: Mapping[str, Any]) -> dict[str, Any]:
    parts = [_part(name, row, watch, lessons.get(name)) for name, row in rows.items() if name in watch.times]
    before, processes = watch.before(), int(getattr(settings, "processes", 1))
    whole = [part["whole_s"] for part in parts if part["whole_s"] is not None]
    epochs = [part["epoch_s"] for part in parts if part["epoch_s"] is not None]
    first = parts[0]
    return {
        "kind": kind,
        "device": next(iter(rows.values()))["device"],
        "seconds_per_step": first["seconds_per_step"],
        "samples_per_s": round(first["samples_per_s"] * processes, 3),
        "before_s": round(before, 2),
        "peak_mb": round(peak_bytes() / 1e6),
        "peak_gpu_mb": round(peak_gpu_bytes() / 1e6),
        "steps": sum(part["steps"] or 0 for part in parts) or None,
        "whole_s": round(before + sum(whole), 1) if whole else None,
        "epoch_s": round(epochs[0], 1) if epochs else None,
        "lessons": parts if len(parts) > 1 else [],
    }


def _part(name: str, row: Mapping[str, Any], watch: Watch, budget: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what was measured of one lesson, and what its budget makes of it."""
    course, seconds = row["course"], watch.seconds(name)
    given = course if budget is None else budget
    samples, batch = course.get("samples"), course["batch"]
    steps = given.get("steps")
    if steps is None and given.get("epochs") is not None:
        steps = max(1, round(given["epochs"] * (samples or 0) / batch))
    timed = given.get("minutes") or given.get("core_minutes")  # a core's minute is one of ours, if nobody else is at work
    return {
        "lesson": name,
        "seconds_per_step": round(seconds, 4),
        "samples_per_s": round(batch / max(seconds, 1e-9), 3),
        "steps": steps if steps is not None else round(60 * timed / max(seconds, 1e-9)) if timed else None,
        "whole_s": round(steps * seconds, 1) if steps is not None else 60 * timed if timed else None,
        "epoch_s": samples / batch * seconds if samples else None,
    }


def peak_bytes() -> int:
    """Return the most memory that this process had, in bytes."""
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most


def peak_gpu_bytes() -> int:
    """Return the most memory that torch had on a GPU, in bytes; 0 where there is none."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return 0
    return max(int(torch.cuda.max_memory_reserved(number)) for number in range(torch.cuda.device_count()))


def told(answer: Mapping[str, Any]) -> list[str]:
    """Return what was measured in lines for people."""
    from echo3d.jobs.words import duration

    lines = [f"{answer['seconds_per_step']:.3g} s a step, {answer['samples_per_s']:.3g} samples a second on {answer['device']}"]
    lines += [f"  {one['lesson']}: {one['seconds_per_step']:.3g} s a step, {duration(one['whole_s'] or 0)}" for one in answer["lessons"]]
    lines.append(f"peak memory {answer['peak_mb']} MB" + (f", of the GPU {answer['peak_gpu_mb']} MB" if answer["peak_gpu_mb"] else ""))
    if answer["whole_s"] is not None:
        lines.append(f"the whole budget: about {duration(answer['whole_s'])}, {answer['steps']} steps")
    if answer["epoch_s"] is not None:
        lines.append(f"an epoch: about {duration(answer['epoch_s'])}")
    return lines


def _maybe(name: str) -> Any:
    """Return a function by its name, None where there is none."""
    try:
        return pkgutil.resolve_name(name)
    except AttributeError:
        return None

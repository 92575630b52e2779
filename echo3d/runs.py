"""What a run of ``echo3d train`` has written into its folder so far: settings, curves, sheets, and how runs differ.

Light enough for a window: no torch. ``trace = follow(folder)`` reads all of log.jsonl, ``trace = follow(folder, trace)`` only what is new.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

CONFIG, LOG = "config.json", "log.jsonl"
TOTAL = "total"
"""Name of the curve that sums the terms of a loss, whatever a recipe calls it."""

_PLACE = ("step", "at", "minutes", "core_minutes", "batch", "samples_per_s", "epoch", "samples", "processes", "rate")
_UNITS = {"mm": "mm", "pc": "%", "percent": "%", "deg": "°", "ml": "ml", "mae": "error", "bias": "bias", "squares": "cm²"}
_MEASURED = ("held", "val", "from own", "six ", "alone ", "area", "dice", "iou")
_FIRST = ("held_iou", "held_mm", "held_points_mm", "ed_mm", "error_mm", "held_places", "six probe_mm")
"""Of what is measured, that which is shown first."""

Curve = NDArray[np.float64]
"""Steps and values, (2, n)."""


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """What was read of a log.

    Parameters
    ----------
    offset, file : bytes read, and the file's number; a run that is gone on with writes its log as another file
    curves : by name; steps go on over the lessons of a run
    lessons : where each lesson begins, and its name
    lesson, base, step : the lesson that is being learned, the steps before it, and the newest step of all
    numbers : the newest of each number
    notes : sentences that the log says, such as of a batch that was halved
    """

    offset: int = 0
    file: int = 0
    curves: Mapping[str, Curve] = field(default_factory=dict)
    lessons: tuple[tuple[int, str], ...] = ()
    lesson: str = ""
    base: int = 0
    step: int = 0
    numbers: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def losses(self) -> list[str]:
        """Names of the curves of the loss, the sum first."""
        found = [name for name in self.curves if not is_measured(name)]
        return sorted(found, key=lambda name: name != TOTAL)

    @property
    def measured(self) -> list[str]:
        """Names of the curves of what is measured on held back samples, the leading one first."""
        found = [name for name in self.curves if is_measured(name)]
        return sorted(found, key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))


def is_measured(name: str) -> bool:
    """Return whether a number of a log is measured on held back samples rather than a term of the loss.

    >>> is_measured("ed_mm"), is_measured("held_iou"), is_measured("points")
    (True, True, False)
    """
    return name.startswith(_MEASURED) or name.rpartition("_")[2] in _UNITS


def title_of(name: str) -> str:
    """Return what a curve is called for people.

    >>> title_of("lv_pc"), title_of("held_iou"), title_of("total")
    ('LV, %', 'Held iou', 'Total loss')
    """
    if name == TOTAL:
        return "Total loss"
    stem, _, unit = name.rpartition("_")
    words = f"{stem}, {_UNITS[unit]}" if stem and unit in _UNITS else name
    words = words.replace("_", " ")
    short = {"ed": "ED", "es": "ES", "lv": "LV", "rv": "RV", "la": "LA", "ra": "RA", "ef": "EF"}
    head, comma, rest = words.partition(",")
    head = short.get(head, head)
    return f"{head[:1].upper()}{head[1:]}{comma}{rest}"


def follow(folder: Path, before: Trace | None = None) -> Trace:
    """Return what a run's log says, reading only what is new; a log that was begun anew is read from its start."""
    trace = before or Trace()
    path = folder / LOG
    try:
        known = path.stat()
        if known.st_size < trace.offset or known.st_ino != trace.file:
            trace = Trace(file=known.st_ino)
        with path.open("rb") as stream:
            stream.seek(trace.offset)
            data = stream.read()
    except OSError:
        return trace
    whole = data.rfind(b"\n") + 1
    return replace(_with_lines(trace, data[:whole].splitlines()), offset=trace.offset + whole)


def _with_lines(trace: Trace, lines: Sequence[bytes]) -> Trace:
    """Return a trace with more lines of its log."""
    new: dict[str, list[tuple[float, float]]] = {}
    for line in lines:
        values = _object(line)
        if values is None:
            continue
        before = trace
        trace = _placed(trace, values)
        if trace.step < before.step:  # a run that was gone on with says again what came after its last checkpoint
            trace = replace(_gathered(trace, new), curves=_cut(_gathered(trace, new).curves, trace.step))
            new = {}
        for name, value in _points(values).items() if isinstance(values.get("step"), int) else ():
            new.setdefault(name, []).append((trace.step, value))
    return _gathered(trace, new)


def _placed(trace: Trace, values: Mapping[str, Any]) -> Trace:
    """Return where a run is after a line, and the newest of each number."""
    lesson, step = values.get("lesson", trace.lesson), values.get("step")
    place, base = trace.step, trace.base
    if isinstance(step, int):
        anew = bool(trace.lesson) and lesson != trace.lesson and base + step <= trace.step  # a lesson that counts from its own beginning
        base = trace.step if anew else base
        place = base + step
    numbers = {name: float(value) for name, value in values.items() if _is_number(value)}
    notes = (*trace.notes, str(values["why"])) if "why" in values else trace.notes
    lessons = trace.lessons if lesson == trace.lesson else (*trace.lessons, (trace.step, str(lesson)))
    return replace(trace, lessons=lessons, lesson=str(lesson), base=base, step=place, numbers={**trace.numbers, **numbers}, notes=notes)


def _points(values: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of a line that curves are made of, and the sum of the terms of the loss."""
    found = {name: float(value) for name, value in values.items() if name not in _PLACE and _is_number(value)}
    if "loss" in found:
        return found | {TOTAL: found.pop("loss")}
    terms = [value for name, value in found.items() if not is_measured(name)]
    return found | ({TOTAL: sum(terms)} if len(terms) > 1 else {})


def _gathered(trace: Trace, new: Mapping[str, Sequence[tuple[float, float]]]) -> Trace:
    """Return a trace with more points on its curves."""
    if not new:
        return trace
    empty = np.zeros((2, 0))
    more = {name: np.concatenate([trace.curves.get(name, empty), np.array(points).T], axis=1) for name, points in new.items()}
    return replace(trace, curves={**trace.curves, **more})


def _cut(curves: Mapping[str, Curve], step: int) -> dict[str, Curve]:
    """Return curves without what lies at a step or after it."""
    return {name: curve[:, curve[0] < step] for name, curve in curves.items()}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        values = json.loads(line)
    except ValueError:
        return None
    return values if isinstance(values, dict) else None


def read_config(folder: Path) -> dict[str, Any]:
    """Return the settings of a run, none where its folder has none."""
    try:
        return _object((folder / CONFIG).read_bytes()) or {}
    except OSError:
        return {}


def sheets(folder: Path) -> list[Path]:
    """Return the pictures that a run drew of its answers, the oldest first."""
    try:
        return sorted(folder.glob("sheet*.png"))
    except OSError:
        return []


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that is not the same in all of some runs.

    Parameters
    ----------
    name : of the setting
    values : in words, one for each run
    """

    name: str
    values: tuple[str, ...]


def differences(settings: Sequence[Mapping[str, Any]]) -> list[Difference]:
    """Return in which settings runs differ; all settings of a single run.

    >>> differences([{"seed": 1, "rate": 0.1}, {"seed": 2, "rate": 0.1}])
    [Difference(name='seed', values=('1', '2'))]
    """
    flat = [_flat(one) for one in settings]
    names = list(dict.fromkeys(name for one in flat for name in one))
    told = [Difference(name, tuple(in_words(one.get(name)) for one in flat)) for name in names]
    return told if len(settings) < 2 else [one for one in told if len(set(one.values)) > 1]


def _flat(values: Mapping[str, Any], head: str = "") -> dict[str, Any]:
    """Return settings by name, those within others as ``outer.inner``."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= _flat(value, f"{head}{name}.") if isinstance(value, Mapping) else {f"{head}{name}": value}
    return found


def in_words(value: object) -> str:
    """Return a setting in words.

    >>> in_words(None), in_words(True), in_words(["a", "b"]), in_words(0.0002)
    ('–', 'yes', 'a, b', '0.0002')
    """
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(in_words(one) for one in value) or "–"
    return f"{value:g}" if isinstance(value, float) else str(value)

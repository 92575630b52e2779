"""The curves of a run: what its log says by step, as rows, as CSV and as one picture."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echo3d.cohort.figures import Axes, curves

LOG = "log.jsonl"
PLACE = ("step", "minutes", "core_minutes", "batch")
"""Numbers of a line that say where the run is rather than how good."""

_SIZE = (420, 260)
_COLUMNS = 3


def read_log(run: Path) -> list[dict[str, Any]]:
    """Return the lines of a run's log that are whole, in their order."""
    found = []
    for line in (run / LOG).read_text(encoding="utf-8", errors="replace").splitlines() if (run / LOG).is_file() else ():
        try:
            values = json.loads(line)
        except ValueError:
            continue
        if isinstance(values, dict):
            found.append(values)
    return found


def curves_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return by name the steps and the values of everything that was measured at them.

    >>> steps, values = curves_of([{"step": 1, "loss": 2.0}, {"step": 2}, {"step": 3, "loss": 1.0}])["loss"]
    >>> steps.tolist(), values.tolist()
    ([1.0, 3.0], [2.0, 1.0])
    """
    found: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        if isinstance(row.get("step"), int):
            for name, value in row.items():
                if name not in PLACE and isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value):
                    found.setdefault(name, []).append((float(row["step"]), float(value)))
    return {name: (np.array(pairs)[:, 0], np.array(pairs)[:, 1]) for name, pairs in found.items()}


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the lines that have a step as a table, a column for each name."""
    lines = [row for row in rows if isinstance(row.get("step"), int)]
    names = list(dict.fromkeys(name for row in lines for name, value in row.items() if not isinstance(value, dict | list)))
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, names, extrasaction="ignore")
        table.writeheader()
        table.writerows(lines)


def picture_of(rows: Sequence[Mapping[str, Any]]) -> NDArray[np.uint8]:
    """Return one plot for each curve, (H, W, 3); a white one where nothing was measured yet."""
    plots = [curves(_axes(name, *line), [("", *line)]) for name, line in curves_of(rows).items() if len(line[0]) > 1]
    blank = np.full((_SIZE[1], _SIZE[0], 3), 255, np.uint8)
    plots += [blank] * (-len(plots) % _COLUMNS or (0 if plots else _COLUMNS))
    return np.concatenate([np.concatenate(plots[at : at + _COLUMNS], axis=1) for at in range(0, len(plots), _COLUMNS)])


def _axes(name: str, steps: NDArray, values: NDArray) -> Axes:
    low, high = float(values.min()), float(values.max())
    room = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return Axes(name, (float(steps[0]), float(max(steps[-1], steps[0] + 1))), (low - room, high + room), "step", "", _SIZE)

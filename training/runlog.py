"""The log of a run, log.jsonl: a line for its course, a line for every so many steps, nothing twice after a break.

A line has ``step``, and what was measured at it: mean loss terms, validation figures, ``samples_per_s``, ``minutes``. The line that begins
a course has ``at``, the step that it begins behind, and ``course``, how long and how fast. A line with ``why`` says what was changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LOG = "log.jsonl"


def note(out: Path, values: Mapping[str, Any]) -> None:
    """Append a line; numbers are rounded to five places."""
    line = {key: round(value, 5) if isinstance(value, float) else value for key, value in values.items()}
    with (out / LOG).open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")


def cut(out: Path, step: int, *, begin: bool = False) -> None:
    """Leave out torn lines and those behind a step, so that a run that goes on there writes none twice.

    Parameters
    ----------
    out : folder of the run
    step : where it goes on
    begin : whether a course begins there anew, so that the line that began it is left out too
    """
    if not (out / LOG).is_file():
        return
    kept = [line for line in (out / LOG).read_text(encoding="utf-8", errors="replace").splitlines() if _stays(line, step, begin=begin)]
    (out / LOG).with_suffix(".part").write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
    (out / LOG).with_suffix(".part").replace(out / LOG)


def _stays(line: str, step: int, *, begin: bool) -> bool:
    """Return whether a line belongs to what was before a step.

    >>> _stays('{"step": 4, "loss": 1.0}', 4, begin=False), _stays('{"step": 5}', 4, begin=False), _stays('{"at": 4}', 4, begin=True)
    (True, False, False)
    """
    try:
        values = json.loads(line)
    except ValueError:
        return False
    at = values.get("at")
    if isinstance(at, int):
        return at < step or (at == step and not begin)
    return int(values.get("step", 0)) <= step

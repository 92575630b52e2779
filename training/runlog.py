"""The log of a run, log.jsonl: a line for its course, a line for every so many steps, nothing twice after a break.

A line has ``step``, and what was measured at it: mean loss terms, validation figures, ``samples_per_s``, ``minutes``. The line that begins
a course has ``at``, the step that it begins behind, and ``course``, how long and how fast. A line with ``why`` says what was changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from echo3d.errors import ModelError

LOG = "log.jsonl"


def note(out: Path, values: Mapping[str, Any]) -> None:
    """Append a line; numbers are rounded to five places."""
    line = {key: round(value, 5) if isinstance(value, float) else value for key, value in values.items()}
    with (out / LOG).open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")


def halved(out: Path, place: Mapping[str, Any], batch: int, exc: torch.OutOfMemoryError) -> int:
    """Return half a batch that did not fit a GPU's memory, after noting it in the log and saying so in the job's.

    Parameters
    ----------
    out : folder of the run
    place : what a line of the log says of where the run is
    batch : samples that did not fit

    Raises
    ------
    ModelError
        If there is nothing to halve.
    """
    if batch < 2:
        rule = "a step must fit the GPU's memory, found none left at a single sample"
        raise ModelError(f"{rule}; make the batch or the network smaller") from exc
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    why = "the GPU's memory was too small for twice as many samples"
    note(out, {**place, "batch": batch // 2, "why": why})
    print(f"step {place['step']}: batch halved to {batch // 2}, {why}", flush=True)
    return batch // 2


def less(batch: int, wanted: int) -> str:
    """Return the end of a sentence on progress where the batch had to be made smaller than what was wanted.

    >>> less(4, 4), less(2, 4)
    ('', ', batch halved to 2 for lack of memory')
    """
    return "" if batch == wanted else f", batch halved to {batch} for lack of memory"


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

"""How long a data set will take and how much room it needs, measured on its own first hearts before it is begun."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

from echo3d.cohort.executor import check_workers
from echo3d.dataset.files import packed
from echo3d.dataset.generate import check_start
from echo3d.dataset.hearts import members
from echo3d.dataset.sample import make_heart
from echo3d.dataset.spec import DatasetSpec

MOST_HEARTS, MOST_S = 4, 6.0
"""So many hearts are timed at most, and no further one after so many seconds."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a data set will need.

    Parameters
    ----------
    seconds : from start to end on this machine as busy as it is now
    bytes : of all files
    heart_s, heart_bytes : of one heart on one process, hands and phases together
    start_s : until a process is ready for its first heart
    timed : how many hearts were made to measure this
    workers : processes that it was reckoned for
    samples : that the data set will hold
    free_bytes : room on the disk of the output folder, None where no folder was named
    """

    seconds: float
    bytes: int
    heart_s: float
    heart_bytes: int
    start_s: float
    timed: int
    workers: int
    samples: int
    free_bytes: int | None

    @property
    def fits(self) -> bool:
        """Whether there is room for it, as far as that is known."""
        return self.free_bytes is None or self.bytes <= self.free_bytes


def estimate(spec: DatasetSpec, *, workers: int | None = None, out: Path | None = None) -> Estimate:
    """Return what a data set will need, by making its first hearts and throwing them away.

    Parameters
    ----------
    spec : what is wanted
    workers : processes, as many as there are processors where not given
    out : where it is to be written; refused where :func:`echo3d.dataset.generate.generate` would refuse it

    Raises
    ------
    InputError
        If a heart cannot be made or the folder will not do.
    """
    given = members(spec)
    check_workers(workers)
    if out is not None:
        check_start(spec, out)
    start = time.perf_counter()
    _make(replace(spec, hands=1, stage="labels"), given, 0)  # loads everything that stays in memory
    ready = time.perf_counter()
    spent = 0.0
    sizes: list[int] = []
    while len(sizes) < min(spec.count, MOST_HEARTS) and spent < MOST_S:
        sizes.append(_make(spec, given, len(sizes)))
        spent = time.perf_counter() - ready
    heart_s, heart_bytes, start_s = spent / len(sizes), sum(sizes) // len(sizes), ready - start
    processes = min(workers or os.cpu_count() or 1, spec.count)
    seconds = start_s + heart_s * -(-spec.count // processes)
    free = None if out is None else shutil.disk_usage(_there(out)).free
    return Estimate(seconds, heart_bytes * spec.count, heart_s, heart_bytes, start_s, len(sizes), processes, spec.samples, free_bytes=free)


def _make(spec: DatasetSpec, given: tuple, index: int) -> int:
    """Make one heart and return its bytes."""
    return len(packed(make_heart(spec, given[index % len(given)] if given else None, index)))


def _there(out: Path) -> Path:
    """Return the folder itself or the nearest one above it that is there."""
    return next(folder for folder in (out.absolute(), *out.absolute().parents) if folder.is_dir())

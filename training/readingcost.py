"""What an answer costs: time of one set of six views, and memory, each network in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil
import torch

from echo3d.cohort.executor import open_executor
from echo3d.core.views import View
from echo3d.reconstruction.raster import NETWORK_GRID
from training.contestants import Contestant, open_contestant
from training.evaluate import present_of

THREADS, BEST_OF, SLOW_S = 2, 20, 20.0
"""Threads of the CPU, timings of which the best counts, and seconds after which no further one is begun (three at least)."""

HALF_ANGLE, DEPTH = 40.0, 160.0
"""Of the fans that are timed, degrees and mm."""


def reading_cost(name: str) -> dict[str, float]:
    """Return what a network's answer costs.

    ``latency_ms`` of six views, two threads, best of twenty, by the clock; ``processor_ms``, the same in one thread and by the processor's
    time, which a loaded machine changes little; ``peak_mb``, the most memory held, less Python's and torch's own.

    Parameters
    ----------
    name : as for :func:`training.contestants.open_contestant`
    """
    with open_executor(workers=1) as executor:
        return executor.submit(_measured, name).result()


def _measured(name: str) -> dict[str, float]:
    torch.set_num_threads(THREADS)
    before = psutil.Process().memory_info().rss
    contestant = open_contestant(name)
    found = {"latency_ms": 1000 * best_time(contestant, time.perf_counter)}
    torch.set_num_threads(1)
    found |= {"processor_ms": 1000 * best_time(contestant, time.process_time), "peak_mb": max(0.0, peak_bytes() - before) / 2**20}
    return {name: round(value, 1) for name, value in found.items()}


def best_time(contestant: Contestant, clock: Callable[[], float]) -> float:
    """Return the seconds by a clock that a network takes for one moment's six views, the best of several.

    The pictures are grain in a usual fan: what moves a heart counts the cells within fans, and would have nothing to do with black ones.
    """
    if contestant.read is None:
        return 0.0
    inside = torch.from_numpy(NETWORK_GRID.inside(HALF_ANGLE, DEPTH)).float()
    grey = torch.rand(1, len(View), *inside.shape, generator=torch.Generator().manual_seed(0)) * inside
    pictures = torch.stack([grey, inside.expand_as(grey)], dim=2)
    present, spent = present_of(tuple(View), 1), list[float]()
    while len(spent) < 3 or (len(spent) < BEST_OF and sum(spent) < SLOW_S):
        start = clock()
        contestant.read(pictures, present)
        spent.append(clock() - start)
    return min(spent)


def peak_bytes() -> int:
    """Return the most memory that this process ever held: of its own since it began where Linux tells, else what the system keeps."""
    status = Path("/proc/self/status")
    if status.is_file():
        told = dict(line.split(":", 1) for line in status.read_text(encoding="utf-8").splitlines() if ":" in line)
        return int(told["VmHWM"].split()[0]) * 1024
    memory = psutil.Process().memory_info()
    return int(getattr(memory, "peak_wset", memory.rss))

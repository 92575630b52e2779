"""Which program solves a transport: geomloss with KeOps, geomloss with whole matrices, or our own in blocks."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from typing import Literal

import torch
from torch import Tensor

from echo3d.registration.sinkhorn import Measure, potentials

Backend = Literal["auto", "blocks", "matrix", "keops"]

MOST_ENTRIES = 25_000_000
"""Entries of a cost matrix up to which geomloss may hold it whole: 100 MB in single precision, several times over. Our choice."""

PROBE_SECONDS = 90.0
"""A first compilation by KeOps takes 20 s on a slow machine (reference science.md A.7)."""

_PROBE = """
import torch
from geomloss import SamplesLoss
x = torch.rand(50, 3)
loss = SamplesLoss("sinkhorn", p=2, blur=0.1, reach=1.0, debias=False, potentials=True, backend="online")
assert all(torch.isfinite(part).all() for part in loss(torch.ones(50) / 50, x, torch.ones(50) / 50, x))
"""


@cache
def keops_works(seconds: float = PROBE_SECONDS) -> bool:
    """Return whether KeOps compiles and runs here, tried in a process of its own, since it may hang or end the one that asks."""
    if sys.platform == "win32" or getattr(sys, "frozen", False):
        return False
    try:
        return subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, timeout=seconds, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def choose(points: Tensor, entries: int) -> Backend:
    """Return the fastest that is sure to work: our own on a CPU; on a GPU geomloss, by KeOps where the matrix is too large."""
    if points.device.type == "cpu":
        return "blocks"
    if entries <= MOST_ENTRIES:
        return "matrix"
    return "keops" if keops_works() else "blocks"


def solve(a: Measure, b: Measure, backend: Backend, *, blur: float, reach: float | None, scaling: float) -> tuple[Tensor, Tensor]:
    """Return the potentials (N,) and (M,), whichever program finds them."""
    if backend == "auto":
        backend = choose(a.points, len(a.points) * len(b.points))
    if backend == "blocks":
        return potentials(a, b, blur=blur, reach=reach, scaling=scaling)
    from geomloss import SamplesLoss

    kind = {"matrix": "tensorized", "keops": "online"}[backend]
    loss = SamplesLoss("sinkhorn", p=2, blur=blur, reach=reach, scaling=scaling, debias=False, potentials=True, backend=kind)
    with torch.no_grad():
        f, g = loss(a.log_weights.exp(), a.points.contiguous(), b.log_weights.exp(), b.points.contiguous())
    return f.reshape(-1), g.reshape(-1)

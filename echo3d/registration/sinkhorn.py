"""Sinkhorn's algorithm in the log domain, in blocks, for clouds whose cost matrix no memory holds.

*Source:* the annealed, averaged iteration of J. Feydy's thesis (2020), section 3.3, which geomloss follows too, so that both give the same
potentials; ours, because geomloss holds the whole cost matrix where KeOps cannot be compiled (reference science.md A.6 and A.7).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

BLOCK = 4_000_000
"""Entries of the cost matrix looked at at once: 16 MB in single precision, which stays in the cache. Our choice, by time."""


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """A weighted cloud.

    Parameters
    ----------
    points : (N, D)
    log_weights : (N,) logarithms of weights that add up to one
    """

    points: Tensor
    log_weights: Tensor


def measure_of(points: Tensor, weights: Tensor) -> Measure:
    """Return points with their weights, which need not add up to one; those of no weight count for nothing."""
    share = weights / weights.sum()
    return Measure(points, torch.where(share > 0, share.clamp(min=1e-30).log(), torch.full_like(share, -1e5)))


def temperatures(diameter: float, blur: float, scaling: float) -> list[float]:
    """Return the falling temperatures: from the clouds' diameter squared to ``blur`` squared, by ``scaling`` squared each.

    >>> [round(t, 4) for t in temperatures(1.0, 0.5, 0.8)]
    [1.0, 1.0, 0.64, 0.4096, 0.2621, 0.25]
    """
    diameter = max(diameter, blur)
    steps = max(0, math.ceil(math.log(blur / diameter) / math.log(scaling) - 1e-9))
    return [diameter**2, *((diameter * scaling**k) ** 2 for k in range(steps)), blur**2]


def potentials(a: Measure, b: Measure, *, blur: float, reach: float | None, scaling: float) -> tuple[Tensor, Tensor]:
    """Return the dual potentials (N,) and (M,) of unbalanced transport with cost half the squared distance.

    Parameters
    ----------
    a, b : clouds of the same kind of numbers
    blur : square root of the last temperature, in the points' unit
    reach : square root of the price of mass made or lost; None keeps all mass
    scaling : factor from one blur to the next, between 0 and 1
    """
    steps = temperatures(_diameter(a.points, b.points), blur, scaling)
    f = _softmin(a, b, torch.zeros_like(b.log_weights), steps[0]) * _damping(steps[0], reach)
    g = _softmin(b, a, torch.zeros_like(a.log_weights), steps[0]) * _damping(steps[0], reach)
    for heat in steps:
        damping = _damping(heat, reach)
        new_f, new_g = damping * _softmin(a, b, g, heat), damping * _softmin(b, a, f, heat)
        f, g = (f + new_f) / 2, (g + new_g) / 2
    damping = _damping(steps[-1], reach)
    return damping * _softmin(a, b, g, steps[-1]), damping * _softmin(b, a, f, steps[-1])


def barycentres(a: Measure, b: Measure, f: Tensor, g: Tensor, blur: float) -> tuple[Tensor, Tensor]:
    """Return where the plan sends each point of ``a`` (N, D), and which share of its mass it sends (N,).

    The plan is never exponentiated as a whole: a row is a softmax, its mass a difference of logarithms.
    """
    heat, places, logs = blur**2, [], []
    for rows, logits in _blocks(a.points, b, g, heat):
        peak = logits.amax(dim=1, keepdim=True)
        share = (logits - peak).exp_()
        total = share.sum(dim=1)
        places.append(share @ b.points / total[:, None])
        logs.append(total.log() + peak[:, 0] + (f[rows] - a.points[rows].square().sum(dim=1) / 2) / heat)
    return torch.cat(places), torch.cat(logs).clamp(max=50).exp()


def _diameter(x: Tensor, y: Tensor) -> float:
    """Return the diagonal of the box round both clouds."""
    both = torch.cat([x, y])
    return float((both.amax(dim=0) - both.amin(dim=0)).norm())


def _damping(heat: float, reach: float | None) -> float:
    """Return by how much a potential shrinks because mass may be made or lost."""
    return 1.0 if reach is None else 1 / (1 + heat / reach**2)


def _softmin(a: Measure, b: Measure, g: Tensor, heat: float) -> Tensor:
    """Return the soft minimum (N,) over ``b`` of cost less potential ``g`` (M,), seen from each point of ``a``."""
    found = []
    for rows, logits in _blocks(a.points, b, g, heat):
        peak = logits.amax(dim=1, keepdim=True)
        total = (logits - peak).exp_().sum(dim=1).log() + peak[:, 0]
        found.append(a.points[rows].square().sum(dim=1) / 2 - heat * total)
    return torch.cat(found)


def _blocks(x: Tensor, b: Measure, g: Tensor, heat: float) -> Iterator[tuple[slice, Tensor]]:
    """Yield rows and their log plan (n, M) less what depends on the row alone: one matrix product each."""
    offset = b.log_weights + (g - b.points.square().sum(dim=1) / 2) / heat
    right = b.points.T / heat
    size = max(1, BLOCK // max(1, len(b.points)))
    for start in range(0, len(x), size):
        rows = slice(start, min(start + size, len(x)))
        yield rows, torch.addmm(offset, x[rows], right)

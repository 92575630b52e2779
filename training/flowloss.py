"""What PointPWC-Net is trained for: the true way where it is known; else that the clouds meet, keep their bends, and move smoothly.

*Source:* PointPWC-Net, section 5, with the weights and neighbour counts of reference science.md B.4.
"""

from __future__ import annotations

import torch
from torch import Tensor

from echo3d.registration.neighbours import gathered, interpolated, nearest
from echo3d.registration.pointpwc import Flow

LEVELS = (0.02, 0.04, 0.08, 0.16)
"""Weights of the levels, finest first, of sums over their points."""

CURVATURE, SMOOTHNESS = 0.3, 1.0
_BEND, _SMOOTH, _BETWEEN = 10, 9, 5


def supervised(flows: list[Flow], way: Tensor) -> Tensor:
    """Return the loss of flows against the true way (B, N, 3) of all points.

    >>> rows, zero = torch.arange(4)[None], torch.zeros(1, 4, 3)
    >>> round(float(supervised([Flow(zero, zero, rows)], torch.ones(1, 4, 3))), 4)
    0.1386
    """
    terms = [weight * (flow.vectors - gathered(way, flow.rows)).norm(dim=2).sum(dim=1).mean() for weight, flow in _weighted(flows)]
    return torch.stack(terms).sum()


def self_supervised(flows: list[Flow], target: Tensor) -> Tensor:
    """Return the loss of flows towards a cloud (B, M, 3) whose points have no names."""
    bent = _bends(target)
    terms = []
    for weight, flow in _weighted(flows):
        moved = flow.points + flow.vectors
        apart, theirs = chamfer(moved, target), interpolated(bent, target, moved, _BETWEEN)
        curved = ((_bends(moved, flow.points) - theirs) ** 2).sum(dim=2).sum(dim=1).mean()
        terms.append(weight * (apart + CURVATURE * curved + SMOOTHNESS * unevenness(flow)))
    return torch.stack(terms).sum()


def chamfer(a: Tensor, b: Tensor) -> Tensor:
    """Return the squared distances to the nearest point of the other cloud, both ways, summed over points.

    >>> float(chamfer(torch.zeros(1, 2, 3), torch.ones(1, 2, 3)))
    12.0
    """
    gap = torch.stack([((gathered(y, nearest(x, y, 1)[..., 0]) - x) ** 2).sum(dim=(1, 2)).mean() for x, y in ((a, b), (b, a))])
    return gap.sum()


def unevenness(flow: Flow) -> Tensor:
    """Return how much each point's flow differs from its neighbours', squared, summed over points."""
    near = nearest(flow.points, flow.points, _SMOOTH)
    apart = gathered(flow.vectors, near) - flow.vectors[:, :, None]
    return (apart**2).sum(dim=3).sum(dim=2).div(_SMOOTH - 1).sum(dim=1).mean()


def _bends(points: Tensor, before: Tensor | None = None) -> Tensor:
    """Return how far (B, N, 3) each point lies from its neighbours' middle; neighbours are those ``before`` the flow."""
    frame = points if before is None else before
    near = nearest(frame, frame, _BEND)
    return (gathered(points, near) - points[:, :, None]).sum(dim=2) / (_BEND - 1)


def _weighted(flows: list[Flow]) -> list[tuple[float, Flow]]:
    return list(zip(LEVELS, flows, strict=False))

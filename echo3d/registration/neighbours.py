"""Neighbours in batches of clouds, in plain torch: the nearest ones, the farthest ones, and what lies between."""

from __future__ import annotations

import torch
from torch import Tensor

_MOST = 2**24
"""Distances held at once."""


def nearest(at: Tensor, among: Tensor, count: int) -> Tensor:
    """Return which points of a cloud lie nearest to each place.

    Parameters
    ----------
    at : (B, M, D)
    among : (B, N, D)
    count : how many; all where there are fewer

    Returns
    -------
    (B, M, K) int64, nearest first

    >>> nearest(torch.tensor([[[0.2, 0, 0]]]), torch.tensor([[[1.0, 0, 0], [0, 0, 0], [9, 0, 0]]]), 2).tolist()
    [[[1, 0]]]
    """
    count = min(count, among.shape[1])
    rows = max(1, _MOST // (len(at) * among.shape[1]))
    with torch.no_grad():
        parts = [torch.cdist(part, among).topk(count, dim=2, largest=False).indices for part in at.split(rows, dim=1)]
    return torch.cat(parts, dim=1)


def gathered(values: Tensor, rows: Tensor) -> Tensor:
    """Return the rows (B, ..., C) of values (B, N, C) that ``rows`` (B, ...) names.

    >>> gathered(torch.tensor([[[5.0], [6.0]]]), torch.tensor([[[1, 1, 0]]])).flatten().tolist()
    [6.0, 6.0, 5.0]
    """
    batch, points, channels = values.shape
    if not channels:
        return values.new_zeros(*rows.shape, 0)
    offset = torch.arange(batch, device=values.device).reshape(-1, *[1] * (rows.ndim - 1)) * points
    return values.reshape(-1, channels).index_select(0, (rows + offset).flatten()).reshape(*rows.shape, channels)


def farthest(points: Tensor, count: int) -> Tensor:
    """Return rows (B, count) of points (B, N, 3) that lie far from each other, the first row first (farthest-point sampling).

    >>> farthest(torch.tensor([[[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [10, 0, 0]]]), 3).tolist()
    [[0, 3, 2]]
    """
    chosen = torch.zeros(len(points), count, dtype=torch.long, device=points.device)
    near = torch.full(points.shape[:2], torch.inf, device=points.device)
    rows = torch.arange(len(points), device=points.device)
    with torch.no_grad():
        for k in range(1, count):
            last = points[rows, chosen[:, k - 1]]
            near = torch.minimum(near, ((points - last[:, None]) ** 2).sum(dim=2))
            chosen[:, k] = near.argmax(dim=1)
    return chosen


def interpolated(values: Tensor, places: Tensor, at: Tensor, count: int = 3) -> Tensor:
    """Return values (B, N, C) of places (B, N, 3) at other places (B, M, 3): means of the nearest ones, weighted by inverse distance.

    >>> values, places = torch.tensor([[[1.0], [3.0]]]), torch.tensor([[[0.0, 0, 0], [2, 0, 0]]])
    >>> interpolated(values, places, torch.tensor([[[1.0, 0, 0], [0, 0, 0]]]), 2).flatten().round(decimals=3).tolist()
    [2.0, 1.0]
    """
    rows = nearest(at, places, count)
    away = (gathered(places, rows) - at[:, :, None]).norm(dim=3)
    share = 1 / (away + 1e-6)
    return (gathered(values, rows) * (share / share.sum(dim=2, keepdim=True))[..., None]).sum(dim=2)

"""Sheets of sample pictures: rows of grey pictures, or of clouds of points, as one PNG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from echo3d.io.images import write_png

GAP = 2
"""Pixels between two pictures."""


def write_sheet(path: Path, rows: Sequence[Tensor]) -> None:
    """Write rows of pictures (P, 1, H, W) in [0, 1]; each row may hold another number."""
    height, width = rows[0].shape[-2:]
    most = max(len(row) for row in rows)
    sheet = np.full((len(rows) * (height + GAP) - GAP, most * (width + GAP) - GAP), 64, np.uint8)
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            grey = np.rint(255 * picture[0].float().clamp(0, 1).cpu().numpy()).astype(np.uint8)
            sheet[i * (height + GAP) :, j * (width + GAP) :][:height, :width] = grey
    write_png(path, sheet)


CLOUD_SIDE, DOT = 240, 3
OURS, THEIRS, PAPER = (214, 96, 77), (67, 147, 195), 250

Cloud = tuple[Tensor, Tensor]


def write_clouds(path: Path, rows: Sequence[Sequence[Cloud]]) -> None:
    """Write rows of clouds seen along two axes: blue where points are to be, red where they are.

    Parameters
    ----------
    rows : each of pairs of clouds (N, 3), the target and what is laid over it, in any one unit
    """
    sheet = [np.concatenate([_seen(cloud, axes) for cloud in row for axes in ((0, 2), (1, 2))], axis=1) for row in rows]
    write_png(path, np.concatenate(sheet))


def _seen(cloud: Cloud, axes: tuple[int, int]) -> np.ndarray:
    """Return the picture (H, W, 3) of two clouds, the second upon the first."""
    picture = np.full((CLOUD_SIDE, CLOUD_SIDE, 3), PAPER, np.uint8)
    points = [part.float().cpu().numpy()[:, list(axes)] for part in cloud]
    low, high = np.concatenate(points).min(axis=0), np.concatenate(points).max(axis=0)
    scale = (CLOUD_SIDE - 12) / float((high - low).max() or 1.0)
    for part, tint in zip(points, (THEIRS, OURS), strict=True):
        column, row = (6 + (part - low) * scale).astype(int).T
        for down, right in np.ndindex(DOT, DOT):
            picture[CLOUD_SIDE - DOT - row + down, column + right] = tint
    return picture

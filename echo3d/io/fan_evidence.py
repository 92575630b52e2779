"""Which pixels of a clip are echo, and where the echo begins and ends in each row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from echo3d.io._cv import parts, solid, widened
from echo3d.io.dicom_regions import Rectangle

MOTION = 6
"""Grey values by which speckle changes over a clip; text and rulers stay."""


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """One side of the echo, a point per row that has any and does not run into the picture's border.

    Parameters
    ----------
    rows, columns : pixels; rows at pixel centres, columns on the outer pixel border
    side : -1 left, +1 right
    """

    rows: NDArray[np.float64]
    columns: NDArray[np.float64]
    side: int


def echo_mask(stack: NDArray[np.uint8], threshold: int, region: Rectangle | None) -> NDArray[np.bool_]:
    """Return the (H, W) mask of echo in frames (T, H, W): brighter than the threshold, not static, not thin.

    Parameters
    ----------
    stack : frames spread over the clip
    threshold : grey values above the background
    region : the rectangle outside which nothing is echo
    """
    brightest = stack.max(axis=0)
    background = int(np.bincount(brightest.ravel(), minlength=256).argmax())
    bright = brightest > min(background, 40) + threshold
    if region is not None:
        inside = np.zeros_like(bright)
        inside[region.top : region.bottom, region.left : region.right] = True
        bright &= inside
    moves = brightest.astype(np.int16) - stack.min(axis=0) >= MOTION
    return _solid_parts(bright, moves)


def _solid_parts(bright: NDArray[np.bool_], moves: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the connected parts that are thick and, in a clip, mostly moving; of a still picture the largest part only."""
    size = max(5, bright.shape[0] // 80 | 1)
    count, numbers = parts(solid(bright, size))
    areas = np.bincount(numbers.ravel(), minlength=count)
    good = areas >= 0.001 * bright.size
    good[0] = False
    moving = good & (np.bincount(numbers.ravel(), weights=(moves & bright).ravel(), minlength=count) > 0.3 * areas)
    if moving.any():
        good = moving
    elif count > 1:
        good &= areas == areas[1:].max()
    return np.asarray(bright & widened(good[numbers], size))


def edges(mask: NDArray[np.bool_], region: Rectangle | None) -> tuple[Edge, Edge]:
    """Return the left and the right side of the echo."""
    height, width = mask.shape
    left, right = (0, width) if region is None else (region.left, region.right)
    rows = np.flatnonzero(mask.sum(axis=1) >= 2)
    first = mask[rows].argmax(axis=1)
    last = width - mask[rows, ::-1].argmax(axis=1)
    free_left, free_right = first > left + 1, last < right - 1
    return (
        Edge(rows[free_left] + 0.5, first[free_left].astype(float), -1),
        Edge(rows[free_right] + 0.5, last[free_right].astype(float), 1),
    )


def reaches(mask: NDArray[np.bool_], apex: tuple[float, float], angles: tuple[float, float]) -> NDArray[np.float64]:
    """Return how far the echo reaches from the apex (row, column) in each of 120 beams between two angles in degrees.

    A beam without echo reaches 0; a beam that runs into the picture's border is left out.
    """
    height, width = mask.shape
    rows, columns = (index + 0.5 for index in np.nonzero(mask))
    radius = np.hypot(rows - apex[0], columns - apex[1])
    angle = np.degrees(np.arctan2(columns - apex[1], rows - apex[0]))
    beam = np.floor((angle - angles[0]) / (angles[1] - angles[0]) * 120).astype(int)
    within = (beam >= 0) & (beam < 120)
    far = np.zeros(120)
    np.maximum.at(far, beam[within], radius[within])
    middle = np.radians(angles[0] + (np.arange(120) + 0.5) / 120 * (angles[1] - angles[0]))
    end_row, end_column = apex[0] + far * np.cos(middle), apex[1] + far * np.sin(middle)
    free = (end_row < height - 2) & (end_column > 2) & (end_column < width - 2)
    return far[free]

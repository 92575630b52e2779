"""How often a heart's surfaces wind round places in space: an exact test for walls that cross and parts that overlap.

A sound region winds once round its inside and not at all round the rest; twice, or the wrong way, means that its surface crosses itself.
The heart's outer surface winds round everything; twice there means that two parts lie in the same place.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from echo3d.anatomy.template import load_template
from echo3d.core.structures import CHAMBERS, Structure

REGIONS = (*(int(c) for c in CHAMBERS), int(Structure.LV_MYOCARDIUM), int(Structure.RV_MYOCARDIUM), int(Structure.BACKGROUND))
"""Regions that are looked at; the last is the outside, whose surface is the heart's outer one."""

STEP_MM = 3.0


@lru_cache(maxsize=1)
def _parts() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the template's faces that bound a region (F, 3), and the numbers among ``REGIONS`` of the sides behind and before, or -1."""
    template = load_template()
    number = np.full(256, -1)
    number[list(REGIONS)] = np.arange(len(REGIONS))
    sides = number[template.sides.astype(np.int64)]
    kept = (sides >= 0).any(axis=1)
    return template.mesh.faces[kept].astype(np.int64), sides[kept, 0], sides[kept, 1]


def winding(points: NDArray, step: float = STEP_MM) -> NDArray[np.int32]:
    """Return the winding numbers (R, X, Y, Z) of ``REGIONS`` at the nodes of a raster over a heart.

    Parameters
    ----------
    points : the heart's material points, mm
    step : raster, mm

    *Source:* signed crossings of vertical lines with the triangles, summed upwards.
    """
    faces, behind, before = _parts()
    used = points[: len(load_template().mesh.points)]
    low = used.min(axis=0) - 0.37 * step - np.array([0.0131, 0.0173, 0.0197])
    corners = (used - low)[faces] / step
    size = np.ceil(corners.max(axis=(0, 1))).astype(np.int64) + 2
    which, cells, sign = _crossings(corners, size)
    shape = (len(REGIONS), *size)
    total = np.zeros(int(np.prod(shape)), dtype=np.int32)
    column = np.ravel_multi_index(tuple(cells), tuple(size))
    for side, way in ((behind, -1), (before, 1)):
        number = side[which]
        kept = number >= 0
        np.add.at(total, number[kept] * int(np.prod(size)) + column[kept], way * sign[kept])
    return np.cumsum(total.reshape(shape), axis=3, dtype=np.int32)


def _crossings(corners: NDArray, size: NDArray) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """Return triangle, node (3, K) above the crossing, and sign of the normal, for every vertical raster line that meets a triangle.

    Parameters
    ----------
    corners : (F, 3, 3) in raster steps
    size : (3,) nodes of the raster
    """
    flat = corners[..., :2]
    first = np.ceil(flat.min(axis=1)).astype(np.int64)
    span = np.maximum(np.floor(flat.max(axis=1)).astype(np.int64) - first + 1, 0)
    count = span[:, 0] * span[:, 1]
    which = np.repeat(np.arange(len(corners)), count)
    rank = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    along, across = np.divmod(rank, np.maximum(span[which, 1], 1))
    i, j = first[which, 0] + along, first[which, 1] + across
    (ax, ay), (bx, by), (cx, cy) = (flat[which, k].T for k in range(3))
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    v = ((i - ax) * (cy - ay) - (j - ay) * (cx - ax)) / np.where(area == 0, np.inf, area)
    w = ((bx - ax) * (j - ay) - (by - ay) * (i - ax)) / np.where(area == 0, np.inf, area)
    met = (area != 0) & (v >= 0) & (w >= 0) & (v + w <= 1)
    which, v, w, i, j = which[met], v[met], w[met], i[met], j[met]
    z = corners[which, 0, 2] * (1 - v - w) + corners[which, 1, 2] * v + corners[which, 2, 2] * w
    nodes = np.stack([i, j, np.clip(np.ceil(z).astype(np.int64), 0, size[2] - 1)])
    return which, nodes, np.sign(area[met]).astype(np.int32)


def overlaps_ml(points: NDArray, step: float = STEP_MM) -> dict[str, float]:
    """Return how many ml a heart's surfaces enclose wrongly.

    Returns
    -------
    dict
        ``walls`` where the surface of a chamber or ventricular wall crosses itself, ``chambers`` where two chambers overlap, ``parts``
        where any two parts of the heart do.
    """
    numbers = winding(points, step)
    wrong = {
        "walls": (numbers[:-1] < 0) | (numbers[:-1] > 1),
        "chambers": numbers[: len(CHAMBERS)].sum(axis=0) > 1,
        "parts": (numbers[-1] > 0) | (numbers[-1] < -1),
    }
    return {name: float(found.sum()) * step**3 / 1000.0 for name, found in wrong.items()}

"""Fewer triangles for a surface whose points move: the points stay those of the surface, so that a stand-in beats with it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echo3d.gui.heart_scene import point_normals


def light_faces(points: NDArray, faces: NDArray, cell_mm: float) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return faces (G, 3) between some of a surface's points, far fewer than its own (F, 3), and the face (G,) each stands for.

    Of the points in a cube of ``cell_mm`` that look outwards, the one nearest to their middle stands for all, and one for those that look
    inwards: the two sides of a thin wall stay apart.

    >>> steps = np.arange(30)
    >>> points = np.stack([np.repeat(steps, 30), np.tile(steps, 30), np.zeros(900)], axis=1).astype(float)
    >>> corner = np.concatenate([30 * k + steps[:-1] for k in steps[:-1]])
    >>> faces = np.concatenate([corner[:, None] + [0, 30, 1], corner[:, None] + [1, 30, 31]])
    >>> fewer, known = light_faces(points, faces, 3.0)
    >>> len(fewer) < len(faces) / 6, bool(fewer.max() < 900), len(fewer) == len(known)
    (True, True, True)

    *Source:* vertex clustering after Rossignac and Borrel 1993; a point of the surface for each cell, not a mean, is our choice.
    """
    if not len(faces):
        return np.zeros((0, 3), np.int32), np.zeros(0, np.int64)
    used = np.unique(faces)
    cell = _cells(points[used], point_normals(points, faces)[used], cell_mm)
    stands_for = np.zeros(len(points), np.int64)
    stands_for[used] = used[_nearest_to_middle(points[used], cell)[cell]]
    joined = stands_for[faces]
    a, b, c = joined.T
    known = np.flatnonzero((a != b) & (b != c) & (c != a))
    _, first = np.unique(np.sort(joined[known], axis=1), axis=0, return_index=True)
    known = known[np.sort(first)]
    return joined[known].astype(np.int32), known


def _cells(points: NDArray, normals: NDArray, cell_mm: float) -> NDArray[np.int64]:
    """Return the number of each point's cell, 0 and up: its cube, and whether it looks away from the middle of all or towards it."""
    outwards = np.einsum("nk,nk->n", normals, points - points.mean(axis=0)) > 0
    cube = np.floor((points - points.min(axis=0)) / cell_mm).astype(np.int64)
    sides = cube.max(axis=0) + 1
    key = ((cube[:, 0] * sides[1] + cube[:, 1]) * sides[2] + cube[:, 2]) * 2 + outwards
    return np.unique(key, return_inverse=True)[1]


def _nearest_to_middle(points: NDArray, cell: NDArray) -> NDArray[np.int64]:
    """Return for each cell the point nearest to the mean of its points."""
    count = np.bincount(cell)
    middle = np.stack([np.bincount(cell, points[:, k]) / count for k in range(3)], axis=1)
    far = np.linalg.norm(points - middle[cell], axis=1)
    order = np.lexsort((far, cell))
    return order[np.concatenate([[0], np.cumsum(count)[:-1]])]

"""Another program's parts as ours are: a chamber that ends at a rim gets a lid, and the normals of every part leave it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LID_MM = 2.0
"""Distance between the rings of a lid: about that of the template's points. Our choice."""

WIDEST = 0.9
"""Mean radius of an opening, as a share of its part's, above which it is no base but a wall that the file does not have, such as a septum;
it gets no lid. Bases measure up to 0.81, a missing septum 1.02 to 1.05. Our choice."""


def closed_parts(
    points: NDArray, faces: NDArray, tags: NDArray, closed: tuple[int, ...]
) -> tuple[NDArray, NDArray, NDArray, tuple[int, ...]]:
    """Return points, faces and tags with a lid over every opening, at most as wide as a base, of some parts, and which of them got one.

    Parameters
    ----------
    points : (N, 3) mm
    faces : (F, 3), normals leaving the parts
    tags : (F,)
    closed : parts that get lids; others stay as they are, and so do wider openings
    """
    found: list[int] = []
    for tag in np.intersect1d(closed, tags).tolist():
        part = faces[tags == tag]
        widest = WIDEST * _radius(points[np.unique(part)])
        for loop in (rim for rim in rims(points, part) if _radius(points[rim]) <= widest):
            ring, lid = _lid(points[loop])
            places = np.concatenate([loop, len(points) + np.arange(len(ring))])
            points, faces = np.concatenate([points, ring]), np.concatenate([faces, places[lid]])
            tags = np.concatenate([tags, np.full(len(lid), tag, tags.dtype)])
            found.append(tag)
    return points, faces, tags, tuple(dict.fromkeys(found))


def outward(points: NDArray, faces: NDArray, tags: NDArray) -> NDArray:
    """Return the faces (F, 3) with those of parts turned whose normals enter them, as muscle's do where it borders blood.

    >>> points = np.vstack([np.zeros(3), np.eye(3)])
    >>> inside_out = np.array([[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]])
    >>> outward(points, inside_out, np.ones(4)).tolist()
    [[2, 1, 0], [3, 2, 0], [1, 3, 0], [2, 3, 1]]
    """
    turned = np.array(faces)
    for tag in np.unique(tags):
        rows = np.flatnonzero(tags == tag)
        a, b, c = (points[faces[rows, k]] - points[faces[rows]].mean(axis=(0, 1)) for k in range(3))
        if (a * np.cross(b, c)).sum() < 0:
            turned[rows] = faces[rows, ::-1]
    return turned


def rims(points: NDArray, faces: NDArray) -> list[NDArray[np.int64]]:
    """Return the closed rims of a surface, points (K,) in the direction of its triangles; points in one place count as one.

    >>> square = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    >>> [rim.tolist() for rim in rims(square, np.array([[0, 1, 2], [0, 2, 3]]))]
    [[0, 1, 2, 3]]
    """
    _, first, same = np.unique(np.round(points, 4), axis=0, return_index=True, return_inverse=True)
    welded = first[same.reshape(-1)][faces]
    welded = welded[(welded != np.roll(welded, 1, axis=1)).all(axis=1)]
    edges = np.concatenate([welded[:, [0, 1]], welded[:, [1, 2]], welded[:, [2, 0]]]).astype(np.int64)
    forth, back = edges @ [len(points), 1], edges @ [1, len(points)]
    after = {int(a): int(b) for a, b in edges[~np.isin(forth, back)]}
    loops = []
    while after:
        loop = [next(iter(after))]
        while (following := after.pop(loop[-1], None)) is not None:
            loop.append(following)
        if len(loop) > 3 and loop[0] == loop[-1]:
            loops.append(np.array(loop[:-1]))
    return loops


def _radius(rim: NDArray) -> float:
    """Return the mean distance of points (K, 3) from their middle."""
    return float(np.linalg.norm(rim - rim.mean(axis=0), axis=1).mean())


def _lid(rim: NDArray) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the new points (K, 3) of a lid over a rim (P, 3), and triangles that number the rim's points first."""
    count, middle = len(rim), rim.mean(axis=0)
    rings = max(1, round(_radius(rim) / LID_MM))
    shares = 1 - np.arange(1, rings) / rings
    inner = (middle + shares[:, None, None] * (rim - middle)).reshape(-1, 3)
    here = np.arange(count)
    ahead = np.roll(here, -1)
    triangles = [np.stack([ahead + (rings - 1) * count, here + (rings - 1) * count, np.full(count, rings * count)], axis=1)]
    for start in range(0, (rings - 1) * count, count):
        triangles.append(np.stack([ahead + start, here + start, here + start + count], axis=1))
        triangles.append(np.stack([ahead + start, here + start + count, ahead + start + count], axis=1))
    return np.concatenate([inner, middle[None]]), np.concatenate(triangles)

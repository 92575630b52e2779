"""A heart's surface with other points and triangles in another order: what registration meets in hearts of other programs."""

from __future__ import annotations

import numpy as np
import pyvista as pv
from numpy.typing import NDArray

from echo3d.registration.register import Target


def remeshed(points: NDArray, faces: NDArray, tags: NDArray, rng: np.random.Generator, *, count: int = 60_000) -> Target:
    """Return the surface of each part with about ``count`` points in all, none of which is one of the old.

    Every triangle is cut into sixteen, their corners are thinned out by the quadric error, and points and triangles are shuffled.

    Parameters
    ----------
    points : (N, 3) mm
    faces : (F, 3), each part closed for itself
    tags : (F,)
    rng : shuffles
    count : points wanted
    """
    pieces = [_piece(points, faces[tags == tag], count * int((tags == tag).sum()) // len(faces), rng) for tag in np.unique(tags)]
    starts = np.cumsum([0, *(len(p) for p, _ in pieces)])
    return Target(
        np.concatenate([p for p, _ in pieces]),
        np.concatenate([f + start for (_, f), start in zip(pieces, starts[:-1], strict=True)]).astype(np.int32),
        np.repeat(np.unique(tags), [len(f) for _, f in pieces]).astype(np.uint8),
    )


def slid(points: NDArray, faces: NDArray, tags: NDArray, rng: np.random.Generator) -> Target:
    """Return the surface of each part with four times the triangles, none of its points one of the old; 25 times as fast as ``remeshed``.

    Every triangle is cut into four, every corner slides to a random place in one of its triangles, and points and triangles are shuffled.

    Parameters
    ----------
    points : (N, 3) mm
    faces : (F, 3), each part closed for itself
    tags : (F,)
    rng : slides and shuffles
    """
    key, row = np.unique(tags.astype(np.int64)[:, None] * len(points) + faces, return_inverse=True)
    points, faces = divided((points[key % len(points)], row.reshape(-1, 3)))
    order = rng.permutation(len(faces) * 3)
    corner, chosen = faces.reshape(-1)[order], np.zeros(len(points), np.int64)
    chosen[corner] = order
    others = [faces[chosen // 3, (chosen + k) % 3] for k in (1, 2)]
    share = rng.uniform(0.05, 0.3, (2, len(points), 1))
    moved = points + share[0] * (points[others[0]] - points) + share[1] * (points[others[1]] - points)
    place, turn = rng.permutation(len(points)), rng.permutation(len(faces))
    return Target(moved[place], np.argsort(place)[faces][turn].astype(np.int32), np.tile(tags, 4)[turn].astype(np.uint8))


def _piece(points: NDArray, faces: NDArray, count: int, rng: np.random.Generator) -> tuple[NDArray, NDArray]:
    """Return other points and triangles of one closed surface."""
    fine = divided(divided((points, faces)))
    surface = pv.PolyData.from_regular_faces(*fine).clean()
    surface = surface.decimate(1 - min(1.0, max(2 * count, 200) / surface.n_cells))
    order = rng.permutation(surface.n_points)
    renumbered = np.argsort(order)[surface.regular_faces]
    return np.asarray(surface.points, float)[order], renumbered[rng.permutation(len(renumbered))]


def divided(surface: tuple[NDArray, NDArray]) -> tuple[NDArray, NDArray]:
    """Return points and triangles with every triangle cut into four; VTK's own filter refuses edges of more than two triangles.

    >>> points, faces = divided((np.eye(3), np.array([[0, 1, 2]])))
    >>> len(points), len(faces)
    (6, 4)
    """
    points, faces = surface
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    unique, which = np.unique(edges, axis=0, return_inverse=True)
    ab, bc, ca = which.reshape(3, -1) + len(points)
    a, b, c = faces.T
    cut = [np.stack(corners, axis=1) for corners in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
    return np.concatenate([points, points[unique].mean(axis=1)]), np.concatenate(cut)

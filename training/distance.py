"""Distances between surfaces: exact from points to triangles near them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree


def to_triangles(points: NDArray, corners: NDArray) -> NDArray[np.float64]:
    """Return the distance (P,) of points (P, 3) to triangles (P, 3, 3), one each.

    >>> float(to_triangles(np.array([[0.2, 0.2, 3.0]]), np.array([[[0, 0, 0], [1, 0, 0], [0, 1, 0.0]]]))[0])
    3.0
    """
    a, ab, ac = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    normal = np.cross(ab, ac)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    height = np.einsum("pi,pi->p", points - a, normal)
    foot = points - height[:, None] * normal
    edges = [(corners[:, i], corners[:, (i + 1) % 3]) for i in range(3)]
    inside = np.all([np.einsum("pi,pi->p", np.cross(q - p, foot - p), normal) >= 0 for p, q in edges], axis=0)
    beside = np.min([_to_segment(points, p, q) for p, q in edges], axis=0)
    return np.where(inside, np.abs(height), beside)


def _to_segment(points: NDArray, start: NDArray, end: NDArray) -> NDArray[np.float64]:
    along = end - start
    share = np.einsum("pi,pi->p", points - start, along) / np.maximum(np.einsum("pi,pi->p", along, along), 1e-12)
    return np.linalg.norm(points - start - np.clip(share, 0, 1)[:, None] * along, axis=1)


def one_way(points: NDArray, surface: NDArray, faces: NDArray, near: int = 8) -> NDArray[np.float64]:
    """Return the distance of points (P, 3) to a surface, over the ``near`` triangles whose centres are nearest."""
    corners = surface[faces]
    _, index = cKDTree(corners.mean(axis=1)).query(points, k=near)
    return np.min([to_triangles(points, corners[index[:, i]]) for i in range(near)], axis=0)


def surface_distance(a: NDArray, b: NDArray, faces: NDArray, rng: np.random.Generator, count: int = 1500) -> float:
    """Return the mean distance in mm between two surfaces of equal topology, both ways, over ``count`` random vertices."""
    return float(surface_distances(a, b, faces, rng, count).mean())


def surface_distances(a: NDArray, b: NDArray, faces: NDArray, rng: np.random.Generator, count: int = 1500) -> NDArray[np.float64]:
    """Return the distances in mm, (2 * count,) at most, of random vertices of each of two surfaces of equal topology to the other."""
    used = np.unique(faces)
    chosen = rng.choice(used, min(count, len(used)), replace=False)
    return np.concatenate([one_way(a[chosen], b, faces), one_way(b[chosen], a, faces)])

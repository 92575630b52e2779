"""Surfaces as clouds: points with the area they stand for, the tag of their part and the normal that leaves it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from echo3d.core.arrays import frozen_array

if TYPE_CHECKING:
    from echo3d.registration.shapefit import Similarity


@dataclass(frozen=True, slots=True, eq=False)
class Cloud:
    """Points of a surface; a point where several parts meet is there once for each of them.

    Parameters
    ----------
    points : (K, 3) float64 mm
    weights : (K,) float64, the area in mm² that each stands for
    tags : (K,) uint8, the part, 0 where that is not known
    normals : (K, 3) float64, unit vectors that leave the part
    vertex : (K,) int32, which vertex of the surface each one is
    """

    points: NDArray[np.float64]
    weights: NDArray[np.float64]
    tags: NDArray[np.uint8]
    normals: NDArray[np.float64]
    vertex: NDArray[np.int32]

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", frozen_array(self.points, np.float64, (None, 3), "points"))
        count = len(self.points)
        object.__setattr__(self, "weights", frozen_array(self.weights, np.float64, (count,), "weights"))
        object.__setattr__(self, "tags", frozen_array(self.tags, np.uint8, (count,), "tags"))
        object.__setattr__(self, "normals", frozen_array(self.normals, np.float64, (count, 3), "normals"))
        object.__setattr__(self, "vertex", frozen_array(self.vertex, np.int32, (count,), "vertex"))

    def __len__(self) -> int:
        return len(self.points)

    def kept(self, rows: NDArray) -> Cloud:
        """Return the cloud of some rows."""
        return Cloud(self.points[rows], self.weights[rows], self.tags[rows], self.normals[rows], self.vertex[rows])


def surface_cloud(points: NDArray, faces: NDArray, tags: NDArray) -> Cloud:
    """Return the vertices of a surface's parts as a cloud.

    Parameters
    ----------
    points : (N, 3) mm
    faces : (F, 3) indices, normals leave the part
    tags : (F,) the part of each face

    >>> square = surface_cloud(np.array([[0.0, 0, 0], [2, 0, 0], [2, 2, 0], [0, 2, 0]]), np.array([[0, 1, 2], [0, 2, 3]]), np.array([5, 5]))
    >>> round(float(square.weights.sum()), 6), square.tags.tolist(), square.normals[0].tolist()
    (4.0, [5, 5, 5, 5], [0.0, 0.0, 1.0])
    """
    corners = points[faces]
    doubled = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    key = tags.astype(np.int64)[:, None] * len(points) + faces
    which, row = np.unique(key, return_inverse=True)
    row = row.reshape(-1)
    normals = np.stack([np.bincount(row, np.repeat(doubled[:, axis], 3), len(which)) for axis in range(3)], axis=1)
    weights = np.bincount(row, np.repeat(np.linalg.norm(doubled, axis=1) / 6, 3), len(which)).astype(float)
    tag, vertex = np.divmod(which, len(points))
    return Cloud(points[vertex], weights, tag.astype(np.uint8), _unit(normals), vertex.astype(np.int32))


def carried(cloud: Cloud, pose: Similarity) -> Cloud:
    """Return a cloud brought elsewhere; areas grow with the square of the scale."""
    return Cloud(pose.carry(cloud.points), cloud.weights * pose.scale**2, cloud.tags, cloud.normals @ pose.rotation.T, cloud.vertex)


def _unit(vectors: NDArray) -> NDArray[np.float64]:
    """Return vectors (K, 3) of length one; what has no direction stays without."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1))


def thinned(cloud: Cloud, spacing_mm: float) -> tuple[Cloud, NDArray[np.int64]]:
    """Return a cloud with one point per cube, tag and side it faces, and which of them each point of the cloud went to (K,).

    Parameters
    ----------
    cloud : any
    spacing_mm : side of the cubes; points of one cube stand for their weighted middle
    """
    cube = np.floor(cloud.points / spacing_mm).astype(np.int64)
    cube -= cube.min(axis=0, initial=0)
    facing = ((cloud.normals > 0) @ np.array([1, 2, 4])).astype(np.int64)
    key = np.ravel_multi_index((*cube.T, cloud.tags, facing), (*(cube.max(axis=0, initial=0) + 1), 256, 8))
    names, first, row = np.unique(key, return_index=True, return_inverse=True)
    row = row.reshape(-1)
    weights = np.bincount(row, cloud.weights, len(names)).astype(float)
    share = np.where(weights[row] > 0, cloud.weights / np.where(weights[row] > 0, weights[row], 1), 1 / np.bincount(row)[row])

    def middle(values: NDArray) -> NDArray[np.float64]:
        return np.stack([np.bincount(row, share * values[:, axis], len(names)) for axis in range(3)], axis=1)

    return Cloud(middle(cloud.points), weights, cloud.tags[first], _unit(middle(cloud.normals)), cloud.vertex[first]), row

"""Surfaces: the labelled heart, the template with its landmarks and cavities, volumes by the divergence theorem."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from echo3d.core.arrays import frozen_array
from echo3d.core.structures import Structure
from echo3d.errors import ShapeError


@dataclass(frozen=True, slots=True, eq=False)
class HeartMesh:
    """A labelled triangle surface of a heart.

    Parameters
    ----------
    points : (N, 3) float64 mm, LPS
    faces : (F, 3) int32 point indices, wound so that normals leave the tissue
    labels : (F,) uint8 structure value of each face
    """

    points: NDArray[np.float64]
    faces: NDArray[np.int32]
    labels: NDArray[np.uint8]

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", frozen_array(self.points, np.float64, (None, 3), "points"))
        object.__setattr__(self, "faces", frozen_array(self.faces, np.int32, (None, 3), "faces"))
        object.__setattr__(self, "labels", frozen_array(self.labels, np.uint8, (len(self.faces),), "labels"))
        if self.faces.size and not 0 <= self.faces.min() <= self.faces.max() < len(self.points):
            raise ShapeError("faces must index existing points")


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """The one labelled heart that every other heart is a displacement of.

    ``points`` are all material points that a field moves: the surface's vertices first (``mesh.points``), then the extra vertices of the
    cavity surfaces and the landmarks, so that one field carries everything along.

    Parameters
    ----------
    name : which template
    sha256 : of the resource it was read from
    points : (N, 3) float64 mm
    mesh : the labelled surface over the first points
    sides : (F, 2) structure behind and before each face of ``mesh`` (normals point from the first to the second, 0 is outside); the faces
        that carry a structure on one side form its closed surface
    cavities : per chamber key ("lv", "rv", "la", "ra") a closed surface, (F, 3) int32 into ``points``, normals outwards
    landmarks : per name an index into ``points``; see ``LANDMARKS``
    aha : (N,) uint8 AHA-17 segment of LV points, 0 elsewhere
    """

    name: str
    sha256: str
    points: NDArray[np.float64]
    mesh: HeartMesh
    sides: NDArray[np.uint8]
    cavities: dict[str, NDArray[np.int32]]
    landmarks: dict[str, int]
    aha: NDArray[np.uint8]

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", frozen_array(self.points, np.float64, (None, 3), "points"))
        object.__setattr__(self, "sides", frozen_array(self.sides, np.uint8, (len(self.mesh.faces), 2), "sides"))
        object.__setattr__(self, "aha", frozen_array(self.aha, np.uint8, (len(self.points),), "aha"))

    def heart(self, points: NDArray) -> HeartMesh:
        """Return the surface of the heart whose material points are ``points`` (N, 3)."""
        return HeartMesh(points[: len(self.mesh.points)], self.mesh.faces, self.mesh.labels)

    def volumes_ml(self, points: NDArray) -> dict[str, float]:
        """Return the blood volume of each chamber in ml of the heart whose material points are ``points``."""
        return {key: enclosed_ml(points, faces) for key, faces in self.cavities.items()}

    def landmark(self, points: NDArray, name: str) -> NDArray[np.float64]:
        """Return where the named landmark lies in that heart, (3,) mm."""
        return np.asarray(points[self.landmarks[name]], dtype=float)


LANDMARKS = (
    "lv_apex_endo",
    "lv_apex_epi",
    "mitral",
    "tricuspid",
    "aortic",
    "pulmonary",
    "lv",
    "rv",
    "la",
    "ra",
    "heart",
)
"""Names of the template's landmarks: apices, valve centres, chamber centroids, heart centroid."""


def enclosed_ml(points: NDArray, faces: NDArray) -> float:
    """Return the volume in ml inside a closed surface with outward normals.

    *Source:* divergence theorem, the sum of signed tetrahedra.

    >>> corners = 10.0 * np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    >>> round(enclosed_ml(corners, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])), 6)
    0.166667
    """
    corners = points[faces] - points[faces].mean(axis=(0, 1))
    return float(np.einsum("fi,fi->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6000.0)


def region_faces(faces: NDArray, sides: NDArray, label: int) -> NDArray[np.int32]:
    """Return the closed surface round one labelled region, (K, 3) point indices with outward normals.

    Parameters
    ----------
    faces : (F, 3) point indices
    sides : (F, 2) label behind and in front of each face; normals point from the first to the second
    label : structure value of the region

    >>> region_faces(np.array([[0, 1, 2], [1, 2, 3]]), np.array([[101, 0], [1, 101]]), Structure.LV_CAVITY)
    array([[0, 1, 2],
           [3, 2, 1]], dtype=int32)
    """
    behind, front = sides[:, 0] == label, sides[:, 1] == label
    outward, inward = faces[behind & ~front], faces[front & ~behind]
    return np.concatenate([outward, inward[:, ::-1]]).astype(np.int32)


def face_areas(points: NDArray, faces: NDArray) -> NDArray[np.float64]:
    """Return the area of each triangle in mm²."""
    a, b, c = (points[faces[:, i]] for i in range(3))
    return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2


def structure_points(mesh: HeartMesh, structure: Structure) -> NDArray[np.int32]:
    """Return the sorted indices of the points on faces of ``structure``."""
    return np.unique(mesh.faces[mesh.labels == structure])

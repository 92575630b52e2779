"""Volumes and mass of any labelled part of a heart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echo3d.core.mesh import Template, enclosed_ml
from echo3d.core.structures import Structure

MUSCLE_G_PER_ML = 1.05
"""Density of heart muscle. *Source:* ASE/EACVI chamber quantification 2015, LV mass."""


def region_faces(faces: NDArray, sides: NDArray, structure: Structure) -> NDArray[np.int32]:
    """Return the closed surface round one structure, (K, 3) point indices with outward normals.

    Parameters
    ----------
    faces : (F, 3) point indices
    sides : (F, 2) structure behind and in front of each face; normals point from the first to the second

    >>> region_faces(np.array([[0, 1, 2], [1, 2, 3]]), np.array([[101, 0], [1, 101]]), Structure.LV_CAVITY)
    array([[0, 1, 2],
           [3, 2, 1]], dtype=int32)
    """
    behind, front = sides[:, 0] == structure, sides[:, 1] == structure
    outward, inward = faces[behind & ~front], faces[front & ~behind]
    return np.concatenate([outward, inward[:, ::-1]]).astype(np.int32)


def region_ml(template: Template, points: NDArray, structure: Structure) -> float:
    """Return the volume in ml of one structure, blood or tissue, of the heart whose material points are ``points`` (N, 3).

    *Source:* divergence theorem over the faces that carry the structure on one side.
    """
    faces = region_faces(template.mesh.faces, template.sides, structure)
    return enclosed_ml(points, faces) if len(faces) else 0.0


def muscle_mass_g(template: Template, points: NDArray) -> float:
    """Return the mass of the LV myocardium in grams."""
    return MUSCLE_G_PER_ML * region_ml(template, points, Structure.LV_MYOCARDIUM)

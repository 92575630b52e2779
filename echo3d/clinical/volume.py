"""Volumes and mass of any labelled part of a heart."""

from __future__ import annotations

from numpy.typing import NDArray

from echo3d.core.mesh import Template, enclosed_ml, region_faces
from echo3d.core.structures import Structure

MUSCLE_G_PER_ML = 1.05
"""Density of heart muscle. *Source:* ASE/EACVI chamber quantification 2015, LV mass."""


def region_ml(template: Template, points: NDArray, structure: Structure) -> float:
    """Return the volume in ml of one structure, blood or tissue, of the heart whose material points are ``points`` (N, 3).

    *Source:* divergence theorem over the faces that carry the structure on one side.
    """
    faces = region_faces(template.mesh.faces, template.sides, structure)
    return enclosed_ml(points, faces) if len(faces) else 0.0


def muscle_mass_g(template: Template, points: NDArray) -> float:
    """Return the mass of the LV myocardium in grams."""
    return MUSCLE_G_PER_ML * region_ml(template, points, Structure.LV_MYOCARDIUM)

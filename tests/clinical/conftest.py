"""A heart of spheres, whose volumes and sections are known exactly."""

from __future__ import annotations

import numpy as np
import pytest
import pyvista as pv

from echo3d.core.mesh import HeartMesh, Template
from echo3d.core.structures import Structure

SPHERES = (
    ((0.0, 0.0, 0.0), 25.0, Structure.LV_CAVITY, Structure.LV_MYOCARDIUM),
    ((0.0, 0.0, 0.0), 35.0, Structure.LV_MYOCARDIUM, Structure.BACKGROUND),
    ((-60.0, 0.0, 0.0), 20.0, Structure.RV_CAVITY, Structure.BACKGROUND),
    ((0.0, 0.0, 60.0), 15.0, Structure.LA_CAVITY, Structure.BACKGROUND),
    ((-60.0, 0.0, 60.0), 18.0, Structure.RA_CAVITY, Structure.BACKGROUND),
)
"""Centre, radius (mm), structure inside, structure outside."""


@pytest.fixture(scope="session")
def ball_template() -> Template:
    """Return five spheres as a template: an LV with its wall and three chambers beside it."""
    unit = pv.Icosphere(radius=1.0, nsub=5)
    triangles = np.asarray(unit.regular_faces)
    size = unit.n_points
    points = np.concatenate([np.asarray(unit.points) * radius + centre for centre, radius, _, _ in SPHERES])
    faces = np.concatenate([triangles + k * size for k in range(len(SPHERES))])
    sides = np.repeat([(inner, outer) for _, _, inner, outer in SPHERES], len(triangles), axis=0)
    labels = np.repeat([1, 1, 2, 3, 4], len(triangles))
    chamber = {"lv": 0, "rv": 2, "la": 3, "ra": 4}
    cavities = {key: (triangles + k * size).astype(np.int32) for key, k in chamber.items()}
    landmarks = {"lv_apex_epi": int(np.argmin(points[:, 2])), "mitral": 3 * size, "tricuspid": 4 * size}
    mesh = HeartMesh(points, faces, labels)
    return Template("balls", "0" * 64, points, mesh, sides, cavities, landmarks, np.zeros(len(points), np.uint8))

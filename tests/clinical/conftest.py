"""A heart of spheres, whose volumes and sections are known exactly."""

from __future__ import annotations

import numpy as np
import pytest
import pyvista as pv

from echo3d.clinical.function import measure_function, with_intervals
from echo3d.core.images import EchoClip, Source
from echo3d.core.mesh import HeartMesh, Template
from echo3d.core.result import Beat, Reconstruction, StudyResult
from echo3d.core.sector import Fan, Sector
from echo3d.core.structures import Structure
from echo3d.core.views import View

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


@pytest.fixture(scope="session")
def ball_result(ball_template: Template) -> StudyResult:
    """Return a trusted, calibrated result of two views: the balls at ED, shrunk to 0.8 at ES, so that the EF is 1 - 0.8³."""
    points, views, across = ball_template.points, (View.A4C, View.A2C), np.eye(3)[:2]
    fans = {view: Sector(np.array([0.0, 0, -90]), np.array([0, 0, 1.0]), own, 60.0, 200.0) for view, own in zip(views, across, strict=True)}
    hearts = [Reconstruction(phase, scale * points, np.full(len(points), 2.0), fans, 0.9) for phase, scale in (("ED", 1.0), ("ES", 0.8))]
    frames = np.full((5, 100, 150), 90, np.uint8)
    clips = {
        view: EchoClip(view, frames, (2.0, 2.0), np.arange(5) * 40.0, Source(f"{view.key}.dcm", "view code"), Fan(0.0, 75.0, 60.0, 100.0))
        for view in views
    }
    scales = np.array([1.0, 0.9, 0.8, 0.85, 0.95])
    beat = Beat(scales[:, None, None] * points, np.arange(5) * 200.0, scales**3 * ball_template.volumes_ml(points)["lv"])
    function = measure_function(ball_template, hearts[0].points, hearts[1].points)
    return StudyResult(
        pseudonym="P-0123abcd",
        clips=clips,
        ed_frame=dict.fromkeys(views, 0),
        es_frame=dict.fromkeys(views, 2),
        ed=hearts[0],
        es=hearts[1],
        function=with_intervals(function, {"ef": (0.40, 0.55), "edv_ml": (60.0, 70.0), "esv_ml": (30.0, 36.0), "sv_ml": (28.0, 36.0)}),
        beat=beat,
        calibrated=True,
        trust=1.0,
        model="lean",
        warnings=("A4C: one sentence.",),
    )

"""Volumes of spheres."""

from __future__ import annotations

import numpy as np
import pytest

from echo3d.clinical.volume import MUSCLE_G_PER_ML, muscle_mass_g, region_ml
from echo3d.core.mesh import Template, region_faces
from echo3d.core.structures import Structure


def ball_ml(radius: float) -> float:
    """Return the volume of a ball in ml."""
    return 4 / 3 * np.pi * radius**3 / 1000


def test_a_shell_is_the_difference_of_two_balls(ball_template: Template) -> None:
    wall = region_ml(ball_template, ball_template.points, Structure.LV_MYOCARDIUM)
    assert wall == pytest.approx(ball_ml(35) - ball_ml(25), rel=0.003)
    assert muscle_mass_g(ball_template, ball_template.points) == pytest.approx(wall * MUSCLE_G_PER_ML)


def test_blood_and_cavity_surface_agree(ball_template: Template) -> None:
    blood = region_ml(ball_template, ball_template.points, Structure.RV_CAVITY)
    assert blood == pytest.approx(ball_template.volumes_ml(ball_template.points)["rv"])
    assert blood == pytest.approx(ball_ml(20), rel=0.003)


def test_a_structure_that_is_absent_has_no_volume(ball_template: Template) -> None:
    assert region_ml(ball_template, ball_template.points, Structure.AORTA) == 0.0
    assert len(region_faces(ball_template.mesh.faces, ball_template.sides, Structure.AORTA)) == 0

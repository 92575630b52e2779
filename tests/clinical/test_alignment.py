"""A heart turned away is brought back, planes and all."""

from __future__ import annotations

import numpy as np
import pytest

from echo3d.clinical.alignment import hold_still, moved, still_points
from echo3d.core.mesh import Template
from echo3d.core.pose import rotation_matrix
from echo3d.core.result import Reconstruction
from echo3d.core.sector import Sector
from echo3d.core.views import View

SECTOR = Sector(np.array([0.0, 0, -90]), np.array([0, 0, 1.0]), np.array([1.0, 0, 0]), 40.0, 150.0)


def heart_of(template: Template) -> Reconstruction:
    return Reconstruction("ED", template.points, np.zeros(len(template.points)), {View.A4C: SECTOR}, 1.0)


def test_turned_hearts_come_back(ball_template: Template) -> None:
    fixed = heart_of(ball_template)
    turned = moved(fixed, rotation_matrix(np.array([10.0, -20.0, 30.0])), np.array([5.0, 6.0, 7.0]))
    (back,) = hold_still(ball_template, [turned], fixed)
    assert back.points == pytest.approx(fixed.points, abs=1e-6)
    assert back.planes[View.A4C].origin == pytest.approx(SECTOR.origin, abs=1e-6)
    assert back.planes[View.A4C].axis == pytest.approx(SECTOR.axis, abs=1e-6)


def test_what_moves_elsewhere_does_not_drag_the_frame(ball_template: Template) -> None:
    fixed = heart_of(ball_template)
    still = still_points(ball_template)
    points = ball_template.points + [0.0, 0.0, 9.0]
    points[still] = ball_template.points[still]
    other = Reconstruction("ES", points, np.zeros(len(points)), {}, 1.0)
    (back,) = hold_still(ball_template, [other], fixed)
    assert back.points == pytest.approx(points, abs=1e-6)


def test_still_points_lie_at_the_apex(ball_template: Template) -> None:
    apex = ball_template.landmark(ball_template.points, "lv_apex_epi")
    distance = np.linalg.norm(ball_template.points[still_points(ball_template)] - apex, axis=1)
    assert distance.max() <= 15.0

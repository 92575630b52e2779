"""Pictures of balls: right size, right place, right colour."""

from __future__ import annotations

import numpy as np
import pytest

from echo3d.clinical.render import Camera, chamber_camera, front_camera, render_heart
from echo3d.core.mesh import Template

FRONT = np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]])


def test_a_ball_covers_its_disc(ball_template: Template) -> None:
    picture = render_heart(ball_template, ball_template.points, Camera(FRONT, np.zeros(3), 1.0, 80))
    rows, columns = np.mgrid[:80, :80] + 0.5
    drawn = (picture != 255).any(axis=2)
    disc = np.hypot(rows - 40, columns - 40) <= 34
    assert drawn[disc].all()
    assert not drawn[60:, :2].any()
    assert picture[40, 40, 0] > picture[40, 40, 2]


def test_cutting_opens_the_chamber(ball_template: Template) -> None:
    camera = Camera(FRONT, np.zeros(3), 1.0, 80)
    whole = render_heart(ball_template, ball_template.points, camera)
    cut = render_heart(ball_template, ball_template.points, camera, cut=True)
    ring = cut[40, 40 + 30].astype(int)
    assert (ring == np.rint(0.72 * np.array([201, 74, 66]) + 62)).all()
    assert not np.array_equal(whole[40, 40], cut[40, 40])


def test_cameras_hold_the_whole_heart(ball_template: Template) -> None:
    camera = front_camera(ball_template.points, 64)
    screen = camera.screen(ball_template.points)
    assert screen[:, :2].min() > 0
    assert screen[:, :2].max() < 64
    assert camera.axes @ camera.axes.T == pytest.approx(np.eye(3))
    assert np.linalg.det(camera.axes) == pytest.approx(1.0)


def test_the_four_chamber_camera_stands_before_the_plane_with_the_apex_down(ball_template: Template) -> None:
    camera = chamber_camera(ball_template, ball_template.points, 64)
    apex, mitral, tricuspid = (
        camera.screen(ball_template.landmark(ball_template.points, name)) for name in ("lv_apex_epi", "mitral", "tricuspid")
    )
    assert [apex[2], mitral[2], tricuspid[2]] == pytest.approx([0, 0, 0], abs=1e-9)
    assert apex[1] > mitral[1]
    assert camera.axes[2, 1] < 0

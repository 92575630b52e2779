"""Ejection fraction and volume curves with exact answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echo3d.clinical.function import extreme_phases, measure_function, smooth_curve, with_intervals
from echo3d.core.mesh import Template
from echo3d.errors import ShapeError


def test_shrinking_by_half_leaves_an_eighth(ball_template: Template) -> None:
    function = measure_function(ball_template, ball_template.points, 0.5 * ball_template.points)
    assert function.ef == pytest.approx(7 / 8)
    assert function.edv_ml == pytest.approx(4 / 3 * np.pi * 25**3 / 1000, rel=0.003)
    assert function.sv_ml == pytest.approx(function.edv_ml * 7 / 8)
    assert function.volumes_ml["ra"]["es"] == pytest.approx(function.volumes_ml["ra"]["ed"] / 8)
    assert set(function.volumes_ml) == {"lv", "rv", "la", "ra"}


@settings(max_examples=15, deadline=None)
@given(scale=st.floats(0.3, 3.0), shift=st.floats(-500.0, 500.0))
def test_ef_is_free_of_scale_and_place(ball_template: Template, scale: float, shift: float) -> None:
    ed, es = ball_template.points, 0.8 * ball_template.points
    plain = measure_function(ball_template, ed, es)
    moved = measure_function(ball_template, scale * ed + shift, scale * es + shift)
    assert moved.ef == pytest.approx(plain.ef, abs=1e-9)
    assert moved.edv_ml == pytest.approx(plain.edv_ml * scale**3)


def test_intervals_are_kept(ball_template: Template) -> None:
    function = measure_function(ball_template, ball_template.points, ball_template.points)
    assert with_intervals(function, {"ef": (-0.1, 0.1)}).interval90 == {"ef": (-0.1, 0.1)}


def test_a_parabola_survives_smoothing_and_noise_does_not() -> None:
    times = np.linspace(-1, 1, 21)
    assert smooth_curve(times**2, periodic=False) == pytest.approx(times**2)
    noise = np.random.default_rng(1).normal(size=200)
    assert smooth_curve(noise, periodic=True).std() < 0.75 * noise.std()


def test_a_periodic_curve_may_start_anywhere() -> None:
    curve = np.cos(np.linspace(0, 2 * np.pi, 25, endpoint=False))
    turned = smooth_curve(np.roll(curve, 7), periodic=True)
    assert turned == pytest.approx(np.roll(smooth_curve(curve, periodic=True), 7))


def test_short_curves_are_left_alone() -> None:
    assert smooth_curve(np.array([3.0, 1.0]), periodic=True).tolist() == [3.0, 1.0]


def test_an_empty_curve_has_no_phases() -> None:
    with pytest.raises(ShapeError, match="at least one sample"):
        extreme_phases(np.array([]))

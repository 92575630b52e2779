"""Splines: a constant and a linear field come back, folds are seen and taken out."""

from __future__ import annotations

import numpy as np
import pytest

from echo3d.registration.spline import Samples, anisotropic, folds, gaussian_spline, ridge_spline, spread, unfolded


@pytest.fixture
def places() -> np.ndarray:
    return np.random.default_rng(0).uniform(-40, 40, (900, 3))


def test_a_constant_field_stays(places: np.ndarray) -> None:
    samples = Samples(places, np.tile([1.0, -2, 3], (len(places), 1)), np.ones(len(places)))
    at = places[:50] + 1.0
    inner = at[np.abs(at).max(axis=1) < 30]
    assert np.allclose(gaussian_spline(samples, at), [1, -2, 3])
    assert np.allclose(anisotropic(samples), [1, -2, 3])
    assert np.allclose(ridge_spline(samples, inner, 40.0, stiffness=1e-6), [1, -2, 3], atol=0.02)


def test_ridge_gives_a_bent_field_back_where_there_is_no_sample(places: np.ndarray) -> None:
    def bent(x: np.ndarray) -> np.ndarray:
        return np.stack([5 * np.sin(x[:, 0] / 30), 3 * np.cos(x[:, 1] / 25), 0.1 * x[:, 2]], axis=1)

    at = np.random.default_rng(1).uniform(-30, 30, (200, 3))
    found = ridge_spline(Samples(places, bent(places), np.ones(len(places))), at, 25.0, stiffness=1e-3)
    assert np.abs(found - bent(at)).max() < 0.15


def test_smoothing_along_a_sheet_keeps_what_lies_across() -> None:
    """Two sheets 7 mm apart that move in opposite ways: a plain kernel of 8 mm would mix them."""
    steps = np.arange(-20.0, 21, 2.0)
    sheet = np.stack(np.meshgrid(steps, steps, [0.0], indexing="ij"), axis=-1).reshape(-1, 3)
    places = np.concatenate([sheet, sheet + [0, 0, 7.0]])
    way = np.repeat([[0, 0, -1.0], [0, 0, 1.0]], len(sheet), axis=0)
    noise = np.random.default_rng(2).normal(0, 0.3, way.shape)
    found = anisotropic(Samples(places, way + noise, np.ones(len(places))), look_mm=1.0)
    assert np.abs(found[:, 2] - way[:, 2]).mean() < 0.5 * np.abs(noise[:, 2]).mean()
    assert (np.sign(found[:, 2]) == way[:, 2]).all()


def test_a_fold_is_seen_and_taken_out(places: np.ndarray) -> None:
    moved = places + [3.0, 0, 0]
    inside = np.linalg.norm(places, axis=1) < 15
    moved[inside] = places[inside] * [-1.0, 1, 1] + [3.0, 0, 0]
    assert folds(places, moved)[np.linalg.norm(places, axis=1) < 6].all()
    assert not folds(places, moved)[np.linalg.norm(places, axis=1) > 30].any()
    assert not folds(places, unfolded(places, moved)).any()
    assert np.array_equal(unfolded(places, places * 1.1), places * 1.1)


def test_spread_points_lie_apart(places: np.ndarray) -> None:
    chosen = places[spread(places, 40)]
    gaps = np.linalg.norm(chosen[:, None] - chosen[None], axis=2) + 1e9 * np.eye(40)
    assert gaps.min() > 15

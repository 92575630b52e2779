"""Averages over a grid are those of the pairs one by one, and only where that pays."""

from __future__ import annotations

import numpy as np

from echo3d.registration.kernelgrid import grid_sums
from echo3d.registration.spline import MOST_PAIRS, Samples, averaged, spread


def field(at: np.ndarray) -> np.ndarray:
    return np.stack([np.sin(at[:, 0] / 20), np.cos(at[:, 1] / 15), at[:, 2] / 40], axis=1)


def direct(samples: Samples, at: np.ndarray, width: float) -> np.ndarray:
    squares = ((at[:, None] - samples.places[None]) ** 2).sum(axis=2)
    kernel = np.exp(-squares / (2 * width**2)) * samples.weights
    return kernel @ samples.vectors / kernel.sum(axis=1, keepdims=True)


def cloud(count: int, side: float = 60.0) -> Samples:
    rng = np.random.default_rng(3)
    places = rng.uniform(-side, side, (count, 3))
    return Samples(places, field(places), rng.uniform(0.5, 2, count))


def test_the_grid_has_the_kernels_width() -> None:
    away = np.array([[0.0, 0, 0], [4, 0, 0], [0, 8, 0], [0, 0, 12]])
    sums = grid_sums(np.zeros((1, 3)), np.ones((1, 1)), away, 8.0)[:, 0]
    assert np.allclose(sums / sums[0], np.exp(-(np.array([0, 4, 8, 12]) ** 2) / 128), atol=0.04)


def test_many_samples_are_averaged_as_one_by_one() -> None:
    samples = cloud(6000)
    at = np.random.default_rng(4).uniform(-60, 60, (4000, 3))
    some = spread(at, 100)
    assert len(samples.places) * len(at) * (4 / 3 * np.pi * 36**3 / 120**3) > 2 * MOST_PAIRS  # so that they go over a grid
    found = averaged(samples, at, 12.0)
    assert np.abs(found[some] - direct(samples, at[some], 12.0)).max() < 0.02  # the field itself reaches from -1.5 to 1.5


def test_a_constant_stays_and_a_lonely_place_takes_the_nearest() -> None:
    samples = cloud(6000)
    steady = Samples(samples.places, np.tile([1.0, -2, 3], (6000, 1)), samples.weights)
    at = np.concatenate([np.random.default_rng(5).uniform(-60, 60, (4000, 3)), [[150.0, 0, 0]]])
    assert np.allclose(averaged(steady, at, 12.0), [1, -2, 3])
    nearest = samples.vectors[np.linalg.norm(samples.places - at[-1], axis=1).argmin()]
    assert np.allclose(averaged(samples, at, 12.0)[-1], nearest)


def test_a_stray_point_far_away_makes_no_giant_grid() -> None:
    samples = cloud(6000, 30.0)
    at = np.concatenate([samples.places, [[1e6, 0, 0]]])
    found = averaged(samples, at, 6.0)
    assert np.abs(found[:100] - direct(samples, at[:100], 6.0)).max() < 1e-2

"""The mask of a fan against its plain definition, pixel for pixel."""

from __future__ import annotations

import numpy as np
import pytest

from echo3d.core.sector import PictureGrid

ROUND = (5.0, 26.565051177077986, 30.0, 45.0, 60.0, 63.43494882292201, 89.0)
"""Degrees at which whole pixels lie on a fan's edge, or nearly so."""


def plain(grid: PictureGrid, half_angle: float, depth: float) -> np.ndarray:
    down, across = np.moveaxis(grid.plane_mm(), -1, 0)
    return (np.hypot(down, across) <= depth) & (np.abs(np.degrees(np.arctan2(across, down))) <= half_angle)


@pytest.mark.parametrize("half_angle", ROUND)
def test_pixels_on_the_edge_are_told_as_by_their_own_angle_and_distance(half_angle: float) -> None:
    for size in (1, 2, 7, 8, 64, 65):
        for pixel in (0.1, 0.5, 1.0, 1.6, 3.2):
            grid = PictureGrid(size, 2 * size - 1 if size % 3 else size, pixel)
            for depth in (10.0, 12.5, 5.5 * pixel, 13 * pixel, 32.5 * pixel):
                assert np.array_equal(grid.inside(half_angle, depth), plain(grid, half_angle, depth))


def test_any_fan_has_the_plain_mask() -> None:
    rng = np.random.default_rng(0)
    for _ in range(500):
        grid = PictureGrid(int(rng.integers(1, 130)), int(rng.integers(1, 130)), float(rng.uniform(0.2, 3)))
        half_angle, depth = float(rng.uniform(5, 89)), float(rng.uniform(10, 200))
        assert np.array_equal(grid.inside(half_angle, depth), plain(grid, half_angle, depth))


def test_a_fan_of_a_half_circle_is_cut_by_its_arc_only() -> None:
    grid = PictureGrid(20, 40, 1.0)
    for half_angle in (90.0, 120.0):
        assert np.array_equal(grid.inside(half_angle, 15.0), plain(grid, half_angle, 15.0))

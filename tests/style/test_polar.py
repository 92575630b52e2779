"""Scan conversion with exact answers."""

import numpy as np
import pytest

from echo3d.core.sector import PictureGrid, Sector
from echo3d.errors import ShapeError
from echo3d.style.polar import PolarGrid, polar_of, scan_convert

FAN = PolarGrid(200, 90, 40.0, 150.0)
GRID = PictureGrid(128, 160, 1.25)


def test_samples_lie_on_the_beams() -> None:
    mm = FAN.plane_mm()
    assert mm.shape == (200, 90, 2)
    np.testing.assert_allclose(np.hypot(mm[..., 0], mm[..., 1]), np.broadcast_to(FAN.radii()[:, None], (200, 90)))
    np.testing.assert_allclose(np.degrees(np.arctan2(mm[..., 1], mm[..., 0])), np.broadcast_to(FAN.angles(), (200, 90)), atol=1e-9)


def test_the_picture_is_filled_exactly_where_the_fan_is() -> None:
    picture = scan_convert(np.ones((200, 90), np.float32), FAN, GRID)
    assert picture.shape == (128, 160) and picture.dtype == np.float32
    np.testing.assert_array_equal(picture > 0, GRID.inside(40.0, 150.0))
    np.testing.assert_allclose(picture[picture > 0], 1.0, rtol=1e-6)


def test_fields_linear_in_depth_and_angle_come_back_exactly() -> None:
    mm = GRID.plane_mm()
    radius, angle = np.hypot(mm[..., 0], mm[..., 1]), np.degrees(np.arctan2(mm[..., 1], mm[..., 0]))
    inner = (radius > 3) & (radius < 147) & (np.abs(angle) < 39.5)
    rays = np.broadcast_to(FAN.radii()[:, None], (200, 90)).astype(np.float32)
    fans = np.broadcast_to(FAN.angles(), (200, 90)).astype(np.float32)
    np.testing.assert_allclose(scan_convert(rays, FAN, GRID)[inner], radius[inner], atol=1e-3)
    np.testing.assert_allclose(scan_convert(fans, FAN, GRID)[inner], angle[inner], atol=1e-3)


def test_small_pictures_average_the_samples_under_a_pixel() -> None:
    noise = np.random.default_rng(0).standard_normal((200, 90)).astype(np.float32)
    fine, coarse = (scan_convert(noise, FAN, PictureGrid(n, n, 150 / n)) for n in (400, 50))
    assert coarse[coarse != 0].std() < 0.6 * fine[fine != 0].std()


def test_the_grid_of_a_sector_covers_it() -> None:
    sector = Sector(np.zeros(3), np.array([0, 0, 1.0]), np.array([1.0, 0, 0]), 37.0, 140.0)
    assert polar_of(sector) == PolarGrid(256, 96, 37.0, 140.0)


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ShapeError, match="must have shape"):
        scan_convert(np.ones((90, 200), np.float32), FAN, GRID)
    with pytest.raises(ShapeError, match="at least two"):
        PolarGrid(1, 90, 40.0, 150.0)
    with pytest.raises(ShapeError, match="opens 0-90"):
        PolarGrid(200, 90, 95.0, 150.0)

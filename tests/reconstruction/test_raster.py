"""Pictures on the network's raster: size survives, the fan stands upright, nothing outside it is seen."""

from __future__ import annotations

import numpy as np
import pytest

from echo3d.core.images import EchoImage
from echo3d.core.sector import Fan
from echo3d.core.views import View
from echo3d.reconstruction.raster import NETWORK_GRID, to_network


def disc(pixel_mm: float, centre_mm: tuple[float, float], radius_mm: float, *, tilt: float = 0.0) -> EchoImage:
    height, width = round(200 / pixel_mm), round(260 / pixel_mm)
    rows, columns = (np.mgrid[:height, :width] + 0.5) * pixel_mm
    turn = np.radians(tilt)
    down = np.cos(turn) * centre_mm[0] - np.sin(turn) * centre_mm[1]
    right = np.sin(turn) * centre_mm[0] + np.cos(turn) * centre_mm[1]
    pixels = (np.hypot(rows - down, columns - 130 - right) < radius_mm).astype(np.float32)
    fan = Fan(0.0, width / 2, 42.0, 175 / pixel_mm, tilt)
    return EchoImage(View.A4C, pixels, (pixel_mm, pixel_mm), fan)


@pytest.mark.parametrize("pixel_mm", [0.3, 0.5, 0.8, 1.3])
def test_a_disc_keeps_its_size_and_place_at_any_resolution(pixel_mm: float) -> None:
    picture, seen = to_network(disc(pixel_mm, (100.0, 20.0), 25.0))
    mm = NETWORK_GRID.plane_mm()
    assert picture.sum() * NETWORK_GRID.pixel_mm**2 == pytest.approx(np.pi * 25**2, rel=0.02)
    assert np.allclose((mm * picture[..., None]).sum(axis=(0, 1)) / picture.sum(), (100, 20), atol=0.6)
    assert seen.max() == 1


def test_a_tilted_fan_is_turned_upright() -> None:
    picture, _ = to_network(disc(0.5, (100.0, 0.0), 20.0, tilt=8.0))
    mm = NETWORK_GRID.plane_mm()
    assert np.allclose((mm * picture[..., None]).sum(axis=(0, 1)) / picture.sum(), (100, 0), atol=0.8)


def test_nothing_outside_the_fan_is_seen() -> None:
    image = EchoImage(View.A2C, np.ones((400, 400), np.float32), (0.5, 0.5), Fan(0.0, 200.0, 30.0, 320.0))
    picture, seen = to_network(image)
    assert (picture[seen == 0] == 0).all()
    assert seen.sum() * NETWORK_GRID.pixel_mm**2 == pytest.approx(np.radians(60) / 2 * 160**2, rel=0.02)


def test_without_calibration_the_fan_is_taken_to_be_sixteen_centimetres_deep() -> None:
    image = EchoImage(None, np.ones((500, 500), np.float32), None, Fan(0.0, 250.0, 35.0, 480.0))
    assert np.flatnonzero(to_network(image)[1].any(axis=1)).max() * NETWORK_GRID.pixel_mm == pytest.approx(160, abs=2)

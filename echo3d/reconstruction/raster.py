"""The raster every picture is brought onto before a network sees it: fixed millimetres per pixel, so that size survives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from echo3d.core.images import EchoImage
from echo3d.core.sector import PictureGrid

NETWORK_GRID = PictureGrid(112, 112, 1.6)
"""112 x 112 pixels of 1.6 mm: 179 mm deep, 90 mm to each side of the central beam; the fan's tip at the middle of the upper edge."""

ASSUMED_DEPTH_MM = 160.0
"""Depth taken for a picture without calibration; volumes are then withheld, shapes and the EF are free of it."""


def to_network(image: EchoImage) -> NDArray[np.float32]:
    """Return (2, H, W) float32: the picture on the network's raster, and the mask of what was seen.

    The fan's central beam is turned upright, its tip moved to the middle of the upper edge, and everything outside the fan removed.
    """
    row_mm, column_mm = pixel_size(image)
    fan = image.fan
    mm = NETWORK_GRID.plane_mm()
    tilt = np.radians(fan.tilt)
    down = np.cos(tilt) * mm[..., 0] - np.sin(tilt) * mm[..., 1]
    right = np.sin(tilt) * mm[..., 0] + np.cos(tilt) * mm[..., 1]
    row, column = fan.apex_row + down / row_mm - 0.5, fan.apex_column + right / column_mm - 0.5
    height, width = image.pixels.shape
    blur = (0.4 * NETWORK_GRID.pixel_mm / row_mm, 0.4 * NETWORK_GRID.pixel_mm / column_mm)
    soft = ndimage.gaussian_filter(image.pixels, [max(0.0, b - 0.4) for b in blur])
    mean_mm = (row_mm + column_mm) / 2
    seen = NETWORK_GRID.inside(fan.half_angle, fan.radius * mean_mm)
    seen &= (row > -0.5) & (row < height - 0.5) & (column > -0.5) & (column < width - 0.5)
    picture = ndimage.map_coordinates(soft, [row, column], order=1, mode="nearest")
    return np.stack([np.where(seen, picture, 0), seen]).astype(np.float32)


def pixel_size(image: EchoImage) -> tuple[float, float]:
    """Return (row, column) spacing in mm; without calibration the fan is taken to be ``ASSUMED_DEPTH_MM`` deep."""
    if image.pixel_mm is not None:
        return image.pixel_mm
    assumed = ASSUMED_DEPTH_MM / image.fan.radius
    return assumed, assumed

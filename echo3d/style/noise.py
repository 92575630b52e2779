"""The scatterers: complex Gaussian numbers that stand still on the fan, or that hang on the tissue and move with it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from echo3d.style.polar import PolarGrid

SLAB_MM = 3.0
"""Thickness of the slice that one scatterer is seen through, mm. *Source:* our choice, the beam's width in elevation at mid depth."""
_TABLE = 16


@lru_cache(maxsize=8)
def gaussian(seed: int, stream: int, samples: int, lines: int) -> NDArray[np.complex64]:
    """Return (samples, lines) complex Gaussian numbers of unit mean square, the same for the same numbers."""
    parts = np.random.default_rng([seed, stream]).standard_normal((samples, 2 * lines), np.float32)
    parts *= np.float32(np.sqrt(0.5))
    parts.flags.writeable = False
    return parts.view(np.complex64)


def tissue_places(rest_mm: NDArray, fan: PolarGrid) -> NDArray[np.float32]:
    """Return (3, S, L) where tissue lies at rest on the fan's own raster: row, line, and slab across the plane, all fractional.

    Parameters
    ----------
    rest_mm : (S, L, 3) as :class:`echo3d.style.scene.Scene` has it
    """
    deep, aside, off = np.moveaxis(np.asarray(rest_mm, np.float32), -1, 0)
    row = np.hypot(deep, aside) / np.float32(fan.step_mm) - np.float32(0.5)
    line = (np.degrees(np.arctan2(aside, deep)) + np.float32(fan.half_angle)) / np.float32(fan.line_deg) - np.float32(0.5)
    return np.stack([row, line, off / np.float32(SLAB_MM)])


def tissue_noise(places: NDArray[np.float32], seed: int) -> NDArray[np.complex64]:
    """Return (S, L) complex Gaussian numbers of unit mean square that belong to the tissue.

    Every cell of a raster that lies in the tissue at rest has its number, found by a hash of the cell and the seed; between the eight
    cells around a place it is interpolated and brought back to unit power. So what moves within the plane keeps its speckle, and what
    leaves the plane loses it within ``SLAB_MM``.

    Parameters
    ----------
    places : (3, S, L) as :func:`tissue_places` gives them
    seed : of the scatterers
    """
    base = np.floor(places)
    share = places - base
    cells = base.astype(np.int32).astype(np.uint32)
    table = gaussian(seed, 2, 1, 1 << _TABLE)[0]
    total = np.zeros(places.shape[1:], np.complex64)
    power = np.zeros(places.shape[1:], np.float32)
    for corner in np.ndindex(2, 2, 2):
        weight = np.ones_like(power)
        for axis, upper in enumerate(corner):
            weight *= share[axis] if upper else 1 - share[axis]
        total += weight * table[_hashed(cells, corner, seed)]
        power += weight * weight
    return np.asarray(total / np.sqrt(power), np.complex64)


def _hashed(cells: NDArray[np.uint32], corner: tuple[int, ...], seed: int) -> NDArray[np.uint32]:
    """Return (S, L) a place in the table for each cell: three odd multipliers, then two rounds of shift and multiply."""
    mixed = np.full(cells.shape[1:], seed & 0xFFFFFFFF, np.uint32)
    for axis, factor in enumerate((0x8DA6B343, 0xD8163841, 0xCB1AB31F)):
        mixed ^= (cells[axis] + np.uint32(corner[axis])) * np.uint32(factor)
    for factor in (0x7FEB352D, 0x846CA68B):
        mixed ^= mixed >> np.uint32(15)
        mixed *= np.uint32(factor)
    return np.asarray(mixed >> np.uint32(32 - _TABLE))


def at_places(field: NDArray[np.float32], places: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (S, L) values of a smooth field (S, L) on the fan's raster at the nearest row and line; the ends hold."""
    rows = np.clip(np.rint(places[0]), 0, field.shape[0] - 1).astype(np.int32)
    columns = np.clip(np.rint(places[1]), 0, field.shape[1] - 1).astype(np.int32)
    return field.ravel().take(rows * np.int32(field.shape[1]) + columns)

"""The scatterers: complex Gaussian numbers that stand still on the fan, or that hang on the tissue and move with it."""

from __future__ import annotations

from functools import lru_cache
from itertools import product

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
    shares = places - base
    cells = base.astype(np.int32).astype(np.uint32)
    sides = [_sides(*axis) for axis in zip(cells, shares, _FACTORS, strict=True)]
    table = gaussian(seed, 2, 1, 1 << _TABLE)[0]
    total = np.zeros(places.shape[1:], np.complex64)
    power = np.zeros(places.shape[1:], np.float32)
    for (row, row_weight), (line, line_weight) in product(*sides[:2]):
        mixed, weight = row ^ line ^ np.uint32(seed & 0xFFFFFFFF), row_weight * line_weight
        for slab, slab_weight in sides[2]:
            corner = weight * slab_weight
            total += corner * table.take(_hashed(mixed ^ slab))
            power += corner * corner
    total /= np.sqrt(power)
    return total


Side = tuple[NDArray[np.uint32], NDArray[np.float32]]
"""The cells on one side of all places along one axis, spread out by a multiplier, and the places' weights there."""

_FACTORS = (0x8DA6B343, 0xD8163841, 0xCB1AB31F)
"""Odd numbers near the top of 32 bits. *Source:* our choice; the hash is tested for whiteness."""


def _sides(cells: NDArray[np.uint32], share: NDArray[np.float32], factor: int) -> tuple[Side, Side]:
    """Return the cells before and after each place along an axis."""
    spread = cells * np.uint32(factor)
    return (spread, 1 - share), (spread + np.uint32(factor), share)


def _hashed(mixed: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return a place in the table for each cell: two rounds of shift and multiply, then the upper bits."""
    for factor in (0x7FEB352D, 0x846CA68B):
        mixed = (mixed ^ (mixed >> np.uint32(15))) * np.uint32(factor)
    return np.asarray(mixed >> np.uint32(32 - _TABLE))


def at_places(field: NDArray[np.float32], places: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (S, L) values of a smooth field (S, L) on the fan's raster at the nearest row and line; the ends hold."""
    rows = np.clip(np.rint(places[0]), 0, field.shape[0] - 1).astype(np.int32)
    columns = np.clip(np.rint(places[1]), 0, field.shape[1] - 1).astype(np.int32)
    return field.ravel().take(rows * np.int32(field.shape[1]) + columns)

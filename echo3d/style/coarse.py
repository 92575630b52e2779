"""What varies slowly over a fan, worked out on a coarse copy: how walls lie, how fibres run, what lies around the heart."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from echo3d.style.draws import SpeckleDraw
from echo3d.style.polar import PolarGrid

Maps = NDArray[np.float32]

COARSE = (64, 48)
HELIX_DEG = 60.0
"""Angle of the fibres against the circumference at the inner wall; the opposite at the outer. *Source:* the classical helix of the LV."""
_FAR_MM = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class Slow:
    """Maps (S, L) float32 over the whole fan.

    Parameters
    ----------
    facing : 0-1, how square a wall nearby lies to the beam, as the power that mirror echoes fall off with
    lost : dB lost in walls that run along the beam
    fibre : dB lost in muscle whose fibres run along the beam
    gained : dB gained behind blood
    around : dB, level of what lies around the heart
    """

    facing: Maps
    lost: Maps
    fibre: Maps
    gained: Maps
    around: Maps


def slow_maps(density: Maps, fan: PolarGrid, draw: SpeckleDraw, *, long_axis: float) -> Slow:
    """Return the slow maps of a slice.

    Parameters
    ----------
    density : (S, L) blood 0, heart wall 1, surroundings 2
    fan, draw : the fan and the drawn levels
    long_axis : share of the LV's long axis within the plane, see :class:`echo3d.style.scene.Scene`
    """
    coarse = np.asarray(pool(fan.samples, COARSE[0]) @ density @ pool(fan.lines, COARSE[1]).T, np.float32)
    # Half way from blood to wall, and from wall to surroundings, the smoothed density is 0.5 and 1.5: the wall's two sides.
    place = np.asarray(2 * (blur(COARSE[0], 1.5) @ coarse @ blur(COARSE[1], 1.5).T) - 1, np.float32)
    along, tangent = _along(coarse, fan)
    gained = np.cumsum(np.clip(1 - coarse, 0, 1), axis=0) * np.float32(fan.depth / COARSE[0] / 10 * draw.enhancement_db_per_cm)
    maps = (
        np.clip(1 - along, 0, 1) ** np.float32(draw.specular_power / 2),
        along * np.float32(draw.dropout_db),
        tangent * fibre_share(place, long_axis) * np.float32(draw.fibre_db),
        gained - gained.mean(),
        _around(coarse, fan, draw),
    )
    down, across = stretch(COARSE[0], fan.samples), stretch(COARSE[1], fan.lines).T
    return Slow(*((down @ (one @ across)) for one in maps))


def fibre_share(place: Maps, long_axis: float) -> Maps:
    """Return the share of a fibre that lies along the picture's wall, squared.

    A fibre is ``cos a`` along the circumference and ``sin a`` along the long axis; of these the picture's plane holds
    ``1 - long_axis**2`` and ``long_axis**2``.

    Parameters
    ----------
    place : where in the wall, from 0 at the inner to 2 at the outer side; beyond them as at them
    long_axis : share of the LV's long axis within the plane

    >>> fibre_share(np.array([0.0, 1.0, 2.0], np.float32), 1.0).round(2)
    array([0.75, 0.  , 0.75], dtype=float32)
    """
    lifted = np.square(np.sin(np.float32(np.radians(HELIX_DEG)) * (1 - np.clip(place, 0, 2))))
    return np.float32(long_axis**2) * lifted + np.float32(1 - long_axis**2) * (1 - lifted)


def _along(coarse: Maps, fan: PolarGrid) -> tuple[Maps, Maps]:
    """Return the coarse share 0-1 in which the wall nearby runs along the beam, and the same from further around, for thick walls."""
    step = fan.depth / COARSE[0]
    radii = (np.arange(COARSE[0], dtype=np.float32) + np.float32(0.5)) * np.float32(step)
    width = radii * np.float32(np.radians(2 * fan.half_angle / COARSE[1]))
    beam = blur(COARSE[0], 1.5) @ np.square(np.gradient(coarse, step, axis=0)) @ blur(COARSE[1], 1.5)
    side = blur(COARSE[0], 1.5) @ np.square(np.gradient(coarse, axis=1) / width[:, None]) @ blur(COARSE[1], 1.5)
    wide = [blur(COARSE[0], 2.5) @ one @ blur(COARSE[1], 2.5) for one in (side, beam)]
    return (side + np.float32(2e-4)) / (side + beam + np.float32(2e-3)), wide[0] / (wide[0] + wide[1] + np.float32(1e-5))


def _around(coarse: Maps, fan: PolarGrid, draw: SpeckleDraw) -> Maps:
    """Return the coarse level of what lies around the heart: fat upon it, a tail behind it, soft tissue or lung beside it, dB."""
    depth = np.asarray((np.arange(COARSE[0])[:, None] + 0.5) * fan.depth / COARSE[0], np.float32)
    heart = coarse < 1.5
    behind = depth - np.maximum.accumulate(np.where(heart, depth, np.float32(-1e3)), axis=0)
    before = np.minimum.accumulate(np.where(heart, depth, np.float32(1e4))[::-1], axis=0)[::-1] - depth
    beside = ~heart.any(axis=0) * _step(np.asarray((depth - draw.chest_mm) / 5, np.float32))
    level = draw.outside_db + np.float32(draw.side_db) * beside
    level = level - np.float32(draw.tail_db_per_cm / 10) * np.where(behind < 500, np.minimum(behind, np.float32(_FAR_MM)), np.float32(0))
    level = blur(COARSE[0], 1.0) @ level.astype(np.float32) @ blur(COARSE[1], 2.0).T
    if draw.fat_mm > 0:
        fat = np.exp(-np.square(np.minimum(behind, before) / np.float32(draw.fat_mm)))
        level += fat * (np.float32(draw.fat_db) - level)
    return np.asarray(level, np.float32)


def _step(value: Maps) -> Maps:
    """Return the logistic step."""
    return np.asarray(1 / (1 + np.exp(-value)), np.float32)


@lru_cache(maxsize=32)
def pool(fine: int, coarse: int) -> Maps:
    """Return the (coarse, fine) matrix that averages shares of a row of ``fine`` samples."""
    edges = np.arange(coarse + 1) * fine / coarse
    cells = np.arange(fine)
    overlap = np.minimum(edges[1:, None], cells + 1) - np.maximum(edges[:-1, None], cells)
    return _fixed(np.clip(overlap, 0, None) * coarse / fine)


@lru_cache(maxsize=32)
def stretch(coarse: int, fine: int) -> Maps:
    """Return the (fine, coarse) matrix that interpolates linearly between cell centres and holds the ends."""
    at = np.clip((np.arange(fine) + 0.5) * coarse / fine - 0.5, 0, coarse - 1)
    return _fixed(np.clip(1 - np.abs(at[:, None] - np.arange(coarse)), 0, None))


@lru_cache(maxsize=32)
def blur(size: int, sigma: float) -> Maps:
    """Return the (size, size) matrix of a Gaussian mean; symmetric but for the ends, where it stays a mean."""
    kernel = np.exp(-0.5 * np.square((np.arange(size)[:, None] - np.arange(size)) / sigma))
    return _fixed(kernel / kernel.sum(axis=1, keepdims=True))


def _fixed(matrix: NDArray[np.float64]) -> Maps:
    """Return a read-only float32 copy, safe to keep in a cache."""
    kept = np.ascontiguousarray(matrix, np.float32)
    kept.flags.writeable = False
    return kept

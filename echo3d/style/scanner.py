"""What hands and machines do to an echo picture: gain, clutter, shadows, blur, grey curve, noise, a colour box, a narrower fan.

Every function takes pictures (P, H, W) with their rows of numbers (see :class:`echo3d.style.randomise.Randomisation`) and returns new ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.float32]

REFERENCE_HEIGHT = 112
"""Pixels of the height for which the blur is stated."""
_PIVOT = np.float32(0.2)
"""Grey value that another dynamic range leaves in place: about that of muscle, on which users set the gain."""
_GHOST_FLOOR = np.float32(0.35)
_DEPTHS = 256
_FLOW, _HAZE, _NOISE, _MOTTLE = range(1, 5)
_LIST = 2**19


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What belongs to the pictures of one step: ``values`` (P, ...) of its effect, ``inside`` (P, H, W) and ``seed`` (P,)."""

    values: Pictures
    inside: NDArray[np.bool_]
    seed: NDArray[np.int64]

    def columns(self, *, dims: int = 2) -> list[Pictures]:
        """Return the numbers of the last axis one by one, each (P, 1, ...) so that it stretches over ``dims`` axes."""
        return [self.values[..., at].reshape(-1, *(1,) * dims) for at in range(self.values.shape[-1])]

    def normal(self, stream: int, shape: tuple[int, ...]) -> Pictures:
        """Return (P, *shape) normal numbers, each picture's from its own seed."""
        return np.stack([np.random.default_rng([int(seed), stream]).standard_normal(shape, np.float32) for seed in self.seed])


def uneven(pictures: Pictures, rows: Rows) -> Pictures:
    """Return pictures that are brighter here and darker there."""
    return pictures * spread(rows.values, pictures.shape[1:])


def depth_gain(pictures: Pictures, rows: Rows) -> Pictures:
    """Return pictures whose depths are amplified by the drawn factors."""
    shape = pictures.shape[1:]
    curve = np.clip(rows.values @ _line(rows.values.shape[1], _DEPTHS).T, 0, None)
    depth = np.minimum(polar(shape)[0] * _DEPTHS, _DEPTHS - 1).astype(np.intp)
    return pictures * curve[:, depth]


def ghosts(pictures: Pictures, rows: Rows) -> Pictures:
    """Return pictures with faint copies of their bright structures, turned about the tip as side lobes show them."""
    shape = pictures.shape[1:]
    radius, angle = polar(shape)
    level, turn, slope = rows.columns()
    bright = np.clip(pictures - _GHOST_FLOOR, 0, None) / (1 - _GHOST_FLOOR)
    picture, result = np.arange(len(pictures))[:, None, None], pictures
    for side in (-1, 1):
        deep = radius * (1 + slope * np.radians(turn))
        at = np.radians(angle + side * turn)
        row, column = np.floor(deep * np.cos(at) * shape[0]), np.floor(deep * np.sin(at) * shape[0] + shape[1] / 2)
        found = (row >= 0) & (row < shape[0]) & (column >= 0) & (column < shape[1])
        copy = bright[picture, np.where(found, row, 0).astype(np.intp), np.where(found, column, 0).astype(np.intp)]
        result = result + level * (1 - np.clip(result, 0, 1)) * copy * found
    return result


def haze(pictures: Pictures, rows: Rows) -> Pictures:
    """Return pictures with mottled clutter before the probe."""
    level, depth = rows.columns()
    shape = pictures.shape[1:]
    mottle = 1 + np.float32(0.35) * spread(rows.normal(_HAZE, (24, 24)), shape)
    veil = level * np.exp(-polar(shape)[0] / depth) * np.clip(mottle, 0, 2)
    return pictures + (1 - np.clip(pictures, 0, 1)) * np.clip(veil, 0, 1)


def shadows(pictures: Pictures, rows: Rows) -> Pictures:
    """Return pictures with dark wedges behind ribs and lung."""
    radius, angle = polar(pictures.shape[1:])
    for dark, centre, width, start in _parts(rows):
        wedge = np.clip(dark, 0, 1) * np.exp(-np.square((angle - centre) / width))
        pictures = pictures * (1 - wedge * np.clip((radius - start) * 30, 0, 1))
    return pictures


def dropout(pictures: Pictures, rows: Rows) -> Pictures:
    """Return pictures with soft dark patches."""
    height, width = pictures.shape[1:]
    at_row, at_column = (np.arange(height, dtype=np.float32) + np.float32(0.5)) / height, _across(height, width)
    for dark, row, column, size in _parts(rows):
        down = np.exp(-np.square((at_row - row[..., 0]) / size[..., 0])) * np.clip(dark[..., 0], 0, 1)
        side = np.exp(-np.square((at_column - column[..., 0]) / size[..., 0]))
        pictures = pictures * (1 - down[:, :, None] * side[:, None, :])
    return pictures


def blurred(pictures: Pictures, rows: Rows) -> Pictures:
    """Return pictures seen by a longer pulse and a wider beam; near the middle beam these lie along rows and columns."""
    height, width = pictures.shape[1:]
    scale = height / REFERENCE_HEIGHT
    return np.asarray(
        _gaussian(height, scale * rows.values[:, 0]) @ pictures @ _gaussian(width, scale * rows.values[:, 1]).transpose(0, 2, 1), np.float32
    )


def displayed(pictures: Pictures, rows: Rows) -> Pictures:
    """Return pictures after another dynamic range, exponent, S-shaped curve and gain; black stays black."""
    gamma, stretch, bend, gain = rows.columns()
    grey = pictures * stretch
    grey += _PIVOT * (1 - stretch)
    np.clip(grey, 0, 1, out=grey)
    grey *= pictures > 0
    np.power(grey, np.clip(gamma, 0.05, None), out=grey)
    if bend.any():
        grey += bend * grey * (1 - grey) * (2 * grey - 1)
    grey *= gain
    return grey


def noisy(pictures: Pictures, rows: Rows) -> Pictures:
    """Return pictures with electronic noise: each picture's is a run of one long list of normal numbers, from a place of its own."""
    size = pictures[0].size
    numbers = _normal_numbers(max(_LIST, 2 * size))
    result = pictures.copy()
    for at, (level, seed) in enumerate(zip(rows.values, rows.seed, strict=True)):
        start = int(np.random.default_rng([int(seed), _NOISE]).integers(len(numbers) - size))
        result[at] += level * numbers[start : start + size].reshape(pictures.shape[1:])
    return result


@lru_cache(maxsize=2)
def _normal_numbers(count: int) -> Pictures:
    """Return (count,) normal numbers, always the same."""
    numbers = np.random.default_rng(20250508).standard_normal(count, np.float32)
    numbers.flags.writeable = False
    return numbers


def flow(pictures: Pictures, rows: Rows) -> Pictures:
    """Return pictures with a colour box as it comes out in grey: mottled patches inside a thin outline."""
    shape = pictures.shape[1:]
    radius, angle = polar(shape)
    level, near, middle, half, empty = rows.columns()
    edge = np.maximum(np.abs(radius - near - 0.2) - 0.2, (np.abs(angle - middle) - half) / 120)  # below zero inside, in heights
    patches = spread(rows.normal(_FLOW, (9, 9)), shape) + 1.5 * (0.5 - empty)
    mottle = level * np.abs(0.3 + 0.25 * spread(rows.normal(_MOTTLE, (40, 40)), shape))
    filled = np.where((edge < 0) & (patches > 0), mottle, pictures)
    return np.where(np.abs(edge) < 0.005, np.clip(level, 0, 1), filled).astype(np.float32)


def cut(pictures: Pictures, rows: Rows) -> Pictures:
    """Return pictures whose fan is narrower and shallower: black where it was."""
    return pictures * kept(rows.inside, rows.values)


def kept(inside: NDArray[np.bool_], shares: Pictures) -> NDArray[np.bool_]:
    """Return (P, H, W) what remains after the shares (P, 3) of half opening at left and right and of depth are cut from fans."""
    radius, angle = polar(inside.shape[1:])
    left = np.where(inside, angle, 0).min(axis=(1, 2), keepdims=True)
    right = np.where(inside, angle, 0).max(axis=(1, 2), keepdims=True)
    deep = np.where(inside, radius, 0).max(axis=(1, 2), keepdims=True)
    stay = 1 - np.clip(shares.reshape(-1, 3, 1, 1), 0, 0.95)
    return (angle >= left * stay[:, 0]) & (angle <= right * stay[:, 1]) & (radius <= deep * stay[:, 2])


def spread(coarse: Pictures, shape: tuple[int, ...]) -> Pictures:
    """Return (P, H, W) of fields (P, h, w), linear between the cells' centres and held at the ends."""
    return np.asarray(_line(coarse.shape[1], shape[0]) @ coarse @ _line(coarse.shape[2], shape[1]).T, np.float32)


@lru_cache(maxsize=8)
def polar(shape: tuple[int, ...]) -> tuple[Pictures, Pictures]:
    """Return (H, W) distance from the tip in heights of the picture, and degrees against straight down, positive to the right."""
    down = ((np.arange(shape[0]) + 0.5) / shape[0])[:, None]
    side = _across(shape[0], shape[1])[None]
    radius, angle = np.hypot(down, side).astype(np.float32), np.degrees(np.arctan2(side, down)).astype(np.float32)
    radius.flags.writeable = angle.flags.writeable = False
    return radius, angle


def _across(height: int, width: int) -> Pictures:
    """Return (W,) places of columns from the middle, in heights."""
    return ((np.arange(width) + 0.5 - width / 2) / height).astype(np.float32)


def _parts(rows: Rows) -> list[list[Pictures]]:
    """Return for each part (P, K, C) that any picture has its columns, each (P, 1, 1)."""
    parts = [Rows(rows.values[:, part], rows.inside, rows.seed).columns() for part in range(rows.values.shape[1])]
    return [columns for columns in parts if columns[0].any()]


@lru_cache(maxsize=32)
def _line(coarse: int, fine: int) -> Pictures:
    """Return the (fine, coarse) matrix that interpolates linearly between cell centres and holds the ends."""
    at = np.clip((np.arange(fine) + 0.5) * coarse / fine - 0.5, 0, coarse - 1)
    weights = np.clip(1 - np.abs(at[:, None] - np.arange(coarse)), 0, None).astype(np.float32)
    weights.flags.writeable = False
    return weights


def _gaussian(size: int, sigma: Pictures) -> Pictures:
    """Return (P, size, size) matrices of Gaussian means with a standard deviation in pixels; each row sums to 1."""
    gap = np.square(np.arange(size, dtype=np.float32)[:, None] - np.arange(size, dtype=np.float32))
    kernel = np.exp(gap * (np.float32(-0.5) / np.square(np.maximum(sigma, np.float32(0.05))))[:, None, None])
    return kernel / kernel.sum(axis=2, keepdims=True)

"""Beams and samples of a fan, and their conversion to a picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from echo3d.core.sector import PictureGrid, Sector
from echo3d.errors import ShapeError


@dataclass(frozen=True, slots=True)
class PolarGrid:
    """The samples of a fan along its beams, before scan conversion.

    Parameters
    ----------
    samples : samples along a beam; each stands for the middle of its share of the depth
    lines : beams across the fan; each stands for the middle of its share of the opening
    half_angle : degrees, half the opening
    depth : mm, the length of the beams

    Raises
    ------
    ShapeError
        If there are fewer than two samples or lines, or the fan is no fan.

    >>> PolarGrid(4, 2, 40.0, 100.0).radii()
    array([12.5, 37.5, 62.5, 87.5])
    """

    samples: int
    lines: int
    half_angle: float
    depth: float

    def __post_init__(self) -> None:
        if self.samples < 2 or self.lines < 2:
            raise ShapeError(f"a fan needs at least two samples and two lines, found {self.samples} and {self.lines}")
        if not 0 < self.half_angle < 90 or not self.depth > 0:
            raise ShapeError(f"a fan opens 0-90 degrees to each side and has a depth, found {self.half_angle} and {self.depth}")

    @property
    def step_mm(self) -> float:
        """Distance between two samples along a beam, mm."""
        return self.depth / self.samples

    @property
    def line_deg(self) -> float:
        """Angle between two neighbouring beams, degrees."""
        return 2 * self.half_angle / self.lines

    def radii(self) -> NDArray[np.float64]:
        """Return (samples,) distances from the fan's tip, mm."""
        return (np.arange(self.samples, dtype=np.float64) + 0.5) * self.step_mm

    def angles(self) -> NDArray[np.float64]:
        """Return (lines,) angles against the central beam, degrees, positive towards the picture's right.

        >>> PolarGrid(4, 2, 40.0, 100.0).angles()
        array([-20.,  20.])
        """
        return (np.arange(self.lines, dtype=np.float64) + 0.5) * self.line_deg - self.half_angle

    def plane_mm(self) -> NDArray[np.float64]:
        """Return (samples, lines, 2) positions as (depth along the central axis, lateral) in mm.

        >>> PolarGrid(2, 2, 60.0, 100.0).plane_mm()[0].round(2)
        array([[ 21.65, -12.5 ],
               [ 21.65,  12.5 ]])
        """
        turn = np.radians(self.angles())
        return self.radii()[:, None, None] * np.stack([np.cos(turn), np.sin(turn)], axis=-1)


def polar_of(sector: Sector, samples: int = 256, lines: int = 96) -> PolarGrid:
    """Return the polar grid that covers the whole fan of a sector."""
    return PolarGrid(samples, lines, sector.half_angle, sector.depth)


def scan_convert(polar: NDArray[np.float32], fan: PolarGrid, grid: PictureGrid) -> NDArray[np.float32]:
    """Return the picture of samples on beams, zero outside the fan.

    Where a pixel is longer than a sample the samples under it are averaged, as they are when a scanner's own picture is made smaller;
    across the beams it is interpolated linearly.

    Parameters
    ----------
    polar : (samples, lines) float32
    fan : where the samples lie
    grid : the picture's raster, whose upper edge has the fan's tip in its middle

    Returns
    -------
    (height, width) float32

    Raises
    ------
    ShapeError
        If ``polar`` has not the shape of ``fan``.

    >>> scan_convert(np.ones((8, 8), np.float32), PolarGrid(8, 8, 45.0, 8.0), PictureGrid(2, 4, 4.0))
    array([[0., 1., 1., 0.],
           [0., 1., 1., 0.]], dtype=float32)
    """
    check_polar(polar, fan)
    pixels, corner, down, across = _bilinear(fan, grid)
    flat = _average_along_beams(polar, grid.pixel_mm / fan.step_mm).ravel()
    upper = flat.take(corner)
    upper += across * (flat.take(corner + 1) - upper)
    below = corner + fan.lines
    lower = flat.take(below)
    lower += across * (flat.take(below + 1) - lower)
    picture = np.zeros(grid.height * grid.width, np.float32)
    picture[pixels] = upper + down * (lower - upper)
    return picture.reshape(grid.height, grid.width)


def check_polar(polar: NDArray, fan: PolarGrid) -> None:
    """Raise ShapeError unless ``polar`` has the shape of ``fan``."""
    if polar.shape != (fan.samples, fan.lines):
        raise ShapeError(f"an array on this fan must have shape {(fan.samples, fan.lines)}, found {polar.shape}")


def shifted_sum(rows: NDArray, weights: tuple[float, ...]) -> NDArray:
    """Return each row's symmetric weighted sum with its neighbours along the first axis; the ends are repeated.

    Parameters
    ----------
    rows : (S, L), real or complex
    weights : weight of the row itself, of the two next to it, of the two after these, ...

    >>> shifted_sum(np.array([[0.0], [4.0], [0.0]]), (0.5, 0.25)).ravel()
    array([1., 2., 1.])
    """
    reach = len(weights) - 1
    total = rows * rows.real.dtype.type(weights[0])
    if reach == 0:
        return total
    count = len(rows)
    padded = np.concatenate([rows[:1].repeat(reach, 0), rows, rows[-1:].repeat(reach, 0)])
    for offset, weight in enumerate(weights[1:], start=1):
        pair = padded[reach - offset : reach - offset + count] + padded[reach + offset : reach + offset + count]
        pair *= rows.real.dtype.type(weight)
        total += pair
    return total


def _average_along_beams(polar: NDArray[np.float32], width: float) -> NDArray[np.float32]:
    """Return the running mean over ``width`` samples, with shares at both ends; unchanged where a pixel is no longer than a sample."""
    if width <= 1:
        return polar
    reach = int(np.ceil((width - 1) / 2))
    last = (width - 1) / 2 - (reach - 1)
    shares = [1.0] * reach + [last]
    return shifted_sum(polar, tuple(share / width for share in shares))


@lru_cache(maxsize=8)
def _pixel_polar(grid: PictureGrid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return flat (radius mm, angle degrees) of all pixels of a raster."""
    mm = grid.plane_mm()
    radius = np.hypot(mm[..., 0], mm[..., 1]).ravel()
    angle = np.degrees(np.arctan2(mm[..., 1], mm[..., 0])).ravel()
    radius.flags.writeable = angle.flags.writeable = False
    return radius, angle


@lru_cache(maxsize=8)
def _bilinear(fan: PolarGrid, grid: PictureGrid) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32], NDArray[np.float32]]:
    """Return of the pixels inside the fan: flat index, upper left sample, and the shares of the sample below and to the right."""
    radius, angle = _pixel_polar(grid)
    pixels = np.flatnonzero((radius <= fan.depth) & (np.abs(angle) <= fan.half_angle))
    row, down = _split(radius[pixels] / fan.step_mm - 0.5, fan.samples)
    column, across = _split((angle[pixels] + fan.half_angle) / fan.line_deg - 0.5, fan.lines)
    return pixels, row * fan.lines + column, down, across


def _split(position: NDArray[np.float64], count: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return the index at or before each position, at most ``count - 2``, and the share of the next one, both held inside the array."""
    held = np.clip(position, 0, count - 1)
    index = np.minimum(held.astype(np.intp), count - 2)
    return index, (held - index).astype(np.float32)

"""The fan of an echo view in space, its picture grid, and the slice seen through it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from echo3d.core.arrays import frozen_array, unit
from echo3d.core.views import View
from echo3d.errors import ShapeError


@dataclass(frozen=True, slots=True, eq=False)
class Sector:
    """A fan in space: where the probe stands, where it looks, how wide and how deep.

    Parameters
    ----------
    origin : (3,) mm, the tip of the fan
    axis : (3,) unit vector of the central beam (picture: downwards)
    lateral : (3,) unit vector across the beams (picture: to the right), at right angles to ``axis``
    half_angle : degrees, half the opening
    depth : mm, the length of the beams
    """

    origin: NDArray[np.float64]
    axis: NDArray[np.float64]
    lateral: NDArray[np.float64]
    half_angle: float
    depth: float

    def __post_init__(self) -> None:
        for name in ("origin", "axis", "lateral"):
            object.__setattr__(self, name, frozen_array(getattr(self, name), np.float64, (3,), name))
        square = abs(np.linalg.norm(self.axis) - 1) < 1e-6 and abs(np.linalg.norm(self.lateral) - 1) < 1e-6
        if not square or abs(float(self.axis @ self.lateral)) > 1e-6:
            raise ShapeError("axis and lateral must be unit vectors at right angles")
        if not 5 <= self.half_angle <= 89 or not 10 <= self.depth <= 500:
            raise ShapeError(f"a fan opens 5-89 degrees to each side and is 10-500 mm deep, found {self.half_angle} and {self.depth}")

    @property
    def normal(self) -> NDArray[np.float64]:
        """Unit normal of the plane: ``lateral x axis``, towards the viewer's back."""
        return np.cross(self.lateral, self.axis)

    def world(self, plane_mm: NDArray) -> NDArray[np.float64]:
        """Return world points (..., 3) of plane coordinates (..., 2) given as (depth, lateral) in mm.

        >>> s = Sector(np.zeros(3), np.array([0, 0, 1.0]), np.array([1.0, 0, 0]), 40, 150)
        >>> s.world(np.array([100.0, 5.0]))
        array([  5.,   0., 100.])
        """
        return self.origin + plane_mm[..., :1] * self.axis + plane_mm[..., 1:] * self.lateral

    def plane(self, points: NDArray) -> NDArray[np.float64]:
        """Return (depth, lateral, elevation) in mm of world points (..., 3); the inverse of :meth:`world` within the plane."""
        return (points - self.origin) @ np.stack([self.axis, self.lateral, self.normal], axis=1)


def sector_towards(origin: NDArray, target: NDArray, right: NDArray, half_angle: float, depth: float) -> Sector:
    """Return the fan at ``origin`` that looks at ``target`` with ``right`` (made square) towards the picture's right."""
    axis = unit(np.asarray(target, float) - origin)
    across = np.asarray(right, float) - (np.asarray(right, float) @ axis) * axis
    return Sector(origin, axis, unit(across), half_angle, depth)


@dataclass(frozen=True, slots=True)
class PictureGrid:
    """The pixel raster of a sector picture; the tip of the fan lies at the middle of the upper edge.

    Parameters
    ----------
    height, width : pixels
    pixel_mm : side of the square pixel, mm
    """

    height: int
    width: int
    pixel_mm: float

    def plane_mm(self) -> NDArray[np.float64]:
        """Return (height, width, 2) pixel centres as (depth, lateral) in mm.

        >>> PictureGrid(2, 2, 1.0).plane_mm()[0, 0]
        array([ 0.5, -0.5])
        """
        rows = (np.arange(self.height) + 0.5) * self.pixel_mm
        columns = (np.arange(self.width) + 0.5 - self.width / 2) * self.pixel_mm
        return np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1)

    def reach(self, half_angle: float, depth: float) -> NDArray[np.int64]:
        """Return per row how far from the middle the fan (degrees, mm) reaches, in half pixels; below 0 where it shows nothing, (height,).

        The fan is as wide as its edge or its arc allows. Rounding can matter for one pixel of a row, the nearest to that width; that one is
        asked for its own distance and angle.

        >>> PictureGrid(3, 4, 1.0).reach(45, 2.5).tolist()
        [1, 3, -1]
        """
        down = (np.arange(self.height) + 0.5) * self.pixel_mm
        edge = np.tan(np.radians(half_angle)) * down if half_angle < 90 else np.inf
        width = np.minimum(edge, np.sqrt(np.maximum(depth**2 - down**2, 0.0)))
        first = (self.width + 1) % 2
        nearest = np.clip(first + 2 * np.rint((2 * width / self.pixel_mm - first) / 2), first, max(self.width - 1, first)).astype(np.int64)
        across = nearest / 2 * self.pixel_mm
        seen = (np.hypot(down, across) <= depth) & (np.degrees(np.arctan2(across, down)) <= half_angle)
        return np.where(seen, nearest, nearest - 2)

    def inside(self, half_angle: float, depth: float) -> NDArray[np.bool_]:
        """Return the (height, width) mask of pixels within the fan (degrees, mm)."""
        offset = np.abs(2 * np.arange(self.width) + 1 - self.width)
        return np.asarray(offset <= self.reach(half_angle, depth)[:, None])


def grid_for(sector: Sector, size: int) -> PictureGrid:
    """Return the square raster of ``size`` pixels that holds the whole fan."""
    across = 2 * sector.depth * np.sin(np.radians(sector.half_angle))
    return PictureGrid(size, size, float(max(sector.depth, across)) / size)


@dataclass(frozen=True, slots=True, eq=False)
class SectorSlice:
    """The heart's labels as one fan sees them.

    Parameters
    ----------
    view : the view, or None for a free plane
    sector : the fan
    labels : (H, W) uint8 structure values [depth row, lateral column]
    inside : (H, W) bool, within the fan
    pixel_mm : mm
    """

    view: View | None
    sector: Sector
    labels: NDArray[np.uint8]
    inside: NDArray[np.bool_]
    pixel_mm: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", frozen_array(self.labels, np.uint8, (None, None), "labels"))
        object.__setattr__(self, "inside", frozen_array(self.inside, np.bool_, self.labels.shape, "inside"))


@dataclass(frozen=True, slots=True)
class Fan:
    """The fan as found in a picture, in pixels.

    Parameters
    ----------
    apex_row, apex_column : the tip; may lie above the picture
    half_angle : degrees
    radius : pixels, tip to the lower arc
    tilt : degrees, central beam against the downward direction, positive towards the right
    """

    apex_row: float
    apex_column: float
    half_angle: float
    radius: float
    tilt: float = 0.0

    def mask(self, height: int, width: int) -> NDArray[np.bool_]:
        """Return the (height, width) mask of pixels whose centre lies in the fan."""
        rows, columns = np.mgrid[:height, :width] + 0.5
        down, right = rows - self.apex_row, columns - self.apex_column
        angle = np.degrees(np.arctan2(right, down)) - self.tilt
        return (np.hypot(down, right) <= self.radius) & (np.abs(angle) <= self.half_angle)

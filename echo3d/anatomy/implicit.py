"""Smooth solids as signed distances on a raster: shapes, soft unions, and their closed surface."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyvista as pv
from numpy.typing import NDArray

Field = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """An axis-parallel raster of points in space.

    Parameters
    ----------
    low : (3,) mm, the first point
    counts : points along x, y and z
    step : mm between neighbours
    """

    low: tuple[float, float, float]
    counts: tuple[int, int, int]
    step: float

    def axes(self) -> tuple[Field, Field, Field]:
        """Return x (X, 1, 1), y (1, Y, 1) and z (1, 1, Z) of the points, mm, ready to broadcast.

        >>> Raster((0, 0, 0), (3, 1, 1), 2.0).axes()[0].ravel()
        array([0., 2., 4.], dtype=float32)
        """
        x, y, z = (
            np.float32(low) + np.float32(self.step) * np.arange(n, dtype=np.float32) for low, n in zip(self.low, self.counts, strict=True)
        )
        return x[:, None, None], y[None, :, None], z[None, None, :]

    def points(self) -> NDArray[np.float64]:
        """Return (X, Y, Z, 3) positions, mm."""
        return np.stack(np.broadcast_arrays(*self.axes()), axis=-1).astype(float)


def raster_over(low: NDArray, high: NDArray, step: float) -> Raster:
    """Return the raster from ``low`` to at least ``high``, both (3,) mm."""
    counts = tuple(int(np.ceil(n)) + 1 for n in (np.asarray(high, float) - low) / step)
    return Raster(tuple(float(v) for v in low), counts, step)  # type: ignore[arg-type]


def ellipsoid(raster: Raster, centre: NDArray, radii: NDArray) -> Field:
    """Return about the distance (mm, negative inside) to an axis-parallel ellipsoid.

    *Source:* Quilez, bound k0 (k0 - 1) / k1; exact for a sphere.
    """
    scaled = [(axis - np.float32(c)) / np.float32(r) for axis, c, r in zip(raster.axes(), centre, radii, strict=True)]
    k0 = np.sqrt(scaled[0] ** 2 + scaled[1] ** 2 + scaled[2] ** 2)
    k1 = np.sqrt(sum((s / np.float32(r)) ** 2 for s, r in zip(scaled, radii, strict=True)))
    return k0 * (k0 - 1) / np.maximum(k1, np.float32(1e-6))


def cone(raster: Raster, ends: NDArray, radii: tuple[float, float]) -> Field:
    """Return the distance (mm, negative inside) to a round stick between two points (2, 3) whose radius runs from one to the other.

    >>> float(cone(Raster((0, 3, 0), (1, 1, 1), 1.0), np.array([[-5.0, 0, 0], [5, 0, 0]]), (1.0, 1.0))[0, 0, 0])
    2.0
    """
    way = (ends[1] - ends[0]).astype(np.float32)
    gone = [axis - np.float32(c) for axis, c in zip(raster.axes(), ends[0], strict=True)]
    share = np.clip((gone[0] * way[0] + gone[1] * way[1] + gone[2] * way[2]) / np.float32(way @ way), 0, 1)
    away = np.sqrt(sum((g - share * w) ** 2 for g, w in zip(gone, way, strict=True)))
    return away - (np.float32(radii[0]) + share * np.float32(radii[1] - radii[0]))


def soft_union(one: Field, other: Field, blend: float) -> Field:
    """Return the union of two solids with their seam rounded over about ``blend`` mm.

    *Source:* Quilez, quadratic polynomial smooth minimum.
    """
    share = np.maximum(np.float32(blend) - np.abs(one - other), 0) / np.float32(blend)
    return np.minimum(one, other) - share * share * np.float32(blend / 4)


def soft_cut(one: Field, other: Field, blend: float) -> Field:
    """Return ``one`` without ``other``, the edge rounded over about ``blend`` mm."""
    return -soft_union(-one, other, blend)


def soft_meet(one: Field, other: Field, blend: float) -> Field:
    """Return what two solids have in common, the edge rounded over about ``blend`` mm."""
    return -soft_union(-one, -other, blend)


def closed_surface(field: Field, raster: Raster) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return the closed surface of a solid, normals outwards; the raster's outermost layer counts as outside.

    Parameters
    ----------
    field : (X, Y, Z) float32 mm, negative inside
    raster : where its values lie

    Returns
    -------
    points : (N, 3) float64 mm
    faces : (F, 3) int32
    """
    shell = np.maximum(field, np.float32(1e-3)) if min(field.shape) < 3 else field.copy()
    for axis in range(3):
        for end in (0, -1):
            rim = np.moveaxis(shell, axis, 0)[end]
            np.maximum(rim, np.float32(0.5 * raster.step), out=rim)
    shell[np.abs(shell) < 1e-3] = 1e-3  # a value of zero on a raster point would make triangles without area
    image = pv.ImageData(dimensions=raster.counts, spacing=(raster.step,) * 3, origin=raster.low)
    image.point_data["field"] = shell.ravel(order="F")
    found = image.contour([0.0], scalars="field", method="flying_edges")
    return _outwards(np.asarray(found.points, float), np.asarray(found.regular_faces, np.int32))


def _outwards(points: NDArray, faces: NDArray) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return the surface wound so that its volume is positive."""
    corners = points[faces]
    signed = np.einsum("fi,fi->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2]))
    return points, faces if signed >= 0 else np.ascontiguousarray(faces[:, ::-1])

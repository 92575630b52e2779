"""The label volume of a heart: the template's, looked up through the inverse of the heart's displacement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import scipy
from numpy.typing import NDArray

from echo3d.core.arrays import frozen_array
from echo3d.core.field import FieldGrid, LabelVolume
from echo3d.core.pose import Pose, unplace
from echo3d.core.sector import PictureGrid, Sector, SectorSlice, grid_for
from echo3d.core.views import View


class Labels(Protocol):
    """Whatever knows the structure at a point: a heart's own label volume, a warped one, or one that a pose has moved."""

    def look_up(self, points: NDArray) -> NDArray[np.uint8]:
        """Return the structure at world points (..., 3) mm; 0 outside."""
        ...


@runtime_checkable
class Material(Protocol):
    """Labels that know where their tissue lies at rest."""

    def rest(self, points: NDArray) -> NDArray[np.float64]:
        """Return where the tissue at world points (..., 3) mm lies in the template at rest, mm."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class PlacedLabels:
    """A heart's labels after a pose has moved the heart.

    Parameters
    ----------
    labels : the heart before
    pose : what moves it
    pivot : (3,) mm, the point it turns about
    """

    labels: Labels
    pose: Pose
    pivot: NDArray[np.float64]

    def look_up(self, points: NDArray) -> NDArray[np.uint8]:
        """Return the structure at world points (..., 3) mm."""
        return self.labels.look_up(unplace(points, self.pose, self.pivot))

    def rest(self, points: NDArray) -> NDArray[np.float64]:
        """Return where the tissue at world points (..., 3) mm lies at rest, mm: for a heart that never moved, where it was placed from."""
        before = unplace(points, self.pose, self.pivot)
        return self.labels.rest(before) if isinstance(self.labels, Material) else before


@dataclass(frozen=True, slots=True, eq=False)
class WarpedLabels:
    """Labels of a heart anywhere in space.

    Parameters
    ----------
    volume : the template's labels
    grid : raster of the inverse field
    inverse : (D, D, D, 3) float32 mm; a world point p shows the template's point p + inverse(p)
    """

    volume: LabelVolume
    grid: FieldGrid
    inverse: NDArray[np.float32]

    def __post_init__(self) -> None:
        side = self.grid.side
        object.__setattr__(self, "inverse", frozen_array(self.inverse, np.float32, (side, side, side, 3), "inverse"))

    def look_up(self, points: NDArray) -> NDArray[np.uint8]:
        """Return the structure at world points (..., 3) mm."""
        return self.volume.look_up(self.rest(points))

    def rest(self, points: NDArray) -> NDArray[np.float64]:
        """Return where the tissue at world points (..., 3) mm lies in the template at rest, mm."""
        return np.asarray(points + sampled(self.inverse, self.grid.index(points)))


def sampled(values: NDArray, index: NDArray) -> NDArray[np.float32]:
    """Return (D, D, D, 3) values at fractional indices (..., 3), linearly, by SciPy's compiled sampler."""
    coordinates = np.moveaxis(index, -1, 0)
    parts = [scipy.ndimage.map_coordinates(values[..., i], coordinates, order=1, mode="nearest") for i in range(3)]
    return np.stack(parts, axis=-1).astype(np.float32)


def inverse_field(
    grid: FieldGrid, nodes: NDArray, *, onto: FieldGrid | None = None, rounds: int = 12, damping: float = 0.7
) -> NDArray[np.float32]:
    """Return the inverse of a map given at raster nodes.

    Parameters
    ----------
    grid : the raster
    nodes : (side³, 3) mm, where the map carries each node
    onto : raster of the inverse with as many nodes, where the heart outgrows the first
    rounds, damping : damped fixed-point steps; undamped ones diverge at end-systole (reference feasibility.md)

    Returns
    -------
    (side, side, side, 3) float32 mm, to be added to a world point

    >>> g = FieldGrid(np.zeros(3), np.full(3, 30.0), 4)
    >>> float(inverse_field(g, g.nodes() + np.array([2.0, 0, 0]))[2, 2, 2, 0].round(3))
    -2.0
    """
    side, rest = grid.side, grid.nodes()
    forward = (nodes - rest).reshape(side, side, side, 3).astype(np.float32)
    world = rest if onto is None else onto.nodes()
    back = -forward.reshape(-1, 3)
    for _ in range(rounds):
        miss = back + sampled(forward, grid.index(world + back))
        back = back - damping * miss
    return back.reshape(side, side, side, 3)


def anchored(grid: FieldGrid, inverse: NDArray, rest: NDArray, moved: NDArray, rounds: int = 3) -> NDArray[np.float32]:
    """Return the inverse field corrected so that surface points go back to where they came from.

    A raster of 4-5 mm rounds off the kink of the motion at the inner wall, which makes a contracted LV 18 % too large in its pictures;
    only the surfaces matter for labels, so the field is made right there.

    Parameters
    ----------
    grid, inverse : the raster and its (side, side, side, 3) inverse field, mm
    rest, moved : (P, 3) points of the template's surfaces and where the heart has them, mm
    rounds : of measuring what is missing and spreading it to the nodes around
    """
    weights = node_weights(grid, moved)
    total = np.maximum(weights.multiply(weights).sum(axis=0).A1, 1e-6)[:, None]
    flat = np.asarray(inverse, dtype=float).reshape(-1, 3)
    for _ in range(rounds):
        missing = rest - moved - weights @ flat
        flat = flat + (weights.multiply(weights).T @ missing) / total
    return flat.reshape(inverse.shape).astype(np.float32)


def node_weights(grid: FieldGrid, points: NDArray) -> scipy.sparse.csr_matrix:
    """Return the (P, side³) trilinear weights of points (P, 3) on a raster."""
    index = np.clip(grid.index(points), 0, grid.side - 1.000001)
    base = np.minimum(index.astype(int), grid.side - 2)
    share = index - base
    corners = np.array(list(np.ndindex(2, 2, 2)))
    nodes = base[:, None] + corners
    columns = (nodes[..., 0] * grid.side + nodes[..., 1]) * grid.side + nodes[..., 2]
    weights = np.prod(np.where(corners, share[:, None], 1 - share[:, None]), axis=2)
    rows = np.arange(0, 8 * len(points) + 1, 8)
    return scipy.sparse.csr_matrix((weights.ravel(), columns.ravel(), rows), shape=(len(points), grid.side**3))


def warp(volume: LabelVolume, grid: FieldGrid, nodes: NDArray, *, rest: NDArray, moved: NDArray) -> WarpedLabels:
    """Return the labels of a heart.

    Parameters
    ----------
    volume : the template's labels
    grid : a raster over the template
    nodes : (side³, 3) mm, where the heart has the raster's nodes
    rest, moved : (P, 3) points of the template's surfaces and where the heart has them, mm
    """
    wide = grid.around(moved)
    return WarpedLabels(volume, wide, anchored(wide, inverse_field(grid, nodes, onto=wide), rest, moved))


def cut(labels: Labels, sector: Sector, *, view: View | None = None, grid: PictureGrid | int = 256) -> SectorSlice:
    """Return what a fan sees of a heart.

    Parameters
    ----------
    labels : the heart
    sector : the fan
    view : the view it stands for
    grid : the picture's raster, or a size for a square one that holds the fan
    """
    raster = grid_for(sector, grid) if isinstance(grid, int) else grid
    inside = raster.inside(sector.half_angle, sector.depth)
    picture = np.zeros(inside.shape, dtype=np.uint8)
    picture[inside] = labels.look_up(sector.world(raster.plane_mm()[inside]))
    return SectorSlice(view, sector, picture, inside, raster.pixel_mm)


def cut_polar(labels: Labels, sector: Sector, plane_mm: NDArray) -> NDArray[np.uint8]:
    """Return the structures at plane coordinates (..., 2) (depth, lateral mm) of a fan; the polar raster of the speckle model."""
    return labels.look_up(sector.world(plane_mm))


def rest_polar(labels: Material, sector: Sector, plane_mm: NDArray) -> NDArray[np.float32]:
    """Return where the tissue at plane coordinates (..., 2) (depth, lateral mm) lies at rest, in the fan's own frame.

    Returns
    -------
    (..., 3) float32 mm as (depth, lateral, elevation), see ``Sector.plane``; what the speckle of a cine hangs on
    """
    return sector.plane(labels.rest(sector.world(plane_mm))).astype(np.float32)

"""Hearts as voxels: which cells of a raster their tissue fills, exactly as the surface that their points span says.

Networks that answer in voxels are compared with those that answer in points on two rasters: the common metric grid, on which size counts,
and each heart's own bounding box, on which it does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from echo3d.anatomy.template import load_template
from echo3d.core.field import FieldGrid
from echo3d.core.structures import TAGS, Structure
from echo3d.errors import ShapeError

SIDE = 128
"""Voxels per axis. *Source:* the paper's Figure 3."""

METRIC = FieldGrid(np.array([-105.6, -98.6, -92.6]), np.array([97.6, 104.6, 110.6]), SIDE)
"""Centres of the common grid's voxels: a cube of 204.8 mm, 1.6 mm a voxel, in the frame that hearts aligned to the template lie in.

The cube holds every drawn heart: 13 956 stored samples reach from (-94.7, -74.7, -87.3) to (90.2, 84.9, 110.5) mm.
"""

TISSUE: tuple[Structure, ...] = tuple(tag for tag in TAGS if tag != Structure.AORTA)
"""What fills a voxel. *Source:* E-Pix2Vox++ fills the meshes of all tags but the aorta (reference science.md C.6)."""

_ASIDE = (1.3e-5, 2.7e-5)
"""How far, in voxels, the rays run beside the voxels' centres, so that none meets an edge that two triangles share."""

_RAYS = 2_000_000
"""Pairs of a triangle and a ray that are looked at together; keeps the memory small where triangles are huge."""


def occupied(points: NDArray, grid: FieldGrid = METRIC, structures: Iterable[Structure] = TISSUE) -> NDArray[np.bool_]:
    """Return which voxels' centres lie in some structures of a heart.

    Parameters
    ----------
    points : (N, 3) the template's points where the heart has them, mm
    grid : the voxels' centres; the common metric grid where not given
    structures : what counts; tissue without the aorta where not given

    Returns
    -------
    (side, side, side) bool

    Raises
    ------
    ShapeError
        If there are not as many points as the template has.

    *Source:* winding number along rays in z through the closed surface of the structures; a fold, which turns tissue inside out, is empty.
    """
    count = len(load_template().points)
    if points.shape != (count, 3):
        raise ShapeError(f"a heart must have the template's {count} points of three coordinates, found the shape {points.shape}")
    return filled(grid.index(points), boundary(tuple(structures)), grid.side)


@lru_cache(maxsize=32)
def boundary(structures: tuple[Structure, ...]) -> NDArray[np.int32]:
    """Return the closed surface round some structures of the template together, (F, 3) with normals outwards."""
    template = load_template()
    behind, front = np.isin(template.sides, structures).T
    faces = template.mesh.faces
    return np.concatenate([faces[behind & ~front], faces[front & ~behind][:, ::-1]])


def filled(index: NDArray, faces: NDArray, side: int) -> NDArray[np.bool_]:
    """Return which cells' centres, whole indices, a closed surface encloses.

    Parameters
    ----------
    index : (N, 3) corners in units of cells
    faces : (F, 3) triangles with normals outwards
    side : cells per axis

    >>> corners = np.array([[0.5, 0.5, 0.5], [9.0, 0.5, 0.5], [0.5, 9.0, 0.5], [0.5, 0.5, 9.0]])
    >>> inside = filled(corners, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]), 8)
    >>> bool(inside[1, 1, 1]), bool(inside[0, 1, 1]), bool(inside[1, 1, 0]), bool(inside[5, 5, 5])
    (True, False, False, False)
    """
    low = np.clip(np.floor(index[faces].min(axis=(0, 1))), 0, side).astype(np.int64)
    size = np.clip(np.ceil(index[faces].max(axis=(0, 1))) + 1, low, side).astype(np.int64) - low
    inside = np.zeros((side, side, side), dtype=bool)
    box = tuple(slice(a, a + n) for a, n in zip(low, size, strict=True))
    inside[box] = _winding(index[faces] - low, (int(size[0]), int(size[1]), int(size[2]))) > 0
    return inside


def _winding(corners: NDArray, size: tuple[int, int, int]) -> NDArray[np.int16]:
    """Return how often triangles (F, 3, 3) go round the centre of each cell of a raster."""
    column, height, turn = _crossings(corners, size[:2])
    first = np.clip(np.ceil(height), 0, size[2]).astype(np.int64)
    entries = np.bincount(column * (size[2] + 1) + first, turn, minlength=size[0] * size[1] * (size[2] + 1))
    winding = np.cumsum(entries.reshape(size[0], size[1], size[2] + 1)[..., : size[2]].astype(np.int16), axis=2, dtype=np.int16)
    return np.asarray(winding)


def _crossings(corners: NDArray, size: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return ray (x * size[1] + y), height and +1 or -1 (into or out of the surface) wherever a ray in z meets a triangle (F, 3, 3)."""
    low = np.clip(np.floor(corners[..., :2].min(axis=1)), 0, size).astype(np.int64)
    span = np.clip(np.ceil(corners[..., :2].max(axis=1)) + 1, low, size).astype(np.int64) - low
    batches = np.cumsum(span.prod(axis=1)) // _RAYS
    borders = np.flatnonzero(np.diff(batches)) + 1
    parts = [_met(*part) for part in zip(*(np.split(values, borders) for values in (corners, low, span)), strict=True)]
    ray, height, turn = (np.concatenate(values) for values in zip(*parts, strict=True))
    return ray[:, 0] * size[1] + ray[:, 1], height, turn


def _met(corners: NDArray, low: NDArray, span: NDArray) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return rays (K, 2), heights and turns where rays meet triangles (F, 3, 3) whose boxes hold ``span`` (F, 2) rays from ``low`` on."""
    counts = span.prod(axis=1)
    which = np.repeat(np.arange(len(corners)), counts)
    rank = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    ray = np.stack(np.divmod(rank, np.maximum(span[which, 1], 1)), axis=1) + low[which]
    a, b, c = (corners[which, k, :2] - ray - _ASIDE for k in range(3))
    shares = np.stack([_across(b, c), _across(c, a), _across(a, b)], axis=1)
    area = shares.sum(axis=1)
    met = (shares * np.sign(area)[:, None] >= 0).all(axis=1) & (area != 0)
    which, shares, area = which[met], shares[met], area[met]
    height = (shares * corners[which, :, 2]).sum(axis=1) / area
    return ray[met], height, -np.sign(area)


def _across(a: NDArray, b: NDArray) -> NDArray[np.float64]:
    """Return the cross products (K,) of vectors (K, 2)."""
    return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])


def own_grid(points: NDArray, side: int = SIDE) -> FieldGrid:
    """Return the voxels' centres of the box that just holds a heart's tissue: the grid on which scale and aspect are normalised away.

    Parameters
    ----------
    points : (N, 3) the template's points where the heart has them, mm
    side : voxels per axis

    *Source:* E-Pix2Vox++, whose truth fills each heart's own bounding box (reference science.md C.6).
    """
    used = points[np.unique(boundary(TISSUE))]
    low, high = used.min(axis=0), used.max(axis=0)
    half = (high - low) / (2 * side)
    return FieldGrid(low + half, high - half, side)


def own_box(occupancy: NDArray) -> NDArray[np.bool_]:
    """Return voxels stretched to fill their raster: the box that just holds them becomes the whole, by the nearest voxel.

    Parameters
    ----------
    occupancy : (side, side, side) bool; nothing filled stays nothing

    >>> box = np.zeros((4, 4, 4), dtype=bool)
    >>> box[1:3, 1:3, 0] = True
    >>> bool(own_box(box).all())
    True
    """
    if not occupancy.any():
        return occupancy
    picked = []
    for axis, side in enumerate(occupancy.shape):
        used = np.flatnonzero(occupancy.any(axis=tuple(k for k in range(3) if k != axis)))
        length = used[-1] + 1 - used[0]
        picked.append(used[0] + (2 * np.arange(side) + 1) * length // (2 * side))
    return np.asarray(occupancy[np.ix_(*picked)])


def iou(one: NDArray, other: NDArray) -> float:
    """Return the overlap of two bool arrays over what either fills; 1 where both are empty.

    >>> iou(np.array([True, True, False]), np.array([True, False, False]))
    0.5
    """
    either = np.count_nonzero(one | other)
    return float(np.count_nonzero(one & other) / either) if either else 1.0


def dice(one: NDArray, other: NDArray) -> float:
    """Return twice the overlap of two bool arrays over the sum of both; 1 where both are empty.

    >>> dice(np.array([True, True, False]), np.array([True, False, False]))
    0.6666666666666666
    """
    both = np.count_nonzero(one) + np.count_nonzero(other)
    return float(2 * np.count_nonzero(one & other) / both) if both else 1.0

"""Many fans through one heart at once: where a few pixels lie in the label volume is worked out, the others lie evenly between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from echo3d.core.arrays import frozen_array
from echo3d.core.field import LabelVolume
from echo3d.core.pose import unplace
from echo3d.core.sector import PictureGrid, Sector, SectorSlice, grid_for
from echo3d.core.views import View
from echo3d.slicing.labelvolume import Labels, PlacedLabels, WarpedLabels, cut

SPACING_MM = 2.5
"""Most that two worked-out pixels of a warped heart lie apart: half of the raster on which its inverse field is known. Our choice: borders
then move by less than 0.2 mm nearly everywhere, which is 0.2 to 0.6 % of the heart's pixels. Baking the labels into a volume of their own
was tried instead; that changes 4 % of the pixels at 1 mm and 2 % at 0.5 mm. How fast it could be was not found out: it was not tuned."""

PLAIN_STEP = 16
"""Pixels from one to the next where nothing is bent, so that any number would do."""


@dataclass(frozen=True, slots=True, eq=False)
class VoxelSpace:
    """Any heart's labels as flat arrays, made ready for many views; :func:`voxel_space` makes it once per heart.

    Parameters
    ----------
    heart : the labels before
    labels : (n,) uint8, the label volume with one voxel of background round it, z fastest
    shape : voxels per axis, background included
    to_voxel : (4, 3) mm and 1 to voxels, ``[x, y, z, 1] @ to_voxel``; the whole part is the voxel's number
    to_node : (4, 3) mm and 1 to fractional nodes of the inverse field
    bend : (3, D³) float32 voxels, the inverse field at its nodes; (3, 0) for a heart that is not warped
    """

    heart: WarpedLabels | LabelVolume
    labels: NDArray[np.uint8]
    shape: tuple[int, int, int]
    to_voxel: NDArray[np.float64]
    to_node: NDArray[np.float64]
    bend: NDArray[np.float32]

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", frozen_array(self.labels, np.uint8, (int(np.prod(self.shape)),), "labels"))
        object.__setattr__(self, "to_voxel", frozen_array(self.to_voxel, np.float64, (4, 3), "to_voxel"))
        object.__setattr__(self, "to_node", frozen_array(self.to_node, np.float64, (4, 3), "to_node"))
        object.__setattr__(self, "bend", frozen_array(self.bend, np.float32, (3, self.side**3), "bend"))

    @property
    def side(self) -> int:
        """Nodes of the inverse field along an axis; 0 for a heart that is not warped."""
        return self.heart.grid.side if isinstance(self.heart, WarpedLabels) else 0

    def look_up(self, points: NDArray) -> NDArray[np.uint8]:
        """Return the structure at world points (..., 3) mm."""
        return self.heart.look_up(points)


def voxel_space(heart: WarpedLabels | LabelVolume) -> VoxelSpace:
    """Return a heart's labels ready for many views."""
    volume = heart.volume if isinstance(heart, WarpedLabels) else heart
    x, y, z = (n + 2 for n in volume.labels.shape)
    padded = np.zeros((x, y, z), np.uint8)
    padded[1:-1, 1:-1, 1:-1] = volume.labels
    inverse = np.linalg.inv(volume.affine)
    to_voxel = np.concatenate([inverse[:3, :3].T, inverse[None, :3, 3] + 1.5])
    to_node, bend = np.zeros((4, 3)), np.zeros((3, 0), np.float32)
    if isinstance(heart, WarpedLabels):
        grid, field = heart.grid, heart.inverse.reshape(-1, 3)
        per_mm = (grid.side - 1) / (grid.high - grid.low)
        to_node, bend = (
            np.concatenate([np.diag(per_mm), (-grid.low * per_mm)[None]]),
            np.ascontiguousarray((field @ to_voxel[:3]).T, np.float32),
        )
    return VoxelSpace(heart, padded.ravel(), (x, y, z), to_voxel, to_node, bend)


def unplaced(labels: Labels) -> tuple[Labels, list[PlacedLabels]]:
    """Return the heart before all poses, and the poses, last one first."""
    poses = []
    while isinstance(labels, PlacedLabels):
        poses.append(labels)
        labels = labels.labels
    return labels, poses


def fan_frame(sector: Sector, grid: PictureGrid, poses: Sequence[PlacedLabels] = ()) -> NDArray[np.float64]:
    """Return the upper left pixel's centre and the ways to the next row and the next column, as the unmoved heart has them.

    Parameters
    ----------
    sector, grid : the fan and its raster
    poses : of the heart, last one first; a moved heart under a fan is a heart at rest under a fan that has been moved back

    Returns
    -------
    (3, 4) mm, a point ending with 1 and two directions ending with 0
    """
    down, across = sector.axis * grid.pixel_mm, sector.lateral * grid.pixel_mm
    start = sector.origin + 0.5 * down + (0.5 - grid.width / 2) * across
    for placed in poses:
        start = unplace(start, placed.pose, placed.pivot)
        down, across = (way @ placed.pose.matrix / placed.pose.scale for way in (down, across))
    return np.stack([[*start, 1.0], [*down, 0.0], [*across, 0.0]])


def step_of(space: VoxelSpace, frame: NDArray) -> int:
    """Return how many pixels lie from one that is worked out to the next.

    Parameters
    ----------
    space : the heart
    frame : (3, 4) of :func:`fan_frame`
    """
    pixel = float(np.linalg.norm(frame[1:, :3], axis=1).max())
    return max(1, int(SPACING_MM / pixel + 1e-6)) if space.side else PLAIN_STEP


def knots(length: int, step: int) -> NDArray[np.float32]:
    """Return the pixels that are worked out along a side, the last one behind its end.

    >>> knots(5, 2).tolist(), knots(4, 4).tolist()
    ([0.0, 2.0, 4.0, 6.0], [0.0, 4.0])
    """
    return (np.arange((length - 1) // step + 2) * step).astype(np.float32)


def straight(frame: NDArray, rows: NDArray, columns: NDArray) -> NDArray[np.float32]:
    """Return places (3, K, L) of rows (K,) and columns (L,) that lie as a frame (3, 3) says: its start, its way down, its way across."""
    start, down, across = frame.astype(np.float32)[..., None, None]
    return (start + rows[:, None] * down) + columns * across


def bent(bend: NDArray, side: int, nodes: NDArray) -> NDArray[np.float32]:
    """Return the inverse field (3, K, L) in voxels at fractional nodes (3, K, L), trilinear; outside, the border's value holds.

    Parameters
    ----------
    bend : (3, D³) float32 voxels
    side : D
    nodes : (3, K, L) float32
    """
    inside = np.clip(nodes, np.float32(0), np.float32(side - 1))
    base = np.minimum(inside.astype(np.int32), np.int32(side - 2))
    u, v, w = inside - base
    first = (base[0] * side + base[1]) * side + base[2]
    corners = first + np.array([(i * side + j) * side + k for k in (0, 1) for j in (0, 1) for i in (0, 1)], np.int32)[:, None, None]
    value = bend.take(corners, axis=1)
    for share in (w, v, u):
        half = value.shape[1] // 2
        value = value[:, :half] + share * (value[:, half:] - value[:, :half])
    return value[:, 0]


def cut_views(labels: Labels, fans: Mapping[View, Sector], *, grid: PictureGrid | int = 256) -> dict[View, SectorSlice]:
    """Return what each of several fans sees of a heart: what :func:`~echo3d.slicing.labelvolume.cut` returns, in an eighth of its time.

    Of a warped heart, borders may lie a small part of a pixel elsewhere, see ``SPACING_MM``. A pose costs nothing. Nothing is kept between
    calls, so that several threads may call it; for more than one call per heart hand in its :func:`voxel_space`.

    Parameters
    ----------
    labels : the heart, a ``PlacedLabels`` where a pose has moved it
    fans : per view
    grid : raster of every picture, or a size for square ones that hold their fan
    """
    rest, poses = unplaced(labels)
    if isinstance(rest, WarpedLabels | LabelVolume):
        rest = voxel_space(rest)
    if not isinstance(rest, VoxelSpace):
        return {view: cut(labels, fan, view=view, grid=grid) for view, fan in fans.items()}
    result = {}
    for view, fan in fans.items():
        raster = grid_for(fan, grid) if isinstance(grid, int) else grid
        inside = raster.inside(fan.half_angle, fan.depth)
        picture = np.where(inside, _picture(rest, fan_frame(fan, raster, poses), inside), np.uint8(0))
        result[view] = SectorSlice(view, fan, picture, inside, raster.pixel_mm)
    return result


def _picture(space: VoxelSpace, frame: NDArray, inside: NDArray) -> NDArray[np.uint8]:
    """Return the (H, W) labels of one raster; what the fan does not see may stay background."""
    picture, step = np.zeros(inside.shape, np.uint8), step_of(space, frame)
    seen = np.flatnonzero(inside.any(axis=1))
    if not len(seen):
        return picture
    rows, columns = knots(int(seen[-1]) + 1, step), knots(inside.shape[1], step)
    place = straight(frame @ space.to_voxel, rows, columns)
    if space.side:
        place = place + bent(space.bend, space.side, straight(frame @ space.to_node, rows, columns))
    tall, wide = _window(place, space.shape)
    window = picture[tall.start * step : (tall.stop - 1) * step, wide.start * step : (wide.stop - 1) * step]
    window[:] = _between(space, place[:, tall, wide], step)[: window.shape[0], : window.shape[1]]
    return picture


def _window(place: NDArray, shape: tuple[int, int, int]) -> tuple[slice, slice]:
    """Return the rows and columns of knots round all that can lie in the label volume, given the knots' places (3, K, L).

    Between four knots that lie beyond the same side of the volume there is nothing of it.
    """
    size = np.array(shape, np.float32)[:, None, None]
    possible: NDArray = np.ones((place.shape[1] - 1, place.shape[2] - 1), bool)
    for beyond in (place < 1, place >= size - 1):
        beside = beyond[:, 1:] & beyond[:, :-1]
        possible = possible & ~(beside[..., 1:] & beside[..., :-1]).any(axis=0)
    return _span(np.asarray(possible.any(axis=1))), _span(np.asarray(possible.any(axis=0)))


def _span(some: NDArray) -> slice:
    """Return the knots round the blocks that are wanted, two at least."""
    wanted = np.flatnonzero(some)
    return slice(int(wanted[0]), int(wanted[-1]) + 2) if len(wanted) else slice(0, 2)


def _between(space: VoxelSpace, place: NDArray, step: int) -> NDArray[np.uint8]:
    """Return the labels ((K - 1) step, (L - 1) step) of every pixel between knots at places (3, K, L)."""
    share = (np.arange(step) / np.float32(step)).astype(np.float32)
    wide = place[..., :-1, None] + share * (place[..., 1:] - place[..., :-1])[..., None]
    wide = wide.reshape(3, place.shape[1], -1)
    rise = wide[:, 1:] - wide[:, :-1]
    fine = np.empty((place.shape[1] - 1, step, wide.shape[2]), np.float32)
    index = np.zeros(fine.shape, np.int32)
    for axis, size in enumerate(space.shape):
        np.multiply(share[:, None], rise[axis, :, None], out=fine)
        np.add(wide[axis, :-1, None], fine, out=fine)
        np.clip(fine, np.float32(0), np.float32(size - 1), out=fine)
        index *= np.int32(size)
        index += fine.astype(np.int32)
    return np.asarray(space.labels.take(index).reshape(-1, wide.shape[2]))

"""Label pictures of many hearts and many fans in one call, on any device: pixel for pixel what ``echo3d.slicing.cut.cut_views`` returns.

Both paths start from the same float32 frames and take the same steps in the same order, so that no pixel can fall on the other side of a
border: NumPy and torch round sums and products alike as long as each is an operation of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from echo3d.core.field import LabelVolume
from echo3d.core.sector import PictureGrid, Sector
from echo3d.errors import ShapeError
from echo3d.slicing.cut import VoxelSpace, fan_frame, knots, step_of, unplaced, voxel_space
from echo3d.slicing.labelvolume import Labels, PlacedLabels, WarpedLabels


@dataclass(frozen=True, slots=True, eq=False)
class HeartBatch:
    """B hearts on a device.

    Parameters
    ----------
    spaces : each heart's arrays, before its poses
    poses : each heart's, last one first
    labels : (n,) uint8, every volume of labels once, one after another
    start : (B,) int64, where each heart's volume begins
    shape : (B, 3) int64 voxels per axis
    bend : (B, 3, D³) float32 voxels, the inverse fields; zeros for hearts that are not warped
    """

    spaces: tuple[VoxelSpace, ...]
    poses: tuple[tuple[PlacedLabels, ...], ...]
    labels: torch.Tensor
    start: torch.Tensor
    shape: torch.Tensor
    bend: torch.Tensor

    @property
    def side(self) -> int:
        """Nodes of the inverse fields along an axis, D."""
        return max(2, *(space.side for space in self.spaces))


def heart_batch(hearts: Sequence[Labels], device: torch.device | str = "cpu") -> HeartBatch:
    """Return hearts made ready on a device; those warped from one volume share it.

    Raises
    ------
    ShapeError
        If there is no heart, one is of unknown kind, or their fields are of different rasters.
    """
    spaces, poses = zip(*map(_ready, hearts), strict=True) if hearts else ((), ())
    sides = {space.side for space in spaces if space.side} or {2}
    if not spaces or len(sides) > 1:
        raise ShapeError(f"a batch must hold hearts whose fields have one raster, found {len(spaces)} hearts and rasters {sorted(sides)}")
    first = {id(_volume(space)): space for space in reversed(spaces)}
    begin = dict(zip(first, np.cumsum([0, *(len(space.labels) for space in first.values())]).tolist(), strict=False))
    flat = np.concatenate([space.labels for space in first.values()])
    bends = [space.bend if space.side else np.zeros((3, next(iter(sides)) ** 3), np.float32) for space in spaces]
    return HeartBatch(
        spaces=spaces,
        poses=poses,
        labels=torch.from_numpy(flat).to(device),
        start=torch.tensor([begin[id(_volume(space))] for space in spaces], device=device),
        shape=torch.tensor([space.shape for space in spaces], device=device),
        bend=torch.from_numpy(np.stack(bends)).to(device),
    )


def _ready(heart: Labels) -> tuple[VoxelSpace, tuple[PlacedLabels, ...]]:
    rest, poses = unplaced(heart)
    if isinstance(rest, WarpedLabels | LabelVolume):
        rest = voxel_space(rest)
    if not isinstance(rest, VoxelSpace):
        raise ShapeError(f"a heart of a batch must be warped labels or a label volume, found {type(rest).__name__}")
    return rest, tuple(poses)


def _volume(space: VoxelSpace) -> LabelVolume:
    return space.heart.volume if isinstance(space.heart, WarpedLabels) else space.heart


def cut_batch(batch: HeartBatch, fans: Sequence[Sequence[Sector]], grid: PictureGrid) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what every fan sees of its heart.

    Parameters
    ----------
    batch : B hearts
    fans : for each heart V fans
    grid : raster of every picture

    Returns
    -------
    labels (B, V, H, W) uint8, 0 outside the fan, and inside (B, V, H, W) bool, on the batch's device

    Raises
    ------
    ShapeError
        If there are not B times V fans.
    """
    if len(fans) != len(batch.spaces) or len({len(row) for row in fans}) != 1 or not fans[0]:
        raise ShapeError(f"a batch of {len(batch.spaces)} hearts must have equally many fans for each, found {[len(row) for row in fans]}")
    frames = [np.stack([fan_frame(fan, grid, poses) for fan in row]) for row, poses in zip(fans, batch.poses, strict=True)]
    steps = [step_of(space, frame[0]) for space, frame in zip(batch.spaces, frames, strict=True)]
    inside = _inside(fans, grid).to(batch.labels.device)
    labels = torch.zeros(inside.shape, dtype=torch.uint8, device=inside.device)
    for step in sorted(set(steps)):
        chosen = [b for b, other in enumerate(steps) if other == step]
        index = _indices(batch, chosen, [frames[b] for b in chosen], grid, step)
        labels[chosen] = batch.labels[index]
    return labels * inside, inside


def _inside(fans: Sequence[Sequence[Sector]], grid: PictureGrid) -> torch.Tensor:
    """Return the (B, V, H, W) masks of fans."""
    reach = torch.from_numpy(np.array([[grid.reach(fan.half_angle, fan.depth) for fan in row] for row in fans]))
    offset = (2 * torch.arange(grid.width) + 1 - grid.width).abs()
    return offset <= reach[..., None]


def _indices(batch: HeartBatch, chosen: list[int], frames: list[NDArray], grid: PictureGrid, step: int) -> torch.Tensor:
    """Return where every pixel of some hearts lies in ``batch.labels``, (B, V, H, W) int64."""
    device, spaces = batch.labels.device, [batch.spaces[b] for b in chosen]
    rows, columns = (torch.from_numpy(knots(length, step)).to(device) for length in (grid.height, grid.width))
    place = _straight([frame @ space.to_voxel for frame, space in zip(frames, spaces, strict=True)], rows, columns)
    nodes = _straight([frame @ space.to_node for frame, space in zip(frames, spaces, strict=True)], rows, columns)
    if any(space.side for space in spaces):
        place = place + _bent(batch.bend[chosen], batch.side, nodes)
    share = (torch.arange(step, device=device) / step).to(torch.float32)
    wide = place[..., :-1, None] + share * (place[..., 1:] - place[..., :-1])[..., None]
    wide = wide.flatten(-2)[..., : grid.width]  # B, 3, V, K, W
    tall = wide[..., :-1, None, :] + share[:, None] * (wide[..., 1:, :] - wide[..., :-1, :])[..., None, :]
    tall = tall.flatten(-3, -2)[..., : grid.height, :]  # B, 3, V, H, W
    shape = batch.shape[chosen]
    last = (shape - 1)[:, :, None, None, None].to(torch.float32)
    x, y, z = torch.minimum(tall.clamp(min=0), last).long().unbind(dim=1)
    start, deep, long = (part[:, None, None, None] for part in (batch.start[chosen], shape[:, 1], shape[:, 2]))
    return start + (x * deep + y) * long + z


def _straight(frames: list[NDArray], rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """Return places (B, 3, V, K, L) of rows (K,) and columns (L,) that lie as B frames (V, 3, 3) say."""
    flat = torch.from_numpy(np.stack(frames).astype(np.float32)).to(rows.device)  # B, V, [start, down, across], 3
    start, down, across = flat.permute(2, 0, 3, 1)[..., None, None]  # each B, 3, V, 1, 1
    return (start + rows[:, None] * down) + columns * across


def _bent(bend: torch.Tensor, side: int, nodes: torch.Tensor) -> torch.Tensor:
    """Return inverse fields (B, 3, D³) at fractional nodes (B, 3, V, K, L); trilinear, the border's value outside."""
    inside = nodes.clamp(0, side - 1)
    base = inside.long().clamp(max=side - 2)
    share = inside - base
    first = (base[:, 0] * side + base[:, 1]) * side + base[:, 2]  # B, V, K, L
    corners = [(i * side + j) * side + k for k in (0, 1) for j in (0, 1) for i in (0, 1)]
    index = first[:, None] + torch.tensor(corners, device=bend.device)[:, None, None, None]  # B, 8, V, K, L
    value = bend.gather(2, index.flatten(1)[:, None].expand(-1, 3, -1)).reshape(len(bend), 3, *index.shape[1:])
    for axis in (2, 1, 0):
        half = value.shape[2] // 2
        value = value[:, :, :half] + share[:, None, axis : axis + 1] * (value[:, :, half:] - value[:, :, :half])
    return value[:, :, 0]

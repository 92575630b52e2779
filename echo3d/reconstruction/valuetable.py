"""Values on a raster, read at places: what belongs to a node lies side by side, several times quicker to gather than by ``grid_sample``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from echo3d.reconstruction.slicer import Box


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Values on a raster, those of a node side by side; made by :func:`table`.

    Parameters
    ----------
    values : (X Y Z, C)
    shape : X, Y, Z
    before, scale : (3,) the number of nodes from the first one to the origin, and nodes per mm
    below : (3,) the number of the last node, hardly less
    strides : (3,) how far apart the rows of neighbours are
    offsets : (8,) rows of a cell's corners beyond its first
    """

    values: Tensor
    shape: tuple[int, int, int]
    before: Tensor
    scale: Tensor
    below: Tensor
    strides: Tensor
    offsets: Tensor

    def corners(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """Return the nodes (P, 8) around places (P, 3) mm, and where between them they lie (2, 3, P), from each side.

        Places beyond the raster are taken to its border.
        """
        index = torch.addcmul(self.before, places, self.scale).clamp(min=0).minimum(self.below)
        first = index.floor()
        part = (index - first).T.contiguous()
        return (first @ self.strides).long()[:, None] + self.offsets, torch.stack([1 - part, part])

    def bag(self, nodes: Tensor, weights: Tensor) -> Tensor:
        """Return values (P, C) of nodes (P, 8) by their weights (P, 8)."""
        return nn.functional.embedding_bag(nodes, self.values, mode="sum", per_sample_weights=weights)

    def at(self, places: Tensor) -> Tensor:
        """Return values (P, C) at places (P, 3) mm, trilinearly."""
        nodes, parts = self.corners(places)
        return self.bag(nodes, product(*parts.unbind(dim=1)))

    def nearest(self, places: Tensor) -> Tensor:
        """Return the nodes (P,) nearest to places (P, 3) mm; that of the border for those beyond."""
        index = torch.addcmul(self.before, places, self.scale).clamp(min=0).minimum(self.below)
        return (index.round() @ self.strides).long()

    def slopes(self, places: Tensor) -> Tensor:
        """Return the slopes (P, C, 3) per mm of the trilinear values; for few numbers a node."""
        nodes, parts = self.corners(places)
        x, y, z = parts.unbind(dim=1)
        right, ahead, up = (torch.stack([-one, one])[:, None].expand_as(x) for one in self.scale)
        return torch.stack([self.bag(nodes, one) for one in (product(right, y, z), product(x, ahead, z), product(x, y, up))], dim=2)


def table(values: Tensor, shape: Sequence[int], box: Box) -> Table:
    """Return values (X Y Z, C) on a raster of that shape between the corners of a box."""
    x, y, z = shape
    last = torch.tensor([x, y, z], dtype=torch.float32) - 1
    strides = torch.tensor([float(y * z), float(z), 1.0])
    offsets = (torch.cartesian_prod(*[torch.arange(2)] * 3).float() @ strides).long()
    scale = last / (box.high - box.low)
    return Table(values, (x, y, z), -box.low * scale, scale, last * (1 - 1e-6), strides, offsets)


def product(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    """Return the weights (P, 8) of a cell's corners from the weights (2, P) along its axes."""
    return (x[:, None, None] * y[:, None] * z).flatten(0, 2).T.contiguous()

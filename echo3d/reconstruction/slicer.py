"""What a heart shows in given planes, differentiably: the template's structures seen through the inverse of a displacement field.

*Source:* the design's own slicer (a slice needs no meshing), here with its derivative by heart and plane. A soft rasteriser of the mesh
would do the same at many times the cost: a cell of a structure map asks for the structures around one place only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor, nn

from echo3d.anatomy.template import load_label_volume, load_template
from echo3d.core.field import FieldGrid
from echo3d.reconstruction.classes import CLASSES, class_table

SOFTNESS_MM = 2.0
"""Standard deviation of the blur that turns labels into shares: about that of a cell (6.4 mm wide), whose shares it stands for."""

NODE_MM = 2
"""Distance of the nodes that the shares are kept at."""

DAMPING = 0.7
"""Of the fixed point iteration that inverts a field; see ``slicing.labelvolume``."""


def tight_grid(side: int) -> FieldGrid:
    """Return the raster that just holds the template."""
    points = load_template().points
    return FieldGrid(points.min(axis=0) - 1.0, points.max(axis=0) + 1.0, side)


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """A raster in space: its first and last node (3,), mm."""

    low: Tensor
    high: Tensor

    def unit(self, places: Tensor) -> Tensor:
        """Return places (P, 3) mm in [-1, 1]."""
        return (places - self.low) / (self.high - self.low) * 2 - 1


@dataclass(frozen=True, slots=True, eq=False)
class Slicer:
    """What hearts of given coefficients show.

    Parameters
    ----------
    shares : (1, 4K, X, Y, Z) share of each of K classes around a place of the template, then its slopes along x, y and z (per mm)
    shares_box : where their nodes lie
    fields : (R + 1, 3, D, D, D) principal fields, mm; the last is their mean
    nodes : (D³, 3R) the principal fields without their mean, node by node
    fields_box : where their nodes lie
    """

    shares: Tensor
    shares_box: Box
    fields: Tensor
    nodes: Tensor
    fields_box: Box

    @property
    def rank(self) -> int:
        """Number R of principal fields."""
        return len(self.fields) - 1

    @property
    def kinds(self) -> int:
        """Number K of classes with shares."""
        return self.shares.shape[1] // 4

    def field(self, coefficients: Tensor) -> Tensor:
        """Return the field (1, 3, D, D, D) mm of coefficients (R,)."""
        return ((coefficients @ self.fields[:-1].flatten(1)) + self.fields[-1].flatten()).view(1, *self.fields.shape[1:])

    def displacement(self, field: Tensor, places: Tensor) -> Tensor:
        """Return the displacement (P, 3) mm at places (P, 3) mm of the template; beyond the raster that of its border."""
        return picked(field, self.fields_box.unit(places), "border")

    def rest_of(self, world: Tensor, field: Tensor, start: Tensor, steps: int) -> Tensor:
        """Return where in the template the places ``world`` (P, 3) of a heart come from, after ``steps`` iterations from ``start``."""
        rest = start
        for _ in range(steps):
            rest = rest + DAMPING * (world - rest - self.displacement(field, rest))
        return rest

    def stretch(self, field: Tensor, rest: Tensor, step: float = 2.0) -> Tensor:
        """Return the Jacobian (P, 3, 3) of the heart's place by the template's at ``rest`` (P, 3), by central differences."""
        shifts = step * torch.eye(3)
        beside = (rest + torch.cat([shifts, -shifts])[:, None]).flatten(0, 1)
        ahead, behind = self.displacement(field, beside).view(2, 3, len(rest), 3)
        return torch.eye(3) + (ahead - behind).permute(1, 2, 0) / (2 * step)  # P out in

    def look_up(self, rest: Tensor) -> tuple[Tensor, Tensor]:
        """Return shares (P, K) and their slopes (P, K, 3) at places (P, 3) of the template; none outside."""
        both = picked(self.shares, self.shares_box.unit(rest), "zeros")
        kinds = self.kinds
        return both[:, :kinds], both[:, kinds:].view(-1, 3, kinds).transpose(1, 2)

    def shares_of(self, rest: Tensor) -> Tensor:
        """Return the shares (P, K) of :meth:`look_up` alone, for a fifth of the time."""
        return picked(self.shares[:, : self.kinds], self.shares_box.unit(rest), "zeros")

    def basis(self, rest: Tensor) -> Tensor:
        """Return the principal fields (P, 3, R) at places (P, 3) of the template, trilinearly.

        Rows of ``nodes`` are gathered whole, several times faster than ``grid_sample`` with as many channels.
        """
        side = self.fields.shape[-1]
        index = ((self.fields_box.unit(rest) + 1) / 2 * (side - 1)).clamp(0, side - 1)
        first = index.floor().clamp(max=side - 2)
        part = index - first
        corners = torch.cartesian_prod(*[torch.arange(2)] * 3)  # 8 3
        weights = torch.where(corners.bool(), part[:, None], 1 - part[:, None]).prod(dim=2)  # P 8
        places = first.long()[:, None] + corners
        rows = (places[..., 0] * side + places[..., 1]) * side + places[..., 2]
        return nn.functional.embedding_bag(rows, self.nodes, mode="sum", per_sample_weights=weights).view(len(rest), 3, self.rank)


def picked(values: Tensor, places: Tensor, padding: str) -> Tensor:
    """Return values (1, C, X, Y, Z) at places (P, 3) in [-1, 1], (P, C)."""
    grid = places.flip(1)[None, :, None, None]
    return nn.functional.grid_sample(values, grid, align_corners=True, padding_mode=padding)[0, :, :, 0, 0].T


def template_slicer(principal: Tensor, side: int) -> Slicer:
    """Return the slicer of the installed template with principal fields (R + 1, 3, side³) on its tight raster."""
    shares, low = template_shares()
    slopes = np.stack([np.asarray(slope) for slope in np.gradient(shares, NODE_MM, axis=(1, 2, 3))])
    grid = tight_grid(side)
    high = low + NODE_MM * (np.array(shares.shape[1:]) - 1)
    stack = torch.from_numpy(np.concatenate([shares, slopes.reshape(-1, *shares.shape[1:])]).astype(np.float32))
    fields = principal.view(-1, 3, side, side, side)
    nodes = fields[:-1].flatten(2).permute(2, 1, 0).flatten(1).contiguous()
    return Slicer(stack[None], _box(low, high), fields, nodes, _box(grid.low, grid.high))


def template_shares() -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return the (K, X, Y, Z) share of every class but the first around places of the template, and the first node (3,) in mm."""
    volume = load_label_volume()
    margin = 4 * NODE_MM
    classes = np.pad(class_table()[volume.labels], [(margin, margin + side % NODE_MM) for side in volume.labels.shape])
    blocks = classes.reshape([part for side in classes.shape for part in (side // NODE_MM, NODE_MM)])
    spread = np.sqrt(SOFTNESS_MM**2 - (NODE_MM**2 - 1) / 12) / NODE_MM  # a block's mean has blurred already
    means = [(blocks == kind).mean(axis=(1, 3, 5), dtype=np.float32) for kind in range(1, CLASSES)]
    shares = np.stack([np.asarray(ndimage.gaussian_filter(mean, spread, truncate=3.0)) for mean in means])
    return shares, volume.affine[:3, 3] - margin + (NODE_MM - 1) / 2


def _box(low: NDArray, high: NDArray) -> Box:
    return Box(torch.from_numpy(np.array(low, dtype=np.float32)), torch.from_numpy(np.array(high, dtype=np.float32)))

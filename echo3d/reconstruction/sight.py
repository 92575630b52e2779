"""What an encoder saw of one heart, the heart that is moved until it agrees, and what moves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from echo3d.reconstruction.planemoves import orthonormal
from echo3d.reconstruction.raster import NETWORK_GRID
from echo3d.reconstruction.secondlook import SecondEncoder


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What was seen of one heart, and the network's answer to it.

    Parameters
    ----------
    coefficients : (R,) of the answer
    planes : (V, 9) of the answer, orthonormal, of the views that are there
    view, cell, wanted : (P,) the view, (P, 2) row and column, and (P, K) shares of every cell that lies within a fan
    """

    coefficients: Tensor
    planes: Tensor
    view: Tensor
    cell: Tensor
    wanted: Tensor

    @property
    def place(self) -> Tensor:
        """Depth and lateral place (P, 2) of the cells, mm."""
        return cells_mm()[tuple(self.cell.T)]

    def wanting(self, shares: Tensor) -> Sight:
        """Return the same cells with the shares of other structure maps (V, K, h, w)."""
        return replace(self, wanted=self.picked(shares.permute(0, 2, 3, 1)))

    def picked(self, values: Tensor) -> Tensor:
        """Return the values (P, C) of the cells that count, of those of all cells (V, h, w, C)."""
        return values[self.view, self.cell[:, 0], self.cell[:, 1]]


class Fit(NamedTuple):
    """A heart that was moved until it agreed.

    Attributes
    ----------
    coefficients : (R,)
    planes : (V, 9) of the views that are there
    theta : (R + 6V,) how they were moved
    """

    coefficients: Tensor
    planes: Tensor
    theta: Tensor


class Mover(Protocol):
    """What moves hearts quickly, one or the two phases of one: ``quick.QuickMover``."""

    def again(
        self,
        second: SecondEncoder,
        sights: Sequence[Sight],
        fits: list[Fit],
        views: Sequence[int],
        pictures: Tensor,
        course: tuple[float, int, int],
    ) -> list[Fit]:
        """Return fits after looking again at pictures (S, V, 2, H, W).

        Parameters
        ----------
        course : how much the disagreement of a cell counts, how often to look, and how many steps follow each time
        """
        ...

    def moved(
        self,
        sights: Sequence[Sight],
        fits: Sequence[Fit],
        views: Sequence[int],
        course: tuple[float, int],
        rests: Sequence[Tensor] = ...,
    ) -> list[Fit]:
        """Return fits moved on towards what was seen: how much a cell's disagreement counts, and how many steps, in ``course``."""
        ...

    def rests(self, one: Sight, fit: Fit) -> Tensor:
        """Return where in the template the cells that were seen come from (P, 3), mm."""
        ...

    def slices(self, one: Sight, rests: Tensor) -> Tensor:
        """Return the shares (V, K, h, w) that a heart shows in cells that come from ``rests`` (P, 3)."""
        ...


@cache
def cells_mm() -> Tensor:
    """Return the (28, 28, 2) depth and lateral place of the structure maps' cells, mm."""
    side = NETWORK_GRID.height // 4
    return torch.from_numpy(NETWORK_GRID.plane_mm().reshape(side, 4, side, 4, 2).mean(axis=(1, 3))).float()


def sight(coefficients: Tensor, planes: Tensor, shares: Tensor, masks: Tensor) -> Sight:
    """Return what was seen in structure maps.

    Parameters
    ----------
    coefficients, planes : of the network's answer, (R,) and (V, 9), of the views that are there
    shares : (V, K, h, w) of every class but the first
    masks : (V, H, W) one where a picture shows anything; a cell at the border of a fan does not count
    """
    view, row, column = (nn.functional.avg_pool2d(masks, 4) > 0.99).nonzero(as_tuple=True)
    cells = torch.stack([row, column], dim=1)
    return Sight(coefficients, orthonormal(planes), view, cells, shares[view, :, row, column])

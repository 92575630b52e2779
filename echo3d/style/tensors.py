"""Many fans and draws at once: their numbers as tensors, and the few operations along beams that differ from picture to picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from echo3d.errors import ShapeError
from echo3d.style.draws import SpeckleDraw
from echo3d.style.polar import PolarGrid

_WORDS = ("tgc_db", "shadow_deg", "imaging", "processing")
_SCALARS = tuple(field.name for field in fields(SpeckleDraw) if field.name not in _WORDS)
_EXTRA = ("left_deg", "right_deg", "step_mm", "line_deg", "half_angle", "depth")
_AT = {name: at for at, name in enumerate((*_SCALARS, *_EXTRA))}


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """The fans and draws of P pictures.

    Parameters
    ----------
    fans, draws : one of each per picture; the fans differ in opening and depth, not in samples and lines
    table : (P, N) float64, all their numbers; see :meth:`exact` and :meth:`number`
    """

    fans: tuple[PolarGrid, ...]
    draws: tuple[SpeckleDraw, ...]
    table: Tensor

    @property
    def shape(self) -> tuple[int, int]:
        """Samples and lines."""
        return self.fans[0].samples, self.fans[0].lines

    @property
    def device(self) -> torch.device:
        """Where the tensors lie."""
        return self.table.device

    def exact(self, name: str) -> Tensor:
        """Return one number of each draw or fan, (P, 1) float64; a draw's by its field's name."""
        return self.table[:, _AT[name], None]

    def number(self, name: str) -> Tensor:
        """Return the same as (P, 1, 1) float32."""
        return self.exact(name)[:, :, None].float()

    def radii(self) -> Tensor:
        """Return (P, S) float64 distances from the tip, mm."""
        return (torch.arange(self.shape[0], device=self.device, dtype=torch.float64) + 0.5) * self.exact("step_mm")

    def angles(self) -> Tensor:
        """Return (P, L) float64 angles against the central beam, degrees."""
        at = torch.arange(self.shape[1], device=self.device, dtype=torch.float64) + 0.5
        return at * self.exact("line_deg") - self.exact("half_angle")

    def rows(self, some: slice) -> Batch:
        """Return the batch of some of the pictures."""
        return Batch(self.fans[some], self.draws[some], self.table[some])

    def whole(self, values: Tensor) -> Tensor:
        """Return (P, 1) float64 as whole numbers (P,) int64 of 1 and more, halves to even as Python rounds them."""
        return values.round().clamp(min=1)[:, 0].long()


def batch_of(fans: Sequence[PolarGrid], draws: Sequence[SpeckleDraw], device: torch.device) -> Batch:
    """Return the batch of fans and draws.

    Raises
    ------
    ShapeError
        If there are none, not as many of each, or fans of different samples and lines.
    """
    if not fans or len(fans) != len(draws):
        raise ShapeError(f"a batch needs a fan and a draw for each picture, found {len(fans)} fans and {len(draws)} draws; give both")
    kinds = {(fan.samples, fan.lines) for fan in fans}
    if len(kinds) != 1:
        raise ShapeError(f"the fans of a batch must have the same samples and lines, found {sorted(kinds)}; make a batch of each")
    rows = [
        [*(float(getattr(draw, name)) for name in _SCALARS), *draw.shadow_deg, fan.step_mm, fan.line_deg, fan.half_angle, fan.depth]
        for fan, draw in zip(fans, draws, strict=True)
    ]
    return Batch(tuple(fans), tuple(draws), torch.tensor(rows, dtype=torch.float64, device=device))


def shifted(rows: Tensor, offset: Tensor) -> tuple[Tensor, Tensor]:
    """Return rows (P, S, L) read ``offset`` (P,) samples further along the beam, and (P, S, 1) bool where there are such samples."""
    count, samples = rows.shape[:2]
    at = torch.arange(samples, device=rows.device)[None] + offset[:, None]
    found = (at >= 0) & (at < samples)
    index = at.clamp(0, samples - 1) + samples * torch.arange(count, device=rows.device)[:, None]
    return rows.flatten(0, 1).index_select(0, index.flatten()).view(rows.shape), found[:, :, None]


def times(rows: Tensor, factor: Tensor) -> Tensor:
    """Return complex rows times real factors, without making those complex."""
    return torch.view_as_complex(torch.view_as_real(rows) * factor[..., None])


def shifted_sums(rows: Tensor, weights: Tensor) -> Tensor:
    """Return each sample's symmetric weighted sum with its neighbours along the beam; the ends are repeated.

    Parameters
    ----------
    rows : (P, S, L), real or complex
    weights : (P, K) weight of the sample itself, of the two next to it, of the two after these, ...

    >>> shifted_sums(torch.tensor([[[0.0], [4.0], [0.0]]]), torch.tensor([[0.5, 0.25]])).ravel().tolist()
    [1.0, 2.0, 1.0]
    """
    if rows.is_complex():
        parts = shifted_sums(torch.view_as_real(rows).flatten(2), weights)
        return torch.view_as_complex(parts.unflatten(2, (-1, 2)))
    count, reach = rows.shape[1], weights.shape[1] - 1
    each = weights[:, :, None, None].to(rows.dtype)
    padded = torch.cat([rows[:, :1].expand(-1, reach, -1), rows, rows[:, -1:].expand(-1, reach, -1)], dim=1)
    total = rows * each[:, 0]
    for offset in range(1, reach + 1):
        pair = padded[:, reach - offset : reach - offset + count] + padded[:, reach + offset : reach + offset + count]
        total.addcmul_(pair, each[:, offset])
    return total


def box_weights(width: Tensor) -> Tensor:
    """Return the weights (P, K) of running means over odd widths (P,), for :func:`shifted_sums`.

    >>> (3 * box_weights(torch.tensor([1, 3]))).tolist()
    [[3.0, 0.0], [1.0, 1.0]]
    """
    reach = (width - 1) // 2
    offsets = torch.arange(int(reach.max()) + 1, device=width.device)
    return (offsets[None] <= reach[:, None]) / width[:, None]


def across(rows: Tensor, share: Tensor | float) -> Tensor:
    """Return rows (P, S, L) with a share of each of the two neighbouring beams; the outermost beams stay."""
    middle = rows[..., 1:-1] + share * (rows[..., 2:] + rows[..., :-2] - 2 * rows[..., 1:-1])
    return torch.cat([rows[..., :1], middle, rows[..., -1:]], dim=-1)


def slope(rows: Tensor, dim: int) -> Tensor:
    """Return the difference of neighbours along an axis: central within, one-sided at the ends.

    >>> slope(torch.tensor([0.0, 1.0, 4.0]), 0).tolist()
    [1.0, 2.0, 3.0]
    """
    first, last = rows.narrow(dim, 1, 1) - rows.narrow(dim, 0, 1), rows.narrow(dim, -1, 1) - rows.narrow(dim, -2, 1)
    count = rows.shape[dim] - 2
    return torch.cat([first, (rows.narrow(dim, 2, count) - rows.narrow(dim, 0, count)) / 2, last], dim=dim)


def both_sides(left: NDArray[np.float32], maps: Tensor, right: NDArray[np.float32]) -> Tensor:
    """Return ``left @ map @ right.T`` of maps (P, ..., h, w) for two matrices that are kept on the maps' device."""
    return torch.matmul(kept(left, maps.device), torch.matmul(maps, kept(right, maps.device).T))


def kept(matrix: NDArray[np.float32], device: torch.device) -> Tensor:
    """Return a cached matrix of the NumPy path as a tensor; without a copy on the CPU."""
    return torch.from_numpy(matrix if matrix.flags.writeable else matrix.copy()).to(device)


def linear(values: Tensor, at: Tensor) -> Tensor:
    """Return values (P, K) read at fractional places (P, S) within them, linear in between."""
    before = at.floor().clamp(0, values.shape[1] - 2).long()
    low, high = values.gather(1, before), values.gather(1, before + 1)
    return low + (at - before) * (high - low)


def sampled(rows: Tensor, places: Tensor) -> Tensor:
    """Return rows (P, S, L) read at places (P, H, W, 2), (line, sample) in samples, linear in between and held at the ends."""
    sides = torch.tensor([rows.shape[2] - 1, rows.shape[1] - 1], device=rows.device, dtype=places.dtype)
    normal = (2 * places / sides - 1).to(rows.dtype)
    return functional.grid_sample(rows[:, None], normal, mode="bilinear", padding_mode="border", align_corners=True)[:, 0]


@lru_cache(maxsize=8)
def wave_numbers(length: int) -> NDArray[np.float32]:
    """Return (length,) squared wave numbers of a discrete transform."""
    return np.square(2 * np.pi * np.fft.fftfreq(length)).astype(np.float32)

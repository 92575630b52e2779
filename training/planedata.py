"""What the slice plane network learns from: structure maps with the planes they were cut in, true ones and those read from pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from echo3d.reconstruction.classes import CLASSES, class_table
from echo3d.reconstruction.s2mnet import VIEWS, S2MNet
from training.augment import fan_masks, look
from training.data import Shards

WHOLE = 240
"""What a full cell reads where shares are kept as bytes: divided by every number of pixels that a cell is counted in."""

CELLS = 28


@dataclass(frozen=True, slots=True, eq=False)
class PlaneBank:
    """Structure maps of S sets of six views.

    Parameters
    ----------
    maps : (S, V, CLASSES - 1, 28, 28) uint8, shares in units of 1 / ``WHOLE``
    planes : (S, V, 9) origin (mm), axis and lateral in the template's frame
    """

    maps: Tensor
    planes: Tensor

    def __len__(self) -> int:
        return len(self.maps)

    def draw(self, count: int) -> tuple[Tensor, Tensor]:
        """Return shares (count, V, CLASSES - 1, 28, 28) and planes (count, V, 9) of random sets."""
        rows = torch.randint(len(self), (count,))
        return self.maps[rows].float() / WHOLE, self.planes[rows]


def joined(banks: Sequence[PlaneBank]) -> PlaneBank:
    """Return several banks as one."""
    return PlaneBank(torch.cat([bank.maps for bank in banks]), torch.cat([bank.planes for bank in banks]))


def kept(path: Path, make: Callable[[], PlaneBank]) -> PlaneBank:
    """Return the bank in a file; where there is none, ``make`` it and write it, whole or not at all."""
    if not path.is_file():
        bank = make()
        torch.save({"maps": bank.maps, "planes": bank.planes}, path.with_suffix(".partial"))
        path.with_suffix(".partial").replace(path)
    return PlaneBank(**torch.load(path, weights_only=True))


def counted(classes: NDArray) -> Tensor:
    """Return shares (P, CLASSES - 1, 28, 28) in bytes of class pictures (P, H, W) whose sides are multiples of 28.

    >>> int(counted(np.full((1, 56, 56), 4, np.uint8))[0, 3, 0, 0])
    240
    """
    side = classes.shape[1] // CELLS
    cells = classes.reshape(-1, CELLS, side, CELLS, side)
    unit = WHOLE // side**2
    return torch.from_numpy(np.stack([(cells == kind).sum(axis=(2, 4), dtype=np.uint8) * np.uint8(unit) for kind in range(1, CLASSES)], 1))


def sample_bank(folder: Path, limit: int) -> PlaneBank:
    """Return the true maps of the label slices in at most ``limit`` shards of ``training.samples``; those without pictures serve too."""
    table = class_table()
    return _bank(sorted(folder.glob("*.npz"))[:limit], lambda labels: table[labels])


def slice_planes(folder: Path, limit: int) -> PlaneBank:
    """Return the true maps of at most ``limit`` shards of ``training.slices``, every hand a set of its own."""
    return _bank(sorted(folder.glob("*.npz"))[:limit], lambda labels: labels)


def _bank(paths: Sequence[Path], classed: Callable[[NDArray], NDArray]) -> PlaneBank:
    """Return the maps and planes of shards whose labels ``classed`` turns into classes."""
    empty = PlaneBank(torch.zeros(0, VIEWS, CLASSES - 1, CELLS, CELLS, dtype=torch.uint8), torch.zeros(0, VIEWS, 9))
    parts = [empty]
    for path in paths:
        with np.load(path, allow_pickle=False) as data:
            labels, sectors = classed(data["labels"]), data["sectors"]
        maps = counted(labels.reshape(-1, *labels.shape[-2:]))
        parts.append(PlaneBank(maps.view(-1, VIEWS, *maps.shape[1:]), torch.from_numpy(sectors.reshape(-1, VIEWS, 9))))
    return joined(parts)


@torch.inference_mode()
def picture_maps(reader: S2MNet, pictures: Tensor) -> Tensor:
    """Return the shares in bytes (S, V, CLASSES - 1, 28, 28) that an encoder reads from pictures (S, V, 2, H, W)."""
    present = torch.ones(pictures.shape[:2], dtype=torch.bool)
    with torch.autocast("cpu", torch.bfloat16):
        shares = reader.structures(pictures, present)
    return torch.round(shares.float() * WHOLE).byte()


def picture_planes(reader: S2MNet, shards: Shards, rng: np.random.Generator | None, strength: float = 1.0, turn: int = 0) -> PlaneBank:
    """Return what an encoder reads in one look at every sample; each ``turn`` shows other styles, no ``rng`` shows pictures as stored."""
    parts = []
    for part in shards.parts:
        whole = shards.whole(part, "echo", turn)
        for start in range(0, len(whole), 60):
            echo, fans, sectors = (torch.from_numpy(v[start : start + 60]) for v in (whole, part["fans"], part["sectors"]))
            pictures = look(echo, fans, rng, strength) if rng is not None else plain(echo, fans)
            parts.append(PlaneBank(picture_maps(reader, pictures), sectors))
    return joined(parts)


def plain(echo: Tensor, fans: Tensor) -> Tensor:
    """Return network input (B, V, 2, H, W) of stored pictures (B, V, H, W) uint8 as they are."""
    mask = fan_masks(fans)
    return torch.stack([echo.float() / 255 * mask, mask.float()], dim=2)

"""Shards of samples in memory, in pairs of end-diastole and end-systole; new shards join while training goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

KEYS = ("echo", "labels", "field", "sectors", "fans", "volumes")


class Shards:
    """Samples of a folder, read once each.

    Parameters
    ----------
    folder : where ``training.samples`` writes
    limit : most samples kept
    """

    def __init__(self, folder: Path, limit: int = 40_000) -> None:
        self.folder, self.limit = folder, limit
        self.seen: set[str] = set()
        self.parts: list[dict[str, NDArray]] = []

    def refresh(self) -> int:
        """Read shards that are new; return how many samples there are."""
        for path in sorted(self.folder.glob("*.npz")):
            if path.name not in self.seen and len(self) < self.limit:
                with np.load(path, allow_pickle=False) as data:
                    self.parts.append({key: data[key] for key in KEYS})
                self.seen.add(path.name)
        return len(self)

    def __len__(self) -> int:
        return sum(len(part["field"]) for part in self.parts)

    def pairs(self, rng: np.random.Generator, count: int) -> dict[str, Tensor]:
        """Return ``count`` random pairs as tensors of 2 * count rows, ED and ES in turn."""
        sizes = np.array([len(part["field"]) // 2 for part in self.parts])
        chosen = rng.integers(0, sizes.sum(), count)
        block = np.searchsorted(np.cumsum(sizes), chosen, side="right")
        start = np.concatenate([[0], np.cumsum(sizes)])[block]
        rows = [(b, 2 * (c - s) + k) for b, c, s in zip(block, chosen, start, strict=True) for k in (0, 1)]
        return {key: torch.from_numpy(np.stack([self.parts[b][key][r] for b, r in rows])) for key in KEYS}

    def all(self, keys: tuple[str, ...] = KEYS) -> dict[str, Tensor]:
        """Return every sample, ED and ES in turn."""
        return {key: torch.from_numpy(np.concatenate([part[key] for part in self.parts])) for key in keys}

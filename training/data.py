"""What training reads: picture samples and label slices in shards, in pairs of end-diastole and end-systole, and structure maps of both."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from echo3d.reconstruction.classes import CLASSES
from echo3d.reconstruction.s2mnet import VIEWS

KEYS = ("echo", "labels", "field", "sectors", "fans", "volumes")

CHANCES = {"hcm-concentric": 5.0}
"""How many times as often as others a group's hearts are drawn: a small cavity in a thick wall is rare, and was read too large."""


def chance_of(groups: Iterable[str | None]) -> NDArray[np.float32]:
    """Return how often hearts of these groups are drawn.

    >>> chance_of(["normal", "hcm-concentric", None]).tolist()
    [1.0, 5.0, 1.0]
    """
    return np.array([CHANCES.get(str(group), 1.0) for group in groups], dtype=np.float32)


class Shards:
    """Samples of a folder, read once each.

    Parameters
    ----------
    folder : where ``training.samples`` writes
    limit : most samples kept
    without : a law of motion whose hearts are left out, to test a network on a law it never saw
    styles : what the pictures are drawn in, by ``training.styles``; each pair shows one of them. None for pictures that lie in the shards
    """

    def __init__(self, folder: Path, limit: int = 40_000, without: str | None = None, styles: tuple[str, ...] = ()) -> None:
        self.folder, self.limit, self.without, self.styles = folder, limit, without, styles
        self.seen: set[str] = set()
        self.parts: list[dict[str, NDArray]] = []

    def refresh(self) -> int:
        """Read shards that are new and have pictures in every style; return how many samples there are."""
        for path in sorted(self.folder.glob("*.npz")):
            drawn = [path.parent / style / path.name for style in self.styles]
            if path.name not in self.seen and len(self) < self.limit and all(picture.is_file() for picture in drawn):
                self.parts.append(self._read(path, drawn))
                self.seen.add(path.name)
        return len(self)

    def _read(self, path: Path, drawn: list[Path]) -> dict[str, NDArray]:
        """Return one shard; with styles, the picture of each by the key ``echo:STYLE``."""
        with np.load(path, allow_pickle=False) as data:
            records = json.loads(str(data["records"]))
            kept = rows_without(records, len(data["field"]), self.without)
            chance = chance_of(record.get("group") for record in records).repeat(len(kept) // len(records))
            part = {key: data[key][kept] for key in KEYS if key != "echo" or not drawn} | {"chance": chance[kept]}
        for style, picture in zip(self.styles, drawn, strict=True):
            with np.load(picture, allow_pickle=False) as data:
                part[f"echo:{style}"] = data["echo"][kept]
        return part

    def first(self, limit: int) -> Shards:
        """Return the first parts that hold at most ``limit`` samples together, one part at least."""
        few = Shards(self.folder, limit, self.without, self.styles)
        few.parts = [
            part for number, part in enumerate(self.parts) if not number or sum(len(p["field"]) for p in self.parts[: number + 1]) <= limit
        ]
        few.seen = set(self.seen)
        return few

    def shown(self, key: str, rng: np.random.Generator) -> str:
        """Return by which name a part holds what ``key`` names: pictures are of one style at random.

        >>> Shards(Path("."), styles=("pseudo",)).shown("echo", np.random.default_rng(0))
        'echo:pseudo'
        """
        return f"{key}:{self.styles[rng.integers(len(self.styles))]}" if key == "echo" and self.styles else key

    def __len__(self) -> int:
        return sum(len(part["field"]) for part in self.parts)

    def pairs(self, rng: np.random.Generator, count: int) -> dict[str, Tensor]:
        """Return ``count`` random pairs as tensors of 2 * count rows, ED and ES in turn."""
        sizes = np.array([len(part["field"]) // 2 for part in self.parts])
        chosen = rng.integers(0, sizes.sum(), count)
        block = np.searchsorted(np.cumsum(sizes), chosen, side="right")
        start = np.concatenate([[0], np.cumsum(sizes)])[block]
        pairs = [(b, slice(2 * (c - s), 2 * (c - s) + 2)) for b, c, s in zip(block, chosen, start, strict=True)]
        return {key: torch.from_numpy(np.concatenate([self.parts[b][self.shown(key, rng)][r] for b, r in pairs])) for key in KEYS}

    def all(self, keys: tuple[str, ...] = KEYS) -> dict[str, Tensor]:
        """Return every sample, ED and ES in turn; the pictures of several styles in turn, pair by pair."""
        return {key: torch.from_numpy(np.concatenate([self.whole(part, key) for part in self.parts])) for key in keys}

    def whole(self, part: dict[str, NDArray], key: str, turn: int = 0) -> NDArray:
        """Return all of a part's values of one kind; with several styles the pictures of pair p show style p + ``turn``."""
        if key != "echo" or not self.styles:
            return part[key]
        style = (np.arange(len(part["field"])) // 2 + turn) % len(self.styles)
        shown = part[f"echo:{self.styles[0]}"].copy()
        for number, name in enumerate(self.styles[1:], start=1):
            shown[style == number] = part[f"echo:{name}"][style == number]
        return shown


def rows_without(records: list[dict], count: int, law: str | None) -> NDArray[np.bool_]:
    """Return (count,) bool, false where a sample's heart moves by ``law``; ``records`` are a shard's hearts in the samples' order.

    >>> rows_without([{"beat": {"family": "shell"}}, {"beat": {"family": "piston"}}], 4, "shell").tolist()
    [False, False, True, True]
    """
    if law is None:
        return np.ones(count, dtype=bool)
    laws = [record["beat"]["family"] for record in records]
    return np.repeat([name != law for name in laws], count // len(laws))


@dataclass(frozen=True, slots=True, eq=False)
class MapBank:
    """Structure maps of S hearts, ED and ES in turn, each seen K times (by other hands, or in other pictures of the same hands).

    Parameters
    ----------
    maps : (K, S, V, cells), shares in units of 1 / ``whole``
    whole : what a full cell reads in ``maps``
    genuine : (K, S, V) bool, false where the picture was spoiled
    sectors : (K, S, V, 9)
    field : (S, N, 3) mm
    volumes : (S, 4) ml
    chance : (S / 2,) how often each pair is drawn, relative to others
    """

    maps: Tensor
    whole: float
    genuine: Tensor
    sectors: Tensor
    field: Tensor
    volumes: Tensor
    chance: Tensor

    def draw(self, pairs: int) -> Tensor:
        """Return the rows (2 * pairs,) of random pairs."""
        return (2 * torch.multinomial(self.chance, pairs, replacement=True)[:, None] + torch.arange(2)).flatten()

    def shares(self, which: Tensor, rows: Tensor) -> Tensor:
        """Return maps (B, V, cells) of rows (B,) as seen the ``which`` (B,) time."""
        return self.maps[which, rows].float() / self.whole


def slice_bank(folder: Path, limit: int = 400, without: str | None = None) -> MapBank:
    """Return the true structure maps of at most ``limit`` shards of ``training.slices``, ``without`` the hearts of one law of motion.

    Raises
    ------
    FileNotFoundError
        If there are none.
    """
    paths = sorted(folder.glob("*.npz"))[:limit]
    if not paths:
        raise FileNotFoundError("--slices must hold shards of training.slices; run that first")
    parts: dict[str, list[NDArray]] = {key: [] for key in ("maps", "sectors", "field", "volumes", "chance")}
    for path in paths:
        with np.load(path, allow_pickle=False) as data:
            kept = data["law"] != without
            parts["maps"].append(cell_counts(data["labels"][kept]))
            parts["chance"].append(chance_of(data["group"][kept][::2]))
            for key in ("sectors", "field", "volumes"):
                parts[key].append(data[key][kept])
    maps, sectors, field, volumes, chance = (torch.from_numpy(np.concatenate(parts[key])) for key in parts)
    maps = maps.transpose(0, 1)  # K S V cells
    return MapBank(maps, 16.0, torch.ones(maps.shape[:3], dtype=torch.bool), sectors.transpose(0, 1), field, volumes, chance)


def cell_counts(classes: NDArray) -> NDArray[np.uint8]:
    """Return how many of the 16 pixels of each cell are of each class but the first.

    Parameters
    ----------
    classes : (S, K, V, 56, 56) uint8

    Returns
    -------
    (S, K, V, (CLASSES - 1) * 14 * 14) uint8
    """
    cells = classes.reshape(*classes.shape[:2], VIEWS, 14, 4, 14, 4)
    counts = [(cells == kind).sum(axis=(4, 6), dtype=np.uint8) for kind in range(1, CLASSES)]
    return np.stack(counts, axis=3).reshape(*classes.shape[:2], VIEWS, -1)

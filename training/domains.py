"""The two domains of the style transfer: pseudo images of label slices, and echo pictures that belong to none of them.

X are pseudo images, drawn anew each time, of hearts whose labels are known. Y are real clips (``echo3d.io.clipfolder``), or embedded ones:
the physical simulator's pictures of other hearts. Hearts are dealt out once: to X, to Y, and to what is held back.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from echo3d.reconstruction.raster import NETWORK_GRID
from echo3d.style.polar import PolarGrid
from echo3d.style.pseudo import draw_pseudo, pseudo_image
from echo3d.style.scene import Scene
from echo3d.style.speckle import draw_speckle, speckle_image
from training.augment import fan_masks

HELD_EVERY = 8
"""One heart in eight is held back; of the others every second one shows echo pictures. Our choice."""

LEAST_LABELLED = 200
"""Labelled pixels that a slice must have to be worth translating; a fan beside the heart has none."""


class Drawn(NamedTuple):
    """Pictures of a domain.

    Attributes
    ----------
    pictures, inside : (P, 1, H, W) float32; grey in [0, 1], and 1 within the fan
    labels : (P, H, W) uint8, None where they are not known
    views : (P,) int64 numbers of views, None where they are not known
    """

    pictures: Tensor
    inside: Tensor
    labels: Tensor | None = None
    views: Tensor | None = None


Draw = Callable[[np.random.Generator, int], Drawn]
"""Draws so many pictures of a domain."""


@dataclass(frozen=True, slots=True, eq=False)
class Slices:
    """Label slices of hearts as six fans see them.

    Parameters
    ----------
    labels : (N, H, W) uint8 on the network's raster
    fans : (N, 2) half angle (degrees) and depth (mm)
    views : (N,) int64
    polar : (N, S, L) uint8 the same slices along the beams, or None
    long_axis : (N,) share of the LV's long axis within the plane, or None
    echo : (N, H, W) uint8 stored echo pictures, or None
    """

    labels: NDArray[np.uint8]
    fans: NDArray[np.float32]
    views: NDArray[np.int64]
    polar: NDArray[np.uint8] | None = None
    long_axis: NDArray[np.float32] | None = None
    echo: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def inside(self, rows: NDArray) -> NDArray[np.bool_]:
        """Return the masks (P, H, W) of the fans of some rows."""
        return fan_masks(torch.from_numpy(self.fans[rows])[None])[0].numpy()


@dataclass(frozen=True, slots=True, eq=False)
class Dealt:
    """Hearts dealt out: of the pseudo images, of the echo pictures, and held back."""

    pseudo: Slices
    echo: Slices
    held: Slices


def read_slices(folder: Path, limit: int) -> Dealt:
    """Return the slices of at most ``limit`` samples of a folder of ``training.samples``, dealt out by hearts.

    Raises
    ------
    FileNotFoundError
        If there are none.
    """
    parts: list[tuple[dict[str, NDArray], NDArray[np.int64]]] = []
    hearts = samples = 0
    for path in sorted(folder.glob("*.npz")):
        if samples >= limit:
            break
        with np.load(path, allow_pickle=False) as data:
            part = {key: data[key] for key in ("labels", "fans", "polar", "long_axis", "echo") if key in data.files}
            count, per = len(part["labels"]), len(json.loads(str(data["records"]))) if "records" in data.files else 1
        parts.append((part, hearts + np.arange(count) * per // count))
        hearts, samples = hearts + per, samples + count
    if not parts:
        raise FileNotFoundError("the folder must hold shards of training.samples, found none")
    return _dealt(parts)


def _dealt(parts: list[tuple[dict[str, NDArray], NDArray[np.int64]]]) -> Dealt:
    """Return samples (arrays, and the heart each is of) as slices of three sorts of hearts."""
    heart = np.concatenate([number for _, number in parts])
    held = heart % HELD_EVERY == HELD_EVERY - 1
    kept = set.intersection(*(set(part) for part, _ in parts))
    arrays = {key: np.concatenate([part[key] for part, _ in parts]) for key in sorted(kept)}
    even = heart % 2 == 0
    return Dealt(_slices(arrays, even & ~held), _slices(arrays, ~even & ~held), _slices(arrays, held))


def _slices(arrays: dict[str, NDArray], rows: NDArray[np.bool_]) -> Slices:
    """Return the pictures of some samples, one by one; those that show next to nothing are left out."""
    views = np.tile(np.arange(arrays["labels"].shape[1]), int(rows.sum()))
    flat = {key: array[rows].reshape(-1, *array.shape[2:]) for key, array in arrays.items()}
    worth = (flat["labels"] > 0).sum(axis=(1, 2)) >= LEAST_LABELLED
    return Slices(views=views[worth], **{key: array[worth] for key, array in flat.items()})


def pseudo_domain(slices: Slices) -> Draw:
    """Return the domain of pseudo images, each drawn anew."""

    def draw(rng: np.random.Generator, count: int) -> Drawn:
        rows = rng.integers(len(slices), size=count)
        return pseudo_of(slices, rows, rng)

    return draw


def pseudo_of(slices: Slices, rows: NDArray, rng: np.random.Generator) -> Drawn:
    """Return the pseudo images of some slices, with what is known of them."""
    labels, inside = slices.labels[rows], slices.inside(rows)
    made = [_pseudo(one, seen, rng) for one, seen in zip(labels, inside, strict=True)]
    return Drawn(_pictures(np.stack(made)), _pictures(inside), torch.from_numpy(labels), torch.from_numpy(slices.views[rows]))


def _pseudo(labels: NDArray[np.uint8], inside: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return a pseudo image (H, W); every second one drawn at twice the size and averaged, as larger pictures come to the generator."""
    finer = int(rng.integers(1, 3))
    large, seen = (array.repeat(finer, axis=0).repeat(finer, axis=1) for array in (labels, inside))
    made = pseudo_image(large, seen, draw_pseudo(rng))
    return made.reshape(len(labels), finer, -1, finer).mean(axis=(1, 3))


def simulated_domain(slices: Slices) -> Draw:
    """Return the domain of the physical simulator's pictures: stored ones where there are, drawn anew otherwise."""

    def draw(rng: np.random.Generator, count: int) -> Drawn:
        return echo_of(slices, rng.integers(len(slices), size=count), rng)

    return draw


def echo_of(slices: Slices, rows: NDArray, rng: np.random.Generator) -> Drawn:
    """Return the simulator's pictures of some slices.

    Raises
    ------
    ValueError
        If the slices have neither pictures nor labels along the beams.
    """
    inside = slices.inside(rows)
    if slices.polar is not None:
        made = np.stack([_simulated(slices, row, rng) for row in rows])
    elif slices.echo is not None:
        made = slices.echo[rows].astype(np.float32) / 255
    else:
        raise ValueError("shards must hold echo pictures or labels along the beams, these have neither; draw them with training.samples")
    return Drawn(_pictures(made * inside), _pictures(inside), torch.from_numpy(slices.labels[rows]), torch.from_numpy(slices.views[rows]))


def _simulated(slices: Slices, row: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return one simulated picture (H, W) of labels along the beams."""
    half_angle, depth = (float(value) for value in slices.fans[row])
    scene = Scene() if slices.long_axis is None else Scene(long_axis=min(1.0, float(slices.long_axis[row])))
    polar = np.zeros((0, 0), np.uint8) if slices.polar is None else slices.polar[row]
    beams = PolarGrid(*polar.shape, half_angle, depth)
    return speckle_image(polar, beams, NETWORK_GRID, draw_speckle(rng), scene=scene)


def stored_domain(pictures: NDArray[np.uint8], inside: NDArray[np.bool_]) -> Draw:
    """Return the domain of given pictures (N, H, W) with their masks, such as frames of real clips."""

    def draw(rng: np.random.Generator, count: int) -> Drawn:
        rows = rng.integers(len(pictures), size=count)
        return Drawn(_pictures(pictures[rows].astype(np.float32) / 255), _pictures(inside[rows]))

    return draw


def _pictures(array: NDArray) -> Tensor:
    """Return (P, 1, H, W) float32 of (P, H, W)."""
    return torch.from_numpy(np.asarray(array, np.float32))[:, None]

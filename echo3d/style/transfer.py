"""Pseudo images to echo style with trained weights of G: the last step of the paper's section 4.2."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from echo3d.core.modelcard import ModelCard
from echo3d.core.sector import PictureGrid
from echo3d.errors import ModelError, ShapeError
from echo3d.io.weights import read_card, read_weights
from echo3d.paths import resource
from echo3d.style.generator import Generator, GeneratorConfig

BATCH = 16
"""Pictures sent through the network at once; our choice, it bounds the memory."""


@dataclass(frozen=True, slots=True, eq=False)
class StyleGenerator:
    """A generator ready to answer.

    Parameters
    ----------
    network : in evaluation mode, on the CPU
    card : what is known of its weights
    grid : raster that it was trained on
    """

    network: Generator
    card: ModelCard
    grid: PictureGrid


@cache
def load_generator(weights: str | Path | None = None) -> StyleGenerator:
    """Return a trained generator.

    Parameters
    ----------
    weights : name of a shipped one, by default cyclegan, or a file of one's own

    Raises
    ------
    ModelError
        If its weights or their card are missing or damaged.
    """
    path = weights if isinstance(weights, Path) else _shipped(weights or "cyclegan")
    card = read_card(path)
    network = Generator(GeneratorConfig(**card.config["network"]))
    try:
        network.load_state_dict(read_weights(path))
    except RuntimeError as exc:
        raise ModelError(f"the weights of {path.name} must fit their card, they do not; reinstall echo3d") from exc
    return StyleGenerator(network.eval().requires_grad_(False), card, PictureGrid(*card.image_hw, float(card.config["pixel_mm"])))


def _shipped(name: str) -> Path:
    """Return where the named shipped weights lie."""
    folder = resource("style")
    path = folder / f"{name}.safetensors"
    if path.parent != folder or not path.exists():
        known = ", ".join(sorted(one.stem for one in folder.glob("*.safetensors"))) or "none"
        raise ModelError(
            f"a style must be one of the installed ones ({known}), found {name[:40]!r}; choose one of them or reinstall echo3d"
        )
    return path


@torch.inference_mode()
def echo_styled(pseudo: NDArray, inside: NDArray, generator: StyleGenerator, *, pixel_mm: float | None = None) -> NDArray[np.float32]:
    """Return pseudo images in the echo style.

    Pictures of another pixel size than the trained one are brought to that, translated, and brought back; speckle keeps its size in mm.

    Parameters
    ----------
    pseudo : (P, H, W) in [0, 1]
    inside : (P, H, W) bool, within the fan
    generator : see :func:`load_generator`
    pixel_mm : side of a pixel, mm; by default the pictures show as much as the trained raster does

    Returns
    -------
    (P, H, W) float32 in [0, 1], zero outside the fan

    Raises
    ------
    ShapeError
        If the two arrays are not stacks of pictures of one shape.
    """
    if pseudo.ndim != 3 or pseudo.shape != inside.shape:
        raise ShapeError(f"pseudo and inside must be stacks (P, H, W) of one shape, found {pseudo.shape} and {inside.shape}")
    if not len(pseudo):
        return np.zeros(pseudo.shape, np.float32)
    size = _worked_size(pseudo.shape[1:], generator.grid, pixel_mm)
    parts = [_styled(pseudo[at : at + BATCH], inside[at : at + BATCH], generator.network, size) for at in range(0, len(pseudo), BATCH)]
    return np.concatenate(parts)


def _worked_size(shape: tuple[int, ...], grid: PictureGrid, pixel_mm: float | None) -> tuple[int, int]:
    """Return rows and columns, multiples of 4, at which a pixel is about as large as in training."""
    factor = grid.height / shape[0] if pixel_mm is None else pixel_mm / grid.pixel_mm
    rows, columns = (max(16, 4 * round(side * factor / 4)) for side in shape)
    return rows, columns


def _styled(pseudo: NDArray, inside: NDArray, network: Generator, size: tuple[int, int]) -> NDArray[np.float32]:
    """Return some pictures translated at ``size``."""
    pictures = torch.from_numpy(np.array(pseudo, np.float32))[:, None]
    mask = torch.from_numpy(np.array(inside, np.float32))[:, None]
    small, seen = _sized(pictures, size), (_sized(mask, size) > 0.5).float()
    made = _sized(network(small * seen, seen), pseudo.shape[1:])
    if size != pseudo.shape[1:]:
        made = made / _sized(seen, pseudo.shape[1:]).clamp(min=0.25)  # what the small mask darkened at its edge
    return (made.clamp(0, 1) * mask)[:, 0].numpy()


def _sized(pictures: Tensor, size: tuple[int, ...]) -> Tensor:
    """Return pictures (P, 1, H, W) at another size: means where it is smaller, straight lines between pixels where larger."""
    if tuple(pictures.shape[-2:]) == tuple(size):
        return pictures
    smaller = size[0] < pictures.shape[-2]
    return functional.interpolate(pictures, size=tuple(size), mode="bilinear", align_corners=False, antialias=smaller)

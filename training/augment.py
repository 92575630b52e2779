"""Pictures for training: stored ones, changed anew each time as other machines, hands and screens would change them, and spoiled ones."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from echo3d.reconstruction.raster import NETWORK_GRID
from echo3d.style.polar import PolarGrid
from echo3d.style.randomise import draw_randomisation, narrowed, randomised
from echo3d.style.speckle import draw_speckle, speckle_image


def texture_bank(count: int, seed: int) -> Tensor:
    """Return (count, H, W) float16 speckle of even tissue, mean about one half."""
    rng = np.random.default_rng(seed)
    polar = PolarGrid(224, 88, 45.0, 200.0)
    even = np.ones((224, 88), dtype=np.uint8)
    bank = [speckle_image(even, polar, NETWORK_GRID, draw_speckle(rng)) for _ in range(count)]
    return torch.from_numpy(np.stack(bank)).half()


def fan_masks(fans: Tensor) -> Tensor:
    """Return (B, V, H, W) bool of fans (B, V, 2) given as half angle (degrees) and depth (mm)."""
    mm = torch.from_numpy(NETWORK_GRID.plane_mm()).float()
    radius, angle = torch.hypot(mm[..., 0], mm[..., 1]), torch.rad2deg(torch.atan2(mm[..., 1], mm[..., 0])).abs()
    return (radius <= fans[..., 1, None, None]) & (angle <= fans[..., 0, None, None])


def uniform(shape: tuple[int, ...], low: float, high: float) -> Tensor:
    """Return uniform numbers."""
    return torch.rand(shape) * (high - low) + low


FOREIGN = 0.5
"""Share of other views' pictures that are another heart's; those of one study are mistaken for each other most often."""

PLAIN = 0.3
"""Share of pictures that stay as they are: a clean picture is the commonest of all, and a network that saw none read it 1.8 times worse."""


def look(echo: Tensor, fans: Tensor, rng: np.random.Generator, strength: float = 1.0, *, plain: float = PLAIN) -> Tensor:
    """Return network input (B, V, 2, H, W) of stored pictures (B, V, H, W) uint8, most changed as machines, hands and screens change them.

    Parameters
    ----------
    fans : (B, V, 2) half angle (degrees) and depth (mm)
    strength : of the domain randomisation, see ``style.randomise``; 0 leaves the pictures as they are
    plain : share of the pictures that stay as they are
    """
    inside = fan_masks(fans).flatten(0, 1).numpy()
    pictures = echo.flatten(0, 1).numpy().astype(np.float32) / 255 * inside
    if strength > 0:
        changed = rng.random(len(pictures)) >= plain
        draw = draw_randomisation(rng, int(changed.sum()), strength)
        pictures[changed], inside[changed] = randomised(pictures[changed], inside[changed], draw), narrowed(inside[changed], draw)
    return torch.stack([torch.from_numpy(values.astype(np.float32)).view(echo.shape) for values in (pictures, inside)], dim=2)


def spoiled(
    pictures: Tensor, bank: Tensor, share: float | Tensor, kinds: tuple[float, float, float] = (0.35, 0.6, 0.85)
) -> tuple[Tensor, Tensor]:
    """Return pictures of which about ``share``, one for all or (B, 1), are no longer their view, and (B, V) bool where.

    A spoiled picture is another view's, of the same heart as likely as not, one upside down or on its side, speckle with random discs and
    no heart, or plain noise; ``kinds`` are where in [0, 1] each of these gives way to the next.
    """
    batch, views = pictures.shape[:2]
    bad = torch.rand(batch, views) < share
    turn, foreign = int(torch.randint(1, views, ())), torch.rand(batch, 1, 1, 1, 1) < FOREIGN
    other = torch.where(foreign, pictures[torch.randperm(batch)], pictures).roll(turn, dims=1)
    turned = torch.rot90(pictures, int(torch.randint(1, 4, ())), dims=(3, 4))
    kind = torch.rand(batch, views, 1, 1, 1)
    empty = torch.where(kind < kinds[2], discs(pictures, bank), grain(pictures))
    wrong = torch.where(kind < kinds[0], other, torch.where(kind < kinds[1], turned, empty))
    return torch.where(bad[..., None, None, None], wrong, pictures), bad


def discs(pictures: Tensor, bank: Tensor) -> Tensor:
    """Return (B, V, 2, H, W) speckle with a few random bright or dark ellipses inside the pictures' fans."""
    batch, views, _, height, width = pictures.shape
    texture = bank[torch.randint(len(bank), (batch, views))].float() * uniform((batch, views, 1, 1), 0.3, 1.5)
    rows, columns = torch.arange(height)[:, None] / height, torch.arange(width)[None] / width
    shape = (batch, views, 1, 1)
    for _ in range(4):
        ring = torch.hypot(
            (rows - torch.rand(shape)) / uniform(shape, 0.05, 0.35), (columns - torch.rand(shape)) / uniform(shape, 0.05, 0.35)
        )
        inside = torch.sigmoid((1 - ring) * 20)
        rim = torch.exp(-(((ring - 1) / 0.1) ** 2))
        texture = texture * (1 - inside * uniform(shape, -0.5, 1.0)) + rim * uniform(shape, 0, 0.5)
    mask = pictures[:, :, 1]
    return torch.stack([texture.clamp(0, 1) * mask, mask], dim=2)


def grain(pictures: Tensor) -> Tensor:
    """Return (B, V, 2, H, W) noise of random coarseness, level and contrast inside the pictures' fans."""
    batch, views, _, height, width = pictures.shape
    side = int(torch.randint(3, 113, ()))
    noise = functional.interpolate(torch.rand(batch, views, side, side), size=(height, width), mode="bilinear")
    noise = uniform((batch, views, 1, 1), 0, 0.8) + uniform((batch, views, 1, 1), 0, 1.2) * (noise - 0.5)
    mask = pictures[:, :, 1]
    return torch.stack([noise.clamp(0, 1) * mask, mask], dim=2)

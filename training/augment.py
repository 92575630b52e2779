"""Pictures for training, drawn anew each time: the stored speckle picture or a quick one of labels, then what carts and screens add."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from echo3d.core.structures import BLOOD, VALVES
from echo3d.reconstruction.raster import NETWORK_GRID
from echo3d.style.polar import PolarGrid
from echo3d.style.speckle import draw_speckle, speckle_image


def texture_bank(count: int, seed: int) -> Tensor:
    """Return (count, H, W) float16 speckle of even tissue, mean about one half."""
    rng = np.random.default_rng(seed)
    polar = PolarGrid(224, 88, 45.0, 200.0)
    even = np.ones((224, 88), dtype=np.uint8)
    bank = [speckle_image(even, polar, NETWORK_GRID, draw_speckle(rng)) for _ in range(count)]
    return torch.from_numpy(np.stack(bank)).half()


def classes() -> NDArray[np.int64]:
    """Return (256,) class of each label: 0 outside, 1 wall, 2 blood, 3 valve."""
    table = np.zeros(256, dtype=np.int64)
    table[1:25] = 1
    table[[int(s) for s in BLOOD]] = 2
    table[[int(s) for s in VALVES]] = 3
    return table


def fan_masks(fans: Tensor) -> Tensor:
    """Return (B, V, H, W) bool of fans (B, V, 2) given as half angle (degrees) and depth (mm)."""
    mm = torch.from_numpy(NETWORK_GRID.plane_mm()).float()
    radius, angle = torch.hypot(mm[..., 0], mm[..., 1]), torch.rad2deg(torch.atan2(mm[..., 1], mm[..., 0])).abs()
    return (radius <= fans[..., 1, None, None]) & (angle <= fans[..., 0, None, None])


def uniform(shape: tuple[int, ...], low: float, high: float) -> Tensor:
    """Return uniform numbers."""
    return torch.rand(shape) * (high - low) + low


def quick_pictures(labels: Tensor, bank: Tensor) -> Tensor:
    """Return (B, V, H, W) pictures from label slices: a grey value per class, softened, with speckle of the bank."""
    batch, views = labels.shape[:2]
    kinds = torch.from_numpy(classes())[labels.long()]
    grey = torch.stack([uniform((batch, views), *r) for r in ((0.0, 0.55), (0.3, 0.95), (0.0, 0.3), (0.4, 1.0))], dim=-1)
    plain = torch.gather(grey.flatten(0, 1), 1, kinds.flatten(2).flatten(0, 1)).view(labels.shape)
    soft = functional.avg_pool2d(plain, 3, stride=1, padding=1)
    texture = bank[torch.randint(len(bank), (batch, views))].float()
    strength = uniform((batch, views, 1, 1), 0.0, 0.9)
    return soft * (1 - strength + strength * 2 * texture)


def shadowed(pictures: Tensor) -> Tensor:
    """Return pictures in which some have a dark wedge, as ribs and lung throw it."""
    mm = torch.from_numpy(NETWORK_GRID.plane_mm()).float()
    angle = torch.rad2deg(torch.atan2(mm[..., 1], mm[..., 0]))
    shape = pictures.shape[:2]
    centre, width = uniform((*shape, 1, 1), -45, 45), uniform((*shape, 1, 1), 2, 9)
    dark = torch.exp(-(((angle - centre) / width) ** 2)) * uniform((*shape, 1, 1), 0.3, 1.0) * (torch.rand(*shape, 1, 1) < 0.15)
    return pictures * (1 - dark)


def blanked(pictures: Tensor) -> Tensor:
    """Return pictures in which some have a box painted over: text, a caliper, a colour bar."""
    rows, columns = torch.arange(pictures.shape[2])[:, None], torch.arange(pictures.shape[3])[None]
    shape = (*pictures.shape[:2], 1, 1)
    top, left = torch.randint(0, 105, shape), torch.randint(0, 105, shape)
    high, wide = torch.randint(3, 22, shape), torch.randint(3, 22, shape)
    box = (rows >= top) & (rows < top + high) & (columns >= left) & (columns < left + wide) & (torch.rand(shape) < 0.12)
    return torch.where(box, uniform(shape, 0, 1), pictures)


def uneven(pictures: Tensor) -> Tensor:
    """Return pictures of which half are brighter here and darker there, as poor contact and gain sliders leave them."""
    shape = pictures.shape
    coarse = uniform((shape[0] * shape[1], 1, 4, 4), 0.35, 1.5)
    gain = functional.interpolate(coarse, size=shape[2:], mode="bilinear", align_corners=True).view(shape)
    return torch.where(torch.rand(*shape[:2], 1, 1) < 0.5, pictures * gain, pictures)


def with_flow(pictures: Tensor, bank: Tensor) -> Tensor:
    """Return pictures of which some carry a colour box as it comes out in grey: mottled patches inside a thin outline."""
    mm = torch.from_numpy(NETWORK_GRID.plane_mm()).float()
    radius, angle = torch.hypot(mm[..., 0], mm[..., 1]), torch.rad2deg(torch.atan2(mm[..., 1], mm[..., 0]))
    shape = (*pictures.shape[:2], 1, 1)
    near, middle, half = uniform(shape, 20, 80), uniform(shape, -20, 20), uniform(shape, 8, 25)
    edge = torch.maximum((radius - near - 35).abs() - 35, 1.5 * ((angle - middle).abs() - half))  # below zero inside, about mm
    patches = functional.interpolate(torch.rand(shape[0], shape[1], 9, 9), size=pictures.shape[2:], mode="bilinear", align_corners=True)
    texture = bank[torch.randint(len(bank), shape[:2])].float() * uniform(shape, 0.6, 1.6)
    flow = torch.where((edge < 0) & (patches > uniform(shape, 0.5, 0.8)), texture, pictures)
    boxed = torch.where(edge.abs() < 0.9, uniform(shape, 0.3, 1.0), flow)
    return torch.where(torch.rand(shape) < 0.08, boxed, pictures)


def look(echo: Tensor, labels: Tensor, fans: Tensor, bank: Tensor) -> Tensor:
    """Return network input (B, V, 2, H, W) of stored samples, drawn anew."""
    batch, views = labels.shape[:2]
    stored = echo.float() / 255
    quick = quick_pictures(labels, bank)
    picture = torch.where(torch.rand(batch, 1, 1, 1) < 0.7, stored, quick)
    picture = uneven(shadowed(with_flow(picture, bank)))
    picture = picture.clamp(min=0) ** uniform((batch, views, 1, 1), 0.65, 1.6) * uniform((batch, 1, 1, 1), 0.65, 1.45)
    blurred = functional.avg_pool2d(picture, 3, stride=1, padding=1)
    picture = torch.where(torch.rand(batch, views, 1, 1) < 0.3, blurred, picture)
    picture = blanked(picture + torch.randn_like(picture) * uniform((batch, views, 1, 1), 0, 0.06)).clamp(0, 1)
    mask = fan_masks(fans)
    return torch.stack([picture * mask, mask.float()], dim=2)


def spoiled(pictures: Tensor, bank: Tensor, share: float, kinds: tuple[float, float, float] = (0.35, 0.6, 0.85)) -> tuple[Tensor, Tensor]:
    """Return pictures of which about ``share`` are no longer their view, and (B, V) bool where.

    A spoiled picture is another view's, one upside down or on its side, speckle with random discs and no heart, or plain noise; ``kinds``
    are where in [0, 1] each of these gives way to the next.
    """
    batch, views = pictures.shape[:2]
    bad = torch.rand(batch, views) < share
    other = pictures[torch.randperm(batch)].roll(int(torch.randint(1, views, ())), dims=1)
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

"""The content guard: a frozen reader of echo pictures says whether the heart is still where it was, and as large.

Unpaired translation is free to grow or shrink what it translates (reference science.md D.2). The labels of every picture of the pseudo
domain are known, so what the reader sees in its translation can be held against them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from echo3d.reconstruction.reconstruct import load_model
from training.encoder import shares

LV = 4
"""Class of the left ventricle's cavity, see ``s2mnet.CLASSES``."""

LEAST_CELLS = 12.0
"""Cells of 4 x 4 pixels that a cavity must have for its area to be compared: 5 cm2 on the network's raster."""


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What the guard says of P pictures.

    Parameters
    ----------
    places : () cross entropy of the structures' shares in each cell against the true ones, less its least value
    areas : () mean absolute change of the cavity's area, as a share of it, over the pictures that show one
    ratio : (Q,) area seen over true area of the Q pictures that show a cavity
    """

    places: Tensor
    areas: Tensor
    ratio: Tensor


def load_reader(device: str) -> nn.Module:
    """Return the shipped network's encoder, frozen: (P, 2, H, W) and views (P,) to class logits (P, 9, H/4, W/4)."""
    encoder = load_model("lean", "cpu").network.encoder
    return encoder.eval().requires_grad_(False).to(device)


def judged(reader: nn.Module, pictures: Tensor, inside: Tensor, truth: tuple[Tensor, Tensor]) -> Verdict:
    """Return how far pictures show something else than they should.

    Parameters
    ----------
    reader : see :func:`load_reader`
    pictures, inside : (P, 1, H, W)
    truth : true shares (P, 9, H/4, W/4) and views (P,)
    """
    true, views = truth
    logits = reader(torch.cat([pictures, inside], dim=1), views).float()
    places = functional.cross_entropy(logits, true) + (true * true.clamp(min=1e-6).log()).sum(dim=1).mean()
    seen, wanted = (part[:, LV].flatten(1).sum(dim=1) for part in (torch.softmax(logits, dim=1), true))
    shown = wanted >= LEAST_CELLS
    ratio = seen[shown] / wanted[shown]
    return Verdict(places, (ratio - 1).abs().mean() if len(ratio) else places * 0, ratio)


def true_shares(labels: Tensor, device: str) -> Tensor:
    """Return the true shares (P, 9, H/4, W/4) of label slices (P, H, W) uint8."""
    return shares(labels).float().to(device)

"""How well a network tells its views from pictures that are something else: AUROC of the trust it gives each picture."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from echo3d.core.views import View
from echo3d.reconstruction.s2mnet import VIEWS
from training.augment import discs, grain, texture_bank
from training.contestants import Contestant, Samples
from training.evaluate import present_of
from training.heartmeasures import auroc
from training.s2mnet import stored_pictures

KINDS = ("wrong_view", "no_heart", "noise")
"""Another view of the same heart, speckle with random discs and no heart, plain noise."""


def trust_row(contestant: Contestant, samples: Samples, seed: int = 0, batch: int = 24) -> dict[str, float]:
    """Return the AUROC of telling genuine pictures from each kind that is not; empty for who gives no trust.

    ``*_auroc``: one of the six pictures is bad, its own trust is held against that of genuine pictures. ``all_*_auroc``: all six are bad.
    """
    torch.manual_seed(seed)
    bank = texture_bank(16, seed)
    good: list[NDArray] = []
    bad: dict[str, list[NDArray]] = {f"{scope}{kind}_auroc": [] for scope in ("", "all_") for kind in KINDS}
    for start in range(0, len(samples["echo"]), batch):
        pictures = stored_pictures({key: samples[key][start : start + batch] for key in ("echo", "fans")})
        trust = _trust(contestant, pictures)
        if trust is None:
            return {}
        good.append(trust.numpy().ravel())
        for kind in KINDS:
            other = _spoiled(kind, pictures, bank)
            lone = (torch.arange(start, start + len(pictures)) // 2 % VIEWS)[:, None] == torch.arange(VIEWS)  # B, V; a pair the same view
            one = _trust(contestant, torch.where(lone[..., None, None, None], other, pictures))
            all_six = _trust(contestant, other)
            bad[f"{kind}_auroc"].append(one[lone].numpy() if one is not None else np.zeros(0))
            bad[f"all_{kind}_auroc"].append(all_six.numpy().ravel() if all_six is not None else np.zeros(0))
    return {name: auroc(np.concatenate(good), np.concatenate(values)) for name, values in bad.items()}


def _trust(contestant: Contestant, pictures: Tensor) -> Tensor | None:
    return contestant.read(pictures, present_of(tuple(View), len(pictures))).trust if contestant.read is not None else None


def _spoiled(kind: str, pictures: Tensor, bank: Tensor) -> Tensor:
    """Return pictures (B, V, 2, H, W) of one kind in place of genuine ones, in the same fans where they show no heart."""
    if kind == "wrong_view":
        return pictures.roll(1, dims=1)
    return discs(pictures, bank) if kind == "no_heart" else grain(pictures)

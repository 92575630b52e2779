"""Train S2MNet, preset paper, on the samples that the lean network learns from.

echo3d train s2mnet-paper --config paper.toml --out runs/rivals/paper

The loss is the mean squared error of the displacement at the template's points, in square centimetres.

*Source:* paper sections 4.4 and 5.2; the unit is science.md's reading of its errors (0.4), and the rate E-Pix2Vox++'s (C.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from echo3d.progress import Progress, silent
from echo3d.reconstruction.s2mnet_paper import PAPER, PaperConfig, PaperS2MNet
from training.data import Shards
from training.heartsheet import sections, write_sections
from training.rivals import Drawer, RivalSettings, asked, held_back, mean_field, paper_network, shown_pair, train_rival

CM = 10.0
"""Millimetres."""


class Settings(RivalSettings):
    """How the paper's network is trained."""

    network: PaperConfig = Field(PAPER, description="Sizes; the published ones.")


class Field3D:
    """Learning to say where the template's points lie.

    Parameters
    ----------
    settings : how
    shards : the samples
    """

    def __init__(self, settings: Settings, shards: Shards) -> None:
        torch.manual_seed(settings.seed)
        self.config, network = settings.network, paper_network(settings.network)
        start(network, mean_field(shards))
        self.network: nn.Module = network
        self.drawer = Drawer(shards, settings.strength, settings.any_views, settings.single)
        self.held, self.shown = held_back(settings), shown_pair(settings)

    def draw(self, rng: np.random.Generator, count: int) -> dict[str, Tensor]:
        """Return pictures, present views and true displacements (B, N, 3) in mm."""
        return self.drawer.draw(rng, count)

    def terms(self, network: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the mean squared error at the points, cm²."""
        rest = batch["field"].new_tensor(self.rest)
        return {"squares": ((network(batch["pictures"], batch["present"]).points - rest - batch["field"]) / CM).square().mean()}

    @property
    def rest(self) -> Any:
        """Return the template's points (N, 3) mm."""
        return self.network.get_buffer("template").cpu().numpy()

    def validated(self, network: nn.Module) -> dict[str, float]:
        """Return the mean distance in mm and the mean square in cm² on the samples held back."""
        if not self.held:
            return {}
        place = next(network.parameters()).device
        parts = []
        for row in range(len(self.held["field"])):
            one = {key: value[row : row + 1].to(place) for key, value in self.held.items()}
            parts.append(network(one["pictures"], one["present"]).points - one["field"].new_tensor(self.rest) - one["field"])
        apart = torch.cat(parts)
        return {"held_mm": float(apart.norm(dim=2).mean()), "held_squares": float((apart / CM).square().mean())}

    def sheet(self, network: nn.Module, path: Path) -> None:
        """Draw the truth above the heart that is answered, cut at the true planes."""
        if self.shown is not None:
            points = torch.cat([answer.points for answer in asked(network, self.shown)]).cpu()
            write_sections(path, self.shown, sections(points, self.shown["sectors"], self.shown["fans"]))


@torch.no_grad()
def start(network: PaperS2MNet, mean: Tensor) -> None:
    """Let every coarse field start at the mean displacement (3,) mm of the samples; without it, a short run learns little else."""
    last = network.decoder.grow[-1]
    if not isinstance(last, nn.ConvTranspose3d) or last.bias is None:
        raise TypeError("the decoder must end with a transposed convolution that has a bias")
    last.weight.mul_(0.1)
    last.bias.copy_(mean / network.config.unit_mm)


def run(settings: Settings, out: Path, *, resume: bool = False, progress: Progress = silent) -> dict[str, Any]:
    """Train in a folder that is there; return what was measured. ``echo3d train s2mnet-paper`` calls this.

    Raises
    ------
    InputError
        If there are no samples in these styles.
    """
    about = {"kind": "s2mnet-paper", "preset": "paper"}
    return train_rival(lambda shards: Field3D(settings, shards), settings, out, about, resume=resume, progress=progress)

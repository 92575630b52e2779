"""Train Pix2Vox-F, Pix2Vox-A or E-Pix2Vox++ on the samples that the lean network learns from.

echo3d train pix2vox --config fast.toml --out runs/rivals/fast

The truth is the tissue on the common metric grid; both the merged volume and the refined one pay ten times the binary cross entropy.

*Source:* reference science.md C.4; the halving of the rate after 150 epochs is a cosine here (training.schedule).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from echo3d.anatomy.template import load_template
from echo3d.progress import Progress, silent
from echo3d.reconstruction.pix2vox import PRESETS, Pix2Vox, Pix2VoxConfig, Preset, Volumes
from echo3d.reconstruction.raster import NETWORK_GRID
from training.data import Shards
from training.heartsheet import write_sections
from training.occupancy import METRIC, occupied
from training.overlayscore import sector_of
from training.rivals import Drawer, RivalSettings, asked, held_back, shown_pair, train_rival

GAIN = 10.0
"""Factor of the binary cross entropy. *Source:* science.md C.4."""

MERGER_FACTOR = 0.1
"""Rate of the merger, 1e-4, over that of the rest, 1e-3. *Source:* science.md C.4."""


class Settings(RivalSettings):
    """How a voxel network is trained."""

    preset: Preset = Field("fast", description="Pix2Vox-F, Pix2Vox-A or E-Pix2Vox++.")
    network: Pix2VoxConfig | None = Field(None, description="Sizes in place of the preset's.")
    filled: int = Field(64, ge=1, description="Samples whose share of filled voxels the last layers' biases start at.")


class Voxels:
    """Learning to say which voxels a heart fills.

    Parameters
    ----------
    settings : how
    shards : the samples
    """

    def __init__(self, settings: Settings, shards: Shards) -> None:
        config = (settings.network or PRESETS[settings.preset]).model_copy(update={"filled": mean_filled(shards, settings.filled)})
        torch.manual_seed(settings.seed)
        self.config = config
        self.network: nn.Module = Pix2Vox(config)
        self.drawer = Drawer(shards, settings.strength, settings.any_views, settings.single)
        self.held, self.shown = held_back(settings), shown_pair(settings)

    def draw(self, rng: np.random.Generator, count: int) -> dict[str, Tensor]:
        """Return pictures, present views and true voxels (B, D, D, D)."""
        part = self.drawer.draw(rng, count)
        return {"pictures": part["pictures"], "present": part["present"], "voxels": true_voxels(part["field"], self.config.side)}

    def terms(self, network: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return what the merged and, where there is a refiner, the refined volume pay."""
        answer: Volumes = network(batch["pictures"], batch["present"])
        terms = {"coarse": GAIN * entropy(answer.coarse, batch["voxels"])}
        return terms | ({"refined": GAIN * entropy(answer.refined, batch["voxels"])} if self.config.refiner else {})

    def factor(self, name: str) -> float:
        """Return the share of the rate at which a weight learns."""
        return MERGER_FACTOR if name.startswith("merger.") else 1.0

    def validated(self, network: nn.Module) -> dict[str, float]:
        """Return the cross entropy and the mean overlap at one half on the samples held back."""
        if not self.held:
            return {}
        place = next(network.parameters()).device
        scores = []
        for row in range(len(self.held["field"])):
            one = {key: value[row : row + 1] for key, value in self.held.items()}
            truth = true_voxels(one["field"], self.config.side)
            refined = network(one["pictures"].to(place), one["present"].to(place)).refined.cpu()
            scores.append([float(entropy(refined, truth)), overlap(refined >= 0.5, truth >= 0.5)])
        return dict(zip(("held_entropy", "held_iou"), np.mean(scores, axis=0).tolist(), strict=True))

    def sheet(self, network: nn.Module, path: Path) -> None:
        """Draw the truth above the voxels that are answered, cut at the true planes."""
        if self.shown is not None:
            said = [answer.refined[0].cpu().numpy() >= 0.5 for answer in asked(network, self.shown)]
            planes, fans = self.shown["sectors"], self.shown["fans"]
            write_sections(path, self.shown, np.stack([cut_voxels(one, planes[k], fans[k]) for k, one in enumerate(said)]))


def cut_voxels(filled: NDArray[np.bool_], planes: NDArray, fans: NDArray) -> NDArray[np.uint8]:
    """Return the labels (V, H, W) of filled voxels of the common metric grid, or a coarser one, in the planes (V, 9) of fans (V, 2).

    What is filled is drawn as the left ventricle's muscle, because voxels have no names.
    """
    grid = type(METRIC)(METRIC.low, METRIC.high, len(filled))
    picture = np.zeros((len(planes), NETWORK_GRID.height, NETWORK_GRID.width), np.uint8)
    for view, (plane, fan) in enumerate(zip(planes, fans, strict=True)):
        at = np.rint(grid.index(sector_of(plane.astype(float), fan.astype(float)).world(NETWORK_GRID.plane_mm()))).astype(int)
        inside = ((at >= 0) & (at < len(filled))).all(axis=-1)
        picture[view][inside] = filled[tuple(at[inside].T)]
    return picture


def true_voxels(field: Tensor, side: int = METRIC.side) -> Tensor:
    """Return (B, side, side, side) float32, 1 where tissue fills a voxel of the common metric grid, of fields (B, N, 3) mm."""
    rest = load_template().points
    grid = METRIC if side == METRIC.side else type(METRIC)(METRIC.low, METRIC.high, side)
    return torch.from_numpy(np.stack([occupied(rest + one.double().numpy(), grid) for one in field])).float()


def mean_filled(shards: Shards, count: int) -> float:
    """Return the share of voxels that the first samples fill."""
    field = torch.from_numpy(shards.parts[0]["field"][:count]).float()
    return float(np.mean([true_voxels(one[None]).mean() for one in field]))


def entropy(probability: Tensor, truth: Tensor) -> Tensor:
    """Return the mean binary cross entropy."""
    return nn.functional.binary_cross_entropy(probability.clamp(1e-6, 1 - 1e-6), truth)


def overlap(one: Tensor, other: Tensor) -> float:
    """Return the overlap of two bool tensors over what either fills; 1 where both are empty."""
    either = float((one | other).sum())
    return float((one & other).sum()) / either if either else 1.0


def run(settings: Settings, out: Path, *, resume: bool = False, progress: Progress = silent) -> dict[str, Any]:
    """Train in a folder that is there; return what was measured. ``echo3d train pix2vox`` calls this.

    Raises
    ------
    InputError
        If there are no samples in these styles.
    """
    about = {"kind": "pix2vox", "preset": settings.preset}
    return train_rival(lambda shards: Voxels(settings, shards), settings, out, about, resume=resume, progress=progress)

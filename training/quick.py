"""Teach the lean encoder by what becomes of the heart that is moved quickly towards what it sees.

echo3d train quick --config quick.toml --out runs/quick

It begins as the encoder of the network, in whose answers hearts begin (``echo3d.reconstruction.quick``). It pays for the moved heart's
points and chambers, for its planes' probes, for the network's own answer to its map, and for what the map says is where. Pairs are
drawn by ``training.glances`` as for ``training.throughheart``; of the hearts in them only the truth is read. What moves the hearts is held
by the prior of weights that refine the same network's answers.

*Source:* our own; see ``training.throughheart``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from echo3d.errors import InputError
from echo3d.progress import Progress, silent
from echo3d.reconstruction.classes import CLASSES
from echo3d.reconstruction.quick import QuickEncoder, quick_mover
from echo3d.reconstruction.reconstruct import load_model
from echo3d.reconstruction.s2mnet import S2MNetConfig, pooled
from echo3d.reconstruction.sight import sight
from training.loop import learn
from training.secondlook import Settings as CellSettings
from training.secondlook import keep_encoder
from training.throughheart import Body, pairs_of, read_pairs, relit

NETWORK = "quick.pt"


class Settings(CellSettings):
    """How the lean encoder is taught by what becomes of the heart."""

    refined: str = Field("accurate", description="Weights whose prior leads the moves.")
    begin: Path | None = Field(None, description="Run of quick that it begins as; the network's own encoder where there is none.")
    waist: float = Field(0.5, gt=0, le=1, description="Share of the channels between two convolutions that the encoder keeps.")
    batch: int = Field(4, ge=1, description="Pairs of end-diastole and end-systole a step.")
    rate: float = Field(5e-4, gt=0, description="Highest learning rate.")
    moves: int = Field(3, ge=1, description="Steps of Gauss-Newton.")
    further: int = Field(2, ge=0, description="Steps more, with the cells that tell chosen anew; the last one is learned through.")
    weight: float = Field(5.0, gt=0, description="How much the disagreement of a cell counts.")
    volume: float = Field(15.0, ge=0, description="What the left ventricle's relative error of volume costs, in mm; the others cost less.")
    probe: float = Field(0.1, ge=0, description="What a millimetre costs by which a plane's probe is off.")
    answer: float = Field(0.3, ge=0, description="What a millimetre costs by which the network's own answer is off.")
    entropy: float = Field(1.0, ge=0, description="What the cells' cross entropy costs, in mm.")
    held: int = Field(60, ge=1, description="Pairs that are measured on.")


class Quick:
    """Learning to lead a heart.

    Parameters
    ----------
    settings : how
    """

    def __init__(self, settings: Settings) -> None:
        torch.manual_seed(settings.seed)
        self.settings = settings
        model, base = load_model(settings.refined, "cpu"), load_model(settings.model, "cpu").network
        if model.refiner is None:
            raise InputError(f"refined must name weights that refine, found {settings.refined}; name accurate or one of its kind")
        self.mover = quick_mover(model.refiner.slicer, model.refiner.covariance, settings.weight, (settings.moves, settings.further))
        self.base = base.requires_grad_(False)
        network = begun_as(settings, base.config, base.encoder)
        self.network: nn.Module = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.bank = read_pairs(settings.data)
        held = read_pairs(settings.val)
        self.held = pairs_of(held, np.random.default_rng(0).permutation(len(held["truth"]))[: settings.held])
        self.body = Body(base)

    def draw(self, rng: np.random.Generator, count: int) -> dict[str, Tensor]:
        """Return ``count`` pairs at random, their pictures a little changed in brightness and grain, each time anew."""
        batch = pairs_of(self.bank, rng.integers(0, len(self.bank["truth"]), count))
        return batch | {"pictures": relit(batch["pictures"])}

    def moved(self, logits: Tensor, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Return hearts (S, R) as answered and as moved, and how far their probes are off (S,), of pairs whose pictures gave ``logits``."""
        present, pictures = batch["present"].flatten(0, 1), batch["pictures"].flatten(0, 1)
        maps, leading = (torch.zeros(*present.shape, CLASSES - 1, *logits.shape[2:]) for _ in range(2))
        for place, part in zip((maps, leading), logits.split(CLASSES, dim=1), strict=True):
            place[present] = torch.softmax(part, dim=1)[:, 1:]
        _, fused, planes, _ = self.base.read(pooled(maps), present)
        hearts, off = [], []
        for row in range(0, len(present), 2):
            views = present[row].nonzero()[:, 0].tolist()
            pair = [
                sight(fused[own].detach(), planes[own, views].detach(), leading[own, views], pictures[own, views, 1])
                for own in (row, row + 1)
            ]
            true = batch["sectors"][row // 2, :, views, :3]
            for fit, sectors in zip(self.mover(pair, views), true, strict=True):
                hearts.append(fit.coefficients)
                off.append((fit.planes[:, :3] - sectors).norm(dim=1).mean())
        return fused, torch.stack(hearts), torch.stack(off)

    def terms(self, network: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return what hearts and maps pay."""
        present = batch["present"]
        shown = batch["pictures"][present].contiguous(memory_format=torch.channels_last)
        logits = network(shown, present.nonzero()[:, 2]).float()
        with torch.autocast("cpu", enabled=False):
            answers, hearts, off = self.moved(logits, batch)
            truth, volumes = batch["truth"].flatten(0, 1), batch["volumes"].flatten(0, 1)
            due = self.body.paid(hearts, truth, volumes, self.settings.volume)
            due["answer"] = self.settings.answer * self.body.wrong(answers, truth, volumes)[0]
        due["probes"] = self.settings.probe * off.mean()
        return due | {"entropy": self.settings.entropy * functional.cross_entropy(logits[:, :CLASSES], batch["shares"][present])}

    def validated(self, network: nn.Module) -> dict[str, float]:
        """Return the errors of the held pairs: points in mm as answered and as moved, volumes in per cent."""
        rows: list[tuple[Tensor, ...]] = []
        for part in torch.arange(len(self.held["truth"])).split(10):
            batch = {key: value[part] for key, value in self.held.items()}
            shown = batch["pictures"][batch["present"]].contiguous(memory_format=torch.channels_last)
            rows.append(self.moved(network(shown, batch["present"].nonzero()[:, 2]), batch))
        answers, hearts, off = (torch.cat(parts) for parts in zip(*rows, strict=True))
        truth, volumes = self.held["truth"].flatten(0, 1), self.held["volumes"].flatten(0, 1)
        shift, wrong = self.body.wrong(hearts, truth, volumes)
        found = {"points_mm": shift, "answer_mm": self.body.wrong(answers, truth, volumes)[0], "probe_mm": off.mean()}
        found |= {"lv_pc": 100 * wrong[:, 0].mean(), "rv_pc": 100 * wrong[:, 1].mean()}
        return {f"held_{key}": float(value) for key, value in found.items()}


def begun_as(settings: Settings, config: S2MNetConfig, encoder: nn.Module) -> QuickEncoder:
    """Return the encoder that a run ended with, or one whose maps both are those of ``encoder``, but for what is left out of it."""
    if settings.begin is not None:
        known = torch.load(settings.begin / NETWORK, weights_only=True, map_location="cpu")["quick"]
    else:
        known = encoder.state_dict()
        known = known | {f"leading.{key}": known[f"classes.{key}"] for key in ("weight", "bias")}
    network = QuickEncoder(config, settings.waist)
    full = known["fine.3.first.weight"].shape[0] == config.channels[0]
    network.load_state_dict(slimmed(known, settings.waist) if full else known)
    return network


def slimmed(weights: Mapping[str, Tensor], waist: float) -> dict[str, Tensor]:
    """Return an encoder's weights whose residual blocks keep a share of the channels between their convolutions, those that tell most.

    Each group of the norm between keeps the same share, by the size of what leads on from a channel.
    """
    found = dict(weights)
    for name in [key.removesuffix("norm.weight") for key in weights if key.endswith(".norm.weight")]:
        size = weights[f"{name}second.weight"].flatten(2).norm(dim=(0, 2)) * weights[f"{name}norm.weight"].abs()
        groups = size.view(8, -1)
        best = groups.topk(int(groups.shape[1] * waist), dim=1).indices.sort(dim=1).values
        kept = (best + groups.shape[1] * torch.arange(8)[:, None]).flatten()
        found |= {f"{name}{part}": weights[f"{name}{part}"][kept] for part in ("first.weight", "first.bias", "norm.weight", "norm.bias")}
        found[f"{name}second.weight"] = weights[f"{name}second.weight"][:, kept]
    return found


def run(settings: Settings, out: Path, *, resume: bool = False, progress: Progress = silent) -> dict[str, Any]:
    """Train in a folder that is there; return what was measured. ``echo3d train quick`` calls this.

    Raises
    ------
    InputError
        If there are no pairs, or the weights do not refine.
    """
    torch.set_num_threads(settings.threads)
    work = Quick(settings)
    loop = learn(work, settings.course(), out, resume=resume, progress=progress)
    keep_encoder(loop, settings.model, out / NETWORK, "quick")
    with torch.inference_mode():
        measured = {key: round(value, 4) for key, value in work.validated(loop.average).items()}
    return measured | {"steps": loop.step, "core_minutes": round(loop.core_minutes, 2), "weights": NETWORK}

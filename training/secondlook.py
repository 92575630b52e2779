"""Train the encoder of the second look: from a picture and the slice of the heart that the first look made, to what is where in it.

echo3d train secondlook --config second.toml --out runs/secondlook

It begins as the first look's encoder, which it equals while the slices are not heeded. What it is shown is drawn by ``training.glances``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional

from echo3d.errors import InputError
from echo3d.progress import Progress, silent
from echo3d.reconstruction.reconstruct import load_model
from echo3d.reconstruction.secondlook import SecondEncoder
from training.encoder import shares
from training.loop import Course, Loop, Part, learn

NETWORK = "second.pt"


class Settings(BaseModel):
    """How the second look is trained."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    usual: ClassVar[float] = 40.0
    """Minutes of a processor where no budget is named."""

    data: Path = Field(Path("runs/glances/train"), description="Glances to learn from, of training.glances.")
    val: Path = Field(Path("runs/glances/val"), description="Glances to measure on, never learned from.")
    model: str = Field("lean", description="Weights whose encoder it begins as.")
    steps: int | None = Field(None, ge=1, description="How many steps to learn.")
    minutes: float | None = Field(None, gt=0, description="How long to learn.")
    core_minutes: float | None = Field(None, gt=0, description="How much of a processor's time to learn; 40 where no budget is named.")
    batch: int = Field(48, ge=1, description="Pictures a step.")
    rate: float = Field(1e-3, gt=0, description="Highest learning rate.")
    rise: int = Field(100, ge=1, description="Steps in which it is reached.")
    precision: Literal["float32", "bfloat16"] = Field("bfloat16", description="Precision of the layers.")
    held: int = Field(1200, ge=1, description="Pictures that are measured on.")
    keep: int = Field(200, ge=1, description="Steps from one checkpoint to the next.")
    note: int = Field(100, ge=1, description="Steps from one line of the log to the next.")
    measure: int = Field(4, ge=1, description="Lines of the log from one measurement to the next.")
    seed: int = Field(0, ge=0, description="Seed of weights and draws.")
    device: str = Field("auto", description="auto, cpu, cuda or cuda:n.")
    threads: int = Field(1, ge=1, description="Threads of the CPU.")

    def course(self) -> Course:
        """Return the course."""
        budget: dict[str, Any] = {"steps": self.steps, "minutes": self.minutes, "core_minutes": self.core_minutes}
        if not any(budget.values()):
            budget["core_minutes"] = self.usual
        shared = ("batch", "rate", "rise", "precision", "keep", "note", "measure", "seed", "device")
        return Course(decay=0.01, clip=1.0, **budget, **{name: getattr(self, name) for name in shared})


def read_glances(folder: Path) -> dict[str, NDArray]:
    """Return all glances of a folder picture by picture: pictures (P, H, W), mask, slices (P, K, h, w), labels (P, H, W) and view (P,).

    Raises
    ------
    InputError
        If there are none.
    """
    parts: list[dict[str, NDArray]] = []
    for path in sorted(folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as data:
            present = data["present"]
            part = {key: data[key][present] for key in ("pictures", "mask", "slices", "labels")}
        parts.append(part | {"view": present.nonzero()[1]})
    if not parts:
        raise InputError("a second look must have glances to learn from, found none; draw them with training.glances and name their folder")
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


class Looking:
    """Learning to look again.

    Parameters
    ----------
    settings : how
    """

    def __init__(self, settings: Settings) -> None:
        torch.manual_seed(settings.seed)
        base = load_model(settings.model, "cpu").network
        network = SecondEncoder(base.config)
        network.load_state_dict(base.encoder.state_dict() | added(network))
        self.network: nn.Module = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.bank = read_glances(settings.data)
        held = read_glances(settings.val)
        rows = np.random.default_rng(0).permutation(len(held["view"]))[: settings.held]
        self.held = batch_of(held, rows)

    def draw(self, rng: np.random.Generator, count: int) -> dict[str, Tensor]:
        """Return ``count`` pictures at random, of any view, with their slices and true shares."""
        return batch_of(self.bank, rng.integers(0, len(self.bank["view"]), count))

    def terms(self, network: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the cross entropy."""
        logits = network(batch["pictures"], batch["view"], batch["slices"])
        return {"entropy": functional.cross_entropy(logits.float(), batch["shares"])}

    def validated(self, network: nn.Module) -> dict[str, float]:
        """Return the mean square error of the shares within the fans, on the pictures held back: looked at again, and the slices'."""
        place = next(network.parameters()).device
        inside = functional.avg_pool2d(self.held["pictures"][:, 1], 4) > 0.99
        parts = []
        for rows in torch.arange(len(inside)).split(120):
            shown = (self.held[key][rows].to(place) for key in ("pictures", "view", "slices"))
            parts.append(torch.softmax(network(*shown).float(), dim=1).cpu())
        truth = self.held["shares"][:, 1:]
        rest = (torch.cat(parts)[:, 1:] - truth).square().sum(dim=1)[inside]
        return {
            "held_squares": float(rest.mean()),
            "slices_squares": float((self.held["slices"] - truth).square().sum(dim=1)[inside].mean()),
        }


def added(network: SecondEncoder) -> dict[str, Tensor]:
    """Return what a second encoder has and a first has not."""
    return {key: value for key, value in network.state_dict().items() if key.startswith("slice.")}


def batch_of(bank: Mapping[str, NDArray], rows: NDArray) -> dict[str, Tensor]:
    """Return rows of glances as the network takes them, with the true shares of all classes."""
    part = {key: torch.from_numpy(value[rows]) for key, value in bank.items()}
    pictures = torch.stack([part["pictures"].float() / 255, part["mask"].float()], dim=1).contiguous(memory_format=torch.channels_last)
    return {"pictures": pictures, "view": part["view"], "slices": part["slices"].float() / 255, "shares": shares(part["labels"])}


def keep_encoder(loop: Loop, model: str, path: Path, name: str = "second") -> None:
    """Write the encoder that a lesson ended with under a name, and what the lesson took, whole or not at all."""
    took = {"steps": loop.step, "minutes": loop.minutes, "core_minutes": loop.core_minutes}
    torch.save({name: loop.average.eval().state_dict(), "model": model} | took, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)


def mean_encoder(runs: Sequence[Path], file: str = NETWORK, name: str = "second") -> dict[str, Tensor]:
    """Return the weights that are the mean of those of several runs, which must have begun as one.

    Parameters
    ----------
    file, name : where a run keeps its encoder, and under which name

    *Source:* Wortsman et al. 2022, model soups; McMahan et al. 2017 for runs that part and are averaged.
    """
    found = [torch.load(run / file, weights_only=True, map_location="cpu")[name] for run in runs]
    return {key: torch.stack([one[key] for one in found]).mean(dim=0) for key in found[0]}


def run(settings: Settings, out: Path, *, resume: bool = False, progress: Progress = silent, part: Part | None = None) -> dict[str, Any]:
    """Train in a folder that is there; return what was measured. ``echo3d train secondlook`` calls this.

    Parameters
    ----------
    part : which lesson of a longer run it is, where it is one

    Raises
    ------
    InputError
        If there are no glances.
    """
    torch.set_num_threads(settings.threads)
    work = Looking(settings)
    loop = learn(work, settings.course(), out, resume=resume, progress=progress, part=part)
    keep_encoder(loop, settings.model, out / NETWORK)
    with torch.inference_mode():
        measured = {key: round(value, 5) for key, value in work.validated(loop.average).items()}
    return measured | {"steps": loop.step, "core_minutes": round(loop.core_minutes, 2), "weights": NETWORK}

"""What all rivals of the lean network share: settings, the samples they are shown, the files they end with, and how they are opened again.

A rival's folder holds ``network.safetensors`` with its card, and ``recipe.json`` with what was trained and for how long.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from echo3d.anatomy.template import load_template
from echo3d.core.modelcard import ModelCard
from echo3d.errors import InputError
from echo3d.io.weights import read_card, read_weights, write_weights
from echo3d.progress import Progress
from echo3d.reconstruction.pix2vox import Pix2Vox, Pix2VoxConfig, parameters
from echo3d.reconstruction.raster import NETWORK_GRID
from echo3d.reconstruction.s2mnet import VIEWS
from echo3d.reconstruction.s2mnet_paper import PaperConfig, PaperS2MNet
from echo3d.reconstruction.slicer import tight_grid
from training.augment import fan_masks, look
from training.data import Shards
from training.heartsheet import Sample, first_pair
from training.loop import Batch, Course, Loop, Work, learn
from training.styles import STYLES
from training.template import CREDIT

FILE, RECIPE = "network.safetensors", "recipe.json"
EPOCHS = 250
"""*Source:* reference science.md C.4."""

Rival = Callable[[Tensor, Tensor], Tensor]
"""Takes pictures (B, V, 2, 112, 112) and present (B, V); says probabilities (B, 128, 128, 128) or points (B, N, 3) mm."""


class RivalSettings(BaseModel):
    """How a rival is trained; the published values where there are any: 250 epochs of batches of 64, Adam at 0.001."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Path = Field(Path("runs/samples"), description="Samples to learn from, of training.samples and training.styles.")
    val: Path = Field(Path("runs/val"), description="Samples to measure on, never learned from.")
    limit: int = Field(40_000, ge=2, description="Most samples to learn from.")
    styles: tuple[str, ...] = Field(STYLES, description="Styles of the pictures; each pair of samples shows one of them.")
    strength: float = Field(1.0, ge=0, le=3, description="Strength of the domain randomisation; 0 for none.")
    any_views: bool = Field(
        True,
        description="Whether half of the samples show one to five views; all six otherwise, as published.",
        json_schema_extra={"published": False},
    )
    single: float = Field(0.0, ge=0, le=1, description="Share of the samples that show one view alone, which costs a sixth of a step.")
    epochs: float | None = Field(
        None, gt=0, description="How often every sample is seen; 250 times where no budget is set.", json_schema_extra={"published": EPOCHS}
    )
    steps: int | None = Field(None, ge=1, description="How many steps to learn, in place of epochs.")
    minutes: float | None = Field(None, gt=0, description="How long to learn, in place of epochs.")
    core_minutes: float | None = Field(None, gt=0, description="How much of a processor's time to learn, in place of epochs.")
    batch: int = Field(
        64,
        ge=1,
        le=4096,
        description="Samples a step; published 64 for Pix2Vox and 8 for E-Pix2Vox++.",
        json_schema_extra={"published": 64},
    )
    rate: float = Field(1e-3, gt=0, le=1, description="Highest learning rate.", json_schema_extra={"published": 1e-3})
    rise: int = Field(200, ge=1, description="Steps in which it is reached.")
    average: float = Field(
        0.998, ge=0, lt=1, description="Decay of the average that is measured and written.", json_schema_extra={"published": 0.0}
    )
    statistics: int = Field(8, ge=0, description="Batches from which the average's batch norms are measured at the end; 0 leaves them.")
    precision: Literal["float32", "bfloat16"] = Field("float32", description="Precision of the layers.")
    held: int = Field(8, ge=0, le=10_000, description="Samples that are measured on.")
    keep: int = Field(200, ge=1, description="Steps from one checkpoint to the next.")
    note: int = Field(50, ge=1, description="Steps from one line of the log to the next.")
    measure: int = Field(10, ge=1, description="Lines of the log from one measurement to the next.")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of weights and draws.")
    device: str = Field("auto", description="auto, cpu, cuda, cuda:n, or one for each process joined by +.")
    processes: int = Field(1, ge=1, le=64, description="Processes that learn together on a processor.")
    threads: int = Field(1, ge=1, le=256, description="Threads of the CPU.")
    name: str = Field("", description="What the run is called where runs are compared; its kind where empty.")

    def course(self, samples: int) -> Course:
        """Return the course, given how many samples an epoch has."""
        budget: dict[str, Any] = {"steps": self.steps, "minutes": self.minutes, "core_minutes": self.core_minutes}
        budget["epochs"] = self.epochs if self.epochs or any(budget.values()) else EPOCHS
        shared = ("batch", "rate", "rise", "average", "precision", "keep", "note", "measure", "seed", "device")
        return Course(optimiser="adam", decay=0.0, samples=samples, **budget, **{name: getattr(self, name) for name in shared})


def opened(folder: Path, settings: RivalSettings, limit: int) -> Shards:
    """Return samples in the styles that are asked for.

    Raises
    ------
    InputError
        If there are none.
    """
    shards = Shards(folder, limit, styles=settings.styles)
    if not shards.refresh():
        raise InputError(
            f"a rival must have samples in the styles {', '.join(settings.styles)}, found none; "
            "draw them with training.samples and training.styles and name their folder as data or val"
        )
    return shards


@dataclass(frozen=True, slots=True, eq=False)
class Drawer:
    """Draws what a rival is shown: pictures (B, V, 2, H, W), present (B, V) and the true displacement field (B, N, 3) in mm.

    Parameters
    ----------
    shards : the samples
    strength : of the domain randomisation
    any_views : whether half of the samples show one to five views
    single : share of the samples that show one view alone
    """

    shards: Shards
    strength: float
    any_views: bool
    single: float = 0.0

    def draw(self, rng: np.random.Generator, count: int) -> dict[str, Tensor]:
        """Return ``count`` samples, ED and ES of one heart in turn; a single one is either."""
        pairs = self.shards.pairs(rng, (count + 1) // 2)
        first = int(rng.integers(2)) if count % 2 else 0
        part = {key: value[first : first + count] for key, value in pairs.items()}
        shown = draw_views(rng, count, self.single) if self.any_views else torch.ones(count, VIEWS, dtype=torch.bool)
        return {"pictures": look(part["echo"], part["fans"], rng, self.strength), "present": shown, "field": part["field"].float()}


def draw_views(rng: np.random.Generator, count: int, single: float = 0.0) -> Tensor:
    """Return (count, V) bool: a share ``single`` sees one view, half of the rest sees all, the others one to five at random.

    Pix2Vox learns from single views first, and from several only then; a share of single views spares most of a step's cost likewise.

    >>> bool(draw_views(np.random.default_rng(0), 500).any(dim=1).all())
    True
    """
    number = np.where(rng.random(count) < 0.5, VIEWS, rng.integers(1, VIEWS, count))
    if single:
        number = np.where(rng.random(count) < single, 1, number)
    return torch.from_numpy(rng.random((count, VIEWS)).argsort(axis=1).argsort(axis=1) < number[:, None])


def held_back(settings: RivalSettings) -> dict[str, Tensor]:
    """Return the samples to measure on, as they are and seen through all views; nothing where none are asked for."""
    if not settings.held:
        return {}
    part = {key: value[: settings.held] for key, value in opened(settings.val, settings, settings.held).all().items()}
    mask = fan_masks(part["fans"])
    pictures = torch.stack([part["echo"].float() / 255 * mask, mask.float()], dim=2)
    return {"pictures": pictures, "present": torch.ones(pictures.shape[:2], dtype=torch.bool), "field": part["field"].float()}


def shown_pair(settings: RivalSettings) -> Sample | None:
    """Return the heart that the sheets show, None where nothing is held back."""
    return first_pair(opened(settings.val, settings, 2)) if settings.held else None


def asked(network: nn.Module, shown: Sample) -> Any:
    """Return what a network answers to both phases of the sheets' heart, all views present."""
    echo, fans = (torch.from_numpy(np.array(shown[key])) for key in ("echo", "fans"))
    mask = fan_masks(fans)
    pictures = torch.stack([echo.float() / 255 * mask, mask.float()], dim=2).to(next(network.parameters()).device)
    return [network(one[None], torch.ones(1, VIEWS, dtype=torch.bool, device=one.device)) for one in pictures]


def mean_field(shards: Shards) -> Tensor:
    """Return the mean displacement (3,) in mm of the samples' points."""
    return torch.stack([torch.from_numpy(part["field"]).float().mean(dim=(0, 1)) for part in shards.parts]).mean(dim=0)


def with_statistics(network: nn.Module, batches: list[Batch], precision: str = "float32") -> nn.Module:
    """Return a copy of a network whose batch norms know the mean and variance over some batches.

    Running means follow the weights too slowly where a run has a handful of steps, and the averaged weights never saw a batch at all.
    """
    measured = copy.deepcopy(network)
    norms = [layer for layer in measured.modules() if isinstance(layer, nn.BatchNorm2d | nn.BatchNorm3d)]
    before = [layer.momentum for layer in norms]
    for layer in norms:
        layer.reset_running_stats()
        layer.momentum = None  # the plain mean of all batches
    measured.train()
    place = next(measured.parameters()).device
    with torch.no_grad(), torch.autocast(place.type, torch.bfloat16, enabled=precision == "bfloat16"):
        for batch in batches:
            measured(batch["pictures"].to(place), batch["present"].to(place))
    for layer, momentum in zip(norms, before, strict=True):
        layer.momentum = momentum
    return measured.eval()


class RivalWork(Work, Protocol):
    """What a rival learns."""

    @property
    def config(self) -> BaseModel:
        """Return the sizes of its network."""


def train_rival(
    made: Callable[[Shards], RivalWork], settings: RivalSettings, out: Path, about: Mapping[str, str], *, resume: bool, progress: Progress
) -> dict[str, Any]:
    """Train a rival in a folder that is there; return what was measured.

    Parameters
    ----------
    made : makes the work of the samples to learn from
    about : "kind" and "preset"

    Raises
    ------
    InputError
        If there are no samples in these styles.
    """
    torch.set_num_threads(settings.threads)
    shards = opened(settings.data, settings, settings.limit)
    work = made(shards)
    loop = learn(work, settings.course(len(shards)), out, resume=resume, progress=progress)
    return finish(loop, settings, out, {**about, "config": work.config.model_dump()})


def finish(loop: Loop, settings: RivalSettings, out: Path, about: Mapping[str, Any]) -> dict[str, Any]:
    """Write the averaged network, its card and its recipe; return what was measured.

    Parameters
    ----------
    about : "kind", "preset", and "config", the sizes of the network
    """
    rng = np.random.default_rng([settings.seed, 29])
    batches = [loop.work.draw(rng, loop.batch) for _ in range(settings.statistics)]
    network = with_statistics(loop.average, batches, settings.precision) if batches else loop.average.eval()
    with torch.inference_mode():
        measured = {key: round(value, 4) for key, value in loop.work.validated(network).items()}
    budget = {"core_minutes": round(loop.core_minutes, 2), "minutes": round(loop.minutes, 2), "steps": loop.step, "samples": loop.samples}
    recipe = {"name": settings.name or str(about["kind"]), "parameters": parameters(network), "budget": budget, **about}
    told = settings.model_dump(mode="json") | {"data": "given", "val": "given"}  # paths belong to one machine
    card = ModelCard(
        name=recipe["name"],
        kind=str(about["kind"]),
        trained={"date": date.today().isoformat(), "command": f"echo3d train {about['kind']}", "settings": told, **budget},
        template_sha256=load_template().sha256,
        image_hw=(NETWORK_GRID.height, NETWORK_GRID.width),
        config=dict(about["config"]),
        metrics=measured,
        data_credits=(CREDIT,),
    )
    write_weights(out / FILE, network.state_dict(), card)
    (out / RECIPE).write_text(json.dumps(recipe, indent=1) + "\n", encoding="utf-8")
    return measured | {"steps": loop.step, "weights": FILE}


def paper_network(config: PaperConfig) -> PaperS2MNet:
    """Return the paper's network that moves the template's points on the raster that just holds them."""
    template, grid = load_template(), tight_grid(config.side)
    network = PaperS2MNet(config, len(template.points))
    network.template.copy_(torch.from_numpy(np.array(template.points)))
    network.place.copy_(torch.from_numpy(grid.index(template.points) / (grid.side - 1) * 2 - 1))
    return network


def open_network(folder: Path) -> nn.Module:
    """Return the network of a rival's folder, as it was written.

    Raises
    ------
    InputError
        If the folder holds none.
    ModelError
        If its weights or their card are damaged.
    """
    if not (folder / FILE).is_file():
        raise InputError(f"a rival's folder must hold {FILE}, found none in {folder.name}; train it with echo3d train")
    card = read_card(folder / FILE)
    made: Mapping[str, Callable[[], nn.Module]] = {
        "pix2vox": lambda: Pix2Vox(Pix2VoxConfig.model_validate(card.config)),
        "s2mnet-paper": lambda: paper_network(PaperConfig.model_validate(card.config)),
    }
    if card.kind not in made:
        raise InputError(f"a rival must be one of {', '.join(made)}, found {card.kind[:40]!r}; name a rival's folder")
    network = made[card.kind]()
    network.load_state_dict(read_weights(folder / FILE))
    return network.eval()


def open_rival(folder: Path) -> Rival:
    """Return what answers as the rival of a folder does: pictures and present views to probabilities or points.

    Raises
    ------
    InputError
        If the folder holds none.
    """
    network = open_network(folder)

    @torch.inference_mode()
    def answer(pictures: Tensor, present: Tensor) -> Tensor:
        said = network(pictures, present)
        return said.refined if isinstance(network, Pix2Vox) else said.points

    return answer

"""Train the slice plane network: on the true structure maps of very many hearts, and on what S2MNet's encoder reads from pictures.

echo3d train sliceplane --config sliceplane.toml --out runs/sliceplane
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from echo3d.errors import InputError
from echo3d.progress import Progress, silent
from echo3d.reconstruction.planes import own_planes
from echo3d.reconstruction.reconstruct import load_model
from echo3d.reconstruction.s2mnet import VIEWS, S2MNet
from echo3d.reconstruction.sliceplane import PRESETS, START_UNITS, UNKNOWN, SlicePlaneNet, middle, rotation
from training.augment import look
from training.data import Shards
from training.heartsheet import Sample, first_pair, sections, true_points, write_sections
from training.loop import Course, learn
from training.planedata import WHOLE, PlaneBank, joined, kept, picture_planes, plain, sample_bank, slice_planes
from training.styles import STYLES

POINTS = ((0.0, 0.0), (80.0, -40.0), (80.0, 40.0), (130.0, 0.0))
"""Depth and lateral (mm) of the points of a fan whose distances are learned from: its tip, and three round the heart."""

LEAN_MINUTES = 30.0
"""Budget where none is set; our choice."""

TRUE, READ = "true.pt", "read.pt"
"""Files of a run with the maps it learns from, so that a run that is gone on with learns from the same."""


class Settings(BaseModel):
    """How the slice plane network is trained; one budget at most."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: Literal["lean", "lean-pictures", "paper"] = Field(
        "lean", description="The network; lean reads structure maps.", json_schema_extra={"published": "paper"}
    )
    data: Path = Field(Path("runs/samples"), description="Samples of training.samples; those that training.styles drew serve as pictures.")
    slices: Path | None = Field(Path("runs/slices"), description="Label slices of more hearts, of training.slices.")
    val: Path = Field(Path("runs/val"), description="Samples to look at on the way, never learned from.")
    limit: int = Field(200, ge=1, description="Most shards of samples, and of slices, whose true maps are learned from.")
    looked: int = Field(3000, ge=2, description="Most samples whose pictures are learned from.")
    styles: tuple[str, ...] = Field(STYLES, description="Styles of the pictures; each pair of samples shows one of them.")
    strength: float = Field(1.0, ge=0, le=3, description="Strength of the pictures' randomisation.")
    reader: str = Field("lean", description="S2MNet weights whose encoder reads the pictures.")
    epochs: float | None = Field(None, gt=0, description="Budget in epochs of the samples whose true maps are learned from.")
    steps: int | None = Field(None, ge=1, description="Budget in steps.")
    minutes: float | None = Field(None, gt=0, description="Budget in minutes; 30 where no budget is set.")
    core_minutes: float | None = Field(None, gt=0, description="Budget in minutes of the processor.")
    batch: int = Field(32, ge=2, le=4096, description="Sets of views a step, half of them true maps where the network reads maps.")
    rate: float = Field(1.5e-3, gt=0, le=1, description="Highest learning rate.")
    decay: float = Field(0.02, ge=0, le=1, description="Weight decay.")
    noise: float = Field(0.03, ge=0, le=1, description="Noise on true maps, as a share of a cell.")
    started: float = Field(0.75, ge=0, le=1, description="Share of the steps that begin with the reader's own planes.")
    shaken: float = Field(0.3, ge=0, le=5, description="Noise on planes that are begun with: 1 for 10 mm and 0.15 of a unit vector.")
    note: int = Field(200, ge=1, description="Steps from one line of the log to the next.")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of weights and draws.")
    keep: int = Field(200, ge=1, description="Steps from one checkpoint to the next.")
    device: str = Field("auto", description="auto, cpu, cuda, cuda:n, or one for each process joined by +.")
    processes: int = Field(1, ge=1, le=64, description="Processes that learn together on a processor.")
    threads: int = Field(1, ge=1, le=256, description="Threads of a CPU.")


def fan_points(planes: Tensor) -> Tensor:
    """Return the points (..., 4, 3) in mm of fans (..., 9) that the loss compares."""
    depth, lateral = torch.tensor(POINTS, device=planes.device).T[..., None]
    return planes[..., None, :3] + depth * planes[..., None, 3:6] + lateral * planes[..., None, 6:9]


def plane_loss(planes: Tensor, true: Tensor, present: Tensor) -> dict[str, Tensor]:
    """Return the loss of planes (B, V, 9) over the views that are present: centimetres between points, and the turn between frames.

    The turn is the Frobenius norm of the rotations' difference, 2.8 times the sine of half the angle. Both are zero at the truth.
    """
    apart = torch.linalg.vector_norm(fan_points(planes) - fan_points(true), dim=-1).mean(dim=-1)
    turn = torch.linalg.vector_norm((rotation(planes) - rotation(true)).flatten(-2), dim=-1)
    return {name: (part * present).sum() / present.sum() for name, part in (("points", apart / 10), ("turn", turn))}


def plane_measures(planes: Tensor, true: Tensor) -> dict[str, float]:
    """Return the mean errors of planes (..., 9).

    ``probe_mm`` of the fan's tip, ``middle_mm`` of the point 80 mm down the central beam, ``offset_mm`` of that point along the true
    plane's normal; ``normal_deg`` between the planes' normals, ``beam_deg`` between the central beams, ``turn_deg`` of the whole rotation.
    """
    frames, wanted = rotation(planes), rotation(true)
    shift = middle(planes) - middle(true)
    cosine = ((frames * wanted).sum(dim=(-1, -2)) - 1) / 2
    measured = {
        "probe_mm": (planes[..., :3] - true[..., :3]).norm(dim=-1),
        "middle_mm": shift.norm(dim=-1),
        "offset_mm": (shift * wanted[..., 2]).sum(dim=-1).abs(),
        "normal_deg": degrees((frames[..., 2] * wanted[..., 2]).sum(dim=-1)),
        "beam_deg": degrees((frames[..., 0] * wanted[..., 0]).sum(dim=-1)),
        "turn_deg": degrees(cosine),
    }
    return {name: round(float(value.mean()), 3) for name, value in measured.items()}


def degrees(cosine: Tensor) -> Tensor:
    """Return the angle in degrees of a cosine."""
    return torch.rad2deg(torch.arccos(cosine.clamp(-1, 1)))


def draw_company(count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return views (count, V), present (count, V) and together (count,): who is there, who hears whom, who is named.

    A third of the sets is asked picture by picture; another third has all six views, the last one to six. In a quarter no view is named.
    """
    views = torch.arange(VIEWS).repeat(count, 1)
    views[torch.rand(count) < 0.25] = UNKNOWN
    present = torch.rand(count, VIEWS).argsort(dim=1).argsort(dim=1) < torch.randint(1, VIEWS + 1, (count, 1))
    kind = torch.rand(count)
    present[kind < 2 / 3] = True
    return views, present, kind >= 1 / 3


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """What is measured on: structure maps of pictures, and the pair of samples that the first two are of."""

    bank: PlaneBank
    shown: Sample


class MapWork:
    """Learning from structure maps: half of each batch true ones with noise, half as the encoder read them (see ``training.loop.Work``).

    Parameters
    ----------
    network : what learns
    banks : true maps, and those that the encoder read
    val : maps of held-back pictures, and the heart of the sheet, which is the first of them
    reader : the network whose own planes are begun with
    settings : noise, and how often and from where planes are begun with
    """

    def __init__(self, network: SlicePlaneNet, banks: tuple[PlaneBank, ...], val: Held, reader: S2MNet, settings: Settings) -> None:
        self.network, self.banks, self.reader, self.settings = network, banks, reader, settings
        self.val, self.shown, self.samples = val.bank, val.shown, len(banks[0])

    def draw(self, rng: np.random.Generator, count: int) -> dict[str, Tensor]:
        """Return ``count`` sets, of each bank in equal parts; chance comes from torch's generator."""
        del rng
        sizes = [count // len(self.banks) + (number < count % len(self.banks)) for number in range(len(self.banks))]
        looks, planes = (torch.cat(part) for part in zip(*map(PlaneBank.draw, self.banks, sizes), strict=True))
        looks[: sizes[0]] += self.settings.noise * torch.randn_like(looks[: sizes[0]])
        batch = company(looks, planes)
        if float(torch.rand(())) < self.settings.started:
            batch["views"] = torch.arange(VIEWS).expand(count, -1)
            start = own_planes(self.reader, looks, batch["present"], batch["together"])
            batch["start"] = start + self.settings.shaken * torch.tensor(START_UNITS) * torch.randn_like(start)
        return batch

    def terms(self, network: nn.Module, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the terms of the loss."""
        return terms(network, batch)

    def validated(self, network: nn.Module) -> dict[str, float]:
        """Return the errors on held-back pictures, six views together and each alone."""
        looks = (self.val.maps.float() / WHOLE).split(60)
        plain_start = validated(network, looks, self.val.planes)
        return plain_start | {f"from own {name}": value for name, value in validated(network, looks, self.val.planes, self.reader).items()}

    def sheet(self, network: nn.Module, path: Path) -> None:
        """Draw the true slices above the true hearts cut at the planes that are read."""
        write_planes(path, network, self.val.maps[:2].float() / WHOLE, self.shown)


class PictureWork:
    """Learning from pictures of samples, changed anew each time."""

    def __init__(self, network: SlicePlaneNet, shards: Shards, val: Shards, strength: float) -> None:
        self.network, self.shards, self.val, self.strength = network, shards, val.all(("echo", "fans", "sectors")), strength
        self.shown, self.samples = first_pair(val), len(shards)

    def draw(self, rng: np.random.Generator, count: int) -> dict[str, Tensor]:
        """Return ``count`` sets, ED and ES of each heart that is drawn."""
        part = self.shards.pairs(rng, -(-count // 2))
        return company(look(part["echo"], part["fans"], rng, self.strength)[:count], part["sectors"][:count])

    def terms(self, network: nn.Module, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the terms of the loss."""
        return terms(network, batch)

    def validated(self, network: nn.Module) -> dict[str, float]:
        """Return the errors on held-back pictures, six views together and each alone."""
        return validated(network, plain(self.val["echo"], self.val["fans"]).split(60), self.val["sectors"])

    def sheet(self, network: nn.Module, path: Path) -> None:
        """Draw the true slices above the true hearts cut at the planes that are read."""
        write_planes(path, network, plain(self.val["echo"][:2], self.val["fans"][:2]), self.shown)


def write_planes(path: Path, network: nn.Module, looks: Tensor, shown: Sample) -> None:
    """Write the sheet of a sample and the planes that a network reads from two looks at it."""
    looks = looks.to(next(network.parameters()).device)
    planes = network(looks, torch.ones(looks.shape[:2], dtype=torch.bool, device=looks.device), together=True)
    write_sections(path, shown, sections(true_points(shown), planes.float().cpu(), shown["fans"]))


def company(looks: Tensor, planes: Tensor) -> dict[str, Tensor]:
    """Return a batch of looks and planes with a draw of who is there."""
    views, present, together = draw_company(len(looks))
    return {"looks": looks, "planes": planes, "views": views, "present": present, "together": together}


def terms(network: nn.Module, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the terms of the loss of a batch."""
    planes = network(batch["looks"], batch["present"], start=batch.get("start"), views=batch["views"], together=batch["together"])
    return plane_loss(planes, batch["planes"], batch["present"])


def validated(network: nn.Module, looks: tuple[Tensor, ...], true: Tensor, reader: S2MNet | None = None) -> dict[str, float]:
    """Return the errors of all six views together, and alone, by name; with a ``reader`` its own planes are begun with."""
    found = {}
    for mode, together in (("six", True), ("alone", False)):
        planes = []
        for part in looks:
            present = torch.ones(part.shape[:2], dtype=torch.bool)
            start = own_planes(reader, part, present, torch.full((len(part),), together)) if reader else None
            planes.append(network(part, present, start=start, together=together))
        found |= {f"{mode} {name}": value for name, value in plane_measures(torch.cat(planes), true).items()}
    return found


def run(settings: Settings, out: Path, *, resume: bool = False, progress: Progress = silent) -> dict[str, Any]:
    """Train in a folder; return the last errors on the validation samples.

    Raises
    ------
    InputError
        If there are no samples with pictures in these styles.
    """
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    network = SlicePlaneNet(PRESETS[settings.preset])
    work = work_of(settings, network, out)
    names = ("steps", "minutes", "core_minutes", "epochs", "rate", "batch", "seed", "decay", "note", "keep", "device")
    budget = {name: getattr(settings, name) for name in names} | {"samples": work.samples}
    if not any(budget[name] for name in ("steps", "minutes", "core_minutes", "epochs")):
        budget["minutes"] = LEAN_MINUTES
    loop = learn(work, Course(**budget, precision="bfloat16", clip=1.0), out, resume=resume, progress=progress)
    network.load_state_dict(loop.average.state_dict())
    state = {"network": network.cpu().state_dict(), "preset": settings.preset, "samples": loop.samples, "core_minutes": loop.core_minutes}
    torch.save(state, out / "network.partial")
    (out / "network.partial").replace(out / "network.pt")
    with torch.inference_mode():
        return work.validated(network.eval())


def shortened(settings: Settings, steps: int) -> Settings:
    """Return settings of a trial: the encoder reads few pictures only."""
    return settings.model_copy(update={"looked": max(2, min(settings.looked, 8 * steps))})


def work_of(settings: Settings, network: SlicePlaneNet, out: Path) -> MapWork | PictureWork:
    """Return what a network of these settings learns; its mean planes are set."""
    shards, val = (opened(folder, settings) for folder in (settings.data, settings.val))
    if network.config.reads == "pictures":
        set_mean(network, shards.all(("sectors",))["sectors"])
        return PictureWork(network, shards, val, settings.strength)
    reader = load_model(settings.reader, "cpu").network
    banks = banks_of(settings, shards, reader, out)
    set_mean(network, banks[0].planes)
    return MapWork(network, banks, Held(picture_planes(reader, val, None), first_pair(val)), reader, settings)


def banks_of(settings: Settings, shards: Shards, reader: S2MNet, out: Path) -> tuple[PlaneBank, PlaneBank]:
    """Return true maps, and those that the encoder reads from pictures; made once for a run."""
    folders = [(sample_bank, settings.data), *([(slice_planes, settings.slices)] if settings.slices else [])]
    true = kept(out / TRUE, lambda: joined([bank(folder, settings.limit) for bank, folder in folders]))
    rng = np.random.default_rng(settings.seed + 1)
    return true, kept(out / READ, lambda: picture_planes(reader, shards, rng, settings.strength))


def opened(folder: Path, settings: Settings) -> Shards:
    """Return the samples of a folder that have pictures in the settings' styles."""
    shards = Shards(folder, settings.looked, styles=settings.styles)
    if not shards.refresh():
        raise InputError(
            f"a run must have samples in the styles {', '.join(settings.styles)}, found none; "
            "draw them with training.samples and training.styles and name their folder as data or val"
        )
    return shards


def set_mean(network: SlicePlaneNet, planes: Tensor) -> None:
    """Set a network's mean planes from those (S, V, 9) of many sets; of an unknown view it is the mean of all."""
    network.mean[:VIEWS], network.mean[UNKNOWN] = planes.mean(dim=0), planes.mean(dim=(0, 1))

"""Train S2MNet, preset lean, from stored samples: encoder, true maps, pictures, trust.

echo3d train s2mnet --config lean.toml --out runs/lean

Each lesson is a course of the training loop and ends with a file, so that a run that was broken off goes on with the very next step. One
budget may be set for all lessons together, in steps, minutes or epochs; they share it as they share the default's.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from echo3d.errors import InputError
from echo3d.progress import Progress, silent
from echo3d.reconstruction.s2mnet import Encoder, S2MNet, S2MNetConfig
from training import trust
from training.augment import texture_bank
from training.basis import coefficients, fields_at_points
from training.course import Course, chosen, together
from training.data import MapBank, Shards, slice_bank
from training.heartsheet import first_pair
from training.lessons import EncoderWork, MapsWork, TrustWork, inner, true_maps
from training.loop import Loop, Part, Work, learn
from training.s2mnet import Lesson, Looking, picture_bank, start_network, with_maps
from training.styles import STYLES

RECIPE = "recipe.json"
"""What a run's network was shown, for those who compare runs."""


LESSONS = {"encoder": 0.42, "true maps": 0.2, "pictures": 0.33, "trust": 0.05}
"""Lessons in their order, and the share of the time that each takes by default."""

DONE = "lessons.json"
"""What the lessons that are finished took."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The budget of a lesson: steps or minutes; no steps leave it out."""

    steps: int | None = None
    minutes: float | None = None


class Settings(BaseModel):
    """How the lean network is trained; a budget in steps makes a run repeatable on any machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Path = Field(Path("runs/samples"), description="Samples to learn from, of training.samples and training.styles.")
    slices: Path = Field(Path("runs/slices"), description="Label slices of many more hearts, of training.slices.")
    val: Path = Field(Path("runs/val"), description="Samples to look at on the way, never learned from.")
    limit: int = Field(40_000, ge=2, description="Most samples to learn from.")
    look_limit: int = Field(40_000, ge=2, description="Most samples whose pictures the encoder reads for the lessons after its own.")
    styles: tuple[str, ...] = Field(STYLES, description="Styles of the pictures; each pair of samples shows one of them.")
    strength: float = Field(1.0, ge=0, le=3, description="Strength of the domain randomisation; 0 for none.")
    encoder_steps: int = Field(4000, ge=1, description="Steps of the encoder.")
    truth_steps: int = Field(4000, ge=1, description="Steps of the part behind it on true maps.")
    pictures_steps: int = Field(3000, ge=1, description="Steps of the part behind it on the encoder's maps.")
    trust_steps: int = Field(1500, ge=0, description="Steps of the trust head on pictures that are not what they are said to be.")
    steps: int | None = Field(None, ge=4, description="Steps of all lessons together, in place of their own.")
    minutes: float | None = Field(None, gt=0, description="Minutes of all lessons together, in place of steps.")
    epochs: float | None = Field(None, gt=0, description="How often the encoder sees every sample; the other lessons in proportion.")
    principal: int = Field(200, ge=1, le=1000, description="Principal fields that the network answers in.")
    encoder_rate: float = Field(2e-3, gt=0, le=1, description="Highest learning rate of the encoder.")
    true_pairs: int = Field(32, ge=1, le=1024, description="Pairs of true maps beside 80 pairs of the encoder's in a step of that lesson.")
    pictures_rate: float = Field(4e-4, gt=0, le=1, description="Highest learning rate of the lesson on the encoder's maps.")
    samples: int = Field(8, ge=2, le=1024, description="Six-view samples a step of the encoder.")
    encoder: Path | None = Field(None, description="An encoder.pt to begin with instead of random numbers.")
    base: Path | None = Field(None, description="A base.pt, the outcome of the lesson on true maps, to take instead of learning it.")
    name: str = Field("mixture", description="What the run is called where runs are compared.")
    keep: int = Field(200, ge=1, description="Steps from one checkpoint to the next.")
    note: int = Field(100, ge=1, description="Steps from one line of the log to the next.")
    measure: int = Field(5, ge=1, description="Lines of the log from one measurement, and sheet, to the next.")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of weights and draws.")
    device: str = Field("auto", description="auto, cpu, cuda, cuda:n, or one for each process joined by +.")
    processes: int = Field(1, ge=1, le=64, description="Processes that learn together on a processor.")
    threads: int = Field(2, ge=1, le=256, description="Threads of the CPU.")

    def budgets(self, samples: int) -> dict[str, Budget]:
        """Return the budget of each lesson, given how many samples an epoch has.

        Raises
        ------
        InputError
            If more than one budget is set for all lessons together.
        """
        if sum(one is not None for one in (self.steps, self.minutes, self.epochs)) > 1:
            raise InputError("a run must have one budget, steps, minutes or epochs, found several; leave the others out")
        own = dict(zip(LESSONS, (self.encoder_steps, self.truth_steps, self.pictures_steps, self.trust_steps), strict=True))
        if self.minutes is not None:
            return {name: Budget(minutes=self.minutes * share) for name, share in LESSONS.items()}
        factor = 1.0 if self.steps is None else self.steps / max(1, sum(own.values()))
        if self.epochs is not None:
            factor = self.epochs * samples / self.samples / self.encoder_steps
        return {name: Budget(steps=max(1, round(factor * steps)) if steps else 0) for name, steps in own.items()}


class Run:
    """A run in a folder: the lessons that are finished, and how the next goes on.

    Parameters
    ----------
    settings : how it is trained
    out : its folder
    first : whether this process writes
    progress : hears of every step
    """

    def __init__(self, settings: Settings, out: Path, first: bool, progress: Progress) -> None:
        self.settings, self.out, self.first, self.progress = settings, out, first, progress
        self.shards, self.val = (_opened(folder, settings) for folder in (settings.data, settings.val))
        if not any(settings.slices.glob("*.npz")):
            raise InputError("a run must have label slices, found none; draw them with training.slices and name their folder as slices")
        self.budgets = settings.budgets(len(self.shards))
        self.shown = first_pair(self.val)
        self.done: dict[str, dict[str, Any]] = json.loads((out / DONE).read_text()) if (out / DONE).is_file() else {}

    def teach(self, name: str, work: Work, **course: Any) -> Loop:
        """Give a lesson, from where it was broken off; return the loop that ended it."""
        s, earlier = self.settings, list(LESSONS)[: list(LESSONS).index(name)]
        spent = {key: sum(self.done[one][key] for one in earlier if one in self.done) for key in ("steps", "minutes", "core_minutes")}
        budget = {"seed": s.seed + len(earlier), "keep": s.keep, "note": s.note, "measure": s.measure, "device": s.device}
        budget |= {key: value for key, value in asdict(self.budgets[name]).items() if value is not None}
        start = sum(LESSONS[one] for one in earlier)
        heard = part_of(self.progress, start, start + LESSONS[name])
        return learn(work, Course(**budget, **course), self.out, resume=True, progress=heard, part=Part(name, **spent))

    def finish(self, name: str, state: dict[str, Any], file: str, loop: Loop | None = None) -> None:
        """Write what a lesson ends with, whole or not at all, and note that it is finished."""
        took = {"steps": loop.step, "minutes": loop.minutes, "core_minutes": loop.core_minutes} if loop else {}
        self.done = self.done | {name: {"steps": 0, "minutes": 0.0, "core_minutes": 0.0} | took}
        if not self.first:
            return
        torch.save(state, (self.out / file).with_suffix(".partial"))
        (self.out / file).with_suffix(".partial").replace(self.out / file)
        (self.out / DONE).with_suffix(".partial").write_text(json.dumps(self.done, indent=1) + "\n", encoding="utf-8")
        (self.out / DONE).with_suffix(".partial").replace(self.out / DONE)

    # -- the lessons -----------------------------------------------------------------------------------------------------------------

    def encoder(self) -> Encoder:
        """Return the encoder after its lesson: what is where in a picture."""
        s = self.settings
        torch.manual_seed(s.seed)
        encoder = Encoder(S2MNetConfig())
        if "encoder" not in self.done:
            if s.encoder:
                encoder.load_state_dict(torch.load(s.encoder, weights_only=True, map_location="cpu")["encoder"])
            work = EncoderWork(encoder, self.shards, self.val, s.strength)
            course = {"rate": s.encoder_rate, "decay": 0.01, "clip": 1.0, "batch": s.samples, "samples": len(self.shards)}
            loop = self.teach("encoder", work, **course, precision="bfloat16")
            encoder.load_state_dict(cpu(loop.average))
            state = {"encoder": encoder.state_dict(), "step": loop.step, "minutes": loop.minutes}
            self.finish("encoder", state, "encoder.pt", loop)
        else:
            encoder.load_state_dict(torch.load(self.out / "encoder.pt", weights_only=True, map_location="cpu")["encoder"])
        return encoder

    def base(self, slices: MapBank) -> S2MNet:
        """Return the network after the lesson on true maps; learned once, then read from its file."""
        s = self.settings
        torch.manual_seed(s.seed)
        config = S2MNetConfig(principal=s.principal)
        path = s.base or self.out / "base.pt"
        if not path.is_file() and "true maps" not in self.done:
            network = start_network(slices, config)
            lesson = Lesson(slices, coefficients(slices.field, fields_at_points(network)), 0.03)
            val = self.val.all()
            work = MapsWork(network, [lesson], (96,), val | {"maps": true_maps(val)}, self.shown)
            loop = self.teach("true maps", work, rate=1e-3, decay=0.05, batch=2 * 96)
            self.finish("true maps", cpu(inner(loop.average)), "base.pt", loop)
            network.load_state_dict(cpu(inner(loop.average)))
            return network.cpu()
        network = S2MNet(config, slices.field.shape[1])
        network.load_state_dict(torch.load(path, weights_only=True, map_location="cpu"))
        return network

    def pictures(self, network: S2MNet, slices: MapBank) -> S2MNet:
        """Return the network after the lesson on what the encoder makes of pictures, true maps beside them."""
        s = self.settings
        if "pictures" not in self.done:
            torch.manual_seed(s.seed + 1)
            looking = Looking(np.random.default_rng(s.seed + 2), texture_bank(48, s.seed + 2), s.strength)
            seen, at_points = picture_bank(network, self.looked(), looking), fields_at_points(network)
            lessons = [Lesson(seen, coefficients(seen.field, at_points), 0.02), Lesson(slices, coefficients(slices.field, at_points), 0.03)]
            val = with_maps(network, self.val.all())
            work = MapsWork(network, lessons, (80, s.true_pairs), val, self.shown)
            loop = self.teach("pictures", work, rate=s.pictures_rate, decay=0.05, batch=2 * (80 + s.true_pairs))
            self.finish("pictures", cpu(inner(loop.average)), "pictures.pt", loop)
            network.load_state_dict(cpu(inner(loop.average)))
            return network.cpu()
        network.load_state_dict(torch.load(self.out / "pictures.pt", weights_only=True, map_location="cpu"))
        return network

    def trust(self, network: S2MNet) -> S2MNet:
        """Return the network after the lesson on whom to trust."""
        shards, seed = self.looked(), self.settings.seed + 7
        torch.manual_seed(seed)
        looks = trust.draw_looks(network.eval().maps, shards, max(30, 40 * min(60, len(shards) // 80)), seed)
        loop = self.teach("trust", TrustWork(network, looks), rate=1e-3, decay=0.02, batch=256)
        network.load_state_dict(cpu(inner(loop.average)))
        return network.cpu()

    def looked(self) -> Shards:
        """Return the samples whose pictures the encoder reads for the lessons after its own."""
        return self.shards.first(self.settings.look_limit)


def cpu(network: nn.Module) -> dict[str, torch.Tensor]:
    """Return a network's tensors on the processor."""
    return {key: value.detach().cpu() for key, value in network.state_dict().items()}


def run(settings: Settings, out: Path, *, resume: bool = False, progress: Progress = silent) -> dict[str, Any]:
    """Train in a folder; return the errors on the validation samples.

    Raises
    ------
    InputError
        If there are no samples in these styles.
    """
    del resume  # what is finished is kept either way
    torch.set_num_threads(settings.threads)
    with together(chosen(settings.device)) as ranks:
        course = Run(settings, out, ranks.rank == 0, progress)
        if ranks.rank == 0:
            told = {"name": settings.name, "styles": settings.styles, "strength": settings.strength}
            (out / RECIPE).write_text(json.dumps(told) + "\n", encoding="utf-8")
        if not (out / "network.pt").is_file():
            _learn(course)
    progress(1.0, "Done")
    last = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return {key: value for key, value in next(line for line in reversed(last) if "ed_mm" in line).items() if isinstance(value, float)}


def _learn(course: Run) -> None:
    """Give the lessons that are not finished, and write the network."""
    encoder, slices = course.encoder(), slice_bank(course.settings.slices)
    network = course.base(slices)
    network.encoder.load_state_dict(encoder.state_dict())
    network.encoder.requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    network = course.pictures(network, slices)
    if course.settings.trust_steps:
        network = course.trust(network)
    shards = course.looked()
    state = {"network": cpu(network), "config": network.config.model_dump(), "samples": len(shards), "hearts": len(slices.field) // 2}
    course.finish("trust", state, "network.pt")


def planned(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return the budget of each lesson; a trial asks for it."""
    return {name: asdict(one) for name, one in settings.budgets(len(_opened(settings.data, settings))).items() if one.steps != 0}


def shortened(settings: Settings, steps: int) -> Settings:
    """Return settings whose lessons take a few steps each, with little made ready for them; for a trial."""
    own = {f"{name}_steps": steps for name in ("encoder", "truth", "pictures")}
    own |= {"trust_steps": steps if settings.trust_steps else 0, "steps": None, "minutes": None, "epochs": None}
    return settings.model_copy(update=own | {"look_limit": 60, "processes": 1})


def _opened(folder: Path, settings: Settings) -> Shards:
    shards = Shards(folder, settings.limit, styles=settings.styles)
    if not shards.refresh():
        raise InputError(
            f"a run must have samples in the styles {', '.join(settings.styles)}, found none; "
            "draw them with training.samples and training.styles and name their folder as data or val"
        )
    return shards


def part_of(progress: Progress, start: float, end: float) -> Progress:
    """Return what hears of a part of the work and tells of the whole.

    >>> part_of(lambda share, said: print(share, said), 0.5, 1.0)(0.5, "half of it")
    0.75 half of it
    """

    def told(share: float, said: str, /) -> None:
        progress(start + (end - start) * share, said)

    return told

"""Train S2MNet, preset lean, from stored samples: encoder, true maps, pictures, trust.

echo3d train s2mnet --config lean.toml --out runs/lean

Each lesson ends with a file, so that a run that was broken off goes on with the lesson it was in. Measuring, calibrating and exporting
weights is ``training.evaluate``'s.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field

from echo3d.errors import InputError
from echo3d.progress import Progress, silent
from echo3d.reconstruction.s2mnet import Encoder, S2MNet, S2MNetConfig
from training import trust
from training.augment import texture_bank
from training.basis import coefficients, fields_at_points
from training.data import MapBank, Shards, slice_bank
from training.encoder import EncoderCourse, learn
from training.losses import measures
from training.s2mnet import Course, Lesson, Looking, Trainer, picture_bank, save, start_network, take_encoder, with_maps
from training.styles import STYLES

RECIPE = "recipe.json"
"""What a run's network was shown, for those who compare runs."""


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
    principal: int = Field(200, ge=1, le=1000, description="Principal fields that the network answers in.")
    encoder_rate: float = Field(2e-3, gt=0, le=1, description="Highest learning rate of the encoder.")
    true_pairs: int = Field(32, ge=1, le=1024, description="Pairs of true maps beside 80 pairs of the encoder's in a step of that lesson.")
    pictures_rate: float = Field(4e-4, gt=0, le=1, description="Highest learning rate of the lesson on the encoder's maps.")
    samples: int = Field(8, ge=2, le=1024, description="Six-view samples a step of the encoder.")
    encoder: Path | None = Field(None, description="An encoder.pt to begin with instead of random numbers.")
    base: Path | None = Field(None, description="A base.pt, the outcome of the lesson on true maps, to take instead of learning it.")
    name: str = Field("mixture", description="What the run is called where runs are compared.")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of weights and draws.")
    threads: int = Field(2, ge=1, le=256, description="Threads of the CPU.")


def run(settings: Settings, out: Path, *, resume: bool = False, progress: Progress = silent) -> dict[str, Any]:
    """Train in a folder; return the errors on the validation samples.

    Raises
    ------
    InputError
        If there are no samples in these styles.
    """
    del resume  # what is finished is kept either way
    torch.set_num_threads(settings.threads)
    shards, val = (_opened(folder, settings) for folder in (settings.data, settings.val))
    if not any(settings.slices.glob("*.npz")):
        raise InputError("a run must have label slices, found none; draw them with training.slices and name their folder as slices")
    told = {"name": settings.name, "styles": settings.styles, "strength": settings.strength}
    (out / RECIPE).write_text(json.dumps(told) + "\n", encoding="utf-8")
    if not (out / "encoder.done").is_file():
        _learn_encoder(settings, shards, out, progress)
        (out / "encoder.done").touch()
    slices = slice_bank(settings.slices)
    network = base_network(settings, slices, settings.base or out / "base.pt", progress)
    take_encoder(network, out / "encoder.pt")
    if not (out / "network.pt").is_file():
        network = _learn_pictures(settings, network, (shards, slices, val), out, progress)
    last = json.loads((out / "log.jsonl").read_text().splitlines()[-1])
    return {key: value for key, value in last.items() if isinstance(value, float)}


def _opened(folder: Path, settings: Settings) -> Shards:
    shards = Shards(folder, settings.limit, styles=settings.styles)
    if not shards.refresh():
        raise InputError(
            f"a run must have samples in the styles {', '.join(settings.styles)}, found none; "
            "draw them with training.samples and training.styles and name their folder as data or val"
        )
    return shards


def _learn_encoder(settings: Settings, shards: Shards, out: Path, progress: Progress) -> None:
    """Learn what is where in a picture."""
    torch.manual_seed(settings.seed)
    encoder = Encoder(S2MNetConfig())
    if settings.encoder:
        encoder.load_state_dict(torch.load(settings.encoder, weights_only=True)["encoder"])
    course = EncoderCourse(
        steps=settings.encoder_steps,
        samples=settings.samples,
        rate=settings.encoder_rate,
        seed=settings.seed,
        strength=settings.strength,
    )
    learn(encoder.to(memory_format=torch.channels_last), shards, course, out, part_of(progress, 0.0, 0.5))  # type: ignore[call-overload]


def base_network(settings: Settings, slices: MapBank, path: Path, progress: Progress = silent) -> S2MNet:
    """Return the network after the lesson on true maps; learned once, then read from ``path``."""
    torch.manual_seed(settings.seed)
    config = S2MNetConfig(principal=settings.principal)
    if not path.is_file():
        network = start_network(slices, config)
        network.encoder.requires_grad_(False)
        at_points = fields_at_points(network)
        trainer = Trainer(network, measures(at_points), path.parent, {})
        lesson = Lesson(slices, coefficients(slices.field, at_points), 0.03)
        trainer.run("true maps", [lesson], Course(1.0, (96,), 1e-3, settings.truth_steps), part_of(progress, 0.5, 0.75))
        torch.save(trainer.average.state_dict(), path.with_suffix(".partial"))
        path.with_suffix(".partial").replace(path)
    network = S2MNet(config, slices.field.shape[1])
    network.load_state_dict(torch.load(path, weights_only=True))
    return network


def _learn_pictures(settings: Settings, network: S2MNet, banks: tuple[Shards, MapBank, Shards], out: Path, progress: Progress) -> S2MNet:
    """Learn from what the encoder makes of pictures, true maps beside them, then whom to trust; write the network."""
    shards, slices, val = banks
    shards = shards.first(settings.look_limit)
    torch.manual_seed(settings.seed + 1)
    at_points = fields_at_points(network)
    trainer = Trainer(network, measures(at_points), out, with_maps(network, val.all()))
    looking = Looking(np.random.default_rng(settings.seed + 2), texture_bank(48, settings.seed + 2), settings.strength)
    pictures = picture_bank(network, shards, looking)
    lessons = [Lesson(pictures, coefficients(pictures.field, at_points), 0.02), Lesson(slices, coefficients(slices.field, at_points), 0.03)]
    course = Course(1.0, (80, settings.true_pairs), settings.pictures_rate, settings.pictures_steps)
    trainer.run("pictures", lessons, course, part_of(progress, 0.75, 0.95))
    if settings.trust_steps:
        looks = trust.draw_looks(trainer.average.eval(), shards, max(30, 40 * min(60, len(shards) // 80)), settings.seed + 7)
        trust.learn(trainer.average, looks, trust.TrustCourse(steps=settings.trust_steps))
    save(trainer, out, len(shards), len(slices.field) // 2)
    progress(1.0, "Done")
    return trainer.average


def part_of(progress: Progress, start: float, end: float) -> Progress:
    """Return what hears of a part of the work and tells of the whole.

    >>> part_of(lambda share, said: print(share, said), 0.5, 1.0)(0.5, "half of it")
    0.75 half of it
    """

    def told(share: float, said: str, /) -> None:
        progress(start + (end - start) * share, said)

    return told

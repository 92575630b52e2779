"""Train the accurate network in one run: what moves a lean network's answers until they agree with the pictures.

echo3d train accurate --config accurate.toml --out runs/accurate

Seven stages, in the order of ``STAGES``; each leaves its outcome in the run's folder and is left alone where it is complete:

* prior: the covariance of the network's errors on samples that it never saw (``training.refinement``);
* glances: pictures beside the slices of the heart that a first look makes of them, shard by shard (``training.glances``);
* second look: an encoder that sees both learns what is where (``training.secondlook``, with its checkpoints and curves);
* by the heart: it goes on learning by what becomes of the heart (``training.throughheart``, a lesson of its own); 0 steps leave it out;
* correction and trust: what is still wrong is regressed on what is known, and by which signs a picture is trusted is learned;
* calibration: figures, expected errors and intervals on hearts that no stage before has seen.

Three kinds of samples are needed, and the data set that *Make a data set…* makes has two folders: ``samples``, from which a lean network
learned, and ``val``, which nothing learned from. So ``data`` is the first, from which the second look may learn as well; ``val`` is shared
out by hearts, ``held_share`` for prior, correction and trust, the rest for calibration alone. Who has a third folder names it as ``cal``.
A heart in two of the three is refused, under whatever name its shard goes. Intervals need 40 patients to calibrate on; a heart seen by two
hands counts as two, so that a data set of 250 hearts has just enough.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from echo3d.core.modelcard import ModelCard
from echo3d.errors import InputError
from echo3d.io.weights import read_card, write_weights
from echo3d.io.weights import shortened as halved
from echo3d.models import without_paths
from echo3d.progress import Progress, silent
from echo3d.reconstruction.reconstruct import PLAIN, S2MModel, load_model, refiner_of
from echo3d.reconstruction.s2mnet import VIEWS
from training import runlog, secondlook
from training.accuratesettings import STAGES, Settings
from training.augment import texture_bank
from training.course import chosen
from training.evaluate import SUBSETS, Reader, answers, bounds_of, calibration, reader_of, table_row
from training.exports import ENOUGH
from training.glances import Looks, draw_shard
from training.kept import Kept
from training.lean import part_of
from training.loop import Part, learn
from training.refinement import (
    card_of,
    correction_of,
    factors,
    first_maps,
    going_on_as,
    refined_for,
    refined_pairs,
    with_correction,
    with_prior,
    with_second,
)
from training.roles import Roles, roles_of
from training.throughheart import ThroughHeart
from training.trustsigns import trust_of

__all__ = ["STAGES", "WEIGHTS", "Settings", "left_out", "planned", "run", "shortened"]

WEIGHTS = "accurate.safetensors"
"""What a run ends with, its card beside it."""

BLOCK = 40
"""Samples that are refined before what came of them is kept."""

LESSON, BY_HEART = "second look", "by the heart"
"""The stages that are lessons."""

HEARTS = "second_by_heart.pt"
"""File of a run that the lesson by the heart ends with."""


class Course:
    """A run in its folder.

    Parameters
    ----------
    settings : how it is trained
    out : its folder
    progress : hears of every stage

    Raises
    ------
    InputError
        If the settings, the network or the samples will not do.
    """

    def __init__(self, settings: Settings, out: Path, progress: Progress) -> None:
        self.settings, self.out, self.progress = settings, out, progress
        chosen(settings.device)
        settings.course()
        settings.heart_budget()
        self.model = plain(settings.model)
        self.roles: Roles = roles_of(settings.data, settings.val, settings.cal, settings.styles, settings.held_share)
        self.sizes = settings.sizes(*(len(role.rows) for role in (self.roles.learned, self.roles.held, self.roles.calibrated)))
        self.ends = ends_of(settings.seconds(self.sizes))
        self.kept = Kept(out / "kept")
        self.same_network()

    def same_network(self) -> None:
        """Refuse to go on with what another network of that name was asked."""
        own = torch.tensor(list(bytes.fromhex(self.model.card.sha256)), dtype=torch.uint8)
        if not torch.equal(self.kept.once("network", lambda: {"sha256": own})["sha256"], own):
            raise InputError(
                f"a run goes on with the network it was begun with, found another one called {self.settings.model[:40]}; begin a new run"
            )

    # -- what is learned from ----------------------------------------------------------------------------------------------------------

    @cached_property
    def held(self) -> dict[str, Tensor]:
        """The samples that errors are measured on."""
        s = self.settings
        return self.roles.held.samples(s.styles, max(s.prior, s.refined, s.trusted))

    @cached_property
    def textures(self) -> Tensor:
        """Speckle that pictures are spoiled with."""
        return texture_bank(48, self.settings.seed)

    def some(self, most: int) -> dict[str, Tensor]:
        """Return at most so many of them."""
        return {key: value[: most // 2 * 2] for key, value in self.held.items()}

    # -- the stages --------------------------------------------------------------------------------------------------------------------

    def go(self) -> None:
        """Go through what is not finished of all stages, and write the weights."""
        prior = self.prior()
        first = with_prior(self.model, prior, self.settings.weight, self.settings.gauss_steps)
        self.glances(first)
        tensors = prior | self.second()
        again = with_second(first, tensors, self.settings.second_weight, self.settings.looks)
        if self.settings.heart_budget():
            tensors |= self.by_heart(again)
            again = with_second(first, tensors, self.settings.second_weight, self.settings.looks)
        tensors |= self.corrections(again)
        tensors |= self.trusts(with_correction(again, tensors))
        self.finish(tensors)

    def stage(self, name: str) -> Progress:
        """Return what hears of one stage."""
        heard = part_of(self.progress, *self.ends[name])
        heard(0.0, name)
        return heard

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Note how long a stage took in this process, for those who estimate the next."""
        begun = time.monotonic()
        yield
        seconds = time.monotonic() - begun
        runlog.note(self.out, {"stage": name, "stage_samples": self.sizes.get(name, 0), "stage_seconds": seconds})

    def prior(self) -> dict[str, Tensor]:
        """Return the factors of the covariance of the network's errors."""
        self.stage("prior")

        def measure() -> dict[str, Tensor]:
            with self.timed("prior"):
                samples = self.some(self.settings.prior)
                return factors(self.model.network, samples, self.settings.seed, first_maps(self.model, samples))

        return self.kept.once("prior", measure)

    def glances(self, first: S2MModel) -> None:
        """Draw what the second look learns from and what it is measured on, shard by shard."""
        s, heard, done = self.settings, self.stage("glances"), 0
        learned, held = self.roles.learned.shards(s.styles, s.glances), self.roles.held.shards(s.styles, s.measured)
        if (self.out / secondlook.NETWORK).is_file():
            return
        with self.timed("glances"):
            for name, shards, strength in (("train", learned, s.strength), ("val", held, 0.0)):
                (self.out / "glances" / name).mkdir(parents=True, exist_ok=True)
                for shard in shards:
                    draw_shard(first, shard, Looks(s.styles, strength, s.seed + 1), self.out / "glances" / name)
                    done += shard.rows or 0
                    heard(done / self.sizes["glances"], f"glances, {done} of {self.sizes['glances']} samples")

    def second(self) -> dict[str, Tensor]:
        """Return the encoder of the second look after its lesson."""
        s, heard, drawn = self.settings, self.stage("second look"), self.out / "glances"
        path = self.out / secondlook.NETWORK
        if not path.is_file():
            looking = s.model_copy(update={"data": drawn / "train", "val": drawn / "val"})
            secondlook.run(looking, self.out, resume=True, progress=heard, part=Part(LESSON))
        return named(path)

    def by_heart(self, again: S2MModel) -> dict[str, Tensor]:
        """Return the encoder of the second look after its lesson by the heart; ``again`` looks with it as it was before."""
        s, heard, path = self.settings, self.stage(BY_HEART), self.out / HEARTS
        if not path.is_file():
            if any(self.kept.folder.glob("refined_*")):  # of a version that had no such lesson
                rule = "a correction must be of what was learned by the heart, found one from before"
                raise InputError(f"{rule}; begin a new run, or name heart_steps 0 in the config.json of this one")
            begun = torch.load(self.out / secondlook.NETWORK, weights_only=True, map_location="cpu")
            settings = s.by_heart(self.out / "glances", self.out)
            took = {name: begun.get(name, 0) for name in ("steps", "minutes", "core_minutes")}
            work, part = ThroughHeart(settings, again), Part(BY_HEART, **took)
            secondlook.keep_encoder(learn(work, settings.course(), self.out, resume=True, progress=heard, part=part), s.model, path)
        return named(path)

    def corrections(self, model: S2MModel) -> dict[str, Tensor]:
        """Return the corrections by number of views; what is refined is kept block by block."""
        s, heard, done = self.settings, self.stage("correction"), 0
        samples, made = self.some(max(s.refined, 2)), {}
        with self.timed("correction"):
            for number in range(1, VIEWS + 1):
                refine = partial(self.refined, heard, number, done)
                made[f"correction.{number}"] = correction_of(model, samples, number, s.refined, s.seed, refine)
                done += refined_for(len(samples["field"]), s.refined, number)
        return made

    def refined(
        self, heard: Progress, number: int, done: int, model: S2MModel, samples: dict[str, Tensor], present: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return coefficients before and after refining, as ``refinement.refined_pairs`` does, block by block."""
        parts = []
        for at, rows in enumerate(torch.arange(len(present)).split(BLOCK)):

            def make(rows: Tensor = rows) -> dict[str, Tensor]:
                before, after = refined_pairs(model, {key: value[rows] for key, value in samples.items()}, present[rows])
                return {"before": before, "after": after}

            parts.append(self.kept.once(f"refined_{number}_{at:04d}", make))
            done += len(rows)
            heard(done / self.sizes["correction"], f"correction for {views(number)}, {done} of {self.sizes['correction']} samples")
        return torch.cat([part["before"] for part in parts]), torch.cat([part["after"] for part in parts])

    def trusts(self, model: S2MModel) -> dict[str, Tensor]:
        """Return by number of views by which signs a picture is trusted, each learned by chance of its own."""
        s, heard, made = self.settings, self.stage("trust"), {}
        if not s.trusted:
            return {}
        with self.timed("trust"):
            for number in range(1, VIEWS + 1):

                def learn(number: int = number) -> dict[str, Tensor]:
                    torch.manual_seed(s.seed + number)
                    draws = (np.random.default_rng([s.seed, 41, number]), self.textures)
                    return {"trust": trust_of(model, self.held, number, (s.trusted, s.seed), draws)}

                made[f"trust.{number}"] = self.kept.once(f"trust_{number}", learn)["trust"]
                heard(number / VIEWS, f"trust for {views(number)}")
        return made

    def finish(self, tensors: dict[str, Tensor]) -> None:
        """Measure and calibrate what the weights answer as they are written; write them with their card, whole or not at all."""
        card = self.card(tensors)
        written = {key: halved(value).float() for key, value in tensors.items()}
        model = replace(self.model, card=card, refiner=refiner_of(self.model.network, written, card))
        with self.timed("calibration"):
            metrics, sigma = self.figures(self.heard(self.kept.reader(reader_of(model), model)))
        part = self.out / f".{WEIGHTS}"
        write_weights(part, tensors | {"sigma_mm": sigma}, replace(card, metrics=metrics))
        for suffix in (".json", ".safetensors"):
            part.with_suffix(suffix).replace((self.out / WEIGHTS).with_suffix(suffix))

    def card(self, tensors: Mapping[str, Tensor]) -> ModelCard:
        """Return the card without figures."""
        s = self.settings
        config = {"weight": s.weight, "steps": s.gauss_steps, "second_weight": s.second_weight, "looks": s.looks}
        config |= going_on_as(self.model)
        told = {"date": date.today().isoformat(), "command": "echo3d train accurate", "styles": list(s.styles), "strength": s.strength}
        told |= {"samples": len(self.held["field"]), "glances": self.sizes["glances"]}
        return card_of("accurate", self.model.card, config, told | {"settings": without_paths(s.model_dump(mode="json"))})

    def heard(self, reader: Reader) -> Reader:
        """Return a reader that tells how far the calibration is."""
        heard, whole, done = self.stage("calibration"), self.sizes["calibration"], 0

        def read(pictures: Tensor, present: Tensor) -> Any:
            nonlocal done
            answer = reader(pictures, present)
            done = min(done + len(pictures), whole)
            heard(done / whole, f"calibration with {views(int(present[0].sum()))}, {done} of {whole} samples")
            return answer

        return read

    def figures(self, reader: Reader) -> tuple[dict[str, Any], Tensor]:
        """Return the figures of the card, and the points' expected error (V + 1, N) in mm, on hearts that nothing learned from."""
        s = self.settings
        samples = self.roles.calibrated.samples(s.styles, 2 * s.calibrated)
        patients = len(samples["field"]) // 2
        read, sigma = calibration(reader, samples, s.few)
        fewer = {key: value[: 2 * s.few] for key, value in samples.items()}
        rows = {f"{views(number)}": row_of(reader, samples if number == VIEWS else fewer, number) for number in (6, 4, 2, 1)}
        metrics: dict[str, Any] = {"calibration": rows, "calibration_patients": patients, "calibration_styles": list(s.styles)}
        metrics["calibration_patients_of_fewer_views"] = min(s.few, patients)
        if min(s.few, patients) < ENOUGH:
            return metrics | {"intervals": f"none, {ENOUGH} patients to calibrate on are needed"}, torch.from_numpy(sigma)
        said = f"calibrated on {patients} patients whose hearts nothing learned from"
        return metrics | {"intervals": said, "conformal90": bounds_of(read, samples["volumes"])}, torch.from_numpy(sigma)


def row_of(reader: Reader, samples: dict[str, Tensor], number: int) -> dict[str, float]:
    """Return the mean errors on samples seen through a number of views."""
    return table_row(answers(reader, samples, SUBSETS[number])["points"], samples, np.random.default_rng(0), surfaces=False)


def named(path: Path) -> dict[str, Tensor]:
    """Return the tensors of an encoder's file as the weights name them."""
    return {f"second.{name}": value for name, value in torch.load(path, weights_only=True, map_location="cpu")["second"].items()}


def views(number: int) -> str:
    """Return a number of views in words.

    >>> views(1), views(6)
    ('1 view', '6 views')
    """
    return f"{number} view{'s' if number > 1 else ''}"


def plain(name: str) -> S2MModel:
    """Return a network whose answers can be refined.

    Raises
    ------
    InputError
        If it refines its answers already.
    """
    model = load_model(name, "cpu")
    if model.card.kind != PLAIN:
        raise InputError(f"the accurate network must be made of a lean one, found {name[:40]}, which is {model.card.kind}; name another")
    return model


def ends_of(seconds: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """Return between which shares of a run each of its stages lies, given how long each takes.

    >>> ends_of({"prior": 1.0, "trust": 3.0})
    {'prior': (0.0, 0.25), 'trust': (0.25, 1.0)}
    """
    edges = np.cumsum([0.0, *seconds.values()]) / max(1e-9, sum(seconds.values()))
    return {name: (float(low), float(high)) for name, low, high in zip(seconds, edges[:-1], edges[1:], strict=True)}


def run(settings: Settings, out: Path, *, resume: bool = False, progress: Progress = silent) -> dict[str, Any]:
    """Train in a folder that is there; return what was measured. ``echo3d train accurate`` calls this.

    Raises
    ------
    InputError
        If there are no samples in these styles, a heart would serve for two things, or the network will not do.
    """
    del resume  # what is finished is kept either way
    torch.set_num_threads(settings.threads)
    if not (out / WEIGHTS).is_file():
        Course(settings, out, progress).go()
    metrics = read_card(out / WEIGHTS).metrics
    progress(1.0, "Done")
    told = {"patients": metrics["calibration_patients"], "intervals": metrics["intervals"], "weights": WEIGHTS}
    return dict(metrics["calibration"]["6 views"]) | told


def planned(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return the budgets of the lessons, and that other stages follow them; a trial asks for it."""
    course, heart = settings.course(), settings.heart_budget()
    lessons = {LESSON: {name: getattr(course, name) for name in ("steps", "minutes", "core_minutes")}}
    return lessons | ({BY_HEART: heart} if heart else {}) | {"": {}}


def shortened(settings: Settings, steps: int) -> Settings:
    """Return settings whose stages take a few samples each; for a trial."""
    few: dict[str, Any] = {"steps": steps, "minutes": None, "core_minutes": None, "prior": 16, "glances": 16, "measured": 2, "held": 12}
    few |= {"refined": 16, "trusted": min(2, settings.trusted), "calibrated": 2, "few": 1}
    few |= {"heart_steps": steps if settings.heart_budget() else 0, "heart_core_minutes": None, "heart_held": 2}
    return settings.model_copy(update=few)


def left_out(settings: Settings, rows: Sequence[Mapping[str, Any]]) -> float:
    """Return how long in seconds the stages beside the lessons take in full, given the log of a shortened run."""
    roles = roles_of(settings.data, settings.val, settings.cal, settings.styles, settings.held_share)
    sizes = settings.sizes(len(roles.learned.rows), len(roles.held.rows), len(roles.calibrated.rows))
    each = {row["stage"]: row["stage_seconds"] / max(1, row["stage_samples"]) for row in rows if "stage" in row}
    return sum(each.get(name, 0.0) * count for name, count in sizes.items())

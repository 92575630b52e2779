"""The training loop of new networks: draw, learn, follow with an average, keep the place, note what was measured.

A network says what it is shown and what it pays (:class:`Work`); how long and how fast it learns is a :class:`Course`. All chance of a step
comes from the seed and the steps before, so that a run that was broken off takes the very next step it would have taken. Under ``torchrun``
every process learns from its rows of the same batch, and the first alone notes and writes.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, distributed, nn

from echo3d.errors import InputError, ModelError
from echo3d.progress import Progress, silent
from training import runlog
from training.course import Batch, Course, Ranks, chosen, together
from training.runlog import LOG
from training.schedule import learning_rate

__all__ = ["LOG", "STATE", "Batch", "Course", "Loop", "Part", "Ranks", "Work", "chosen", "learn", "together"]

STATE = "checkpoint.pt"

DRAWN_SHARE = 0.02
"""Share of the time that sheets may take, but for the first and the last."""


@dataclass(frozen=True, slots=True)
class Part:
    """A lesson of several that a run has.

    Parameters
    ----------
    name : of the lesson, empty where there is one only
    steps, minutes, core_minutes : what the lessons before took
    """

    name: str = ""
    steps: int = 0
    minutes: float = 0.0
    core_minutes: float = 0.0


class Work(Protocol):
    """What a network learns.

    It may also have ``sheet(network, path)``, which draws what the network answers at each measurement, and ``group``, how many rows of a
    batch belong together where several processes share it.

    Attributes
    ----------
    network : the network, its weights at their start
    """

    network: nn.Module

    def draw(self, rng: np.random.Generator, count: int, /) -> Batch:
        """Return ``count`` samples, each tensor with as many rows; chance comes from ``rng`` or torch's own generator."""

    def terms(self, network: nn.Module, batch: Batch, /) -> dict[str, Tensor]:
        """Return the weighted terms of the loss, each a mean over the batch's rows; ``network`` is the work's own, perhaps wrapped."""

    def validated(self, network: nn.Module, /) -> dict[str, float]:
        """Return what is measured of the averaged ``network``, in evaluation mode."""


@runtime_checkable
class Drawing(Protocol):
    """Work that draws sheets."""

    def sheet(self, network: nn.Module, path: Path, /) -> None:
        """Write a picture of what the averaged network answers."""


@runtime_checkable
class Paced(Protocol):
    """Work whose parts learn at rates of their own."""

    def factor(self, name: str, /) -> float:
        """Return what the rate of the weight of that name is multiplied by."""


def groups(work: Work, network: nn.Module) -> list[dict[str, Any]]:
    """Return the optimiser's groups: the weights that learn, by their rates' factors."""
    found: dict[float, list[nn.Parameter]] = {}
    for name, weight in network.named_parameters():
        if weight.requires_grad:
            found.setdefault(work.factor(name) if isinstance(work, Paced) else 1.0, []).append(weight)
    return [{"params": weights, "factor": factor} for factor, weights in found.items()]


def followed(mean: nn.Module, new: nn.Module) -> tuple[tuple[list[Tensor], list[Tensor]], list[tuple[Tensor, Tensor]]]:
    """Return what of a network an average follows, step by step, and what it copies: weights that learn, norms' statistics and counts."""
    learning = {name for name, weight in new.named_parameters() if weight.requires_grad}
    norms = {name for name, layer in new.named_modules() if hasattr(layer, "running_mean")}
    own, its = mean.state_dict(), new.state_dict()
    names = [name for name in own if name in learning or name.rpartition(".")[0] in norms]
    moving = [name for name in names if own[name].is_floating_point()]
    return ([own[name] for name in moving], [its[name] for name in moving]), [(own[n], its[n]) for n in names if n not in moving]


def learn(work: Work, course: Course, out: Path, *, resume: bool = False, progress: Progress = silent, part: Part | None = None) -> Loop:
    """Learn until the budget is spent; return the loop, whose ``average`` is the outcome.

    Parameters
    ----------
    work : what is learned
    course : how long and how fast
    out : folder of checkpoint and log, there already
    resume : go on where the folder's checkpoint was, if it has one
    progress : hears of every step
    part : which lesson of a run it is, where there are several

    Raises
    ------
    InputError
        If the batch cannot be shared out evenly, or there is no such device.
    ModelError
        If not even one sample fits a GPU.
    """
    device = chosen(course.device)
    with together(device) as ranks:
        if course.batch % (ranks.world * getattr(work, "group", 1)):
            raise InputError(f"a batch must be shared out evenly, found {course.batch} samples for {ranks.world} processes; change batch")
        loop = Loop(work, course, out, (device, ranks), part or Part())
        if resume:
            loop.resume()
        loop.go(progress)
        loop.network = loop.plain  # what shares gradients ends before the processes part; gloo's threads abort a process that keeps it
        return loop


class Loop:
    """A run in a folder: the network, its average and its place.

    Parameters
    ----------
    work, course, out : as in :func:`learn`
    where : device, and this process among others
    part : which lesson it is
    """

    def __init__(self, work: Work, course: Course, out: Path, where: tuple[torch.device, Ranks], part: Part) -> None:
        self.work, self.course, self.out = work, course, out
        self.device, self.ranks = where
        self.part = part
        self.plain = work.network.to(self.device)
        self.average = copy.deepcopy(self.plain).requires_grad_(False)
        self.network = self.plain if self.ranks.world == 1 else self._shared()
        kind = torch.optim.AdamW if course.optimiser == "adamw" else torch.optim.Adam
        self.optimiser = kind(groups(work, self.plain), lr=course.rate, weight_decay=course.decay, fused=True)
        self.pairs = followed(self.average, self.plain)
        self.rng = np.random.default_rng([course.seed, 23])
        self.step, self.samples, self.batch = 0, 0, course.batch
        self.minutes, self.core_minutes = 0.0, 0.0
        self.sums: dict[str, float] = {}
        self.since = (0, 0.0)
        self.drawn_s, self.drawn_at = 0.0, -1

    def _shared(self) -> nn.Module:
        """Return the network, its gradients meant over all processes."""
        places = [self.device] if self.device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(self.plain, device_ids=places)

    # -- the loop --------------------------------------------------------------------------------------------------------------------

    def go(self, progress: Progress = silent) -> None:
        """Learn until the budget is spent."""
        if self.step == 0 and self.first:
            begun = {"at": self.part.steps, "course": asdict(self.course), "processes": self.ranks.world, "device": self.device.type}
            self.note(begun | self.lesson)
        wall, core = time.monotonic(), time.process_time()
        while (share := self.share()) < 1:
            terms = self.one_step(share)
            now, used = time.monotonic(), time.process_time()
            self.minutes, wall = self.minutes + (now - wall) / 60, now
            self.core_minutes, core = self.core_minutes + (used - core) / 60, used
            self.end_step(terms)
            wall, core = time.monotonic(), time.process_time()  # what is measured and kept on the way is not learning
            self.tell(progress, terms)
        self.end()

    @property
    def lesson(self) -> dict[str, str]:
        """Return what a line of the log says of the lesson."""
        return {"lesson": self.part.name} if self.part.name else {}

    @property
    def first(self) -> bool:
        """Whether this process notes and writes."""
        return self.ranks.rank == 0

    def share(self) -> float:
        """Return which share of the budget is spent, as the first process sees it."""
        share = torch.tensor([self.course.share(self.step, self.minutes, self.core_minutes)], dtype=torch.float64, device=self.device)
        if self.ranks.world > 1:
            distributed.broadcast(share, 0)
        return float(share)

    def one_step(self, share: float) -> dict[str, float]:
        """Return the terms of a step, after learning from it; with fewer samples where a GPU's memory is too small."""
        while True:
            try:
                terms = self.learned(share)
                break
            except torch.OutOfMemoryError as exc:
                self.make_room(exc)
        self.step, self.samples = self.step + 1, self.samples + self.batch
        self.follow()
        return terms

    def learned(self, share: float) -> dict[str, float]:
        """Draw, pay, and take one step down."""
        self.network.train()
        batch = self.drawn()
        self.optimiser.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.course.precision == "bfloat16"):
            terms = self.work.terms(self.network, batch)
        torch.stack([term.float() for term in terms.values()]).sum().backward()
        nn.utils.clip_grad_norm_(self.plain.parameters(), self.course.clip)
        for group in self.optimiser.param_groups:
            group["lr"] = group["factor"] * learning_rate(share, self.step, self.course.rate, self.course.rise)
        self.optimiser.step()
        return self.mean_of(terms)

    def mean_of(self, terms: Mapping[str, Tensor]) -> dict[str, float]:
        """Return the terms' mean over all processes."""
        values = torch.stack([term.detach().float() for term in terms.values()])
        if self.ranks.world > 1:
            distributed.all_reduce(values)
        return dict(zip(terms, (values / self.ranks.world).tolist(), strict=True))

    def drawn(self) -> dict[str, Tensor]:
        """Return this process's rows of the step's batch, which is the same in every process."""
        torch.manual_seed(int(self.rng.integers(2**62)))
        rows = self.ranks.rows(self.work.draw(self.rng, self.batch), getattr(self.work, "group", 1))
        if self.ranks.world > 1:
            torch.manual_seed(torch.initial_seed() + self.ranks.rank)  # dropout may differ
        return {key: value.to(self.device) for key, value in rows.items()}

    def make_room(self, exc: torch.OutOfMemoryError) -> None:
        """Halve the batch, or say that nothing can be halved."""
        if self.batch < 2 * getattr(self.work, "group", 1) or self.ranks.world > 1:
            raise ModelError(
                f"a step must fit the GPU's memory, found none left at {self.batch} samples for {self.ranks.world} processes; "
                "make the batch or the network smaller"
            ) from exc
        self.optimiser.zero_grad(set_to_none=True)
        self.batch = runlog.halved(self.out, self.place(), self.batch, exc)

    @torch.no_grad()
    def follow(self) -> None:
        """Let the average follow the network, faster at first."""
        weight = 1 - min(self.course.average, self.step / (20 + self.step))
        (means, news), counts = self.pairs
        torch._foreach_lerp_(means, news, weight)
        for mean, new in counts:
            mean.copy_(new)

    # -- what is noted and kept ------------------------------------------------------------------------------------------------------

    def end_step(self, terms: dict[str, float]) -> None:
        """Note and keep where it is time to."""
        self.sums = {key: self.sums.get(key, 0.0) + value for key, value in terms.items()}
        if self.step % self.course.note == 0:
            self.note_means(self.course.note, measured=self.step % (self.course.note * self.course.measure) == 0)
        if self.step % self.course.keep == 0:
            self.keep()

    def tell(self, progress: Progress, terms: dict[str, float]) -> None:
        """Say how far the run is; keep the place if it is told to stop."""
        share = self.course.share(self.step, self.minutes, self.core_minutes)
        try:
            said = ", ".join([*self.lesson.values(), f"step {self.step}", f"loss {sum(terms.values()):.3g}"])
            progress(min(share, 1.0), said + runlog.less(self.batch, self.course.batch))
        except BaseException:
            self.keep()
            raise

    def end(self) -> None:
        """Note what has not been noted, and keep the place."""
        if left := self.step % (self.course.note * self.course.measure):
            self.note_means(left % self.course.note, measured=True)
        if self.first and self.drawn_at != self.step:
            self.draw()
        self.keep()

    def note_means(self, steps: int, *, measured: bool) -> None:
        """Note the mean terms of the last steps, samples per second and, where it is time, what is measured; draw the sheet."""
        samples, minutes = self.since
        means = {key: value / steps for key, value in self.sums.items()}
        if steps:
            means["samples_per_s"] = (self.samples - samples) / max(60 * (self.minutes - minutes), 1e-9)
        self.sums, self.since = {}, (self.samples, self.minutes)
        if self.first:
            self.note(self.place() | means | (self.measured() if measured else {}))

    def measured(self) -> dict[str, float]:
        """Return what is measured of the average; draw the sheet, unless that has taken much of the time."""
        if self.drawn_s <= DRAWN_SHARE * 60 * self.minutes:
            self.draw()
        self.average.eval()
        with torch.inference_mode(), torch.random.fork_rng(devices=[]):
            return self.work.validated(self.average)

    def draw(self) -> None:
        """Draw the sheet of work that draws."""
        if not isinstance(self.work, Drawing):
            return
        start = time.monotonic()
        self.average.eval()
        with torch.inference_mode(), torch.random.fork_rng(devices=[]):
            self.work.sheet(self.average, self.out / f"sheet_{self.part.steps + self.step:06d}.png")
        self.drawn_s, self.drawn_at = self.drawn_s + time.monotonic() - start, self.step

    def place(self) -> dict[str, Any]:
        """Return what every line of the log says of where the run is."""
        minutes, core = self.part.minutes + self.minutes, self.part.core_minutes + self.core_minutes
        return self.lesson | {"step": self.part.steps + self.step, "minutes": minutes, "core_minutes": core, "batch": self.batch}

    def note(self, values: Mapping[str, Any]) -> None:
        """Append a line to the log."""
        runlog.note(self.out, values)

    def keep(self) -> None:
        """Write the place, whole or not at all."""
        if not self.first:
            return
        state: dict[str, Any] = {"network": self.plain.state_dict(), "average": self.average.state_dict()}
        state |= {"optimiser": self.optimiser.state_dict(), "rng": json.dumps(self.rng.bit_generator.state), "torch": torch.get_rng_state()}
        state |= {"cuda": torch.cuda.get_rng_state(self.device)} if self.device.type == "cuda" else {}
        numbers = {"step": self.step, "samples": self.samples, "batch": self.batch, "minutes": self.minutes}
        numbers |= {"core_minutes": self.core_minutes, "sums": self.sums, "since": list(self.since), "lesson": self.part.name}
        numbers |= {"drawn_s": self.drawn_s, "drawn_at": self.drawn_at}
        place = self.out / STATE
        torch.save(state | numbers, place.with_suffix(".part"))
        place.with_suffix(".part").replace(place)

    def resume(self) -> None:
        """Go on where the folder's checkpoint was, if it has one of this lesson."""
        state = torch.load(self.out / STATE, map_location=self.device, weights_only=True) if (self.out / STATE).is_file() else {}
        there = state.get("lesson", "") == self.part.name and bool(state)
        if self.first:
            runlog.cut(self.out, self.part.steps + (int(state["step"]) if there else 0), begin=not there)
        if there:
            self.take(state)

    def take(self, state: dict[str, Any]) -> None:
        """Put everything where it was when a checkpoint was written."""
        for part, name in ((self.plain, "network"), (self.average, "average"), (self.optimiser, "optimiser")):
            part.load_state_dict(state[name])
        self.rng.bit_generator.state = json.loads(state["rng"])
        torch.set_rng_state(state["torch"].cpu())
        if "cuda" in state and self.device.type == "cuda":
            torch.cuda.set_rng_state(state["cuda"].cpu(), self.device)
        for name in ("step", "samples", "batch", "minutes", "core_minutes", "sums", "drawn_s", "drawn_at"):
            setattr(self, name, state.get(name, getattr(self, name)))
        self.since = (int(state["since"][0]), float(state["since"][1]))

"""The training loop of new networks: draw, learn, follow with an average, keep the place, note what was measured.

A network says what it is shown and what it pays (:class:`Work`); how long and how fast it learns is a :class:`Course`. All chance of a step
comes from the seed and the steps before, so that a run that was broken off takes the very next step it would have taken. Under ``torchrun``
every process learns from its rows of the same batch, and the first alone notes and writes.
"""

from __future__ import annotations

import copy
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, distributed, nn

from echo3d.errors import InputError, ModelError
from echo3d.progress import Progress, silent
from training.schedule import learning_rate

STATE, LOG = "checkpoint.pt", "log.jsonl"
Batch = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class Course:
    """How long, how fast and on what a network learns.

    Parameters
    ----------
    steps, minutes, core_minutes : the budget, exactly one of them; core minutes are the time of this process on its processors
    rate, rise : highest learning rate, and in how many steps it is reached
    batch : samples a step, of all processes together
    seed : of every draw
    precision : bfloat16 learns under autocast
    optimiser, decay : Adam or AdamW, and its weight decay
    clip : longest gradient
    average : decay of the average that is measured and written
    keep, note : steps from one checkpoint, or one line of the log, to the next
    measure : lines of the log from one measurement to the next; the last line has one in any case
    device : auto, cpu, cuda or cuda:n
    """

    steps: int | None = None
    minutes: float | None = None
    core_minutes: float | None = None
    rate: float = 1e-3
    rise: int = 200
    batch: int = 8
    seed: int = 0
    precision: Literal["float32", "bfloat16"] = "float32"
    optimiser: Literal["adam", "adamw"] = "adamw"
    decay: float = 1e-4
    clip: float = 5.0
    average: float = 0.998
    keep: int = 200
    note: int = 50
    measure: int = 1
    device: str = "auto"

    def __post_init__(self) -> None:
        given = [one for one in (self.steps, self.minutes, self.core_minutes) if one is not None]
        if len(given) != 1 or given[0] <= 0:
            raise InputError(f"a course must have one budget, steps, minutes or core_minutes, above 0, found {given}; give one of them")

    def share(self, step: int, minutes: float, core_minutes: float) -> float:
        """Return which share of the budget is spent.

        >>> Course(steps=8).share(2, 9.0, 9.0), Course(minutes=3).share(2, 1.5, 9.0)
        (0.25, 0.5)
        """
        if self.steps is not None:
            return step / self.steps
        return minutes / self.minutes if self.minutes is not None else core_minutes / (self.core_minutes or 1.0)


class Work(Protocol):
    """What a network learns; it may also have ``sheet(network, path)``, which draws what the network answers at each line of the log.

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


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process among those that learn together."""

    rank: int = 0
    world: int = 1

    def rows(self, batch: Batch) -> dict[str, Tensor]:
        """Return this process's rows of a batch.

        >>> Ranks(1, 2).rows({"x": torch.arange(4)})["x"].tolist()
        [1, 3]
        """
        return {key: value[self.rank :: self.world] for key, value in batch.items()}


@contextmanager
def together(device: torch.device) -> Iterator[Ranks]:
    """Join the other processes that ``torchrun`` started, by gloo on processors and NCCL on GPUs; alone without it."""
    ranks = Ranks(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))
    if ranks.world == 1:
        yield ranks
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield ranks
    finally:
        distributed.destroy_process_group()


def chosen(device: str) -> torch.device:
    """Return the device of a setting; ``auto`` is a GPU where there is one, each process of ``torchrun`` its own.

    Raises
    ------
    InputError
        If it is a GPU and there is none.
    """
    if device not in ("auto", "cpu") and device.split(":", maxsplit=1)[0] != "cuda":
        raise InputError(f"a device must be auto, cpu, cuda or cuda:n, found {device[:20]!r}; choose one of these")
    found = torch.cuda.is_available()
    if device.startswith("cuda") and not found:
        raise InputError(f"device {device[:20]} must be there, found no GPU that torch can use; set device to auto or cpu")
    if device in ("auto", "cuda") and found:
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    return torch.device("cpu" if device == "auto" else device)


def learn(work: Work, course: Course, out: Path, *, resume: bool = False, progress: Progress = silent) -> Loop:
    """Learn until the budget is spent; return the loop, whose ``average`` is the outcome.

    Parameters
    ----------
    work : what is learned
    course : how long and how fast
    out : folder of checkpoint and log, there already
    resume : go on where the folder's checkpoint was, if it has one
    progress : hears of every step

    Raises
    ------
    InputError
        If the batch cannot be shared out evenly, or there is no such device.
    ModelError
        If not even one sample fits a GPU.
    """
    device = chosen(course.device)
    with together(device) as ranks:
        if course.batch % ranks.world:
            raise InputError(f"a batch must be shared out evenly, found {course.batch} samples for {ranks.world} processes; change batch")
        loop = Loop(work, course, out, (device, ranks))
        if resume:
            loop.resume()
        loop.go(progress)
        return loop


class Loop:
    """A run in a folder: the network, its average and its place.

    Parameters
    ----------
    work, course, out : as in :func:`learn`
    where : device, and this process among others
    """

    def __init__(self, work: Work, course: Course, out: Path, where: tuple[torch.device, Ranks]) -> None:
        self.work, self.course, self.out = work, course, out
        self.device, self.ranks = where
        self.plain = work.network.to(self.device)
        self.average = copy.deepcopy(self.plain).requires_grad_(False)
        self.network = self.plain if self.ranks.world == 1 else self._shared()
        kind = torch.optim.AdamW if course.optimiser == "adamw" else torch.optim.Adam
        self.optimiser = kind(groups(work, self.plain), lr=course.rate, weight_decay=course.decay)
        self.rng = np.random.default_rng([course.seed, 23])
        self.step, self.samples, self.batch = 0, 0, course.batch
        self.minutes, self.core_minutes = 0.0, 0.0
        self.sums: dict[str, float] = {}
        self.since = (0, 0.0)

    def _shared(self) -> nn.Module:
        """Return the network, its gradients meant over all processes."""
        places = [self.device] if self.device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(self.plain, device_ids=places)

    # -- the loop --------------------------------------------------------------------------------------------------------------------

    def go(self, progress: Progress = silent) -> None:
        """Learn until the budget is spent."""
        if self.step == 0 and self.first:
            self.note({"course": asdict(self.course), "processes": self.ranks.world, "device": self.device.type})
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
        rows = self.ranks.rows(self.work.draw(self.rng, self.batch))
        if self.ranks.world > 1:
            torch.manual_seed(torch.initial_seed() + self.ranks.rank)  # dropout may differ
        return {key: value.to(self.device) for key, value in rows.items()}

    def make_room(self, exc: torch.OutOfMemoryError) -> None:
        """Halve the batch, or say that nothing can be halved."""
        if self.batch == 1 or self.ranks.world > 1:
            raise ModelError(
                f"a step must fit the GPU's memory, found none left at {self.batch} samples for {self.ranks.world} processes; "
                "make the batch or the network smaller"
            ) from exc
        self.batch //= 2
        self.optimiser.zero_grad(set_to_none=True)
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        self.note({"step": self.step, "batch": self.batch, "why": "the GPU's memory was too small for twice as many samples"})

    @torch.no_grad()
    def follow(self) -> None:
        """Let the average follow the network, faster at first."""
        weight = 1 - min(self.course.average, self.step / (20 + self.step))
        for mean, new in zip(self.average.state_dict().values(), self.plain.state_dict().values(), strict=True):
            mean.lerp_(new, weight) if mean.is_floating_point() else mean.copy_(new)

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
            progress(min(share, 1.0), f"step {self.step}, loss {sum(terms.values()):.3g}")
        except BaseException:
            self.keep()
            raise

    def end(self) -> None:
        """Note what has not been noted, and keep the place."""
        if left := self.step % (self.course.note * self.course.measure):
            self.note_means(left % self.course.note, measured=True)
        self.keep()

    def note_means(self, steps: int, *, measured: bool) -> None:
        """Note the mean terms of the last steps, samples per second and, where it is time, what is measured; draw the sheet."""
        samples, minutes = self.since
        place = {"step": self.step, "minutes": self.minutes, "core_minutes": self.core_minutes, "batch": self.batch}
        means = {key: value / steps for key, value in self.sums.items()}
        if steps:
            means["samples_per_s"] = (self.samples - samples) / max(60 * (self.minutes - minutes), 1e-9)
        self.sums, self.since = {}, (self.samples, self.minutes)
        if self.first:
            self.note(place | means | (self.measured() if measured else {}))

    @torch.inference_mode()
    def measured(self) -> dict[str, float]:
        """Return what is measured of the average; draw the sheet."""
        self.average.eval()
        if isinstance(self.work, Drawing):
            self.work.sheet(self.average, self.out / f"sheet_{self.step:06d}.png")
        return self.work.validated(self.average)

    def note(self, values: Mapping[str, Any]) -> None:
        """Append a line to the log."""
        line = {key: round(value, 5) if isinstance(value, float) else value for key, value in values.items()}
        with (self.out / LOG).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")

    def keep(self) -> None:
        """Write the place, whole or not at all."""
        if not self.first:
            return
        state: dict[str, Any] = {"network": self.plain.state_dict(), "average": self.average.state_dict()}
        state |= {"optimiser": self.optimiser.state_dict(), "rng": json.dumps(self.rng.bit_generator.state), "torch": torch.get_rng_state()}
        state |= {"cuda": torch.cuda.get_rng_state(self.device)} if self.device.type == "cuda" else {}
        numbers = {"step": self.step, "samples": self.samples, "batch": self.batch, "minutes": self.minutes}
        numbers |= {"core_minutes": self.core_minutes, "sums": self.sums, "since": list(self.since)}
        place = self.out / STATE
        torch.save(state | numbers, place.with_suffix(".part"))
        place.with_suffix(".part").replace(place)

    def resume(self) -> None:
        """Go on where the folder's checkpoint was, if it has one."""
        if not (self.out / STATE).is_file():
            return
        state = torch.load(self.out / STATE, map_location=self.device, weights_only=True)
        for part, name in ((self.plain, "network"), (self.average, "average"), (self.optimiser, "optimiser")):
            part.load_state_dict(state[name])
        self.rng.bit_generator.state = json.loads(state["rng"])
        torch.set_rng_state(state["torch"].cpu())
        if "cuda" in state and self.device.type == "cuda":
            torch.cuda.set_rng_state(state["cuda"].cpu(), self.device)
        for name in ("step", "samples", "batch", "minutes", "core_minutes", "sums"):
            setattr(self, name, state[name])
        self.since = (int(state["since"][0]), float(state["since"][1]))

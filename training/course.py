"""How long, how fast and where a network learns: its budget, its device, and its processes among others."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, distributed

from echo3d.errors import InputError

Batch = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class Course:
    """How long, how fast and on what a network learns.

    Parameters
    ----------
    steps, minutes, core_minutes, epochs : the budget, exactly one of them; core minutes are the time of this process on its processors, an
        epoch has ``samples``
    rate, rise : highest learning rate, and in how many steps it is reached
    batch : samples a step, of all processes together
    seed : of every draw
    precision : bfloat16 learns under autocast
    optimiser, decay : Adam or AdamW, and its weight decay
    clip : longest gradient
    average : decay of the average that is measured and written
    keep, note : steps from one checkpoint, or one line of the log, to the next
    measure : lines of the log from one measurement to the next; the last line has one in any case
    device : auto, cpu, cuda, cuda:n, or one for each process joined by +
    samples : how many an epoch has, None where there are no epochs
    """

    steps: int | None = None
    minutes: float | None = None
    core_minutes: float | None = None
    epochs: float | None = None
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
    samples: int | None = None

    def __post_init__(self) -> None:
        given = [one for one in (self.steps, self.minutes, self.core_minutes, self.epochs) if one is not None]
        if len(given) != 1 or given[0] <= 0:
            raise InputError(f"a course must have one budget, steps, minutes, core_minutes or epochs, above 0, found {given}; give one")
        if self.epochs is not None and not self.samples:
            raise InputError("a course of epochs must know how many samples one has, found none; give steps or minutes")

    def whole(self) -> int | None:
        """Return how many steps the course has, None where time decides.

        >>> Course(epochs=3, samples=100, batch=8).whole()
        38
        """
        if self.epochs is not None:
            return max(1, round(self.epochs * (self.samples or 0) / self.batch))
        return self.steps

    def share(self, step: int, minutes: float, core_minutes: float) -> float:
        """Return which share of the budget is spent.

        >>> Course(steps=8).share(2, 9.0, 9.0), Course(minutes=3).share(2, 1.5, 9.0)
        (0.25, 0.5)
        """
        if (steps := self.whole()) is not None:
            return step / steps
        return minutes / self.minutes if self.minutes is not None else core_minutes / (self.core_minutes or 1.0)


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process among those that learn together."""

    rank: int = 0
    world: int = 1

    def rows(self, batch: Batch, group: int = 1) -> dict[str, Tensor]:
        """Return this process's rows of a batch; ``group`` rows that belong together stay together.

        >>> Ranks(1, 2).rows({"x": torch.arange(4)})["x"].tolist(), Ranks(1, 2).rows({"x": torch.arange(4)}, 2)["x"].tolist()
        ([1, 3], [2, 3])
        """
        if self.world == 1:
            return dict(batch)
        return {key: value.unflatten(0, (-1, group))[self.rank :: self.world].flatten(0, 1) for key, value in batch.items()}


@contextmanager
def together(device: torch.device) -> Iterator[Ranks]:
    """Join the others that ``torchrun`` started, once for all courses of a run: by gloo on processors, NCCL on GPUs; alone without it."""
    ranks = Ranks(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))
    if ranks.world == 1 or distributed.is_initialized():
        yield ranks
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield ranks
        distributed.barrier()  # nobody leaves while another still talks
    finally:
        distributed.destroy_process_group()


def chosen(device: str) -> torch.device:
    """Return the device of a setting; ``auto`` is a GPU where there is one, each process of ``torchrun`` its own.

    Raises
    ------
    InputError
        If it is a GPU and there is none.
    """
    place, several = int(os.environ.get("LOCAL_RANK", "0")), device.split("+")
    one = several[place % len(several)]
    if one not in ("auto", "cpu") and not re.fullmatch(r"cuda(:\d+)?", one):
        raise InputError(f"a device must be auto, cpu, cuda or cuda:n, found {one[:20]!r}; choose one of these")
    found = torch.cuda.device_count()
    if one.startswith("cuda") and int(one.partition(":")[2] or place) >= found:
        raise InputError(f"device {one[:20]} must be there, found {found or 'no'} GPU that torch can use; set device to auto or cpu")
    if one in ("auto", "cuda") and found:
        return torch.device("cuda", place % found)
    return torch.device("cpu" if one == "auto" else one)

"""First stage of training S2MNet: the encoder learns the share of each structure in each cell of a picture.

python -m training.encoder --data runs/samples --out runs/encoder --minutes 25

Shards that appear meanwhile join in.
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from echo3d.anatomy.beat import FAMILIES
from echo3d.progress import Progress, silent
from echo3d.reconstruction.classes import CLASSES, class_table
from echo3d.reconstruction.s2mnet import VIEWS, Encoder, S2MNetConfig
from training.augment import look
from training.data import Shards
from training.datasets import open_samples
from training.schedule import learning_rate, spent_share


def shares(labels: Tensor) -> Tensor:
    """Return (P, CLASSES, H/4, W/4) true shares of label slices (P, H, W)."""
    pictures, rows, columns = labels.shape[0], labels.shape[1] // 4, labels.shape[2] // 4
    cell = torch.arange(pictures * rows * columns, dtype=torch.int32).view(pictures, rows, 1, columns, 1) * CLASSES
    kinds = torch.from_numpy(class_table()).int()[labels.long()].view(pictures, rows, 4, columns, 4)
    counts = torch.bincount((cell + kinds).flatten(), minlength=pictures * rows * columns * CLASSES)  # several times one_hot's speed
    return counts.view(pictures, rows, columns, CLASSES).permute(0, 3, 1, 2) / 16


@dataclass(frozen=True, slots=True)
class EncoderCourse:
    """How long and how the encoder learns.

    Parameters
    ----------
    minutes, steps : the budget; steps, where given, are the same on any machine
    samples : six-view samples a step
    rate : highest learning rate
    seed : of draws and of the pictures' randomisation
    strength : of the domain randomisation
    """

    minutes: float = 25.0
    steps: int | None = None
    samples: int = 8
    rate: float = 2e-3
    seed: int = 0
    strength: float = 1.0


def learn(encoder: Encoder, shards: Shards, course: EncoderCourse, out: Path, progress: Progress = silent) -> Encoder:
    """Train until the budget is spent and return the running average; it is written every 200 steps and at the end."""
    average = copy.deepcopy(encoder)
    optimiser = torch.optim.AdamW(encoder.parameters(), lr=course.rate, weight_decay=0.01, fused=True)
    rng = np.random.default_rng(course.seed)
    views = torch.arange(VIEWS).repeat(course.samples)
    start, step, total = time.monotonic(), 0, 0.0
    while (share := spent_share(course, spent := (time.monotonic() - start) / 60, step)) < 1:
        batch = shards.pairs(rng, course.samples // 2)
        pictures = look(batch["echo"], batch["fans"], rng, course.strength).flatten(0, 1).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            logits = encoder(pictures, views)
        loss = functional.cross_entropy(logits.float(), shares(batch["labels"].flatten(0, 1)))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(share, step, course.rate)
        optimiser.step()
        step, total = step + 1, total + float(loss.detach())
        with torch.no_grad():
            torch._foreach_lerp_(list(average.parameters()), list(encoder.parameters()), 1 - min(0.998, step / (20 + step)))
        if step % 200 == 0:
            print(json.dumps({"step": step, "minutes": round(spent, 2), "loss": round(total / 200, 4)}), flush=True)
            write(out, average, step, spent)
            progress(share, f"encoder, step {step}")
            total = 0.0
            shards.refresh()
    write(out, average, step, spent)
    return average


def write(out: Path, encoder: Encoder, step: int, minutes: float) -> None:
    """Write an encoder whole or not at all."""
    torch.save({"encoder": encoder.state_dict(), "step": step, "minutes": minutes}, out / "encoder.partial")
    (out / "encoder.partial").replace(out / "encoder.pt")


def main() -> None:
    """Train the encoder and write its averaged weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--styles", nargs="*", default=(), help="of training.styles; none for pictures that lie in the shards")
    parser.add_argument("--start", type=Path, help="a run whose encoder is gone on from, instead of random weights")
    for field in fields(EncoderCourse):
        kind = float if field.name in ("minutes", "rate", "strength") else int
        parser.add_argument(f"--{field.name}", type=kind, default=field.default, help="see EncoderCourse")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--without", choices=FAMILIES, help="a law of motion to leave out")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    shards = open_samples(options.data, options.without, tuple(options.styles))
    if not len(shards):
        parser.error("--data must be a data set of echo3d dataset generate or hold shards of training.samples; make one first")
    encoder = Encoder(S2MNetConfig())
    if options.start:
        encoder.load_state_dict(torch.load(options.start / "encoder.pt", weights_only=True)["encoder"])
    course = EncoderCourse(**{field.name: getattr(options, field.name) for field in fields(EncoderCourse)})
    learn(encoder.to(memory_format=torch.channels_last), shards, course, options.out)  # type: ignore[call-overload]


if __name__ == "__main__":
    main()

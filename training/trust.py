"""Third stage of training S2MNet: the trust head alone, on many kinds of pictures that are not the view they are said to be.

    python -m training.trust --run runs/lean --data runs/samples --out runs/lean_trust

Points, planes and all else stay as they are to the bit.
"""

from __future__ import annotations

import argparse
import copy
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from echo3d.reconstruction.s2mnet import VIEWS, S2MNet
from training.augment import look, spoiled, texture_bank
from training.data import Shards
from training.evaluate import trained
from training.s2mnet import draw_present
from training.schedule import learning_rate, spent_share

SHARE = 0.5
KINDS = (0.3, 0.5, 0.75)
"""Three tenths another view, two turned, a quarter discs, a quarter noise."""

Looks = tuple[Tensor, Tensor]

Seen = Callable[[Tensor, Tensor], Tensor]
"""Pooled structure maps (B, V, cells) of pictures (B, V, 2, H, W) of the views present (B, V)."""


@torch.inference_mode()
def draw_looks(seen: Seen, shards: Shards, count: int, seed: int) -> Looks:
    """Return maps (S, V, cells) float16 of ``count`` pairs' pictures, half of each kind's spoiled, and (S, V) bool where they are not.

    Parameters
    ----------
    seen : what is seen in pictures, ``network.maps`` or that of a quick look
    """
    rng, bank = np.random.default_rng(seed), texture_bank(48, seed)
    maps, genuine = [], []
    for _ in range(count // 30):
        batch = shards.pairs(rng, 30)
        pictures = look(batch["echo"], batch["fans"], rng, plain=0.0)  # trust is asked for on unlike machines above all
        pictures, bad = spoiled(pictures, bank, SHARE, KINDS)
        with torch.autocast("cpu", torch.bfloat16):
            maps.append(seen(pictures, torch.ones_like(bad)).half())
        genuine.append(~bad)
    return torch.cat(maps), torch.cat(genuine)


def shown_views(genuine: Tensor) -> Tensor:
    """Return (B, V) bool of views to show: all or a few, in one row of three just one; half of the rows without spoiled ones."""
    present = draw_present(len(genuine) // 2)
    lone = functional.one_hot(torch.randint(VIEWS, (len(genuine),)), VIEWS).bool()
    present = torch.where((torch.rand(len(genuine)) < 0.33)[:, None], lone, present)
    sorted_out = present & genuine
    drop = (torch.rand(len(genuine)) < 0.5) & sorted_out.any(dim=1)
    return torch.where(drop[:, None], sorted_out, present)


@dataclass(frozen=True, slots=True)
class TrustCourse:
    """How long and how fast to learn: minutes or, where given, steps, and the highest rate."""

    minutes: float = 2.0
    rate: float = 1e-3
    steps: int | None = None


def learn(network: S2MNet, looks: Looks, course: TrustCourse) -> S2MNet:
    """Return the network with the averaged trust head after the budget is spent."""
    maps, genuine = looks
    network.requires_grad_(False)
    head = network.trust.requires_grad_(True)
    average = copy.deepcopy(head)
    optimiser = torch.optim.AdamW(head.parameters(), lr=course.rate, weight_decay=0.02, fused=True)
    start, step, total = time.monotonic(), 0, 0.0
    while (share := spent_share(course, spent := (time.monotonic() - start) / 60, step)) < 1:
        rows = torch.randint(len(maps), (256,))
        present = shown_views(genuine[rows])
        answer = network.read(maps[rows].float(), present)[3]
        loss = functional.binary_cross_entropy_with_logits(answer[present], genuine[rows][present].float())
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(share, step, course.rate)
        optimiser.step()
        step, total = step + 1, total + float(loss.detach())
        with torch.no_grad():
            torch._foreach_lerp_(list(average.parameters()), list(head.parameters()), 1 - min(0.998, step / (20 + step)))
        if step % 200 == 0:
            print(json.dumps({"step": step, "minutes": round(spent, 2), "loss": round(total / 200, 4)}), flush=True)
            total = 0.0
    network.trust.load_state_dict(average.state_dict())
    return network


def main() -> None:
    """Parse the command line, train the head, and write the run anew."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("run", "data", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=3000)
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--styles", nargs="*", default=(), help="of training.styles; none for pictures that lie in the shards")
    options = parser.parse_args()
    torch.set_num_threads(2)
    torch.manual_seed(options.seed)
    network, state = trained(options.run)
    shards = Shards(options.data, styles=tuple(options.styles))
    shards.refresh()
    network = learn(network, draw_looks(network.maps, shards, options.pairs, options.seed + 7), TrustCourse(options.minutes))
    options.out.mkdir(parents=True, exist_ok=True)
    shutil.copy(options.run / "log.jsonl", options.out / "log.jsonl")
    kept = state["network"] | {key: value for key, value in network.state_dict().items() if key.startswith("trust.")}
    torch.save(state | {"network": kept}, options.out / "network.pt")


if __name__ == "__main__":
    main()

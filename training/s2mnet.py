"""Train S2MNet on drawn hearts.

python -m training.s2mnet --data runs/samples --val runs/val --out runs/lean --minutes 80
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from echo3d.reconstruction.s2mnet import VIEWS, S2MNet, S2MNetConfig
from training.augment import look, spoiled, texture_bank
from training.basis import initialise
from training.data import Shards
from training.losses import Measures, Target, loss_terms, measures, volumes_ml


@dataclass
class Run:
    """The moving parts of one training."""

    network: S2MNet
    average: S2MNet
    optimiser: torch.optim.Optimizer
    at_points: Tensor
    constants: Measures
    bank: Tensor
    rng: np.random.Generator
    step: int = 0
    spent_s: float = 0.0


def begin(shards: Shards, config: S2MNetConfig, seed: int, device: torch.device) -> Run:
    """Return a fresh run whose principal fields come from the samples there are."""
    torch.manual_seed(seed)
    fields, planes = start_fields(shards)
    network = S2MNet(config, fields.shape[1])
    at_points = initialise(network, fields, planes)
    network.to(device, memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0.02)
    return Run(
        network=network,
        average=copy.deepcopy(network).eval(),
        optimiser=optimiser,
        at_points=torch.from_numpy(at_points).to(device),
        constants=measures(at_points, device),
        bank=texture_bank(48, seed),
        rng=np.random.default_rng(seed),
    )


def start_fields(shards: Shards, most: int = 3600) -> tuple[np.ndarray, np.ndarray]:
    """Return displacement fields (S, N, 3) and planes (S, V, 9) of the first samples."""
    fields = np.concatenate([part["field"] for part in shards.parts[: most // 100]])[:most]
    planes = np.concatenate([part["sectors"] for part in shards.parts])
    return fields.astype(np.float32), planes


def draw_present(count: int) -> Tensor:
    """Return (2 * count, V) bool: three of five pairs with all views, the others with one to five at random."""
    number = torch.where(torch.rand(count) < 0.6, VIEWS, torch.randint(1, VIEWS, (count,)))
    order = torch.rand(count, VIEWS).argsort(dim=1)
    return (order < number[:, None]).repeat_interleave(2, dim=0)


def truth(run: Run, batch: dict[str, Tensor], genuine: Tensor, device: torch.device) -> Target:
    """Return the targets of a batch, with the coefficients of its fields in the principal fields."""
    field = batch["field"].float().to(device)
    flat = field.flatten(1) - run.at_points[-1]
    axes = run.at_points[:-1]
    coarse = flat @ axes.T / axes.square().sum(dim=1)
    return Target(field + run.network.template, batch["sectors"].to(device), batch["volumes"].to(device), coarse, genuine.to(device))


def partly_spoiled(pictures: Tensor, bank: Tensor) -> tuple[Tensor, Tensor]:
    """Return pictures with some of a quarter of the rows spoiled, and (B, V) bool where; more rows would cost a tenth of the step."""
    rows = len(pictures) // 4
    wrong, bad = spoiled(pictures[:rows], bank, 0.35)
    none = torch.zeros(len(pictures) - rows, VIEWS, dtype=torch.bool)
    return torch.cat([wrong, pictures[rows:]]), torch.cat([bad, none])


def train_step(run: Run, batch: dict[str, Tensor], rate: float, device: torch.device) -> dict[str, float]:
    """Make one step and return the loss terms."""
    pictures, bad = partly_spoiled(look(batch["echo"], batch["labels"], batch["fans"], run.bank), run.bank)
    present = draw_present(len(pictures) // 2) & ~bad
    present[~present.any(dim=1), 0] = True
    present, looked = present.to(device), (present | bad).to(device)
    answer = run.network(pictures.to(device), present, looked)
    terms = loss_terms(answer, truth(run, batch, ~bad, device), present, looked, run.constants)
    run.optimiser.zero_grad(set_to_none=True)
    torch.stack(list(terms.values())).sum().backward()
    torch.nn.utils.clip_grad_norm_(run.network.parameters(), 8.0)
    for group in run.optimiser.param_groups:
        group["lr"] = rate
    run.optimiser.step()
    keep = min(0.999, (1 + run.step) / (20 + run.step))
    with torch.no_grad():
        for mean, now in zip(run.average.parameters(), run.network.parameters(), strict=True):
            mean.lerp_(now, 1 - keep)
    run.step += 1
    return {name: float(term) for name, term in terms.items()}


def learning_rate(share: float, step: int, highest: float) -> float:
    """Return the rate after ``share`` of the budget: a short rise, then a cosine to one hundredth."""
    return highest * min(1.0, (step + 1) / 300) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(share, 1.0))))


@torch.no_grad()
def validate(run: Run, samples: dict[str, Tensor], device: torch.device) -> dict[str, float]:
    """Return errors of the averaged network on stored pictures, all six views."""
    points, volumes = [], []
    for start in range(0, len(samples["field"]), 40):
        part = {key: value[start : start + 40] for key, value in samples.items()}
        answer = run.average(stored_pictures(part).to(device), torch.ones(len(part["field"]), VIEWS, dtype=torch.bool, device=device))
        points.append((answer.points - run.network.template - part["field"].float().to(device)).norm(dim=2).mean(dim=1).cpu())
        volumes.append(volumes_ml(answer.points, run.constants.cavities).cpu())
    error, volume, wanted = torch.cat(points), torch.cat(volumes), samples["volumes"]
    ef = (volume[1::2, 0] / volume[::2, 0] - wanted[1::2, 0] / wanted[::2, 0]) * -100
    relative = ((volume - wanted) / wanted).abs().mean(dim=0) * 100
    return {
        "ed_mm": float(error[::2].mean()),
        "es_mm": float(error[1::2].mean()),
        **{f"{key}_pc": float(value) for key, value in zip(("lv", "rv", "la", "ra"), relative, strict=True)},
        "ef_mae": float(ef.abs().mean()),
        "ef_bias": float(ef.mean()),
    }


def stored_pictures(part: dict[str, Tensor]) -> Tensor:
    """Return network input (B, V, 2, H, W) of the stored speckle pictures as they are."""
    from training.augment import fan_masks

    mask = fan_masks(part["fans"])
    return torch.stack([part["echo"].float() / 255 * mask, mask.float()], dim=2)


def save(run: Run, path: Path) -> None:
    """Write a checkpoint whole or not at all."""
    partial = path.with_suffix(".partial")
    torch.save(
        {
            "network": run.network.state_dict(),
            "average": run.average.state_dict(),
            "optimiser": run.optimiser.state_dict(),
            "at_points": run.at_points.half(),
            "config": run.network.config.model_dump(),
            "rng": json.dumps(run.rng.bit_generator.state),
            "torch_rng": torch.get_rng_state(),
            "step": run.step,
            "spent_s": run.spent_s,
        },
        partial,
    )
    partial.rename(path)


def resume(path: Path, seed: int, device: torch.device) -> Run:
    """Return the run of a checkpoint."""
    state = torch.load(path, weights_only=True, map_location=device)
    network = S2MNet(S2MNetConfig(**state["config"]), len(state["network"]["template"])).to(device, memory_format=torch.channels_last)
    network.load_state_dict(state["network"])
    average = copy.deepcopy(network).eval()
    average.load_state_dict(state["average"])
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0.02)
    optimiser.load_state_dict(state["optimiser"])
    rng = np.random.default_rng()
    rng.bit_generator.state = json.loads(state["rng"])
    torch.set_rng_state(state["torch_rng"].cpu())
    at_points = state["at_points"].float()
    constants = measures(at_points.cpu().numpy(), device)
    return Run(network, average, optimiser, at_points, constants, texture_bank(48, seed), rng, state["step"], state["spent_s"])


def report(out: Path, values: dict[str, float | int]) -> None:
    """Append one line to the run's log and print it."""
    line = json.dumps({key: round(value, 3) for key, value in values.items()})
    with (out / "log.jsonl").open("a") as stream:
        stream.write(line + "\n")
    print(line, flush=True)


def train(run: Run, shards: Shards, val: dict[str, Tensor], options: argparse.Namespace) -> None:
    """Train until the budget is spent; look at the validation set and write a checkpoint every few hundred steps."""
    device, start, before = torch.device(options.device), time.monotonic(), run.spent_s
    sums: dict[str, float] = {}
    while run.spent_s < 60 * options.minutes:
        rate = learning_rate(run.spent_s / (60 * options.minutes), run.step, options.rate)
        terms = train_step(run, shards.pairs(run.rng, options.batch // 2), rate, device)
        sums = {name: sums.get(name, 0.0) + value / options.every for name, value in terms.items()}
        run.spent_s = before + time.monotonic() - start
        if run.step % options.every == 0:
            count = shards.refresh()
            report(options.out, {"step": run.step, "minutes": run.spent_s / 60, "samples": count, **sums, **validate(run, val, device)})
            sums = {}
            save(run, options.out / "checkpoint.pt")
    save(run, options.out / "checkpoint.pt")


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--val", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=80)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1.0e-3)
    parser.add_argument("--every", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    shards, val = Shards(options.data), Shards(options.val)
    if not shards.refresh() or not val.refresh():
        parser.error("both --data and --val must hold shards of training.samples; run that first")
    checkpoint, device = options.out / "checkpoint.pt", torch.device(options.device)
    fresh = not (options.resume and checkpoint.exists())
    run = begin(shards, S2MNetConfig(), options.seed, device) if fresh else resume(checkpoint, options.seed, device)
    train(run, shards, val.all(), options)


if __name__ == "__main__":
    main()

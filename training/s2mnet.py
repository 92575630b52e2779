"""Second stage of training S2MNet: from structure maps to fields, on a trained encoder.

    python -m training.s2mnet --data runs/samples --val runs/val --encoder runs/encoder/encoder.pt --out runs/lean --minutes 8

The encoder stays as it is; its maps of all samples are computed once, the Gaussian estimate is fitted in closed form, and the rest of the
network learns from the maps at several hundred samples a second.
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from echo3d.reconstruction.s2mnet import VIEWS, S2MNet, S2MNetConfig
from training.augment import fan_masks, look, spoiled, texture_bank
from training.basis import initialise
from training.data import Shards
from training.gaussian import fit_estimate
from training.losses import Measures, Target, loss_terms, measures, volumes_ml
from training.schedule import learning_rate

SPOILED_SHARE = 0.35


@dataclass(frozen=True, slots=True, eq=False)
class Cache:
    """What the second stage needs of every sample.

    Parameters
    ----------
    maps : (L, S, V, cells) float16, structure maps of L different looks
    genuine : (L, S, V) bool, false where the picture was spoiled
    field, sectors, volumes, coarse : the truth, (S, ...)
    """

    maps: Tensor
    genuine: Tensor
    field: Tensor
    sectors: Tensor
    volumes: Tensor
    coarse: Tensor


@torch.inference_mode()
def look_maps(network: S2MNet, shards: Shards, bank: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Return maps (S, V, cells) of one look at every sample, and (S, V) bool where it was not spoiled."""
    maps, genuine = [], []
    for part in shards.parts:
        for start in range(0, len(part["field"]), 60):
            echo, labels, fans = (torch.from_numpy(part[key][start : start + 60]) for key in ("echo", "labels", "fans"))
            pictures = look(echo, labels, fans, bank)
            pictures, bad = spoiled(pictures, bank, share) if share else (pictures, torch.zeros(pictures.shape[:2], dtype=torch.bool))
            maps.append(network.maps(pictures, torch.ones_like(bad)).half())
            genuine.append(~bad)
    return torch.cat(maps), torch.cat(genuine)


def coefficients(field: Tensor, at_points: Tensor) -> Tensor:
    """Return (S, R) coefficients of fields (S, N, 3) in the principal fields at the points (R + 1, N * 3)."""
    axes = at_points[:-1]
    return torch.cat([(part.float().flatten(1) - at_points[-1]) @ axes.T / axes.square().sum(dim=1) for part in field.split(500)])


def build(config: S2MNetConfig, encoder: Path, shards: Shards) -> tuple[S2MNet, Tensor]:
    """Return a network with the trained encoder and principal fields, and the principal fields at the points."""
    fields = np.concatenate([part["field"][::3] for part in shards.parts])[:4000].astype(np.float32)
    planes = np.concatenate([part["sectors"] for part in shards.parts])
    network = S2MNet(config, fields.shape[1])
    at_points = torch.from_numpy(initialise(network, fields, planes))
    network.encoder.load_state_dict(torch.load(encoder, weights_only=True)["encoder"])
    network.encoder.requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.eval(), at_points


def remember(network: S2MNet, shards: Shards, at_points: Tensor, bank: Tensor) -> Cache:
    """Return two looks at every sample, the second partly spoiled, and fit the Gaussian estimate to the first."""
    truth = shards.all(("field", "sectors", "volumes"))
    looks = [look_maps(network, shards, bank, share) for share in (0.0, SPOILED_SHARE)]
    cache = Cache(*(torch.stack(part) for part in zip(*looks, strict=True)), **truth, coarse=coefficients(truth["field"], at_points))
    fit_estimate(network.estimate, cache.maps[0], cache.coarse)
    return cache


def draw_present(count: int, kinds: int = 6) -> Tensor:
    """Return (2 * count, V) bool, ``kinds`` different sets of views: half of the pairs see all, the others one to five at random."""
    number = torch.randint(1, VIEWS, (kinds,))
    sets = torch.rand(kinds, VIEWS).argsort(dim=1) < number[:, None]
    chosen = sets[torch.randint(kinds, (count,))]
    chosen[torch.rand(count) < 0.5] = True
    return chosen.repeat_interleave(2, dim=0)


def draw_batch(cache: Cache, template: Tensor, pairs: int) -> tuple[Tensor, Target, Tensor]:
    """Return maps, truth and present views of random pairs; spoiled pictures are never among the views that are there."""
    rows = (2 * torch.randint(len(cache.field) // 2, (pairs, 1)) + torch.arange(2)).flatten()
    which = (torch.rand(pairs) < 0.35).long().repeat_interleave(2)
    maps, genuine = cache.maps[which, rows].float(), cache.genuine[which, rows]
    present = draw_present(pairs) & (which == 0)[:, None]
    present |= ((which == 1)[:, None]) & genuine
    present[~present.any(dim=1)] = genuine[~present.any(dim=1)]
    present[~present.any(dim=1), 0] = True
    target = Target(cache.field[rows].float() + template, cache.sectors[rows], cache.volumes[rows], cache.coarse[rows], genuine)
    return maps, target, present


def train(network: S2MNet, cache: Cache, constants: Measures, options: argparse.Namespace, val: dict[str, Tensor]) -> S2MNet:
    """Return the averaged network after the budget is spent on the part behind the maps."""
    learned = [p for p in network.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(learned, lr=options.rate, weight_decay=0.05)
    average, start, step = copy.deepcopy(network), time.monotonic(), 0
    sums: dict[str, float] = {}
    while (spent := (time.monotonic() - start) / 60) < options.minutes:
        maps, target, present = draw_batch(cache, network.template, options.pairs)
        terms = loss_terms(network.from_maps(maps, present), target, present, torch.ones_like(present), constants)
        optimiser.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()
        torch.nn.utils.clip_grad_norm_(learned, 5.0)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(spent / options.minutes, step, options.rate)
        optimiser.step()
        step += 1
        keep = min(0.998, step / (20 + step))
        with torch.no_grad():
            for mean, now in zip(average.parameters(), network.parameters(), strict=True):
                mean.lerp_(now, 1 - keep)
        sums = {name: sums.get(name, 0.0) + float(term.detach()) / 200 for name, term in terms.items()}
        if step % 200 == 0:
            report(options.out, {"step": step, "minutes": spent, **sums, **validate(average, constants, val)})
            sums = {}
    return average


@torch.inference_mode()
def validate(network: S2MNet, constants: Measures, samples: dict[str, Tensor]) -> dict[str, float]:
    """Return errors on stored pictures, all six views."""
    points, volumes = [], []
    for start in range(0, len(samples["field"]), 40):
        part = {key: value[start : start + 40] for key, value in samples.items()}
        answer = network(stored_pictures(part), torch.ones(len(part["field"]), VIEWS, dtype=torch.bool))
        points.append((answer.points - network.template - part["field"].float()).norm(dim=2).mean(dim=1))
        volumes.append(volumes_ml(answer.points, constants.cavities))
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
    mask = fan_masks(part["fans"])
    return torch.stack([part["echo"].float() / 255 * mask, mask.float()], dim=2)


def report(out: Path, values: dict[str, float | int]) -> None:
    """Append one line to the run's log and print it."""
    line = json.dumps({key: round(value, 3) for key, value in values.items()})
    with (out / "log.jsonl").open("a") as stream:
        stream.write(line + "\n")
    print(line, flush=True)


def main() -> None:
    """Parse the command line, train, and write the network."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "val", "encoder", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument("--pairs", type=int, default=32)
    parser.add_argument("--rate", type=float, default=6e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    shards, val = Shards(options.data), Shards(options.val)
    if not shards.refresh() or not val.refresh():
        parser.error("both --data and --val must hold shards of training.samples; run that first")
    network, at_points = build(S2MNetConfig(), options.encoder, shards)
    constants, samples = measures(at_points.numpy(), torch.device("cpu")), val.all()
    cache = remember(network, shards, at_points, texture_bank(48, options.seed + 1))
    report(options.out, {"step": 0, "samples": len(shards), **validate(network, constants, samples)})
    average = train(network, cache, constants, options, samples)
    torch.save({"network": average.state_dict(), "config": average.config.model_dump(), "samples": len(shards)}, options.out / "network.pt")


if __name__ == "__main__":
    main()

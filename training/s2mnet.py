"""Second stage of training S2MNet: from structure maps to fields, on a trained encoder.

    python -m training.s2mnet --data runs/samples --slices runs/slices --val runs/val --encoder runs/encoder/encoder.pt --out runs/lean

First the part behind the maps learns from the true maps of very many hearts (``training.slices``); then from what the trained encoder makes
of pictures, the true maps beside them. The encoder stays as it is, so its maps are computed once.
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

from echo3d.anatomy.beat import FAMILIES
from echo3d.progress import Progress, silent
from echo3d.reconstruction.s2mnet import VIEWS, S2MNet, S2MNetConfig
from training.augment import fan_masks, look, spoiled, texture_bank
from training.basis import coefficients, fields_at_points, initialise
from training.data import MapBank, Shards, slice_bank
from training.losses import Measures, Target, loss_terms, measures, volumes_ml
from training.schedule import learning_rate, spent_share

SPOILED_SHARE = 0.35
CLEAN_LOOKS, SPOILED_LOOKS = 2, 1


@dataclass(frozen=True, slots=True, eq=False)
class Looking:
    """How pictures are looked at: the strength of their randomisation, its numbers, and the speckle that spoiled ones show."""

    rng: np.random.Generator
    bank: Tensor
    strength: float = 1.0


@torch.inference_mode()
def look_maps(network: S2MNet, shards: Shards, looking: Looking, share: float, turn: int = 0) -> tuple[Tensor, Tensor]:
    """Return maps (S, V, cells) of one look at every sample, and (S, V) bool where it was not spoiled; each ``turn`` shows other styles."""
    maps, genuine, bank = [], [], looking.bank
    for part in shards.parts:
        whole = shards.whole(part, "echo", turn)
        for start in range(0, len(part["field"]), 60):
            echo, fans = (torch.from_numpy(values[start : start + 60]) for values in (whole, part["fans"]))
            pictures = look(echo, fans, looking.rng, looking.strength)
            pictures, bad = spoiled(pictures, bank, share) if share else (pictures, torch.zeros(pictures.shape[:2], dtype=torch.bool))
            with torch.autocast("cpu", torch.bfloat16):
                maps.append(network.maps(pictures, torch.ones_like(bad)).half())
            genuine.append(~bad)
    return torch.cat(maps), torch.cat(genuine)


def picture_bank(network: S2MNet, shards: Shards, looking: Looking) -> MapBank:
    """Return what the encoder sees in several looks at every sample, the last ones partly spoiled."""
    shares = [0.0] * CLEAN_LOOKS + [SPOILED_SHARE] * SPOILED_LOOKS
    looks = (look_maps(network, shards, looking, share, turn) for turn, share in enumerate(shares))
    maps, genuine = (torch.stack(part) for part in zip(*looks, strict=True))
    truth = shards.all(("field", "sectors", "volumes", "chance"))
    sectors = truth["sectors"].expand(len(shares), -1, -1, -1)
    return MapBank(maps, 1.0, genuine, sectors, truth["field"], truth["volumes"], truth["chance"][::2])


def draw_present(count: int, kinds: int = 12) -> Tensor:
    """Return (2 * count, V) bool, ``kinds`` different sets of views: half of the pairs see all, the others one to five at random."""
    number = torch.randint(1, VIEWS, (kinds,))
    sets = torch.rand(kinds, VIEWS).argsort(dim=1).argsort(dim=1) < number[:, None]
    chosen = sets[torch.randint(kinds, (count,))]
    chosen[torch.rand(count) < 0.5] = True
    return chosen.repeat_interleave(2, dim=0)


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """A bank with the coefficients (S, R) of its fields, and how much noise (share of a cell) is added to its maps."""

    bank: MapBank
    truth: Tensor
    noise: float

    def draw(self, pairs: int) -> tuple[Tensor, Target, Tensor]:
        """Return maps, truth and present views of random pairs; half of the spoiled pictures are shown, half known to be bad."""
        rows = self.bank.draw(pairs)
        which = torch.randint(len(self.bank.maps), (pairs,)).repeat_interleave(2)
        maps, genuine = self.bank.shares(which, rows), self.bank.genuine[which, rows]
        if self.noise:
            maps = maps + self.noise * torch.randn_like(maps)
        present = draw_present(pairs)
        sorted_out = present & genuine
        drop = (torch.rand(pairs) < 0.5).repeat_interleave(2) & sorted_out.any(dim=1)
        present = torch.where(drop[:, None], sorted_out, present)
        return maps, Target(self.truth[rows], self.bank.volumes[rows], self.bank.sectors[which, rows], genuine), present


@dataclass(frozen=True, slots=True)
class Course:
    """How long and how fast to learn: minutes or, where given, steps; pairs a step of each lesson, highest rate."""

    minutes: float
    pairs: tuple[int, ...]
    rate: float
    steps: int | None = None


class Trainer:
    """The network, its running average, and where the log goes."""

    def __init__(self, network: S2MNet, constants: Measures, out: Path, val: dict[str, Tensor]) -> None:
        self.network, self.constants, self.out, self.val = network, constants, out, val
        self.average = copy.deepcopy(network)

    def run(self, name: str, lessons: list[Lesson], course: Course, progress: Progress = silent) -> None:
        """Learn from the lessons until the budget is spent; go on from the average."""
        self.network.load_state_dict(self.average.state_dict())
        learned = [p for p in self.network.parameters() if p.requires_grad]
        kept = [p for p in self.average.parameters() if p.requires_grad]
        optimiser = torch.optim.AdamW(learned, lr=course.rate, weight_decay=0.05, fused=True)
        start, step, sums = time.monotonic(), 0, dict[str, float]()
        self.network.train()
        while (share := spent_share(course, spent := (time.monotonic() - start) / 60, step)) < 1:
            terms = self.terms([lesson.draw(pairs) for lesson, pairs in zip(lessons, course.pairs, strict=True)])
            optimiser.zero_grad(set_to_none=True)
            torch.stack(list(terms.values())).sum().backward()
            torch.nn.utils.clip_grad_norm_(learned, 5.0)
            for group in optimiser.param_groups:
                group["lr"] = learning_rate(share, step, course.rate)
            optimiser.step()
            step += 1
            with torch.no_grad():
                torch._foreach_lerp_(kept, learned, 1 - min(0.998, step / (20 + step)))
            sums = {key: sums.get(key, 0.0) + float(term.detach()) / 500 for key, term in terms.items()}
            if step % 100 == 0:
                progress(share, f"{name}, step {step}")
            if step % 500 == 0:
                report(self.out, {"lesson": name, "step": step, "minutes": spent, **sums, **self.validated()})
                sums = {}
        report(self.out, {"lesson": name, "step": step, "minutes": spent, **self.validated()})

    def validated(self) -> dict[str, float]:
        """Return the averaged network's errors on the validation samples, nothing where there are none."""
        return validate(self.average, self.val) if self.val else {}

    def terms(self, drawn: list[tuple[Tensor, Target, Tensor]]) -> dict[str, Tensor]:
        """Return the loss terms of all lessons' rows together."""
        maps, targets, present = (list(part) for part in zip(*drawn, strict=True))
        names = Target.__dataclass_fields__
        target = Target(**{name: torch.cat([getattr(one, name) for one in targets]) for name in names})
        shown = torch.cat(present)
        with torch.autocast("cpu", torch.bfloat16):
            answer = self.network.read(torch.cat(maps), shown)
        coarse, fused, planes, trust = (part.float() for part in answer)
        return loss_terms((coarse, fused, planes, trust), target, shown, self.constants)


@torch.inference_mode()
def validate(network: S2MNet, samples: dict[str, Tensor]) -> dict[str, float]:
    """Return errors on stored pictures' maps, all six views."""
    network.eval()
    place = network.template.device
    points, volumes = [], []
    cavities = measures_cavities()
    for start in range(0, len(samples["field"]), 40):
        part = {key: value[start : start + 40] for key, value in samples.items()}
        found = network.from_maps(
            part["maps"].float().to(place), torch.ones(len(part["field"]), VIEWS, dtype=torch.bool, device=place)
        ).points.cpu()
        points.append((found - network.template.cpu() - part["field"].float()).norm(dim=2).mean(dim=1))
        volumes.append(volumes_ml(found, cavities))
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


def measures_cavities() -> list[Tensor]:
    """Return the triangles of the four chambers."""
    from training.evaluate import cavity_faces

    return cavity_faces()


def stored_pictures(part: dict[str, Tensor]) -> Tensor:
    """Return network input (B, V, 2, H, W) of the stored speckle pictures as they are."""
    mask = fan_masks(part["fans"])
    return torch.stack([part["echo"].float() / 255 * mask, mask.float()], dim=2)


@torch.inference_mode()
def with_maps(network: S2MNet, samples: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return stored samples with the encoder's maps (S, V, cells) of their pictures."""
    parts = [{key: value[start : start + 40] for key, value in samples.items()} for start in range(0, len(samples["field"]), 40)]
    maps = [network.maps(stored_pictures(part), torch.ones(len(part["field"]), VIEWS, dtype=torch.bool)) for part in parts]
    return samples | {"maps": torch.cat(maps)}


def report(out: Path, values: dict[str, float | int | str]) -> None:
    """Append one line to the run's log and print it."""
    line = json.dumps({key: value if isinstance(value, str) else round(value, 3) for key, value in values.items()})
    with (out / "log.jsonl").open("a") as stream:
        stream.write(line + "\n")
    print(line, flush=True)


def start_network(slices: MapBank, config: S2MNetConfig | None = None) -> S2MNet:
    """Return a network with the buffers that drawn hearts give, everything else at random."""
    network = S2MNet(config or S2MNetConfig(), slices.field.shape[1])
    first = MapBank.shares(slices, torch.zeros(4000, dtype=torch.long), torch.arange(4000).clamp(max=len(slices.field) - 1))
    initialise(network, slices.field[:6000].numpy(), first, slices.sectors.flatten(0, 1).numpy())
    return network


def take_encoder(network: S2MNet, encoder: Path) -> None:
    """Put a trained encoder into a network, to stay as it is."""
    network.encoder.load_state_dict(torch.load(encoder, weights_only=True)["encoder"])
    network.encoder.requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def save(trainer: Trainer, out: Path, samples: int, hearts: int) -> None:
    """Write the averaged network of a run, whole or not at all."""
    state = {"network": trainer.average.state_dict(), "config": trainer.network.config.model_dump(), "samples": samples, "hearts": hearts}
    torch.save(state, out / "network.partial")
    (out / "network.partial").replace(out / "network.pt")


def main() -> None:
    """Parse the command line, train, and write the network."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "slices", "val", "encoder", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--minutes", type=float, nargs=2, default=(8, 8), help="for true maps, then for the encoder's")
    parser.add_argument("--steps", type=int, nargs=2, default=(None, None), help="budgets in steps instead, the same on any machine")
    parser.add_argument("--rates", type=float, nargs=2, default=(1e-3, 4e-4))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--without", choices=FAMILIES, help="a law of motion to leave out")
    parser.add_argument("--styles", nargs="*", default=(), help="of training.styles; none for pictures that lie in the shards")
    parser.add_argument("--strength", type=float, default=1.0, help="of the domain randomisation")
    parser.add_argument("--start", type=Path, help="a run whose network is gone on from, instead of random weights")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    styles = tuple(options.styles)
    shards, val = Shards(options.data, without=options.without, styles=styles), Shards(options.val, styles=styles)
    if not shards.refresh() or not val.refresh():
        parser.error("both --data and --val must hold shards of training.samples; run that first")
    slices = slice_bank(options.slices, without=options.without)
    network = start_network(slices)
    if options.start:
        network.load_state_dict(torch.load(options.start / "network.pt", weights_only=True)["network"])
    take_encoder(network, options.encoder)
    at_points = fields_at_points(network)
    trainer = Trainer(network, measures(at_points), options.out, with_maps(network, val.all()))
    true_maps = Lesson(slices, coefficients(slices.field, at_points), 0.03)
    report(options.out, {"step": 0, "samples": len(shards), "hearts": len(slices.field) // 2})
    trainer.run("true maps", [true_maps], Course(options.minutes[0], (96,), options.rates[0], options.steps[0]))
    looking = Looking(np.random.default_rng(options.seed + 1), texture_bank(48, options.seed + 1), options.strength)
    pictures = picture_bank(network, shards, looking)
    seen = Lesson(pictures, coefficients(pictures.field, at_points), 0.02)
    trainer.run("pictures", [seen, true_maps], Course(options.minutes[1], (80, 32), options.rates[1], options.steps[1]))
    save(trainer, options.out, len(shards), len(slices.field) // 2)


if __name__ == "__main__":
    main()

"""Draw what a second look learns from: pictures, what the heart of a first look shows in their place, and the truth.

    python -m training.glances --model accurate --data runs/samples --styles binary pseudo speckle cyclegan --first 0 --last 63 \
        --strength 1 --seed 1 --out runs/glances/train

Each pair of samples is looked at once, in one style, changed as other machines and hands change pictures, through all views or some. The
model refines without correction and without a second look of its own. Shards that are there already are left alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from echo3d.reconstruction.classes import CLASSES
from echo3d.reconstruction.planemoves import orthonormal
from echo3d.reconstruction.reconstruct import First, S2MModel, first_answer, load_model, quick_answer, refined_rows
from echo3d.reconstruction.refine import slices_of
from echo3d.reconstruction.s2mnet import VIEWS
from echo3d.reconstruction.sight import Fit
from echo3d.reconstruction.slicer import Slicer
from training.augment import fan_masks, look
from training.basis import coefficients, fields_at_points
from training.trustsigns import subsets

BATCH = 40


def first_look(model: S2MModel) -> S2MModel:
    """Return a model that moves its hearts, and does no more than that: one that refines, or a network with a quick look."""
    slicer_of(model)
    return model if model.refiner is None else replace(model, refiner=replace(model.refiner, correction={}, second=None))


def slicer_of(model: S2MModel) -> Slicer:
    """Return the slicer of a model that moves its hearts."""
    if model.refiner is not None:
        return model.refiner.slicer
    if model.quick is None:
        raise ValueError("a second look needs a first that moves hearts; name accurate, or a network with a quick look")
    return model.quick.mover.slicer


def moved_pairs(model: S2MModel, pictures: Tensor, present: Tensor, pairs: Sequence[tuple[int, ...]]) -> tuple[First, Mapping[int, Fit]]:
    """Return what a first look sees, and the fits: of the refiner where the model has one, else of the quick look."""
    if model.refiner is None and model.quick is not None:
        seen = quick_answer(model.quick, pictures, present, pairs)
        return seen, seen.fits
    if model.refiner is None:
        raise ValueError("a second look needs a first that moves hearts; name accurate, or a network with a quick look")
    seen, fits = first_answer(model, pictures, present, pairs), dict[int, Fit]()
    for rows in pairs:
        views = present[rows[0]].nonzero()[:, 0].tolist()
        fits |= zip(rows, refined_rows(model.refiner, seen, pictures, rows, views)[1], strict=True)
    return seen, fits


@torch.inference_mode()
def first_hearts(model: S2MModel, pictures: Tensor, present: Tensor) -> dict[str, Tensor]:
    """Return what first looks at pairs of pictures make of them, zero where a view is absent.

    Returns
    -------
    slices : (S, V, CLASSES - 1, h, w) shares that the hearts show
    answer, answer_planes : (S, R) and (S, V, 9) of the network
    heart, planes : (S, R) and (S, V, 9) of the refinement
    """
    slicer = slicer_of(model)
    side = model.network.config.raster // 4
    slices = torch.zeros(*present.shape, CLASSES - 1, side, side)
    hearts = {key: torch.zeros(len(present), slicer.rank) for key in ("answer", "heart")}
    planes = {key: torch.zeros(*present.shape, 9) for key in ("answer_planes", "planes")}
    for rows in torch.arange(len(pictures)).split(BATCH):
        pairs = [(row, row + 1) for row in range(0, len(rows), 2)]
        seen, fits = moved_pairs(model, pictures[rows], present[rows], pairs)
        for number, row in enumerate(rows.tolist()):
            views = present[row].nonzero()[:, 0].tolist()
            hearts["answer"][row], hearts["heart"][row] = seen.answer.fused[number], fits[number].coefficients
            planes["answer_planes"][row, views] = orthonormal(seen.answer.planes[number, views])
            planes["planes"][row, views] = fits[number].planes
            slices[row, views] = slices_of(slicer, fits[number].coefficients, fits[number].planes)
    return {"slices": slices} | hearts | planes


@dataclass(frozen=True, slots=True)
class Looks:
    """How a model is made to look.

    Parameters
    ----------
    styles : of the pictures, pair by pair in turn
    strength : of the domain randomisation, 0 for none
    seed : of every draw
    whole : share of the pairs that are seen in all six views, the others in some
    """

    styles: tuple[str, ...]
    strength: float = 1.0
    seed: int = 1
    whole: float = 0.6


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard of samples that is looked at.

    Parameters
    ----------
    number : of the shard in its folder
    path : its file
    rows : how many of its samples are looked at, the first ones; all where None
    """

    number: int
    path: Path
    rows: int | None = None


def shard_pictures(path: Path, styles: tuple[str, ...], turn: int) -> NDArray[np.uint8]:
    """Return a shard's pictures (S, V, H, W); pair p is drawn in style p + ``turn``."""
    drawn: list[NDArray[np.uint8]] = []
    for style in styles:
        with np.load(path.parent / style / path.name, allow_pickle=False) as data:
            drawn.append(data["echo"])
    style_of = (np.arange(len(drawn[0])) // 2 + turn) % len(styles)
    return np.stack([drawn[style][row] for row, style in enumerate(style_of)])


def glances(model: S2MModel, shard: Shard, looks: Looks, rng: np.random.Generator) -> dict[str, NDArray]:
    """Return the arrays of a shard of glances: pictures, mask, present, slices (all uint8 or bool), labels, and hearts (float32).

    The hearts are those of :func:`first_hearts`, and ``truth`` (S, R) with its chambers' ``volumes`` (S, 4) in ml and true ``sectors``
    (S, V, 9).
    """
    with np.load(shard.path, allow_pickle=False) as data:
        labels = data["labels"][: shard.rows]
        fans, field, volumes, sectors = (torch.from_numpy(data[key][: shard.rows]) for key in ("fans", "field", "volumes", "sectors"))
    echo = torch.from_numpy(shard_pictures(shard.path, looks.styles, shard.number + looks.seed)[: shard.rows])
    if looks.strength:
        pictures = look(echo, fans, rng, looks.strength)
    else:
        mask = fan_masks(fans).float()
        pictures = torch.stack([echo.float() / 255 * mask, mask], dim=2)
    pairs = len(labels) // 2
    number = np.where(rng.random(pairs) < looks.whole, VIEWS, rng.integers(1, VIEWS, pairs))
    present = torch.cat([subsets(1, int(count), int(rng.integers(1 << 30))) for count in number])
    found = first_hearts(model, pictures, present)
    quantised = {"pictures": pictures[:, :, 0], "slices": found.pop("slices")}
    whole = {key: (value * 255).round().clamp(0, 255).byte().numpy() for key, value in quantised.items()}
    truth = {"truth": coefficients(field, fields_at_points(model.network)), "volumes": volumes, "sectors": sectors}
    told = {key: value.numpy().astype(np.float32) for key, value in (found | truth).items()}
    return whole | told | {"mask": pictures[:, :, 1].bool().numpy(), "present": present.numpy(), "labels": labels}


def redrawn(model: S2MModel, path: Path, out: Path) -> Path:
    """Write the glances of a file with the hearts that another model makes of the same pictures; leave it alone where it is there."""
    target = out / path.name
    if not target.exists():
        with np.load(path, allow_pickle=False) as data:
            arrays = {key: data[key] for key in data}
        mask = torch.from_numpy(arrays["mask"]).float()
        pictures = torch.stack([torch.from_numpy(arrays["pictures"]).float() / 255, mask], dim=2)
        found = first_hearts(model, pictures, torch.from_numpy(arrays["present"]))
        arrays["slices"] = (found.pop("slices") * 255).round().clamp(0, 255).byte().numpy()
        write(target, arrays | {key: value.numpy().astype(np.float32) for key, value in found.items()})
    return target


def write(target: Path, arrays: Mapping[str, NDArray]) -> None:
    """Write a file of glances whole or not at all."""
    part = target.with_suffix(".part")
    with part.open("wb") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]
    part.replace(target)


def draw_shard(model: S2MModel, shard: Shard, looks: Looks, out: Path) -> Path:
    """Draw the glances of a shard into a folder, whole or not at all; leave it alone where it is there. Return its file."""
    target = out / f"{shard.path.stem}_{looks.seed}.npz"
    if not target.exists():
        write(target, glances(model, shard, looks, np.random.default_rng([looks.seed, shard.number])))
    return target


def main() -> None:
    """Draw and write shard by shard."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="accurate", help="weights whose first look is refined, or is a quick one")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, help="samples of training.samples and training.styles")
    source.add_argument("--again", type=Path, help="glances whose hearts are made anew, of the same pictures")
    parser.add_argument("--styles", nargs="+", default=[], help="of the samples' pictures, pair by pair in turn")
    parser.add_argument("--first", type=int, default=0, help="first shard")
    parser.add_argument("--last", type=int, help="shard behind the last one")
    parser.add_argument("--strength", type=float, default=1.0, help="of the domain randomisation, 0 for none")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--whole", type=float, default=0.6, help="share of the pairs that are seen in all six views")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    model, looks = first_look(load_model(options.model, "cpu")), Looks(tuple(options.styles), options.strength, options.seed, options.whole)
    paths = sorted((options.again or options.data).glob("*.npz"))
    for number, path in list(enumerate(paths))[options.first : options.last]:
        drawn = redrawn(model, path, options.out) if options.again else draw_shard(model, Shard(number, path), looks, options.out)
        print(drawn.stem, flush=True)


if __name__ == "__main__":
    main()

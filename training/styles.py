r"""Draw the pictures of stored label slices in the styles of stage 2: the paper's binary and pseudo images, speckle, CycleGAN.

    python -m training.samples --out runs/samples --count 14400 --seed 131 --labels-only
    python -m training.styles --data runs/samples --styles binary pseudo speckle cyclegan --seed 7

Every sample gets its own draws, from ``--seed``, its shard, its place in it and the style alone. The pictures of a style lie beside their
shards in a folder of its name, so that a style can be drawn anew, or added, without drawing hearts again.
"""

from __future__ import annotations

import argparse
import json
import time
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from echo3d.core.structures import BLOOD, TAGS, VALVES
from echo3d.reconstruction.raster import NETWORK_GRID
from echo3d.style.pseudo import draw_pseudo, pseudo_image
from training.samples import speckle_pictures

STYLES = ("binary", "pseudo", "speckle", "cyclegan")
"""Rows of the paper's Table 2, with our simulator before its CycleGAN."""

UNSEEN = ("flat", "textbook")
"""Looks that no network is ever trained with: one grey for each tissue, and the textbook's multiplicative speckle on a square raster."""

NEEDED = ("labels", "polar", "fans", "long_axis")

Sample = dict[str, NDArray]
Pictures = NDArray[np.uint8]
Draw = Callable[[Sample, np.random.Generator], Pictures]


def binary_pictures(sample: Sample, rng: np.random.Generator) -> Pictures:
    """Return (V, H, W) tissue white, all else black, as the paper's first row shows it; nothing is drawn at random."""
    del rng
    return np.where(np.isin(sample["labels"], list(TAGS)), 255, 0).astype(np.uint8)


def pseudo_pictures(sample: Sample, rng: np.random.Generator) -> Pictures:
    """Return (V, H, W) the paper's pseudo images."""
    pairs = zip(sample["labels"], fan_insides(sample["fans"]), strict=True)
    return np.stack([_bytes(pseudo_image(labels, inside, draw_pseudo(rng))) for labels, inside in pairs])


def flat_pictures(sample: Sample, rng: np.random.Generator) -> Pictures:
    """Return (V, H, W) one grey for each kind of tissue, at random for each view, softened, with a little white noise."""
    ranges = np.array([(0.0, 0.55), (0.3, 0.95), (0.0, 0.3), (0.4, 1.0)])
    greys = rng.uniform(ranges[:, 0], ranges[:, 1], (len(sample["labels"]), len(ranges)))
    plain = np.stack([grey[_KINDS[labels]] for grey, labels in zip(greys, sample["labels"], strict=True)])
    soft = ndimage.gaussian_filter(plain, (0, 1.0, 1.0)) + rng.normal(0, 0.04, plain.shape)
    return _bytes(soft * fan_insides(sample["fans"]))


def textbook_pictures(sample: Sample, rng: np.random.Generator) -> Pictures:
    """Return (V, H, W) log-compressed Rayleigh speckle of even tissue, alike in all directions: no beam, no depth, no shadow.

    *Source:* the multiplicative model of fully developed speckle; levels are our choice.
    """
    low, high = np.array([(-16.0, -6.0), (0.0, 0.0), (-28.0, -18.0), (0.0, 6.0)]).T
    levels = rng.uniform(low, high, (len(sample["labels"]), len(low)))
    level = np.stack([db[_KINDS[labels]] for db, labels in zip(levels, sample["labels"], strict=True)])
    grains = [ndimage.gaussian_filter(rng.standard_normal(level.shape), (0, 0.9, 0.9)) for _ in range(2)]
    speckle = np.hypot(*grains) / np.hypot(*grains).std()
    shown = 1 + (20 * np.log10(np.maximum(speckle, 1e-3)) + level - 12) / rng.uniform(45, 65)
    return _bytes(shown.astype(np.float32) * fan_insides(sample["fans"]))


def _kinds() -> NDArray[np.uint8]:
    """Return (256,) kind of tissue of each label: 0 around, 1 wall, 2 blood, 3 valve."""
    kinds = np.zeros(256, np.uint8)
    kinds[list(TAGS)] = 1
    kinds[list(BLOOD)] = 2
    kinds[list(VALVES)] = 3
    return kinds


_KINDS = _kinds()


def fan_insides(fans: NDArray) -> NDArray[np.bool_]:
    """Return (V, H, W) bool which pixels of the network's raster lie within fans (V, 2) of half angle (degrees) and depth (mm)."""
    return np.stack([NETWORK_GRID.inside(float(half_angle), float(depth)) for half_angle, depth in fans])


def drawer(style: str, generator: Path | None = None) -> Draw:
    """Return what draws the pictures (V, H, W) uint8 of one sample in a style.

    Parameters
    ----------
    style : one of ``STYLES`` or ``UNSEEN``
    generator : weights of a CycleGAN instead of the shipped ones
    """
    plain: dict[str, Draw] = {
        "binary": binary_pictures,
        "pseudo": pseudo_pictures,
        "speckle": speckle_pictures,
        "flat": flat_pictures,
        "textbook": textbook_pictures,
    }
    if style in plain:
        return plain[style]
    from echo3d.style.transfer import load_generator

    return partial(_translated, load_generator(generator))


def _translated(network: object, sample: Sample, rng: np.random.Generator) -> Pictures:
    """Return (V, H, W) what a CycleGAN makes of a sample's pseudo images."""
    from echo3d.style.transfer import echo_styled

    pictures = pseudo_pictures(sample, rng).astype(np.float32) / 255
    return _bytes(echo_styled(pictures, fan_insides(sample["fans"]), network))


def _bytes(picture: NDArray[np.float32]) -> Pictures:
    return np.rint(255 * np.clip(picture, 0, 1)).astype(np.uint8)


def style_shard(path: Path, style: str, draw: Draw, seed: int) -> Path:
    """Write the pictures (S, V, H, W) of one shard, whole or not at all; return where."""
    target = path.parent / style / path.name
    if target.is_file():
        return target
    target.parent.mkdir(exist_ok=True)
    with np.load(path, allow_pickle=False) as data:
        shard = {key: data[key] for key in NEEDED}
    place = zlib.crc32(path.stem.encode())
    rows = range(len(shard["labels"]))
    rngs = [np.random.default_rng((seed, place, (*STYLES, *UNSEEN).index(style), row)) for row in rows]
    echo = np.stack([draw({key: value[row] for key, value in shard.items()}, rng) for row, rng in zip(rows, rngs, strict=True)])
    partial_file = target.with_suffix(".partial")
    with partial_file.open("wb") as stream:
        np.savez(stream, echo=echo)
    partial_file.rename(target)
    return target


def main() -> None:
    """Draw what is missing of every style asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="shards of training.samples --labels-only")
    parser.add_argument("--styles", nargs="+", choices=(*STYLES, *UNSEEN), default=list(STYLES))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--limit", type=int, default=10_000, help="most shards")
    parser.add_argument("--generator", type=Path, help="weights of a CycleGAN instead of the shipped ones")
    parser.add_argument("--shard", default="0/1")
    options = parser.parse_args()
    torch.set_num_threads(1)
    part, parts = map(int, options.shard.split("/"))
    paths = sorted(options.data.glob("*.npz"))[: options.limit]
    for style in options.styles:
        draw, start = drawer(style, options.generator), time.monotonic()
        for path in paths[part::parts]:
            style_shard(path, style, draw, options.seed)
        print(json.dumps({"style": style, "shards": len(paths[part::parts]), "seconds": round(time.monotonic() - start, 1)}), flush=True)


if __name__ == "__main__":
    main()

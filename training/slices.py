"""Draw label slices without pictures: many more hearts, and many hands a heart, than speckle could be simulated for.

python -m training.slices --out runs/slices --hearts 7550 --seed 77 --shard 0/2
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

from echo3d.anatomy.cohort import Heart, sound_heart
from echo3d.anatomy.material import load_material
from echo3d.anatomy.template import load_template
from echo3d.core.pose import rigid_between
from echo3d.core.sector import PictureGrid, Sector
from echo3d.core.structures import CHAMBER_KEYS
from echo3d.core.views import View
from echo3d.reconstruction.classes import class_table
from training.samples import Arrays, TorchLabels, draw_fans, invert, moved_sector

RASTER = PictureGrid(56, 56, 3.2)
"""Half the network's raster; four by four of its pixels make a cell of a structure map."""

PER_SHARD = 50
HANDS = 8
TABLE = class_table()


def class_slices(labels: TorchLabels, fans: dict[View, Sector]) -> np.ndarray:
    """Return the class (V, 56, 56) uint8 of each pixel that the fans see."""
    plane = RASTER.plane_mm()
    return np.stack([np.where(RASTER.inside(f.half_angle, f.depth), TABLE[labels.look_up(f.world(plane))], 0) for f in fans.values()])


def heart_slices(seed: tuple[int, ...], hands: int = HANDS) -> list[Arrays]:
    """Return both phases of one drawn heart, each seen by the same ``hands`` hands."""
    rng = np.random.default_rng(seed)
    return slices_of(sound_heart(rng), rng, hands)


def slices_of(heart: Heart, rng: np.random.Generator, hands: int = HANDS) -> list[Arrays]:
    """Return both phases of a heart, each seen by the same ``hands`` hands."""
    material, template = load_material(), load_template()
    fans = [draw_fans(heart, rng) for _ in range(hands)]
    phases = []
    for x in (heart.ed, heart.es):
        seen, points = invert(x), x[: material.count]
        rotation, shift = rigid_between(points, template.points)
        volumes = template.volumes_ml(points)
        phases.append(
            {
                "labels": np.stack([class_slices(seen, fan) for fan in fans]).astype(np.uint8),
                "field": (points @ rotation.T + shift - template.points).astype(np.float16),
                "volumes": np.array([volumes[key] for key in CHAMBER_KEYS], dtype=np.float32),
                "law": np.array(heart.record.beat.family),
                "group": np.array(heart.record.group),
                "sectors": np.stack([[moved_sector(f, rotation, shift) for f in fan.values()] for fan in fans]),
            }
        )
    return phases


def main() -> None:
    """Write shards until ``--hearts`` hearts exist in this shard's share."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--hearts", type=int, default=7550)
    parser.add_argument("--seed", type=int, default=77)
    parser.add_argument("--shard", default="0/1")
    options = parser.parse_args()
    torch.set_num_threads(1)
    part, parts = map(int, options.shard.split("/"))
    options.out.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    for block in range(part, -(-options.hearts // PER_SHARD), parts):
        path = options.out / f"{options.seed:04d}_{block:05d}.npz"
        if path.exists():
            continue
        rows = [row for k in range(PER_SHARD) for row in heart_slices((options.seed, block, k))]
        with path.with_suffix(".partial").open("wb") as stream:
            np.savez(stream, **{key: np.stack([row[key] for row in rows]) for key in rows[0]})  # type: ignore[arg-type]
        path.with_suffix(".partial").rename(path)
        print(json.dumps({"shard": path.stem, "seconds": round(time.monotonic() - start, 1)}), flush=True)


if __name__ == "__main__":
    main()

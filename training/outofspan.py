"""The three shared hearts that stay out of everything trained, at end-diastole and contracted, as samples.

python -m training.outofspan --data ../shared/data/hearts/rodero_ssm --out runs/outofspan
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from echo3d.anatomy.beat import draw_beat
from echo3d.anatomy.cohort import Heart, HeartRecord
from echo3d.anatomy.material import load_material
from echo3d.anatomy.shape import aligned
from echo3d.anatomy.solve import heart_at
from training.samples import Arrays, draw_fans, invert, phase_sample, write_shard
from training.template import HELD_OUT, heart_flow

FRACTIONS = (0.30, 0.40, 0.50, 0.55, 0.60, 0.65)
"""Ejection fractions to which each heart is contracted."""


def held_out_heart(data: Path, number: int) -> NDArray[np.float64]:
    """Return all material positions (M, 3) of a held-out heart at end-diastole, aligned rigidly to the template."""
    material = load_material()
    return aligned(material, heart_flow(data, number, material.rest))


def samples_of(ed: NDArray, rng: np.random.Generator) -> list[Arrays]:
    """Return samples of one heart, ED and ES in turn, a hand and a beat per ejection fraction."""
    samples: list[Arrays] = []
    for fraction in FRACTIONS:
        beat = draw_beat(rng, fraction)
        es = heart_at(ed, beat)
        fans = draw_fans(Heart(HeartRecord(beat=beat), ed, es), rng)
        samples += [phase_sample(x, invert(x), fans, rng) for x in (ed, es)]
    return samples


def main() -> None:
    """Write one shard with all held-out hearts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    samples: list[Arrays] = []
    for number in HELD_OUT:
        samples += samples_of(held_out_heart(options.data, number), np.random.default_rng((options.seed, number)))
    write_shard(options.out, "outofspan", samples, [{"heart": number} for number in HELD_OUT])


if __name__ == "__main__":
    main()

"""What a reader sees in translated pictures: as much as in speckle, and more than in the pseudo images they were made of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from echo3d.style.transfer import echo_styled, load_generator
from training.domains import pseudo_of
from training.judge import load_reader
from training.samples import heart_samples, write_shard
from training.stylecontent import all_slices, figures


def test_translation_keeps_the_heart(tmp_path: Path) -> None:
    """Four hearts that nothing was learned from; the area of the left ventricle stays within 5 % on average."""
    drawn = [heart_samples((77, number), probes=1, labels_only=True)[0] for number in range(4)]
    write_shard(tmp_path, "0", [one for samples in drawn for one in samples], [{}] * 4)
    slices = all_slices(tmp_path, 100)
    assert len(slices) > 40
    x = pseudo_of(slices, np.arange(len(slices)), np.random.default_rng(1))
    made = echo_styled(x.pictures[:, 0].numpy(), x.inside[:, 0].numpy() > 0, load_generator())
    reader = load_reader("cpu")
    pictures = torch.from_numpy(made)[:, None]
    translated, swapped = (figures(reader, seen, x) for seen in (pictures, pictures.roll(6, dims=0)))
    assert translated["pictures"] > 30 and abs(translated["lv_ratio"] - 1) < 0.05
    assert translated["lv_change_pc"] < 0.5 * swapped["lv_change_pc"] and translated["places"] < 0.5 * swapped["places"]

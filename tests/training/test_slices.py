"""Label slices: the same seed gives them again, and they are the pictures' labels on half the raster."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from training.data import cell_counts
from training.encoder import shares
from training.slices import heart_slices


@pytest.fixture(scope="module")
def phases() -> list[dict[str, np.ndarray]]:
    return heart_slices((9, 2), hands=2)


def test_a_seed_gives_its_slices_again(phases: list[dict[str, np.ndarray]]) -> None:
    again = heart_slices((9, 2), hands=2)
    assert all(np.array_equal(a[key], b[key]) for a, b in zip(phases, again, strict=True) for key in a)


def test_both_phases_are_seen_by_the_same_hands(phases: list[dict[str, np.ndarray]]) -> None:
    ed, es = phases
    assert ed["labels"].shape == (2, 6, 56, 56)
    assert es["volumes"][0] < ed["volumes"][0]
    assert (es["labels"] == 4).sum() < (ed["labels"] == 4).sum()
    assert np.abs(es["sectors"] - ed["sectors"])[..., 3:].max() < 0.2  # the frames of the two phases differ by a small turn


def test_cells_count_their_pixels() -> None:
    classes = np.zeros((1, 1, 6, 56, 56), dtype=np.uint8)
    classes[0, 0, 2, :4, 4:6] = 4
    counts = cell_counts(classes).reshape(6, 8, 14, 14)
    assert counts[2, 3, 0, 1] == 8
    assert counts.sum() == 8


def test_shares_of_a_cell_add_up_to_one() -> None:
    labels = torch.randint(0, 107, (3, 112, 112), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    found = shares(labels)
    assert torch.allclose(found.sum(dim=1), torch.ones(3, 28, 28))
    assert found[1, 4, 2, 3] == (labels[1, 8:12, 12:16] == 101).float().mean()

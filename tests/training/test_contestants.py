"""Contestants: what guesses must say exactly, and networks that answer the same through the seam as by themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from echo3d.anatomy.template import load_template
from echo3d.core.pose import rotation_matrix
from echo3d.core.views import View
from echo3d.errors import InputError, ModelError
from training.contestants import (
    Answers,
    Contestant,
    Samples,
    answered,
    guesses,
    open_contestant,
    print_of,
    similar,
    swapped,
    true_points,
)
from training.evaluate import answers
from training.groups import shipped
from training.heartmeasures import QUANTITIES
from training.kept import Kept
from training.samples import heart_samples


@pytest.fixture(scope="module")
def samples() -> Samples:
    """Return two drawn patients with speckle pictures."""
    drawn = [sample for seed in (3, 4) for sample in heart_samples((5, seed), probes=1)[0]]
    return {key: torch.from_numpy(np.stack([sample[key] for sample in drawn])) for key in drawn[0]}


def guess(name: str, truth: torch.Tensor) -> torch.Tensor:
    made = next(one for one in guesses() if one.name == name).guess
    assert made is not None
    return made(truth)


def test_similarity_finds_the_transform_that_was_applied() -> None:
    points = torch.from_numpy(np.array(load_template().points)).float()
    turn = torch.from_numpy(rotation_matrix(np.array([20.0, -35.0, 100.0]))).float()
    moved = 1.3 * points @ turn.T + torch.tensor([5.0, -7.0, 2.0])
    assert torch.allclose(similar(moved[None])[0], moved, atol=2e-3)
    mirrored = points * torch.tensor([-1.0, 1, 1])
    assert (similar(mirrored[None])[0] - mirrored).norm(dim=1).mean() > 10, "a mirror image is no turn"


def test_guesses_keep_to_their_words(samples: Samples) -> None:
    truth = true_points(samples)
    rest = torch.from_numpy(np.array(load_template().points)).float()
    assert torch.equal(guess("template", truth)[3], rest)
    assert torch.equal(guess("stranger", truth), truth[[2, 3, 0, 1]]), "of two patients each gets the other's, phase by phase"
    noise = guess("noise", truth)
    assert (noise.amin(dim=(0, 1)) >= truth.amin(dim=(0, 1))).all() and (noise.amax(dim=(0, 1)) <= truth.amax(dim=(0, 1))).all()
    span = truth.amax(dim=(0, 1)) - truth.amin(dim=(0, 1))
    assert torch.allclose(noise.std(dim=(0, 1)), span / 12**0.5, rtol=0.02)


def test_shipped_weights_answer_as_ever(samples: Samples) -> None:
    contestant, views = open_contestant("lean"), (View.A4C, View.A2C)
    said, direct = answered(contestant, samples, views), answers(shipped("lean"), samples, views)
    assert said.points is not None and said.planes is not None and said.trust is not None
    assert torch.allclose(said.points, direct["points"], atol=1e-3)
    assert torch.allclose(said.trust, direct["trust"], atol=1e-3)
    beams = (said.planes[..., 3:6] * direct["planes"][..., 3:6]).sum(dim=-1)
    assert (beams[:, :2] > 0.9).all(), "planes are another network's where that is installed, and much the same"
    assert contestant.parameters > 1e6 and set(contestant.bounds["6"]) == set(QUANTITIES)
    other = answered(swapped(contestant), samples, views)
    assert other.points is not None and torch.allclose(other.points, said.points[[2, 3, 0, 1]], atol=1e-3)


def test_what_is_no_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        open_contestant("no-such-weights")
    with pytest.raises(InputError, match="found neither"):
        open_contestant(str(tmp_path))
    with pytest.raises(InputError, match="another heart's pictures"):
        swapped(guesses()[0])


def test_a_kept_contestant_is_asked_once(tmp_path: Path) -> None:
    asked = 0

    def read(pictures: torch.Tensor, present: torch.Tensor) -> Answers:
        nonlocal asked
        asked += 1
        return Answers(pictures.sum(dim=(2, 3, 4)), None, None, present.float())

    one = Contestant("one", "network", read)
    pictures, present = torch.rand(2, 6, 2, 8, 8), torch.ones(2, 6, dtype=torch.bool)
    for _ in range(2):
        kept = Kept(tmp_path).contestant(one)
        assert kept.read is not None
        answer = kept.read(pictures, present)
        assert torch.equal(answer.points, pictures.sum(dim=(2, 3, 4))) and answer.voxels is None
    assert asked == 1
    assert kept.read is not None
    assert kept.read(pictures, ~present).trust.sum() == 0
    assert asked == 2, "another question"
    guess = Contestant("guess", "guess", guess=lambda truth: truth)
    assert Kept(tmp_path).contestant(guess) is guess
    measured = [Kept(tmp_path).figures("cost", lambda: {"latency_ms": 7.25}), Kept(tmp_path).figures("cost", dict)]
    assert measured == [{"latency_ms": 7.25}] * 2


def test_numbers_of_networks_are_told_apart(tmp_path: Path) -> None:
    assert len({print_of(name) for name in ("accurate", "lean")}) == 2
    (tmp_path / "network.pt").write_bytes(b"one")
    before = print_of(str(tmp_path))
    (tmp_path / "network.pt").write_bytes(b"two")
    assert print_of(str(tmp_path)) != before

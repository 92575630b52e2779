"""Correction and trust of refined answers: the same however many processes share the work, and they do what they are for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from echo3d.reconstruction.reconstruct import load_model
from echo3d.reconstruction.s2mnet import VIEWS
from training.augment import spoiled
from training.basis import coefficients, fields_at_points
from training.evaluate import load_all
from training.refinement import Lesson, refined_pairs, subsets, with_correction
from training.samples import heart_samples, write_shard
from training.styles import drawer, style_shard


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Lesson:
    """What is learned from one heart through two probes."""
    out = tmp_path_factory.mktemp("lesson")
    drawn, record = heart_samples((9, 1), probes=2, labels_only=True)
    write_shard(out, "0009_00001", drawn, [record])
    style_shard(Path(out / "0009_00001.npz"), "speckle", drawer("speckle"), 1)
    model = load_model("accurate", "cpu")
    assert model.refiner is not None
    bare = replace(model, refiner=replace(model.refiner, correction={}, trust={}))
    return Lesson(bare, load_all(out, ("speckle",)), refined=4, trusted=2)


def test_two_processes_learn_what_one_does(lesson: Lesson) -> None:
    one, two = lesson.by_all(1, (2, 1)), lesson.by_all(2, (2, 1))
    assert sorted(one) == sorted(two) == ["correction.1", "correction.2", "trust.1", "trust.2"]
    assert all(torch.equal(one[key], two[key]) for key in one)


def test_a_correction_takes_what_is_usual_away(lesson: Lesson) -> None:
    made = lesson(VIEWS)
    samples = {key: lesson.samples[key] for key in ("echo", "fans")}
    every = subsets(2, VIEWS, 0)
    _, plain = refined_pairs(lesson.model, samples, every)
    _, better = refined_pairs(with_correction(lesson.model, made), samples, every)

    truth = coefficients(lesson.samples["field"], fields_at_points(lesson.model.network))
    assert (better - truth).norm() < (plain - truth).norm()


def test_spoiled_pictures_are_other_views_of_their_own_heart_too() -> None:
    torch.manual_seed(0)
    pictures = torch.arange(8.0)[:, None] + 0.1 * torch.arange(VIEWS)
    pictures = pictures[..., None, None, None].expand(-1, -1, 2, 8, 8)
    wrong, bad = spoiled(pictures, torch.rand(2, 8, 8), 1.0, (1.0, 1.0, 1.0))
    same = (wrong[:, 0, 0, 0, 0] - torch.arange(8.0)).abs() < 0.6
    assert bad.all() and 0 < same.sum() < 8
    assert not torch.isclose(wrong, pictures).any()

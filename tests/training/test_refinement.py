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
from training.correction import HEEDED, spared, volume_slopes
from training.evaluate import cavity_faces, load_all
from training.losses import volumes_ml
from training.refinement import Lesson, refined_pairs, with_correction
from training.samples import heart_samples, write_shard
from training.styles import drawer, style_shard
from training.trustsigns import subsets


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


def test_a_spared_correction_does_to_volumes_what_is_heeded_and_no_more(lesson: Lesson) -> None:
    network = lesson.model.network
    fields = fields_at_points(network)
    generator = torch.Generator().manual_seed(2)
    hearts = 0.5 * coefficients(lesson.samples["field"], fields)
    errors = 0.3 * torch.randn(600, hearts.shape[1], generator=generator)
    slopes = volume_slopes(network.template, fields, hearts)
    moves = 0.01 * torch.randn(50, hearts.shape[1], generator=generator)
    kept = spared(moves, errors, slopes)
    assert torch.allclose(kept @ slopes, HEEDED * (moves @ slopes), atol=1e-5)
    assert float(kept.norm() / moves.norm()) > 0.9, "all but eight directions of two hundred stay as they are"
    faces = cavity_faces()

    def volumes(heart: torch.Tensor) -> torch.Tensor:
        return volumes_ml(network.template + (heart @ fields[:-1] + fields[-1]).view(len(heart), -1, 3), faces).log()

    told = moves[:1] @ volume_slopes(network.template, fields, hearts[:2])[:, :4]
    assert torch.allclose(volumes(hearts[:1] + moves[:1]) - volumes(hearts[:1]), told, atol=2e-3)


def test_spoiled_pictures_are_other_views_of_their_own_heart_too() -> None:
    torch.manual_seed(0)
    pictures = torch.arange(8.0)[:, None] + 0.1 * torch.arange(VIEWS)
    pictures = pictures[..., None, None, None].expand(-1, -1, 2, 8, 8)
    wrong, bad = spoiled(pictures, torch.rand(2, 8, 8), 1.0, (1.0, 1.0, 1.0))
    same = (wrong[:, 0, 0, 0, 0] - torch.arange(8.0)).abs() < 0.6
    assert bad.all() and 0 < same.sum() < 8
    assert not torch.isclose(wrong, pictures).any()

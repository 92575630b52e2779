"""Losses and distances with exact answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from echo3d.anatomy.template import load_template
from training.distance import one_way, surface_distance
from training.evaluate import cavity_faces
from training.losses import Enclosed, Measures, distances, measures, volumes_ml, volumes_of


def test_torch_volumes_equal_the_template_s_own() -> None:
    template = load_template()
    points = torch.from_numpy(np.array(template.points)).float()[None] * 1.1
    assert volumes_ml(points, cavity_faces())[0].tolist() == pytest.approx(
        list(template.volumes_ml(template.points * 1.1).values()), rel=1e-4
    )


def test_the_volume_s_gradient_is_that_of_its_formula() -> None:
    torch.manual_seed(0)
    points = torch.randn(4, 3, 2, dtype=torch.float64, requires_grad=True)
    faces = torch.tensor([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    assert torch.autograd.gradcheck(lambda p: Enclosed.apply(p, faces), (points,))


@pytest.fixture(scope="module")
def swollen() -> Measures:
    """Constants for one principal field that swells the template by a tenth about the origin."""
    template = load_template()
    points = torch.from_numpy(np.array(template.points)).float()
    return measures(torch.stack([0.1 * points.flatten(), torch.zeros(points.numel())]))


def test_volumes_of_coefficients_are_those_of_the_hearts(swollen: Measures) -> None:
    template = load_template()
    found = volumes_of(torch.tensor([[0.0], [2.0]]), swollen)
    assert found[0].tolist() == pytest.approx(list(template.volumes_ml(template.points).values()), rel=1e-4)
    assert (found[1] / found[0]).tolist() == pytest.approx([1.2**3] * 4, rel=1e-4)


def test_distance_of_coefficients_is_that_of_the_points(swollen: Measures) -> None:
    template = load_template()
    weight = np.where(template.aha > 0, 1.6, 1.0)
    wanted = 0.3 * np.sqrt((weight / weight.sum() * (template.points**2).sum(axis=1)).sum())
    assert float(distances(torch.tensor([[3.0]]), swollen.gram)) == pytest.approx(float(wanted), rel=1e-4)


def test_a_shifted_plane_lies_at_its_shift() -> None:
    axis = np.arange(0.0, 40.0, 4.0)
    x, y = np.meshgrid(axis, axis, indexing="ij")
    points = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1)
    index = np.arange(x.size).reshape(x.shape)
    a, b, c, d = (part.ravel() for part in (index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]))
    faces = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])
    assert np.allclose(one_way(points + np.array([0.7, 0.3, 2.5]), points, faces)[:50], 2.5, atol=0.2)
    assert surface_distance(points, points, faces, np.random.default_rng(0)) == pytest.approx(0.0, abs=1e-9)

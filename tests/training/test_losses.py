"""Losses and distances with exact answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from echo3d.anatomy.template import load_template
from training.distance import one_way, surface_distance
from training.evaluate import cavity_faces
from training.losses import volumes_ml


def test_torch_volumes_equal_the_template_s_own() -> None:
    template = load_template()
    points = torch.from_numpy(np.array(template.points)).float()[None] * 1.1
    assert volumes_ml(points, cavity_faces())[0].tolist() == pytest.approx(
        list(template.volumes_ml(template.points * 1.1).values()), rel=1e-4
    )


def test_a_shifted_plane_lies_at_its_shift() -> None:
    axis = np.arange(0.0, 40.0, 4.0)
    x, y = np.meshgrid(axis, axis, indexing="ij")
    points = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1)
    index = np.arange(x.size).reshape(x.shape)
    a, b, c, d = (part.ravel() for part in (index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]))
    faces = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])
    assert np.allclose(one_way(points + np.array([0.7, 0.3, 2.5]), points, faces)[:50], 2.5, atol=0.2)
    assert surface_distance(points, points, faces, np.random.default_rng(0)) == pytest.approx(0.0, abs=1e-9)

"""Registered labels: only labels differ between the two kinds, and they fit the pictures they come with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import cKDTree

from echo3d.anatomy.template import load_template
from echo3d.core.structures import TAGS
from echo3d.registration.cloud import surface_cloud
from echo3d.registration.parts import template_parts
from training.data import Shards, slice_bank
from training.labels import KINDS, assemble, one_heart, turned_target


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("labels")
    (out / "hearts").mkdir()
    one_heart(out, (7, 0), 1, 1)
    assert assemble(out, [out / "hearts" / "0007_00000.npz"]) == 0
    return out


def test_only_labels_differ(made: Path) -> None:
    exact, other = (np.load(made / kind / "samples" / "00000.npz") for kind in KINDS)
    for key in ("echo", "labels", "fans", "records"):
        assert np.array_equal(exact[key], other[key])
    gap = np.linalg.norm(exact["field"].astype(float) - other["field"], axis=2).mean(axis=1)
    assert (gap > 0.05).all()
    assert (gap < 1.2).all()
    assert np.abs(other["volumes"] / exact["volumes"] - 1).max() < 0.02


def test_fans_stay_where_they_see_the_registered_heart(made: Path) -> None:
    exact, other = (np.load(made / kind / "slices" / "00000.npz")["sectors"] for kind in KINDS)
    assert not np.array_equal(exact, other)
    assert np.abs(exact[..., :3] - other[..., :3]).max() < 3.0
    assert np.abs(exact[..., 3:] - other[..., 3:]).max() < 0.03
    assert np.allclose(np.linalg.norm(other[..., 3:6], axis=-1), 1, atol=1e-5)


def test_training_reads_both_kinds(made: Path) -> None:
    for kind in KINDS:
        assert len(slice_bank(made / kind / "slices").field) == 2
        shards = Shards(made / kind / "samples")
        assert shards.refresh() == 2


def test_the_heart_of_a_file_is_not_drawn_again(made: Path) -> None:
    path = made / "hearts" / "0007_00000.npz"
    before = path.stat().st_mtime_ns
    assert len(one_heart(made, (7, 0), 1, 1)["error_mm"]) == 2
    assert path.stat().st_mtime_ns == before


def test_another_mesh_of_a_heart_is_the_same_surface_with_other_points() -> None:
    points = load_template().points
    turned, target = turned_target(points, np.random.default_rng(1))
    assert np.allclose(np.linalg.norm(turned - turned[0], axis=1), np.linalg.norm(points - points[0], axis=1))
    assert len(target.faces) == len(target.tags)
    assert len(target.points) > 40_000
    assert cKDTree(turned).query(target.points)[0].min() > 1e-3
    faces, tags = template_parts(load_template(), [int(tag) for tag in TAGS])
    area, own = surface_cloud(target.points, target.faces, target.tags).weights.sum(), surface_cloud(points, faces, tags).weights.sum()
    assert 0.95 < area / own < 1

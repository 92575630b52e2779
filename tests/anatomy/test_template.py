"""The shipped template: closed chambers, true volumes, 24 tags, sensible landmarks and segments."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from echo3d.anatomy.template import load_label_volume, load_template
from echo3d.core.mesh import LANDMARKS, enclosed_ml, region_faces
from echo3d.core.structures import CHAMBER_KEYS, Structure
from echo3d.paths import resource


def unmatched_edges(faces: np.ndarray) -> int:
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    count = Counter(map(tuple, edges.tolist()))
    return sum(abs(n - count.get((b, a), 0)) for (a, b), n in count.items())


@pytest.mark.parametrize("structure", [s for s in Structure if s])
def test_every_structure_is_closed(structure: Structure) -> None:
    template = load_template()
    faces = region_faces(template.mesh.faces, template.sides, structure)
    assert len(faces) > 20
    assert unmatched_edges(faces) == 0


@pytest.mark.parametrize("key", list(CHAMBER_KEYS))
def test_divergence_theorem_agrees_with_the_voxel_count(key: str) -> None:
    template, volume = load_template(), load_label_volume()
    counted = float((volume.labels == CHAMBER_KEYS[key]).sum()) * volume.voxel_ml
    assert template.volumes_ml(template.points)[key] == pytest.approx(counted, rel=0.01)
    assert enclosed_ml(template.points, template.cavities[key]) > 0


def test_it_has_ten_thousand_points_and_all_landmarks() -> None:
    template = load_template()
    assert 9_000 < len(template.points) < 11_500
    assert set(template.landmarks) == set(LANDMARKS)
    assert set(range(1, 25)) <= set(np.unique(template.mesh.labels).tolist())


def test_the_apex_lies_left_front_and_low() -> None:
    template = load_template()
    way = template.landmark(template.points, "lv_apex_epi") - template.landmark(template.points, "heart")
    assert way[0] > 0 and way[1] < 0 and way[2] < 0
    assert template.landmark(template.points, "la")[1] > template.landmark(template.points, "rv")[1]


def test_all_seventeen_segments_lie_on_the_left_ventricle() -> None:
    template = load_template()
    assert np.unique(template.aha).tolist() == list(range(18))
    faces = template.mesh.faces[(template.sides == Structure.LV_MYOCARDIUM).any(axis=1)]
    assert set(np.flatnonzero(template.aha)) <= set(np.unique(faces))
    centres = {n: template.points[template.aha == n].mean(axis=0) for n in (2, 5)}
    rv = template.landmark(template.points, "rv")
    assert np.linalg.norm(centres[2] - rv) < np.linalg.norm(centres[5] - rv)


def test_held_out_hearts_are_not_in_the_modes() -> None:
    card = json.loads(resource("template/card.json").read_text())
    assert not {5, 10, 16} & set(card["hearts_in_modes"])


@pytest.mark.slow
def test_it_lies_on_the_source_mean(shared: Path) -> None:
    import pyvista as pv

    from training.distance import one_way

    source = pv.read(shared / "data/hearts/rodero_ssm/template_24parts.vtp")
    triangles = source.faces.reshape(-1, 4)[:, 1:]
    template = load_template()
    tissue = ((template.sides > 0) & (template.sides < 100)).any(axis=1) & ~(template.sides > 100).all(axis=1)
    points = template.points[np.unique(template.mesh.faces[tissue])]
    there = one_way(points, np.asarray(source.points, dtype=float), triangles).mean()
    some = np.random.default_rng(0).choice(len(source.points), 5000, replace=False)
    back = one_way(np.asarray(source.points, dtype=float)[some], template.points, template.mesh.faces).mean()
    assert (there + back) / 2 <= 0.7

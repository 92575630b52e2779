"""Lids close what was open, with normals that leave the part, and touch nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from echo3d.anatomy.template import load_template
from echo3d.core.structures import Structure
from echo3d.registration.parts import part_faces
from echo3d.registration.rims import closed_parts, outward, rims


def volume(points: np.ndarray, faces: np.ndarray) -> float:
    a, b, c = (points[faces[:, k]] for k in range(3))
    return float(np.einsum("fi,fi->f", a, np.cross(b, c)).sum()) / 6000


@pytest.fixture
def opened() -> tuple[np.ndarray, np.ndarray, float]:
    """The template's LV blood without what it has above a plane through its base, and the volume that is left below the plane."""
    template = load_template()
    points, faces = template.mesh.points, part_faces(template, Structure.LV_CAVITY)
    apex, mitral = (template.points[template.landmarks[name]] for name in ("lv_apex_endo", "mitral"))
    height = (points - mitral) @ (apex - mitral) / np.linalg.norm(apex - mitral)
    return points, faces[(height[faces] > 8).all(axis=1)], volume(points, faces)


def test_a_chamber_cut_open_is_closed_again(opened: tuple[np.ndarray, np.ndarray, float]) -> None:
    points, faces, whole = opened
    assert len(rims(points, faces)) == 1
    tags = np.full(len(faces), 101, np.uint8)
    more, lidded, labels, found = closed_parts(points, faces, tags, (101, 102))
    assert found == (101,)
    assert not rims(more, lidded)
    assert (labels == 101).all()
    assert 0.5 * whole < volume(more, lidded) < whole
    assert volume(more, lidded) == pytest.approx(volume(more + 500.0, lidded), rel=1e-6)  # true of closed surfaces alone


def test_other_parts_and_closed_ones_stay(opened: tuple[np.ndarray, np.ndarray, float]) -> None:
    points, faces, _ = opened
    tags = np.full(len(faces), 201, np.uint8)
    more, lidded, labels, found = closed_parts(points, faces, tags, (101, 102))
    assert found == ()
    assert more is points
    assert lidded is faces
    assert labels is tags
    template = load_template()
    whole = part_faces(template, Structure.LV_CAVITY)
    assert closed_parts(points, whole, np.full(len(whole), 101), (101,))[3] == ()


def test_a_wall_that_is_missing_gets_no_lid() -> None:
    template = load_template()
    septum = (np.sort(template.sides, axis=1) == [Structure.LV_MYOCARDIUM, Structure.RV_CAVITY]).all(axis=1)
    whole = part_faces(template, Structure.RV_CAVITY)
    gone = {tuple(sorted(face)) for face in template.mesh.faces[septum].tolist()}
    free = whole[[tuple(sorted(face)) not in gone for face in whole.tolist()]]
    points = template.mesh.points
    widest = max(rims(points, free), key=len)
    left = rims(*closed_parts(points, free, np.full(len(free), 102), (102,))[:2])
    assert any(set(widest.tolist()) == set(rim.tolist()) for rim in left)


def test_parts_inside_out_are_turned(opened: tuple[np.ndarray, np.ndarray, float]) -> None:
    points, faces, _ = opened
    tags = np.full(len(faces), 101)
    assert np.array_equal(outward(points, faces[:, ::-1], tags), faces)
    assert np.array_equal(outward(points, faces, tags), faces)


def test_points_written_twice_are_no_opening() -> None:
    template = load_template()
    whole = part_faces(template, Structure.LV_CAVITY)
    loose = template.mesh.points[whole].reshape(-1, 3)
    assert not rims(loose, np.arange(len(loose)).reshape(-1, 3))

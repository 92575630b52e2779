"""Soundness: every check passes the template and finds the damage it is there for."""

from __future__ import annotations

import numpy as np
import pytest

from echo3d.anatomy.beat import BeatDraw
from echo3d.anatomy.contours import region_volumes
from echo3d.anatomy.material import load_material
from echo3d.anatomy.record import HeartRecord
from echo3d.anatomy.solve import heart_at
from echo3d.anatomy.sound import chambers_closed, coarse_tetrahedra, folded_edges, form_faults, inverted_tetrahedra, systolic_faults
from echo3d.anatomy.template import load_template
from echo3d.anatomy.winding import REGIONS, overlaps_ml, winding
from echo3d.core.structures import CHAMBERS, Structure


def faults(x: np.ndarray) -> list[str]:
    return form_faults(x, region_volumes(x))


def test_the_template_is_sound_and_its_mirror_image_is_not() -> None:
    rest = load_material().rest
    assert faults(rest) == [] and chambers_closed()
    mirrored = rest * np.array([-1.0, 1.0, 1.0])
    assert inverted_tetrahedra(mirrored) == len(coarse_tetrahedra())
    assert {"fold", "part inside out", "walls cross"} <= set(faults(mirrored))


def test_winding_counts_the_blood_as_the_divergence_theorem_does() -> None:
    points = load_template().points
    numbers, volumes = winding(points, 2.0), region_volumes(points)
    for k, region in enumerate(REGIONS[: len(CHAMBERS)]):
        assert set(np.unique(numbers[k]).tolist()) == {0, 1}
        assert numbers[k].sum() * 0.008 == pytest.approx(volumes[region], rel=0.01)


def test_a_wall_pushed_through_the_cavity_is_found() -> None:
    x = load_material().rest.copy()
    lv = load_template().landmark(x, "lv")
    square = ((x - lv - np.array([25.0, 0, 0])) ** 2).sum(axis=1)
    x[:, 0] -= 75.0 * np.exp(-square / (2 * 12.0**2))
    assert "walls cross" in faults(x)
    assert overlaps_ml(x)["walls"] > 1


def test_two_chambers_in_one_place_are_found() -> None:
    template = load_template()
    points = template.points.copy()
    only = np.unique(template.cavities["ra"])
    points[only] += template.landmark(points, "lv") - template.landmark(points, "ra")
    found = overlaps_ml(points)
    assert found["chambers"] > 20 and found["parts"] > 0.1


def test_a_point_pushed_across_its_neighbours_is_found() -> None:
    x, template = load_material().rest.copy(), load_template()
    assert folded_edges(x) == 0
    faces = template.mesh.faces[(template.sides == Structure.LV_MYOCARDIUM).all(axis=1) | (template.sides == [1, 101]).all(axis=1)]
    a, b, c = faces[len(faces) // 2]
    x[a] += 2.2 * ((x[b] + x[c]) / 2 - x[a])
    assert folded_edges(x) > 0


def test_a_part_turned_inside_out_is_found() -> None:
    template, x = load_template(), load_material().rest.copy()
    ring = np.unique(template.mesh.faces[(template.sides == Structure.LA_APPENDAGE).any(axis=1)])
    centre = x[ring].mean(axis=0)
    x[ring] = centre - (x[ring] - centre)
    assert "part inside out" in faults(x) or "wall flipped" in faults(x)


def test_a_base_that_stays_is_found() -> None:
    ed = load_material().rest
    record = HeartRecord(goals=None, beat=BeatDraw(ef=0.6))
    assert "base hardly moves" in systolic_faults(record, ed, ed)
    assert "base hardly moves" not in systolic_faults(record, ed, heart_at(ed, record.beat))

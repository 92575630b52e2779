"""Our own body: closed parts, the measures it was asked for, everything in its place."""

from __future__ import annotations

import json
from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray

from echo3d.anatomy import thorax
from echo3d.anatomy.placement import placed_points
from echo3d.anatomy.proportions import TorsoRecord, build_of, chest_waist_hip, record_from_json, record_to_json
from echo3d.anatomy.section import section
from echo3d.anatomy.template import load_template
from echo3d.anatomy.torso import Torso, body_at, build_torso
from echo3d.core.body import LUNGS, BodyPart, part_surface
from echo3d.core.mesh import enclosed_ml, structure_points
from echo3d.core.structures import Structure
from echo3d.errors import InputError

PEOPLE = [
    (175.6, 78.5, "m"),
    (163.0, 62.0, "f"),
    (190.0, 120.0, "m"),
    (150.0, 42.0, "f"),
    (165.0, 95.0, "f"),
    (185.0, 62.0, "m"),
]


@lru_cache(maxsize=8)
def person(height: float = 175.6, weight: float = 78.5, sex: str = "m") -> Torso:
    return body_at(height, weight, sex)


def open_edges(faces: NDArray) -> int:
    """Return how many edges are not used once each way."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).astype(np.int64)
    size = int(faces.max()) + 1
    forth, back = edges[:, 0] * size + edges[:, 1], edges[:, 1] * size + edges[:, 0]
    return len(np.setxor1d(forth, back)) + len(forth) - len(np.unique(forth))


def depth_inside(points: NDArray, surface: tuple[NDArray, NDArray]) -> NDArray:
    """Return the signed distance (mm) of points from a surface, positive inside."""
    import pyvista as pv

    skin = pv.PolyData.from_regular_faces(*surface)
    return -np.asarray(pv.PolyData(points).compute_implicit_distance(skin)["implicit_distance"])


@pytest.mark.parametrize("who", PEOPLE)
def test_every_part_is_closed_and_wound_outwards(who: tuple[float, float, str]) -> None:
    mesh = person(*who).mesh
    assert set(mesh.parts) == set(BodyPart)
    for part in mesh.parts:
        points, faces = part_surface(mesh, part)
        assert open_edges(faces) == 0, part.key
        assert enclosed_ml(points, faces) > 0, part.key


@pytest.mark.parametrize("number", range(1, 13))
def test_each_rib_is_one_closed_tube_that_comes_down_to_the_front(number: int) -> None:
    points, faces = thorax.rib(build_of(TorsoRecord(175.6, 78.5, "m")), number)
    assert open_edges(faces) == 0
    assert 2.0 < enclosed_ml(points, faces) < 30.0
    assert points[np.argmin(points[:, 1]), 2] < points[np.argmax(points[:, 1]), 2]


@pytest.mark.parametrize("who", PEOPLE)
def test_no_bone_or_lung_shows_through_the_skin(who: tuple[float, float, str]) -> None:
    mesh = person(*who).mesh
    points = part_surface(mesh, *(part for part in BodyPart if part != BodyPart.SKIN))[0]
    chest = points[points[:, 2] > -260 * who[0] / 175.6]
    assert depth_inside(chest, part_surface(mesh, BodyPart.SKIN)).min() > 0


@pytest.mark.parametrize("who", PEOPLE)
def test_the_waist_measures_what_the_tables_say(who: tuple[float, float, str]) -> None:
    torso = person(*who)
    outline = section(*part_surface(torso.mesh, BodyPart.SKIN), 2, -325.0 * who[0] / 175.6)
    around = float(np.linalg.norm(outline.segments[:, 1] - outline.segments[:, 0], axis=1).sum())
    assert around == pytest.approx(chest_waist_hip(torso.record)[1], rel=0.03)


def test_a_mean_man_has_a_mean_mans_chest() -> None:
    """ANSUR 1988: chest circumference 991 ± 69 mm, breadth 322 ± 18, depth 243 ± 22; here below the arms' roots."""
    skin = part_surface(person().mesh, BodyPart.SKIN)
    outline = section(*skin, 2, -150.0)
    trunk = outline.trunk(0.0, 8.0)
    assert np.ptp(trunk[:, 0]) == pytest.approx(322, abs=36)
    assert np.ptp(trunk[:, 1]) == pytest.approx(243, abs=22)
    kept = np.isin(outline.piece, np.unique(outline.piece[(np.abs(outline.segments[..., 0]) < 8).any(axis=1)]))
    around = np.linalg.norm(outline.segments[kept, 1] - outline.segments[kept, 0], axis=1).sum()
    assert around == pytest.approx(991, abs=69)
    cage = part_surface(person().mesh, BodyPart.RIBS)[0]
    assert np.ptp(cage[:, 0]) == pytest.approx(280, abs=10)


def test_heavier_is_wider_and_taller_is_longer() -> None:
    lean, stout, tall = (part_surface(body_at(*who).mesh, BodyPart.SKIN)[0] for who in ((170, 60, "m"), (170, 95, "m"), (190, 60, "m")))
    assert np.ptp(stout[:, 1]) > np.ptp(lean[:, 1]) + 20
    assert np.ptp(tall[:, 2]) / np.ptp(lean[:, 2]) == pytest.approx(190 / 170, rel=0.01)


def test_both_sides_are_alike() -> None:
    for part in (BodyPart.SKIN, BodyPart.RIBS, BodyPart.CLAVICLES):
        points = part_surface(person().mesh, part)[0]
        assert points[:, 0].min() == pytest.approx(-points[:, 0].max(), abs=1e-3)
        assert abs(points[:, 0].mean()) < 0.05


def test_the_frame_is_as_stated() -> None:
    torso = person()
    sternum = part_surface(torso.mesh, BodyPart.STERNUM)[0]
    spine, ribs = part_surface(torso.mesh, BodyPart.SPINE)[0], part_surface(torso.mesh, BodyPart.RIBS)[0]
    assert sternum[:, 2].max() == pytest.approx(0, abs=3)
    assert sternum[:, 1].max() < spine[:, 1].min()
    assert (ribs[:, 1].min() + ribs[:, 1].max()) / 2 == pytest.approx(0, abs=15)
    assert torso.marks.notch[2] == 0 and torso.marks.stature == pytest.approx(1756)


def test_the_left_lung_is_smaller_and_leaves_the_heart_bare() -> None:
    volumes = {part: enclosed_ml(*part_surface(person().mesh, part)) for part in LUNGS}
    assert 0.75 < volumes[BodyPart.LUNG_LEFT] / volumes[BodyPart.LUNG_RIGHT] < 0.98
    assert 2200 < sum(volumes.values()) < 4500, "a man's lungs hold 2.5 to 3.5 l after breathing out, with tissue a little more"
    left, right = (part_surface(person().mesh, part)[0] for part in LUNGS)
    assert left[:, 0].min() > 0 > right[:, 0].max()


@pytest.mark.parametrize("who", PEOPLE)
def test_the_heart_stands_where_a_cardiologist_looks_for_it(who: tuple[float, float, str]) -> None:
    torso, template = person(*who), load_template()
    size = who[0] / 175.6
    points = placed_points(torso.heart)
    walls = points[
        np.unique(np.concatenate([structure_points(template.mesh, tag) for tag in (Structure.LV_MYOCARDIUM, Structure.RV_MYOCARDIUM)]))
    ]
    apex = template.landmark(points, "lv_apex_epi")
    sternum = part_surface(torso.mesh, BodyPart.STERNUM)[0]
    spine = part_surface(torso.mesh, BodyPart.SPINE)[0]
    assert 60 * size < apex[0] < 105 * size, "the apex lies to the left, near the mid-clavicular line"
    assert -175 * size < apex[2] < -130 * size, "at the fifth rib space"
    behind = sternum[(sternum[:, 2] < -60 * size) & (sternum[:, 2] > -150 * size)]
    middle = walls[np.abs(walls[:, 0]) < 15]
    assert 0 < middle[:, 1].min() - behind[:, 1].mean() < 25, "the right ventricle lies close behind the sternum"
    assert points[:, 1].max() < spine[(spine[:, 2] < -50 * size) & (spine[:, 2] > -150 * size), 1].min() + 25 * size
    assert points[:, 0].min() < -25 * size, "a third lies to the right"


@pytest.mark.parametrize("who", PEOPLE)
def test_lungs_make_room_for_the_heart_and_lie_within_the_ribs(who: tuple[float, float, str]) -> None:
    torso, template = person(*who), load_template()
    heart = placed_points(torso.heart)[: len(template.mesh.points)]
    for part in LUNGS:
        surface = part_surface(torso.mesh, part)
        assert depth_inside(heart, surface).max() < 2.5, part.key
        ribs = part_surface(torso.mesh, BodyPart.RIBS)[0]
        assert depth_inside(ribs, surface).max() < 3.0, part.key


def test_the_same_record_gives_the_same_body_to_the_last_bit() -> None:
    record = TorsoRecord(168.0, 71.5, "f")
    text = json.dumps(record_to_json(record))
    first, again = build_torso(record), build_torso(record_from_json(json.loads(text)))
    assert first.mesh.points.tobytes() == again.mesh.points.tobytes()
    assert first.mesh.faces.tobytes() == again.mesh.faces.tobytes()
    assert first.heart.translation.tobytes() == again.heart.translation.tobytes()


@pytest.mark.parametrize(
    ("height", "weight", "sex", "word"),
    [(1.75, 70, "m", "in cm"), (175, 700, "m", "in kg"), (175, 70, "other", "m, f"), (200, 40, "m", "mass index")],
)
def test_impossible_people_are_refused(height: float, weight: float, sex: str, word: str) -> None:
    with pytest.raises(InputError, match=word):
        body_at(height, weight, sex)


def test_damaged_records_are_refused() -> None:
    for values in ({}, {"height_cm": "tall", "weight_kg": 70, "sex": "m"}, {"height_cm": None, "weight_kg": 70, "sex": "m"}):
        with pytest.raises(InputError, match="height_cm, weight_kg and sex"):
            record_from_json(values)


def test_older_words_for_the_sexes_are_still_read() -> None:
    old = record_from_json({"height_cm": 170, "weight_kg": 70, "sex": "female"})
    assert old == TorsoRecord(170, 70, "f")
    assert record_to_json(old)["sex"] == "f"

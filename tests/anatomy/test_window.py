"""Acoustic windows: exact answers for plates, sensible ones for our own chest."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray

from echo3d.anatomy import thorax
from echo3d.anatomy.placement import placed_points
from echo3d.anatomy.proportions import build_of
from echo3d.anatomy.template import load_template
from echo3d.anatomy.torso import Torso, body_at
from echo3d.anatomy.window import Obstacles, acoustic_window, beam_angles, best_window, obstacles_of, on_skin
from echo3d.core.body import BodyMesh, BodyPart, joined, part_surface
from echo3d.core.mesh import HeartMesh, enclosed_ml
from echo3d.core.pose import rotation_matrix
from echo3d.core.sector import Sector, sector_towards
from echo3d.core.views import View
from echo3d.errors import InputError
from echo3d.slicing.standard import standard_sectors
from echo3d.style.polar import polar_of

TURN = rotation_matrix(np.array([20.0, -35.0, 70.0]))
MOVE = np.array([12.0, -7.0, 31.0])
PEOPLE = [(175.6, 78.5, "m"), (163.0, 62.0, "f"), (150.0, 42.0, "f")]


def box(low: tuple[float, float, float], high: tuple[float, float, float]) -> tuple[NDArray, NDArray]:
    """Return a box given by (depth, lateral, elevation) of ``fan()``, wound outwards, in space."""
    import pyvista as pv

    mesh = pv.Box((low[0], high[0], low[1], high[1], low[2], high[2]), level=2).triangulate().clean()
    points, faces = np.asarray(mesh.points, float), np.asarray(mesh.regular_faces)
    placed = points @ np.stack([fan().axis, fan().lateral, fan().normal]) + MOVE
    return placed, faces if enclosed_ml(placed, faces) > 0 else faces[:, ::-1]


@lru_cache(maxsize=1)
def fan() -> Sector:
    return Sector(MOVE, TURN[:, 0], TURN[:, 1], 40.0, 150.0)


def body(**parts: tuple[NDArray, NDArray]) -> BodyMesh:
    return joined({BodyPart[name]: surface for name, surface in parts.items()})


def heart(low: tuple[float, float, float] = (60, -90, -40), high: tuple[float, float, float] = (120, 90, 40)) -> HeartMesh:
    points, faces = box(low, high)
    return HeartMesh(points, faces, np.ones(len(faces), np.uint8))


@pytest.mark.parametrize("lines", [64, 96, 128])
def test_a_rib_plate_stops_exactly_the_beams_it_covers(lines: int) -> None:
    rib = body(RIBS=box((20, -5, -30), (24, 9, 30)))
    window = acoustic_window(obstacles_of(rib), heart(), fan(), lines=lines)
    at_front = 20 * np.tan(np.radians(window.angles))
    covered = (at_front > -5) & (at_front < 9)
    np.testing.assert_array_equal(window.blocked, covered)
    np.testing.assert_allclose(window.start_mm[covered], 20 / np.cos(np.radians(window.angles[covered])))
    assert np.isinf(window.start_mm[~covered]).all()
    np.testing.assert_allclose(window.heart_mm, 60 / np.cos(np.radians(window.angles)))
    assert window.share == pytest.approx(covered.mean())
    assert set(window.part[covered]) == {BodyPart.RIBS} and not window.part[~covered].any()


def test_bone_behind_the_heart_or_beside_the_plane_stops_nothing() -> None:
    spine = body(SPINE=box((130, -50, -30), (140, 50, 30)))
    window = acoustic_window(obstacles_of(spine), heart(), fan())
    assert window.share == 0
    assert np.isfinite(window.start_mm).any(), "its shadow is known all the same"
    beside = body(RIBS=box((20, -50, 5), (24, 50, 30)))
    assert np.isinf(acoustic_window(obstacles_of(beside), heart(), fan()).start_mm).all()


def test_a_probe_within_the_lung_sees_nothing() -> None:
    lung = body(LUNG_LEFT=box((-20, -90, -30), (40, 90, 30)))
    window = acoustic_window(obstacles_of(lung), heart(), fan())
    assert window.share == 1
    np.testing.assert_array_equal(window.start_mm, 0)


def test_only_beams_aimed_at_the_heart_count() -> None:
    rib = body(RIBS=box((20, 0.01, -30), (24, 200, 30)))
    right = acoustic_window(obstacles_of(rib), heart((60, 0.01, -40), (120, 10, 40)), fan())
    left = acoustic_window(obstacles_of(rib), heart((60, -10, -40), (120, -0.01, 40)), fan())
    assert (right.share, left.share) == (1, 0)
    nowhere = acoustic_window(obstacles_of(rib), heart((60, -10, 20), (120, 10, 40)), fan())
    assert nowhere.share == 1 and not nowhere.blocked.any()


def test_a_body_without_bones_stops_nothing() -> None:
    window = acoustic_window(obstacles_of(body(SKIN=box((0, -90, -90), (200, 90, 90)))), heart(), fan())
    assert window.share == 0
    nothing = Obstacles(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0))
    assert acoustic_window(nothing, heart(), fan()).share == 0


def test_beams_are_those_of_the_picture() -> None:
    np.testing.assert_allclose(beam_angles(fan(), 96), polar_of(fan(), lines=96).angles())


def test_the_probe_is_moved_to_the_skin() -> None:
    skin = body(SKIN=box((-30, -90, -90), (200, 90, 90)))
    placed = on_skin(skin, fan(), press_mm=8.0)
    np.testing.assert_allclose(placed.origin, fan().origin - 22 * fan().axis, atol=1e-9)
    assert placed.depth == pytest.approx(172)
    with pytest.raises(InputError, match="found none"):
        on_skin(body(SKIN=box((-30, 50, -90), (200, 90, 90))), fan())


@lru_cache(maxsize=4)
def scene(who: tuple[float, float, str]) -> tuple[Torso, HeartMesh, dict[View, Sector]]:
    torso, template = body_at(*who), load_template()
    points = placed_points(torso.heart)
    return torso, template.heart(points), standard_sectors(template, points, level=0.5)


@pytest.mark.parametrize("who", PEOPLE)
def test_the_apical_window_is_open_where_sonographers_find_it(who: tuple[float, float, str]) -> None:
    torso, mesh, fans = scene(who)
    found, window = best_window(torso.mesh, mesh, fans[View.A4C])
    size = who[0] / 175.6
    assert window.share < 0.15
    assert 75 * size < found.origin[0] < 150 * size, "mid-clavicular to anterior axillary line"
    assert -205 * size < found.origin[2] < -125 * size, "fourth to sixth rib space"


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("view", [View.PSAX_BASAL, View.PSAX_MID])
def test_the_parasternal_window_is_open_beside_the_sternum(who: tuple[float, float, str], view: View) -> None:
    torso, mesh, fans = scene(who)
    found, window = best_window(torso.mesh, mesh, fans[view])
    size = who[0] / 175.6
    assert window.share < 0.2
    assert 12 * size < found.origin[0] < 50 * size, "left edge of the sternum"
    assert -130 * size < found.origin[2] < -50 * size, "second to fourth rib space"


@pytest.mark.parametrize("who", PEOPLE)
def test_over_the_sternum_and_on_a_rib_the_window_is_shut(who: tuple[float, float, str]) -> None:
    torso, mesh, _ = scene(who)
    obstacles = obstacles_of(torso.mesh)
    size = who[0] / 175.6
    target = mesh.points.mean(axis=0)
    sternum = sector_towards(np.array([0.0, -160.0, target[2]]), np.array([0.0, target[1], target[2]]), np.array([0, 0, 1.0]), 40.0, 200.0)
    assert acoustic_window(obstacles, mesh, on_skin(torso.mesh, sternum)).share > 0.9
    build = build_of(torso.record)
    degrees = np.array([118.0, 125.0, 132.0])
    path = thorax.cage_point(build, degrees, thorax.bone_path(build, 5, degrees), inset=3.5)
    outwards = (path[1] - target) / np.linalg.norm(path[1] - target)
    on_rib = sector_towards(path[1] + 15 * size * outwards, target, path[2] - path[0], 40.0, 200.0)
    window = acoustic_window(obstacles, mesh, on_rib)
    assert window.share > 0.8
    assert np.mean(window.part[window.blocked] == BodyPart.RIBS) > 0.6


def test_behind_the_left_lung_the_heart_is_hidden() -> None:
    torso, mesh, _ = scene(PEOPLE[0])
    target = mesh.points.mean(axis=0)
    lung = part_surface(torso.mesh, BodyPart.LUNG_LEFT)[0]
    from_the_side = sector_towards(
        np.array([lung[:, 0].max() + 5, target[1] + 30, target[2] + 20]), target, np.array([0, 1.0, 0]), 40.0, 250.0
    )
    window = acoustic_window(obstacles_of(torso.mesh), mesh, from_the_side)
    assert window.share > 0.95

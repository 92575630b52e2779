"""The best window of a probe: exact answers for a plate with an edge, the default heart in the default body, planes that stay their own."""

from __future__ import annotations

import numpy as np
import pytest
import pyvista as pv

from echo3d.anatomy.window import Obstacles
from echo3d.core.body import BodyPart
from echo3d.core.mesh import HeartMesh, enclosed_ml
from echo3d.core.sector import Sector
from echo3d.core.structures import Structure
from echo3d.core.views import View
from echo3d.errors import InputError
from echo3d.positioning.hearts import Moment
from echo3d.positioning.previews import Previewer, Request
from echo3d.positioning.probes import STANDARD, Adjustment, Skin, probe_at_hand
from echo3d.positioning.state import Picture, Scene, posed, with_body
from echo3d.positioning.windows import MOST_TILT, REACH_MM, Search, aimed_back, best_hold, best_holds, blocked, same_stand, with_holds

FAN = Sector(np.zeros(3), np.array([0, 0, 1.0]), np.array([1.0, 0, 0]), 40.0, 150.0)


def box(*bounds: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a box (x from, to, y from, to, z from, to), wound outwards."""
    mesh = pv.Box(bounds, level=6).triangulate().clean()
    points, faces = np.asarray(mesh.points, float), np.asarray(mesh.regular_faces)
    return points, faces if enclosed_ml(points, faces) > 0 else faces[:, ::-1]


def search(plate: tuple[float, ...], hand: Adjustment = STANDARD) -> Search:
    points, faces = box(*plate)
    heart = box(-20, 20, -20, 20, 60, 100)
    ribs = Obstacles(points, faces, np.full(len(faces), BodyPart.RIBS, np.uint8))
    return Search(Skin(*box(-150, 150, -150, 150, 0, 300)), ribs, HeartMesh(*heart, np.ones(len(heart[1]), np.uint8)), FAN, hand)


def test_a_probe_slides_past_the_edge_of_a_plate_and_no_farther() -> None:
    task = search((-140, 25, -140, 140, 12, 16))
    assert blocked(task, STANDARD) == 1.0
    found = best_hold(task)
    assert blocked(task, found) == 0.0
    assert 25 < found.slide_lateral < 45
    assert abs(found.slide_elevation) < 1e-9 and abs(found.tilt) < 1e-9


def test_an_open_probe_stays_where_it_is() -> None:
    hand = Adjustment(rotate=7.0, depth=140.0, half_angle=35.0, flipped=True)
    assert best_hold(search((100, 140, -140, 140, 12, 16), hand)) == hand


def test_behind_a_plate_without_end_nothing_is_moved() -> None:
    assert best_hold(search((-140, 140, -140, 140, 12, 16))) == STANDARD


@pytest.mark.parametrize(("lateral", "elevation"), [(30.0, 0.0), (0.0, -15.0), (-42.0, 11.0)])
def test_the_central_beam_meets_the_same_place_and_the_plane_leans_by_its_tilt(lateral: float, elevation: float) -> None:
    held = aimed_back(FAN, STANDARD, lateral, elevation)
    fan = probe_at_hand(FAN, held, None).sector
    target = FAN.world(np.array([75.0, 0.0]))
    _, across, off = fan.plane(target)
    assert np.allclose([across, off], 0, atol=1e-9)
    assert np.degrees(np.arccos(fan.normal @ FAN.normal)) == pytest.approx(abs(held.tilt), abs=1e-6)


def test_every_view_of_the_default_heart_has_a_window_and_keeps_its_plane(scene: Scene) -> None:
    moment = Moment(scene.heart.mesh.points, scene.heart.labels)
    before = Previewer().answer(Request(0, scene, moment, Picture.LABELS, settled=True))
    found = best_holds(scene, View)
    after = Previewer().answer(Request(1, with_holds(scene, found), moment, Picture.LABELS, settled=True))
    assert min(1 - preview.window for preview in before.previews.values()) < 0.2, "behind the sternum there is something to gain"
    for view in View:
        one, two = before.previews[view], after.previews[view]
        assert two.probe.touches
        assert 1 - two.window >= 0.85, view
        if view.key.startswith("psax"):
            moved = np.linalg.norm(two.probe.sector.origin - one.probe.sector.origin)
            assert moved <= 30, f"{view.title} leaves its place beside the sternum"
        assert two.window <= one.window + 0.03, view
        assert np.degrees(np.arccos(np.clip(one.probe.sector.normal @ two.probe.sector.normal, -1, 1))) <= MOST_TILT + 1e-6
        assert np.hypot(found[view].slide_lateral, found[view].slide_elevation) <= REACH_MM
        assert {Structure.LV_MYOCARDIUM, Structure.LV_CAVITY} <= set(np.unique(two.piece.labels)), view


def test_a_search_can_be_ended_and_needs_a_heart(scene: Scene) -> None:
    assert best_holds(scene, View, lambda view: view is View.A4C).keys() == {View.A4C}
    assert best_holds(with_body(scene, None), [View.A2C]) == {View.A2C: STANDARD}
    with pytest.raises(InputError):
        best_holds(Scene(), View)


def test_what_was_found_holds_only_where_heart_and_body_still_stand(scene: Scene) -> None:
    held = with_holds(scene, {View.A2C: Adjustment(tilt=3.0)})
    assert same_stand(scene, held)
    assert not same_stand(scene, posed(held, type(held.placement.pose)(np.zeros(3), np.zeros(3))))
    assert not same_stand(scene, with_body(held, None))

"""Handles: what is dragged goes where the pointer goes."""

from __future__ import annotations

import numpy as np
import pytest

from echo3d.core.pose import Pose
from echo3d.positioning.handles import ARM, RING, Camera, Grip, Handle, dragged, lines, under
from echo3d.positioning.picking import first_hit
from echo3d.positioning.poses import values_of

FRONT = Camera(np.array([10.0, 20.0, 30.0]), np.array([1.0, 0, 0]), np.array([0, 0, 1.0]), 0.5, 600, 400)
OBLIQUE = Camera(np.zeros(3), np.array([0.8, 0.6, 0.0]), np.array([-0.36, 0.48, 0.8]), 0.4, 640, 480)
REST = Pose(np.array([5.0, -3.0, 8.0]), np.array([10.0, 20.0, 30.0]), 1.1)


def grip(handle: Handle, camera: Camera, centre: np.ndarray, start: np.ndarray) -> Grip:
    return Grip(handle, camera, REST, centre, start)


def test_pixels_and_world_are_inverse() -> None:
    at = np.array([[100.0, 50.0], [321.0, 7.0]])
    assert np.allclose(OBLIQUE.pixels(OBLIQUE.world(at)), at)


@pytest.mark.parametrize("camera", [FRONT, OBLIQUE])
@pytest.mark.parametrize("handle", [Handle.MOVE_X, Handle.MOVE_Z])
def test_an_arrow_follows_the_pointer_along_its_axis(camera: Camera, handle: Handle) -> None:
    centre = camera.focus + np.array([4.0, -2.0, 3.0])
    start = camera.pixels(lines(camera, centre)[handle][1])
    goal = camera.pixels(lines(camera, centre)[handle][1] + 17.0 * handle.axis)
    moved = dragged(grip(handle, camera, centre, start), *goal)
    assert np.allclose(moved.translation - REST.translation, 17.0 * handle.axis, atol=1e-6)
    assert np.array_equal(moved.rotation, REST.rotation)


def test_the_middle_follows_the_pointer_in_the_picture() -> None:
    centre = OBLIQUE.focus
    start = OBLIQUE.pixels(centre)
    moved = dragged(grip(Handle.MOVE, OBLIQUE, centre, start), *(start + np.array([30.0, -20.0])))
    assert np.allclose(OBLIQUE.pixels(centre + moved.translation - REST.translation), start + np.array([30.0, -20.0]))


@pytest.mark.parametrize("handle", [Handle.TURN_X, Handle.TURN_Y, Handle.TURN_Z])
def test_a_ring_turns_by_the_angle_that_the_pointer_goes_along_it(handle: Handle) -> None:
    centre = OBLIQUE.focus
    ring = OBLIQUE.pixels(lines(OBLIQUE, centre, steps=72)[handle])
    turned = dragged(grip(handle, OBLIQUE, centre, ring[3]), *ring[9])
    step = turned.matrix @ REST.matrix.T
    angle = np.degrees(np.arccos(np.clip((np.trace(step) - 1) / 2, -1, 1)))
    assert angle == pytest.approx(30.0, abs=1e-4)
    assert np.allclose(step @ handle.axis, handle.axis, atol=1e-6)
    one = lines(OBLIQUE, centre, steps=72)[handle][3] - centre
    assert np.allclose(step @ one, lines(OBLIQUE, centre, steps=72)[handle][9] - centre, atol=1e-4)


def test_a_ring_seen_from_the_side_turns_like_a_wheel() -> None:
    centre, start = FRONT.focus, FRONT.pixels(FRONT.focus)
    turned = dragged(grip(Handle.TURN_Z, FRONT, centre, start), start[0] + RING * np.radians(10.0), start[1])
    front_point = np.array([0.0, -1.0, 0.0])
    step = turned.matrix @ REST.matrix.T
    assert np.degrees(np.arctan2((step @ front_point)[0], -(step @ front_point)[1])) == pytest.approx(10.0, abs=1e-3)


def test_the_size_follows_the_distance() -> None:
    middle = FRONT.pixels(FRONT.focus)
    scaled = dragged(grip(Handle.SIZE, FRONT, FRONT.focus, middle + np.array([50.0, -50.0])), *(middle + np.array([75.0, -75.0])))
    assert scaled.scale == pytest.approx(1.5 * REST.scale)
    assert np.array_equal(scaled.translation, REST.translation)


def test_snapping() -> None:
    start = FRONT.pixels(FRONT.focus + np.array([ARM * 0.5, 0, 0]))
    moved = dragged(grip(Handle.MOVE_X, FRONT, FRONT.focus, start), start[0] + 27, start[1], snap=True)
    assert moved.translation[0] - REST.translation[0] == pytest.approx(15.0)


def test_each_handle_is_found_where_it_is_painted() -> None:
    for handle, line in lines(OBLIQUE, OBLIQUE.focus).items():
        near = line[OBLIQUE.nearness(line) > 20.0] if handle.kind == "turn" else line[-1:]
        at = OBLIQUE.pixels(near[len(near) // 2])
        found = under(OBLIQUE, OBLIQUE.focus, *at)
        assert found is handle or (found is not None and handle.kind == "turn"), handle
    assert under(OBLIQUE, OBLIQUE.focus, 5.0, 5.0) is None


def test_a_pick_is_the_nearest_face() -> None:
    points = np.array([[-10, y, -10] for y in (0.0, 5.0)] + [[10, y, -10] for y in (0.0, 5.0)] + [[0, y, 10] for y in (0.0, 5.0)], float)
    drawn = (points, np.array([[0, 2, 4], [1, 3, 5]]), np.array([3, 7]))
    stands = (Pose(np.array([10.0, 20.0, 30.0]), np.zeros(3)), np.zeros(3))
    hit = first_hit(FRONT, drawn, stands, tuple(FRONT.pixels(FRONT.focus)))
    assert hit is not None and hit.structure == 3
    assert np.allclose(hit.point, [10.0, 20.0, 30.0])
    assert values_of(stands[0])[0] == 10.0
    assert first_hit(FRONT, drawn, stands, (1.0, 1.0)) is None

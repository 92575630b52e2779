"""Domain types: exact geometry and refused nonsense."""

from __future__ import annotations

import numpy as np
import pytest

from echo3d.core.field import FieldGrid, LabelVolume, sample_grid
from echo3d.core.mesh import HeartMesh, enclosed_ml
from echo3d.core.pose import Pose, place, rigid_between, rotation_matrix, unplace
from echo3d.core.sector import Fan, PictureGrid, Sector, sector_towards
from echo3d.core.views import View, view_from_code, view_from_text
from echo3d.errors import ShapeError


def test_pose_then_inverse_is_identity() -> None:
    points, pivot = np.random.default_rng(0).normal(size=(20, 3)), np.array([1.0, 2, 3])
    pose = Pose(np.array([4.0, -5, 6]), np.array([10.0, 20, 30]), 1.2)
    assert np.allclose(unplace(place(points, pose, pivot), pose, pivot), points)


def test_a_known_rigid_motion_is_recovered() -> None:
    points = np.random.default_rng(1).normal(size=(30, 3))
    rotation, shift = rotation_matrix(np.array([20.0, -35, 70])), np.array([3.0, 1, -2])
    found, moved = rigid_between(points, points @ rotation.T + shift)
    assert np.allclose(found, rotation) and np.allclose(moved, shift)


def test_a_box_holds_its_volume_wherever_it_stands() -> None:
    corners = np.array([[x, y, z] for x in (0, 10) for y in (0, 20) for z in (0, 30)], dtype=float) + 1000
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))])
    assert enclosed_ml(corners, faces) == pytest.approx(6.0)


def test_world_and_plane_are_inverse() -> None:
    fan = sector_towards(np.array([1.0, 2, 3]), np.array([10.0, -4, 7]), np.array([0.0, 1, 0]), 40, 150)
    at = np.array([[50.0, -20.0], [100.0, 30.0]])
    back = fan.plane(fan.world(at))
    assert np.allclose(back[:, :2], at) and np.allclose(back[:, 2], 0)


def test_the_fan_mask_has_the_area_of_its_sector() -> None:
    inside = PictureGrid(400, 400, 0.5).inside(35, 180)
    assert inside.sum() * 0.25 == pytest.approx(np.radians(70) / 2 * 180**2, rel=0.01)
    assert Fan(0, 200, 35, 360).mask(400, 400).sum() == pytest.approx(inside.sum(), rel=0.01)


def test_a_linear_field_is_sampled_exactly() -> None:
    grid = FieldGrid(np.zeros(3), np.full(3, 9.0), 10)
    values = (grid.nodes() @ np.array([[1.0, 2], [3, 4], [5, 6]])).reshape(10, 10, 10, 2)
    points = np.random.default_rng(2).uniform(0, 9, (40, 3))
    assert np.allclose(sample_grid(values, grid.index(points)), points @ np.array([[1.0, 2], [3, 4], [5, 6]]))


def test_labels_outside_the_volume_are_background() -> None:
    volume = LabelVolume(np.full((3, 3, 3), 5, np.uint8), np.eye(4))
    assert volume.look_up(np.array([[0, 0, 0], [2.4, 2.4, 2.4], [2.6, 0, 0], [-1, 0, 0]])).tolist() == [5, 5, 0, 0]


def test_nonsense_is_refused_with_rule_and_value() -> None:
    with pytest.raises(ShapeError, match="right angles"):
        Sector(np.zeros(3), np.array([0, 0, 1.0]), np.array([0, 0, 1.0]), 40, 150)
    with pytest.raises(ShapeError, match="found 400"):
        sector_towards(np.zeros(3), np.array([0, 0, 1.0]), np.array([1.0, 0, 0]), 400, 150)
    with pytest.raises(ShapeError, match="finite"):
        HeartMesh(np.full((3, 3), np.nan), np.array([[0, 1, 2]]), np.array([1]))
    with pytest.raises(ShapeError, match="existing points"):
        HeartMesh(np.zeros((3, 3)), np.array([[0, 1, 3]]), np.array([1]))
    with pytest.raises(ShapeError, match="scale"):
        Pose(np.zeros(3), np.zeros(3), 0.0)


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("a4c", View.A4C), ("Apical 4 Chamber", View.A4C), ("patient_2CH.dcm", View.A2C), ("APLAX", View.A3C),
        ("psax_mid_03", View.PSAX_MID), ("PSAX MV level", View.PSAX_BASAL), ("SAX apical", View.PSAX_APICAL),
        ("Short axis, papillary", View.PSAX_MID),
    ],
)  # fmt: skip
def test_views_are_read_from_names(text: str, view: View) -> None:
    assert view_from_text(text) == (view, False)


def test_codes_and_stand_ins() -> None:
    assert view_from_code("399271003") == (View.PSAX_MID, False)
    assert view_from_code("399139001") == (View.A3C, True)
    assert view_from_code("1") is None

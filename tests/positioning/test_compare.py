"""Two hearts compared: exact answers for hearts moved, turned and scaled by known amounts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from echo3d.core.pose import Pose
from echo3d.positioning import compare
from echo3d.positioning.state import Scene, Workspace, posed


@pytest.fixture
def workspace(heart) -> Workspace:
    return compare.kept(Workspace(Scene(heart)))


def moved(workspace: Workspace, pose: Pose) -> Workspace:
    return replace(workspace, scene=posed(workspace.scene, pose))


def test_a_heart_against_itself_differs_by_nothing(workspace: Workspace) -> None:
    found = compare.comparison_of(workspace)
    assert found.ways == (0, 0, 0, 0, 0, 0, 1)
    assert (found.centres_mm, found.turn, found.mean_mm, found.most_mm) == pytest.approx((0, 0, 0, 0), abs=1e-5)


def test_a_shift_moves_every_point_by_its_length(workspace: Workspace) -> None:
    found = compare.comparison_of(moved(workspace, Pose(np.array([3.0, 0, 4.0]), np.zeros(3))))
    assert found.ways[:3] == (3, 0, 4)
    assert (found.centres_mm, found.mean_mm, found.most_mm) == pytest.approx((5, 5, 5))


def test_a_turn_leaves_the_centre_and_moves_the_farthest_point_most(workspace: Workspace, heart) -> None:
    found = compare.comparison_of(moved(workspace, Pose(np.zeros(3), np.array([0, 0, 90.0]))))
    arms = np.hypot(*(heart.mesh.points - heart.pivot)[:, :2].T)
    assert found.centres_mm == 0 and found.turn == pytest.approx(90)
    assert found.most_mm == pytest.approx(np.sqrt(2) * arms.max())
    assert found.mean_mm == pytest.approx(np.sqrt(2) * arms.mean())


def test_hearts_without_correspondence_are_compared_by_pose_alone(workspace: Workspace, heart) -> None:
    other = replace(heart, ours=False, mesh=replace(heart.mesh, faces=heart.mesh.faces[:-1], labels=heart.mesh.labels[:-1]))
    found = compare.comparison_of(replace(workspace, scene=Scene(other)))
    assert found.mean_mm is None and found.centres_mm == 0
    same = replace(other, mesh=replace(heart.mesh, points=heart.mesh.points + 1.0))
    assert compare.correspond(same, replace(heart, ours=False))


def test_swapping_twice_is_nothing(workspace: Workspace, heart) -> None:
    other, pose = replace(heart, name="other"), Pose(np.ones(3), np.zeros(3))
    now = replace(workspace, scene=posed(Scene(other), pose))
    scene = compare.swapped(now.scene, now)
    assert scene.heart is heart and scene.placement.pose is workspace.reference
    again = compare.swapped(scene, compare.kept(now))
    assert again.heart is other and again.placement.pose is pose
    assert compare.comparison_of(compare.let_go(now)) is None
    assert compare.swapped(now.scene, compare.let_go(now)) is now.scene

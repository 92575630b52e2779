"""The seven numbers: turning, mirroring, JSON; each against an exact answer."""

from __future__ import annotations

import json

import numpy as np
import pytest

from echo3d.core.pose import Pose, place, rotation_matrix
from echo3d.errors import InputError
from echo3d.positioning import poses


def any_pose(rng: np.random.Generator) -> Pose:
    return Pose(rng.uniform(-50, 50, 3), rng.uniform(-80, 80, 3), float(rng.uniform(0.5, 2)))


@pytest.mark.parametrize("seed", range(8))
def test_angles_and_matrix_are_inverse(seed: int) -> None:
    angles = np.random.default_rng(seed).uniform(-179, 179, 3)
    matrix = rotation_matrix(angles)
    found = poses.angles_of(matrix, angles)
    assert np.allclose(rotation_matrix(found), matrix, atol=1e-9)
    assert np.allclose(found, angles, atol=1e-6), "of the two ways to write a rotation the one nearer to the last is taken"


@pytest.mark.parametrize("y", [90.0, -90.0])
def test_angles_at_the_gimbal(y: float) -> None:
    matrix = rotation_matrix(np.array([20.0, y, 35.0]))
    found = poses.angles_of(matrix, np.array([20.0, y, 30.0]))
    assert np.allclose(rotation_matrix(found), matrix, atol=1e-6)
    assert found[0] == 20.0


@pytest.mark.parametrize("axis", range(3))
def test_a_turn_is_about_the_patients_axis(axis: int) -> None:
    pose = any_pose(np.random.default_rng(3))
    turned = poses.turned(pose, np.eye(3)[axis], 25.0)
    wanted = rotation_matrix(25.0 * np.eye(3)[axis]) @ pose.matrix
    assert np.allclose(turned.matrix, wanted, atol=1e-8)
    assert np.array_equal(turned.translation, pose.translation)


def test_a_turn_and_back_is_nothing() -> None:
    pose = any_pose(np.random.default_rng(4))
    back = poses.turned(poses.turned(pose, np.array([0.0, 1.0, 0.0]), 40.0), np.array([0.0, 1.0, 0.0]), -40.0)
    assert np.allclose(poses.values_of(back), poses.values_of(pose), atol=1e-6)


def test_mirroring_moves_a_symmetric_heart_as_a_mirror_would() -> None:
    rng = np.random.default_rng(5)
    pivot, pose, midline = rng.uniform(-20, 20, 3), any_pose(rng), 3.0
    half = rng.uniform(-40, 40, (50, 3))
    flip = np.array([-1.0, 1.0, 1.0])
    heart = pivot + np.concatenate([half, half * flip])
    seen = place(heart, poses.mirrored(pose, pivot, midline), pivot)
    wanted = place(heart, pose, pivot) * flip + np.array([2 * midline, 0, 0])
    assert np.allclose(sorted(map(tuple, seen.round(6))), sorted(map(tuple, wanted.round(6))), atol=1e-5)
    twice = poses.mirrored(poses.mirrored(pose, pivot, midline), pivot, midline)
    assert np.allclose(poses.values_of(twice), poses.values_of(pose))


def test_json_and_back() -> None:
    pose = any_pose(np.random.default_rng(6))
    again = poses.pose_from_json(poses.parsed(json.dumps(poses.pose_json(pose))))
    assert poses.values_of(again) == poses.values_of(pose)


@pytest.mark.parametrize("text", ["", "hello", "[1, 2]", '{"a": 1}', '{"scale": 99}', '{"rotation": [1, 2]}', '{"translation": "x"}'])
def test_what_is_no_pose_is_one_sentence(text: str) -> None:
    with pytest.raises(InputError) as caught:
        poses.pose_from_json(poses.parsed(text))
    assert "\n" not in str(caught.value)


def test_numbers_stay_in_their_range() -> None:
    pose = Pose(np.zeros(3), np.zeros(3))
    assert poses.with_value(pose, 6, 99.0).scale == 5.0
    assert poses.values_of(poses.with_value(pose, 4, -190.0))[4] == 170.0

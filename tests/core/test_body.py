"""The body's labelled surface."""

from __future__ import annotations

import numpy as np
import pytest

from echo3d.core.body import BodyMesh, BodyPart, joined, part_colour, part_surface
from echo3d.errors import ShapeError

TRIANGLE = (np.eye(3), np.array([[0, 1, 2]]))


def test_joined_parts_come_apart_again() -> None:
    body = joined({BodyPart.SKIN: TRIANGLE, BodyPart.RIBS: (2 * np.eye(3), np.array([[2, 1, 0]]))})
    points, faces = part_surface(body, BodyPart.RIBS)
    assert body.parts == (BodyPart.SKIN, BodyPart.RIBS)
    np.testing.assert_array_equal(points, 2 * np.eye(3))
    assert faces.tolist() == [[2, 1, 0]]
    assert len(part_surface(body, BodyPart.SKIN, BodyPart.RIBS)[1]) == 2


def test_every_part_has_a_colour_and_a_name() -> None:
    assert {part.key for part in BodyPart} >= {"skin", "ribs", "sternum", "spine", "lung_left", "lung_right"}
    assert all(max(part_colour(part)) <= 255 for part in BodyPart)


def test_wrong_bodies_are_refused() -> None:
    with pytest.raises(ShapeError, match="existing points"):
        BodyMesh(np.eye(3), [[0, 1, 3]], [1])
    with pytest.raises(ShapeError, match="found \\[99\\]"):
        BodyMesh(np.eye(3), [[0, 1, 2]], [99])
    with pytest.raises(ShapeError, match="finite"):
        BodyMesh(np.full((3, 3), np.nan), [[0, 1, 2]], [1])

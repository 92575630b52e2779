"""Tetrahedra to tagged surfaces, and names of roles."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from echo3d.core.foreign import Role, TaggedSurface, role_named, tetra_boundaries
from echo3d.core.mesh import enclosed_ml
from echo3d.core.structures import Structure
from echo3d.errors import ShapeError


def cubes(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return points and tetrahedra of a row of unit cubes along x, six tetrahedra each."""
    points = np.array(list(np.ndindex(count + 1, 2, 2)), float)
    tetrahedra = []
    for start in range(count):
        for order in permutations(range(3)):
            corner, path = np.array([start, 0, 0]), []
            for axis in (None, *order):
                corner = corner.copy()
                if axis is not None:
                    corner[axis] += 1
                path.append(int(corner[0] * 4 + corner[1] * 2 + corner[2]))
            tetrahedra.append(path)
    return points, np.array(tetrahedra)


def turned_outwards(points: np.ndarray, tetrahedra: np.ndarray) -> np.ndarray:
    a, b, c, d = (points[tetrahedra[:, i]] for i in range(4))
    negative = np.einsum("ij,ij->i", np.cross(b - a, c - a), d - a) < 0
    return np.where(negative[:, None], tetrahedra[:, [1, 0, 2, 3]], tetrahedra)


def test_two_tags_give_two_closed_surfaces_of_their_volume() -> None:
    points, tetrahedra = cubes(3)
    tags = np.repeat([4, 4, 9], 6)
    faces, owner = tetra_boundaries(turned_outwards(points, tetrahedra), tags)
    assert {tag: int((owner == tag).sum()) for tag in (4, 9)} == {4: 20, 9: 12}
    for tag, volume in ((4, 2.0), (9, 1.0)):
        assert 1000 * enclosed_ml(points, faces[owner == tag]) == pytest.approx(volume)


def test_roles_by_name_title_and_number() -> None:
    assert role_named("left_superior_pv") == Structure.LEFT_SUPERIOR_PV
    assert role_named("LV cavity") == role_named(101) == Structure.LV_CAVITY
    assert role_named("papillary") == Role.PAPILLARY
    assert role_named("NONE") == 0
    assert role_named(99) is None
    assert role_named("") is None


def test_a_tagged_surface_is_checked() -> None:
    corners = np.eye(3)
    assert TaggedSurface(corners, [[0, 1, 2]], [5]).part(5).tolist() == [[0, 1, 2]]
    for faces, tags in (([[0, 1, 3]], [1]), ([[0, 1, 2]], [1, 2])):
        with pytest.raises(ShapeError):
            TaggedSurface(corners, faces, tags)
    with pytest.raises(ShapeError, match="finite"):
        TaggedSurface(corners * np.nan, [[0, 1, 2]], [1])

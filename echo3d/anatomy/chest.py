"""A skin and the chest that belongs in it: bones as they are, lungs as the heart leaves them room."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from echo3d.anatomy import thorax
from echo3d.anatomy.bodymarks import BodyMarks
from echo3d.anatomy.lungs import Room, lung
from echo3d.anatomy.proportions import Build, at_level
from echo3d.anatomy.tubes import Surface
from echo3d.core.arrays import frozen_array
from echo3d.core.body import BodyMesh, BodyPart, joined, part_surface

_RIB_MM = 7.0
"""From the outer surface of the rib cage to the inner face of a rib."""
_POWER = 2.25


@dataclass(frozen=True, slots=True, eq=False)
class Chest:
    """A body's skin with the measures of what lies under it.

    Parameters
    ----------
    skin : the body's skin, LPS mm
    marks : landmarks on it
    build : measures of the trunk, in its own frame
    shift : (3,) mm, from the build's frame to the body's
    collar_bones : whether the shoulders are ours too, so that collar bones fit
    """

    skin: BodyMesh
    marks: BodyMarks
    build: Build
    shift: NDArray[np.float64]
    collar_bones: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "shift", frozen_array(self.shift, np.float64, (3,), "shift"))


def whole_body(chest: Chest, room: Room) -> BodyMesh:
    """Return skin, bones and lungs as one body.

    Parameters
    ----------
    chest : whose
    room : tells of points (..., 3) mm in the body's frame whether they lie in the heart; the lungs keep out of it
    """
    build, shift = chest.build, chest.shift

    def room_here(points: NDArray) -> NDArray[np.bool_]:
        return room(points + shift)

    parts: dict[BodyPart, Surface] = {
        BodyPart.RIBS: thorax.ribs(build),
        BodyPart.CARTILAGES: thorax.cartilages(build),
        BodyPart.STERNUM: thorax.sternum(build),
        BodyPart.SPINE: thorax.spine(build),
        BodyPart.LUNG_LEFT: lung(build, 1, room_here),
        BodyPart.LUNG_RIGHT: lung(build, -1, room_here),
    }
    if chest.collar_bones:
        parts[BodyPart.CLAVICLES] = thorax.both_sides([thorax.clavicle(build)])
    moved = {part: (points + shift, faces) for part, (points, faces) in parts.items()}
    return joined({BodyPart.SKIN: part_surface(chest.skin, BodyPart.SKIN)} | moved)


def beyond_chest_mm(chest: Chest, points: NDArray) -> NDArray[np.float64]:
    """Return about how far (mm) points (N, 3) of a heart lie in the chest's wall or beyond it, or in the spine; negative within.

    Parameters
    ----------
    chest : whose
    points : mm in the body's frame
    """
    x, y, z = np.moveaxis(np.asarray(points, float) - chest.shift, -1, 0)
    breadth, front, back = np.moveaxis(at_level(chest.build.cage, z) - _RIB_MM, -1, 0)
    wall = _outside(x / breadth, y / np.where(y < 0, front, back), _POWER) * np.minimum(breadth, np.minimum(front, back))
    middle, half, deep = np.moveaxis(thorax.vertebra(chest.build, z), -1, 0)
    spine = -_outside(x / half, (y - middle) / deep, 2.0) * np.minimum(half, deep)
    return np.asarray(np.maximum(wall, spine))


def _outside(across: NDArray, along: NDArray, power: float) -> NDArray[np.float64]:
    """Return by how much of its radius a place lies outside a superellipse of radius 1; negative within."""
    return np.asarray((np.abs(across) ** power + np.abs(along) ** power) ** (1 / power) - 1)

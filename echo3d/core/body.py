"""The body round the heart: skin, bones and lungs as one labelled surface."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from echo3d.core.arrays import frozen_array
from echo3d.errors import ShapeError

SEXES = ("m", "f")
"""The words for men and women in all records."""


class BodyPart(IntEnum):
    """A named part of a body; its key is the name in files and records."""

    SKIN = 1
    RIBS = 2
    CARTILAGES = 3
    STERNUM = 4
    SPINE = 5
    LUNG_LEFT = 6
    LUNG_RIGHT = 7
    CLAVICLES = 8

    @property
    def key(self) -> str:
        """The lower-case name.

        >>> BodyPart.LUNG_LEFT.key
        'lung_left'
        """
        return self.name.lower()


BONES: tuple[BodyPart, ...] = (BodyPart.RIBS, BodyPart.CARTILAGES, BodyPart.STERNUM, BodyPart.SPINE, BodyPart.CLAVICLES)
"""What sound does not pass; rib cartilage counts as bone, because in adults it is often calcified (our choice)."""

LUNGS: tuple[BodyPart, ...] = (BodyPart.LUNG_LEFT, BodyPart.LUNG_RIGHT)

_COLOURS: dict[BodyPart, tuple[int, int, int]] = {
    BodyPart.SKIN: (222, 184, 160),
    BodyPart.RIBS: (236, 226, 204),
    BodyPart.CARTILAGES: (196, 210, 206),
    BodyPart.STERNUM: (236, 226, 204),
    BodyPart.SPINE: (228, 216, 192),
    BodyPart.LUNG_LEFT: (214, 150, 150),
    BodyPart.LUNG_RIGHT: (214, 150, 150),
    BodyPart.CLAVICLES: (236, 226, 204),
}


def part_colour(part: BodyPart) -> tuple[int, int, int]:
    """Return the part's RGB colour (0-255).

    >>> part_colour(BodyPart.SKIN)
    (222, 184, 160)
    """
    return _COLOURS[part]


@dataclass(frozen=True, slots=True, eq=False)
class BodyMesh:
    """A labelled triangle surface of a body.

    Parameters
    ----------
    points : (N, 3) float64 mm, LPS (x to the person's left, y to the back, z to the head)
    faces : (F, 3) int32 point indices, wound so that normals leave the part
    labels : (F,) uint8 ``BodyPart`` of each face

    Raises
    ------
    ShapeError
        If an array has the wrong shape, a face names a point that is not there, or a label is no ``BodyPart``.
    """

    points: NDArray[np.float64]
    faces: NDArray[np.int32]
    labels: NDArray[np.uint8]

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", frozen_array(self.points, np.float64, (None, 3), "points"))
        object.__setattr__(self, "faces", frozen_array(self.faces, np.int32, (None, 3), "faces"))
        object.__setattr__(self, "labels", frozen_array(self.labels, np.uint8, (len(self.faces),), "labels"))
        if self.faces.size and not 0 <= self.faces.min() <= self.faces.max() < len(self.points):
            raise ShapeError("faces must index existing points")
        if not np.isin(self.labels, list(BodyPart)).all():
            raise ShapeError(f"labels of a body must be 1 to {len(BodyPart)}, found {np.unique(self.labels).tolist()}")

    @property
    def parts(self) -> tuple[BodyPart, ...]:
        """The parts that this body has."""
        return tuple(BodyPart(int(label)) for label in np.unique(self.labels))


def part_surface(body: BodyMesh, *parts: BodyPart) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return points (K, 3) and faces (G, 3) of some parts, the points renumbered.

    >>> skin = BodyMesh(np.eye(4, 3), [[0, 1, 2], [1, 2, 3]], [1, 2])
    >>> [len(array) for array in part_surface(skin, BodyPart.RIBS)]
    [3, 1]
    """
    used, faces = np.unique(body.faces[np.isin(body.labels, parts)], return_inverse=True)
    return body.points[used], faces.reshape(-1, 3).astype(np.int32)


def joined(surfaces: dict[BodyPart, tuple[NDArray, NDArray]]) -> BodyMesh:
    """Return one body of several surfaces, each given as points (K, 3) mm and faces (G, 3)."""
    starts = np.cumsum([0, *(len(points) for points, _ in surfaces.values())])
    faces = [faces + start for (_, faces), start in zip(surfaces.values(), starts, strict=False)]
    labels = [np.full(len(faces), part, np.uint8) for part, (_, faces) in surfaces.items()]
    return BodyMesh(np.concatenate([points for points, _ in surfaces.values()]), np.concatenate(faces), np.concatenate(labels))

"""A surface as another program wrote it: its own numbers and names, its own unit and axes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from echo3d.core.arrays import frozen_array
from echo3d.core.structures import Structure
from echo3d.errors import ShapeError


@dataclass(frozen=True, slots=True, eq=False)
class TaggedSurface:
    """Triangles whose tags are not yet known to be structures.

    Parameters
    ----------
    points : (N, 3) float64, in the file's own unit and axes
    faces : (F, 3) int32 point indices
    tags : (F,) int32, the number that the file gives each triangle's part
    names : per tag the file's name of the part, where it gives one
    array : what the tags are called in the file: the array's name, "names" for named parts, "" where there is neither
    convention : "gltf" where the format itself fixes unit and axes, "lps" for files of ours, "" otherwise
    """

    points: NDArray[np.float64]
    faces: NDArray[np.int32]
    tags: NDArray[np.int32]
    names: Mapping[int, str] = field(default_factory=dict)
    array: str = ""
    convention: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", frozen_array(self.points, np.float64, (None, 3), "points"))
        object.__setattr__(self, "faces", frozen_array(self.faces, np.int32, (None, 3), "faces"))
        object.__setattr__(self, "tags", frozen_array(self.tags, np.int32, (len(self.faces),), "tags"))
        if self.faces.size and not 0 <= self.faces.min() <= self.faces.max() < len(self.points):
            raise ShapeError("faces must index existing points")

    def part(self, tag: int) -> NDArray[np.int32]:
        """Return the (K, 3) faces of one part."""
        return np.asarray(self.faces[self.tags == tag])


def tetra_boundaries(tetrahedra: NDArray, tags: NDArray) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return for every tag the closed surface round its tetrahedra, as one list of faces with their tags.

    A triangle between two tags belongs to both and comes twice, each time with its corners turned so that the normal leaves its part.

    Parameters
    ----------
    tetrahedra : (C, 4) point indices
    tags : (C,) the part of each

    Returns
    -------
    faces (F, 3) int32, tags (F,) int32

    >>> faces, tags = tetra_boundaries(np.array([[0, 1, 2, 3], [1, 2, 3, 4]]), np.array([7, 7]))
    >>> len(faces), set(tags.tolist())
    (6, {7})
    """
    sides = np.array([[1, 2, 3], [0, 3, 2], [0, 1, 3], [0, 2, 1]])
    faces = tetrahedra[:, sides].reshape(-1, 3)
    owner = np.repeat(tags, 4)
    low, middle, high = np.sort(faces, axis=1).T.astype(np.int64)
    size = int(faces.max()) + 1
    first, key = low * size + middle, high * (int(tags.max()) - int(tags.min()) + 1) + (owner - int(tags.min()))
    order = np.lexsort((key, first))
    first, key = first[order], key[order]
    same = (first[1:] == first[:-1]) & (key[1:] == key[:-1])
    alone = ~(np.concatenate([[False], same]) | np.concatenate([same, [False]]))
    kept = order[alone]
    return faces[kept].astype(np.int32), owner[kept].astype(np.int32)


class Role(IntEnum):
    """What a foreign part can be beside a :class:`~echo3d.core.structures.Structure`; the numbers follow on its."""

    VENTRICLES = 201
    PAPILLARY = 202


ROLE_HELP = "a structure such as LV_MYOCARDIUM or 1, VENTRICLES (muscle of both, or its outer skin), PAPILLARY, or NONE"


def role_named(word: str | int) -> int | None:
    """Return the number of a structure or role by its name, title or number; 0 for "none", None where nothing is called so.

    >>> int(role_named("LV_MYOCARDIUM")), int(role_named("LA wall")), int(role_named(7)), int(role_named("ventricles"))
    (1, 3, 7, 201)
    >>> role_named("liver") is None, int(role_named("none"))
    (True, 0)
    """
    key = str(word).strip().lower().replace("_", " ").replace("-", " ")
    known = {member.name.lower().replace("_", " "): int(member) for kind in (Structure, Role) for member in kind}
    known |= {structure.title.lower(): int(structure) for structure in Structure} | {"none": 0}
    if key in known:
        return known[key]
    numbers = {int(member) for kind in (Structure, Role) for member in kind}
    return int(key) if key.isdigit() and int(key) in numbers else None

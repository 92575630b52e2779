"""Reads Wavefront OBJ with the groups that its faces belong to. *Source:* Wavefront OBJ, statements v, f, g and o."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from echo3d.errors import InputError

_HELPERS = ("helper", "joint")
"""Beginnings of the names of construction aids in bodies of MakeHuman, which are no part of the person."""


@dataclass(frozen=True, slots=True, eq=False)
class Grouped:
    """The triangles of an OBJ file, in the file's unit and axes.

    Parameters
    ----------
    points : (N, 3)
    faces : (F, 3); polygons are cut into triangles
    group : (F,) int32, the number of each face's group or object, 0 before the first
    names : the groups' names by number, from 1 in the order in which the file opens them; one that is opened again is the same
    """

    points: NDArray[np.float64]
    faces: NDArray[np.int64]
    group: NDArray[np.int32]
    names: dict[int, str]


def read_groups(path: Path) -> Grouped:
    """Read an OBJ file; texture and normal numbers, materials and curves are not read.

    Raises
    ------
    InputError
        If a number cannot be read, a face names a vertex that is not there, or there are no faces.
    """
    numbers, corners, owner = array("d"), array("q"), array("i")
    names: dict[str, int] = {}
    group = 0
    try:
        with path.open("rb") as lines:
            for line in lines:
                kind = line[:2]
                if kind in (b"v ", b"v\t"):
                    x, y, z = line.split()[1:4]
                    numbers.extend((float(x), float(y), float(z)))
                elif kind in (b"f ", b"f\t"):
                    triangles = _triangles(line.split()[1:], len(numbers) // 3)
                    corners.extend(triangles)
                    owner.extend([group] * (len(triangles) // 3))
                elif kind in (b"g ", b"o ") or line.strip() in (b"g", b"o"):
                    name = line[1:].strip().decode("utf-8", "replace")
                    group = names.setdefault(name, len(names) + 1)
        points, faces = np.array(numbers).reshape(-1, 3), np.array(corners, np.int64).reshape(-1, 3)
        if faces.size and not 0 <= faces.min() <= faces.max() < len(points):
            raise ValueError("a face beyond the points")
    except (ValueError, IndexError, OverflowError, OSError) as exc:
        raise InputError(f"an OBJ file must be readable, found a damaged one ({type(exc).__name__}); export it again") from exc
    if not len(faces):
        raise InputError("an OBJ file must hold faces, found none; export it again as a mesh")
    return Grouped(points, faces, np.array(owner, np.int32), {number: name for name, number in names.items()})


def _triangles(corners: list[bytes], count: int) -> list[int]:
    """Return the corners of the triangles of one polygon, one after the other; negative numbers count back from the last vertex.

    >>> _triangles([b"1/1", b"2/2", b"3/3", b"-1"], 4)
    [0, 1, 2, 0, 2, 3]
    """
    numbers = [int(corner.partition(b"/")[0]) for corner in corners]
    index = [number - 1 if number > 0 else count + number for number in numbers]
    return [corner for i in range(1, len(index) - 1) for corner in (index[0], index[i], index[i + 1])]


def read_obj(path: Path) -> dict[str, tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """Return points (N, 3) and triangles (F, 3) of a file's groups by name; helpers are left out where there is anything else.

    Raises
    ------
    InputError
        See :func:`read_groups`.
    """
    found = read_groups(path)
    there = {int(number): found.names.get(int(number), "") for number in np.unique(found.group)}
    wanted = {number: name for number, name in there.items() if not name.lower().startswith(_HELPERS)} or there
    parts = {}
    for number, name in wanted.items():
        used, corners = np.unique(found.faces[found.group == number], return_inverse=True)
        parts[name] = (found.points[used], corners.reshape(-1, 3))
    return parts

"""Reads Wavefront OBJ group by group, which VTK's reader does not keep apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from echo3d.errors import InputError

_HELPERS = ("helper", "joint")
"""Beginnings of the names of construction aids in bodies of MakeHuman, which are no part of the person."""


def read_obj(path: Path) -> dict[str, tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """Return per group its points (N, 3), in the file's unit and axes, and triangles (F, 3); polygons are cut into triangles.

    Parameters
    ----------
    path : the file; vertices may carry texture and normal numbers, which are not read

    Raises
    ------
    InputError
        If a number cannot be read, a face names a vertex that is not there, or there are no faces.
    """
    points: list[tuple[float, float, float]] = []
    groups: dict[str, list[tuple[int, int, int]]] = {}
    group = ""
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                word = line.split(maxsplit=1)
                if line.startswith("v "):
                    x, y, z = line.split()[1:4]
                    points.append((float(x), float(y), float(z)))
                elif line.startswith("f "):
                    groups.setdefault(group, []).extend(_triangles(line.split()[1:], len(points)))
                elif line.startswith(("g ", "o ")) or line.strip() in ("g", "o"):
                    group = word[1].strip() if len(word) > 1 else ""
        return _parts(np.array(points, float).reshape(-1, 3), groups)
    except (ValueError, IndexError, OSError) as exc:
        raise InputError(f"an OBJ file must be readable, found a damaged one ({type(exc).__name__}); export it again") from exc


def _triangles(corners: list[str], count: int) -> list[tuple[int, int, int]]:
    """Return the triangles of one polygon; negative numbers count back from the last vertex.

    >>> _triangles(["1/1", "2/2", "3/3", "-1"], 4)
    [(0, 1, 2), (0, 2, 3)]
    """
    numbers = [int(corner.split("/", 1)[0]) for corner in corners]
    index = [number - 1 if number > 0 else count + number for number in numbers]
    return [(index[0], index[i], index[i + 1]) for i in range(1, len(index) - 1)]


def _parts(points: NDArray, groups: dict[str, list[tuple[int, int, int]]]) -> dict[str, tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """Return the groups with their own points; helpers are left out where there is anything else."""
    if not groups:
        raise InputError("an OBJ file must hold faces, found none; export it again as a mesh")
    wanted = {name: faces for name, faces in groups.items() if not name.lower().startswith(_HELPERS)} or groups
    parts = {}
    for name, faces in wanted.items():
        corners = np.array(faces, np.int64)
        if corners.min() < 0 or corners.max() >= len(points):
            raise ValueError("a face beyond the points")
        used, index = np.unique(corners, return_inverse=True)
        parts[name] = (points[used], index.reshape(-1, 3))
    return parts

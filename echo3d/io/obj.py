"""Wavefront OBJ: surfaces in named groups, in and out. *Source:* Wavefront OBJ, statements v, f, g and o."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def group_of_faces(path: Path) -> tuple[NDArray[np.int32], dict[int, str]]:
    """Return for each polygon of an OBJ file the number of its group or object, and the groups' names.

    A group that is opened again later is the same group. VTK's reader gives the geometry and numbers the groups, without their names.
    """
    names: dict[str, int] = {}
    current, owner = 0, []
    with path.open("rb") as file:
        for line in file:
            if line.startswith((b"g ", b"o ")):
                name = line[2:].strip().decode("utf-8", "replace")
                current = names.setdefault(name, len(names) + 1)
            elif line.startswith(b"f "):
                owner.append(current)
    return np.array(owner, dtype=np.int32), {number: name for name, number in names.items()}


def write_obj(path: Path, points: NDArray, groups: Mapping[str, NDArray]) -> None:
    """Write points (N, 3) and named groups of triangles (F, 3)."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write("# echo3d, research use only; mm, x left, y back, z head\n")
        np.savetxt(file, points, fmt="v %.6f %.6f %.6f")
        for name, faces in groups.items():
            file.write(f"g {name}\n")
            np.savetxt(file, np.asarray(faces) + 1, fmt="f %d %d %d")

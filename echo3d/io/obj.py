"""Writes Wavefront OBJ: a surface in named groups. *Source:* Wavefront OBJ, statements v, f and g."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def write_obj(path: Path, points: NDArray, groups: Mapping[str, NDArray]) -> None:
    """Write points (N, 3) and named groups of triangles (F, 3)."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write("# echo3d, research use only; mm, x left, y back, z head\n")
        np.savetxt(file, points, fmt="v %.6f %.6f %.6f")
        for name, faces in groups.items():
            file.write(f"g {name}\n")
            np.savetxt(file, np.asarray(faces) + 1, fmt="f %d %d %d")

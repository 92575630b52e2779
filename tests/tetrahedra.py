"""The template's walls as tagged tetrahedra, as the published cohort has them: six to a voxel, blood left out."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np

from echo3d.anatomy.template import load_label_volume
from echo3d.core.field import LabelVolume


def wall_tetrahedra(voxel_mm: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return points (N, 3) mm, tetrahedra (C, 4) and tags (C,) of the template's tissue on cubes of a size."""
    volume = load_label_volume()
    labels = resampled(volume, voxel_mm)
    index = np.argwhere((labels > 0) & (labels <= 24))
    tags = labels[tuple(index.T)]
    shape = np.array(labels.shape) + 1
    cells = []
    for order in permutations(range(3)):
        corner, path = index.copy(), [index]
        for axis in order:
            corner = corner.copy()
            corner[:, axis] += 1
            path.append(corner)
        cells.append(np.stack([(p[:, 0] * shape[1] + p[:, 1]) * shape[2] + p[:, 2] for p in path], axis=1))
    used, corners = np.unique(np.stack(cells, axis=1).reshape(-1, 4), return_inverse=True)
    points = np.stack(np.unravel_index(used, shape), axis=1) - 0.5
    low = volume.affine[:3, 3] - 0.5
    return points * voxel_mm + low + 0.5 * voxel_mm, corners.reshape(-1, 4), np.repeat(tags, 6)


def resampled(volume: LabelVolume, voxel_mm: float) -> np.ndarray:
    """Return the template's labels on another raster over the same box."""
    size = np.ceil(np.array(volume.labels.shape) / voxel_mm).astype(int)
    centres = (np.stack(np.indices(size), axis=-1) + 0.5) * voxel_mm + volume.affine[:3, 3] - 0.5
    return volume.look_up(centres)


def write_ascii(path: Path, points: np.ndarray, tetrahedra: np.ndarray, tags: np.ndarray) -> None:
    """Write ASCII legacy VTK as the cohort's files are laid out. *Source:* reference science.md E.2."""
    with path.open("w") as file:
        file.write(f"# vtk DataFile Version 3.0\nheart\nASCII\nDATASET UNSTRUCTURED_GRID\nPOINTS {len(points)} float\n")
        np.savetxt(file, points, fmt="%.4f")
        file.write(f"CELLS {len(tetrahedra)} {5 * len(tetrahedra)}\n")
        np.savetxt(file, np.column_stack([np.full(len(tetrahedra), 4), tetrahedra]), fmt="%d")
        file.write(f"CELL_TYPES {len(tetrahedra)}\n" + "10\n" * len(tetrahedra))
        file.write(f"CELL_DATA {len(tetrahedra)}\nSCALARS elemTag int 1\nLOOKUP_TABLE default\n")
        np.savetxt(file, tags, fmt="%d")

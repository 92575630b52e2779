"""Hearts in files: VTP, VTK, STL, PLY, OBJ and GLB in and out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyvista as pv
from numpy.typing import NDArray

from echo3d.core.mesh import HeartMesh
from echo3d.core.structures import Structure, colour
from echo3d.errors import InputError
from echo3d.io.glb import Part, write_glb
from echo3d.io.obj import write_obj
from echo3d.io.ply import write_ply
from echo3d.io.surfaces import OURS, read_surface

WRITABLE = (".vtp", ".vtk", ".stl", ".ply", ".obj", ".glb")
LABEL_ARRAY = "elemTag"
"""Name of the structure array in files. *Source:* the published cohort's own name."""


def write_vtp(path: Path, mesh: HeartMesh, point_arrays: Mapping[str, NDArray] | None = None) -> None:
    """Write a labelled heart as a VTK XML surface (binary, compressed).

    Parameters
    ----------
    path : file to make
    mesh : the heart; its labels become the cell array "elemTag"
    point_arrays : further (N,) or (N, C) arrays over the points
    """
    surface = _polydata(mesh)
    surface.cell_data[LABEL_ARRAY] = mesh.labels
    surface.field_data[OURS] = np.array(["LPS"])
    for name, values in (point_arrays or {}).items():
        surface.point_data[name] = np.asarray(values)
    surface.save(path)


def export_mesh(path: Path, mesh: HeartMesh) -> None:
    """Write a heart in the format that the suffix names: VTP, VTK, PLY, OBJ in groups, GLB in coloured parts, or STL, which keeps no tags.

    Raises
    ------
    InputError
        If the suffix is none of these.
    """
    suffix = path.suffix.lower()
    if suffix not in WRITABLE:
        raise InputError(f"a mesh is written as one of {', '.join(WRITABLE)}, found {suffix or 'no suffix'}; choose one of these")
    if suffix == ".vtp":
        write_vtp(path, mesh)
    elif suffix == ".glb":
        write_glb(path, _parts(mesh))
    elif suffix == ".ply":
        write_ply(path, mesh.points, mesh.faces, {LABEL_ARRAY: mesh.labels})
    elif suffix == ".obj":
        write_obj(path, mesh.points, {Structure(int(tag)).title: mesh.faces[mesh.labels == tag] for tag in np.unique(mesh.labels)})
    else:
        surface = _polydata(mesh)
        if suffix == ".vtk":  # as whole numbers, because VTK writes bytes as colours there
            surface.cell_data[LABEL_ARRAY] = mesh.labels.astype(np.int32)
        surface.save(path)


def read_mesh(path: Path) -> HeartMesh:
    """Read a surface that is in mm and LPS (of a GLB: in metres with y up, as the format asks); other polygons are cut into triangles.

    Parameters
    ----------
    path : file of a kind that :func:`echo3d.io.surfaces.read_surface` reads

    Returns
    -------
    HeartMesh
        Labels come from the cell (else point) array "elemTag" and are 0 where there is none.

    Raises
    ------
    InputError
        If the file is missing, of another kind, damaged, too large or holds no triangles.
    """
    surface = read_surface(path)
    points = np.asarray(surface.points)
    if surface.convention == "gltf":
        points = 1000.0 * np.stack([points[:, 0], -points[:, 2], points[:, 1]], axis=1)
    tagged = surface.array == LABEL_ARRAY and surface.tags.min() >= 0 and surface.tags.max() <= 255
    labels = surface.tags if tagged else np.zeros_like(surface.tags)
    return HeartMesh(points, surface.faces, labels.astype(np.uint8))


def _polydata(mesh: HeartMesh) -> pv.PolyData:
    """Return the surface as VTK has it."""
    return pv.PolyData.from_regular_faces(np.asarray(mesh.points), np.asarray(mesh.faces))


def _parts(mesh: HeartMesh) -> list[Part]:
    """Return one coloured part per structure, its points renumbered."""
    parts = []
    for label in np.unique(mesh.labels):
        used, faces = np.unique(mesh.faces[mesh.labels == label], return_inverse=True)
        structure = Structure(int(label))
        parts.append(Part(structure.title, colour(structure), mesh.points[used], faces.reshape(-1, 3)))
    return parts

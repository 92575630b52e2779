"""Surfaces in files: VTP, VTK, STL, PLY, OBJ in and out, GLB out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyvista as pv
from numpy.typing import NDArray

from echo3d.core.mesh import HeartMesh
from echo3d.core.structures import Structure, colour
from echo3d.errors import InputError, ShapeError
from echo3d.io.glb import Part, write_glb

READABLE = (".vtp", ".vtk", ".stl", ".ply", ".obj")
WRITABLE = (*READABLE, ".glb")
LABEL_ARRAY = "elemTag"
"""Name of the structure array in files. *Source:* the published cohort's own name."""
LARGEST_FILE = 500_000_000
_LARGEST_COUNT = 20_000_000


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
    for name, values in (point_arrays or {}).items():
        surface.point_data[name] = np.asarray(values)
    surface.save(path)


def export_mesh(path: Path, mesh: HeartMesh) -> None:
    """Write a heart in the format that the suffix names: VTP, VTK, STL, PLY, OBJ, or GLB with one coloured part per structure.

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
    else:
        surface = _polydata(mesh)
        if suffix == ".vtk":
            surface.cell_data[LABEL_ARRAY] = mesh.labels
        surface.save(path)


def read_mesh(path: Path) -> HeartMesh:
    """Read a triangle surface; other polygons are cut into triangles.

    Parameters
    ----------
    path : VTP, VTK, STL, PLY or OBJ file

    Returns
    -------
    HeartMesh
        Labels come from the cell (else point) array "elemTag" and are 0 where there is none.

    Raises
    ------
    InputError
        If the file is missing, of another kind, damaged, too large or holds no triangles.
    """
    _check_file(path)
    try:
        found = pv.get_reader(str(path)).read() if _looks_right(path) else None
    except Exception as exc:  # VTK's readers raise whatever their format's parser raises
        raise InputError(f"a mesh file must be readable, found a damaged {path.suffix.lower()} file; export it again") from exc
    surface = found.extract_surface(algorithm="dataset_surface") if isinstance(found, pv.UnstructuredGrid) else found
    triangles = surface.triangulate() if isinstance(surface, pv.PolyData) else pv.PolyData()
    if triangles.n_cells == 0:
        raise InputError(f"a mesh file must hold a surface of triangles, found none in this {path.suffix.lower()} file; export it again")
    return _heart(triangles)


def _check_file(path: Path) -> None:
    """Refuse what cannot be a mesh before VTK sees it."""
    suffix = path.suffix.lower()
    if suffix not in READABLE:
        raise InputError(f"a mesh is read from one of {', '.join(READABLE)}, found {suffix or 'no suffix'}; convert it to one of these")
    if not path.is_file():
        raise InputError(f"a mesh must be a file, found none at the {suffix} path given; check the name")
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError as exc:
        raise InputError(f"a mesh file must be readable, found no permission to read this {suffix} file; change its permissions") from exc
    size = path.stat().st_size
    if not 0 < size <= LARGEST_FILE:
        raise InputError(f"a mesh file holds 1 to {LARGEST_FILE} bytes, found {size}; use a smaller mesh")


def _looks_right(path: Path) -> bool:
    """Return whether the beginning of the file fits its suffix and declares no more than the file can hold."""
    with path.open("rb") as file:
        head = file.read(4096)
    suffix, size = path.suffix.lower(), path.stat().st_size
    if suffix == ".vtp":
        return b"PolyData" in head and b"VTKFile" in head
    if suffix == ".vtk":
        return head.startswith(b"# vtk")
    if suffix == ".ply":
        return head.startswith(b"ply") and max(_ply_counts(head), default=0) <= min(size, _LARGEST_COUNT)
    if suffix == ".stl":
        return b"facet" in head or (size >= 84 and 84 + 50 * int.from_bytes(head[80:84], "little") <= size)
    return any(line.startswith((b"v ", b"f ", b"o ", b"g ", b"mtllib")) for line in head.splitlines())


def _ply_counts(head: bytes) -> list[int]:
    """Return the element counts that a PLY header declares."""
    words = [line.split() for line in head.split(b"end_header")[0].splitlines() if line.startswith(b"element")]
    return [int(word[2]) for word in words if len(word) == 3 and word[2].isdigit()]


def _heart(surface: pv.PolyData) -> HeartMesh:
    """Return the triangles of a surface with their labels."""
    faces = np.asarray(surface.regular_faces)
    labels = np.zeros(len(faces), np.uint8)
    if len(surface.cell_data.get(LABEL_ARRAY, ())) == len(faces):
        labels = np.asarray(surface.cell_data[LABEL_ARRAY]).astype(np.uint8)
    elif LABEL_ARRAY in surface.point_data:
        labels = np.asarray(surface.point_data[LABEL_ARRAY])[faces[:, 0]].astype(np.uint8)
    try:
        return HeartMesh(np.asarray(surface.points, float), faces, labels)
    except ShapeError as exc:
        raise InputError(f"a mesh must hold finite points and existing corners, found otherwise ({exc}); export it again") from exc


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

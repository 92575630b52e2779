"""Surfaces and tetrahedra of other programs, whatever they are written in, as triangles with tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyvista as pv
from numpy.typing import NDArray

from echo3d.core.foreign import TaggedSurface, tetra_boundaries
from echo3d.errors import InputError, ShapeError
from echo3d.io.gltf_read import read_nodes
from echo3d.io.mesh_claims import check_mesh_file
from echo3d.io.obj_read import read_groups
from echo3d.io.part_names import solid_names
from echo3d.io.ply import read_ply
from echo3d.io.vtk_read import read_dataset

KNOWN_ARRAYS = ("elemTag", "RegionId", "class", "tag", "tags", "label", "labels", "material", "region")
"""Names of tag arrays in the order in which they are looked for. *Source:* the published cohort, HeartDeformNets, Cobiveco; then habit."""

MOST_TAGS = 256
"""Different values that an array may have and still be taken for tags."""

_TETRA, _TRIANGLE, _QUAD = 10, 5, 9
OURS = "echo3d_axes"
"""Field array in files of ours: their points are mm in LPS."""


def read_surface(path: Path, array: str | None = None) -> TaggedSurface:
    """Read the tagged triangles of any mesh file; of tetrahedra the closed surface of every tag.

    Parameters
    ----------
    path : VTP, VTU, VTK (ASCII or binary), PLY, OBJ, STL or GLB file
    array : name of the cell or point array with the tags; else the first of ``KNOWN_ARRAYS``, the only one that could be tags, or the
        names of groups, nodes or solids

    Raises
    ------
    InputError
        If the file is missing, damaged, too large, holds no triangles or no finite points, or the array is not there or holds no tags.
    """
    check_mesh_file(path)
    suffix = path.suffix.lower()
    try:
        if suffix == ".ply":
            return _of_ply(path, array)
        if suffix == ".glb":
            return _of_glb(path)
        if suffix == ".obj":
            return _of_obj(path, array)
        dataset = read_dataset(path)
        if isinstance(dataset, pv.UnstructuredGrid):
            return _of_cells(dataset, array)
        return _of_polygons(dataset, path, array)
    except ShapeError as exc:
        raise InputError(f"a mesh must hold finite points and existing corners, found otherwise ({exc}); export it again") from exc


def _of_ply(path: Path, array: str | None) -> TaggedSurface:
    surface = read_ply(path)
    name, tags = _tags(surface.face_arrays, surface.point_arrays, surface.faces, array)
    return _checked(surface.points, surface.faces, tags, {}, array=name)


def _of_glb(path: Path) -> TaggedSurface:
    """Return the parts of a binary glTF file, named by their nodes."""
    nodes = read_nodes(path)
    starts = np.cumsum([0, *(len(node.points) for node in nodes)])
    faces = np.concatenate([node.faces + start for node, start in zip(nodes, starts, strict=False)])
    tags = np.concatenate([np.full(len(node.faces), node.number) for node in nodes])
    names = {node.number: node.name for node in nodes}
    return _checked(np.concatenate([node.points for node in nodes]), faces, tags, names, array="names", convention="gltf")


def _of_obj(path: Path, array: str | None) -> TaggedSurface:
    """Return the groups of an OBJ file, which has no arrays."""
    found = read_groups(path)
    if found.names and array is None:
        return _checked(found.points, found.faces, found.group, found.names, array="names")
    name, tags = _tags({}, {}, found.faces, array)
    return _checked(found.points, found.faces, tags, {}, array=name)


def _of_cells(grid: pv.UnstructuredGrid, array: str | None) -> TaggedSurface:
    """Return the surface of each tag's tetrahedra; of a grid without any, its triangles and quadrangles."""
    solid = grid if set(np.unique(grid.celltypes)) <= {_TETRA, _TRIANGLE, _QUAD} else grid.triangulate()
    points = np.asarray(solid.points, float)
    chosen = np.flatnonzero(solid.celltypes == _TETRA)
    if len(chosen) == 0:
        return _of_polygons(solid.extract_surface(algorithm="dataset_surface"), None, array)
    corners = np.asarray(solid.cells_dict[_TETRA], np.int64)
    cell_arrays = {name: np.asarray(values)[chosen] for name, values in solid.cell_data.items()}
    name, tags = _tags(cell_arrays, dict(solid.point_data), corners, array)
    a, b, c, d = (points[corners[:, i]] for i in range(4))
    turned = np.einsum("ij,ij->i", np.cross(b - a, c - a), d - a) < 0
    faces, owner = tetra_boundaries(np.where(turned[:, None], corners[:, [1, 0, 2, 3]], corners), tags)
    used, renumbered = np.unique(faces, return_inverse=True)
    return _checked(points[used], renumbered.reshape(-1, 3), owner, {}, array=name)


def _of_polygons(surface: pv.PolyData, path: Path | None, array: str | None) -> TaggedSurface:
    """Return a polygonal data set's triangles."""
    owner, names = _named_parts(surface, path)
    whole = surface.copy()
    whole.cell_data["polygon"] = np.arange(surface.n_cells)
    whole = whole.triangulate()
    if whole.n_cells == 0:
        raise InputError("a mesh file must hold a surface of triangles, found none; export it again")
    faces, polygon = np.asarray(whole.regular_faces), np.asarray(whole.cell_data["polygon"])
    convention = "lps" if OURS in surface.field_data else ""
    if names and array is None:
        return _checked(np.asarray(whole.points, float), faces, owner[polygon], names, array="names", convention=convention)
    cell_arrays = {name: np.asarray(values)[polygon] for name, values in surface.cell_data.items()}
    name, tags = _tags(cell_arrays, dict(whole.point_data), faces, array)
    return _checked(np.asarray(whole.points, float), faces, tags, {}, array=name, convention=convention)


def _named_parts(surface: pv.PolyData, path: Path | None) -> tuple[NDArray[np.int32], dict[int, str]]:
    """Return the part of each polygon and the parts' names, where the format has names."""
    owner = np.zeros(surface.n_cells, np.int32)
    if path is None or path.suffix.lower() != ".stl" or "STLSolidLabeling" not in surface.cell_data:
        return owner, {}
    labels = np.asarray(surface.cell_data["STLSolidLabeling"]).astype(np.int32)
    return (labels, solid_names(path)) if len(labels) == surface.n_cells else (owner, {})


def _tags(
    cells: Mapping[str, NDArray], points: Mapping[str, NDArray], corners: NDArray, wanted: str | None
) -> tuple[str, NDArray[np.int32]]:
    """Return the name of the tag array and each cell's tag; zeros where the file has none.

    Of a point array a cell takes the middle one of its corners' values, which is the one that two of three share.
    """
    name = _choice([*cells, *points], cells, points, wanted)
    if not name:
        return "", np.zeros(len(corners), np.int32)
    values = np.asarray(cells[name]) if name in cells else np.asarray(points[name])
    if values.ndim != 1 or not np.issubdtype(values.dtype, np.number):
        raise InputError(f"a tag array must hold one number per cell or point, found another shape in {name[:60]!r}; name another array")
    if len(values) and not (np.isfinite(values).all() and (values == np.round(values)).all() and np.abs(values).max() < 2**31):
        raise InputError(f"a tag array must hold whole numbers, found others in {name[:60]!r}; name another array")
    if name not in cells:
        values = np.sort(values[corners], axis=1)[:, 1]
    return name, values.astype(np.int32)


def _choice(names: Sequence[str], cells: Mapping[str, NDArray], points: Mapping[str, NDArray], wanted: str | None) -> str:
    """Return the name of the array to take, "" for none."""
    if wanted is not None:
        if wanted not in names:
            listed = ", ".join(sorted({str(name)[:40] for name in names})) or "none"
            raise InputError(f"the tag array must be in the file, found no {wanted[:60]!r} among its arrays ({listed}); name one of these")
        return wanted
    known = [name for name in KNOWN_ARRAYS if name in names]
    possible = known or [name for name in names if _like_tags(cells[name] if name in cells else points[name])]
    return possible[0] if len(known) > 0 or len(set(possible)) == 1 else ""


def _like_tags(values: NDArray) -> bool:
    """Return whether an array of unknown name could be tags: whole numbers, few different ones."""
    flat = np.asarray(values)
    if flat.ndim != 1 or not np.issubdtype(flat.dtype, np.number) or not np.isfinite(flat).all():
        return False
    return bool((flat == np.round(flat)).all()) and 1 < len(np.unique(flat)) <= MOST_TAGS


def _checked(
    points: NDArray, faces: NDArray, tags: NDArray, names: Mapping[int, str], *, array: str, convention: str = ""
) -> TaggedSurface:
    """Return the surface after a look at what no reader checks."""
    if len(faces) == 0:
        raise InputError("a mesh file must hold a surface of triangles, found none; export it again")
    if not np.isfinite(points).all():
        count = int((~np.isfinite(points).all(axis=1)).sum())
        raise InputError(f"a mesh must hold finite points, found {count} that are not numbers; export it again")
    used = np.unique(tags)
    return TaggedSurface(points, faces, tags, {int(tag): names[int(tag)] for tag in used if int(tag) in names}, array, convention)

"""The 3D heart as surfaces ready to be drawn; pyvista, no Qt, fit for a background thread."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

import numpy as np
import pyvista as pv
from numpy.typing import NDArray
from vtkmodules.vtkFiltersGeneral import vtkContourTriangulator

from echo3d.clinical.overlay import section_outlines
from echo3d.core.mesh import Template
from echo3d.core.sector import Sector
from echo3d.core.structures import Structure, colour


@dataclass(frozen=True, slots=True, eq=False)
class Skin:
    """The faces that are drawn for a choice of structures: the boundary of their union, each face in its structure's colour.

    Parameters
    ----------
    faces : (F, 3) int32 into the material points, normals out of the drawn structures
    structures : (F,) uint8 the structure behind each face
    """

    faces: NDArray[np.int32]
    structures: NDArray[np.uint8]


def skin_of(template: Template, visible: Set[Structure]) -> Skin:
    """Return the boundary of the union of the visible structures.

    ``template.sides`` says what lies behind and in front of each face; a face with a visible structure on exactly one side is seen.
    """
    back, front = (np.isin(template.sides[:, i], list(visible)) for i in (0, 1))
    outwards, inwards = back & ~front, front & ~back
    faces = np.concatenate([template.mesh.faces[outwards], template.mesh.faces[inwards][:, ::-1]])
    structures = np.concatenate([template.sides[outwards, 0], template.sides[inwards, 1]])
    return Skin(faces.astype(np.int32), structures.astype(np.uint8))


def colours(structures: NDArray) -> NDArray[np.uint8]:
    """Return the (F, 3) RGB colour of each structure value.

    >>> colours(np.array([1]))
    array([[201,  74,  66]], dtype=uint8)
    """
    table = np.zeros((256, 3), np.uint8)
    for structure in Structure:
        table[structure] = colour(structure)
    return table[structures]


def point_normals(points: NDArray, faces: NDArray) -> NDArray[np.float32]:
    """Return the (N, 3) unit normals at the points, area-weighted over the faces; zero where no face is.

    >>> point_normals(np.eye(3), np.array([[0, 1, 2]]))[0].round(3).tolist()
    [0.5770000219345093, 0.5770000219345093, 0.5770000219345093]
    """
    a, b, c = (points[faces[:, i]] for i in range(3))
    across = np.cross(b - a, c - a)
    total = np.stack([np.bincount(faces.reshape(-1), np.repeat(across[:, k], 3), len(points)) for k in range(3)], axis=1)
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return (total / np.maximum(length, 1e-12)).astype(np.float32)


def surface(points: NDArray, skin: Skin) -> pv.PolyData:
    """Return the skin of one heart with normals and a colour per face."""
    mesh = pv.PolyData.from_regular_faces(np.ascontiguousarray(points, np.float32), skin.faces)
    mesh.point_data.active_normals = point_normals(np.asarray(points, float), skin.faces)
    mesh.cell_data["colour"] = colours(skin.structures)
    return mesh


def cap(template: Template, points: NDArray, plane: Sector, visible: Set[Structure]) -> pv.PolyData:
    """Return the cut faces of the visible structures on a plane, each in its colour; possibly empty."""
    corners, faces, tints, count = [], [], [], 0
    for structure, loops in section_outlines(template, np.asarray(points, float), plane).items():
        usable = [loop[:-1] for loop in loops if len(loop) > 3]
        if structure in visible and usable:
            triangles = _triangles(usable)
            corners.append(np.concatenate(usable))
            faces.append(triangles + count)
            tints.append(np.tile(np.array(colour(structure), np.uint8), (len(triangles), 1)))
            count += len(corners[-1])
    if not count:
        return pv.PolyData()
    mesh = pv.PolyData.from_regular_faces(plane.world(np.concatenate(corners)).astype(np.float32), np.concatenate(faces))
    mesh.cell_data["colour"] = np.concatenate(tints)
    return mesh


def _triangles(loops: list[NDArray]) -> NDArray[np.int64]:
    """Return (F, 3) triangles inside closed loops (even-odd) of (depth, lateral) corners, as indices into the joined loops."""
    corners = np.concatenate(loops)
    ends = np.cumsum([len(loop) for loop in loops])
    following = np.arange(1, len(corners) + 1)
    following[ends - 1] = ends - [len(loop) for loop in loops]
    lines = np.column_stack([np.full(len(corners), 2), np.arange(len(corners)), following])
    flat = np.column_stack([corners[:, 1], -corners[:, 0], np.zeros(len(corners))])
    triangulator = vtkContourTriangulator()
    triangulator.SetInputData(pv.PolyData(flat, lines=lines.reshape(-1)))
    triangulator.Update()
    filled = pv.wrap(triangulator.GetOutput())
    return filled.regular_faces if filled.n_cells else np.zeros((0, 3), np.int64)


_FROM_FRONT = np.array([0.25, -1.0, 0.5])
_HEAD = np.array([0.0, 0.0, 1.0])


def facing(plane: Sector, *, as_echo: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (towards the viewer, up), unit vectors, for looking at a cut.

    As the echo view: the fan opens downwards and the picture's right is on the right. Otherwise as an anatomy book: from the patient's
    front, head up.

    >>> s = Sector(np.zeros(3), np.array([0, 0, 1.0]), np.array([1.0, 0, 0]), 40, 150)
    >>> facing(s, as_echo=True)
    (array([0., 1., 0.]), array([ 0.,  0., -1.]))
    """
    if as_echo:
        return -plane.normal + 0.0, -plane.axis + 0.0
    front = plane.normal if plane.normal @ _FROM_FRONT > 0 else -plane.normal
    up = _HEAD - (_HEAD @ front) * front
    return front, up / np.linalg.norm(up) if np.linalg.norm(up) > 0.1 else -plane.axis


def fan_outline(fan: Sector, steps: int = 32) -> pv.PolyData:
    """Return the closed outline of a fan in space.

    >>> fan_outline(Sector(np.zeros(3), np.array([0, 0, 1.0]), np.array([1.0, 0, 0]), 40, 150)).n_points
    34
    """
    angles = np.radians(np.linspace(-fan.half_angle, fan.half_angle, steps))
    arc = fan.depth * np.column_stack([np.cos(angles), np.sin(angles)])
    points = fan.world(np.concatenate([[[0.0, 0.0]], arc, [[0.0, 0.0]]]))
    return pv.PolyData(points, lines=np.concatenate([[len(points)], np.arange(len(points))]))

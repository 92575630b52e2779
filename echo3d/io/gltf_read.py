"""Reads the triangles of binary glTF: every mesh node with its name and its place in the scene."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echo3d.errors import InputError

Surface = tuple[NDArray[np.float64], NDArray[np.int64]]

_TYPES = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
_TRIANGLES, _STRIP, _FAN = 4, 5, 6
_DEEPEST, _MOST_NODES = 64, 10_000


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A node of the scene that holds triangles.

    Parameters
    ----------
    number : its place in the file's list of nodes
    name : its own name, else that of its mesh, else "node" with its number
    points, faces : (N, 3) in the file's unit and axes, where the scene has them, and (F, 3)
    """

    number: int
    name: str
    points: NDArray[np.float64]
    faces: NDArray[np.int64]


def read_nodes(path: Path) -> list[Node]:
    """Return the nodes of a file that hold triangles; colours, normals, skins and animations are not read.

    Raises
    ------
    InputError
        If the file is no binary glTF 2.0, is cut short, uses compression or an outside buffer, or holds no triangles.

    *Source:* Khronos glTF 2.0, sections 3.6 (accessors), 3.5 (nodes), 3.7.2 (strips and fans) and 4.4 (GLB layout).
    """
    try:
        document, body = _chunks(path.read_bytes())
        nodes = _scene(document, body)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError, struct.error, RecursionError, OSError) as exc:
        raise InputError(f"a GLB file must follow glTF 2.0, found a damaged one ({type(exc).__name__}); export it again") from exc
    if not nodes:
        raise InputError("a GLB file must hold triangles, found none; export it again as a mesh")
    return nodes


def read_glb(path: Path) -> dict[str, Surface]:
    """Return points (N, 3) and faces (F, 3) of :func:`read_nodes` by name; nodes of the same name are numbered."""
    found: dict[str, Surface] = {}
    for node in read_nodes(path):
        found[_free(node.name, found)] = (node.points, node.faces)
    return found


def _chunks(data: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the JSON document and the binary chunk."""
    magic, version, length = struct.unpack_from("<III", data)
    if magic != 0x46546C67 or version != 2:
        raise InputError("a GLB file must be binary glTF 2.0, found another kind of file; export it as .glb")
    if length > len(data):
        raise InputError(f"a GLB file must be complete, found {len(data)} of {length} bytes; copy it again")
    size, kind = struct.unpack_from("<II", data, 12)
    document = json.loads(data[20 : 20 + size]) if kind == 0x4E4F534A else {}
    at = 20 + size
    return document, data[at + 8 : at + 8 + struct.unpack_from("<I", data, at)[0]] if at + 8 <= length else b""


def _scene(document: dict[str, Any], body: bytes) -> list[Node]:
    """Return all mesh nodes of the scene, moved to where the scene has them."""
    if "KHR_draco_mesh_compression" in document.get("extensionsRequired", []):
        raise InputError("a GLB file must not be compressed, found Draco compression; export it without")
    scenes = document.get("scenes")
    roots = scenes[document.get("scene", 0)]["nodes"] if scenes else range(len(document["nodes"]))
    found: list[Node] = []
    stack = [(int(root), np.eye(4), 0) for root in reversed(list(roots))]
    visited = 0
    while stack:
        index, above, depth = stack.pop()
        visited += 1
        if depth > _DEEPEST or visited > _MOST_NODES:
            raise ValueError("nodes within nodes without end")
        node = document["nodes"][index]
        placed = above @ _matrix(node)
        if "mesh" in node:
            name = str(node.get("name") or document["meshes"][node["mesh"]].get("name") or f"node {index}")
            surface = _mesh(document, body, document["meshes"][node["mesh"]])
            if len(surface[1]):
                found.append(Node(index, name, *_moved(surface, placed)))
        stack += [(int(child), placed, depth + 1) for child in reversed(node.get("children", []))]
    return found


def _free(name: str, taken: dict[str, Surface]) -> str:
    """Return the name, numbered if it is taken."""
    number = 2
    free = name
    while free in taken:
        free, number = f"{name} {number}", number + 1
    return free


def _moved(surface: Surface, matrix: NDArray) -> Surface:
    """Return a surface under an affine; a mirrored one keeps its outside outside."""
    points, faces = surface
    moved = points @ matrix[:3, :3].T + matrix[:3, 3]
    return moved, faces[:, ::-1] if np.linalg.det(matrix[:3, :3]) < 0 else faces


def _matrix(node: dict[str, Any]) -> NDArray[np.float64]:
    """Return the (4, 4) place of a node within the one above it."""
    if "matrix" in node:
        return np.array(node["matrix"], float).reshape(4, 4).T
    x, y, z, w = node.get("rotation", (0.0, 0.0, 0.0, 1.0))
    turn = np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip
    matrix = np.eye(4)
    matrix[:3, :3] = turn * np.array(node.get("scale", (1.0, 1.0, 1.0)), float)
    matrix[:3, 3] = node.get("translation", (0.0, 0.0, 0.0))
    return matrix


def _mesh(document: dict[str, Any], body: bytes, mesh: dict[str, Any]) -> Surface:
    """Return the triangles of a mesh; primitives of lines and points are left out."""
    points: list[NDArray] = [np.zeros((0, 3))]
    faces: list[NDArray] = [np.zeros((0, 3), np.int64)]
    for primitive in mesh["primitives"]:
        mode = primitive.get("mode", _TRIANGLES)
        if mode not in (_TRIANGLES, _STRIP, _FAN):
            continue
        corners = _accessor(document, body, primitive["attributes"]["POSITION"]).astype(float)
        index = _accessor(document, body, primitive["indices"]).ravel() if "indices" in primitive else np.arange(len(corners))
        triangles = _triangles(index.astype(np.int64), mode)
        if triangles.size and triangles.max() >= len(corners):
            raise ValueError("an index beyond the points")
        faces.append(triangles + sum(len(p) for p in points))
        points.append(corners)
    return np.concatenate(points), np.concatenate(faces)


def _triangles(index: NDArray, mode: int) -> NDArray[np.int64]:
    """Return the (F, 3) triangles of a list, a strip (every second one turned over) or a fan of corners.

    >>> _triangles(np.arange(4), 5).tolist(), _triangles(np.arange(4), 6).tolist()
    ([[0, 1, 2], [2, 1, 3]], [[0, 1, 2], [0, 2, 3]])
    """
    if mode == _TRIANGLES:
        return index[: len(index) // 3 * 3].reshape(-1, 3)
    first, second, third = index[:-2], index[1:-1], index[2:]
    if mode == _FAN:
        return np.stack([np.broadcast_to(index[:1], second.shape), second, third], axis=1)
    odd = np.arange(len(third)) % 2 == 1
    return np.stack([np.where(odd, second, first), np.where(odd, first, second), third], axis=1)


def _accessor(document: dict[str, Any], body: bytes, index: int) -> NDArray:
    """Return (count, width) numbers of one accessor."""
    accessor = document["accessors"][index]
    view = document["bufferViews"][accessor["bufferView"]]
    if "uri" in document["buffers"][view["buffer"]]:
        raise InputError("a GLB file must hold its own buffer, found one outside; export it as a single .glb")
    kind, width, count = np.dtype(_TYPES[accessor["componentType"]]), _WIDTHS[accessor["type"]], int(accessor["count"])
    start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
    stride = view.get("byteStride", kind.itemsize * width)
    if count < 0 or start < 0 or stride < kind.itemsize * width or start + stride * (count - 1) + kind.itemsize * width > len(body):
        raise ValueError("an accessor beyond the buffer")
    return np.ndarray((count, width), kind, body, start, (stride, kind.itemsize)).copy()

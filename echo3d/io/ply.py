"""PLY surfaces with every number that stands beside their points and faces, in and out.

VTK's own reader leaves out all arrays that it does not know, tags among them, and a file cut short ends the whole program with it
(VTK 9.7.2, segmentation fault), so this one format is read here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from echo3d.errors import InputError

_TYPES = {
    **dict.fromkeys(("char", "int8"), "i1"),
    **dict.fromkeys(("uchar", "uint8"), "u1"),
    **dict.fromkeys(("short", "int16"), "i2"),
    **dict.fromkeys(("ushort", "uint16"), "u2"),
    **dict.fromkeys(("int", "int32"), "i4"),
    **dict.fromkeys(("uint", "uint32"), "u4"),
    **dict.fromkeys(("float", "float32"), "f4"),
    **dict.fromkeys(("double", "float64"), "f8"),
}
_ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
_LONGEST_HEADER = 65_536


@dataclass(frozen=True, slots=True, eq=False)
class PlySurface:
    """What a PLY file holds.

    Parameters
    ----------
    points : (N, 3) float64
    faces : (F, 3) int32; polygons are cut into fans
    point_arrays, face_arrays : the other single numbers, (N,) and (F,)
    """

    points: NDArray[np.float64]
    faces: NDArray[np.int32]
    point_arrays: dict[str, NDArray]
    face_arrays: dict[str, NDArray]


@dataclass(frozen=True, slots=True)
class _Property:
    """One column: its name, its number type, and the type of its length where it is a list."""

    name: str
    kind: str
    length: str | None


@dataclass(frozen=True, slots=True)
class _Element:
    """One table: its name, how many rows, and its columns."""

    name: str
    count: int
    columns: tuple[_Property, ...]


def read_ply(path: Path) -> PlySurface:
    """Read an ASCII or binary PLY surface.

    *Source:* G. Turk, The PLY Polygon File Format.

    Raises
    ------
    InputError
        If the file is no PLY, damaged or cut short.
    """
    data = path.read_bytes()
    try:
        order, elements, start = _header(data)
        rows: Iterator[tuple[_Element, dict[str, list | NDArray]]] = (
            _binary(data, start, elements, order) if order else _ascii(data[start:], elements)
        )
        tables = {element.name: columns for element, columns in rows}
        return _surface(tables["vertex"], tables["face"])
    except (KeyError, ValueError, IndexError, UnicodeDecodeError, OverflowError) as exc:
        raise InputError("a .ply file must be whole and hold points and faces, found a damaged one; export or copy it again") from exc


def _header(data: bytes) -> tuple[str, list[_Element], int]:
    """Return byte order ("" for ASCII), the tables and where the header ends."""
    end = data.index(b"end_header", 0, _LONGEST_HEADER)
    order, elements = _ORDERS["ascii"], []
    for words in (line.split() for line in data[:end].decode("ascii", "replace").splitlines()):
        if words[:1] == ["format"]:
            order = _ORDERS[words[1]]
        elif words[:1] == ["element"]:
            elements.append(_Element(words[1], int(words[2]), ()))
        elif words[:1] == ["property"]:
            listed = words[1] == "list"
            column = _Property(words[-1], _TYPES[words[-2]], _TYPES[words[2]] if listed else None)
            last = elements[-1]
            elements[-1] = _Element(last.name, last.count, (*last.columns, column))
    return order, elements, data.index(b"\n", end) + 1


def _ascii(body: bytes, elements: list[_Element]) -> Iterator[tuple[_Element, dict[str, list | NDArray]]]:
    """Yield each table of an ASCII file, one row a line."""
    lines = iter(body.decode("ascii", "replace").splitlines())
    for element in elements:
        rows = [next(lines, "").split() for _ in range(element.count)]
        if any(column.length for column in element.columns):
            yield element, _listed(element, rows)
        else:
            table = np.array(rows, dtype=float).reshape(element.count, len(element.columns))
            yield element, {column.name: table[:, i] for i, column in enumerate(element.columns)}


def _listed(element: _Element, rows: list[list[str]]) -> dict[str, list | NDArray]:
    """Return the columns of a table with lists."""
    columns: dict[str, list] = {column.name: [] for column in element.columns}
    for row in rows:
        at = 0
        for column in element.columns:
            count = int(row[at]) if column.length else 1
            at += column.length is not None
            values = [float(word) for word in row[at : at + count]]
            if len(values) != count:
                raise ValueError("a row is too short")
            columns[column.name].append([int(v) for v in values] if column.length else values[0])
            at += count
    return dict(columns)


def _binary(data: bytes, start: int, elements: list[_Element], order: str) -> Iterator[tuple[_Element, dict[str, list | NDArray]]]:
    """Yield each table of a binary file."""
    for element in elements:
        kinds = _row_type(data, start, element, order)
        size = np.dtype(kinds).itemsize * element.count
        table = np.frombuffer(data, kinds, element.count, start) if size <= len(data) - start else np.zeros(0, kinds)
        even = len(table) == element.count and all(
            (table[f"#{c.name}"] == table[c.name].shape[1]).all() for c in element.columns if c.length
        )
        if even:
            yield element, {column.name: table[column.name] for column in element.columns}
            start += size
        elif any(column.length for column in element.columns):
            columns, start = _uneven(data, start, element, order)
            yield element, columns
        else:
            raise ValueError("the table is cut short")


def _row_type(data: bytes, start: int, element: _Element, order: str) -> list[tuple]:
    """Return the layout of a row, lists taken as long as in the first row."""
    kinds: list[tuple] = []
    for column in element.columns:
        if column.length is None:
            kinds.append((column.name, order + column.kind))
            continue
        at = start + np.dtype(kinds).itemsize if kinds else start
        count = int(np.frombuffer(data, order + column.length, 1, at)[0]) if element.count else 0
        kinds += [(f"#{column.name}", order + column.length), (column.name, order + column.kind, (min(count, 4096),))]
    return kinds


def _uneven(data: bytes, start: int, element: _Element, order: str) -> tuple[dict[str, list | NDArray], int]:
    """Return the columns of a binary table whose lists differ in length, and where it ends."""
    columns: dict[str, list] = {column.name: [] for column in element.columns}
    for _ in range(element.count):
        for column in element.columns:
            count = 1
            if column.length:
                count = int(np.frombuffer(data, order + column.length, 1, start)[0])
                start += np.dtype(column.length).itemsize
            values = np.frombuffer(data, order + column.kind, count, start)
            start += values.nbytes
            columns[column.name].append(values if column.length else values[0])
    return dict(columns), start


def _surface(vertex: dict[str, list | NDArray], face: dict[str, list | NDArray]) -> PlySurface:
    """Return the surface of both tables."""
    points = np.stack([np.asarray(vertex[axis], dtype=float) for axis in "xyz"], axis=1)
    corners = face.get("vertex_indices", face.get("vertex_index"))
    if corners is None:
        raise KeyError("vertex_indices")
    faces, owner = fans(corners)
    return PlySurface(
        points,
        faces,
        {name: np.asarray(values) for name, values in vertex.items() if name not in "xyz"},
        {name: np.asarray(values)[owner] for name, values in face.items() if np.asarray(values[:1]).ndim == 1},
    )


def write_ply(path: Path, points: NDArray, faces: NDArray, face_arrays: Mapping[str, NDArray]) -> None:
    """Write triangles as little-endian PLY, with one whole number per face and name."""
    kinds = [("count", "u1"), ("corners", "<i4", (3,)), *((name, "<i4") for name in face_arrays)]
    table = np.zeros(len(faces), kinds)
    table["count"], table["corners"] = 3, faces
    for name, values in face_arrays.items():
        table[name] = values
    lines = ["ply", "format binary_little_endian 1.0", "comment echo3d, research use only; mm, x left, y back, z head"]
    lines += [f"element vertex {len(points)}", *(f"property double {axis}" for axis in "xyz")]
    lines += [f"element face {len(faces)}", "property list uchar int vertex_indices", *(f"property int {name}" for name in face_arrays)]
    body = np.ascontiguousarray(points, "<f8").tobytes() + table.tobytes()
    path.write_bytes("\n".join([*lines, "end_header\n"]).encode() + body)


def fans(polygons: list | NDArray) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the triangles (F, 3) of polygons and the polygon each comes from (F,).

    >>> fans([[0, 1, 2, 3]])[0].tolist()
    [[0, 1, 2], [0, 2, 3]]
    """
    if isinstance(polygons, np.ndarray) and polygons.ndim == 2 and polygons.shape[1] == 3:
        return polygons.astype(np.int32), np.arange(len(polygons))
    parts = [(p[0], p[i], p[i + 1], k) for k, p in enumerate(polygons) for i in range(1, len(p) - 1)]
    table = np.array(parts, dtype=np.int64).reshape(-1, 4)
    return table[:, :3].astype(np.int32), table[:, 3]

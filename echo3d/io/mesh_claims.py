"""What a mesh file says of itself, held against its size before anything of it is read."""

from __future__ import annotations

import json
import re
from pathlib import Path

from echo3d.errors import InputError
from echo3d.io.legacy_vtk import cut_short, declared

READABLE = (".vtp", ".vtu", ".vtk", ".stl", ".ply", ".obj", ".glb")
"""Suffixes of surfaces that are read."""

LARGEST_FILE = 1_000_000_000
LARGEST_COUNT = 20_000_000
"""Points or cells of one mesh; the published cohort's have two to four million cells."""

_XML = re.compile(rb"(NumberOfPoints|NumberOfCells|NumberOfPolys|NumberOfStrips)\s*=\s*\"\s*(\d+)")
_PLY = re.compile(rb"^element\s+(\w+)\s+(\d+)", re.MULTILINE)


def check_mesh_file(path: Path) -> None:
    """Refuse what cannot be a mesh before a reader sees it.

    Raises
    ------
    InputError
        If the file is missing, unreadable, empty, too large, of another kind than its suffix says, or declares more than it can hold.
    """
    suffix = path.suffix.lower()
    if suffix not in READABLE:
        raise InputError(f"a mesh is read from one of {', '.join(READABLE)}, found {suffix or 'no suffix'}; convert it to one of these")
    if not path.is_file():
        raise InputError(f"a mesh must be a file, found none at the {suffix} path given; check the name")
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as exc:
        raise InputError(f"a mesh file must be readable, found no permission to read this {suffix} file; change its permissions") from exc
    size = path.stat().st_size
    if not 0 < size <= LARGEST_FILE:
        raise InputError(f"a mesh file holds 1 to {LARGEST_FILE} bytes, found {size}; use a smaller mesh")
    if not _looks_right(head, suffix, size):
        raise InputError(f"a {suffix} file must begin as the format asks, found something else; export it again")
    for name, count in _claims(path, head):
        if count > min(LARGEST_COUNT, _room(suffix) * size):
            raise InputError(
                f"a mesh may declare at most {LARGEST_COUNT} elements and no more than its file can hold, found {count} {name} "
                f"in a file of {size} bytes; export it again"
            )
    if suffix == ".vtk" and cut_short(path):
        raise InputError("a mesh file must be whole, found a .vtk file that ends before its arrays; export or copy it again")


def _room(suffix: str) -> int:
    """Return how many elements one byte can hold at most; compressed files hold the most."""
    return 200 if suffix in (".vtp", ".vtu") else 1


def _looks_right(head: bytes, suffix: str, size: int) -> bool:
    """Return whether the beginning of the file fits its suffix."""
    if suffix in (".vtp", ".vtu"):
        return b"VTKFile" in head and (b"PolyData" if suffix == ".vtp" else b"UnstructuredGrid") in head
    if suffix == ".vtk":
        return head.startswith(b"# vtk")
    if suffix == ".ply":
        return head.startswith(b"ply")
    if suffix == ".glb":
        return _whole_glb(head, size)
    if suffix == ".stl":
        return b"facet" in head or (size >= 84 and 84 + 50 * int.from_bytes(head[80:84], "little") <= size)
    return any(line.startswith((b"v ", b"f ", b"o ", b"g ", b"mtllib")) for line in head.splitlines())


def _whole_glb(head: bytes, size: int) -> bool:
    """Return whether a binary glTF is as long as it says. *Source:* glTF 2.0, section 4.4."""
    return head[:4] == b"glTF" and int.from_bytes(head[4:8], "little") == 2 and int.from_bytes(head[8:12], "little") == size


def _claims(path: Path, head: bytes) -> list[tuple[str, int]]:
    """Return the names and counts of what the file declares."""
    suffix = path.suffix.lower()
    if suffix == ".ply":
        return _named(_PLY.findall(head.split(b"end_header")[0]))
    if suffix in (".vtp", ".vtu"):
        return _named(_XML.findall(head))
    if suffix == ".glb":
        return [("glTF values", int(a.get("count", 0))) for a in glb_document(path).get("accessors", ())]
    if suffix == ".vtk":
        return declared(path)
    return []


def _named(pairs: list[tuple[bytes, bytes]]) -> list[tuple[str, int]]:
    return [(name.decode("ascii", "replace"), int(count[:18])) for name, count in pairs]


def glb_document(path: Path) -> dict:
    """Return the JSON part of a binary glTF file.

    Raises
    ------
    InputError
        If it is damaged.
    """
    with path.open("rb") as file:
        file.seek(12)
        length = int.from_bytes(file.read(4), "little")
        file.seek(20)
        text = file.read(min(length, path.stat().st_size))
    try:
        content = json.loads(text)
    except ValueError as exc:
        raise InputError("a .glb file must hold glTF, found a damaged header; export it again") from exc
    if not isinstance(content, dict) or not all(isinstance(a, dict) for a in content.get("accessors", ())):
        raise InputError("a .glb file must hold glTF, found JSON of another kind; export it again")
    return content

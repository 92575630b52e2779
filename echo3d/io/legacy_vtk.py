"""What a legacy VTK file declares, and whether it is long enough to hold it.

VTK's reader notices some files cut short, most ASCII ones; of others it returns whatever was there before, as if it were whole.
"""

from __future__ import annotations

import mmap
import re
from pathlib import Path

_SIZES = {
    **dict.fromkeys((b"unsigned_char", b"char", b"vtktypeuint8", b"vtktypeint8"), 1),
    **dict.fromkeys((b"unsigned_short", b"short"), 2),
    **dict.fromkeys((b"unsigned_int", b"int", b"float"), 4),
    **dict.fromkeys((b"unsigned_long", b"long", b"double", b"vtktypeint64", b"vtkidtype"), 8),
}
_COUNTS = re.compile(rb"(?:^|\n)[ \t]*(POINTS|CELLS|POLYGONS|CELL_TYPES|CELL_DATA|POINT_DATA)[ \t]+(\d+)([^\n]*)\n", re.IGNORECASE)
_ROWS = re.compile(
    rb"\n[ \t]*(SCALARS|VECTORS|NORMALS)[ \t]+\S+[ \t]+(\w+)[ \t]*(\d*)[ \t]*\n(?:[ \t]*LOOKUP_TABLE[ \t]+\S+[ \t]*\n)?", re.IGNORECASE
)
_CORNERS = re.compile(rb"\n[ \t]*(CELLS|POLYGONS)[ \t]+(\d+)[ \t]+(\d+)[ \t]*\n", re.IGNORECASE)
_OFFSETS = re.compile(rb"[ \t]*OFFSETS[ \t]+(\w+)[ \t]*\n", re.IGNORECASE)
_CONNECTIVITY = re.compile(rb"\n[ \t]*CONNECTIVITY[ \t]+(\w+)[ \t]*\n", re.IGNORECASE)
_FIELDS = re.compile(rb"\n[ \t]*\S+[ \t]+(\d+)[ \t]+(\d+)[ \t]+(\w+)[ \t]*\n")


def declared(path: Path) -> list[tuple[str, int]]:
    """Return what the file's keywords declare: POINTS, CELLS, CELL_DATA ... with their counts, in the order of the file."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        return [(name.decode("ascii").upper(), int(count[:18])) for name, count, _ in _COUNTS.findall(view)]


def cut_short(path: Path) -> bool:
    """Return whether a legacy file ends before the arrays that it declares."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        arrays = [array for array in (*_points(view), *_cells(view), *_rows(view), *_fields(view)) if array[2]]
        if re.search(rb"\n[ \t]*BINARY", view[:2048], re.IGNORECASE):
            return any(start + count * size > len(view) for start, count, size in arrays)
        start, count, _ = max(arrays, default=(0, 0, 1))
        return len(view[start:].split()) < count


def _points(view: mmap.mmap) -> list[tuple[int, int, int]]:
    """Return where the points start, how many numbers they are, and the bytes of one; 0 bytes where the type is not known."""
    found = [match for match in _COUNTS.finditer(view) if match[1].upper() == b"POINTS"]
    return [(match.end(), 3 * int(match[2][:18]), _SIZES.get(match[3].strip().lower(), 0)) for match in found]


def _cells(view: mmap.mmap) -> list[tuple[int, int, int]]:
    """Return the same of the cells' corners: one block of whole numbers, since version 5 two blocks with their types."""
    found = []
    for match in _CORNERS.finditer(view):
        start, count = match.end(), int(match[3][:18])
        if _OFFSETS.match(view, start) is None:
            found.append((start, count, 4))
            continue
        later = _CONNECTIVITY.search(view, start)
        found.append((later.end(), count, _SIZES.get(later[1].lower(), 0)) if later else (start, len(view), 1))
    return found


def _rows(view: mmap.mmap) -> list[tuple[int, int, int]]:
    """Return the same of each SCALARS, VECTORS or NORMALS array; its length is the one of the data section around it."""
    sections = [(match.end(), int(match[2][:18])) for match in _COUNTS.finditer(view) if match[1].upper().endswith(b"_DATA")]
    found = []
    for match in _ROWS.finditer(view):
        rows = [count for at, count in sections if at <= match.start() + 1]
        columns = int(match[3] or 1) if match[1].upper() == b"SCALARS" else 3
        found.append((match.end(), (rows[-1] if rows else 0) * columns, _SIZES.get(match[2].lower(), 0)))
    return found


def _fields(view: mmap.mmap) -> list[tuple[int, int, int]]:
    """Return the same of each array of a FIELD section."""
    return [(m.end(), int(m[1][:9]) * int(m[2][:18]), _SIZES.get(m[3].lower(), 0)) for m in _FIELDS.finditer(view)]

"""What a legacy VTK file declares, and whether it is long enough to hold it.

VTK's reader notices some files cut short, most ASCII ones; of others it returns whatever was there before, as if it were whole.
*Source:* VTK file formats, "Simple legacy formats"; keywords are looked for in capitals, as every writer writes them.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SIZES = {
    **dict.fromkeys((b"unsigned_char", b"char", b"vtktypeuint8", b"vtktypeint8"), 1),
    **dict.fromkeys((b"unsigned_short", b"short"), 2),
    **dict.fromkeys((b"unsigned_int", b"int", b"float"), 4),
    **dict.fromkeys((b"unsigned_long", b"long", b"double", b"vtktypeint64", b"vtkidtype"), 8),
}
_COUNTED = (b"POINTS", b"CELLS", b"POLYGONS", b"CELL_TYPES", b"CELL_DATA", b"POINT_DATA")
_FIELD_ARRAY = re.compile(rb"\n[ \t]*\S+[ \t]+(\d+)[ \t]+(\d+)[ \t]+([a-zA-Z]\w*)[ \t]*\n")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line that begins with a keyword: where it starts, where the next one starts, and its words."""

    start: int
    end: int
    words: list[bytes]

    def number(self, index: int) -> int:
        """Return a word as a number, 0 where there is none."""
        word = self.words[index] if index < len(self.words) else b""
        return int(word[:18]) if word.isdigit() else 0


@dataclass(frozen=True, slots=True)
class _Array:
    """An array that is declared: where its numbers start, how many they are, and the bytes of one in a binary file (0: not known)."""

    start: int
    count: int
    size: int


def declared(path: Path) -> list[tuple[str, int]]:
    """Return what the file's keywords declare: POINTS, CELLS, CELL_DATA ... with their counts, in the order of the file."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        lines = sorted(_lines(view, *_COUNTED), key=lambda line: line.start)
        return [(line.words[0].decode("ascii"), line.number(1)) for line in lines]


def cut_short(path: Path) -> bool:
    """Return whether a legacy file ends before the arrays that it declares."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        arrays = [array for array in (*_points(view), *_cells(view), *_rows(view), *_fields(view)) if array.size]
        if re.search(rb"\n[ \t]*BINARY", view[:2048], re.IGNORECASE):
            return any(array.start + array.count * array.size > len(view) for array in arrays)
        last = max(arrays, key=lambda array: array.start, default=_Array(0, 0, 1))
        return len(view[last.start :].split()) < last.count


def _lines(view: mmap.mmap, *keywords: bytes) -> Iterator[_Line]:
    """Yield the lines that begin with a keyword."""
    for keyword in keywords:
        start = view.find(keyword)
        while start >= 0:
            end = view.find(b"\n", start)
            words = view[start : end if end >= 0 else len(view)].split()
            if (start == 0 or view[start - 1 : start] in b" \t\n") and words[0] == keyword:
                yield _Line(start, end + 1 if end >= 0 else len(view), words)
            start = view.find(keyword, start + len(keyword))


def _points(view: mmap.mmap) -> list[_Array]:
    """Return the points."""
    return [_Array(line.end, 3 * line.number(1), _SIZES.get(line.words[-1].lower(), 0)) for line in _lines(view, b"POINTS")]


def _cells(view: mmap.mmap) -> list[_Array]:
    """Return the cells' corners: one block of whole numbers, since version 5 two blocks with their types."""
    found = []
    for line in _lines(view, b"CELLS", b"POLYGONS"):
        if view[line.end : line.end + 20].lstrip()[:7] != b"OFFSETS":
            found.append(_Array(line.end, line.number(2), 4))
            continue
        later = next((part for part in _lines(view, b"CONNECTIVITY") if part.start > line.end), None)
        missing = _Array(line.end, len(view), 1)
        found.append(_Array(later.end, line.number(2), _SIZES.get(later.words[-1].lower(), 0)) if later else missing)
    return found


def _rows(view: mmap.mmap) -> list[_Array]:
    """Return the SCALARS, COLOR_SCALARS, VECTORS and NORMALS; their length is the one of the data section around them."""
    sections = sorted((line.start, line.number(1)) for line in _lines(view, b"CELL_DATA", b"POINT_DATA"))
    tables = {line.start: line.end for line in _lines(view, b"LOOKUP_TABLE")}
    found = []
    for line in _lines(view, b"SCALARS", b"COLOR_SCALARS", b"VECTORS", b"NORMALS"):
        rows = next((count for at, count in reversed(sections) if at < line.start), 0)
        colours = line.words[0] == b"COLOR_SCALARS"
        columns = line.number(2) if colours else line.number(3) or 1 if line.words[0] == b"SCALARS" else 3
        size = 1 if colours else _SIZES.get(line.words[2].lower() if len(line.words) > 2 else b"", 0)
        found.append(_Array(tables.get(line.end, line.end), rows * columns, size))
    return found


def _fields(view: mmap.mmap) -> list[_Array]:
    """Return the arrays of FIELD sections."""
    first = min((line.end - 1 for line in _lines(view, b"FIELD")), default=len(view))
    return [_Array(m.end(), int(m[1][:9]) * int(m[2][:18]), _SIZES.get(m[3].lower(), 0)) for m in _FIELD_ARRAY.finditer(view, first)]

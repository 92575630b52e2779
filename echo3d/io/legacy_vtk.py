"""What a legacy VTK file declares, and whether it is long enough to hold it.

VTK's reader notices an ASCII file cut short; of a binary one it returns whatever was there before, as if it were whole.
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
_SCALARS = re.compile(rb"\n[ \t]*SCALARS[ \t]+\S+[ \t]+(\w+)[ \t]*(\d*)[ \t]*\n(?:[ \t]*LOOKUP_TABLE[ \t]+\S+[ \t]*\n)?", re.IGNORECASE)
_FIELDS = re.compile(rb"\n[ \t]*\S+[ \t]+(\d+)[ \t]+(\d+)[ \t]+(\w+)[ \t]*\n")


def declared(path: Path) -> list[tuple[str, int]]:
    """Return what the file's keywords declare: POINTS, CELLS, CELL_DATA ... with their counts, in the order of the file."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        return [(name.decode("ascii").upper(), int(count[:18])) for name, count, _ in _COUNTS.findall(view)]


def cut_short(path: Path) -> bool:
    """Return whether a binary legacy file ends before the arrays that it declares."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        if not re.search(rb"\n[ \t]*BINARY", view[:2048], re.IGNORECASE):
            return False
        return max([0, *_point_ends(view), *_scalar_ends(view), *_field_ends(view)]) > len(view)


def _point_ends(view: mmap.mmap) -> list[int]:
    """Return where the points have to end."""
    found = [match for match in _COUNTS.finditer(view) if match[1].upper() == b"POINTS"]
    return [match.end() + 3 * int(match[2][:18]) * _SIZES.get(match[3].strip().lower(), 0) for match in found]


def _scalar_ends(view: mmap.mmap) -> list[int]:
    """Return where each SCALARS array has to end; its length is the one of the data section around it."""
    sections = [(match.end(), int(match[2][:18])) for match in _COUNTS.finditer(view) if match[1].upper().endswith(b"_DATA")]
    ends = []
    for match in _SCALARS.finditer(view):
        rows = [count for at, count in sections if at <= match.start() + 1]
        ends.append(match.end() + (rows[-1] if rows else 0) * int(match[2] or 1) * _SIZES.get(match[1].lower(), 0))
    return ends


def _field_ends(view: mmap.mmap) -> list[int]:
    """Return where each array of a FIELD section has to end."""
    return [m.end() + int(m[1][:9]) * int(m[2][:18]) * _SIZES.get(m[3].lower(), 0) for m in _FIELDS.finditer(view)]

"""The names of the solids of an STL file, which VTK's reader only numbers."""

from __future__ import annotations

from pathlib import Path


def solid_names(path: Path) -> dict[int, str]:
    """Return the names of an ASCII STL's solids in their order; empty for a binary one."""
    with path.open("rb") as file:
        lines = [line.split(None, 1) for line in file if line.lstrip().startswith(b"solid")]
    names = {k: words[1].strip().decode("utf-8", "replace") for k, words in enumerate(lines) if len(words) > 1}
    return names if len(names) == len(lines) and all(name.isprintable() for name in names.values()) else {}

"""The names of a file's parts, where VTK's readers only number them: nodes of GLB and solids of STL."""

from __future__ import annotations

from pathlib import Path

from echo3d.io.mesh_claims import glb_document


def node_names(path: Path) -> dict[int, str]:
    """Return the name of each node of a binary glTF file by its number."""
    nodes = glb_document(path).get("nodes", ())
    return {k: str(node.get("name", f"node {k}")) for k, node in enumerate(nodes) if isinstance(node, dict)}


def solid_names(path: Path) -> dict[int, str]:
    """Return the names of an ASCII STL's solids in their order; empty for a binary one."""
    with path.open("rb") as file:
        lines = [line.split(None, 1) for line in file if line.lstrip().startswith(b"solid")]
    names = {k: words[1].strip().decode("utf-8", "replace") for k, words in enumerate(lines) if len(words) > 1}
    return names if len(names) == len(lines) and all(name.isprintable() for name in names.values()) else {}

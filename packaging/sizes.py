"""How large the package is, by component: the build report."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

UNPACKED_MB, PACKED_MB = 1100, 400
"""Goals on Linux."""

_COMPONENTS = (
    ("torch", r"(torch|torchgen|functorch)/.*"),
    ("VTK", r"vtkmodules/.*"),
    ("Qt for Python", r"(PySide6|shiboken6)/.*"),
    ("PyAV and its FFmpeg", r"(av|av\.libs)/.*"),
    ("SciPy", r"scipy(\.libs)?/.*"),
    ("NumPy", r"numpy(\.libs)?/.*"),
    ("GDCM", r"(_gdcm|gdcm|python_gdcm\.libs)/.*"),
    ("Pillow", r"(PIL|pillow\.libs)/.*"),
    ("scikit-image", r"skimage/.*"),
    ("matplotlib", r"(matplotlib|mpl_toolkits|contourpy|kiwisolver|fontTools)/.*"),
    ("echo3d's resources", r"resources/.*"),
    ("echo3d's code", r"(echo3d|training)/.*"),
    ("licences", r"licences/.*"),
    ("Python", r"(lib-dynload/.*|python3[^/]*/.*|libpython.*|base_library\.zip|Python)"),
    ("libraries of the system", r"lib[^/]*\.so[^/]*"),
)
"""Names of components and the files that belong to each, by their place in the package."""


def component_of(name: str) -> str:
    """Return the component of a file, by its name in the package.

    >>> component_of("_internal/torch/lib/libtorch_cpu.so"), component_of("_internal/libxcb.so.1"), component_of("echo3d-worker")
    ('torch', 'libraries of the system', 'echo3d-worker')
    """
    inside = name.removeprefix("_internal/")
    for component, pattern in _COMPONENTS:
        if re.fullmatch(pattern, inside):
            return component
    return inside.split("/", maxsplit=1)[0] if "/" in inside or name == inside else "small files"


def sizes(folder: Path) -> dict[str, int]:
    """Return bytes by component, the largest first; links count nothing."""
    found: dict[str, int] = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            name = component_of(path.relative_to(folder).as_posix())
            found[name] = found.get(name, 0) + path.stat().st_size
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def oldest_glibc(folder: Path) -> str:
    """Return the newest version of the C library that any file asks for, empty where none does."""
    asked = {match for path in folder.rglob("*.so*") if path.is_file() for match in re.findall(rb"GLIBC_(2\.\d+)\0", path.read_bytes())}
    return max((one.decode() for one in asked), key=lambda text: int(text.partition(".")[2]), default="")


def report(folder: Path, facts: Mapping[str, Any], archive: Path | None = None) -> dict[str, Any]:
    """Return the build report.

    Parameters
    ----------
    folder : the package
    facts : what else is to stand in it, such as the version
    archive : the packed package, where there is one
    """
    parts = sizes(folder)
    packed = None if archive is None else archive.stat().st_size
    told = {"unpacked_bytes": sum(parts.values()), "packed_bytes": packed, "goals_mb": {"unpacked": UNPACKED_MB, "packed": PACKED_MB}}
    return dict(facts) | told | {"components": parts}


def as_text(values: Mapping[str, Any]) -> str:
    """Return a report as lines for people; megabytes are millions of bytes."""
    lines = [f"{name:22} {value}" for name, value in values.items() if isinstance(value, str)]
    whole, packed = values["unpacked_bytes"] / 1e6, values["packed_bytes"]
    lines += [f"{'unpacked':22} {whole:8.1f} MB, goal {UNPACKED_MB}"]
    lines += [] if packed is None else [f"{'packed':22} {packed / 1e6:8.1f} MB, goal {PACKED_MB}"]
    rows = [
        f"  {name:28} {size / 1e6:8.1f} MB {100 * size / (whole * 1e6):5.1f} %"
        for name, size in values["components"].items()
        if size >= 1e5
    ]
    rest = sum(size for size in values["components"].values() if size < 1e5)
    return "\n".join([*lines, "", "by component:", *rows, f"  {'everything below 0.1 MB':28} {rest / 1e6:8.1f} MB"]) + "\n"


def write(folder: Path, values: Mapping[str, Any]) -> None:
    """Write a report as JSON and as text into a folder."""
    (folder / "build-report.json").write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    (folder / "build-report.txt").write_text(as_text(values), encoding="utf-8")

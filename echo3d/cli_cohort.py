"""The commands about many hearts: ``echo3d cohort ...``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from echo3d.cli_words import Array, AsJson, Axes, Force, Mapping, Order, Out, Units, terminal_progress

cohort = typer.Typer(name="cohort", help="Cohorts of hearts.", add_completion=False, rich_markup_mode=None)


@cohort.callback()
def _group() -> None:
    """Cohorts of hearts."""


@cohort.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="A mesh file (VTP, VTU, VTK, PLY, OBJ, STL, GLB) or a folder of them.", readable=False)],
    *,
    out: Out,
    order: Order = None,
    mapping: Mapping = None,
    array: Array = None,
    units: Units = None,
    axes: Axes = None,
    as_json: AsJson = False,
    force: Force = False,
) -> dict[str, Any]:
    """Read hearts of other programs: a surface in mm and LPS and a label volume of each, and cohort.json about all."""
    from echo3d.hearts import Source
    from echo3d.imports import import_cohort

    source = Source(path, order, units, axes, mapping, array)
    content = import_cohort(source, out, force=force, progress=terminal_progress(as_json))
    if not as_json:
        for heart in content["hearts"]:
            _print_heart(heart)
        print(f"{len(content['hearts'])} hearts lie in the folder {out.name}: surfaces, label volumes and cohort.json.")
    return content | {"out": out.name, "files": sorted(file.name for file in out.iterdir())}


def _print_heart(heart: dict[str, Any]) -> None:
    """Print one heart for people."""
    volumes = ", ".join(f"{key.upper()} {value:.0f} ml" for key, value in heart["volumes_ml"].items())
    print(f"{heart['name']}: {volumes}" + ("" if heart["size_known"] else " (size not in the file, so these are no measurements)"))
    for sentence in heart["assumed"]:
        print(f"- {sentence}")
    if heart["missing"]:
        print(f"- not in the file: {', '.join(name.lower().replace('_', ' ') for name in heart['missing'])}")

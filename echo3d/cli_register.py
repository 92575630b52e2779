"""The command ``echo3d register``: the template laid onto any heart."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from echo3d.cli_words import AsJson, Force, Out, reads_hearts, terminal_progress, with_files
from echo3d.errors import InputError

METHODS = ("transport", "spline", "pointpwc", "shape")


@reads_hearts
def register(
    target: Annotated[Path, typer.Argument(help="A heart as a mesh file, tagged or not.", readable=False)],
    *,
    out: Out,
    reading: dict[str, Any],
    tags: Annotated[str | None, typer.Option("--tags", help="Name of the array with the tags, or none to ignore them.")] = None,
    method: Annotated[
        str,
        typer.Option(
            "--method",
            help="shape (cohort's shapes, then the surface), transport (equation 4), spline (after it), pointpwc (network, then both).",
        ),
    ] = "shape",
    as_json: AsJson = False,
    force: Force = False,
) -> dict[str, Any]:
    """Lay the template onto a heart without correspondence: its field, the surface, a report with what is left, a picture."""
    from echo3d.hearts import Source
    from echo3d.registration.register import RegisterConfig
    from echo3d.registrations import run_register

    if method not in METHODS:
        raise InputError(f"--method must be one of {', '.join(METHODS)}, found {method[:40]!r}; choose one of these")
    if tags not in (None, "none"):
        reading |= {"array": tags}
    report = run_register(
        Source(target, **reading),
        out,
        RegisterConfig(method=method),  # type: ignore[arg-type]
        tagged=tags != "none",
        force=force,
        progress=terminal_progress(as_json),
    )
    if not as_json:
        print_report(report)
        print(f"Field, surface, report and picture lie in the folder {out.name}.")
    return with_files(report, out)


def print_report(report: dict[str, Any]) -> None:
    """Print for people how well the template lies on a heart."""
    print(f"{report['source']}: surfaces {report['distance_mm']:.2f} mm apart on average, 95 % within {report['distance95_mm']:.2f} mm.")
    for key, volume in report["volumes"].items():
        own, theirs, off = volume["registered_ml"], volume["target_ml"], volume["off_percent"]
        print(f"- {key.upper()} {own:.0f} ml, the file's own {theirs:.0f} ml ({off:+.1f} %)")
    if report["folded_points"]:
        print(f"- at {report['folded_points']} points the field folds")
    for sentence in report["assumed"]:
        print(f"- {sentence}")

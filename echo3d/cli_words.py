"""Words that several commands share: their options, and the line that shows progress."""

from __future__ import annotations

import sys
from collections.abc import Mapping as Mapping_
from pathlib import Path
from typing import Annotated, Any

import typer

Out = Annotated[Path, typer.Option("--out", readable=False, help="Folder to make; it appears when it is complete.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Force = Annotated[bool, typer.Option("--force", help="Replace an earlier result in that folder.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:n.")]

InBody = Annotated[
    str | None,
    typer.Option("--body", help="Place the heart in a body: a mesh file, sex:cm:kg such as m:178:80, or torso for the heart's own person."),
]

Order = Annotated[str | None, typer.Option("--order", help="Order of the 24 tags: published or heart-failure.")]
Mapping = Annotated[Path | None, typer.Option("--mapping", readable=False, help="JSON or TOML file: part number or name = structure.")]
Array = Annotated[str | None, typer.Option("--array", help="Name of the array with the tags; found where not given.")]
Units = Annotated[str | None, typer.Option("--units", help="m, dm, cm, mm or mm per unit; recognised where not given.")]
Axes = Annotated[str | None, typer.Option("--axes", help="Where x, y, z point, such as LPS or RAS; recognised where not given.")]


def terminal_progress(as_json: bool) -> Any:
    """Return what hears of progress: a line on a terminal, nothing elsewhere."""
    from echo3d.progress import silent

    if as_json or not sys.stderr.isatty():
        return silent

    def show(share: float, message: str, /) -> None:
        print(f"\r\x1b[K{100 * share:3.0f} %  {message}" + ("\r\x1b[K" if share >= 1 else ""), end="", file=sys.stderr, flush=True)

    return show


def print_windows(windows: Mapping_[str, Any]) -> None:
    """Print for people what bones and lungs leave of each view."""
    for name, window in windows.items():
        where = "on the skin" if window["on_skin"] else "no skin before the heart, so the probe stands where the heart alone wants it"
        bone, lung = (100 * window[f"blocked_by_{part}"] for part in ("bone", "lung"))
        print(f"{name:12}{where}; {100 * window['blocked']:.0f} % of its beams at the heart blocked ({bone:.0f} % bone, {lung:.0f} % lung)")

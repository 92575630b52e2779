"""The command ``echo3d evaluate``: networks measured side by side, in one report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from echo3d.cli_words import AsJson, Force, Out, terminal_progress, view_pairs, with_files
from echo3d.errors import InputError


def evaluate(
    kind: Annotated[str, typer.Argument(help="What is compared: reconstruction or style.")],
    networks: Annotated[list[str] | None, typer.Argument(help="Folders of runs, or names of shipped weights.")] = None,
    *,
    data: Annotated[Path, typer.Option("--data", readable=False, help="Test samples with pictures; see training.styles.")],
    out: Out,
    clip: Annotated[list[str] | None, typer.Option("--clip", help="A real clip and its view: a4c=FILE. Repeat for more.")] = None,
    hearts: Annotated[
        int | None, typer.Option("--hearts", min=1, help="Most patients measured; of a reconstruction, with surfaces and voxels.")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option("--keep", help="Folder where what networks say is kept, so that another report asks nothing twice.")
    ] = None,
    as_json: AsJson = False,
    force: Force = False,
) -> dict[str, Any]:
    """Compare networks in one report: as reconstructions of hearts, or on pictures of every style and on real clips."""
    from echo3d.evaluations import as_typed, run_evaluate

    clips = {view: Path(value) for view, value in view_pairs("--clip", clip, "a4c=FILE").items()}
    if clips and kind == "reconstruction":
        raise InputError("--clip must go with a comparison of styles, found it with reconstruction; real clips have no true heart")
    if keep and kind != "reconstruction":
        raise InputError("--keep must go with a comparison of reconstructions, found it with style; leave it out")
    names = tuple(networks or ())
    words: dict[str, Any] = {"data": data} | ({"clips": tuple(clips.items())} if clips else {}) | ({"hearts": hearts} if hearts else {})
    words["command"] = as_typed(kind, names, words)
    words |= {"keep": keep} if keep else {}
    figures = run_evaluate(kind, names, out, words=words, force=force, progress=terminal_progress(as_json))
    if not as_json:
        print_matrix(figures["matrix"]) if kind == "style" else print_bars(figures["bars"])
        print(f"The report lies in the folder {out.name}: open report.html.")
    return with_files(figures, out)


def print_bars(bars: list[dict[str, Any]]) -> None:
    """Print for people every figure that is to be reached, with each network's."""
    names = list(bars[0]["networks"]) if bars else []
    width = max((len(line["figure"]) for line in bars), default=0)
    print(" " * (width + 18) + "".join(f"{name:>24}" for name in names))
    for line in bars:
        cells = (line["networks"][name] for name in names)
        told = (f"{'-' if one['met'] is None else one['value']} {_VERDICTS[one['met']]}" for one in cells)
        print(f"{line['figure']:{width}}  {line['bar']:16}" + "".join(f"{cell:>24}" for cell in told))


_VERDICTS: dict[bool | None, str] = {True: "met", False: "not met", None: "not measured"}


def print_matrix(matrix: dict[str, dict[str, dict[str, float]]]) -> None:
    """Print for people the surface distance and the error of the EF of every network on every style."""
    styles = list(next(iter(matrix.values())))
    width = max(len(name) for name in matrix)
    print(" " * width + "".join(f"{style:>16}" for style in styles))
    for name, row in matrix.items():
        cells = (f"{row[style]['surface_mm']:.2f} mm {row[style]['ef_mae']:.1f} EF" for style in styles)
        print(f"{name:{width}}" + "".join(f"{cell:>16}" for cell in cells))

"""The commands about networks: ``echo3d models ...``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from echo3d.cli_words import AsJson, terminal_progress

Run = Annotated[Path, typer.Argument(help="The folder of a run, an exported .zip, or a .safetensors file with its card.", readable=False)]

models = typer.Typer(name="models", help="Networks that hearts are computed with: the shipped ones and your own.", rich_markup_mode=None)


@models.callback()
def _group() -> None:
    """Networks that hearts are computed with: the shipped ones and your own."""


@models.command("list")
def list_(*, as_json: AsJson = False) -> dict[str, Any]:
    """List the installed networks, the shipped ones first."""
    from echo3d.models import list_models

    found = list_models()
    if not as_json:
        for one in found:
            kind = one.card.kind if one.card else "damaged card"
            use = "for --model" if one.computes_hearts else "-"
            print(f"{one.name:24} {'own' if one.own else 'shipped':8} {kind:16} {use}")
    return {
        "models": [
            {"name": one.name, "own": one.own, "kind": one.card.kind if one.card else "", "computes_hearts": one.computes_hearts}
            for one in found
        ]
    }


@models.command()
def add(
    run: Run,
    *,
    name: Annotated[str | None, typer.Option("--name", help="What --model is to call it; the folder's name where not given.")] = None,
    as_json: AsJson = False,
) -> dict[str, Any]:
    """Put a finished run of s2mnet or accurate, or weights that somebody exported, among the networks that hearts are computed with."""
    from echo3d.models import add_model

    card = add_model(run, name=name, progress=terminal_progress(as_json))
    if not as_json:
        print(f"{card.name} is installed; use it with --model {card.name}. Intervals: {card.metrics.get('intervals', 'as its card says')}.")
    return {"name": card.name, "kind": card.kind, "sha256": card.sha256, "intervals": "conformal90" in card.metrics}


@models.command()
def remove(name: Annotated[str, typer.Argument(help="One of your own models.")], *, as_json: AsJson = False) -> dict[str, Any]:
    """Remove one of your own models; the run that it came from stays."""
    from echo3d.models import remove_model

    remove_model(name)
    if not as_json:
        print(f"{name} was removed.")
    return {"removed": name}


@models.command()
def export(
    run: Annotated[Path, typer.Argument(help="The folder of a finished run.", readable=False)],
    *,
    out: Annotated[Path, typer.Option("--out", readable=False, help="The .zip file to write.")],
    as_json: AsJson = False,
) -> dict[str, Any]:
    """Write a finished run into one file: weights, card, settings, log, and curves as CSV and PNG."""
    from echo3d.models import export_run

    names = export_run(run, out, progress=terminal_progress(as_json))
    if not as_json:
        print(f"{out.name} holds {', '.join(names)}.")
    return {"out": out.name, "files": names}

"""The commands that look at this installation: ``echo3d doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from echo3d.cli_words import AsJson


def doctor(
    *,
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Also do a little of everything: decode, slice, reconstruct, draw, train, open the window.")
    ] = False,
    as_json: AsJson = False,
) -> dict[str, Any]:
    """Look at graphics, processor, decoders, weights and resources; exit code 3 where something needed is missing."""
    from echo3d.doctor import examine

    checks = []
    for check in examine():
        checks.append({"name": check.name, "state": check.state, "found": check.found})
        if not as_json:
            print(f"{check.state:8} {check.name:15} {check.found}")
    steps = _tried(as_json=as_json) if self_test else None
    ok = all(one["state"] not in ("missing", "failed") for one in [*checks, *(steps or ())])
    return {"ok": ok, "checks": checks} | ({} if steps is None else {"steps": steps})


def _tried(*, as_json: bool) -> list[dict[str, Any]]:
    """Do the self-test, print each step as it ends, and return all."""
    from echo3d.selftest import attempt

    steps = []
    for step in attempt():
        steps.append({"name": step.name, "state": step.state, "found": step.found, "seconds": round(step.seconds, 2)})
        if not as_json:
            print(f"{step.state:8} {step.name:34} {step.seconds:6.1f} s  {step.found}", flush=True)
    return steps


def draw(
    surface: Annotated[Path | None, typer.Argument(help="A .vtp file; a ball without it.", readable=False)] = None,
    *,
    out: Annotated[Path | None, typer.Option("--out", readable=False, help="The picture, PNG.")] = None,
    as_json: AsJson = False,
) -> dict[str, Any]:
    """Draw a surface with OpenGL in this process; the doctor and the self-test call this."""
    from echo3d.drawn import draw as drawn

    done = drawn(surface, out)
    if not as_json:
        print(done.renderer)
    return {"renderer": done.renderer, "share": round(done.share, 4)}

"""Words that several commands share: their options, and the line that shows progress."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from echo3d.core.views import View
from echo3d.errors import InputError

Out = Annotated[Path, typer.Option("--out", readable=False, help="Folder to make; it appears when it is complete.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Force = Annotated[bool, typer.Option("--force", help="Replace an earlier result in that folder.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:n.")]

InBody = Annotated[
    str | None,
    typer.Option("--body", help="Place the heart in a body: a mesh file, sex:cm:kg such as m:178:80, or torso for the heart's own person."),
]

READING: dict[str, Any] = {
    "order": Annotated[str | None, typer.Option("--order", help="Order of the 24 tags: published or heart-failure.")],
    "mapping": Annotated[
        Path | None, typer.Option("--mapping", readable=False, help="JSON or TOML file: part number or name = structure.")
    ],
    "array": Annotated[str | None, typer.Option("--array", help="Name of the array with the tags; found where not given.")],
    "units": Annotated[str | None, typer.Option("--units", help="m, dm, cm, mm or mm per unit; recognised where not given.")],
    "axes": Annotated[str | None, typer.Option("--axes", help="Where x, y, z point, such as LPS or RAS; recognised where not given.")],
}
"""How a heart of another program is to be read: the options of every command that reads one, all without default."""


def reads_hearts(command: Callable[..., Any]) -> Callable[..., Any]:
    """Return a command with the options of ``READING``, which it is handed as one dictionary, ``reading``."""
    signature = inspect.signature(command, eval_str=True)

    @functools.wraps(command)
    def with_options(**words: Any) -> Any:
        return command(reading={name: words.pop(name) for name in READING}, **words)

    own = [parameter for parameter in signature.parameters.values() if parameter.name != "reading"]
    options = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind) for name, kind in READING.items()]
    with_options.__signature__ = signature.replace(parameters=own + options)  # type: ignore[attr-defined]
    return with_options


def terminal_progress(as_json: bool) -> Any:
    """Return what hears of progress: a line on a terminal, nothing elsewhere."""
    from echo3d.progress import silent

    if as_json or not sys.stderr.isatty():
        return silent

    def show(share: float, message: str, /) -> None:
        print(f"\r\x1b[K{100 * share:3.0f} %  {message}" + ("\r\x1b[K" if share >= 1 else ""), end="", file=sys.stderr, flush=True)

    return show


def print_windows(windows: Mapping[str, Any]) -> None:
    """Print for people what bones and lungs leave of each view."""
    for name, window in windows.items():
        where = "on the skin" if window["on_skin"] else "no skin before the heart, so the probe stands where the heart alone wants it"
        bone, lung = (100 * window[f"blocked_by_{part}"] for part in ("bone", "lung"))
        print(f"{name:12}{where}; {100 * window['blocked']:.0f} % of its beams at the heart blocked ({bone:.0f} % bone, {lung:.0f} % lung)")


def with_files(content: dict[str, Any], out: Path) -> dict[str, Any]:
    """Return a command's answer: what it says, the folder's name and the files in it."""
    return content | {"out": out.name, "files": sorted(file.name for file in out.iterdir())}


def view_pairs(option: str, words: Sequence[str] | None, example: str) -> dict[View, str]:
    """Return the values of ``view=value`` words by view."""
    pairs: dict[View, str] = {}
    for word in words or ():
        name, equals, value = word.partition("=")
        if not equals or not value:
            raise InputError(f"{option} must look like {example}, found {name!r} without a value; write it that way")
        view = named_view(option, name)
        if view in pairs:
            raise InputError(f"{option} must name each view once, found {view.key} twice; leave one out")
        pairs[view] = value
    return pairs


def named_view(option: str, name: str) -> View:
    """Return the view of a short name."""
    try:
        return View[name.strip().upper()]
    except KeyError as exc:
        known = ", ".join(view.key for view in View)
        raise InputError(f"{option} must name one of {known}, found {name.strip()!r}; choose one of these") from exc

"""Evaluation as a command: what can be compared, by name, and the folder that a report appears in when it is complete.

The programs that measure lie in the package ``training``, which is named here by strings alone.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from echo3d.errors import InputError, ModelError
from echo3d.progress import Progress, silent
from echo3d.results import check_out, write_whole

EVALUATIONS: Mapping[str, str] = {"reconstruction": "training.reconstructionreport", "style": "training.stylematrix"}
"""The module of each kind; it has ``Request``, a dataclass, and ``evaluate(request, out, progress=)``."""


def run_evaluate(
    kind: str, networks: tuple[str, ...], out: Path, *, words: Mapping[str, Any], force: bool = False, progress: Progress = silent
) -> dict[str, Any]:
    """Write a report into a new folder, whole or not at all, and return its figures.

    Parameters
    ----------
    kind : a name of ``EVALUATIONS``
    networks : folders of runs, or names of shipped weights
    out : folder to make
    words : the other fields of the kind's request
    force : whether an earlier report may be replaced
    progress : hears how far it is

    Raises
    ------
    InputError
        If there is no such kind, nothing to compare, or something that cannot be read.
    """
    if kind not in EVALUATIONS:
        raise InputError(f"echo3d evaluate must be told one of {', '.join(EVALUATIONS)}, found {kind[:40]!r}; choose one of these")
    if not networks:
        raise InputError("an evaluation must have networks to compare, found none; name folders of runs, or shipped weights such as lean")
    check_out(out, force=force)
    try:
        module = pkgutil.resolve_name(EVALUATIONS[kind])
    except ModuleNotFoundError as exc:
        raise ModelError(f"evaluation needs the package {exc.name}, which is not installed here; install echo3d from its sources") from exc
    answer: dict[str, Any] = {}

    def write(folder: Path) -> None:
        answer.update(module.evaluate(module.Request(networks=networks, **words), folder, progress=progress))

    write_whole(out, write, force=force)
    return answer


def as_typed(kind: str, networks: tuple[str, ...], words: Mapping[str, Any]) -> str:
    """Return the command that makes a report, with the last parts of paths only.

    Parameters
    ----------
    words : the other fields of the kind's request: ``data``, and perhaps ``clips`` (view and path) and ``hearts``

    >>> from echo3d.core.views import View
    >>> as_typed("style", ("runs/proof/mixture", "lean"), {"data": Path("runs/test"), "clips": ((View.A4C, Path("clips/heart.dcm")),)})
    'echo3d evaluate style mixture lean --data test --clip a4c=CLIP1 --out DIR'
    >>> as_typed("reconstruction", ("lean",), {"data": Path("runs/test"), "hearts": 20})
    'echo3d evaluate reconstruction lean --data test --hearts 20 --out DIR'
    """
    shown = " ".join(Path(name).name for name in networks)
    pairs = "".join(f" --clip {view.key}=CLIP{number}" for number, (view, _) in enumerate(words.get("clips", ()), start=1))
    hearts = f" --hearts {words['hearts']}" if "hearts" in words else ""
    return f"echo3d evaluate {kind} {shown} --data {words['data'].name}{pairs}{hearts} --out DIR"

"""A cohort as a folder: cohort.json, records.jsonl with one heart per line, and fields_NNNNN.npz with the hearts themselves."""

from __future__ import annotations

import json
from concurrent.futures import Executor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echo3d import __version__
from echo3d.anatomy.template import load_template
from echo3d.clinical.shown import NOTICE
from echo3d.cohort.executor import run_all
from echo3d.cohort.spec import CHUNK, Chunk, CohortSpec, make_chunk, rejections
from echo3d.errors import InputError
from echo3d.progress import Progress, silent
from echo3d.results import write_whole

SCHEMA = 1


def generate(spec: CohortSpec, out: Path, executor: Executor, *, force: bool = False, progress: Progress = silent) -> dict[str, Any]:
    """Make a cohort folder and return what cohort.json says; the same spec gives the same files on any executor.

    Parameters
    ----------
    spec : what is wanted
    out : folder to make; it appears when it is complete
    executor : where the work runs
    force : whether an earlier cohort may be replaced
    progress : hears how far it is

    Raises
    ------
    InputError
        If the folder may not be written or no sound heart can be drawn.
    """
    about: dict[str, Any] = {}

    def write(folder: Path) -> None:
        about.update(_write(spec, folder, executor, progress))

    write_whole(out, write, force=force)
    return about


def _write(spec: CohortSpec, folder: Path, executor: Executor, progress: Progress) -> dict[str, Any]:
    """Write all files into an existing folder."""
    hearts = spec.chunks()
    lines: dict[int, list[dict[str, Any]]] = {}
    for number, chunk in run_all(executor, make_chunk, [(spec, some) for some in hearts]):
        _write_fields(folder, number, chunk)
        lines[number] = chunk.lines
        progress(len(lines) / len(hearts), f"{sum(map(len, lines.values()))} of {spec.count} hearts")
    ordered = [line for number in sorted(lines) for line in lines[number]]
    with (folder / "records.jsonl").open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(line) + "\n" for line in ordered)
    about = _about(spec, ordered)
    (folder / "cohort.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return about


def _write_fields(folder: Path, number: int, chunk: Chunk) -> None:
    np.savez(folder / f"fields_{number:05d}.npz", fields=chunk.fields)


def _about(spec: CohortSpec, lines: list[dict[str, Any]]) -> dict[str, Any]:
    groups: dict[str, int] = {}
    for line in lines:
        groups[line["record"]["group"]] = groups.get(line["record"]["group"], 0) + 1
    rejected = rejections(lines)
    return {
        "schema": SCHEMA,
        "echo3d": __version__,
        "notice": NOTICE,
        "template_sha256": load_template().sha256,
        "spec": asdict(spec) | {"mixture": dict(spec.mixture)},
        "hearts": len(lines),
        "phases": spec.phases,
        "groups": groups,
        "rejected": sum(rejected["reasons"].values()),
        "rejected_by_reason": rejected["reasons"],
        "rejected_by_group": rejected["groups"],
    }


def read_cohort(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what cohort.json and records.jsonl of a cohort folder say.

    Raises
    ------
    InputError
        If the folder is no cohort, is incomplete or belongs to another template.
    """
    try:
        about = json.loads((folder / "cohort.json").read_text(encoding="utf-8"))
        lines = [json.loads(line) for line in (folder / "records.jsonl").read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as exc:
        raise InputError(
            f"a cohort must be a folder made by echo3d cohort generate, found none ({type(exc).__name__}); give another"
        ) from exc
    if about.get("template_sha256") != load_template().sha256 or about.get("hearts") != len(lines):
        raise InputError("a cohort must be whole and belong to this template, found another; generate it again")
    return about, lines


def read_points(folder: Path, index: int) -> NDArray[np.float64]:
    """Return the template's points (T, N, 3) of heart ``index`` of a cohort folder, mm; T is 2 (ED, ES) or 25.

    Raises
    ------
    InputError
        If the file is missing or damaged.
    """
    template = load_template()
    try:
        with np.load(folder / f"fields_{index // CHUNK:05d}.npz", allow_pickle=False) as data:
            fields = data["fields"][index % CHUNK]
    except (OSError, ValueError, KeyError, IndexError) as exc:
        raise InputError(f"a cohort must hold the fields of heart {index}, found none ({type(exc).__name__}); generate it again") from exc
    return np.asarray(template.points + fields.astype(float))

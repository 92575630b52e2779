"""A folder of hearts of other programs imported and registered, each in a folder of its own, so that what is done stays done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from echo3d import __version__
from echo3d.clinical.shown import NOTICE
from echo3d.cohort.executor import run_all
from echo3d.errors import Echo3dError, InputError
from echo3d.hearts import Source
from echo3d.imports import INDEX, heart_files, import_heart
from echo3d.progress import Progress, silent

if TYPE_CHECKING:
    from echo3d.registration.register import RegisterConfig

PLAN = "import.json"
"""Name of the file that says how a folder was begun; only the same import goes on in it."""

WORST = 10


def import_registered(
    source: Source, out: Path, config: RegisterConfig, executor: Executor, *, progress: Progress = silent
) -> dict[str, Any]:
    """Import and register every heart of a folder; return the content of cohort.json with the quality of each and the worst ten.

    A heart that cannot be read or registered is named with its sentence and stops no other. A run that was broken off is gone on with by
    the same call; hearts whose file and settings are as they were are not done again.

    Parameters
    ----------
    source : a mesh file or a folder of them, read alike
    out : folder to make or to go on in
    config : how they are registered
    executor : where the work runs
    progress : hears how far it is

    Raises
    ------
    InputError
        If there is no heart, or the folder holds something else.
    """
    sources = [replace(source, path=path) for path in heart_files(source.path)]
    _begin(out, source, config)
    entries: dict[int, dict[str, Any]] = {}
    tasks = [(one, out, config.model_dump(mode="json")) for one in sources]
    for number, entry in run_all(executor, register_one, tasks):
        entries[number] = entry
        progress(len(entries) / len(sources), f"{len(entries)} of {len(sources)} hearts")
    return _finish(out, [entries[number] for number in sorted(entries)])


def _begin(out: Path, source: Source, config: RegisterConfig) -> None:
    """Make the folder, or see that it was begun alike."""
    reading = {"order": source.order, "units": source.units, "axes": source.axes, "array": source.array}
    plan = {"schema": 1, "reading": reading, "config": config.model_dump(mode="json")}
    place = out / PLAN
    try:
        out.mkdir(parents=True, exist_ok=True)
        if place.is_file():
            if json.loads(place.read_text(encoding="utf-8")) != plan:
                raise InputError("an import goes on with the settings it was begun with, found others; choose another folder")
        elif any(out.iterdir()):
            raise InputError("the output folder must be new, empty or an import to go on with, found other files; choose another folder")
        else:
            place.write_text(json.dumps(plan, indent=1) + "\n", encoding="utf-8")
    except (OSError, ValueError) as exc:
        raise InputError(f"the output folder must be writable, found {type(exc).__name__}; choose another place") from exc


def register_one(source: Source, out: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Import and register one heart into its own folder, unless that was done; return its entry in the index."""
    from echo3d.registration.register import RegisterConfig
    from echo3d.registrations import run_register

    name = source.path.stem
    try:
        mark = hashlib.sha256(source.path.read_bytes()).hexdigest()
        entry = _done(out / name, mark)
        if entry is None:
            report = run_register(source, out / name, RegisterConfig(**settings), force=True)
            entry = import_heart(source, out / name) | {"sha256": mark, "registration": report}
            (out / name / "heart.json").write_text(json.dumps(entry, indent=1) + "\n", encoding="utf-8")
        return entry
    except (Echo3dError, OSError) as exc:
        said = str(exc) if isinstance(exc, Echo3dError) else f"a heart must be readable, found {type(exc).__name__}; check the file"
        return {"name": name, "source": source.path.name, "failed": said}


def _done(folder: Path, mark: str) -> dict[str, Any] | None:
    """Return the entry of a heart that was finished from a file of this hash, else None."""
    try:
        entry: dict[str, Any] = json.loads((folder / "heart.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return entry if entry.get("sha256") == mark else None


def _finish(out: Path, entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Write cohort.json and quality.md; return the first's content."""
    good = sorted((entry for entry in entries if "failed" not in entry), key=lambda entry: -entry["registration"]["distance_mm"])
    content = {
        "schema": 1,
        "echo3d": __version__,
        "notice": NOTICE,
        "units": "mm",
        "axes": "LPS",
        "hearts": list(entries),
        "worst": [entry["name"] for entry in good[:WORST]],
        "failed": [entry["name"] for entry in entries if "failed" in entry],
    }
    (out / INDEX).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    (out / "quality.md").write_text(quality(good, [entry for entry in entries if "failed" in entry]), encoding="utf-8")
    return content


def quality(good: Sequence[dict[str, Any]], failed: Sequence[dict[str, Any]]) -> str:
    """Return the table of hearts, worst first, and the sentences of those that failed."""
    head = "| heart | surface, mm | 95 %, mm | folds | volumes off, % |\n| --- | --- | --- | --- | --- |\n"
    rows = []
    for entry in good:
        found = entry["registration"]
        off = ", ".join(f"{key.upper()} {volume['off_percent']:+.1f}" for key, volume in found["volumes"].items())
        rows.append(f"| {entry['name']} | {found['distance_mm']:.2f} | {found['distance95_mm']:.2f} | {found['folded_points']} | {off} |\n")
    return head + "".join(rows) + "".join(f"\n{entry['name']}: {entry['failed']}\n" for entry in failed)

"""Hearts of another origin as a cohort of ours: per heart a surface in mm and LPS and a label volume, and one index of all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from echo3d import __version__
from echo3d.clinical.shown import NOTICE
from echo3d.core.structures import Structure
from echo3d.errors import InputError
from echo3d.hearts import Source, foreign
from echo3d.progress import Progress, silent
from echo3d.results import check_out, write_whole

INDEX = "cohort.json"
"""Name of the file that lists the hearts of a folder."""


def import_cohort(
    source: Source, out: Path, *, force: bool = False, executor: Executor | None = None, progress: Progress = silent
) -> dict[str, Any]:
    """Write <name>.vtp, <name>.npz of every heart and cohort.json into a new folder; return the content of cohort.json.

    Parameters
    ----------
    source : a mesh file or a folder of them, read alike
    out : folder to make; it appears when it is complete
    force : whether an earlier cohort of ours may be replaced
    executor : runs the hearts in parallel where given; each is one call of :func:`import_heart`
    progress : hears how far it is

    Raises
    ------
    InputError
        If there is no heart, one of them cannot be made out, or the folder may not be written.
    """
    check_out(out, force=force)
    sources = [replace(source, path=path) for path in heart_files(source.path)]
    content: dict[str, Any] = {"schema": 1, "echo3d": __version__, "notice": NOTICE, "units": "mm", "axes": "LPS"}

    def write(folder: Path) -> None:
        folders = [folder] * len(sources)
        done: Iterator[dict[str, Any]] = (map if executor is None else executor.map)(import_heart, sources, folders)
        content["hearts"] = list(_heard(done, len(sources), progress))
        (folder / INDEX).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

    write_whole(out, write, force=force)
    return content


def heart_files(path: Path) -> list[Path]:
    """Return the meshes to import: the file itself, or those in the folder, by case number, then by name.

    Raises
    ------
    InputError
        If there is none, or two would be called the same.
    """
    from echo3d.anatomy.published import case_number
    from echo3d.io.mesh_claims import READABLE

    if not path.is_dir():
        return [path]
    found = [file for file in path.iterdir() if file.suffix.lower() in READABLE and file.is_file() and not file.name.startswith(".")]
    if not found:
        raise InputError(f"a folder of hearts must hold meshes ({', '.join(READABLE)}), found none; give another folder or a file")
    if len({file.stem.lower() for file in found}) < len(found):
        raise InputError("hearts of a folder must differ in name, found two that differ in their suffix only; rename one")
    return sorted(found, key=lambda file: (case_number(file.name) is None, case_number(file.name) or 0, file.name))


def import_heart(source: Source, folder: Path) -> dict[str, Any]:
    """Write one heart's surface and label volume into a folder; return its entry in the index."""
    from echo3d.anatomy.published import case_number
    from echo3d.io.labelvolumes import write_label_volume
    from echo3d.io.meshes import write_vtp

    heart, name = foreign(source), source.path.stem
    write_vtp(folder / f"{name}.vtp", heart.mesh)
    write_label_volume(folder / f"{name}.npz", heart.volume, heart.landmarks)
    tags = {tag: tag.title for tag in Structure if tag in np.unique(heart.mesh.labels)}
    return {
        "name": name,
        "source": source.path.name,
        "case": case_number(source.path.name),
        "surface": f"{name}.vtp",
        "labels": f"{name}.npz",
        "points": len(heart.mesh.points),
        "triangles": len(heart.mesh.faces),
        "tags": {int(tag): title for tag, title in tags.items()},
        "volumes_ml": {key: round(value, 1) for key, value in heart.volumes_ml.items()},
        "size_known": heart.size_known,
        "missing": [structure.name for structure in heart.missing],
        "guessed_landmarks": list(heart.guessed),
        "landmarks": {key: [round(float(x), 3) for x in at] for key, at in heart.landmarks.items()},
        "assumed": list(heart.assumed),
    }


def _heard(done: Iterator[dict[str, Any]], count: int, progress: Progress) -> Iterator[dict[str, Any]]:
    """Yield each heart's entry, saying how far it is; a failure tells which of many it was."""
    for number in range(1, count + 1):
        progress((number - 1) / count, f"Heart {number} of {count}")
        try:
            yield next(done)
        except InputError as exc:
            raise InputError(f"heart {number} of {count}: {exc}" if count > 1 else str(exc)) from exc
    progress(1.0, "Done")

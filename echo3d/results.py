"""A result as files: the folder that ``reconstruct`` and ``demo`` make, whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echo3d import __version__
from echo3d.clinical.overlay import draw_overlay, image_labels
from echo3d.clinical.shown import NOTICE, moves, shown
from echo3d.core.mesh import Template
from echo3d.core.result import Reconstruction, StudyResult
from echo3d.core.sector import Sector
from echo3d.core.views import View
from echo3d.errors import InputError

OURS = ("result.json", "truth.json", "sectors.json", "cohort.json", "page.json", "report.json")
"""Files of which each makes a folder one of ours, so that --force may replace it."""

SCHEMA = 1
"""Version of result.json; raised when a key changes its meaning or goes."""

Overlays = dict[tuple[View, str], NDArray[np.uint8]]


def write_result(result: StudyResult, out: Path, *, force: bool = False) -> None:
    """Write result.json, both hearts, the overlays and the report into a new folder.

    Parameters
    ----------
    result : from :func:`echo3d.pipeline.reconstruct_study`
    out : folder to make; it appears when it is complete
    force : whether an earlier result folder may be replaced

    Raises
    ------
    InputError
        If the folder holds something that may not be replaced, or cannot be written.
    """
    from echo3d.anatomy.template import load_template

    template = load_template()
    write_whole(out, lambda folder: _write_files(result, template, folder), force=force)


def write_whole(out: Path, write: Callable[[Path], None], *, force: bool = False) -> None:
    """Let ``write`` fill a hidden folder beside ``out``, then give it its name; nothing is left behind where it fails.

    Raises
    ------
    InputError
        If ``out`` holds something that may not be replaced, or cannot be written.
    """
    check_out(out, force=force)
    out = out.absolute()
    part = out.parent / f".{out.name}.part-{os.getpid()}"
    try:
        part.mkdir(parents=True)
        write(part)
        _swap(part, out)
    except OSError as exc:
        raise InputError(f"the output folder must be writable, found {_why(exc)}; choose another place") from exc
    finally:
        shutil.rmtree(part, ignore_errors=True)


def check_out(out: Path, *, force: bool = False) -> None:
    """Refuse an output folder that holds something; with ``force`` only one that does not look like ours.

    Raises
    ------
    InputError
        With what was found and the way out.
    """
    try:
        if out.is_symlink() or (out.exists() and not out.is_dir()):
            raise InputError("the output must be a folder, found a file of that name; choose another name")
        found = len(list(out.iterdir())) if out.exists() else 0
    except OSError as exc:
        raise InputError(f"the output folder must be readable, found {_why(exc)}; choose another place") from exc
    ours = any((out / name).is_file() for name in OURS)
    if found and not (force and ours):
        way = "choose another folder" if force else "choose another folder, or replace an earlier result with --force"
        raise InputError(f"the output folder must be new or empty, found {found} entries; {way}")


def _swap(part: Path, out: Path) -> None:
    """Give the finished folder its name; an older one is put aside first and removed last."""
    old = out.parent / f".{out.name}.old-{os.getpid()}"
    if out.exists():
        out.rename(old)
    try:
        part.rename(out)
    except OSError:
        if old.exists():
            old.rename(out)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _why(exc: OSError) -> str:
    """Return the system's reason without any path."""
    return (exc.strerror or type(exc).__name__).lower()


def _write_files(result: StudyResult, template: Template, folder: Path) -> None:
    """Write every file of a result into an existing folder."""
    from echo3d.clinical.report import write_report
    from echo3d.io.images import write_png

    (folder / "result.json").write_text(json.dumps(summary(result), indent=2) + "\n", encoding="utf-8")
    for name, heart in (("ed", result.ed), ("es", result.es)):
        _write_heart(folder / f"heart_{name}.vtp", template, heart)
    overlays = draw_overlays(result, template)
    (folder / "overlays").mkdir()
    for (view, phase), picture in overlays.items():
        write_png(folder / "overlays" / f"{view.key}_{phase}.png", picture)
    write_report(folder / "report.pdf", result, template, overlays)


def _write_heart(path: Path, template: Template, heart: Reconstruction) -> None:
    """Write one heart with the expected error and the AHA segment of its points."""
    from echo3d.io.meshes import write_vtp

    count = len(template.mesh.points)
    write_vtp(path, template.heart(heart.points), {"sigma_mm": heart.sigma_mm[:count], "aha17": template.aha[:count]})


def draw_overlays(result: StudyResult, template: Template) -> Overlays:
    """Return the picture of each view at "ed" and "es" with the heart's section laid over it, (H, W, 3) uint8."""
    drawn: Overlays = {}
    for phase, heart, frames in (("ed", result.ed, result.ed_frame), ("es", result.es, result.es_frame)):
        for view, clip in result.clips.items():
            image = clip.image(frames[view])
            labels = image_labels(template, heart.points, heart.planes[view], image)
            drawn[view, phase] = draw_overlay(image.pixels, labels)
    return drawn


def summary(result: StudyResult) -> dict[str, Any]:
    """Return the content of result.json: plain JSON values, null where a number is withheld.

    What is withheld because the pictures are not trusted stands under ``doubtful``, so that nothing is lost and nothing is mistaken.
    """
    numbers = shown(result)
    content: dict[str, Any] = {
        "schema": SCHEMA,
        "echo3d": __version__,
        "notice": NOTICE,
        "pseudonym": result.pseudonym,
        "edv_ml": _tenth(numbers.edv_ml),
        "esv_ml": _tenth(numbers.esv_ml),
        "sv_ml": _tenth(numbers.sv_ml),
        "ef": None if numbers.ef is None else round(numbers.ef, 4),
        "interval90": {name: _pair(name, pair) for name, pair in numbers.interval90.items()},
        "volumes_ml": None if numbers.volumes_ml is None else _volumes(numbers.volumes_ml),
        "views": [_view(result, view) for view in result.clips],
        "calibrated": result.calibrated,
        "trusted": result.trusted,
        "trust": {"beat": round(result.trust, 3), "ed": round(float(result.ed.trust), 3), "es": round(float(result.es.trust), 3)},
        "model": result.model,
        "curve": _curve(result),
        "doubts": list(numbers.doubts),
        "warnings": list(result.warnings),
    }
    return content if result.trusted else content | {"doubtful": _doubtful(result)}


def _volumes(volumes: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    return {chamber: {phase: round(value, 1) for phase, value in at.items()} for chamber, at in volumes.items()}


def _pair(name: str, pair: tuple[float, float]) -> list[float]:
    """Return an interval rounded like its quantity."""
    return [round(float(end), 4 if name == "ef" else 1) for end in pair]


def _tenth(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _doubtful(result: StudyResult) -> dict[str, Any]:
    """Return the numbers of a result that is not trusted."""
    function = result.function
    return {
        "ef": round(function.ef, 4) if moves(result) else None,
        "volumes_ml": _volumes(function.volumes_ml) if result.calibrated else None,
    }


def _curve(result: StudyResult) -> dict[str, Any]:
    """Return the LV volume over the beat: in ml where volumes are shown, and as a share of the largest."""
    volume = result.beat.lv_ml
    shares = [round(float(value), 4) for value in volume / volume.max()]
    sized = shown(result).edv_ml is not None
    return {
        "times_ms": [round(float(time), 1) for time in result.beat.times_ms],
        "lv_ml": [round(float(value), 1) for value in volume] if sized else None,
        "lv_share": shares if result.trusted else None,
    }


def _view(result: StudyResult, view: View) -> dict[str, Any]:
    """Return what is known of one view."""
    clip = result.clips[view]
    return {
        "view": view.key,
        "file": clip.source.label,
        "recognised_by": clip.source.recognised_by,
        "stand_in": clip.source.stand_in,
        "ed_frame": int(result.ed_frame[view]),
        "es_frame": int(result.es_frame[view]),
        "pixel_mm": None if clip.pixel_mm is None else [round(float(mm), 6) for mm in clip.pixel_mm],
        "trust": {
            phase: round(float(heart.view_trust[view]), 3) for phase, heart in (("ed", result.ed), ("es", result.es)) if heart.view_trust
        },
        "plane": _plane(result.ed.planes[view]) | {"network": result.ed.planes_by or result.model},
    }


def _plane(sector: Sector) -> dict[str, Any]:
    """Return a fan in the heart's frame (LPS, mm, degrees)."""
    rounded = {name: [round(float(x), 5) for x in getattr(sector, name)] for name in ("origin", "axis", "lateral")}
    return rounded | {"half_angle": round(float(sector.half_angle), 3), "depth_mm": round(float(sector.depth), 2)}

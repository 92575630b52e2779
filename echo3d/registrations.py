"""The template laid onto a heart file: field, surface, report and a picture in one folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from echo3d import __version__
from echo3d.clinical.overlay import palette
from echo3d.clinical.render import front_camera, render_surface
from echo3d.clinical.shown import NOTICE
from echo3d.core.mesh import Template
from echo3d.core.pose import rigid_between
from echo3d.core.structures import CHAMBER_KEYS, Structure
from echo3d.hearts import Source, foreign
from echo3d.progress import Progress, silent
from echo3d.results import check_out, write_whole

if TYPE_CHECKING:
    from echo3d.registration.register import RegisterConfig, Registration, Target

PICTURE_SIDE = 420
FAR_MM = 2.0
"""Distance that the picture shows in full red."""


@dataclass(frozen=True, slots=True, eq=False)
class Heart:
    """A heart file as registration sees it.

    Parameters
    ----------
    target : its surface
    volumes_ml : the blood of its chambers, where it could be measured
    assumed : one sentence each on what was recognised or taken for granted
    """

    target: Target
    volumes_ml: Mapping[str, float]
    assumed: tuple[str, ...]


def run_register(
    source: Source, out: Path, config: RegisterConfig, *, tagged: bool = True, force: bool = False, progress: Progress = silent
) -> dict[str, Any]:
    """Write field.npz, registered.vtp, report.json and register.png into a new folder; return the report.

    Parameters
    ----------
    source : the heart file and how it is read
    out : folder to make; it appears when it is complete
    config : method and settings
    tagged : whether the parts of the file are told apart
    force : whether an earlier result of ours may be replaced
    progress : hears how far it is

    Raises
    ------
    InputError
        If the file is no heart's surface, or the folder may not be written.
    RegistrationFailed
        If the template does not lie on it in the end.
    """
    from echo3d.anatomy.template import load_template
    from echo3d.registration.register import register

    check_out(out, force=force)
    progress(0.05, "Reading the heart")
    heart, template = open_target(source, tagged=tagged), load_template()
    progress(0.2, "Laying the template onto it")
    found = register(template, heart.target, config)
    progress(0.8, "Drawing and writing")
    report = report_of(template, heart, found) | {"source": source.path.name, "method": config.method}

    def write(folder: Path) -> None:
        _write(folder, template, heart, found)
        (folder / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")

    write_whole(out, write, force=force)
    progress(1.0, "Done")
    return report


def open_target(source: Source, *, tagged: bool = True) -> Heart:
    """Return a heart file as a target; without tags its unit alone is recognised.

    Raises
    ------
    InputError
        If it cannot be made out.
    """
    from echo3d.registration.register import Target
    from echo3d.registration.rims import closed_parts, outward

    if not tagged:
        return _untagged(source)
    heart, bloods = foreign(source), tuple(int(tag) for tag in CHAMBER_KEYS.values())
    landmarks = {name: at for name, at in heart.landmarks.items() if name not in heart.guessed}
    points, faces, tags, lids = closed_parts(np.array(heart.mesh.points), np.array(heart.mesh.faces), np.array(heart.mesh.labels), bloods)
    faces = outward(points, faces, tags).astype(np.int32)
    said = (f"openings closed by lids: {', '.join(_title(tag) for tag in lids)}",) if lids else ()
    return Heart(Target(points, faces, tags, landmarks), heart.volumes_ml, (*heart.assumed, *said))


def _untagged(source: Source) -> Heart:
    """Return a surface of which nothing is known but its triangles."""
    from echo3d.anatomy.conventions import heart_scale
    from echo3d.anatomy.template import load_template
    from echo3d.io.surfaces import read_surface
    from echo3d.registration.register import Target, check_target
    from echo3d.registration.rims import outward

    surface = read_surface(source.path, source.array)
    tags = np.zeros(len(surface.faces), np.uint8)
    check_target(Target(np.array(surface.points), np.array(surface.faces), tags))
    mean = float(np.linalg.norm(np.ptp(load_template().mesh.points, axis=0)))
    extent = np.ptp(surface.points, axis=0)
    scale = heart_scale(extent, "four chambers", asked=source.units, convention=surface.convention, mean_mm=mean)
    points, faces = surface.points * scale.mm, np.array(surface.faces)
    target = Target(points, outward(points, faces, tags).astype(np.int32), tags)
    return Heart(target, {}, (scale.reason, "no parts told apart, as asked, so place and direction were searched for"))


def report_of(template: Template, heart: Heart, found: Registration) -> dict[str, Any]:
    """Return what is to be said of a registration, ready for JSON."""
    own = template.volumes_ml(found.points)
    volumes = {
        key: {"registered_ml": round(own[key], 1), "target_ml": round(ml, 1), "off_percent": round(100 * (own[key] / ml - 1), 2)}
        for key, ml in heart.volumes_ml.items()
        if key in own and ml > 0
    }
    return {
        "schema": 1,
        "echo3d": __version__,
        "notice": NOTICE,
        "template_sha256": template.sha256,
        "distance_mm": round(found.distance_mm, 3),
        "distance95_mm": round(found.distance95_mm, 3),
        "by_part_mm": {_title(tag): round(value, 3) for tag, value in found.by_tag_mm.items()},
        "unsure_points": int((found.confidence < 0.5).sum()),
        "mean_confidence": round(float(found.confidence.mean()), 3),
        "folded_points": found.folded,
        "start_scale": round(found.start.scale, 4),
        "volumes": volumes,
        "assumed": list(heart.assumed),
    }


def _title(tag: int) -> str:
    """Return a part's name for people."""
    known = {int(structure): structure.title for structure in Structure}
    return "whole surface" if tag == 0 else known.get(tag, "outer skin of both ventricles")


def _write(folder: Path, template: Template, heart: Heart, found: Registration) -> None:
    """Write the field, the surface and the picture."""
    from echo3d.io.images import write_png
    from echo3d.io.meshes import write_vtp

    rotation, shift = rigid_between(found.points, template.points)
    vectors = found.points @ rotation.T + shift - template.points
    np.savez_compressed(
        folder / "field.npz",
        vectors=vectors.astype(np.float32),
        points=found.points.astype(np.float32),
        confidence=found.confidence.astype(np.float32),
        template_sha256=np.array(template.sha256),
    )
    count = len(template.mesh.points)
    arrays = {"confidence": found.confidence[:count].astype(np.float32), "displacement_mm": vectors[:count].astype(np.float32)}
    write_vtp(folder / "registered.vtp", template.heart(found.points), arrays)
    write_png(folder / "register.png", picture_of(template, heart.target, found))


def picture_of(template: Template, target: Target, found: Registration) -> NDArray[np.uint8]:
    """Return four pictures in a row, (420, 1680, 3): template as it was laid there, target, result, and the result's distance in colour."""
    from scipy.spatial import cKDTree

    began = found.start.carry(template.points)
    camera = front_camera(np.concatenate([target.points[np.unique(target.faces)], found.points, began]), PICTURE_SIDE)
    tint, _ = palette()
    tint[0] = 170.0
    tissue = ((template.sides > 0) & (template.sides < int(Structure.LV_CAVITY))).sum(axis=1) == 1
    faces, labels = template.mesh.faces[tissue], template.mesh.labels[tissue]
    surface = np.concatenate([target.points[np.unique(target.faces)], target.points[target.faces].mean(axis=1)])
    off = cKDTree(surface).query(found.points)[0][faces].mean(axis=1)
    cells = [
        render_surface(began, faces, tint[labels], camera),
        render_surface(target.points, target.faces, _tints(target.tags, tint), camera),
        render_surface(found.points, faces, tint[labels], camera),
        render_surface(found.points, faces, _heat(off), camera),
    ]
    return np.concatenate(cells, axis=1)


def _tints(tags: NDArray[np.uint8], tint: NDArray) -> NDArray[np.float64]:
    """Return the colours (F, 3) of parts; what has none of its own is grey."""
    colours = tint[tags]
    colours[colours.sum(axis=1) == 0] = 170.0
    return np.asarray(colours)


def _heat(distance: NDArray) -> NDArray[np.float64]:
    """Return colours (F, 3) from blue-grey over white to red at ``FAR_MM``.

    >>> _heat(np.array([0.0, 2.0, 9.0])).tolist()
    [[90.0, 120.0, 170.0], [200.0, 40.0, 40.0], [200.0, 40.0, 40.0]]
    """
    share = np.clip(distance / FAR_MM, 0, 1)
    return np.stack([np.interp(share, (0, 0.5, 1), stops) for stops in ((90, 245, 200), (120, 245, 40), (170, 245, 40))], axis=1)

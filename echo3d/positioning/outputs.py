"""What leaves the workspace as files: six views with their fans, the placement, the placed heart."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echo3d import __version__
from echo3d.clinical.shown import NOTICE
from echo3d.core.mesh import HeartMesh
from echo3d.core.pose import place
from echo3d.core.sector import SectorSlice
from echo3d.core.structures import Structure
from echo3d.core.views import View
from echo3d.errors import InputError
from echo3d.positioning.hearts import Moment
from echo3d.positioning.looks import looked_at
from echo3d.positioning.poses import pose_json
from echo3d.positioning.previews import Answer, Previewer, Request
from echo3d.positioning.restyling import Restyle, restyled
from echo3d.positioning.state import Picture, Scene, heart_of, placement_json
from echo3d.results import check_out, write_whole
from echo3d.slices import fan_content, write_pictures
from echo3d.slicing.cut import cut_views
from echo3d.slicing.labelvolume import Labels, PlacedLabels


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """What is written.

    Parameters
    ----------
    scene : heart, body and placement; the heart must be there
    moment : the heart at the moment that is shown
    number : of that moment
    picture : the image stage; beside the labels its pictures are written too, unless it is the labels themselves
    size : pixels of a side
    """

    scene: Scene
    moment: Moment
    number: int
    picture: Picture
    size: int = 256


def write_views(shot: Shot, out: Path, *, force: bool = False, restyle: Restyle | None = None) -> dict[str, Any]:
    """Write per view <view>.png and <view>.npy, sectors.json, pose.json and heart.vtp into a new folder; return what sectors.json says.

    Parameters
    ----------
    shot : what is written
    out : folder to make; it appears when it is complete
    force : whether earlier slices of ours may be replaced
    restyle : translates pictures into the trained style, None where nobody can

    Raises
    ------
    InputError
        If there is no heart, or the folder may not be written.
    """
    heart, pose = heart_of(shot.scene), shot.scene.placement.pose
    check_out(out, force=force)
    answer = Previewer().answer(Request(0, shot.scene, shot.moment, Picture.LABELS, settled=True))
    labels = PlacedLabels(shot.moment.labels, pose, heart.pivot)
    pieces = cut_views(labels, {view: preview.probe.sector for view, preview in answer.previews.items()}, grid=shot.size)
    content = _content(shot, answer, {view: fan_content(piece) for view, piece in pieces.items()})
    shown = {} if shot.picture is Picture.LABELS else _shown(shot.picture, pieces, labels, restyle)

    def write(folder: Path) -> None:
        from echo3d.io.images import write_png
        from echo3d.io.meshes import write_vtp

        write_pictures(folder, pieces, content)
        (folder / "pose.json").write_text(json.dumps(placement_json(shot.scene.placement), indent=1) + "\n", encoding="utf-8")
        write_vtp(folder / "heart.vtp", placed_heart(shot.scene, shot.moment))
        for view, pixels in shown.items():
            write_png(folder / f"{view.key}_{shot.picture.value.lower()}.png", pixels[..., :3])

    write_whole(out, write, force=force)
    return content


def _shown(picture: Picture, pieces: Mapping[View, SectorSlice], labels: Labels, restyle: Restyle | None) -> dict[View, NDArray[np.uint8]]:
    """Return the pictures (H, W, 4) of slices."""
    if picture is Picture.CYCLEGAN:
        return dict(zip(pieces, restyled(list(pieces.values()), restyle), strict=True))
    return {view: looked_at(piece, labels, picture) for view, piece in pieces.items()}


def _content(shot: Shot, answer: Answer, views: Mapping[View, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what sectors.json says: plain JSON values, the layout of ``echo3d slice``."""
    scene = shot.scene
    heart, body = heart_of(scene), scene.body
    marks = {name: place(at, scene.placement.pose, heart.pivot) for name, at in heart.landmarks.items()}
    windows = {view: preview.window for view, preview in answer.previews.items()}
    return {
        "schema": 1,
        "echo3d": __version__,
        "notice": NOTICE,
        "heart": dict(heart.origin),
        "body": None if body is None else dict(body.origin),
        "assumed": [*heart.facts, *(() if body is None else body.facts)],
        "moment": shot.number,
        "pose": pose_json(scene.placement.pose),
        "pivot": [round(float(x), 3) for x in heart.pivot],
        "size": shot.size,
        "tags": {int(structure): structure.title for structure in Structure},
        "landmarks": {name: [round(float(x), 3) for x in at] for name, at in marks.items()},
        "heart_outside_mm": answer.outside_mm,
        "views": {view.key: {**content, "blocked_share": windows[view]} for view, content in views.items()},
    }


def placed_heart(scene: Scene, moment: Moment) -> HeartMesh:
    """Return the heart's surface as it stands in the body.

    Raises
    ------
    InputError
        If there is no heart.
    """
    heart = heart_of(scene)
    return replace(heart.mesh, points=place(moment.points, scene.placement.pose, heart.pivot))


def write_film(path: Path, frames: Sequence[NDArray[np.uint8]], frame_ms: float) -> None:
    """Write pictures (T, H, W, 3) as GIF or MP4, whichever the suffix names; the file appears when it is complete.

    Raises
    ------
    InputError
        If the suffix is neither, there is no picture or pictures of several sizes, or the folder may not be written.
    """
    from echo3d.io.film import write_gif
    from echo3d.io.video import write_mp4

    if path.suffix.lower() not in (".gif", ".mp4"):
        raise InputError(f"a film is written as .gif or .mp4, found {path.suffix.lower() or 'no suffix'}; choose one of these")
    if len({frame.shape for frame in frames}) > 1:
        raise InputError("a film needs pictures of one size, found several; leave the window's size alone while it is filmed")
    write = write_gif if path.suffix.lower() == ".gif" else write_mp4
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        write(part, frames, frame_ms=frame_ms)
        part.replace(path)
    except OSError as exc:
        part.unlink(missing_ok=True)
        raise InputError(f"a film's folder must be writable, found {(exc.strerror or type(exc).__name__).lower()}; choose another") from exc

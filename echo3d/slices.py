"""Six label views of any heart as files: what its six standard fans see."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echo3d import __version__
from echo3d.bodies import Guest, OpenBody, Standing, hold_probes, open_body, pose_facts, stand, window_facts
from echo3d.clinical.shown import NOTICE
from echo3d.core.mesh import HeartMesh
from echo3d.core.pose import Pose, identity_pose, place
from echo3d.core.sector import Sector, SectorSlice
from echo3d.core.structures import Structure, colour
from echo3d.core.views import View
from echo3d.errors import InputError, ShapeError
from echo3d.hearts import SliceableHeart, Source, open_heart
from echo3d.progress import Progress, silent
from echo3d.results import check_out, write_whole

SIZE, DEPTH_MM = 256, 160.0


@dataclass(frozen=True, slots=True, eq=False)
class SliceSpec:
    """What is asked of :func:`slice_heart`.

    Parameters
    ----------
    size : pixels of a side
    depth_mm : length of the beams; None for 160, or for that of given fans
    pose : what moves the heart while the probes stay
    fans : the fan of each view where something else than the heart places them, such as a body's skin
    body : the body that the heart is placed in, in the words of :func:`echo3d.bodies.open_body`; None for none
    """

    size: int = SIZE
    depth_mm: float | None = None
    pose: Pose = field(default_factory=identity_pose)
    fans: Mapping[View, Sector] | None = None
    body: str | None = None

    def __post_init__(self) -> None:
        if not 16 <= self.size <= 2048:
            raise InputError(f"a picture has 16 to 2048 pixels a side, found {self.size}; choose another --size")
        if self.depth_mm is not None and not 10 <= self.depth_mm <= 500:
            raise InputError(f"a fan is 10 to 500 mm deep, found {self.depth_mm:g}; choose another --depth-mm")


def slice_heart(source: Source, spec: SliceSpec, out: Path, *, force: bool = False, progress: Progress = silent) -> dict[str, Any]:
    """Write <view>.png and <view>.npy of six views and sectors.json into a new folder; return the content of sectors.json.

    Parameters
    ----------
    source : the heart
    spec : what is wanted of it
    out : folder to make; it appears when it is complete
    force : whether earlier slices of ours may be replaced
    progress : hears how far it is

    Raises
    ------
    InputError
        If the heart cannot be made out, or the folder may not be written.
    """
    check_out(out, force=force)
    progress(0.0, "Reading the heart")
    heart = open_heart(source)
    if spec.body is None:
        progress(0.8, "Cutting six views")
        slices = cut_views(heart, spec)
        content = _content(source, heart, spec, slices)
    else:
        progress(0.4, "Placing the heart in the body")
        slices, content = _slices_in_body(source, heart, spec)
    write_whole(out, lambda folder: write_pictures(folder, slices, content), force=force)
    progress(1.0, "Done")
    return content


def cut_views(heart: SliceableHeart, spec: SliceSpec) -> dict[View, SectorSlice]:
    """Return what each fan sees of a heart that a pose has moved.

    The fans stand where the heart at rest wants them (Table 1 carried by its landmarks) and stay there while the pose moves the heart, as a
    probe stays on the skin.
    """
    from echo3d.anatomy.published import mean_landmarks
    from echo3d.slicing import cut
    from echo3d.slicing.labelvolume import PlacedLabels
    from echo3d.slicing.standard import sectors_at

    if spec.fans is None:
        fans = {view: replace(fan, depth=DEPTH_MM) for view, fan in sectors_at(heart.landmarks, mean_landmarks()).items()}
    else:
        fans = dict(spec.fans)
    if spec.depth_mm is not None:
        fans = {view: replace(fan, depth=spec.depth_mm) for view, fan in fans.items()}
    placed = PlacedLabels(heart.labels, spec.pose, heart.landmarks["heart"])
    return cut.cut_views(placed, fans, grid=spec.size)


def _slices_in_body(source: Source, heart: SliceableHeart, spec: SliceSpec) -> tuple[dict[View, SectorSlice], dict[str, Any]]:
    """Return the slices of a heart that stands in a body, and what sectors.json says of them; all in the body's frame."""
    from echo3d.anatomy.published import mean_landmarks
    from echo3d.anatomy.window import acoustic_window, obstacles_of
    from echo3d.slicing.standard import sectors_at

    body = open_body(str(spec.body), heart.person)
    standing = stand(Guest(heart.labels.look_up, heart.landmarks, 1.0 if heart.keeps_size else None), body)
    there = placed_heart(heart, standing)
    probes = hold_probes(standing, sectors_at(there.landmarks, mean_landmarks()))
    fans = {view: probe.sector for view, probe in probes.items()}
    slices = cut_views(there, replace(spec, fans=fans))
    content = _content(source, there, spec, slices)
    seen, obstacles = _moved_surface(standing, there, spec.pose), obstacles_of(standing.body)
    for view, probe in probes.items():
        window = acoustic_window(obstacles, seen, slices[view].sector)
        held = {"on_skin": probe.on_skin, "slid_mm": round(probe.slid_mm, 1)}
        content["views"][view.key]["probe"] = held | window_facts(window)
    return slices, content | _body_content(body, standing)


def placed_heart(heart: SliceableHeart, standing: Standing) -> SliceableHeart:
    """Return a heart in the frame of the body that it stands in."""
    from echo3d.slicing.labelvolume import PlacedLabels

    marks = {name: place(at, standing.pose, standing.pivot) for name, at in heart.landmarks.items()}
    return replace(heart, labels=PlacedLabels(heart.labels, standing.pose, standing.pivot), landmarks=marks)


def _moved_surface(standing: Standing, heart: SliceableHeart, pose: Pose) -> HeartMesh:
    """Return the heart's outside after a pose has moved it under the probes."""
    surface = standing.surface
    return HeartMesh(place(surface.points, pose, heart.landmarks["heart"]), surface.faces, surface.labels)


def _body_content(body: OpenBody, standing: Standing) -> dict[str, Any]:
    """Return what sectors.json says of the body and of how the heart was placed in it."""
    frame = "LPS mm of the body: all landmarks and fans here are in it"
    return {
        "body": body.facts | {"frame": frame, "assumed": list(body.assumed), "placement": pose_facts(standing)},
        "warnings": list(standing.warnings),
    }


def read_pose(path: Path) -> Pose:
    """Read a pose: ``{"translation": [x, y, z], "rotation": [x, y, z], "scale": 1}``, mm and degrees; what is left out stays.

    Raises
    ------
    InputError
        If the file is no such JSON.
    """
    rule = 'a pose must be JSON such as {"translation": [0, 0, 5], "rotation": [0, 0, 10], "scale": 1}'
    try:
        content = json.loads(path.read_bytes()[:100_000])
        unknown = set(content) - {"translation", "rotation", "scale"}
        if unknown:
            raise InputError(f"{rule}, found {sorted(map(str, unknown))[0][:40]!r} too; leave that out")
        return Pose(content.get("translation", [0, 0, 0]), content.get("rotation", [0, 0, 0]), float(content.get("scale", 1.0)))
    except (OSError, ValueError, TypeError, AttributeError, ShapeError) as exc:
        raise InputError(f"{rule}, found another thing ({type(exc).__name__}); correct it") from exc


def coloured(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a label picture (H, W) as RGB (H, W, 3) in the colours of the structures."""
    table = np.full((256, 3), 128, np.uint8)
    for structure in Structure:
        table[structure] = colour(structure)
    return np.asarray(table[labels])


def _content(source: Source, heart: SliceableHeart, spec: SliceSpec, slices: Mapping[View, SectorSlice]) -> dict[str, Any]:
    """Return what sectors.json says: plain JSON values."""
    moved = {"translation": spec.pose.translation.tolist(), "rotation": spec.pose.rotation.tolist(), "scale": spec.pose.scale}
    return {
        "schema": 1,
        "echo3d": __version__,
        "notice": NOTICE,
        "heart": source.path.name,
        "assumed": list(heart.assumed),
        "size_known": heart.size_known,
        "missing": [structure.name for structure in heart.missing],
        "pose": moved,
        "size": spec.size,
        "tags": {int(structure): structure.title for structure in Structure},
        "landmarks": {name: [round(float(x), 3) for x in at] for name, at in heart.landmarks.items()},
        "views": {view.key: fan_content(piece) for view, piece in slices.items()},
    }


def fan_content(piece: SectorSlice) -> dict[str, Any]:
    """Return a view's fan (LPS, mm, degrees) and the area of every structure in it."""
    fan = piece.sector
    lines = {name: [round(float(x), 5) for x in getattr(fan, name)] for name in ("origin", "axis", "lateral")}
    count = np.bincount(piece.labels.ravel(), minlength=256)
    areas = {Structure(int(tag)).name: round(float(count[tag]) * piece.pixel_mm**2, 1) for tag in np.flatnonzero(count) if tag}
    return lines | {
        "half_angle": round(float(fan.half_angle), 3),
        "depth_mm": round(float(fan.depth), 3),
        "pixel_mm": round(float(piece.pixel_mm), 6),
        "area_mm2": areas,
    }


def write_pictures(folder: Path, slices: Mapping[View, SectorSlice], content: Mapping[str, Any]) -> None:
    """Write pictures, tags and sectors.json into an existing folder."""
    from echo3d.io.images import write_png

    for view, piece in slices.items():
        write_png(folder / f"{view.key}.png", coloured(piece.labels))
        np.save(folder / f"{view.key}.npy", piece.labels)
    (folder / "sectors.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

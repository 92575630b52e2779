"""The six probes: where Table 1 wants them on a heart, how a hand moves each of them, and the skin they stand on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from echo3d.anatomy.published import mean_landmarks
from echo3d.anatomy.window import first_hits
from echo3d.core.pose import Pose, place
from echo3d.core.sector import Sector
from echo3d.core.views import View
from echo3d.errors import InputError
from echo3d.slicing.standard import TABLE_1, SectorDraw, ViewTable, jittered, sectors_at

PRESS_MM = 8.0
"""How deep a hand presses a probe into skin of usual thickness, as in ``anatomy.window``."""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """How a hand has moved one probe away from its standard place; degrees and mm, all 0 is the standard.

    Parameters
    ----------
    tilt : out of the plane
    rotate : about the central beam
    angulate : within the plane, towards the picture's right
    slide_lateral, slide_elevation : over the skin, towards the picture's right and towards the viewer's back
    press : deeper into the skin than usual, or lifted off it where negative
    depth : length of the beams, 0 for the one that holds the heart
    half_angle : half the opening
    flipped : whether the index marker stands on the other side, which mirrors the picture
    """

    tilt: float = 0.0
    rotate: float = 0.0
    angulate: float = 0.0
    slide_lateral: float = 0.0
    slide_elevation: float = 0.0
    press: float = 0.0
    depth: float = 0.0
    half_angle: float = 40.0
    flipped: bool = False


@dataclass(frozen=True, slots=True)
class ProbeField:
    """One number of an adjustment: its key, name, unit and range."""

    key: str
    title: str
    unit: str
    low: float
    high: float


PROBE_FIELDS: tuple[ProbeField, ...] = (
    ProbeField("tilt", "Tilt", "°", -60, 60),
    ProbeField("rotate", "Rotate", "°", -180, 180),
    ProbeField("angulate", "Angulate", "°", -60, 60),
    ProbeField("slide_lateral", "Slide across", "mm", -80, 80),
    ProbeField("slide_elevation", "Slide up", "mm", -80, 80),
    ProbeField("press", "Press", "mm", -30, 30),
    ProbeField("depth", "Depth", "mm", 0, 300),
    ProbeField("half_angle", "Half angle", "°", 10, 60),
)
"""The numbers of an adjustment, as they are edited; the index marker is a switch."""

STANDARD = Adjustment()


def adjusted_by(adjustment: Adjustment, key: str, value: float | bool) -> Adjustment:
    """Return the adjustment with one number changed, brought into its range; a depth below 40 mm means the standard one.

    >>> adjusted_by(STANDARD, "tilt", 99).tilt
    60.0
    """
    if key == "flipped":
        return replace(adjustment, flipped=bool(value))
    field = next(field for field in PROBE_FIELDS if field.key == key)
    kept = float(np.clip(value, field.low, field.high))
    return replace(adjustment, **{key: 0.0 if key == "depth" and kept < 40 else kept})  # type: ignore[arg-type]


def adjustment_json(adjustment: Adjustment) -> dict[str, object]:
    """Return the adjustment as plain JSON values."""
    return asdict(adjustment)


def adjustment_from_json(content: object) -> Adjustment:
    """Return the adjustment of plain JSON values.

    Raises
    ------
    InputError
        If they are none.
    """
    known = {field.name for field in fields(Adjustment)}
    if not isinstance(content, dict) or not set(content) <= known or not all(isinstance(v, (int, float)) for v in content.values()):
        raise InputError(f"a probe's adjustment must hold numbers named {', '.join(sorted(known))}, found others; correct them")
    made = STANDARD
    for key, value in content.items():
        made = adjusted_by(made, key, value)
    return made


@dataclass(frozen=True, slots=True, eq=False)
class Skin:
    """The skin of a body as probes feel it.

    Parameters
    ----------
    points : (N, 3) mm
    faces : (F, 3), wound outwards
    press_mm : how deep a hand presses a probe into it
    """

    points: NDArray[np.float64]
    faces: NDArray[np.int32]
    press_mm: float = PRESS_MM


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A probe in space: its fan, and whether it touches skin (None where there is no body)."""

    sector: Sector
    touches: bool | None


def standard_fans(landmarks: Mapping[str, NDArray], pose: Pose, *, level: float = 0.0, table: ViewTable = TABLE_1) -> dict[View, Sector]:
    """Return the six standard fans of a heart as it stands in a pose.

    Parameters
    ----------
    landmarks : the heart's, before the pose
    pose : about the landmark "heart"
    level : 0 for the table's short-axis planes, 1 for the heights at which sonographers cut
    table : Table 1, or other numbers in its place
    """
    pivot = landmarks["heart"]
    placed = {name: place(at, pose, pivot) for name, at in landmarks.items()}
    return sectors_at(placed, _mean(), level=level, table=table)


@lru_cache(maxsize=1)
def _mean() -> Mapping[str, NDArray]:
    return mean_landmarks()


def probe_at_hand(standard: Sector, adjustment: Adjustment, skin: Skin | None) -> Probe:
    """Return a probe after a hand has moved it from its standard fan, standing on the skin where there is one.

    The tip moves along the central beam to where that leaves the skin, so that sliding goes over the skin; the fan then sees as deep into
    the body as before unless a depth is set.
    """
    hand = SectorDraw(
        adjustment.tilt,
        adjustment.rotate,
        adjustment.angulate,
        adjustment.slide_lateral,
        adjustment.slide_elevation,
        depth=adjustment.depth,
        half_angle=adjustment.half_angle,
    )
    fan = jittered(standard, hand)
    out = None if skin is None else _way_out(fan, skin)
    lift = -adjustment.press if skin is None or out is None else out - skin.press_mm - adjustment.press
    depth = adjustment.depth if adjustment.depth > 0 else float(np.clip(fan.depth + lift, 10.0, 500.0))
    lateral = -fan.lateral if adjustment.flipped else fan.lateral
    placed = replace(fan, origin=fan.origin - lift * fan.axis, lateral=lateral, depth=depth)
    return Probe(placed, None if skin is None else out is not None and adjustment.press >= -skin.press_mm)


def _way_out(fan: Sector, skin: Skin) -> float | None:
    """Return how far before the fan's tip its central beam leaves the skin (negative behind it), or None where it meets none."""
    inner = fan.origin + 0.5 * fan.depth * fan.axis
    back = Sector(inner, -fan.axis, -fan.lateral, 40.0, 500.0)
    depth, _, leaves = first_hits(skin.points, skin.faces, back, np.zeros(1))
    return float(depth[0]) - 0.5 * fan.depth if np.isfinite(depth[0]) and leaves[0] else None

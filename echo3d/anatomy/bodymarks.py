"""Landmarks of any skin, read from its shape: notch over the sternum, xiphoid, nipple, apex beat, shoulders.

Only proportions that hold from person to person are used, and where several witnesses speak of one landmark, their median counts.
*Source:* ANSUR 1988 (Gordon et al. 1989), means of men and women as shares of stature: suprasternale 0.184 below the vertex, axilla 0.25,
nipples 0.275, biacromial breadth 0.225, chest breadth 0.18-0.19; sternum without xiphoid about 0.087 (150 mm; Gray's Anatomy).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from echo3d.anatomy.section import Section, section
from echo3d.core.arrays import frozen_array
from echo3d.core.body import BodyMesh, BodyPart, part_surface
from echo3d.core.mesh import enclosed_ml
from echo3d.errors import InputError

VERTEX_TO_NOTCH, VERTEX_TO_AXILLA = 0.184, 0.250
STERNUM = 0.087
PIT_TO_NOTCH = 0.018
"""From the deepest point of the front of the neck down to the notch. *Source:* ``training.neckpit`` on four public bodies (see NOTICE)."""
_BREADTH_SHARE = 0.19
_MEAN_ADULT_MM = 1700.0
_STEP_MM = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class BodyMarks:
    """Landmarks on a skin, LPS mm.

    Parameters
    ----------
    stature : mm; the body's own height, or what it would be
    stature_from : "given", "whole body", "head" or "chest": what told the stature
    bmi : kg/m², from the volume of a whole closed body; 24 where that is not known
    midline : x of the middle plane
    notch, xiphoid : (3,) on the skin of the middle plane: upper and lower end of the sternum without its xiphoid process
    nipple_left, apex_beat : (3,) on the skin: left nipple, and fifth rib space in the left mid-clavicular line
    shoulder_left, shoulder_right : (3,) on the skin over the ends of the collar bones
    front : (P, 2) height and y of the skin in the middle plane in front, from above downwards
    """

    stature: float
    stature_from: str
    bmi: float
    midline: float
    notch: NDArray[np.float64]
    xiphoid: NDArray[np.float64]
    nipple_left: NDArray[np.float64]
    apex_beat: NDArray[np.float64]
    shoulder_left: NDArray[np.float64]
    shoulder_right: NDArray[np.float64]
    front: NDArray[np.float64]

    def __post_init__(self) -> None:
        for name in ("notch", "xiphoid", "nipple_left", "apex_beat", "shoulder_left", "shoulder_right"):
            object.__setattr__(self, name, frozen_array(getattr(self, name), np.float64, (3,), name))
        object.__setattr__(self, "front", frozen_array(self.front, np.float64, (None, 2), "front"))

    def front_at(self, z: float) -> float:
        """Return y (mm) of the skin of the middle plane in front at a height."""
        return float(np.interp(-z, -self.front[:, 0], self.front[:, 1]))


@dataclass(frozen=True, slots=True, eq=False)
class _Skin:
    """A skin with its middle plane and the profiles along it."""

    points: NDArray
    faces: NDArray
    middle: float
    levels: NDArray
    front: NDArray
    back: NDArray

    @property
    def top(self) -> float:
        return float(self.points[:, 2].max())

    @property
    def bottom(self) -> float:
        return float(self.points[:, 2].min())

    def at(self, z: float) -> Section:
        return section(self.points, self.faces, 2, z)

    def breadth(self, z: float) -> float:
        outline = self.at(z).trunk(self.middle, 8.0)
        return float(np.ptp(outline[:, 0])) if len(outline) else 0.0


def body_marks(body: BodyMesh, *, stature_mm: float | None = None) -> BodyMarks:
    """Return the landmarks of a body's skin, with or without head, arms and legs.

    Parameters
    ----------
    body : with a skin, in LPS mm
    stature_mm : where it is known; needed for a trunk without head, whose stature the shape tells only roughly

    Raises
    ------
    InputError
        If there is no skin, or it holds no chest.
    """
    if BodyPart.SKIN not in body.parts:
        raise InputError("a body needs a skin for its landmarks, found none; name the surface that is the skin")
    skin = _profiles(*part_surface(body, BodyPart.SKIN))
    pit, head = _neck_pit(skin)
    whole = head and _has_legs(skin)
    stature, source = (stature_mm, "given") if stature_mm else _stature(skin, pit, head, whole)
    notch = _notch_level(skin, pit, stature, head=whole)
    return _marks(skin, notch, (stature, source), _bmi(skin, stature) if whole else 24.0)


def neck_pit(body: BodyMesh) -> float:
    """Return the height (mm) at which the front of the neck lies deepest."""
    return _neck_pit(_profiles(*part_surface(body, BodyPart.SKIN)))[0]


def known_marks(body: BodyMesh, notch: float, stature: float, bmi: float) -> BodyMarks:
    """Return the landmarks of a skin whose notch (height in mm), stature (mm) and body mass index are known."""
    return _marks(_profiles(*part_surface(body, BodyPart.SKIN)), notch, (stature, "given"), bmi)


def _profiles(points: NDArray, faces: NDArray) -> _Skin:
    """Return the skin with its middle plane: the median middle of the outlines that hold the middle of the box."""
    low, high = points.min(axis=0), points.max(axis=0)
    first = (low[0] + high[0]) / 2
    middles = []
    for z in np.linspace(low[2] + 0.5 * (high[2] - low[2]), high[2], 14)[:-1]:
        outline = section(points, faces, 2, z).trunk(first, 8.0)
        if len(outline):
            middles.append((outline[:, 0].min() + outline[:, 0].max()) / 2)
    middle = float(np.median(middles)) if middles else float(first)
    line = section(points, faces, 0, middle + 1e-3)
    levels = np.arange(high[2] - _STEP_MM, low[2] + 1, -_STEP_MM)
    crossings = [line.across(z, along=1) for z in levels]
    kept = [i for i, places in enumerate(crossings) if len(places) > 1]
    if len(kept) < 40:
        raise InputError(f"a body must be closed along its middle plane over 16 cm or more, found {4 * len(kept)} mm; check unit and axes")
    front, back = (np.array([crossings[i][end] for i in kept]) for end in (0, -1))
    return _Skin(points, faces, middle, levels[kept], front, back)


def _neck_pit(skin: _Skin) -> tuple[float, bool]:
    """Return the level at which the front of the neck lies deepest, and whether there is a head above.

    A neck is a narrow place of the middle plane's profile with something thicker above it, about as broad as it is deep.
    """
    from scipy.signal import find_peaks  # takes longer to import than the window to open

    thick = skin.back - skin.front
    narrow, _ = find_peaks(-thick, prominence=12.0)
    start, head = 0, False
    for i in narrow:
        if thick[i] < 0.85 * thick[:i].max() and skin.breadth(skin.levels[i] + 0.15 * thick[i]) < 1.3 * thick[i]:
            start, head = int(i), True
            break
    if not head:  # the rim of a cut neck comes forward until the neck's own front begins
        start = int(np.argmax(np.diff(skin.front) > -0.5))
    reach = skin.levels > skin.levels[start] - 90.0
    reach[:start] = False
    candidates = np.flatnonzero(reach)
    return float(skin.levels[candidates[np.argmax(skin.front[candidates])]]), head


def _has_legs(skin: _Skin) -> bool:
    """Return whether nothing stands in the middle plane low down, where shins are."""
    height = skin.top - skin.bottom
    return all(len(skin.at(skin.bottom + share * height).trunk(skin.middle, 1.0)) == 0 for share in (0.12, 0.16))


def _stature(skin: _Skin, pit: float, head: bool, whole: bool) -> tuple[float, str]:
    """Return the stature (mm) and what told it."""
    if whole:
        return skin.top - skin.bottom, "whole body"
    if head:
        return (skin.top - pit) / (VERTEX_TO_NOTCH - PIT_TO_NOTCH), "head"
    return _stature_of_trunk(skin, pit), "chest"


def _stature_of_trunk(skin: _Skin, pit: float) -> float:
    """Return the stature (mm) of a chest without a head: halfway between a mean adult's and what its breadth suggests."""
    breadths = [skin.breadth(pit - down) for down in np.arange(150.0, min(230.0, pit - skin.bottom), 10.0)]
    if not breadths:
        raise InputError("a trunk must reach 15 cm below the neck, found less; give a larger part of the body")
    return float(np.clip((_MEAN_ADULT_MM + np.min(breadths) / _BREADTH_SHARE) / 2, 1300.0, 2200.0))


def _notch_level(skin: _Skin, pit: float, stature: float, *, head: bool) -> float:
    """Return the height of the notch: the median of what the pit of the neck, the vertex and the arm pits tell."""
    witnesses = [pit - PIT_TO_NOTCH * stature]
    if head:
        witnesses.append(skin.top - VERTEX_TO_NOTCH * stature)
    arm_pit = _arm_pit(skin, witnesses[0], stature)
    if arm_pit is not None and head:
        witnesses.append(arm_pit + (VERTEX_TO_AXILLA - VERTEX_TO_NOTCH) * stature)
    return float(np.median(witnesses))


def _arm_pit(skin: _Skin, notch: float, stature: float) -> float | None:
    """Return the height at which the arms part from the trunk: the greatest fall of its breadth, if there is a clear one."""
    levels = np.arange(notch - 0.03 * stature, notch - 0.14 * stature, -0.004 * stature)
    breadths = np.array([skin.breadth(z) for z in levels])
    ratio = breadths[:-1] / np.maximum(breadths[1:], 1.0)
    widest = int(np.argmax(ratio))
    return float(levels[widest + 1]) if ratio[widest] > 1.12 else None


def _bmi(skin: _Skin, stature: float) -> float:
    """Return the body mass index of a closed whole body, with a density of 1 kg/l; 24 where the volume is out of reason."""
    litres = abs(enclosed_ml(skin.points, skin.faces)) / 1000
    bmi = litres / (stature / 1000) ** 2
    return bmi if 14 <= bmi <= 50 else 24.0


def _marks(skin: _Skin, notch: float, known: tuple[float, str], bmi: float) -> BodyMarks:
    stature, source = known
    low = notch - STERNUM * stature
    profile = np.stack([skin.levels, skin.front], axis=1)
    on_front = {z: float(np.interp(-z, -skin.levels, skin.front)) for z in (notch, low)}
    beat = notch - 0.086 * stature
    aside = skin.middle + 0.050 * stature
    return BodyMarks(
        stature=stature,
        stature_from=source,
        bmi=bmi,
        midline=skin.middle,
        notch=np.array([skin.middle, on_front[notch], notch]),
        xiphoid=np.array([skin.middle, on_front[low], low]),
        nipple_left=_nipple(skin, notch, stature),
        apex_beat=np.array([aside, _front_of(skin, aside, beat), beat]),
        shoulder_left=_shoulder(skin, notch, stature, 1),
        shoulder_right=_shoulder(skin, notch, stature, -1),
        front=profile,
    )


def _front_of(skin: _Skin, x: float, z: float) -> float:
    """Return y of the foremost skin at a place; the middle plane's where there is none."""
    places = skin.at(z).across(x)
    return float(places[0]) if len(places) else float(np.interp(-z, -skin.levels, skin.front))


def _nipple(skin: _Skin, notch: float, stature: float) -> NDArray[np.float64]:
    """Return the most prominent point of the left breast against the middle plane; on a flat chest where nipples are on average."""
    mean = np.array([skin.middle + 0.060 * stature, notch - 0.091 * stature])
    xs, zs = mean[0] + stature * np.linspace(-0.022, 0.022, 9), mean[1] + stature * np.linspace(-0.03, 0.03, 13)
    sections = [skin.at(z) for z in zs]
    places = [[s.across(x) for x in xs] for s in sections]
    ahead = np.array([[p[0] if len(p) else np.inf for p in row] for row in places])
    stands = np.interp(-zs, -skin.levels, skin.front)[:, None] - ahead
    row, column = np.unravel_index(int(np.argmax(stands)), stands.shape)
    inner = 0 < row < len(zs) - 1 and 0 < column < len(xs) - 1
    x, z = (xs[column], zs[row]) if inner and stands[row, column] > 4.0 else mean
    return np.array([x, _front_of(skin, x, z), z])


def _shoulder(skin: _Skin, notch: float, stature: float, side: int) -> NDArray[np.float64]:
    """Return the highest skin over the end of the left (1) or right (-1) collar bone; further in where the arm is cut off there."""
    ends = skin.points[:, 0] * side
    aside = min(0.112 * stature, float(ends[np.abs(skin.points[:, 2] - notch) < 0.03 * stature].max()) - abs(side * skin.middle) - 4.0)
    x = skin.middle + side * aside
    segments = section(skin.points, skin.faces, 0, x).segments.reshape(-1, 2)
    segments = segments[np.abs(segments[:, 1] - notch) < 0.09 * stature]
    highest = segments[int(np.argmax(segments[:, 1]))]
    return np.array([x, highest[0], highest[1]])

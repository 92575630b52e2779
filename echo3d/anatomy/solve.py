"""The amplitudes at which a moving heart has the volumes, strain and muscle that its beat asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from echo3d.anatomy.beat import BeatDraw
from echo3d.anatomy.contours import Contours, enclosed, lv_contours
from echo3d.anatomy.material import near_material, near_rows, spread
from echo3d.anatomy.motion import Amplitude, Course, course_of, moved
from echo3d.anatomy.search import Search
from echo3d.anatomy.template import load_template
from echo3d.anatomy.timing import END_SYSTOLE, Moment
from echo3d.core.mesh import region_faces
from echo3d.core.structures import Structure

LV, RV, ATRIA = ("inward", "swelling", "shortening"), ("rv", "rv_wall"), ("la", "ra")
"""Amplitudes that are solved for together."""

_BOUNDS = {
    "inward": (-0.6, 0.97),
    "swelling": (0.4, 2.5),
    "shortening": (-0.2, 0.45),
    "rv": (-0.9, 0.95),
    "rv_wall": (0.3, 4.0),
    "la": (-0.4, 1.5),
    "ra": (-0.4, 1.5),
}


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Surfaces of some structures over just the points they need.

    Parameters
    ----------
    used : sorted indices of those points
    surfaces : closed surfaces, (F, 3) into ``used``
    contours : the LV's contours over ``used``, or None
    """

    used: NDArray[np.int64]
    surfaces: tuple[NDArray[np.int64], ...]
    contours: Contours | None

    def measure(self, points: NDArray) -> NDArray[np.float64]:
        """Return the volumes in ml and, with contours, their mean relative length to be divided by that at end-diastole."""
        values = [enclosed(points, faces) for faces in self.surfaces]
        if self.contours is not None:
            values.append(float(self.contours.lengths(points).sum()))
        return np.array(values)


@lru_cache(maxsize=1)
def blocks() -> tuple[Block, Block, Block]:
    """Return the blocks of LV, RV and atria, computed once."""
    template, contours = load_template(), lv_contours()
    faces, sides, cavities = template.mesh.faces, template.sides, template.cavities
    lv = (cavities["lv"], region_faces(faces, sides, Structure.LV_MYOCARDIUM))
    rv = (cavities["rv"], region_faces(faces, sides, Structure.RV_MYOCARDIUM))
    return (
        _block(lv, contours.edges.ravel(), contours),
        _block(rv, near_material().rv_points, None),
        _block((cavities["la"], cavities["ra"]), near_material().rv_points, None),
    )


def _block(surfaces: tuple[NDArray, ...], more: NDArray, contours: Contours | None) -> Block:
    used = np.unique(np.concatenate([*(s.ravel() for s in surfaces), more])).astype(np.int64)
    small = tuple(np.searchsorted(used, s) for s in surfaces)
    return Block(used, small, None if contours is None else contours.at(used))


def goals_of(draw: BeatDraw, moment: Moment) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return, for LV, RV and atria, what each measure shall be over its value at end-diastole."""
    lv = np.array([1 - moment.lv * draw.ef, 1.0, 1 + moment.long * draw.gls])
    rv = np.array([1 - moment.rv * draw.rv_ef, 1.0])
    filled = [1 + share * e / (1 - e) for share, e in ((moment.la, draw.la_emptying), (moment.ra, draw.ra_emptying))]
    return lv, rv, np.array(filled)


def solve(x: NDArray, draw: BeatDraw, moment: Moment = END_SYSTOLE) -> Amplitude:
    """Return the amplitude at which the end-diastolic material positions ``x`` (M, 3) meet the beat's goals at a moment.

    LV, RV and atria are solved for in turn, twice, because each moves its neighbours a little.
    """
    whole = course_of(x, draw, surfaces_only=True)
    parts = [(block, whole.at(block.used), goal) for block, goal in zip(blocks(), goals_of(draw, moment), strict=True)]
    searches = [Search(_misses(*part), {n: _BOUNDS[n] for n in names}) for part, names in zip(parts, (LV, RV, ATRIA), strict=True)]
    now = _first_guess(draw, moment)
    for turn in range(2):
        for search in searches:
            now = search.met(now)
            if turn == 0 and search is searches[0]:
                now = replace(now, torsion=_torsion(draw, moment, parts[0][1], now))
    return searches[0].met(now)


def _first_guess(draw: BeatDraw, moment: Moment) -> Amplitude:
    short = -0.9 * draw.gls * moment.long
    left = np.sqrt(max((1 - moment.lv * draw.ef) / (1 - short), 0.05))
    inward = (1 - left) * {"shell": 1.1, "piston": 0.05, "wringing": 0.7}[draw.family]
    thick = 1 + 0.35 * moment.rv * draw.rv_ef / 0.55
    return Amplitude(inward, 1.0, short, 0.2 * moment.rv, thick, 0.1 * moment.la, 0.1 * moment.ra, (draw.rv_descent or 0.0) * moment.long)


def _misses(block: Block, course: Course, goal: NDArray) -> Callable[[Amplitude], NDArray]:
    """Return the function that tells how far an amplitude misses the goals, as shares of the values at end-diastole."""
    start = block.measure(course.x)
    return lambda amplitude: block.measure(moved(course, amplitude)) / start - goal


def _torsion(draw: BeatDraw, moment: Moment, course: Course, now: Amplitude) -> float:
    """Return the torsion in radians: drawn, or what makes inner and outer fibres shorten alike.

    A fibre at ``helix`` degrees against the circumference on the inner wall and at minus that on the outer one shortens alike on both if
    the wall turns by ``(outer - inner stretch) / (tan(helix) (inner + outer radius))`` per mm of length. *Source:* Arts' uniform fibre
    shortening, to first order.
    """
    if draw.family != "wringing":
        return float(np.radians(draw.torsion) * moment.twist)
    rings = _rings()
    after = moved(course, now)
    pairs = [(course.bullet.split(course.x[ring])[1].mean(), course.bullet.split(after[ring])[1].mean()) for ring in rings]
    (inner, inner_now), (outer, outer_now) = pairs
    rate = (outer_now / outer - inner_now / inner) / (np.tan(np.radians(draw.helix)) * (inner_now + outer_now))
    lag = np.clip(moment.twist / max(moment.lv, 0.1), 0.0, 1.2)
    return float(np.clip(rate * course.bullet.length * lag, -0.32, 0.32))


@lru_cache(maxsize=1)
def _rings() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return, in the LV's block, the points of the inner and outer wall at mid height."""
    material, template, used = near_material(), load_template(), blocks()[0].used
    middle = np.isin(template.aha, range(7, 13))
    rings = (points[middle[points]] for points in (material.inner_points, material.outer_points))
    inner, outer = (np.searchsorted(used, np.intersect1d(points, used)) for points in rings)
    return inner, outer


def heart_at(x: NDArray, draw: BeatDraw, moment: Moment = END_SYSTOLE) -> NDArray[np.float64]:
    """Return all material positions (M, 3) at a moment of the beat of the heart that lies at ``x`` (M, 3) at end-diastole, mm."""
    near = x[near_rows()[0]]
    return spread(moved(course_of(near, draw), solve(near, draw, moment)))


def points_at(points: NDArray, draw: BeatDraw, moment: Moment = END_SYSTOLE) -> NDArray[np.float64]:
    """Return the template's points (N, 3) of a heart at a moment of its beat, without the raster around them, mm."""
    return moved(course_of(points, draw, surfaces_only=True), solve(points, draw, moment))

"""A heart at any moment of its beat: ventricles of wanted volume and strain, constant muscle, filling atria, moving valves.

The LV's wall follows one of the laws of :mod:`echo3d.anatomy.laws`; the base descends to a near-still apex; the RV's free wall follows
the septum and closes in on it, its muscle kept at its volume; the atria grow as the valve plane leaves them. All amplitudes are solved
for, so that volumes and strain are met exactly. *Source:* our choice; amplitudes from reference science.md 0.3 and E.8.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from echo3d.anatomy.beat import BeatDraw
from echo3d.anatomy.laws import LAYER, Law, Push, confocal_of, tube_of
from echo3d.anatomy.material import Bullet, Material, bullet_of, near_material, surface_material
from echo3d.anatomy.template import load_template
from echo3d.core.mesh import region_faces
from echo3d.core.structures import Structure


@dataclass(frozen=True, slots=True)
class Amplitude:
    """How far the heart has gone.

    Parameters
    ----------
    inward, swelling, shortening : the LV's leading layer, wall volume factor, and descent of the base as a share of the LV's length
    rv, rv_wall : closing in of the RV's free wall, and thickening of that wall
    la, ra : radial growth of the atria
    right : descent of the RV's base as a share of the LV's length, where the beat draws it on its own
    torsion : radians, apex against base
    """

    inward: float = 0.0
    swelling: float = 1.0
    shortening: float = 0.0
    rv: float = 0.0
    rv_wall: float = 1.0
    la: float = 0.0
    ra: float = 0.0
    right: float = 0.0
    torsion: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """What of the motion of positions (M, 3) does not change while its amplitude is solved for; (M,) unless said otherwise.

    Parameters
    ----------
    x, direction : (M, 3) mm at end-diastole, and outward from the LV's axis
    law : motion with the LV's wall
    profile, still : inward motion over that at mid height, and how it fades above the base
    slope, descent : local shortening over that of the LV, and (M,) mm of descent at full shortening
    right : (M,) mm of descent with the RV's base, where that goes its own way
    fade, closing : how far the wall's shift reaches outside, and (M,) mm towards the axis per unit of the RV's closing in
    twist : share of the torsion
    la, ra : (M, 3) mm per unit of the atria's growth
    reader, rv_rows : what reads the RV's inner wall, and where its points are among the positions
    rv_wall, rv_normal : weight of the RV's wall, and (M, 3) outward from its inner surface
    rv_depth : (M, 2) mm from there in the wall and beyond it
    bullet : the LV's coordinates
    """

    x: NDArray[np.float64]
    direction: NDArray[np.float64]
    law: Law
    profile: NDArray[np.float64]
    still: NDArray[np.float64]
    slope: NDArray[np.float64]
    descent: NDArray[np.float64]
    right: NDArray[np.float64]
    fade: NDArray[np.float64]
    closing: NDArray[np.float64]
    twist: NDArray[np.float64]
    la: NDArray[np.float64]
    ra: NDArray[np.float64]
    reader: sparse.csr_matrix
    rv_rows: NDArray[np.int64]
    rv_wall: NDArray[np.float64]
    rv_normal: NDArray[np.float64]
    rv_depth: NDArray[np.float64]
    bullet: Bullet

    def at(self, rows: NDArray) -> Course:
        """Return the course of some positions only (sorted); where the RV's inner wall is not among them its wall does not follow."""
        whole = ("law", "rv_rows", "bullet")
        picked: dict[str, Any] = {one.name: getattr(self, one.name)[rows] for one in fields(self) if one.name not in whole}
        inside = bool(np.isin(self.rv_rows, rows, assume_unique=True).all())
        wall = picked["rv_wall"] if inside else np.zeros(len(rows))
        return replace(self, **(picked | {"rv_wall": wall}), law=self.law.at(rows), rv_rows=np.searchsorted(rows, self.rv_rows))


def course_of(x: NDArray, draw: BeatDraw, *, surfaces_only: bool = False) -> Course:
    """Return the course of the end-diastolic material positions ``x`` (M, 3); of the template's points alone where asked for."""
    material = surface_material() if surfaces_only else near_material()
    x = x[: len(material.rest)]
    template = load_template()
    bullet = bullet_of(template, x)
    height, _, direction = bullet.split(x)
    law: Law = (confocal_of if draw.family == "wringing" else tube_of)(material, x, bullet, LAYER[draw.family])
    fall, slope = _DESCENT[draw.family](height)
    still = np.exp(-((np.maximum(height - 1.0, 0) / 0.3) ** 2))
    free = np.clip(1.4 * material.soft["rv_wide"], 0, 1)
    right = np.clip(material.soft["rv"] + material.soft["ra"], 0, 1)
    own = draw.rv_descent is not None
    fading, sheet = np.exp(-law.beyond / draw.reach), np.exp(-law.beyond / (3 * draw.reach))
    normal, depth = _rv_places(material, x)
    return Course(
        x=x,
        direction=direction,
        law=law,
        profile=radial_profile(material, x, height, direction, draw),
        still=still,
        slope=slope * still,
        descent=bullet.length * fall * (1 + (-1.0 if own else draw.tapse - 1) * right),
        right=bullet.length * fall * right * own,
        fade=free * sheet + (1 - free) * fading,
        closing=free * law.beyond * still,
        twist=twist_of(height, law.beyond, draw),
        la=material.soft["la"][:, None] * (x - template.landmark(x, "la")),
        ra=material.soft["ra"][:, None] * (x - template.landmark(x, "ra")),
        reader=material.rv_reader,
        rv_rows=material.rv_points,
        rv_wall=material.rv_wall,
        rv_normal=normal,
        rv_depth=depth,
        bullet=bullet,
    )


def moved(course: Course, amplitude: Amplitude) -> NDArray[np.float64]:
    """Return the positions (M, 3) of a course after the motion of the given amplitude, mm."""
    c, a = course, amplitude
    push = Push(a.inward * c.profile * c.still, 1 + (a.swelling - 1) * c.still, 1 - a.shortening * c.slope)
    y = c.x + c.fade[:, None] * c.law.shift(push) - (a.rv * c.closing)[:, None] * c.direction
    y = turned(y - (a.shortening * c.descent + a.right * c.right)[:, None] * c.bullet.axis, c.bullet, a.torsion * c.twist)
    return _with_rv_wall(c, y, a.rv_wall) + a.la * c.la + a.ra * c.ra


def _rv_places(material: Material, x: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the outward normal (M, 3) of the RV's inner surface next to each position, and its depth (M, 2) in and beyond the wall, mm."""
    faces, place = rv_inner_faces()
    a, b, c = (x[faces[:, k]] for k in range(3))
    normals = np.zeros((len(material.rv_points), 3))
    for k in range(3):
        np.add.at(normals, place[:, k], np.cross(b - a, c - a))
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    rows = np.flatnonzero(material.rv_wall > 1e-3)
    reader = material.rv_reader[rows]
    normal, depth = np.zeros_like(x), np.zeros((len(x), 2))
    read = reader @ normals
    normal[rows] = read / np.maximum(np.linalg.norm(read, axis=1, keepdims=True), 1e-9)
    whole = np.einsum("mi,mi->m", x[rows] - reader @ x[material.rv_points], normal[rows])
    depth[rows] = whole[:, None] * np.stack([material.rv_share[rows], 1 - material.rv_share[rows]], axis=1)
    return normal, depth


@lru_cache(maxsize=1)
def rv_inner_faces() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the faces (F, 3) of the RV's inner free wall, normals out of the blood, and their corners' numbers among ``rv_points``."""
    template = load_template()
    match = (template.sides == Structure.RV_CAVITY).any(axis=1) & (template.sides == Structure.RV_MYOCARDIUM).any(axis=1)
    faces = region_faces(template.mesh.faces[match], template.sides[match], Structure.RV_CAVITY).astype(np.int64)
    return faces, np.searchsorted(near_material().rv_points, faces)


def _with_rv_wall(course: Course, y: NDArray, thickening: float) -> NDArray[np.float64]:
    """Return positions with the RV's free wall moved along its normal to be ``thickening`` times as thick as at end-diastole."""
    rows = np.flatnonzero(course.rv_wall > 1e-3)
    if len(rows) == 0:
        return y
    normal, depth = course.rv_normal[rows], course.rv_depth[rows]
    now = np.einsum("mi,mi->m", y[rows] - course.reader[rows] @ y[course.rv_rows], normal)
    wanted = thickening * depth[:, 0] + depth[:, 1]
    result = y.copy()
    result[rows] += (course.rv_wall[rows] * (wanted - now))[:, None] * normal
    return result


def turned(x: NDArray, bullet: Bullet, angle: NDArray) -> NDArray[np.float64]:
    """Return positions turned about the axis by their own angle (M,) in radians."""
    (u, v, w), (a, b, c) = bullet.axis, (x - bullet.apex).T
    cosine, sine = np.cos(angle), np.sin(angle)
    kept = (a * u + b * v + c * w) * (1 - cosine)
    turned_arm = (cosine * a + sine * (v * c - w * b) + kept * u, cosine * b + sine * (w * a - u * c) + kept * v)
    return bullet.apex + np.stack([*turned_arm, cosine * c + sine * (u * b - v * a) + kept * w], axis=1)


def _fall(height: NDArray, rise: NDArray, reach: float) -> NDArray[np.float64]:
    """Return a descent that follows ``rise`` up to the base and fades over ``reach`` LV lengths above it."""
    above = np.clip((height - 1.0) / reach, 0.0, 1.0)
    return rise * (1 - above**2 * (3 - 2 * above))


def _descent_shell(height: NDArray) -> tuple[NDArray, NDArray]:
    """Return descent over that of the base, and its slope: little near the apex."""
    h = np.clip(height, 0.0, 1.0)
    return _fall(height, h**1.25, 0.85), np.where((height > 0) & (height < 1), 1.25 * h**0.25, 0.0)


def _descent_wringing(height: NDArray) -> tuple[NDArray, NDArray]:
    """Return descent over that of the base, and its slope: the same strain everywhere, the apex comes up a little."""
    h = np.clip(height, 0.0, 1.0)
    lift = -0.07 * np.exp(-((np.minimum(height, 0.0) / 0.3) ** 2)) * (1 - h)
    return _fall(height, h + lift, 0.75), np.where((height > 0) & (height < 1), 1.07, 0.0)


def _descent_piston(height: NDArray) -> tuple[NDArray, NDArray]:
    """Return descent over that of the base, and its slope: the base moves as one piece, the middle of the wall shortens."""
    h = np.clip((height - 0.04) / 0.88, 0.0, 1.0)
    rise, slope = 0.75 * h + 0.25 * h * h * (3 - 2 * h), 0.75 + 1.5 * h * (1 - h)
    return _fall(height, rise, 1.0), np.where((h > 0) & (h < 1), slope / 0.88, 0.0)


_DESCENT = {"shell": _descent_shell, "wringing": _descent_wringing, "piston": _descent_piston}


def radial_profile(material: Material, x: NDArray, height: NDArray, direction: NDArray, draw: BeatDraw) -> NDArray[np.float64]:
    """Return the inward motion (M,) over that of a healthy free wall at mid height."""
    middle = np.clip(height, 0, 1)
    along = np.interp(middle, [0, 0.25, 0.55, 1.0], [draw.apical, 0.5 + 0.5 * draw.apical, 1.0, draw.basal])
    if draw.family != "shell":
        along = (0.5 + 0.5 * along) * np.interp(middle, [0, 0.15, 0.35], [0.55, 0.8, 1.0])
    template = load_template()
    axis = bullet_of(template, x).axis
    arm = template.landmark(x, "rv") - template.landmark(x, "lv")
    arm = arm - (arm @ axis) * axis
    towards = direction @ (arm / max(float(np.linalg.norm(arm)), 1e-6))
    return along * (1 - draw.septal * np.clip(towards, -1, 1) * 0.5) * (material.segments @ np.array(draw.segments))


def twist_of(height: NDArray, beyond: NDArray, draw: BeatDraw) -> NDArray[np.float64]:
    """Return the share of torsion (M,): one way at the apex, the other at the base, fading outside the wall.

    The wringing family turns evenly along the wall, the others mostly near the apex.
    """
    apex, base = (0.6, -0.4) if draw.family == "wringing" else (0.7, -0.3)
    turn = np.interp(height, [0, 1, 1.3], [apex, base, 0.0])
    if draw.family != "wringing":
        turn = np.interp(height, [0, 0.5, 1, 1.3], [apex, 0.1, base, 0.0])
    return turn * np.exp(-beyond / draw.reach)

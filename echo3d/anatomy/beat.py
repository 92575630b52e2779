"""The beat: end-diastole to end-systole and back, with a wanted ejection fraction and constant myocardium.

The LV shortens along its axis while its inner wall moves in; a shell of wall at radius r keeps its volume, so the wall thickens
(``r'^p = ri'^p + k (r^p - ri^p) / stretch`` with p = 2 in the tube and 3 in the cap). The base descends to a near-still apex, the RV's free
wall follows the septum, the atria fill. *Source:* our choice; amplitudes from reference science.md 0.3 and E.8.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, root_scalar

from echo3d.anatomy.material import CAP, Bullet, Material, bullet_of, load_material
from echo3d.anatomy.template import load_template
from echo3d.core.mesh import enclosed_ml, region_faces
from echo3d.core.structures import Structure
from echo3d.errors import InputError

PHASES = 25


@dataclass(frozen=True, slots=True)
class BeatDraw:
    """Drawn parameters of one beat.

    Parameters
    ----------
    ef, rv_ef : ejection fractions
    shortening : share of the LV's length by which the base descends
    tapse : descent of the RV's base over that of the LV's
    apical, basal : radial motion there over that at mid height
    septal : how much less (negative: more) the septum moves than the free wall, as a share
    torsion : degrees, apex against base
    atrial : radial growth of the atria at end-systole
    reach : mm over which motion fades outside the wall
    heart_rate : per minute
    systole : share of the cycle from ED to ES
    kick : share of the stroke volume that the atria add
    """

    ef: float = 0.6
    rv_ef: float = 0.55
    shortening: float = 0.13
    tapse: float = 1.4
    apical: float = 0.9
    basal: float = 0.8
    septal: float = 0.1
    torsion: float = 8.0
    atrial: float = 0.08
    reach: float = 14.0
    heart_rate: float = 65.0
    systole: float = 0.38
    kick: float = 0.25


def draw_beat(rng: np.random.Generator, ef: float) -> BeatDraw:
    """Return a beat whose longitudinal share, RV function, torsion and timing scatter about what fits ``ef``.

    Raises
    ------
    InputError
        If ``ef`` is not in [0.08, 0.80].
    """
    if not 0.08 <= ef <= 0.80:
        raise InputError(f"an ejection fraction must lie between 0.08 and 0.80, found {ef:.3g}; choose one in that range")
    return BeatDraw(
        ef=float(ef),
        rv_ef=float(np.clip(0.12 + 0.72 * ef + rng.normal(0, 0.06), 0.08, 0.7)),
        shortening=float(np.clip(0.23 * ef * rng.uniform(0.65, 1.3), 0.01, 0.2)),
        tapse=float(rng.uniform(1.0, 1.7)),
        apical=float(rng.uniform(0.75, 1.1)),
        basal=float(rng.uniform(0.65, 0.95)),
        septal=float(rng.uniform(-0.1, 0.35)),
        torsion=float(ef * rng.uniform(4, 22)),
        atrial=float(rng.uniform(0.0, 0.2) * min(1.0, ef / 0.5)),
        reach=float(rng.uniform(9, 20)),
        heart_rate=float(rng.uniform(52, 95)),
        systole=float(rng.uniform(0.33, 0.43)),
        kick=float(rng.uniform(0.1, 0.35)),
    )


@dataclass(frozen=True, slots=True)
class Amplitude:
    """How far the heart has gone: inner wall, wall volume factor, RV free wall."""

    inward: float
    swelling: float
    rv: float


def descent(height: NDArray) -> tuple[NDArray, NDArray]:
    """Return the share of the base's descent at heights (share of the LV's length), and its slope.

    >>> [round(float(v), 3) for v in descent(np.array([0.0, 1.0, 2.0]))[0]]
    [0.0, 1.0, 0.0]
    """
    rise = np.clip(height, 0.0, 1.0)
    smooth = rise**1.25
    fall = np.clip((height - 1.0) / 0.85, 0.0, 1.0)
    value = smooth * (1 - fall**2 * (3 - 2 * fall))
    slope = np.where((height > 0) & (height < 1), 1.25 * rise**0.25, 0.0)
    return value, slope


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """What of the motion of positions (M, 3) does not change while its amplitude is solved for; (M,) unless said otherwise.

    Parameters
    ----------
    x, direction : (M, 3) mm at end-diastole, and outward from the LV's axis
    radius, inner, wall, beyond : mm from the axis: the position, the inner wall there, the place in the wall, and how far outside it
    profile, still : inward motion over that at mid height, and how it fades above the base
    power, shell, stretch : of the law that keeps a shell of wall at its volume
    fading, sheet, free : how far the wall's shift reaches outside: elsewhere, at the RV, and how much a position belongs to the RV
    shift : (M, 3) mm by the descent of the base, before the torsion
    angle : torsion in radians
    filling : (M, 3) mm by the atria's growth
    bullet : the LV's coordinates
    """

    x: NDArray[np.float64]
    direction: NDArray[np.float64]
    radius: NDArray[np.float64]
    inner: NDArray[np.float64]
    wall: NDArray[np.float64]
    beyond: NDArray[np.float64]
    profile: NDArray[np.float64]
    still: NDArray[np.float64]
    power: NDArray[np.float64]
    shell: NDArray[np.float64]
    stretch: NDArray[np.float64]
    fading: NDArray[np.float64]
    sheet: NDArray[np.float64]
    free: NDArray[np.float64]
    shift: NDArray[np.float64]
    angle: NDArray[np.float64]
    filling: NDArray[np.float64]
    bullet: Bullet

    def at(self, rows: NDArray) -> Course:
        """Return the course of some positions only."""
        picked = {one.name: getattr(self, one.name)[rows] for one in fields(self) if one.name != "bullet"}
        return replace(self, **picked)


def course_of(material: Material, x: NDArray, bullet: Bullet, draw: BeatDraw, share: float) -> Course:
    """Return the course of positions ``x`` (M, 3) of the end-diastolic heart for a share of the drawn motion."""
    height, radius, direction = bullet.split(x)
    inner = material.inner @ bullet.split(x[material.inner_points])[1]
    outer = np.maximum(material.outer @ bullet.split(x[material.outer_points])[1], inner + 2.0)
    fall, slope = descent(height)
    still = np.exp(-((np.maximum(height - 1.0, 0) / 0.3) ** 2))
    power = 2 + np.clip(1 - height / CAP, 0, 1)
    wall = np.minimum(np.maximum(radius, inner), outer)
    beyond = np.maximum(radius - outer, 0)
    tapse = 1 + (draw.tapse - 1) * np.clip(material.soft["rv"] + material.soft["ra"], 0, 1)
    return Course(
        x=x,
        direction=direction,
        radius=radius,
        inner=inner,
        wall=wall,
        beyond=beyond,
        profile=radial_profile(height, direction, bullet, draw, x, material),
        still=still,
        power=power,
        shell=wall**power - inner**power,
        stretch=1 - share * draw.shortening * slope * still,
        fading=np.exp(-beyond / draw.reach),
        sheet=np.exp(-beyond / (3 * draw.reach)),
        free=np.clip(1.5 * material.soft["rv"], 0, 1),
        shift=(-share * draw.shortening * bullet.length * fall * tapse)[:, None] * bullet.axis,
        angle=np.radians(draw.torsion) * share * twist(height, beyond, draw.reach),
        filling=filling(material, x, draw.atrial * share),
        bullet=bullet,
    )


def moved(course: Course, amplitude: Amplitude) -> NDArray[np.float64]:
    """Return the positions (M, 3) of a course after the motion of the given amplitude, mm."""
    c = course
    target = c.inner * np.clip(1 - amplitude.inward * c.profile * c.still, 0.03, None)
    swelling = 1 + (amplitude.swelling - 1) * c.still
    shift = (target**c.power + swelling * c.shell / c.stretch) ** (1 / c.power) - c.wall
    right = shift * c.sheet - amplitude.rv * c.beyond * c.still
    outside = c.free * right + (1 - c.free) * shift * c.fading
    inside = c.radius * (target / np.maximum(c.inner, 1e-6) - 1)
    outward = np.where(c.radius <= c.inner, inside, np.where(c.beyond > 0, outside, shift + c.wall - c.radius))
    return turned(c.x + outward[:, None] * c.direction + c.shift, c.bullet, c.angle) + c.filling


def radial_profile(height: NDArray, direction: NDArray, bullet: Bullet, draw: BeatDraw, x: NDArray, material: Material) -> NDArray:
    """Return the inward motion (M,) over that of the free wall at mid height."""
    middle = np.clip(height, 0, 1)
    along = np.interp(middle, [0, 0.25, 0.55, 1.0], [draw.apical, 0.5 + 0.5 * draw.apical, 1.0, draw.basal])
    template = load_template()
    arm = template.landmark(x, "rv") - template.landmark(x, "lv")
    arm = arm - (arm @ bullet.axis) * bullet.axis
    towards = direction @ (arm / max(float(np.linalg.norm(arm)), 1e-6))
    return along * (1 - draw.septal * np.clip(towards, -1, 1) * 0.5)


def twist(height: NDArray, beyond: NDArray, reach: float) -> NDArray:
    """Return the share of torsion (M,): one way at the apex, the other at the base, fading outside the wall."""
    return np.interp(height, [0, 1, 1.3], [0.7, -0.3, 0.0]) * np.exp(-beyond / reach)


def turned(x: NDArray, bullet: Bullet, angle: NDArray) -> NDArray[np.float64]:
    """Return positions turned about the axis by their own angle (M,) in radians."""
    arm = x - bullet.apex
    across = np.cross(bullet.axis, arm)
    along = (arm @ bullet.axis)[:, None] * bullet.axis
    cosine, sine = np.cos(angle)[:, None], np.sin(angle)[:, None]
    return bullet.apex + along + cosine * (arm - along) + sine * across


def filling(material: Material, x: NDArray, growth: float) -> NDArray[np.float64]:
    """Return the displacement (M, 3) mm by which both atria grow about their centres by ``growth``."""
    template = load_template()
    return sum((growth * material.soft[key][:, None] * (x - template.landmark(x, key)) for key in ("la", "ra")), np.zeros_like(x))


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """The solved motion of one heart; :func:`at_share` evaluates it anywhere."""

    draw: BeatDraw
    material: Material
    x: NDArray[np.float64]
    bullet: Bullet
    target: Amplitude
    share: float


def _on_surfaces(material: Material) -> Material:
    """Return the material cut down to the template's points, where all volumes are measured."""
    keep = slice(0, material.count)
    return replace(
        material,
        rest=material.rest[keep],
        inner=material.inner[keep],
        outer=material.outer[keep],
        soft={key: weight[keep] for key, weight in material.soft.items()},
    )


def solve_motion(x: NDArray, draw: BeatDraw, share: float = 1.0) -> Motion:
    """Return the motion of the end-diastolic positions ``x`` (M, 3) that empties the LV and RV by ``share`` of the drawn fractions.

    Inner wall, wall swelling and RV wall are solved for in turn, so that the EF is exact (well under 0.2 points) and the LV
    myocardium keeps its volume.
    """
    material, template = load_material(), load_template()
    points = x[: material.count]
    bullet = bullet_of(template, points)
    whole = course_of(_on_surfaces(material), points, bullet, draw, share)
    lv = _problem(whole, template.cavities["lv"], 1 - share * draw.ef)
    rv = _problem(whole, template.cavities["rv"], 1 - share * draw.rv_ef)
    wall = _problem(whole, region_faces(template.mesh.faces, template.sides, Structure.LV_MYOCARDIUM), 1.0)
    now = Amplitude(0.3 * share, 1.0, 0.1)
    for _ in range(3):
        now = _solved(lv, now, "inward")
        now = _solved(wall, now, "swelling")
    now = _solved(rv, now, "rv")
    now = _solved(lv, now, "inward")
    return Motion(draw, material, x, bullet, now, share)


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    """A closed surface, the course of just its points, and the ml that it shall hold."""

    course: Course
    faces: NDArray[np.int64]
    goal: float


def _problem(whole: Course, faces: NDArray, factor: float) -> _Problem:
    used, renumbered = np.unique(faces, return_inverse=True)
    course, small = whole.at(used), renumbered.reshape(faces.shape)
    return _Problem(course, small, factor * enclosed_ml(course.x, small))


_BOUNDS = {"inward": (-0.6, 0.95), "swelling": (0.4, 2.5), "rv": (-0.6, 0.8)}


def _solved(problem: _Problem, now: Amplitude, name: str) -> Amplitude:
    """Return the amplitude with one number changed so that the surface holds its goal; at its bound where that cannot be."""

    def excess(value: float) -> float:
        return enclosed_ml(moved(problem.course, replace(now, **{name: value})), problem.faces) - problem.goal

    low, high = _BOUNDS[name]
    step = 0.05 if getattr(now, name) < high - 0.06 else -0.05
    near = root_scalar(excess, x0=getattr(now, name), x1=getattr(now, name) + step, method="secant", rtol=1e-4, maxiter=8)
    if near.converged and low <= near.root <= high:
        return replace(now, **{name: float(near.root)})
    start, end = excess(low), excess(high)
    if start * end > 0:
        return replace(now, **{name: low if abs(start) < abs(end) else high})
    return replace(now, **{name: float(brentq(excess, low, high, xtol=2e-4))})


def at_target(motion: Motion) -> NDArray[np.float64]:
    """Return all positions (M, 3) after the solved motion, mm."""
    return moved(course_of(motion.material, motion.x, motion.bullet, motion.draw, motion.share), motion.target)


def ejected_share(draw: BeatDraw, phases: int = PHASES) -> NDArray[np.float64]:
    """Return how much of the stroke volume has left at each of ``phases`` equal steps of the cycle; first 0, one at end-systole.

    Rapid ejection, rapid filling, diastasis and an atrial kick. *Source:* our choice of smooth pieces.

    >>> share = ejected_share(BeatDraw(), 100)
    >>> float(share[0]), round(float(share.max()), 3)
    (0.0, 1.0)
    """
    time = np.arange(phases) / phases
    systole = 0.5 - 0.5 * np.cos(np.pi * np.clip(time / draw.systole, 0, 1) ** 0.85)
    early = np.clip((time - draw.systole - 0.03) / 0.24, 0, 1)
    late = np.clip((time - 0.84) / 0.16, 0, 1)
    smooth_early, smooth_late = early**2 * (3 - 2 * early), late**2 * (3 - 2 * late)
    filled = (1 - draw.kick) * smooth_early + draw.kick * smooth_late
    share = np.where(time <= draw.systole, systole, 1 - filled)
    return share / share.max()

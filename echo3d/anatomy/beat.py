"""The beat: end-diastole to end-systole and back, with a wanted ejection fraction and constant myocardium.

The LV shortens along its axis while its inner wall moves in; a shell of wall at radius r keeps its volume, so the wall thickens
(``r'^p = ri'^p + k (r^p - ri^p) / stretch`` with p = 2 in the tube and 3 in the cap). The base descends to a near-still apex, the RV's free
wall follows the septum, the atria fill. *Source:* our choice; amplitudes from reference science.md 0.3 and E.8.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

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
    """How far the heart has gone: inner wall, wall volume factor, RV free wall, and the share of all given motions."""

    inward: float
    swelling: float
    rv: float
    share: float


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


def moved(material: Material, x: NDArray, bullet: Bullet, draw: BeatDraw, amplitude: Amplitude) -> NDArray[np.float64]:
    """Return positions ``x`` (M, 3) of the end-diastolic heart after the motion of the given amplitude, mm."""
    height, radius, direction = bullet.split(x)
    inner = material.inner @ bullet.split(x[material.inner_points])[1]
    outer = np.maximum(material.outer @ bullet.split(x[material.outer_points])[1], inner + 2.0)
    fall, slope = descent(height)
    stretch = 1 - amplitude.share * draw.shortening * slope
    still = np.exp(-((np.maximum(height - 1.0, 0) / 0.3) ** 2))
    profile = radial_profile(height, direction, bullet, draw, x, material)
    target = inner * np.clip(1 - amplitude.inward * profile * still, 0.03, None)
    power = 2 + np.clip(1 - height / CAP, 0, 1)
    swelling = 1 + (amplitude.swelling - 1) * still
    wall = np.minimum(np.maximum(radius, inner), outer)
    shell = (target**power + swelling * (wall**power - inner**power) / (1 + (stretch - 1) * still)) ** (1 / power)
    beyond = np.maximum(radius - outer, 0)
    shift = shell - wall
    free = shift * np.exp(-beyond / draw.reach)
    right = shift * np.exp(-beyond / (3 * draw.reach)) - amplitude.rv * beyond * still
    weight = np.clip(1.5 * material.soft["rv"], 0, 1)
    outside = radius + weight * right + (1 - weight) * free
    new_radius = np.where(radius <= inner, radius * target / np.maximum(inner, 1e-6), np.where(beyond > 0, outside, shell))
    tapse = 1 + (draw.tapse - 1) * np.clip(material.soft["rv"] + material.soft["ra"], 0, 1)
    down = -amplitude.share * draw.shortening * bullet.length * fall * tapse
    result = x + (new_radius - radius)[:, None] * direction + down[:, None] * bullet.axis
    result = turned(result, bullet, np.radians(draw.torsion) * amplitude.share * twist(height, beyond, draw.reach))
    return atria_filled(material, x, result, draw.atrial * amplitude.share)


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


def atria_filled(material: Material, before: NDArray, after: NDArray, growth: float) -> NDArray[np.float64]:
    """Return positions with both atria grown about their centres by ``growth``."""
    template, result = load_template(), after
    for key in ("la", "ra"):
        centre = template.landmark(before, key)
        result = result + growth * material.soft[key][:, None] * (before - centre)
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """The solved motion of one heart; :func:`at_share` evaluates it anywhere."""

    draw: BeatDraw
    material: Material
    x: NDArray[np.float64]
    bullet: Bullet
    target: Amplitude


def _surface_subset(material: Material) -> tuple[Material, NDArray[np.int64]]:
    """Return the material cut down to the template's points (all volumes are measured there)."""
    keep = np.arange(material.count)
    return (
        replace(
            material,
            rest=material.rest[keep],
            inner=material.inner[keep],
            outer=material.outer[keep],
            soft={key: weight[keep] for key, weight in material.soft.items()},
        ),
        keep,
    )


def solve_motion(x: NDArray, draw: BeatDraw, share: float = 1.0) -> Motion:
    """Return the motion of the end-diastolic positions ``x`` (M, 3) that empties the LV and RV by ``share`` of the drawn fractions.

    Inner wall, wall swelling and RV wall are solved for in turn, so that the EF is exact (well under 0.2 points) and the LV
    myocardium keeps its volume.
    """
    material, template = load_material(), load_template()
    surface, keep = _surface_subset(material)
    points = x[keep]
    bullet = bullet_of(template, points)
    lv, rv = template.cavities["lv"], template.cavities["rv"]
    wall = region_faces(template.mesh.faces, template.sides, Structure.LV_MYOCARDIUM)
    goal_lv = enclosed_ml(points, lv) * (1 - share * draw.ef)
    goal_rv = enclosed_ml(points, rv) * (1 - share * draw.rv_ef)
    goal_wall = enclosed_ml(points, wall)
    now = Amplitude(0.3 * share, 1.0, 0.1, share)
    problem = (surface, points, bullet, draw)
    for _ in range(3):
        now = _solved(problem, now, "inward", lv, goal_lv)
        now = _solved(problem, now, "swelling", wall, goal_wall)
    now = _solved(problem, now, "rv", rv, goal_rv)
    now = _solved(problem, now, "inward", lv, goal_lv)
    return Motion(draw, material, x, bullet, now)


_Problem = tuple[Material, NDArray, Bullet, BeatDraw]
_BOUNDS = {"inward": (-0.6, 0.95), "swelling": (0.4, 2.5), "rv": (-0.6, 0.8)}


def _solved(problem: _Problem, now: Amplitude, name: str, faces: NDArray, goal: float) -> Amplitude:
    """Return the amplitude with one number changed so that a closed surface holds ``goal`` ml; at its bound where that cannot be."""

    def excess(value: float) -> float:
        return enclosed_ml(moved(*problem, replace(now, **{name: value})), faces) - goal

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
    return moved(motion.material, motion.x, motion.bullet, motion.draw, motion.target)


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

"""Size and remodelling of the chambers: the law, and the growth at which a heart has the volumes it was meant to have."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echo3d.anatomy.contours import enclosed
from echo3d.anatomy.material import Bullet, Material, bullet_of, lengths, near_material, surface_material
from echo3d.anatomy.record import Goals, Growth
from echo3d.anatomy.search import Search
from echo3d.anatomy.template import load_template
from echo3d.core.arrays import unit
from echo3d.core.mesh import region_faces
from echo3d.core.structures import Structure

MUSCLE_G_PER_ML = 1.05
"""Density of heart muscle. *Source:* ASE/EACVI chamber quantification 2015, LV mass."""

VALVES = {
    "mitral": Structure.MITRAL_VALVE,
    "tricuspid": Structure.TRICUSPID_VALVE,
    "aortic": Structure.AORTIC_VALVE,
    "pulmonary": Structure.PULMONARY_VALVE,
}


def grown(material: Material, x: NDArray, growth: Growth) -> NDArray[np.float64]:
    """Return material positions (M, 3) after the growth of valves, ventricles and atria, mm."""
    return _chambers_grown(material, _framed(x, growth), growth)


def _framed(x: NDArray, growth: Growth) -> NDArray[np.float64]:
    """Return positions with the valves opened and the ventricles lengthened."""
    x = _valves_opened(x, growth)
    bullet = bullet_of(load_template(), x)
    return x - growth.length * bullet.length * _lengthening(bullet, x)[:, None] * bullet.axis


def _chambers_grown(material: Material, x: NDArray, growth: Growth) -> NDArray[np.float64]:
    """Return positions after growth of the LV, then of the other chambers."""
    return _others_grown(material, _lv_grown(material, x, growth), growth)


def _others_grown(material: Material, x: NDArray, growth: Growth) -> NDArray[np.float64]:
    """Return positions after growth of RV and atria about their centres."""
    template = load_template()
    result = x
    for key in ("rv", "la", "ra"):
        result = result + (getattr(growth, key) * material.soft[key])[:, None] * (x - template.landmark(x, key))
    return result


def _lengthening(bullet: Bullet, x: NDArray) -> NDArray[np.float64]:
    """Return the share (M,) of the ventricles' lengthening: one at the apex, none at the base, smooth."""
    down = np.clip(1.0 - (x - bullet.apex) @ bullet.axis / bullet.length, 0.0, 1.2)
    return down * np.clip(down / 0.3, 0, 1) ** 0.5


def _lv_grown(material: Material, x: NDArray, growth: Growth) -> NDArray[np.float64]:
    """Return positions after growth of the LV's cavity and wall; what lies outside is pushed along and less so with distance."""
    bullet = bullet_of(load_template(), x)
    height, radius, direction = bullet.split(x)
    inner = material.inner @ bullet.split(x[material.inner_points])[1]
    outer = np.maximum(material.outer @ bullet.split(x[material.outer_points])[1], inner + 2.0)
    still = np.exp(-((np.maximum(height - 0.9, 0) / 0.35) ** 2))
    cavity = 1 + (growth.cavity - 1) * still
    wall = 1 + (growth.wall * _wall_factor(material, growth) - 1) * still
    place = np.clip(radius, inner, outer)
    shift = inner * cavity + (place - inner) * wall / np.maximum(cavity, 0.6) ** 0.5 - place
    beyond = np.maximum(radius - outer, 0)
    new_radius = np.where(radius <= inner, radius * cavity, radius + shift * np.exp(-beyond / 30.0))
    return x + (new_radius - radius)[:, None] * direction


_SEPTAL = np.array([0.15, 1.0, 0.9, 0.1, 0.0, 0.0, 0.2, 1.0, 0.9, 0.1, 0.0, 0.0, 0.1, 0.5, 0.1, 0.0, 0.0])
"""How much each AHA segment takes part in septal growth."""


def _wall_factor(material: Material, growth: Growth) -> NDArray[np.float64] | float:
    """Return the wall growth (M,) over that of the LV as a whole."""
    if growth.septal == 0 and set(growth.segments) == {1.0}:
        return 1.0
    return np.asarray(material.segments @ ((1 + growth.septal * _SEPTAL) * np.array(growth.segments)))


def _valves_opened(x: NDArray, growth: Growth) -> NDArray[np.float64]:
    """Return positions after each valve's opening is scaled within its plane; it fades over 15 mm about the opening's rim."""
    result = x.copy()
    for name, points in valve_points().items():
        scale = getattr(growth, name)
        if scale == 1.0:
            continue
        rows = _around(name)
        rows = rows[rows < len(x)]
        centre, normal, radius = plane_of(x[points])
        arm = x[rows] - centre
        fade = (scale - 1) * np.exp(-((np.maximum(lengths(arm) - radius, 0) / 15.0) ** 2))
        result[rows] += fade[:, None] * (arm - (arm @ normal)[:, None] * normal)
    return result


@lru_cache(maxsize=4)
def _around(name: str) -> NDArray[np.int64]:
    """Return the material positions that lie within 48 mm of a valve in the template; the rest do not feel its opening."""
    rest = near_material().rest
    return np.flatnonzero(lengths(rest - rest[valve_points()[name]].mean(axis=0)) < 48.0)


@lru_cache(maxsize=1)
def valve_points() -> dict[str, NDArray[np.int64]]:
    """Return per valve the template's points on faces between the valve and blood."""
    template = load_template()
    blood = (template.sides > 100).any(axis=1)
    return {
        name: np.unique(template.mesh.faces[blood & (template.sides == tag).any(axis=1)]).astype(np.int64) for name, tag in VALVES.items()
    }


def plane_of(points: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return centre, unit normal and mean radius (mm) of a flat ring or disc of points (K, 3)."""
    centre = points.mean(axis=0)
    normal = np.linalg.svd(points - centre, full_matrices=False)[2][2]
    return centre, unit(normal), float(np.sqrt(2 * ((points - centre) ** 2).sum(axis=1).mean()))


_LV = {"cavity": (0.45, 2.2), "wall": (0.35, 4.5)}
_OTHERS = {"rv": (-0.6, 1.6), "la": (-0.75, 1.6), "ra": (-0.75, 1.6)}
_GOOD = 4e-3


@lru_cache(maxsize=1)
def _lv_muscle() -> NDArray[np.int32]:
    """Return the closed surface of the LV's muscle."""
    template = load_template()
    return region_faces(template.mesh.faces, template.sides, Structure.LV_MYOCARDIUM)


def _guess(factors: NDArray) -> dict[str, Any]:
    """Return a first guess of the growth from the factors by which LV, its muscle, RV, LA and RA shall change."""
    lv, muscle, *others = (float(v) for v in factors)
    cavity = float(np.clip(lv**0.45, *_LV["cavity"]))
    wall = float(np.clip(muscle / cavity**0.7, *_LV["wall"]))
    rest = {name: float(np.clip(1.25 * (v ** (1 / 3) - 1), -0.5, 1.2)) for name, v in zip(_OTHERS, others, strict=True)}
    return {"cavity": cavity, "wall": wall} | rest


def fitted(x: NDArray, growth: Growth, goals: Goals, emptying: tuple[float, float]) -> Growth:
    """Return the growth at which a shaped heart has the wanted volumes.

    Parameters
    ----------
    x : (N, 3) mm, the template's points of the heart before growth
    growth : valves, length and septum as drawn; the rest is where the search starts
    goals : what the heart shall measure
    emptying : share of its largest volume that LA and RA lose by end-diastole
    """
    material, cavities = surface_material(), load_template().cavities
    framed = _framed(x, growth)
    left = (cavities["lv"], _lv_muscle())
    wanted = np.array([goals.lv_ml, goals.mass_g / MUSCLE_G_PER_ML])
    rest = tuple(cavities[key] for key in _OTHERS)
    rest_wanted = np.array([goals.rv_ml, goals.la_ml * (1 - emptying[0]), goals.ra_ml * (1 - emptying[1])])

    def misses(points: NDArray, surfaces: tuple[NDArray, ...], goal: NDArray) -> NDArray[np.float64]:
        return np.array([enclosed(points, faces) for faces in surfaces]) / goal - 1

    start = _chambers_grown(material, framed, growth)
    growth = replace(growth, **_guess(1 / (1 + misses(start, (*left, *rest), np.concatenate([wanted, rest_wanted])))))
    lv: Search[Growth] = Search(lambda g: misses(_chambers_grown(material, framed, g), left, wanted), _LV, _GOOD)
    held = {"x": start}
    others: Search[Growth] = Search(lambda g: misses(_others_grown(material, held["x"], g), rest, rest_wanted), _OTHERS, _GOOD)
    for _ in range(3):
        growth = lv.met(growth)
        held["x"] = _lv_grown(material, framed, growth)
        growth = others.met(growth)
    growth = lv.met(growth)
    return replace(growth, **{name: round(getattr(growth, name), 5) for name in (*_LV, *_OTHERS)})

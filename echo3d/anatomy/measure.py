"""What a reader would measure on a heart: volumes, muscle, walls, valves, aortic root, strain, descent of the valve planes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from echo3d.anatomy.contours import longitudinal_strain, region_volumes
from echo3d.anatomy.growth import MUSCLE_G_PER_ML, plane_of, valve_points
from echo3d.anatomy.material import bullet_of, load_material
from echo3d.anatomy.template import load_template
from echo3d.core.arrays import unit
from echo3d.core.structures import Structure

SEPTUM, POSTERIOR = (8, 9), (11,)
"""AHA segments read as septum and as posterior wall, at mid height, where papillary plane and M-mode read them."""


@dataclass(frozen=True, slots=True)
class Measures:
    """Numbers of one heart: ml, g, mm, fractions; atria at end-systole (their largest), walls and valves at end-diastole."""

    lv_edv_ml: float
    lv_esv_ml: float
    rv_edv_ml: float
    rv_esv_ml: float
    la_max_ml: float
    ra_max_ml: float
    lv_mass_g: float
    ef: float
    rv_ef: float
    gls: float
    septum_mm: float
    posterior_mm: float
    wall_max_mm: float
    mitral_ap_mm: float
    tricuspid_mm: float
    aortic_annulus_mm: float
    aortic_sinus_mm: float
    mapse_mm: float
    tapse_mm: float


def measure(ed: NDArray, es: NDArray) -> Measures:
    """Return the numbers of a heart from its material positions (M, 3) at end-diastole and end-systole."""
    count = load_material().count
    ed, es = ed[:count], es[:count]
    at_ed, at_es = region_volumes(ed), region_volumes(es)
    lv, rv = Structure.LV_CAVITY, Structure.RV_CAVITY
    walls = wall_mm(ed)
    return Measures(
        lv_edv_ml=float(at_ed[lv]),
        lv_esv_ml=float(at_es[lv]),
        rv_edv_ml=float(at_ed[rv]),
        rv_esv_ml=float(at_es[rv]),
        la_max_ml=float(at_es[Structure.LA_CAVITY]),
        ra_max_ml=float(at_es[Structure.RA_CAVITY]),
        lv_mass_g=float(MUSCLE_G_PER_ML * at_ed[Structure.LV_MYOCARDIUM]),
        ef=float(1 - at_es[lv] / at_ed[lv]),
        rv_ef=float(1 - at_es[rv] / at_ed[rv]),
        gls=longitudinal_strain(ed, es),
        septum_mm=float(np.mean([walls[s - 1] for s in SEPTUM])),
        posterior_mm=float(np.mean([walls[s - 1] for s in POSTERIOR])),
        wall_max_mm=float(walls[:16].max()),
        mitral_ap_mm=_across(ed, "mitral", "aortic"),
        tricuspid_mm=_across(ed, "tricuspid", "mitral"),
        aortic_annulus_mm=_width(ed[valve_points()["aortic"]]),
        aortic_sinus_mm=sinus_mm(ed),
        mapse_mm=_descent(ed, es, "mitral"),
        tapse_mm=_descent(ed, es, "tricuspid"),
    )


def wall_mm(ed: NDArray) -> NDArray[np.float64]:
    """Return the mean wall thickness of the 17 AHA segments, (17,) mm, across the wall from inner to outer surface."""
    material, template = load_material(), load_template()
    points = material.inner_points
    bullet = bullet_of(template, ed)
    radius = bullet.split(ed)[1]
    outer = material.outer[points] @ radius[material.outer_points]
    segment = template.aha[points]
    thick = outer - radius[points]
    return np.array([thick[segment == s].mean() if (segment == s).any() else thick.mean() for s in range(1, 18)])


def _across(points: NDArray, valve: str, neighbour: str) -> float:
    """Return the opening of a valve in mm along the line towards a neighbouring valve, hinge to hinge within 6 mm of that line."""
    template = load_template()
    ring = points[valve_points()[valve]]
    centre, normal, _ = plane_of(ring)
    towards = template.landmark(points, neighbour) - centre
    line = unit(towards - (towards @ normal) * normal)
    near = np.abs((ring - centre) @ np.cross(normal, line)) < 6.0
    return float(np.ptp((ring - centre)[near] @ line))


def _width(ring: NDArray) -> float:
    """Return the mean width in mm of a flat ring or disc of points (K, 3) over all directions in its plane."""
    _, _, axes = np.linalg.svd(ring - ring.mean(axis=0), full_matrices=False)
    flat = (ring - ring.mean(axis=0)) @ axes[:2].T
    angles = np.radians(np.arange(0, 180, 15))
    return float(np.ptp(flat @ np.stack([np.cos(angles), np.sin(angles)]), axis=0).mean())


def sinus_mm(points: NDArray) -> float:
    """Return the largest mean diameter in mm of the aortic lumen 4 to 18 mm above its valve."""
    template = load_template()
    lumen = (template.sides == Structure.AORTA_LUMEN).any(axis=1) & (template.sides == Structure.AORTA).any(axis=1)
    wall = points[np.unique(template.mesh.faces[lumen])]
    centre, normal, _ = plane_of(points[valve_points()["aortic"]])
    up = normal * np.sign((wall.mean(axis=0) - centre) @ normal)
    height = (wall - centre) @ up
    found = []
    for low in (4.0, 8.0, 12.0):
        ring = wall[(height > low) & (height < low + 6)]
        flat = ring - ring.mean(axis=0)
        flat = flat - (flat @ up)[:, None] * up
        found.append(2 * float(np.linalg.norm(flat, axis=1).mean()) if len(ring) > 8 else 0.0)
    return max(found)


def _descent(ed: NDArray, es: NDArray, valve: str) -> float:
    """Return by how many mm a valve's centre comes down towards the apex."""
    template = load_template()
    axis = bullet_of(template, ed).axis
    return float((template.landmark(ed, valve) - template.landmark(es, valve)) @ axis)

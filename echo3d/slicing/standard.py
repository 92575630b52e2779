"""The six standard fans of a heart, from its landmarks and the paper's Table 1, and how a real hand departs from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from echo3d.core.arrays import unit
from echo3d.core.mesh import LANDMARKS, Template
from echo3d.core.sector import Sector, sector_towards
from echo3d.core.views import View


@dataclass(frozen=True, slots=True)
class ViewTable:
    """The numbers that the standard views stand on, mm on the mean heart; as they are, Table 1 of the paper.

    Parameters
    ----------
    probe : where the apical probe stands
    end : the short-axis points lie on the way from the heart's centre to this point
    shares : of that way, for the basal, mid and apical plane
    """

    probe: tuple[float, float, float] = (62.63, -60.94, -28.13)
    end: tuple[float, float, float] = (65.08, -33.68, -38.44)
    shares: tuple[float, float, float] = (0.25, 0.60, 0.70)


TABLE_1 = ViewTable()
"""*Source:* Table 1 of the paper; reference science.md 0.1."""

APICAL_PROBE = np.array(TABLE_1.probe)
"""Table 1: where the probe of the apical views stands on the mean heart, mm."""

SHORT_AXES = (View.PSAX_BASAL, View.PSAX_MID, View.PSAX_APICAL)

CLINICAL_HEIGHT = {View.PSAX_BASAL: 0.80, View.PSAX_MID: 0.50, View.PSAX_APICAL: 0.22}
"""Height on the LV's axis (apex 0, mitral valve 1) at which sonographers cut; Table 1's planes lie nearer to the apex."""

PARASTERNAL_MM = 80.0
"""Distance of the parasternal probe from the LV's axis on the mean heart (21 mm before the RV's wall in the basal plane); our choice."""


@dataclass(frozen=True, slots=True)
class SectorDraw:
    """How a hand departs from a standard view; degrees and mm.

    Parameters
    ----------
    tilt : out of the plane, about the picture's lateral direction
    rotate : about the central beam
    angulate : within the plane
    slide_lateral, slide_elevation : of the probe on the skin; large slides foreshorten an apical view
    standoff : further from (positive) or nearer to the heart
    depth : beam length, or 0 for the one that holds the heart
    half_angle : half the opening
    level : 0 for Table 1's short-axis planes, 1 for the clinical ones
    """

    tilt: float = 0.0
    rotate: float = 0.0
    angulate: float = 0.0
    slide_lateral: float = 0.0
    slide_elevation: float = 0.0
    standoff: float = 0.0
    depth: float = 0.0
    half_angle: float = 40.0
    level: float = 0.0


def draw_sector(rng: np.random.Generator) -> SectorDraw:
    """Return a drawn departure: a careful hand with now and then a foreshortened view."""
    slide = 10.0 if rng.random() < 0.15 else 3.5
    return SectorDraw(
        tilt=float(np.clip(rng.normal(0, 4.0), -12, 12)),
        rotate=float(np.clip(rng.normal(0, 6.0), -18, 18)),
        angulate=float(np.clip(rng.normal(0, 5.0), -15, 15)),
        slide_lateral=float(rng.normal(0, slide)),
        slide_elevation=float(rng.normal(0, slide)),
        standoff=float(rng.uniform(-14, 10)),
        depth=0.0 if rng.random() < 0.5 else float(rng.uniform(120, 200)),
        half_angle=float(rng.uniform(30, 45)),
        level=float(rng.uniform(0, 1)),
    )


Landmarks = Mapping[str, NDArray[np.float64]]
"""Per name of ``core.mesh.LANDMARKS`` a point (3,) in mm, LPS."""


def standard_sectors(template: Template, points: NDArray, *, level: float = 0.0) -> dict[View, Sector]:
    """Return the six standard fans of the heart whose material points are ``points`` (N, 3)."""
    return sectors_at(template_landmarks(template, points), template_landmarks(template, template.points), level=level)


def template_landmarks(template: Template, points: NDArray) -> dict[str, NDArray[np.float64]]:
    """Return all landmarks of the heart whose material points are ``points`` (N, 3)."""
    return {name: template.landmark(points, name) for name in LANDMARKS}


def sectors_at(marks: Landmarks, mean: Landmarks, *, level: float = 0.0, table: ViewTable = TABLE_1) -> dict[View, Sector]:
    """Return the six standard fans of a heart of which the landmarks are known.

    Apical planes hold Table 1's landmarks; Table 1's probe is carried along in the LV's own frame and dropped onto each plane. The
    apical two-chamber plane holds the LV's axis at right angles to the RV's direction, which the RV landmark only orients.
    Short-axis planes are Table 1's at ``level`` 0, the clinical heights at 1.

    Parameters
    ----------
    marks : the heart's
    mean : the mean heart's, on which Table 1 stands
    level : 0 to 1
    table : Table 1, or other numbers in its place
    """
    probe = probe_at(marks, mean, table)
    fans = {view: apical_sector(marks, view, probe) for view in (View.A4C, View.A2C, View.A3C)}
    return fans | {view: short_axis_sector(marks, mean, view, level, table) for view in SHORT_AXES}


def lv_frame(marks: Landmarks) -> NDArray[np.float64]:
    """Return rows: LV axis (apex to base), direction towards the RV, and their cross product; each a unit vector."""
    apex, base, rv = (marks[name] for name in ("lv_apex_endo", "mitral", "rv"))
    axis = unit(base - apex)
    septal = unit((rv - apex) - ((rv - apex) @ axis) * axis)
    return np.stack([axis, septal, np.cross(axis, septal)])


def carried_probe(template: Template, points: NDArray) -> NDArray[np.float64]:
    """Return Table 1's apical probe for the heart whose material points are ``points`` (N, 3)."""
    return probe_at(template_landmarks(template, points), template_landmarks(template, template.points))


def probe_at(marks: Landmarks, mean: Landmarks, table: ViewTable = TABLE_1) -> NDArray[np.float64]:
    """Return Table 1's apical probe for a heart: its place against the LV's apex kept in the LV's own frame, (3,) mm."""
    offset = lv_frame(mean) @ (np.array(table.probe) - mean["lv_apex_epi"])
    return np.asarray(marks["lv_apex_epi"] + offset @ lv_frame(marks), dtype=float)


def apical_sector(marks: Landmarks, view: View, probe: NDArray) -> Sector:
    """Return one apical fan through Table 1's landmarks, the probe dropped onto their plane."""
    apex, mitral, aortic, tricuspid, la, ra = (marks[name] for name in ("lv_apex_epi", "mitral", "aortic", "tricuspid", "la", "ra"))
    if view is View.A4C:
        normal, target, right = np.cross(la - apex, ra - apex), (mitral + tricuspid) / 2, mitral - tricuspid
    elif view is View.A3C:
        normal, target, right = np.cross(mitral - apex, aortic - apex), (2 * mitral + aortic) / 3, aortic - mitral
    else:
        _, septal, across = lv_frame(marks)
        anterior = across * np.sign(across @ np.array([0.0, -1.0, 0.0]))
        normal, target, right = septal, mitral, anterior
        apex = apex - ((apex - mitral) @ septal) * septal
    normal = unit(normal)
    origin = probe - ((probe - apex) @ normal) * normal
    right = right - (right @ normal) * normal
    reach = max(np.linalg.norm(la - origin), np.linalg.norm(mitral - origin)) + 32.0
    return sector_towards(origin, target - ((target - apex) @ normal) * normal, right, 40.0, float(np.clip(reach, 120, 200)))


def short_axis_sector(marks: Landmarks, mean: Landmarks, view: View, level: float, table: ViewTable = TABLE_1) -> Sector:
    """Return one short-axis fan, seen from the parasternal side: anterior up, RV on the left."""
    frame, rest = lv_frame(marks), lv_frame(mean)
    apex, base = marks["lv_apex_endo"], marks["mitral"]
    size = float(np.linalg.norm(base - apex) / np.linalg.norm(mean["mitral"] - mean["lv_apex_endo"]))
    end = np.array(table.end)
    rest_point = table.shares[view - View.PSAX_BASAL] * end - mean["lv_apex_endo"]
    stated = apex + size * (rest @ rest_point) @ frame
    clinical = apex + CLINICAL_HEIGHT[view] * (base - apex)
    normal = unit((1 - level) * (unit(rest @ end) @ frame) + level * unit(apex - base))
    point = (1 - level) * stated + level * clinical
    centre = apex + ((point - apex) @ normal) / ((base - apex) @ normal) * (base - apex)
    anterior = np.array([0.0, -1.0, 0.0])
    up = unit(anterior - (anterior @ normal) * normal)
    target = centre + 0.15 * (marks["rv"] - centre)
    target = target - ((target - centre) @ normal) * normal
    right = -frame[1] + (frame[1] @ normal) * normal
    return sector_towards(target + size * PARASTERNAL_MM * up, target, right, 40.0, float(np.clip(145.0 * size, 120, 200)))


def jittered(sector: Sector, draw: SectorDraw) -> Sector:
    """Return the fan after a drawn departure."""
    axis, lateral = turned_pair(sector.axis, sector.lateral, draw)
    origin = sector.origin + draw.slide_lateral * sector.lateral + draw.slide_elevation * sector.normal - draw.standoff * sector.axis
    depth = draw.depth if draw.depth > 0 else sector.depth
    return replace(sector, origin=origin, axis=axis, lateral=lateral, half_angle=draw.half_angle, depth=float(depth))


def turned_pair(axis: NDArray, lateral: NDArray, draw: SectorDraw) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return beam axis and lateral direction turned by angulation, tilt and rotation, in this order."""
    normal = np.cross(lateral, axis)
    a, t, r = np.radians([draw.angulate, draw.tilt, draw.rotate])
    beam, across = np.cos(a) * axis + np.sin(a) * lateral, np.cos(a) * lateral - np.sin(a) * axis
    beam, out = np.cos(t) * beam + np.sin(t) * normal, np.cos(t) * normal - np.sin(t) * beam
    across = np.cos(r) * across + np.sin(r) * out
    return unit(beam), unit(across - (across @ unit(beam)) * unit(beam))

"""Whether a built heart is sound: nothing turned inside out, chambers closed and apart, all parts there, numbers as asked."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from echo3d.anatomy.contours import region_volumes
from echo3d.anatomy.growth import MUSCLE_G_PER_ML
from echo3d.anatomy.material import GRID_SIDE, bullet_of, load_material
from echo3d.anatomy.measure import wall_mm
from echo3d.anatomy.record import HeartRecord
from echo3d.anatomy.template import field_grid, load_label_volume, load_template
from echo3d.anatomy.winding import overlaps_ml
from echo3d.core.structures import CHAMBERS, TAGS, Structure

MUSCLE_TOLERANCE = 0.03
"""By how much the muscle of a ventricle may change its volume over the beat."""

EF_TOLERANCE = 0.002
MOST_FOLDED = 0
MOST_OVERLAP_ML = 0.1
"""Parts that touch, such as the appendage on the LV, may share a few voxels of the test's 3 mm raster."""
LEAST_DESCENT = 0.12
"""Descent of the mitral ring over EF and LV length, at least: 6 mm at an EF of 0.6. Below, strain comes from the radial motion alone."""
THINNEST_MM, THICKEST_MM = 3.0, 22.0
"""Mean wall of an AHA segment at end-diastole: science.md E.9 draws 6 to 20 mm; a scar may be thinner."""

_SIX = np.array([[0, 1, 3, 7], [0, 3, 2, 7], [0, 2, 6, 7], [0, 6, 4, 7], [0, 4, 5, 7], [0, 5, 1, 7]])
"""A cell's corners (x y z as bits 4 2 1) as six tetrahedra about one diagonal."""


@lru_cache(maxsize=1)
def coarse_tetrahedra() -> NDArray[np.int64]:
    """Return the (K, 4) node indices of a tetrahedral mesh of the heart: six per raster cell, those whose middle is wall.

    Blood is no material: its tetrahedra may turn over in a cavity that almost closes while its wall is sound.
    """
    grid = field_grid(GRID_SIDE)
    inside = (load_label_volume().look_up(grid.nodes()) > 0).reshape((grid.side,) * 3)
    n = grid.side
    corner = np.array([(i * n + j) * n + k for i, j, k in np.ndindex(2, 2, 2)])
    filled = np.logical_or.reduce([inside[i : n - 1 + i, j : n - 1 + j, k : n - 1 + k] for i, j, k in np.ndindex(2, 2, 2)])
    base = np.ravel_multi_index(np.nonzero(filled), (n, n, n))
    cells = (base[:, None] + corner)[:, _SIX].reshape(-1, 4)
    nodes = grid.nodes()
    turned = _six_volumes(nodes, cells) < 0
    cells[turned] = cells[turned][:, [0, 2, 1, 3]]
    return np.asarray(cells[np.isin(load_label_volume().look_up(nodes[cells].mean(axis=1)), TAGS)], dtype=np.int64)


def _six_volumes(nodes: NDArray, cells: NDArray) -> NDArray[np.float64]:
    """Return six times the signed volume of each tetrahedron, mm³."""
    a, b, c = (nodes[cells[:, k]] - nodes[cells[:, 0]] for k in (1, 2, 3))
    return np.asarray(
        a[:, 0] * (b[:, 1] * c[:, 2] - b[:, 2] * c[:, 1])
        + a[:, 1] * (b[:, 2] * c[:, 0] - b[:, 0] * c[:, 2])
        + a[:, 2] * (b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0])
    )


def inverted_tetrahedra(x: NDArray) -> int:
    """Return how many tetrahedra of the coarse volume mesh are inside out at material positions ``x`` (M, 3)."""
    return int((_six_volumes(x[load_material().count :], coarse_tetrahedra()) <= 0).sum())


@lru_cache(maxsize=1)
def _neighbours() -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return pairs (K, 2) of triangles that share an edge of one smooth interface, and +1 or -1 where their normals agree or oppose."""
    template = load_template()
    faces, sides = template.mesh.faces.astype(np.int64), np.sort(template.sides, axis=1).astype(np.int64)
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    owner = np.tile(np.arange(len(faces)), 3)
    kind = sides[owner, 0] * 128 + sides[owner, 1]
    order = np.lexsort((edges[:, 1], edges[:, 0], kind))
    same = (np.diff(edges[order], axis=0) == 0).all(axis=1) & (np.diff(kind[order]) == 0)
    pairs = np.stack([owner[order][:-1][same], owner[order][1:][same]], axis=1)
    sign = np.where((template.sides[pairs[:, 0]] == template.sides[pairs[:, 1]]).all(axis=1), 1.0, -1.0)
    smooth = sign * _cosines(template.points, pairs) > 0.2
    return pairs[smooth], sign[smooth]


def _cosines(points: NDArray, pairs: NDArray) -> NDArray[np.float64]:
    """Return the cosine between the normals of pairs of the template's triangles."""
    faces = load_template().mesh.faces
    a, b, c = (points[faces[:, k]] for k in range(3))
    (u0, u1, u2), (v0, v1, v2) = (b - a).T, (c - a).T
    normal = np.stack([u1 * v2 - u2 * v1, u2 * v0 - u0 * v2, u0 * v1 - u1 * v0], axis=1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    return np.asarray(np.einsum("ki,ki->k", normal[pairs[:, 0]], normal[pairs[:, 1]]))


def folded_edges(x: NDArray) -> int:
    """Return how many edges of the walls, smooth in the template, are folded sharper than 135 degrees: a triangle has turned over."""
    pairs, sign = _neighbours()
    return int((sign * _cosines(x, pairs) < -0.7).sum())


def faults_of(record: HeartRecord, ed: NDArray, es: NDArray) -> list[str]:
    """Return what is wrong with a heart, as short names; empty where it is sound.

    Parameters
    ----------
    record : what was drawn
    ed, es : (M, 3) all material positions of the two phases, mm
    """
    return list(dict.fromkeys([*diastolic_faults(record, ed), *systolic_faults(record, ed, es)]))


def diastolic_faults(record: HeartRecord, ed: NDArray) -> list[str]:
    """Return what is wrong with a heart at end-diastole: its form, and its size against what was drawn."""
    volumes = region_volumes(ed)
    return [*form_faults(ed, volumes), *_size_faults(record, ed, volumes)]


def systolic_faults(record: HeartRecord, ed: NDArray, es: NDArray) -> list[str]:
    """Return what is wrong with a heart at end-systole: its form, and its motion against what was drawn."""
    volumes = region_volumes(es)
    return [*form_faults(es, volumes), *_beat_faults(record, region_volumes(ed), volumes), *_descent_faults(record, ed, es)]


@lru_cache(maxsize=1)
def chambers_closed() -> bool:
    """Return whether the surface of every chamber is closed; it is the template's in every heart, so it is looked at once."""
    for faces in load_template().cavities.values():
        edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).astype(np.int64)
        there, back = (np.sort(edges[:, i] * 10**6 + edges[:, j]) for i, j in ((0, 1), (1, 0)))
        if not np.array_equal(there, back):
            return False
    return True


def form_faults(x: NDArray, volumes: NDArray) -> list[str]:
    """Return the faults of one phase: folds, flipped walls, missing parts, chambers that overlap."""
    faults = []
    if inverted_tetrahedra(x) > 0:
        faults.append("fold")
    if not chambers_closed():
        faults.append("chamber open")
    if (volumes[list(TAGS)] <= 0).any() or (volumes[list(CHAMBERS)] <= 0).any():
        faults.append("part inside out")
    if folded_edges(x) > MOST_FOLDED:
        faults.append("wall flipped")
    overlap = overlaps_ml(x)
    if overlap["walls"] > 0 or overlap["chambers"] > 0:
        faults.append("walls cross")
    if overlap["parts"] > MOST_OVERLAP_ML:
        faults.append("parts overlap")
    return faults


def _size_faults(record: HeartRecord, ed: NDArray, volumes: NDArray) -> list[str]:
    """Return faults of size at end-diastole: goals missed, walls too thin or too thick."""
    faults = []
    goals = record.goals
    if goals is not None:
        pairs = [
            (Structure.LV_CAVITY, goals.lv_ml),
            (Structure.LV_MYOCARDIUM, goals.mass_g / MUSCLE_G_PER_ML),
            (Structure.RV_CAVITY, goals.rv_ml),
        ]
        if any(abs(volumes[tag] / wanted - 1) > 0.02 for tag, wanted in pairs):
            faults.append("volume missed")
    walls = wall_mm(ed)
    if walls.min() < THINNEST_MM or walls[:16].max() > THICKEST_MM:
        faults.append("wall thickness")
    return faults


def _beat_faults(record: HeartRecord, at_ed: NDArray, at_es: NDArray) -> list[str]:
    """Return faults of the motion: ejection fraction missed, muscle not kept."""
    faults = []
    ef = 1 - at_es[Structure.LV_CAVITY] / at_ed[Structure.LV_CAVITY]
    rv_ef = 1 - at_es[Structure.RV_CAVITY] / at_ed[Structure.RV_CAVITY]
    if abs(ef - record.beat.ef) > EF_TOLERANCE or abs(rv_ef - record.beat.rv_ef) > 5 * EF_TOLERANCE:
        faults.append("ejection fraction missed")
    kept = at_es[[Structure.LV_MYOCARDIUM, Structure.RV_MYOCARDIUM]] / at_ed[[Structure.LV_MYOCARDIUM, Structure.RV_MYOCARDIUM]]
    if np.abs(kept - 1).max() > MUSCLE_TOLERANCE:
        faults.append("muscle not kept")
    return faults


def _descent_faults(record: HeartRecord, ed: NDArray, es: NDArray) -> list[str]:
    """Return a fault where the base of the LV hardly comes down."""
    bullet = bullet_of(load_template(), ed)
    fall = (load_template().landmark(ed, "mitral") - load_template().landmark(es, "mitral")) @ bullet.axis
    return ["base hardly moves"] if fall < LEAST_DESCENT * record.beat.ef * bullet.length else []

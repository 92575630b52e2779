"""Material positions: the template's points and the nodes of the field raster, with what is known of each in the template."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.spatial import cKDTree

from echo3d.anatomy import landmarks
from echo3d.anatomy.landmarks import between
from echo3d.anatomy.prepared import keep_prepared, prepared_key, read_prepared
from echo3d.anatomy.template import field_grid, load_label_volume, load_template
from echo3d.core.arrays import unit
from echo3d.core.mesh import Template
from echo3d.core.structures import Structure

GRID_SIDE = 36
"""Nodes per axis of the raster on which drawn hearts are evaluated (about 4.5 mm)."""

CAP = 0.3
"""Share of the LV's length, from the apex, in which the wall is treated as a spherical cap instead of a tube."""


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Fixed knowledge about M material positions (template points first, then raster nodes).

    Parameters
    ----------
    rest : (M, 3) mm, where they lie in the template
    count : number of template points among them
    inner, outer : (M, I), (M, O) sparse weights that read a quantity of the LV's inner / outer wall points for each position
    inner_points, outer_points : indices of those wall points
    segments : (M, 17) smooth membership in the AHA segments, rows summing to one
    soft : per chamber key (M,) weight in [0, 1], one inside the chamber and fading around it
    rv_reader : (M, R) sparse weights that read a quantity of the RV's inner free wall for each position
    rv_points : indices of those wall points
    rv_wall : (M,) weight in [0, 1], one in the RV's free wall beyond its inner surface
    rv_share : (M,) share of a position's distance from the RV's inner surface that is wall
    """

    rest: NDArray[np.float64]
    count: int
    inner: sparse.csr_matrix
    outer: sparse.csr_matrix
    inner_points: NDArray[np.int64]
    outer_points: NDArray[np.int64]
    segments: NDArray[np.float64]
    soft: dict[str, NDArray[np.float64]]
    rv_reader: sparse.csr_matrix
    rv_points: NDArray[np.int64]
    rv_wall: NDArray[np.float64]
    rv_share: NDArray[np.float64]

    def at(self, rows: NDArray | slice) -> Material:
        """Return what is known of some positions only; the wall points keep their numbers."""
        names = ("rest", "inner", "outer", "segments", "rv_reader", "rv_wall", "rv_share")
        picked: dict[str, Any] = {name: getattr(self, name)[rows] for name in names}
        return replace(self, **picked, soft={key: weight[rows] for key, weight in self.soft.items()})


def lengths(vectors: NDArray) -> NDArray[np.float64]:
    """Return the length of each of (M, 3) vectors; several times faster than NumPy's norm for many short ones."""
    return np.asarray(np.sqrt(np.einsum("mi,mi->m", vectors, vectors)))


@dataclass(frozen=True, slots=True, eq=False)
class Bullet:
    """Coordinates about the LV's long axis: a tube with a spherical cap at the apex.

    Parameters
    ----------
    apex, axis, length : foot, unit direction (apex to base) and length (mm) of the axis
    """

    apex: NDArray[np.float64]
    axis: NDArray[np.float64]
    length: float

    def split(self, x: NDArray) -> tuple[NDArray, NDArray, NDArray]:
        """Return height (M,) as a share of the length, radius (M,) mm and radial direction (M, 3) of positions (M, 3)."""
        height = (x - self.apex) @ self.axis / self.length
        arm = x - self.apex - (np.maximum(height, CAP) * self.length)[:, None] * self.axis
        radius = lengths(arm)
        return height, radius, arm / np.maximum(radius, 1e-6)[:, None]


def bullet_of(template: Template, points: NDArray) -> Bullet:
    """Return the LV coordinates of the heart whose material points are ``points``."""
    apex, base = template.landmark(points, "lv_apex_endo"), template.landmark(points, "mitral")
    return Bullet(apex, unit(base - apex), float(np.linalg.norm(base - apex)))


@lru_cache(maxsize=1)
def load_material() -> Material:
    """Return the material positions of the shipped template, worked out once and then kept in the user's cache folder (60 MB)."""
    key = prepared_key(__file__, landmarks.__file__)
    kept = read_prepared("material", key)
    if kept is not None:
        return _unpacked(kept)
    made = work_out()
    keep_prepared("material", key, _packed(made))
    return made


def work_out() -> Material:
    """Return the material positions of the shipped template; it takes three seconds."""
    template = load_template()
    rest = np.concatenate([template.points, field_grid(GRID_SIDE).nodes()])
    faces, sides = template.mesh.faces, template.sides
    inner_points = between(faces, sides, Structure.LV_CAVITY, Structure.LV_MYOCARDIUM)
    outward = [between(faces, sides, Structure.LV_MYOCARDIUM, other) for other in _OUTSIDE_LV]
    outer_points = np.setdiff1d(np.unique(np.concatenate(outward)), inner_points)
    bullet = bullet_of(template, template.points)
    rv_points = between(faces, sides, Structure.RV_CAVITY, Structure.RV_MYOCARDIUM)
    return Material(
        rest,
        len(template.points),
        wall_reader(bullet, rest, inner_points),
        wall_reader(bullet, rest, outer_points),
        inner_points,
        outer_points,
        segment_weights(bullet, rest, template.aha),
        {key: soft_weight(rest, label, blur) for key, (label, blur) in _SOFT.items()},
        nearest_reader(rest, rv_points),
        rv_points,
        *rv_wall_weight(rest),
    )


_READERS = ("inner", "outer", "rv_reader")
_PLAIN = ("rest", "inner_points", "outer_points", "segments", "rv_points", "rv_wall", "rv_share")


def _packed(material: Material) -> dict[str, NDArray]:
    """Return everything known of material positions as plain arrays."""
    arrays = {name: getattr(material, name) for name in _PLAIN} | {"count": np.array(material.count)}
    for name in _READERS:
        reader = getattr(material, name)
        arrays |= {f"{name}.{part}": getattr(reader, part) for part in ("data", "indices", "indptr")}
    return arrays | {f"soft.{key}": weight for key, weight in material.soft.items()}


def _unpacked(arrays: dict[str, NDArray]) -> Material:
    """Return what :func:`_packed` has made arrays of."""
    known: dict[str, Any] = {name: arrays[name] for name in _PLAIN}
    columns = {"inner": known["inner_points"], "outer": known["outer_points"], "rv_reader": known["rv_points"]}
    for name, points in columns.items():
        parts = tuple(arrays[f"{name}.{part}"] for part in ("data", "indices", "indptr"))
        known[name] = sparse.csr_matrix(parts, shape=(len(known["rest"]), len(points)))
    return Material(**known, count=int(arrays["count"]), soft={key: arrays[f"soft.{key}"] for key in _SOFT})


NEAR_MM = 20.0
"""Raster nodes farther than this from the heart are not worked out: they move like the nearest one that is."""


@lru_cache(maxsize=1)
def near_rows() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the material positions in and near the heart (K,), and for every position the nearest of those as a number among them (M,)."""
    material, volume = load_material(), load_label_volume()
    away = _distance(volume.labels > 0, material.rest)
    inside = ((volume.index(material.rest) >= 0) & (volume.index(material.rest) <= np.array(volume.labels.shape) - 1)).all(axis=1)
    near = np.flatnonzero((inside & (away < NEAR_MM)) | (np.arange(len(away)) < material.count))
    place = cKDTree(material.rest[near[material.count :]]).query(material.rest)[1] + material.count
    place[near] = np.arange(len(near))
    return near, place


@lru_cache(maxsize=1)
def near_material() -> Material:
    """Return the material positions in and near the heart: the template's points first, then the raster nodes that matter."""
    return load_material().at(near_rows()[0])


@lru_cache(maxsize=1)
def surface_material() -> Material:
    """Return the template's points alone, where all volumes are measured."""
    return load_material().at(slice(0, load_material().count))


def spread(x: NDArray) -> NDArray[np.float64]:
    """Return all material positions (M, 3) of a heart known at those in and near it (K, 3), mm."""
    (near, place), rest = near_rows(), load_material().rest
    return np.asarray(rest + (x - rest[near])[place])


_OUTSIDE_LV = (Structure.BACKGROUND, Structure.RV_CAVITY, Structure.RV_MYOCARDIUM)
"""What lies beyond the LV's outer wall; atria, valves and aorta touch only its basal rim, whose radius says nothing of the wall."""

_SOFT: dict[str, tuple[tuple[int, ...], float]] = {
    "rv": ((Structure.RV_CAVITY, Structure.RV_MYOCARDIUM), 8.0),
    "la": ((Structure.LA_CAVITY, Structure.LA_WALL), 8.0),
    "ra": ((Structure.RA_CAVITY, Structure.RA_WALL), 8.0),
    "rv_wide": ((Structure.RV_CAVITY, Structure.RV_MYOCARDIUM), 13.0),
}
"""Per chamber its labels and over how many mm its weight fades; the RV's free wall moves far and fades wide."""


def chart(bullet: Bullet, x: NDArray) -> NDArray[np.float64]:
    """Return (M, 3) positions on the unit bullet: equal for all depths of one place of the wall."""
    height, _, direction = bullet.split(x)
    along = np.clip(height, None, 0.95) - CAP
    return direction + 3.0 * np.maximum(along, 0)[:, None] * bullet.axis


def wall_reader(bullet: Bullet, rest: NDArray, wall: NDArray, count: int = 32) -> sparse.csr_matrix:
    """Return (M, W) weights, rows summing to one, over the wall points nearest on the unit bullet; smooth along the wall."""
    distance, index = cKDTree(chart(bullet, rest[wall])).query(chart(bullet, rest), k=count)
    weight = np.exp(-((distance / np.maximum(distance.mean(axis=1, keepdims=True), 1e-6)) ** 2))
    weight /= weight.sum(axis=1, keepdims=True)
    rows = np.repeat(np.arange(len(rest)), count)
    return sparse.csr_matrix((weight.ravel(), (rows, index.ravel())), shape=(len(rest), len(wall)))


def soft_weight(rest: NDArray, labels: tuple[int, ...], blur_mm: float) -> NDArray[np.float64]:
    """Return (M,) smoothed membership in the labelled regions at the rest positions.

    What lies outside the heart belongs to the structure next to it and fades over 35 mm, so that the outside gives way smoothly.
    """
    volume = load_label_volume()
    outside, nearest = _nearest_labels()
    mask = ndimage.gaussian_filter(np.isin(nearest, labels).astype(np.float32), blur_mm / volume.affine[0, 0], mode="nearest")
    index = volume.index(rest).T
    member = np.asarray(ndimage.map_coordinates(mask, index, order=1, mode="nearest"), dtype=float)
    return member * np.exp(-((np.asarray(ndimage.map_coordinates(outside, index, order=1, mode="nearest"), dtype=float) / 35.0) ** 2))


@lru_cache(maxsize=1)
def _nearest_labels() -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return per voxel of the template's label volume the distance in mm from the heart, and the label of the nearest part of it."""
    volume = load_label_volume()
    distance, where = ndimage.distance_transform_edt(volume.labels == 0, sampling=volume.affine[0, 0], return_indices=True)
    return distance.astype(np.float32), volume.labels[tuple(where)]


def nearest_reader(rest: NDArray, wall: NDArray, count: int = 6) -> sparse.csr_matrix:
    """Return (M, W) weights, rows summing to one, over the wall points nearest in space."""
    distance, index = cKDTree(rest[wall]).query(rest, k=count)
    weight = np.exp(-((distance - distance[:, :1]) ** 2) / 6.0**2)
    weight /= weight.sum(axis=1, keepdims=True)
    rows = np.repeat(np.arange(len(rest)), count)
    return sparse.csr_matrix((weight.ravel(), (rows, index.ravel())), shape=(len(rest), len(wall)))


def segment_weights(bullet: Bullet, rest: NDArray, aha: NDArray) -> NDArray[np.float64]:
    """Return (M, 17) membership in the AHA segments, smooth over about 10 mm along the wall and equal for all its depths."""
    marked = np.flatnonzero(aha)
    _, index = cKDTree(chart(bullet, rest[marked])).query(chart(bullet, rest), k=64)
    place = chart(bullet, rest)
    square = ((place[:, None] - place[marked][index]) ** 2).sum(axis=2)
    weight = np.exp(-square / (2 * 0.22**2)) + 1e-12
    result = np.zeros((len(rest), 17))
    np.add.at(result, (np.arange(len(rest))[:, None], aha[marked][index] - 1), weight)
    return result / result.sum(axis=1, keepdims=True)


RV_WALL_MM = 4.5
"""Thickness of the template's RV free wall; beyond it nothing thickens."""


def rv_wall_weight(rest: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (M,) how much a position goes with the RV's free wall, and which share of its distance from the inner surface is wall.

    The weight rises over 1.5 mm from the inner surface on, is one in the wall, fades over 25 mm outside the heart and over 8 mm towards
    septum, atrium and artery.
    """
    outside, nearest = _nearest_labels()
    cavity, wall = nearest == Structure.RV_CAVITY, nearest == Structure.RV_MYOCARDIUM
    depth, away, others = (_distance(mask, rest) for mask in (cavity, ~(outside > 0), ~cavity & ~wall))
    weight = np.clip(depth / 1.5, 0, 1) * np.exp(-((away / 25.0) ** 2)) * np.clip((others - 0.5) / 8.0, 0, 1)
    return weight, np.minimum(depth, RV_WALL_MM) / np.maximum(depth, 1e-3)


def _distance(mask: NDArray, rest: NDArray) -> NDArray[np.float64]:
    """Return the distance in mm of positions (M, 3) from the voxels of a mask over the template's label volume."""
    volume = load_label_volume()
    field = np.maximum(ndimage.distance_transform_edt(~mask, sampling=volume.affine[0, 0]) - 0.5, 0.0).astype(np.float32)
    return np.asarray(ndimage.map_coordinates(field, volume.index(rest).T, order=1, mode="nearest"), dtype=float)

"""Material positions: the template's points and the nodes of the field raster, with what is known of each in the template."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.spatial import cKDTree

from echo3d.anatomy.landmarks import between
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
    soft : per chamber key (M,) weight in [0, 1], one inside the chamber and fading around it
    """

    rest: NDArray[np.float64]
    count: int
    inner: sparse.csr_matrix
    outer: sparse.csr_matrix
    inner_points: NDArray[np.int64]
    outer_points: NDArray[np.int64]
    soft: dict[str, NDArray[np.float64]]


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
        radius = np.linalg.norm(arm, axis=1)
        return height, radius, arm / np.maximum(radius, 1e-6)[:, None]


def bullet_of(template: Template, points: NDArray) -> Bullet:
    """Return the LV coordinates of the heart whose material points are ``points``."""
    apex, base = template.landmark(points, "lv_apex_endo"), template.landmark(points, "mitral")
    return Bullet(apex, unit(base - apex), float(np.linalg.norm(base - apex)))


@lru_cache(maxsize=1)
def load_material() -> Material:
    """Return the material positions of the shipped template, computed once."""
    template = load_template()
    rest = np.concatenate([template.points, field_grid(GRID_SIDE).nodes()])
    faces, sides = template.mesh.faces, template.sides
    inner_points = between(faces, sides, Structure.LV_CAVITY, Structure.LV_MYOCARDIUM)
    myocardium = np.unique(faces[(sides == Structure.LV_MYOCARDIUM).any(axis=1)])
    outer_points = np.setdiff1d(myocardium, inner_points)
    bullet = bullet_of(template, template.points)
    return Material(
        rest,
        len(template.points),
        wall_reader(bullet, rest, inner_points),
        wall_reader(bullet, rest, outer_points),
        inner_points,
        outer_points,
        {key: soft_weight(rest, label) for key, label in _SOFT.items()},
    )


_SOFT: dict[str, tuple[int, ...]] = {
    "rv": (Structure.RV_CAVITY, Structure.RV_MYOCARDIUM),
    "la": (Structure.LA_CAVITY, Structure.LA_WALL),
    "ra": (Structure.RA_CAVITY, Structure.RA_WALL),
}


def chart(bullet: Bullet, x: NDArray) -> NDArray[np.float64]:
    """Return (M, 3) positions on the unit bullet: equal for all depths of one place of the wall."""
    height, _, direction = bullet.split(x)
    along = np.clip(height, None, 0.95) - CAP
    return direction + 3.0 * np.maximum(along, 0)[:, None] * bullet.axis


def wall_reader(bullet: Bullet, rest: NDArray, wall: NDArray) -> sparse.csr_matrix:
    """Return (M, W) weights, rows summing to one, over the eight wall points nearest on the unit bullet."""
    distance, index = cKDTree(chart(bullet, rest[wall])).query(chart(bullet, rest), k=8)
    weight = np.exp(-((distance / np.maximum(distance.mean(axis=1, keepdims=True), 1e-6)) ** 2))
    weight /= weight.sum(axis=1, keepdims=True)
    rows = np.repeat(np.arange(len(rest)), 8)
    return sparse.csr_matrix((weight.ravel(), (rows, index.ravel())), shape=(len(rest), len(wall)))


def soft_weight(rest: NDArray, labels: tuple[int, ...], blur_mm: float = 8.0) -> NDArray[np.float64]:
    """Return (M,) smoothed membership in the labelled regions at the rest positions."""
    volume = load_label_volume()
    mask = ndimage.gaussian_filter(np.isin(volume.labels, labels).astype(np.float32), blur_mm / volume.affine[0, 0])
    return np.asarray(ndimage.map_coordinates(mask, volume.index(rest).T, order=1, mode="constant"), dtype=float)

"""The parts of a foreign heart painted into one label volume, once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import scipy
from numpy.typing import NDArray

from echo3d.anatomy.chambers import with_blood
from echo3d.anatomy.nearby import in_threads, nearest_labels
from echo3d.anatomy.voxels import VoxelGrid, closed, solid, touched
from echo3d.core.field import LabelVolume
from echo3d.core.foreign import Role
from echo3d.core.structures import BLOOD, Structure

WALLS = tuple(range(1, 7))
THIN = tuple(range(7, 25))
"""Valves, vein caps and borders: thinner than a voxel in places, so the voxels that their triangles touch are theirs too."""

Window = tuple[slice, slice, slice]


def painted(points: NDArray, parts: Mapping[int, NDArray], grid: VoxelGrid) -> LabelVolume:
    """Return the label volume of a heart, chambers filled.

    Parameters
    ----------
    points : (N, 3) mm
    parts : per structure or role the triangles of its surface (F, 3); open ones are capped
    grid : the raster

    Notes
    -----
    Muscle named as both ventricles' comes first, walls do not cover each other, blood covers muscle, so that an outer and an inner skin
    make a wall, and thin sheets cover all.
    """
    labels, barrier = np.zeros(grid.shape, np.uint8), np.zeros(grid.shape, bool)
    roles = [role for role in (Role.VENTRICLES, *WALLS, *BLOOD, *THIN) if len(parts.get(role, ()))]
    found = in_threads(lambda role: _part(points, parts[role], grid, role in THIN), roles)
    for role, (inside, sheet, window) in zip(roles, found, strict=True):
        barrier[window] |= sheet
        here = labels[window]
        mask = inside & ((here == 0) | (here == Role.VENTRICLES)) if role in WALLS else inside | sheet
        np.copyto(here, np.uint8(role), where=mask)
    labels = with_blood(labels, grid.voxel_mm, barrier)
    if len(parts.get(Role.PAPILLARY, ())):
        inside, _, window = _part(points, parts[Role.PAPILLARY], grid)
        mask = np.zeros(grid.shape, bool)
        mask[window] = inside
        labels = with_papillaries(labels, mask)
    return LabelVolume(fill_pockets(divided_muscle(labels)), grid.affine)


def _part(points: NDArray, faces: NDArray, grid: VoxelGrid, thin: bool = False) -> tuple[NDArray[np.bool_], NDArray[np.bool_], Window]:
    """Return what lies inside a part's surface, what its triangles touch where it is ``thin``, and where in the raster these masks lie."""
    corners, triangles = closed(points, faces)
    box, window = grid.part(corners)
    mask = solid(corners, triangles, box)
    return mask, touched(points, faces, box) if thin else np.zeros_like(mask), window


def with_papillaries(labels: NDArray, mask: NDArray) -> NDArray[np.uint8]:
    """Return labels with papillary muscle as muscle of the ventricle in whose blood it lies."""
    left, right = (
        scipy.ndimage.distance_transform_edt(labels != cavity) if (labels == cavity).any() else np.full(labels.shape, np.inf)
        for cavity in (Structure.LV_CAVITY, Structure.RV_CAVITY)
    )
    muscle = np.where(right < left, Structure.RV_MYOCARDIUM, Structure.LV_MYOCARDIUM)
    return np.where(mask & (np.isin(labels, BLOOD) | (labels == 0)), muscle, labels).astype(np.uint8)


def divided_muscle(labels: NDArray) -> NDArray[np.uint8]:
    """Return labels with the muscle of both ventricles shared out.

    The RV's is its free wall: nearer to the RV's blood than to the LV's and with the outside nearer than the LV's blood; the septum and all
    else is the LV's.
    """
    both = labels == Role.VENTRICLES
    if not both.any():
        return labels
    result = np.where(both, Structure.LV_MYOCARDIUM, labels).astype(np.uint8)
    if (labels == Structure.RV_CAVITY).any() and (labels == Structure.LV_CAVITY).any():
        right, left, outside = (
            scipy.ndimage.distance_transform_edt(labels != value)
            for value in (Structure.RV_CAVITY, Structure.LV_CAVITY, Structure.BACKGROUND)
        )
        result[both & (right < left) & (outside < left)] = Structure.RV_MYOCARDIUM
    return result


def fill_pockets(labels: NDArray) -> NDArray[np.uint8]:
    """Return labels in which enclosed unlabelled pockets, which are gaps between parts, take the nearest tissue."""
    pools, count = scipy.ndimage.label(labels == 0)
    if count < 2:
        return labels.astype(np.uint8)
    pockets = pools > 1  # the first voxel lies outside, and its pool is numbered first
    result, there = labels.astype(np.uint8), np.bincount(labels.ravel(), minlength=256) > 0
    there[0] = False
    tissue = there & ~np.isin(np.arange(256), BLOOD)
    result[pockets] = nearest_labels(result, tissue if tissue.any() else there, np.argwhere(pockets))
    return result

"""The blood of a heart whose file holds only its walls: enclosed pools, closed where veins and valves stand open, named by their walls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from echo3d.anatomy.nearby import box_of, grown, in_threads, nearest_labels, worn
from echo3d.anatomy.seals import Room, enclosed_pools, room_beside
from echo3d.core.structures import Structure

S = Structure
ARTERIES = {S.AORTA_LUMEN: S.AORTIC_VALVE, S.PULMONARY_LUMEN: S.PULMONARY_VALVE}
"""The valve at the mouth of each artery."""

WALLS: dict[Structure, tuple[Structure, ...]] = {
    S.LV_CAVITY: (S.LV_MYOCARDIUM,),
    S.RV_CAVITY: (S.RV_MYOCARDIUM, S.LV_MYOCARDIUM),
    S.LA_CAVITY: (S.LA_WALL,),
    S.RA_CAVITY: (S.RA_WALL,),
    S.AORTA_LUMEN: (S.AORTA,),
    S.PULMONARY_LUMEN: (S.PULMONARY_ARTERY,),
}
"""The walls round each blood; the first is the one without which there is none, the second is the septum."""

SEALS_MM = (1.0, 3.0, 5.0, 8.0, 12.0)
"""Radii of openings that are sealed, smallest first: leaks of a raster, veins, the mouth of a vena cava or an artery."""

ENOUGH = 0.8
"""Share of an inner wall that blood must touch to be the whole of a chamber; the most it touches under any seal counts as all of it."""

LEAST_ML = 3.0
"""Blood below which a pool is a crevice and no chamber."""


@dataclass(frozen=True, slots=True, eq=False)
class Pools:
    """The enclosed free regions under one seal.

    Parameters
    ----------
    seal_mm : radius of the openings that are closed
    number : (X, Y, Z) int32, 0 for none
    touching : per blood, for every pool how many voxels of its first wall's inner side lie in it
    """

    seal_mm: float
    number: NDArray[np.int32]
    touching: dict[Structure, NDArray[np.int64]]

    def best(self, blood: Structure) -> int:
        """Return the pool that touches the wall of ``blood`` most."""
        return int(self.touching[blood].argmax())

    def most(self, blood: Structure) -> int:
        """Return how much that is, in voxels."""
        return int(self.touching[blood].max())


def with_blood(labels: NDArray, voxel_mm: float, barrier: NDArray) -> NDArray[np.uint8]:
    """Return labels in which every chamber that has a wall but no blood yet is filled with its blood.

    Openings are sealed with growing radii; a chamber is what is enclosed under the smallest seal at which blood touches nearly all of its
    inner wall. Where an open valve leaves two chambers in one pool, each voxel goes to the chamber whose wall is nearest. Arteries, open
    tubes, are filled within the hull of their wall first. *Source:* our choice; the feasibility notes on leaks.

    Parameters
    ----------
    labels : (X, Y, Z) uint8, walls and perhaps some blood; the border of the raster lies outside the heart
    voxel_mm : side of a voxel
    barrier : (X, Y, Z) bool, what blood cannot pass beside the labels: thin sheets as their triangles touch voxels
    """
    result, solid = np.array(labels), barrier | (labels > 0)
    absent = [blood for blood, walls in WALLS.items() if (labels == walls[0]).any() and not (labels == blood).any()]
    if not absent:
        return result
    for blood in (blood for blood in absent if blood in ARTERIES):
        result[artery_lumen(result, solid, WALLS[blood][0], ARTERIES[blood])] = blood
    chambers = [blood for blood in absent if blood not in ARTERIES]
    room = room_beside(solid | (result > 0), max(SEALS_MM), voxel_mm)
    shores = {blood: np.flatnonzero(grown(labels == WALLS[blood][0]) & room.free) for blood in chambers}
    under = in_threads(lambda seal: _pools(room, seal, shores), SEALS_MM) if chambers else []
    chambers = [blood for blood in chambers if any(pools.most(blood) > 0 for pools in under)]
    for pools in under:
        due = [blood for blood in chambers if pools.most(blood) >= ENOUGH * max(other.most(blood) for other in under)]
        chambers = [blood for blood in chambers if blood not in due]
        _fill(result, pools, due, chambers, least=1000 * LEAST_ML / voxel_mm**3)
    return grown_to_walls(result, solid)


def _fill(labels: NDArray, pools: Pools, due: list[Structure], later: list[Structure], *, least: float) -> None:
    """Write into ``labels`` the chambers that one seal encloses, and what of a later one lies in the same pools."""
    for pool in {pools.best(blood) for blood in due}:
        here = [blood for blood in due if pools.best(blood) == pool]
        guests = [blood for blood in later if blood != Structure.RV_CAVITY and pools.touching[blood][pool] > 0]
        inside = pools.number == pool
        if inside.sum() >= least:
            share_out(labels, inside, [*here, *guests])


def _pools(room: Room, seal_mm: float, shores: dict[Structure, NDArray]) -> Pools:
    """Return the enclosed pools under a seal; ``shores`` are the flat indices of the free voxels along each wall."""
    number = enclosed_pools(room, seal_mm)
    size = int(number.max()) + 1
    touching = {blood: np.bincount(number.ravel()[shore], minlength=size) for blood, shore in shores.items()}
    for counts in touching.values():
        counts[0] = 0
    return Pools(seal_mm, number, touching)


def artery_lumen(labels: NDArray, solid: NDArray, wall: Structure, valve: Structure) -> NDArray[np.bool_]:
    """Return the pool inside an artery: within the hull of its wall and nearest to its valve, or the largest where there is no valve."""
    index = np.argwhere(labels == wall)
    lumen = np.zeros(labels.shape, dtype=bool)
    if len(index) < 20 or (np.ptp(index, axis=0) < 3).any():
        return lumen
    window = tuple(slice(a, b) for a, b in zip(index.min(axis=0), index.max(axis=0) + 1, strict=True))
    inside = within_hull(index - index.min(axis=0), labels[window].shape) & (labels[window] == 0) & ~solid[window]
    pools, count = scipy.ndimage.label(worn(inside, 2))
    if not count:
        return lumen
    near = grown(labels[window] == valve, 6)
    sizes = np.bincount(pools[near & (pools > 0)] if (near & (pools > 0)).any() else pools[pools > 0])
    lumen[window] = grown(pools == int(sizes.argmax()), 3) & inside
    return lumen


def within_hull(index: NDArray, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return the (X, Y, Z) mask of the convex hull of voxels ``index`` (N, 3), its skin included.

    Along z the hull is one stretch per column, from the highest of its lower planes to the lowest of its upper ones.

    >>> within_hull(np.array([[0, 0, 0], [2, 0, 0], [0, 2, 0], [0, 0, 2]]), (3, 3, 3)).sum(axis=2)
    array([[3, 2, 1],
           [2, 1, 0],
           [1, 0, 0]])
    """
    planes = scipy.spatial.ConvexHull(index).equations
    planes = planes[np.unique(np.round(planes, 9), axis=0, return_index=True)[1]]
    x, y = np.indices(shape[:2])
    height = planes[:, 0] * x[..., None] + planes[:, 1] * y[..., None] + planes[:, 3]
    steep = np.abs(planes[:, 2]) < 1e-9
    z = -height[..., ~steep] / planes[~steep, 2]
    low, high = (np.max(z[..., planes[~steep, 2] < 0], axis=2), np.min(z[..., planes[~steep, 2] > 0], axis=2))
    low = np.where((height[..., steep] > 1e-6).any(axis=2), np.inf, low)
    level = np.arange(shape[2])
    return (level >= low[..., None] - 1e-6) & (level <= high[..., None] + 1e-6)


def share_out(labels: NDArray, pool: NDArray, bloods: list[Structure]) -> None:
    """Write into ``labels`` the blood of a pool; of several, each voxel takes the one whose wall is nearest."""
    window = box_of(pool, margin=4)
    inside, near = pool[window] & (labels[window] == 0), labels[window]
    if len(bloods) == 1:
        near[inside] = bloods[0]
        return
    distances = [scipy.ndimage.distance_transform_edt(~np.isin(near, WALLS[blood])) for blood in bloods]
    near[inside] = np.array(bloods, np.uint8)[np.argmin(distances, axis=0)[inside]]


def grown_to_walls(labels: NDArray, solid: NDArray) -> NDArray[np.uint8]:
    """Return labels in which unlabelled voxels that blood could not pass take the nearest blood; a thin sheet costs no volume."""
    blood = np.isin(np.arange(256), list(WALLS))
    seam = solid & (labels == 0) & grown(blood[labels], 2)
    result = labels.copy()
    result[seam] = nearest_labels(labels, blood, np.argwhere(seam))
    return result

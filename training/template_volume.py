"""Source surfaces to one label volume: every wall filled, every chamber closed and labelled."""

from __future__ import annotations

import numpy as np
import pyvista as pv
from numpy.typing import NDArray
from scipy import ndimage

from echo3d.anatomy.chambers import artery_lumen
from echo3d.anatomy.voxels import VoxelGrid, filled
from echo3d.core.field import LabelVolume
from echo3d.core.structures import Structure

THIN = tuple(range(7, 25))
"""Valve planes, vein caps and borders: thinner than a voxel in places, so their triangles are rasterised too."""

SEEDS: dict[Structure, tuple[Structure, ...]] = {
    Structure.LV_CAVITY: (Structure.MITRAL_VALVE, Structure.LV_MYOCARDIUM),
    Structure.RV_CAVITY: (Structure.TRICUSPID_VALVE, Structure.RV_MYOCARDIUM),
    Structure.LA_CAVITY: (Structure.MITRAL_VALVE, Structure.LA_WALL),
    Structure.RA_CAVITY: (Structure.TRICUSPID_VALVE, Structure.RA_WALL),
}
"""A chamber is the enclosed pool that touches its valve and its wall most."""

ARTERIES = {
    Structure.AORTA_LUMEN: (Structure.AORTA, Structure.AORTIC_VALVE),
    Structure.PULMONARY_LUMEN: (Structure.PULMONARY_ARTERY, Structure.PULMONARY_VALVE),
}


def part(source: pv.PolyData, tag: int) -> pv.PolyData:
    """Return the closed surface of one tag, stray holes filled."""
    cells = np.flatnonzero(source.cell_data["elemTag"] == tag)
    surface = source.extract_cells(cells).extract_surface(algorithm="dataset_surface").clean()
    return surface.fill_holes(20.0) if surface.n_open_edges else surface


def empty_grid(points: NDArray, voxel_mm: float, margin_mm: float = 6.0) -> VoxelGrid:
    """Return a raster that holds ``points`` with a margin."""
    low = points.min(axis=0) - margin_mm
    shape = np.ceil((points.max(axis=0) + margin_mm - low) / voxel_mm).astype(int) + 1
    return VoxelGrid(low, (int(shape[0]), int(shape[1]), int(shape[2])), voxel_mm)


def rasterised(surface: pv.PolyData, grid: VoxelGrid) -> NDArray[np.bool_]:
    """Return the mask of voxels that the triangles themselves touch, by sampling each triangle finer than the voxel."""
    corners = surface.points[surface.faces.reshape(-1, 4)[:, 1:]].astype(float)
    steps = 8
    u, v = (grid.ravel() / steps for grid in np.mgrid[: steps + 1, : steps + 1])
    inside = u + v <= 1
    weights = np.stack([u[inside], v[inside], 1 - u[inside] - v[inside]], axis=1)
    samples = np.einsum("sk,fki->fsi", weights, corners).reshape(-1, 3)
    index = np.rint((samples - grid.origin) / grid.voxel_mm).astype(int)
    mask = np.zeros(grid.shape, dtype=bool)
    mask[tuple(index.T)] = True
    return mask


def wall_labels(source: pv.PolyData, voxel_mm: float) -> LabelVolume:
    """Return the volume of the 24 tags; thick walls give way to thin parts."""
    grid = empty_grid(np.asarray(source.points), voxel_mm)
    labels = np.zeros(grid.shape, dtype=np.uint8)
    for tag in range(1, 25):
        surface = part(source, tag)
        mask = filled(np.asarray(surface.points, float), surface.regular_faces, grid)
        if tag in THIN:
            mask |= rasterised(surface, grid)
        labels[mask & ((labels == 0) | (tag in THIN))] = tag
    return LabelVolume(labels, grid.affine)


def closed_outside(labels: NDArray) -> NDArray[np.bool_]:
    """Return the mask of everything outside the heart, found with leaks of up to two voxels closed."""
    barrier = ndimage.binary_closing(labels > 0, iterations=2)
    pools, _ = ndimage.label(~barrier)
    return ndimage.binary_dilation(pools == pools[0, 0, 0], iterations=2) & (labels == 0)


def chamber_labels(volume: LabelVolume) -> LabelVolume:
    """Return the volume with arteries and chambers filled with their blood labels.

    Raises
    ------
    ValueError
        If a chamber leaks into another or to the outside.
    """
    labels = np.array(volume.labels)
    for lumen, (wall, valve) in ARTERIES.items():
        labels[artery_lumen(labels, labels > 0, wall, valve)] = lumen
    pools, count = ndimage.label((labels == 0) & ~closed_outside(labels))
    sizes = np.bincount(pools.ravel(), minlength=count + 1)
    chosen: dict[Structure, int] = {}
    for chamber, neighbours in SEEDS.items():
        touching = [np.bincount(pools[ndimage.binary_dilation(labels == tag)], minlength=count + 1) for tag in neighbours]
        score = np.minimum(*touching) * (sizes > sizes[1:].max() / 20)
        score[0] = 0
        chosen[chamber] = int(score.argmax())
    if len(set(chosen.values())) != len(chosen):
        raise ValueError(f"two chambers share one pool ({chosen}); the walls leak at this voxel size, use a finer one")
    for chamber, pool in chosen.items():
        labels[pools == pool] = chamber
    return LabelVolume(fill_pockets(labels), volume.affine)


def fill_pockets(labels: NDArray) -> NDArray[np.uint8]:
    """Return labels in which enclosed unlabelled pockets take their nearest label."""
    pools, _ = ndimage.label(labels == 0)
    pockets = (labels == 0) & (pools != pools[0, 0, 0])
    nearest = ndimage.distance_transform_edt(labels == 0, return_distances=False, return_indices=True)
    return np.where(pockets, labels[tuple(nearest)], labels)


def resampled(volume: LabelVolume, voxel_mm: float) -> LabelVolume:
    """Return the volume on a coarser raster by nearest voxel."""
    old = float(volume.affine[0, 0])
    shape = [int(np.ceil(n * old / voxel_mm)) for n in volume.labels.shape]
    affine = np.diag([voxel_mm, voxel_mm, voxel_mm, 1.0])
    affine[:3, 3] = volume.affine[:3, 3]
    index = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"), axis=-1)
    return LabelVolume(volume.look_up(index * voxel_mm + affine[:3, 3]), affine)

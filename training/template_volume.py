"""Source surfaces to one label volume: every wall filled, every chamber closed and labelled."""

from __future__ import annotations

import numpy as np
import pyvista as pv
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull, Delaunay
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkImagingStencil import vtkImageStencilToImage, vtkPolyDataToImageStencil

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


def empty_grid(points: NDArray, voxel_mm: float, margin_mm: float = 6.0) -> tuple[NDArray[np.float64], tuple[int, int, int]]:
    """Return origin (3,) and shape of a raster that holds ``points`` with a margin."""
    low = points.min(axis=0) - margin_mm
    shape = np.ceil((points.max(axis=0) + margin_mm - low) / voxel_mm).astype(int) + 1
    return low, (int(shape[0]), int(shape[1]), int(shape[2]))


def filled(surface: pv.PolyData, origin: NDArray, shape: tuple[int, int, int], voxel_mm: float) -> NDArray[np.bool_]:
    """Return the (X, Y, Z) mask of voxel centres inside a closed surface."""
    stencil = vtkPolyDataToImageStencil()
    stencil.SetInputData(surface)
    stencil.SetOutputOrigin(*origin)
    stencil.SetOutputSpacing(voxel_mm, voxel_mm, voxel_mm)
    stencil.SetOutputWholeExtent(0, shape[0] - 1, 0, shape[1] - 1, 0, shape[2] - 1)
    image = vtkImageStencilToImage()
    image.SetInputConnection(stencil.GetOutputPort())
    image.SetInsideValue(1)
    image.SetOutsideValue(0)
    image.SetOutputScalarTypeToUnsignedChar()
    image.Update()
    flat = vtk_to_numpy(image.GetOutput().GetPointData().GetScalars())
    return flat.reshape(shape[::-1]).transpose(2, 1, 0).astype(bool)


def rasterised(surface: pv.PolyData, origin: NDArray, shape: tuple[int, int, int], voxel_mm: float) -> NDArray[np.bool_]:
    """Return the mask of voxels that the triangles themselves touch, by sampling each triangle finer than the voxel."""
    corners = surface.points[surface.faces.reshape(-1, 4)[:, 1:]].astype(float)
    steps = 8
    u, v = (grid.ravel() / steps for grid in np.mgrid[: steps + 1, : steps + 1])
    inside = u + v <= 1
    weights = np.stack([u[inside], v[inside], 1 - u[inside] - v[inside]], axis=1)
    samples = np.einsum("sk,fki->fsi", weights, corners).reshape(-1, 3)
    index = np.rint((samples - origin) / voxel_mm).astype(int)
    mask = np.zeros(shape, dtype=bool)
    mask[tuple(index.T)] = True
    return mask


def wall_labels(source: pv.PolyData, voxel_mm: float) -> LabelVolume:
    """Return the volume of the 24 tags; thick walls give way to thin parts."""
    origin, shape = empty_grid(np.asarray(source.points), voxel_mm)
    labels = np.zeros(shape, dtype=np.uint8)
    for tag in range(1, 25):
        surface = part(source, tag)
        mask = filled(surface, origin, shape, voxel_mm)
        if tag in THIN:
            mask |= rasterised(surface, origin, shape, voxel_mm)
        labels[mask & ((labels == 0) | (tag in THIN))] = tag
    affine = np.diag([voxel_mm, voxel_mm, voxel_mm, 1.0])
    affine[:3, 3] = origin
    return LabelVolume(labels, affine)


def artery_lumen(labels: NDArray, wall: Structure, valve: Structure) -> NDArray[np.bool_]:
    """Return the pool inside an artery: within the hull of its wall, connected to its valve; its open end is the hull's facet."""
    wall_index = np.argwhere(labels == wall)
    hull = Delaunay(wall_index[ConvexHull(wall_index).vertices])
    low, high = wall_index.min(axis=0), wall_index.max(axis=0) + 1
    box = np.stack(np.meshgrid(*[np.arange(a, b) for a, b in zip(low, high, strict=True)], indexing="ij"), axis=-1)
    free = np.zeros(labels.shape, dtype=bool)
    window = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    free[window] = (hull.find_simplex(box.reshape(-1, 3)) >= 0).reshape(box.shape[:3]) & (labels[window] == 0)
    pools, _ = ndimage.label(ndimage.binary_erosion(free, iterations=2))
    near_valve = ndimage.binary_dilation(labels == valve, iterations=6)
    counts = np.bincount(pools[near_valve & (pools > 0)])
    core = pools == int(counts.argmax())
    return ndimage.binary_dilation(core, iterations=3) & free


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
        labels[artery_lumen(labels, wall, valve)] = lumen
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

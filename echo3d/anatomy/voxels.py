"""Closed surfaces to voxels: what lies inside, what the triangles touch, and the raster they share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyvista as pv
import scipy
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkPolyData
from vtkmodules.vtkFiltersModeling import vtkFillHolesFilter
from vtkmodules.vtkImagingStencil import vtkImageStencilToImage, vtkPolyDataToImageStencil

from echo3d.anatomy.columns import inside_by_columns

_NESTED = 0.9
"""Share of a piece that lies within another one from which on it is taken for a hole of it."""

_MOST_PIECES = 200
"""Pieces above which a surface is rubble but for its largest piece."""


@dataclass(frozen=True, slots=True, eq=False)
class VoxelGrid:
    """A cubic raster.

    Parameters
    ----------
    origin : (3,) mm, centre of the first voxel
    shape : voxels per axis
    voxel_mm : side of a voxel
    """

    origin: NDArray[np.float64]
    shape: tuple[int, int, int]
    voxel_mm: float

    @property
    def affine(self) -> NDArray[np.float64]:
        """(4, 4) index to mm."""
        affine = np.diag([self.voxel_mm, self.voxel_mm, self.voxel_mm, 1.0])
        affine[:3, 3] = self.origin
        return affine

    def part(self, points: NDArray) -> tuple[VoxelGrid, tuple[slice, slice, slice]]:
        """Return the part of the raster round points (N, 3) mm, a voxel wider than they are, and where it lies in the whole.

        >>> VoxelGrid(np.zeros(3), (9, 9, 9), 1.0).part(np.array([[3.2, 4, 8], [5, 4, 8]]))[1]
        (slice(2, 7, None), slice(3, 6, None), slice(7, 9, None))
        """
        size = np.array(self.shape)
        low = np.clip(np.floor((points.min(axis=0) - self.origin) / self.voxel_mm).astype(int) - 1, 0, size - 1)
        high = np.clip(np.ceil((points.max(axis=0) - self.origin) / self.voxel_mm).astype(int) + 1, low, size - 1)
        x, y, z = (slice(a, b + 1) for a, b in zip(low.tolist(), high.tolist(), strict=True))
        shape = (x.stop - x.start, y.stop - y.start, z.stop - z.start)
        return VoxelGrid(self.origin + self.voxel_mm * low, shape, self.voxel_mm), (x, y, z)


def grid_around(points: NDArray, voxel_mm: float, margin_mm: float = 6.5) -> VoxelGrid:
    """Return the raster that holds ``points`` (N, 3) with a margin; half a voxel more, so that a flat end lies between voxel centres.

    >>> grid_around(np.array([[0.0, 0, 0], [10, 10, 20]]), 1.0, 2.0).shape
    (15, 15, 25)
    """
    low = points.min(axis=0) - margin_mm
    x, y, z = (np.ceil((points.max(axis=0) + margin_mm - low) / voxel_mm).astype(int) + 1).tolist()
    return VoxelGrid(np.asarray(low, float), (x, y, z), voxel_mm)


def is_closed(faces: NDArray) -> bool:
    """Return whether every edge belongs to an even number of triangles (F, 3).

    Each edge is given 64 bits as if by chance, and the bits of all are added modulo two: those of an edge met twice cancel. It needs no
    sorting and errs once in 10^19. *Source:* the mixing of bits is SplitMix64's (Steele et al. 2014).

    >>> is_closed(np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])), is_closed(np.array([[0, 1, 2]]))
    (True, False)
    """
    corners, count = faces.astype(np.uint64), np.uint64(int(faces.max(initial=0)) + 1)
    total = np.uint64(0)
    for first, second in ((0, 1), (1, 2), (2, 0)):
        one, other = corners[:, first], corners[:, second]
        total ^= np.bitwise_xor.reduce(_mixed(np.minimum(one, other) * count + np.maximum(one, other)))
    return not total


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return numbers whose bits all hang on all bits of those given."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


def closed(points: NDArray, faces: NDArray) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return the surface with every hole capped, and coincident points joined where it is not closed as it is: points (N, 3), faces (F, 3).

    A cap is flat where its rim is flat, as a valve plane is.
    """
    used, corners = used_points(faces, len(points))
    if is_closed(corners):
        return points[used].astype(float), corners.astype(np.int32)
    joined, which = joined_points(points[used])
    triangles = which[corners]
    triangles = triangles[(triangles != np.roll(triangles, 1, axis=1)).all(axis=1)]
    if is_closed(triangles):
        return joined, triangles.astype(np.int32)
    filling = vtkFillHolesFilter()
    filling.SetInputData(pv.PolyData.from_regular_faces(joined, triangles))
    filling.SetHoleSize(1e6)
    filling.Update()
    whole = pv.wrap(filling.GetOutput()).triangulate()
    return np.asarray(whole.points, float), np.asarray(whole.regular_faces, np.int32)


def used_points(faces: NDArray, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the points of ``count`` that triangles (F, 3) use, in order, and the triangles of these.

    >>> used_points(np.array([[4, 0, 2]]), 6)
    (array([0, 2, 4]), array([[2, 0, 1]]))
    """
    number = np.zeros(count, np.int64)
    number[faces.ravel()] = 1
    used = np.flatnonzero(number)
    number[used] = np.arange(len(used))
    return used, number[faces]


def joined_points(points: NDArray) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the different points (M, 3) among those given (N, 3) to a tenth of a micrometre, and which each one is (N,).

    >>> joined_points(np.array([[1.0, 0, 0], [0, 0, 0], [1.00001, 0, 0]]))[1]
    array([1, 0, 1])
    """
    steps = np.rint(points * 1e4).astype(np.int64)
    steps -= steps.min(axis=0)
    x, y, z = (int(n) + 1 for n in steps.max(axis=0))
    if x * y * z < 2**62:
        _, first, which = np.unique((steps[:, 0] * y + steps[:, 1]) * z + steps[:, 2], return_index=True, return_inverse=True)
    else:
        _, first, which = np.unique(steps, axis=0, return_index=True, return_inverse=True)
    return np.round(points[first], 4), which.reshape(-1)


def pieces(faces: NDArray) -> list[NDArray]:
    """Return the connected pieces of a surface, largest first; scraps below a hundredth of it come last, as one.

    >>> [len(piece) for piece in pieces(np.array([[0, 1, 2], [3, 4, 5], [2, 1, 6]]))]
    [2, 1]
    """
    count = int(faces.max()) + 1
    edges = np.concatenate([faces[:, :2], faces[:, 1:]])
    graph = scipy.sparse.coo_matrix((np.ones(len(edges), bool), edges.T), shape=(count, count))
    piece = scipy.sparse.csgraph.connected_components(graph, directed=False)[1][faces[:, 0]]
    sizes = np.bincount(piece)
    order = [name for name in np.argsort(-sizes, kind="stable") if sizes[name]]
    if len(order) == 1:
        return [faces]
    large = [name for name in order if sizes[name] >= 0.01 * len(faces)] if len(order) < _MOST_PIECES else [order[0]]
    rest = faces[~np.isin(piece, large)]
    return [faces[piece == name] for name in large] + ([rest] if len(rest) else [])


def solid(points: NDArray, faces: NDArray, grid: VoxelGrid) -> NDArray[np.bool_]:
    """Return the (X, Y, Z) mask inside a closed surface of several pieces.

    A piece within another is a hole of it, as an inner skin is; pieces that merely overlap, such as a wall and a septum modelled apart,
    both count.
    """
    first, *others = pieces(faces) if len(faces) else [faces]
    mask = filled(points, first, grid)
    for piece in others:
        inside = filled(points, piece, grid)
        nested = (mask & inside).sum() >= _NESTED * max(int(inside.sum()), 1)
        mask = mask & ~inside if nested else mask | inside
    return mask


def filled(points: NDArray, faces: NDArray, grid: VoxelGrid) -> NDArray[np.bool_]:
    """Return the (X, Y, Z) mask of voxel centres inside a closed surface; only the surface's own box is looked at.

    VTK's stencil, which is slower, says what is inside where a surface is not closed after all.
    """
    mask = np.zeros(grid.shape, dtype=bool)
    if len(faces) == 0:
        return mask
    box, window = grid.part(points[used_points(faces, len(points))[0]])
    inside = inside_by_columns((points - box.origin) / box.voxel_mm, faces, box.shape)
    mask[window] = _stencil(pv.PolyData.from_regular_faces(points, faces), box) if inside is None else inside
    return mask


def _stencil(surface: vtkPolyData, grid: VoxelGrid) -> NDArray[np.bool_]:
    """Return what VTK's stencil finds inside, (X, Y, Z)."""
    x, y, z = grid.shape
    extent = [0, x - 1, 0, y - 1, 0, z - 1]
    stencil = vtkPolyDataToImageStencil()
    stencil.SetInputData(surface)
    stencil.SetOutputOrigin(*grid.origin)
    stencil.SetOutputSpacing(grid.voxel_mm, grid.voxel_mm, grid.voxel_mm)
    stencil.SetOutputWholeExtent(*extent)
    image = vtkImageStencilToImage()
    image.SetInputConnection(stencil.GetOutputPort())
    image.SetInsideValue(1)
    image.SetOutsideValue(0)
    image.SetOutputScalarTypeToUnsignedChar()
    image.Update()
    flat = vtk_to_numpy(image.GetOutput().GetPointData().GetScalars())
    return flat.reshape(z, y, x).transpose(2, 1, 0).astype(bool)


def touched(points: NDArray, faces: NDArray, grid: VoxelGrid) -> NDArray[np.bool_]:
    """Return the (X, Y, Z) mask of voxels that the triangles touch, so that a sheet thinner than a voxel has no holes.

    Each triangle is sampled at least twice per voxel along its longest side.
    """
    mask = np.zeros(grid.shape, dtype=bool)
    corners = points[faces]
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)
    steps = np.exp2(np.ceil(np.log2(np.maximum(2 * sides / grid.voxel_mm, 1)))).astype(int)
    for step in np.unique(steps):
        u, v = (part.ravel() / step for part in np.mgrid[: step + 1, : step + 1])
        weights = np.stack([u, v, 1 - u - v], axis=1)[u + v <= 1]
        samples = np.einsum("sk,fki->fsi", weights, corners[steps == step]).reshape(-1, 3)
        index = np.rint((samples - grid.origin) / grid.voxel_mm).astype(int)
        mask[tuple(np.clip(index, 0, np.array(grid.shape) - 1).T)] = True
    return mask

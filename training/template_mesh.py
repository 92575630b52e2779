"""A label volume to one watertight multi-label surface of about ten thousand points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyvista as pv
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import dijkstra
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkFiltersCore import vtkSurfaceNets3D

from echo3d.core.field import LabelVolume


@dataclass(frozen=True, slots=True, eq=False)
class Interface:
    """Triangles between labelled regions: normals point from ``sides[:, 0]`` to ``sides[:, 1]``."""

    points: NDArray[np.float64]
    faces: NDArray[np.int64]
    sides: NDArray[np.uint8]


def voxel_interface(volume: LabelVolume) -> Interface:
    """Return the unsmoothed interface of all regions, oriented by looking half a voxel to both sides."""
    image = pv.ImageData(dimensions=volume.labels.shape, spacing=(1, 1, 1), origin=(0, 0, 0))
    image.point_data["labels"] = volume.labels.ravel(order="F")
    nets = vtkSurfaceNets3D()
    nets.SetInputData(image)
    for i, label in enumerate(np.unique(volume.labels[volume.labels > 0])):
        nets.SetLabel(i, int(label))
    nets.SetBackgroundLabel(0)
    nets.SmoothingOff()
    nets.SetOutputMeshTypeToTriangles()
    nets.Update()
    output = nets.GetOutput()
    points = vtk_to_numpy(output.GetPoints().GetData()).astype(float)
    faces = vtk_to_numpy(output.GetPolys().GetConnectivityArray()).reshape(-1, 3).astype(np.int64)
    corners = points[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    raster = LabelVolume(volume.labels, np.eye(4))
    middle = quad_middles(corners)
    sides = np.stack([raster.look_up(middle - 0.5 * normal), raster.look_up(middle + 0.5 * normal)], axis=1)
    world = points @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    return Interface(world, faces, sides)


def quad_middles(corners: NDArray) -> NDArray[np.float64]:
    """Return the middle of the voxel face that each half-square triangle belongs to: the middle of its longest side."""
    edges = corners[:, [1, 2, 0]] - corners
    longest = np.einsum("fij,fij->fi", edges, edges).argmax(axis=1)
    rows = np.arange(len(corners))
    return (corners[rows, longest] + corners[rows, (longest + 1) % 3]) / 2


def edge_graph(faces: NDArray, count: int) -> sparse.csr_matrix:
    """Return the symmetric 0/1 adjacency of the mesh's points."""
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    ones = np.ones(len(pairs))
    graph = sparse.coo_matrix((ones, (pairs[:, 0], pairs[:, 1])), shape=(count, count)).tocsr()
    return ((graph + graph.T) > 0).astype(float).tocsr()


def smoothed(interface: Interface, rounds: int) -> Interface:
    """Return the interface smoothed without shrinking.

    *Source:* Taubin 1995, alternating positive and negative Laplacian steps.
    """
    graph = edge_graph(interface.faces, len(interface.points))
    average = sparse.diags(1 / np.maximum(np.asarray(graph.sum(axis=1)).ravel(), 1)) @ graph
    points = interface.points
    for _ in range(rounds):
        for step in (0.5, -0.52):
            points = points + step * (average @ points - points)
    return Interface(points, interface.faces, interface.sides)


def thinned(interface: Interface, count: int, rng: np.random.Generator) -> Interface:
    """Return the interface on about ``count`` points: even clusters along the surface, each drawn together to one point.

    Every region that is closed before is closed afterwards, because drawing points together is a simplicial map.
    """
    graph = edge_graph(interface.faces, len(interface.points))
    pairs = graph.tocoo()
    lengths = np.linalg.norm(interface.points[pairs.row] - interface.points[pairs.col], axis=1)
    weighted = sparse.csr_matrix((lengths, (pairs.row, pairs.col)), shape=graph.shape)
    sources = rng.choice(len(interface.points), count, replace=False)
    for _ in range(8):
        owner = clusters(weighted, sources)
        centres = cluster_means(interface.points, owner, len(sources))
        sources = nearest_members(interface.points, owner, centres)
    return collapsed(interface, clusters(weighted, sources), interface.points[sources])


def clusters(weighted: sparse.csr_matrix, sources: NDArray) -> NDArray[np.int64]:
    """Return for every point the number of the source nearest along the surface."""
    _, _, nearest = dijkstra(weighted, indices=sources, min_only=True, return_predecessors=True)
    position = np.full(weighted.shape[0], -1)
    position[sources] = np.arange(len(sources))
    return np.where(nearest >= 0, position[np.maximum(nearest, 0)], -1)


def cluster_means(points: NDArray, owner: NDArray, count: int) -> NDArray[np.float64]:
    """Return the (count, 3) mean position of each cluster."""
    kept = owner >= 0
    sizes = np.maximum(np.bincount(owner[kept], minlength=count), 1)
    sums = [np.bincount(owner[kept], points[kept, i], minlength=count) for i in range(3)]
    return np.stack(sums, axis=1) / sizes[:, None]


def nearest_members(points: NDArray, owner: NDArray, centres: NDArray) -> NDArray[np.int64]:
    """Return for each cluster its member nearest to the cluster's centre."""
    kept = np.flatnonzero(owner >= 0)
    distance = np.linalg.norm(points[kept] - centres[owner[kept]], axis=1)
    order = np.lexsort((distance, owner[kept]))
    _, first = np.unique(owner[kept][order], return_index=True)
    return kept[order][first]


def collapsed(interface: Interface, owner: NDArray, centres: NDArray) -> Interface:
    """Return the image of the faces under the cluster map; collapsed and mutually cancelling faces drop out."""
    faces = owner[interface.faces]
    whole = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0]) & (faces >= 0).all(axis=1)
    faces, sides = faces[whole], interface.sides[whole]
    rolled = np.take_along_axis(faces, (faces.argmin(axis=1)[:, None] + np.arange(3)) % 3, axis=1)
    flipped = rolled[:, 1] > rolled[:, 2]
    key = np.where(flipped[:, None], rolled[:, [0, 2, 1]], rolled)
    oriented = np.where(flipped[:, None], sides[:, ::-1], sides)
    rows = np.concatenate([key, oriented], axis=1)
    kinds, counts = np.unique(rows, axis=0, return_counts=True)
    table = {tuple(kind): int(n) for kind, n in zip(kinds, counts, strict=True)}
    net = {kind: n - table.get((*kind[:3], kind[4], kind[3]), 0) for kind, n in table.items()}
    kept = np.array([kind for kind, n in net.items() for _ in range(max(n, 0))])
    used, renumbered = np.unique(kept[:, :3], return_inverse=True)
    return Interface(centres[used], renumbered.reshape(-1, 3), kept[:, 3:].astype(np.uint8))


def region_faces(interface: Interface, label: int) -> NDArray[np.int64]:
    """Return the closed surface of a region, (F, 3), normals outwards."""
    back, front = interface.sides[:, 0] == label, interface.sides[:, 1] == label
    return np.concatenate([interface.faces[back & ~front], interface.faces[front & ~back][:, ::-1]])


def open_edges(faces: NDArray) -> int:
    """Return how many directed edges lack their opposite: 0 for a watertight surface."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    forward, count = np.unique(edges, axis=0, return_counts=True)
    table = {tuple(edge): int(n) for edge, n in zip(forward, count, strict=True)}
    return sum(abs(n - table.get((edge[1], edge[0]), 0)) for edge, n in table.items())

"""Shortcuts on a raster against the slow and general ways, and surfaces by columns against VTK's stencil."""

from __future__ import annotations

import numpy as np
import pytest
import pyvista as pv
from scipy import ndimage
from scipy.spatial import ConvexHull, Delaunay

from echo3d.anatomy.chambers import within_hull
from echo3d.anatomy.columns import inside_by_columns
from echo3d.anatomy.nearby import box_of, grown, nearest_labels, squared_distances, worn
from echo3d.anatomy.voxels import filled, grid_around

SHAPE = (23, 18, 27)


def scattered(share: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(SHAPE) < share


@pytest.mark.parametrize("times", [1, 2, 3])
def test_growing_and_wearing_are_scipys(times: int) -> None:
    few, many = scattered(0.01), scattered(0.97)
    assert np.array_equal(grown(few, times), ndimage.binary_dilation(few, iterations=times))
    assert np.array_equal(worn(many, times), ndimage.binary_erosion(many, iterations=times))


@pytest.mark.parametrize("reach", [0, 1, 4, 9])
def test_distances_up_to_a_bound_are_exact(reach: int) -> None:
    mask = scattered(0.002)
    far = np.rint(ndimage.distance_transform_edt(~mask) ** 2)
    assert np.array_equal(squared_distances(mask, reach), np.where(far <= reach**2, far, reach**2 + 1))


@pytest.mark.parametrize("share", [0.2, 0.0005])
def test_the_nearest_label_is_none_nearer_than_another(share: float) -> None:
    """Also where it lies beyond the steps, and between equally near ones any will do."""
    labels = np.where(scattered(share), np.random.default_rng(1).integers(1, 4, SHAPE), 0).astype(np.uint8)
    wanted = np.isin(np.arange(256), [1, 3])
    places = np.argwhere(labels == 0)
    found = nearest_labels(labels, wanted, places)
    assert set(np.unique(found).tolist()) <= {1, 3}
    one, three = (ndimage.distance_transform_edt(labels != tag)[labels == 0] for tag in (1, 3))
    assert (np.where(found == 1, one, three) == np.minimum(one, three)).all()


def test_the_box_of_nothing_is_empty() -> None:
    assert np.zeros(SHAPE, bool)[box_of(np.zeros(SHAPE, bool))].size == 0


def test_a_hull_is_qhulls() -> None:
    index = np.argwhere(scattered(0.004))
    tried = np.argwhere(np.ones(SHAPE, bool))
    wanted = Delaunay(index[ConvexHull(index).vertices]).find_simplex(tried) >= 0
    assert np.array_equal(within_hull(index, SHAPE).ravel(), wanted)


def test_a_mesh_on_the_lattice_of_the_columns_has_no_leak() -> None:
    """Every edge of it lies on a column or at the height of a voxel; each centre on its skin is in or out, none twice."""
    block = pv.ImageData(dimensions=(6, 7, 8)).extract_surface(algorithm="dataset_surface").triangulate()
    found = inside_by_columns(np.asarray(block.points, float) + 2, np.asarray(block.regular_faces), (12, 12, 12))
    assert found is not None
    assert found.sum() == 5 * 6 * 7


def test_an_open_surface_is_left_to_the_stencil() -> None:
    ball = pv.Sphere(radius=10, theta_resolution=40, phi_resolution=40)
    points, faces = np.asarray(ball.points, float), np.asarray(ball.regular_faces)
    grid = grid_around(points, 1.0, 3.0)
    opened = faces[points[faces].mean(axis=1)[:, 2] < 9.5]
    assert inside_by_columns(points - grid.origin, opened, grid.shape) is None
    assert filled(points, opened, grid).sum() == pytest.approx(filled(points, faces, grid).sum(), rel=0.05)

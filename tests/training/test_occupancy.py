"""Voxels of hearts: exact for boxes, true to the surface's volumes and to the cuts that are drawn of it, free of size on the own box."""

from __future__ import annotations

import numpy as np
import pytest

from echo3d.anatomy.template import load_label_volume, load_template
from echo3d.clinical.overlay import section_labels
from echo3d.clinical.volume import region_ml
from echo3d.core.sector import PictureGrid, Sector
from echo3d.core.structures import CHAMBERS, Structure
from echo3d.errors import ShapeError
from training.occupancy import METRIC, TISSUE, boundary, dice, filled, iou, occupied, own_box, own_grid
from training.samples import heart_samples

VOXEL_ML = 1.6**3 / 1000


def box(low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Return corners and outward triangles of a cube."""
    corners = np.array([[x, y, z] for x in (low, high) for y in (low, high) for z in (low, high)])
    squares = ([0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3])
    return corners, np.array([corner for a, b, c, d in squares for corner in ((a, b, c), (a, c, d))])


@pytest.fixture(scope="module")
def drawn() -> np.ndarray:
    """Return a drawn heart at end-systole, (N, 3) mm."""
    sample = heart_samples((5, 3), probes=1, labels_only=True)[0][1]
    return load_template().points + sample["field"].astype(float)


def test_a_cube_fills_the_cells_whose_centres_it_holds() -> None:
    corners, faces = box(1.5, 5.5)
    inside = filled(corners, faces, 9)
    assert inside.sum() == 64 and inside[2:6, 2:6, 2:6].all()
    assert not filled(corners, faces[:, ::-1], 9).any(), "inside out there is nothing"
    assert filled(*box(-3.0, 20.0), 9).all(), "what reaches beyond the raster is cut off"


def test_volumes_are_those_of_the_surface(drawn: np.ndarray) -> None:
    template = load_template()
    for points in (template.points, 1.1 * template.points, drawn):
        tissue = sum(region_ml(template, points, tag) for tag in TISSUE)
        assert occupied(points).sum() * VOXEL_ML == pytest.approx(tissue, rel=0.004)
        for chamber in CHAMBERS:
            measured = occupied(points, structures=(chamber,)).sum() * VOXEL_ML
            assert measured == pytest.approx(region_ml(template, points, chamber), rel=0.01)


def test_the_aorta_does_not_count() -> None:
    points = load_template().points
    aorta = occupied(points, structures=(Structure.AORTA,))
    assert aorta.sum() * VOXEL_ML > 5 and not (aorta & occupied(points)).any()


def test_the_template_fills_what_its_own_label_volume_says() -> None:
    labels = load_label_volume().look_up(METRIC.nodes()).reshape(128, 128, 128)
    points = load_template().points
    assert dice(occupied(points, structures=(Structure.LV_CAVITY,)), labels == Structure.LV_CAVITY) > 0.98
    assert dice(occupied(points, structures=(Structure.LV_MYOCARDIUM,)), labels == Structure.LV_MYOCARDIUM) > 0.96
    assert iou(occupied(points), np.isin(labels, TISSUE)) > 0.88  # the atria's walls are one or two voxels thick


def test_a_cut_through_voxel_centres_shows_the_same_voxels(drawn: np.ndarray) -> None:
    template, level = load_template(), 60
    middle = METRIC.nodes().reshape(128, 128, 128, 3)[64, 0, level]
    sector = Sector(middle - [0.8, 0.8, 0.0], np.array([0.0, 1, 0]), np.array([1.0, 0, 0]), 89.0, 300.0)
    grid = PictureGrid(128, 128, 1.6)
    seen = grid.inside(sector.half_angle, sector.depth)
    cut = np.isin(section_labels(template, drawn, sector, grid), TISSUE)
    voxels = occupied(drawn)[:, :, level].T
    assert cut[seen].sum() > 500
    assert (cut == voxels)[seen].mean() > 0.9999


def test_size_and_aspect_vanish_on_the_own_box() -> None:
    points = load_template().points
    stretched = points * [1.2, 0.9, 1.1] + 5.0
    assert iou(occupied(points), occupied(stretched)) < 0.5
    assert iou(occupied(points, own_grid(points)), occupied(stretched, own_grid(stretched))) > 0.999
    fitted = own_box(occupied(stretched))
    assert all(fitted.any(axis=axes)[[0, -1]].all() for axes in ((1, 2), (0, 2), (0, 1)))
    assert iou(fitted, occupied(points, own_grid(points))) > 0.7


def test_only_the_template_s_points_make_a_heart() -> None:
    with pytest.raises(ShapeError, match="10198"):
        occupied(np.zeros((10, 3)))


def test_the_boundary_is_closed() -> None:
    faces = boundary(TISSUE)
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    forth, back = (np.sort(a * 20_000 + b) for a, b in (edges.T, edges.T[::-1]))
    assert np.array_equal(forth, back)

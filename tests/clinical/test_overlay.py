"""Sections of spheres are circles."""

from __future__ import annotations

import numpy as np
import pytest

from echo3d.anatomy.template import load_label_volume, load_template
from echo3d.clinical.overlay import (
    draw_overlay,
    image_labels,
    image_outlines,
    section_labels,
    section_outlines,
    to_pixels,
)
from echo3d.core.images import EchoImage
from echo3d.core.mesh import Template
from echo3d.core.sector import Fan, PictureGrid, Sector, grid_for
from echo3d.core.structures import Structure
from echo3d.core.views import View
from echo3d.slicing.standard import standard_sectors


def sector_at(height: float) -> Sector:
    """Return a fan in the plane y = ``height`` whose tip lies 90 mm below the LV's centre and looks towards the head."""
    return Sector(np.array([0.0, height, -90.0]), np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0]), 60.0, 200.0)


@pytest.mark.parametrize("height", [0.0, 7.0, 24.0])
def test_section_of_a_sphere_is_a_circle(ball_template: Template, height: float) -> None:
    outlines = section_outlines(ball_template, ball_template.points, sector_at(height))
    (line,) = outlines[Structure.LV_CAVITY]
    assert np.array_equal(line[0], line[-1])
    radius = np.hypot(line[:, 0] - 90.0, line[:, 1])
    assert radius == pytest.approx(np.sqrt(25.0**2 - height**2), abs=0.12)


def test_a_wall_has_an_inner_and_an_outer_outline(ball_template: Template) -> None:
    lines = section_outlines(ball_template, ball_template.points, sector_at(0.0))[Structure.LV_MYOCARDIUM]
    sizes = sorted(float(np.hypot(line[:, 0] - 90.0, line[:, 1]).mean()) for line in lines)
    assert sizes == pytest.approx([25.0, 35.0], abs=0.1)


def test_no_outline_where_the_plane_misses(ball_template: Template) -> None:
    outlines = section_outlines(ball_template, ball_template.points, sector_at(30.0))
    assert list(outlines) == [Structure.LV_MYOCARDIUM]
    assert section_outlines(ball_template, ball_template.points, sector_at(99.0)) == {}


def test_a_plane_through_vertices_still_gives_closed_loops(ball_template: Template) -> None:
    vertex = ball_template.points[7]
    for lines in section_outlines(ball_template, ball_template.points, sector_at(float(vertex[1]))).values():
        assert all(len(line) > 3 and np.array_equal(line[0], line[-1]) for line in lines)


@pytest.mark.parametrize("height", [0.0, 12.0])
def test_label_area_matches_the_circle_within_one_percent(ball_template: Template, height: float) -> None:
    grid = PictureGrid(400, 400, 0.5)
    labels = section_labels(ball_template, ball_template.points, sector_at(height), grid)
    for structure, area in ((101, 625 - height**2), (1, 600.0), (102, 400 - height**2), (103, 225 - height**2)):
        assert np.count_nonzero(labels == structure) * 0.25 == pytest.approx(np.pi * area, rel=0.01)


def test_labels_are_zero_outside_the_fan(ball_template: Template) -> None:
    narrow = Sector(np.array([0.0, 0.0, -90.0]), np.array([0, 0, 1.0]), np.array([1.0, 0, 0]), 10.0, 200.0)
    labels = section_labels(ball_template, ball_template.points, narrow, PictureGrid(200, 200, 1.0))
    assert set(np.unique(labels)) == {0, 1, 101, 103}
    assert labels[89, 99] == 101
    assert labels[89, 130] == 0


def test_picture_and_sector_agree(ball_template: Template) -> None:
    image = EchoImage(None, np.zeros((400, 500), np.float32), (0.5, 0.5), Fan(0.0, 250.0, 60.0, 400.0))
    labels = image_labels(ball_template, ball_template.points, sector_at(0.0), image)
    expected = section_labels(ball_template, ball_template.points, sector_at(0.0), PictureGrid(400, 500, 0.5))
    assert np.array_equal(labels, expected)


def test_pixels_follow_tip_spacing_and_tilt() -> None:
    image = EchoImage(None, np.zeros((10, 10), np.float32), (0.5, 0.25), Fan(3.0, 5.0, 45.0, 9.0, tilt=90.0))
    assert to_pixels(np.array([10.0, 0.0]), sector_at(0.0), image) == pytest.approx([3.0, 45.0])


def test_an_uncalibrated_picture_is_as_deep_as_its_sector() -> None:
    image = EchoImage(None, np.zeros((10, 10), np.float32), None, Fan(0.0, 5.0, 45.0, 100.0))
    assert to_pixels(np.array([200.0, 0.0]), sector_at(0.0), image) == pytest.approx([100.0, 5.0])


def test_outlines_enclose_the_labels(ball_template: Template) -> None:
    image = EchoImage(None, np.zeros((400, 400), np.float32), (0.5, 0.5), Fan(0.0, 200.0, 60.0, 400.0))
    (line,) = image_outlines(ball_template, ball_template.points, sector_at(0.0), image)[Structure.LV_CAVITY]
    rows, columns = np.nonzero(image_labels(ball_template, ball_template.points, sector_at(0.0), image) == 101)
    assert (rows.min(), rows.max() + 1) == pytest.approx((line[:, 0].min(), line[:, 0].max()), abs=1)
    assert (columns.min(), columns.max() + 1) == pytest.approx((line[:, 1].min(), line[:, 1].max()), abs=1)


def test_overlay_leaves_the_background_grey_and_tints_the_heart() -> None:
    labels = np.zeros((9, 9), np.uint8)
    labels[3:6, 3:6] = Structure.LV_MYOCARDIUM
    drawn = draw_overlay(np.full((9, 9), 0.2, np.float32), labels)
    assert drawn.dtype == np.uint8
    assert (drawn[0, 0] == 51).all()
    assert drawn[4, 4, 0] > drawn[4, 4, 2]
    assert drawn[3, 3, 0] > drawn[4, 4, 0]


def edge_distance_mm(first: np.ndarray, second: np.ndarray, pixel_mm: float) -> float:
    """Return the mean distance of two outlines: the area between them over the first's length (Cauchy-Crofton); the same for any size."""
    steps = np.count_nonzero(np.diff(first, axis=0)) + np.count_nonzero(np.diff(first, axis=1))
    return np.count_nonzero(first != second) * pixel_mm / (np.pi / 4 * steps)


@pytest.mark.parametrize("view", [View.A4C, View.PSAX_MID])
def test_the_surfaces_and_the_label_volume_of_the_template_agree(view: View) -> None:
    template = load_template()
    sector = standard_sectors(template, template.points)[view]
    grid = grid_for(sector, 160)
    surfaces = section_labels(template, template.points, sector, grid)
    inside = grid.inside(sector.half_angle, sector.depth)
    voxels = np.where(inside, load_label_volume().look_up(sector.world(grid.plane_mm())), 0)
    heart = (surfaces > 0) | (voxels > 0)
    assert (surfaces == voxels)[heart].mean() > 0.85
    for chamber in (101, 102):
        assert edge_distance_mm(surfaces == chamber, voxels == chamber, grid.pixel_mm) < 0.5  # half a voxel

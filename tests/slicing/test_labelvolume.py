"""Labels through the inverse field, and cuts whose size is known."""

from __future__ import annotations

import numpy as np
import pytest

from echo3d.anatomy.cohort import sound_heart
from echo3d.anatomy.material import GRID_SIDE, load_material
from echo3d.anatomy.template import field_grid, load_label_volume, load_template
from echo3d.core.field import FieldGrid, LabelVolume
from echo3d.core.pose import Pose, place
from echo3d.core.sector import PictureGrid, sector_towards
from echo3d.core.structures import CHAMBER_KEYS, Structure
from echo3d.slicing.labelvolume import PlacedLabels, cut, inverse_field, rest_polar, sampled, warp

NOTHING = np.zeros((0, 3))


def ball(radius: float) -> LabelVolume:
    axis = np.arange(-40, 41)
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    affine = np.eye(4)
    affine[:3, 3] = -40
    return LabelVolume(((x**2 + y**2 + z**2) <= radius**2).astype(np.uint8), affine)


def test_a_cut_through_a_ball_is_a_disc_of_its_radius() -> None:
    grid = FieldGrid(np.full(3, -60.0), np.full(3, 60.0), 5)
    labels = warp(ball(30), grid, grid.nodes(), rest=NOTHING, moved=NOTHING)
    fan = sector_towards(np.array([0, 0, -80.0]), np.zeros(3), np.array([1.0, 0, 0]), 44, 160)
    piece = cut(labels, fan, grid=PictureGrid(320, 320, 0.5))
    assert (piece.labels > 0).sum() * 0.25 == pytest.approx(np.pi * 30**2, rel=0.01)


def test_a_moved_ball_is_cut_where_it_went() -> None:
    grid = FieldGrid(np.full(3, -60.0), np.full(3, 60.0), 9)
    labels = warp(ball(30), grid, grid.nodes() + np.array([12.0, 0, 0]), rest=NOTHING, moved=NOTHING)
    assert labels.look_up(np.array([[41.0, 0, 0], [-17.0, 0, 0], [43.0, 0, 0], [-19.0, 0, 0]])).tolist() == [1, 1, 0, 0]


def test_tissue_is_found_where_it_lies_at_rest() -> None:
    grid, shift = FieldGrid(np.full(3, -60.0), np.full(3, 60.0), 9), np.array([12.0, -3.0, 5.0])
    labels = warp(ball(30), grid, grid.nodes() + shift, rest=NOTHING, moved=NOTHING)
    points = np.random.default_rng(1).uniform(-25, 25, (20, 3))
    np.testing.assert_allclose(labels.rest(points), points - shift, atol=1e-4)
    pose, pivot = Pose(np.array([4.0, 5.0, 6.0]), np.array([10.0, 20.0, 30.0]), 1.1), np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(PlacedLabels(labels, pose, pivot).rest(place(points, pose, pivot)), points - shift, atol=1e-4)
    np.testing.assert_allclose(PlacedLabels(ball(30), pose, pivot).rest(place(points, pose, pivot)), points, atol=1e-9)
    fan = sector_towards(np.array([0, 0, -80.0]), np.zeros(3), np.array([1.0, 0, 0]), 44, 160)
    plane = np.array([[[80.0, 10.0], [60.0, -10.0]]])
    expected = np.concatenate([plane, np.zeros((1, 2, 1))], axis=-1) - np.array([5.0, 12.0, shift @ fan.normal])
    np.testing.assert_allclose(rest_polar(labels, fan, plane), expected, atol=1e-4)


def test_a_known_smooth_map_is_inverted() -> None:
    grid = FieldGrid(np.full(3, -50.0), np.full(3, 50.0), 30)
    nodes = grid.nodes() * 0.8 + 3.0
    inverse = inverse_field(grid, nodes)
    world = np.random.default_rng(0).uniform(-30, 30, (50, 3))
    assert np.allclose(world + sampled(inverse, grid.index(world)), (world - 3) / 0.8, atol=0.02)


def test_a_contracted_heart_keeps_its_chambers_in_its_labels() -> None:
    heart, material, template = sound_heart(np.random.default_rng(2), ef=0.6), load_material(), load_template()
    rest, count = template.points, material.count
    labels = warp(load_label_volume(), field_grid(GRID_SIDE), heart.es[count:], rest=rest, moved=heart.es[:count])
    axis = [np.arange(low, high, 1.5) for low, high in zip(field_grid(2).low, field_grid(2).high, strict=True)]
    seen = labels.look_up(np.stack(np.meshgrid(*axis, indexing="ij"), axis=-1))
    volumes = template.volumes_ml(heart.es)
    for key, label in CHAMBER_KEYS.items():
        assert (seen == label).sum() * 1.5**3 / 1000 == pytest.approx(volumes[key], rel=0.015)
    assert (seen == Structure.LV_MYOCARDIUM).any()


def test_a_heart_that_outgrows_the_raster_keeps_its_chambers() -> None:
    material, template = load_material(), load_template()
    rest, count = template.points, material.count
    huge = template.landmark(rest, "lv") + 1.45 * (material.rest - template.landmark(rest, "lv"))
    grid = field_grid(GRID_SIDE)
    wide = grid.around(huge[:count])
    assert (huge[:count] < grid.low).any() and (huge[:count] > grid.high).any()
    labels = warp(load_label_volume(), grid, huge[count:], rest=rest, moved=huge[:count])
    axis = [np.arange(low, high, 2.0) for low, high in zip(wide.low, wide.high, strict=True)]
    seen = labels.look_up(np.stack(np.meshgrid(*axis, indexing="ij"), axis=-1))
    for key, label in CHAMBER_KEYS.items():
        assert (seen == label).sum() * 2.0**3 / 1000 == pytest.approx(template.volumes_ml(huge)[key], rel=0.015)

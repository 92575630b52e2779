"""Many views at once against one by one: own and foreign hearts, poses, rasters, fans that miss."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from echo3d.anatomy.cohort import Heart, sound_heart
from echo3d.anatomy.material import GRID_SIDE
from echo3d.anatomy.template import field_grid, load_label_volume, load_template
from echo3d.core.field import LabelVolume
from echo3d.core.pose import Pose
from echo3d.core.sector import PictureGrid, Sector, SectorSlice, sector_towards
from echo3d.core.views import View
from echo3d.slicing.cut import cut_views, step_of, voxel_space
from echo3d.slicing.labelvolume import Labels, PlacedLabels, WarpedLabels, cut, warp
from echo3d.slicing.standard import draw_sector, jittered, standard_sectors

Views = dict[View, SectorSlice]
POSE = Pose(np.array([6.0, -4.0, 9.0]), np.array([8.0, -12.0, 25.0]), 0.93)
PIVOT = np.array([3.0, 1.0, -2.0])


def labels_of(x: NDArray) -> WarpedLabels:
    rest, count = load_template().mesh.points, len(load_template().points)
    return warp(load_label_volume(), field_grid(GRID_SIDE), x[count:], rest=rest, moved=x[: len(rest)])


def fans_of(x: NDArray, seed: int) -> dict[View, Sector]:
    rng, template = np.random.default_rng(seed), load_template()
    standard = standard_sectors(template, x[: len(template.points)], level=float(rng.uniform()))
    return {view: jittered(fan, draw_sector(rng)) for view, fan in standard.items()}


@pytest.fixture(scope="module")
def heart() -> Heart:
    return sound_heart(np.random.default_rng(2), ef=0.6)


def one_by_one(labels: Labels, fans: dict[View, Sector], grid: PictureGrid | int) -> Views:
    return {view: cut(labels, fan, view=view, grid=grid) for view, fan in fans.items()}


def differing(one: Views, other: Views) -> float:
    """Return the share of pixels that differ among those that show a heart in either."""
    pairs = [(one[view].labels, other[view].labels) for view in other]
    assert all(np.array_equal(one[view].inside, other[view].inside) and one[view].pixel_mm == other[view].pixel_mm for view in other)
    return float(sum((a != b).sum() for a, b in pairs) / sum(((a > 0) | (b > 0)).sum() for a, b in pairs))


@pytest.mark.parametrize("grid", [256, 512, PictureGrid(131, 97, 1.7)], ids=str)
def test_a_label_volume_is_cut_the_same(heart: Heart, grid: PictureGrid | int) -> None:
    volume = load_label_volume()
    for labels in (volume, PlacedLabels(PlacedLabels(volume, POSE, PIVOT), POSE, -PIVOT)):
        fans = fans_of(heart.ed, 1)
        assert differing(cut_views(labels, fans, grid=grid), one_by_one(labels, fans, grid)) < 1e-4


@pytest.mark.parametrize("phase", ["ed", "es"])
@pytest.mark.parametrize("size", [256, 512])
def test_a_warped_heart_differs_in_few_pixels_and_at_borders_only(heart: Heart, phase: str, size: int) -> None:
    labels, fans = labels_of(getattr(heart, phase)), fans_of(heart.ed, 3)
    found, exact = cut_views(labels, fans, grid=size), one_by_one(labels, fans, size)
    assert 0 < differing(found, exact) < 0.008
    moved = np.concatenate([border_mm(labels, found[view], exact[view]) for view in View])
    assert (moved <= 0.2).mean() > 0.9
    assert (moved <= 0.5).mean() > 0.99


def border_mm(labels: Labels, found: SectorSlice, exact: SectorSlice) -> NDArray:
    """Return for each differing pixel how far, in steps of 0.1 mm, the exact labels are what was found; infinite beyond 0.5 mm."""
    which = np.argwhere(found.labels != exact.labels)
    plane = np.stack([which[:, 0] + 0.5, which[:, 1] + 0.5 - found.labels.shape[1] / 2], axis=1) * found.pixel_mm
    points, seen = found.sector.world(plane), found.labels[tuple(which.T)]
    ways = np.array([way for way in np.ndindex(3, 3, 3) if way != (1, 1, 1)]) - 1.0
    result = np.full(len(which), np.inf)
    for mm in (0.5, 0.4, 0.3, 0.2, 0.1):
        steps = mm * ways / np.linalg.norm(ways, axis=1, keepdims=True)
        result[(labels.look_up(points[:, None] + steps) == seen[:, None]).any(axis=1)] = mm
    return result


def test_areas_of_a_warped_heart_are_kept(heart: Heart) -> None:
    labels, fans = labels_of(heart.es), fans_of(heart.es, 4)
    found, exact = cut_views(labels, fans), one_by_one(labels, fans, 256)
    for view in View:
        count, truth = (np.bincount(seen[view].labels.ravel(), minlength=256) for seen in (found, exact))
        large = truth > 1000
        assert count[large] == pytest.approx(truth[large], rel=0.02)


def test_coarse_pixels_are_all_worked_out(heart: Heart) -> None:
    labels, fans = labels_of(heart.es), fans_of(heart.ed, 5)
    grid = PictureGrid(112, 112, 1.6)
    assert differing(cut_views(labels, fans, grid=grid), one_by_one(labels, fans, grid)) < 1e-4


def test_a_pose_is_taken_into_the_fan(heart: Heart) -> None:
    labels, fans = labels_of(heart.ed), fans_of(heart.ed, 6)
    placed = PlacedLabels(labels, POSE, PIVOT)
    found = cut_views(placed, fans)
    assert differing(found, one_by_one(placed, fans, 256)) < 0.01
    ready = cut_views(PlacedLabels(voxel_space(labels), POSE, PIVOT), fans)
    assert all(np.array_equal(found[view].labels, ready[view].labels) for view in View)
    assert differing(found, one_by_one(labels, fans, 256)) > 0.1


def test_a_smaller_heart_is_worked_out_as_finely() -> None:
    space = voxel_space(labels_of(field_grid_rest()))
    frame = np.eye(3, 4)[[2, 0, 1]]
    assert step_of(space, frame) == 2 * step_of(space, 2 * frame) == 2


def field_grid_rest() -> NDArray:
    return np.concatenate([load_template().points, field_grid(GRID_SIDE).nodes()])


def test_a_cut_through_a_ball_is_a_disc_where_the_pose_takes_it() -> None:
    axis = np.arange(-40, 41)
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    affine = np.eye(4)
    affine[:3, 3] = -40
    ball = LabelVolume((x**2 + y**2 + z**2 <= 30**2).astype(np.uint8), affine)
    fan = sector_towards(np.array([0.03, 0.02, -80.01]), np.array([0, 0, 1.0]), np.array([1.0, 0, 0]), 44, 160)
    for scale in (1.0, 1.2):
        placed = PlacedLabels(ball, Pose(np.array([7.0, 0, 0]), np.array([40.0, 10, 5]), scale), np.zeros(3))
        seen = cut_views(placed, {View.A4C: fan}, grid=PictureGrid(320, 320, 0.5))[View.A4C].labels
        assert (seen > 0).sum() * 0.25 == pytest.approx(np.pi * (30 * scale) ** 2, rel=0.01)
        assert ndimage.center_of_mass(seen)[1] * 0.5 - 80 == pytest.approx(7.0, abs=0.4)


def test_a_fan_that_looks_away_sees_nothing(heart: Heart) -> None:
    fans = fans_of(heart.ed, 7)
    away = {view: replace(fan, axis=-fan.axis) for view, fan in fans.items()} | {View.A2C: replace(fans[View.A2C], origin=np.full(3, 1e9))}
    for labels in (labels_of(heart.ed), load_label_volume()):
        seen = cut_views(labels, away)
        assert not any(piece.labels.any() for piece in seen.values())
        assert all(piece.inside.any() for piece in seen.values())
    assert cut_views(load_label_volume(), {}) == {}


def test_a_volume_full_to_its_border_ends_there() -> None:
    box = LabelVolume(np.full((40, 40, 40), 3, np.uint8), np.eye(4))
    fan = sector_towards(np.array([20.2, 20.1, -30.3]), np.array([20.2, 20.1, 20.0]), np.array([1.0, 0, 0]), 44, 120)
    seen = cut_views(box, {View.A4C: fan}, grid=PictureGrid(240, 240, 0.5))[View.A4C].labels
    assert (seen == 3).sum() * 0.25 == pytest.approx(40 * 40, rel=0.01)


def test_other_labels_are_cut_one_by_one(heart: Heart) -> None:
    class HalfSpace:
        def look_up(self, points: NDArray) -> NDArray[np.uint8]:
            return np.asarray(points[..., 2] > 0, np.uint8)

    fans = fans_of(heart.ed, 8)
    assert differing(cut_views(HalfSpace(), fans), one_by_one(HalfSpace(), fans, 256)) == 0


def test_threads_share_a_heart(heart: Heart) -> None:
    space = voxel_space(labels_of(heart.ed))
    hands = [fans_of(heart.ed, seed) for seed in range(6)]
    with ThreadPoolExecutor(3) as pool:
        side_by_side = list(pool.map(lambda fans: cut_views(space, fans, grid=128), hands))
    for fans, found in zip(hands, side_by_side, strict=True):
        alone = cut_views(space, fans, grid=128)
        assert all(np.array_equal(alone[view].labels, found[view].labels) for view in View)

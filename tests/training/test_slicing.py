"""Pictures of many hearts at once against the NumPy path: equal, pixel for pixel."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from echo3d.anatomy.cohort import build_heart, draw_heart
from echo3d.anatomy.material import GRID_SIDE
from echo3d.anatomy.template import field_grid, load_label_volume, load_template
from echo3d.core.field import FieldGrid
from echo3d.core.pose import Pose
from echo3d.core.sector import PictureGrid, Sector
from echo3d.core.views import View
from echo3d.errors import ShapeError
from echo3d.reconstruction.raster import NETWORK_GRID
from echo3d.slicing.cut import cut_views
from echo3d.slicing.labelvolume import Labels, PlacedLabels, WarpedLabels, warp
from echo3d.slicing.standard import draw_sector, jittered, standard_sectors
from training.slicing import cut_batch, heart_batch

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here"))]


def labels_of(x: NDArray) -> WarpedLabels:
    rest, count = load_template().mesh.points, len(load_template().points)
    return warp(load_label_volume(), field_grid(GRID_SIDE), x[count:], rest=rest, moved=x[: len(rest)])


def drawn_fans(points: NDArray, seed: int) -> list[Sector]:
    rng, template = np.random.default_rng(seed), load_template()
    standard = standard_sectors(template, points[: len(template.points)], level=float(rng.uniform()))
    return [jittered(standard[view], draw_sector(rng)) for view in View]


@pytest.fixture(scope="module")
def hearts() -> list[tuple[Labels, list[Sector]]]:
    """Two drawn hearts at both phases, posed ones, a shrunken one and a plain label volume, each with six drawn fans."""
    rng = np.random.default_rng(4)
    built = [build_heart(draw_heart(rng, group=group)) for group in ("normal", "dcm")]
    phases = [(labels_of(x), heart.ed) for heart in built for x in (heart.ed, heart.es)]
    pivot = np.array([1.0, 2.0, 3.0])
    poses = [Pose(rng.normal(0, 8, 3), rng.normal(0, 20, 3), scale) for scale in (1.0, 0.97, 0.5)]
    posed = [(PlacedLabels(phases[i][0], pose, pivot), phases[i][1]) for i, pose in enumerate(poses)]
    plain = [(load_label_volume(), load_template().points), (PlacedLabels(load_label_volume(), poses[0], pivot), load_template().points)]
    return [(labels, drawn_fans(x, seed)) for seed, (labels, x) in enumerate([*phases, *posed, *plain])]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("grid", [NETWORK_GRID, PictureGrid(256, 256, 0.8), PictureGrid(131, 97, 1.23)], ids=str)
def test_every_pixel_is_that_of_the_numpy_path(hearts: list[tuple[Labels, list[Sector]]], grid: PictureGrid, device: str) -> None:
    batch = heart_batch([labels for labels, _ in hearts], device)
    found, inside = cut_batch(batch, [fans for _, fans in hearts], grid)
    assert found.shape == (len(hearts), 6, grid.height, grid.width)
    assert (found > 0).float().mean() > 0.05
    for b, (labels, fans) in enumerate(hearts):
        for v, piece in enumerate(cut_views(labels, dict(zip(View, fans, strict=True)), grid=grid).values()):
            assert np.array_equal(found[b, v].cpu().numpy(), piece.labels)
            assert np.array_equal(inside[b, v].cpu().numpy(), piece.inside)


def test_hearts_of_one_volume_share_it(hearts: list[tuple[Labels, list[Sector]]]) -> None:
    batch = heart_batch([labels for labels, _ in hearts])
    assert len(batch.labels) == np.prod(np.array(load_label_volume().labels.shape) + 2)
    assert batch.start.unique().tolist() == [0]


def test_a_batch_of_plain_volumes_needs_no_field(hearts: list[tuple[Labels, list[Sector]]]) -> None:
    volume, fans = hearts[-2]
    found, _ = cut_batch(heart_batch([volume]), [fans[:1]], NETWORK_GRID)
    assert np.array_equal(found[0, 0].numpy(), cut_views(volume, {View.A4C: fans[0]}, grid=NETWORK_GRID)[View.A4C].labels)


def test_what_makes_no_batch_is_refused(hearts: list[tuple[Labels, list[Sector]]]) -> None:
    labels, fans = hearts[0]
    with pytest.raises(ShapeError, match="found 0 hearts"):
        heart_batch([])
    other = FieldGrid(np.full(3, -50.0), np.full(3, 50.0), 4)
    with pytest.raises(ShapeError, match="one raster"):
        heart_batch([labels, WarpedLabels(load_label_volume(), other, np.zeros((4, 4, 4, 3), np.float32))])
    with pytest.raises(ShapeError, match="equally many fans"):
        cut_batch(heart_batch([labels, labels]), [fans, fans[:2]], NETWORK_GRID)

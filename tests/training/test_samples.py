"""Samples: the same seed gives the same sample, and pictures show the heart that the truth describes."""

from __future__ import annotations

import numpy as np
import pytest

from echo3d.anatomy.material import GRID_SIDE, load_material
from echo3d.anatomy.template import field_grid, load_label_volume, load_template
from echo3d.core.structures import Structure
from echo3d.slicing.labelvolume import warp
from training.samples import heart_samples, invert


@pytest.fixture(scope="module")
def pair() -> list[dict[str, np.ndarray]]:
    return heart_samples((5, 1), probes=1)[0]


def test_a_seed_gives_its_sample_again(pair: list[dict[str, np.ndarray]]) -> None:
    again = heart_samples((5, 1), probes=1)[0]
    assert all(np.array_equal(a[key], b[key]) for a, b in zip(pair, again, strict=True) for key in a)


def test_the_truth_lies_where_the_pictures_show_it(pair: list[dict[str, np.ndarray]]) -> None:
    from echo3d.reconstruction.raster import NETWORK_GRID

    template = load_template()
    for sample in pair:
        points = template.points + sample["field"]
        lv = template.landmark(points, "lv")
        origin, axis, lateral = sample["sectors"][0].reshape(3, 3).astype(float)
        depth, across = (lv - origin) @ axis, (lv - origin) @ lateral
        row, column = int(depth / NETWORK_GRID.pixel_mm), int(across / NETWORK_GRID.pixel_mm + NETWORK_GRID.width / 2)
        assert sample["labels"][0, row, column] == Structure.LV_CAVITY


def test_systole_is_the_second_of_a_pair(pair: list[dict[str, np.ndarray]]) -> None:
    assert pair[1]["volumes"][0] < pair[0]["volumes"][0]
    assert (pair[1]["labels"] == Structure.LV_CAVITY).sum() < (pair[0]["labels"] == Structure.LV_CAVITY).sum()


def test_the_torch_labels_are_those_of_the_slicer_even_where_the_heart_outgrows_the_raster() -> None:
    material, template = load_material(), load_template()
    rest, count = template.points, material.count
    huge = template.landmark(rest, "lv") + 1.4 * (material.rest - template.landmark(rest, "lv"))
    exact = warp(load_label_volume(), field_grid(GRID_SIDE), huge[count:], rest=rest, moved=huge[:count])
    points = np.random.default_rng(3).uniform(huge.min(axis=0), huge.max(axis=0), (20_000, 3))
    assert (invert(huge).look_up(points) == exact.look_up(points)).mean() > 0.998

"""Three steps of Gauss-Newton of one heart in six views: the quick way and the slow one, side by side in one run.

pytest tests/benchmarks/test_quick.py --benchmark-enable
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from echo3d.anatomy.template import load_template
from echo3d.reconstruction.quick import QuickMover, quick_mover
from echo3d.reconstruction.reconstruct import S2MModel, load_model
from echo3d.reconstruction.refine import precision_of, refined, slices_of
from echo3d.reconstruction.sight import Sight, sight
from echo3d.slicing.standard import standard_sectors

VIEWS, STEPS, WEIGHT = 6, 3, 5.0


@pytest.fixture(scope="module")
def model() -> S2MModel:
    torch.set_num_threads(1)
    return load_model("accurate", "cpu")


@pytest.fixture(scope="module")
def mover(model: S2MModel) -> QuickMover:
    assert model.refiner is not None
    return quick_mover(model.refiner.slicer, model.refiner.covariance, WEIGHT, (STEPS,))


@pytest.fixture(scope="module")
def seen(mover: QuickMover) -> Sight:
    """A heart that is answered as the template, in its standard views."""
    sectors = standard_sectors(load_template(), load_template().points).values()
    planes = torch.from_numpy(np.stack([np.concatenate([s.origin, s.axis, s.lateral]) for s in sectors])).float()
    truth = torch.linspace(0.5, -0.5, mover.slicer.rank)
    return sight(torch.zeros(mover.slicer.rank), planes, slices_of(mover.slicer, truth, planes), torch.ones(VIEWS, 112, 112))


@torch.inference_mode()
def test_quickly(benchmark: BenchmarkFixture, mover: QuickMover, seen: Sight) -> None:
    assert len(benchmark(mover, [seen], range(VIEWS))) == 1


def test_slowly(benchmark: BenchmarkFixture, model: S2MModel, mover: QuickMover, seen: Sight) -> None:
    assert model.refiner is not None
    precision = precision_of(model.refiner.covariance[VIEWS], mover.slicer.rank, range(VIEWS), 1)
    assert len(benchmark(refined, mover.slicer, precision, WEIGHT, [seen], steps=STEPS)) == 1

"""Six views to a mesh, warm: the whole call, the network alone, and one view, side by side in one run.

pytest tests/benchmarks/test_reconstruct.py --benchmark-enable
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from echo3d.core.images import EchoImage, EchoSet
from echo3d.core.sector import Fan
from echo3d.core.views import View
from echo3d.reconstruction.reconstruct import S2MModel, load_model, network_input, predict, reconstruct


@pytest.fixture(scope="module")
def model() -> S2MModel:
    torch.set_num_threads(2)
    return load_model("lean", "cpu")


def images(views: tuple[View, ...]) -> EchoSet:
    rng = np.random.default_rng(0)
    fan = Fan(0.0, 160.0, 40.0, 300.0)
    return EchoSet({v: EchoImage(v, rng.random((320, 320)).astype(np.float32), (0.55, 0.55), fan) for v in views})


@pytest.mark.parametrize("views", [tuple(View), (View.A4C,)], ids=["six views", "one view"])
def test_pictures_to_mesh(benchmark: BenchmarkFixture, model: S2MModel, views: tuple[View, ...]) -> None:
    hearts = benchmark(reconstruct, model, [images(views)], ["ED"])
    assert hearts[0].points.shape == model.template.points.shape


def test_network_alone(benchmark: BenchmarkFixture, model: S2MModel) -> None:
    pictures, present = network_input([images(tuple(View))])
    assert benchmark(predict, model, pictures, present, [(0,)]).points.shape[0] == 1

"""How long a picture takes; run with ``pytest tests/benchmarks/test_speckle.py --benchmark-enable``."""

import time
from collections.abc import Callable
from itertools import count

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from echo3d.core.sector import PictureGrid
from echo3d.core.structures import Structure
from echo3d.style.batched import speckle_batch
from echo3d.style.polar import PolarGrid
from echo3d.style.scene import Scene
from echo3d.style.speckle import draw_speckle, speckle_image


def ring(mm: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return a ring of muscle around blood, 80 mm below the probe."""
    radius = np.hypot(mm[..., 0] - 80, mm[..., 1])
    return np.select([radius < 25, radius < 35], [Structure.LV_CAVITY, Structure.LV_MYOCARDIUM], 0).astype(np.uint8)


@pytest.mark.parametrize(("size", "samples", "lines"), [(112, 256, 96), (256, 640, 160)])
def test_speckle_picture(benchmark: BenchmarkFixture, size: int, samples: int, lines: int) -> None:
    """A new fan and a new draw each time, as in training."""
    grid = PictureGrid(size, size, 179.2 / size)
    labels = ring(PolarGrid(samples, lines, 40.0, 160.0).plane_mm())
    rng, number = np.random.default_rng(0), count()

    def picture() -> NDArray[np.float32]:
        fan = PolarGrid(samples, lines, 40.0, 160.0 + 0.001 * next(number))
        return speckle_image(labels, fan, grid, draw_speckle(rng))

    assert benchmark(picture).shape == (size, size)


def test_speckle_picture_of_moving_tissue(benchmark: BenchmarkFixture) -> None:
    """A frame of a cine, whose scatterers are looked up where the tissue lies at rest."""
    fan, grid = PolarGrid(640, 160, 40.0, 160.0), PictureGrid(256, 256, 0.7)
    labels, rng = ring(fan.plane_mm()), np.random.default_rng(0)
    rest = np.concatenate([fan.plane_mm() + 0.3, np.full((640, 160, 1), 0.3)], axis=-1)
    assert benchmark(lambda: speckle_image(labels, fan, grid, draw_speckle(rng), scene=Scene(rest_mm=rest))).shape == (256, 256)


@pytest.mark.parametrize(("size", "samples", "lines", "count"), [(112, 256, 96, 48), (256, 640, 160, 12)])
def test_speckle_batch(benchmark: BenchmarkFixture, size: int, samples: int, lines: int, *, count: int) -> None:
    """The same pictures by the batched path on the CPU, a new draw each time.

    Printed: ``pictures_per_second``, and the processor's ms for a picture of this path and of the NumPy path, best of rounds in turn.
    """
    grid, rng = PictureGrid(size, size, 179.2 / size), np.random.default_rng(0)
    fans = [PolarGrid(samples, lines, 40.0, 160.0 + 0.001 * at) for at in range(count)]
    labels = np.stack([ring(fan.plane_mm()) for fan in fans])
    numbers, before = torch.Generator().manual_seed(0), torch.get_num_threads()

    def batched() -> torch.Tensor:
        with torch.inference_mode():
            return speckle_batch(torch.from_numpy(labels), fans, grid, [draw_speckle(rng) for _ in fans], numbers=numbers)

    def one_by_one() -> list[NDArray[np.float32]]:
        return [speckle_image(one, fan, grid, draw_speckle(rng)) for one, fan in zip(labels, fans, strict=True)]

    torch.set_num_threads(1)
    try:
        assert benchmark(batched).shape == (count, size, size)
        if benchmark.enabled:
            benchmark.extra_info["pictures_per_second"] = round(count / benchmark.stats.stats.min)
            rounds = [(core_seconds(batched), core_seconds(one_by_one)) for _ in range(5)]
            core_ms = [round(1e3 * min(path) / count, 1) for path in zip(*rounds, strict=True)]
            benchmark.extra_info["core_ms"] = dict(zip(("batched", "numpy"), core_ms, strict=True))
    finally:
        torch.set_num_threads(before)


def core_seconds(work: Callable[[], object]) -> float:
    """Return the processor's time that some work takes."""
    before = time.process_time()
    work()
    return time.process_time() - before

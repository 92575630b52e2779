"""How long a picture takes; run with ``pytest tests/benchmarks/test_speckle.py --benchmark-enable``."""

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


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("size", "samples", "lines", "count"), [(112, 256, 96, 48), (256, 640, 160, 12)])
def test_speckle_batch(benchmark: BenchmarkFixture, size: int, samples: int, lines: int, *, count: int, threads: int) -> None:
    """The same pictures by the batched path on the CPU, a new draw each time; ``pictures_per_second`` stands among the extra figures."""
    grid, rng = PictureGrid(size, size, 179.2 / size), np.random.default_rng(0)
    fans = [PolarGrid(samples, lines, 40.0, 160.0 + 0.001 * at) for at in range(count)]
    labels = torch.from_numpy(np.stack([ring(fan.plane_mm()) for fan in fans]))
    numbers, before = torch.Generator().manual_seed(0), torch.get_num_threads()

    def pictures() -> torch.Tensor:
        with torch.inference_mode():
            return speckle_batch(labels, fans, grid, [draw_speckle(rng) for _ in fans], numbers=numbers)

    torch.set_num_threads(threads)
    try:
        assert benchmark(pictures).shape == (count, size, size)
    finally:
        torch.set_num_threads(before)
    if benchmark.enabled:
        benchmark.extra_info["pictures_per_second"] = round(count / benchmark.stats.stats.min)

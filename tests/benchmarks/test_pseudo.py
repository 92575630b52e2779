"""How many pseudo images and randomised pictures a second; run with ``pytest tests/benchmarks/test_pseudo.py --benchmark-enable``.

The bars are 500 pseudo images of 224 x 224 per second on two cores, and 48 randomised pictures of 112 x 112 in 60 ms on one. The linear
algebra must keep to one thread (``OMP_NUM_THREADS=1``), or the threads here and its own ones stand in each other's way.
"""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from echo3d.core.sector import PictureGrid
from echo3d.core.structures import Structure
from echo3d.style.pseudo import draw_pseudo, pseudo_image
from echo3d.style.randomise import draw_randomisation, randomised

IMAGES = 200


def ring(mm: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return a ring of muscle around blood, 80 mm below the probe."""
    radius = np.hypot(mm[..., 0] - 80, mm[..., 1])
    return np.select([radius < 25, radius < 35], [Structure.LV_CAVITY, Structure.LV_MYOCARDIUM], 0).astype(np.uint8)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("size", [112, 224])
def test_pseudo_images(benchmark: BenchmarkFixture, size: int, threads: int) -> None:
    """Prints ``images_per_second`` of the best round, and the same by the processor's time, which a busy machine hardly changes."""
    grid = PictureGrid(size, size, 179.2 / size)
    labels, inside, rng = ring(grid.plane_mm()), grid.inside(33.75, 160.0), np.random.default_rng(0)
    draws = [draw_pseudo(rng) for _ in range(IMAGES if benchmark.enabled else 4)]

    used: list[float] = []

    def images() -> list[NDArray[np.float32]]:
        before = time.process_time()
        with ThreadPoolExecutor(threads) as pool:
            made = list(pool.map(lambda draw: pseudo_image(labels, inside, draw), draws))
        used.append(time.process_time() - before)
        return made

    assert len(benchmark(images)) == len(draws)
    if benchmark.enabled:
        benchmark.extra_info["images_per_second"] = round(IMAGES / benchmark.stats.stats.min)
        benchmark.extra_info["images_per_core_second"] = round(IMAGES / min(used))


def test_randomised_pictures(benchmark: BenchmarkFixture) -> None:
    """48 pictures with a new draw each time, as a batch of eight hearts needs it."""
    rng = np.random.default_rng(0)
    inside = np.broadcast_to(PictureGrid(112, 112, 1.6).inside(38.0, 160.0), (48, 112, 112))
    pictures = rng.random((48, 112, 112), np.float32) * inside
    used: list[float] = []

    def changed() -> NDArray[np.float32]:
        before = time.process_time()
        made = randomised(pictures, inside, draw_randomisation(rng, 48))
        used.append(time.process_time() - before)
        return made

    assert benchmark(changed).shape == pictures.shape
    if benchmark.enabled:
        benchmark.extra_info["core_ms"] = round(1e3 * float(np.median(used)), 1)

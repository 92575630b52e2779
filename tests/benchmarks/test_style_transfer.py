"""How long the trained style takes; run with ``pytest tests/benchmarks/test_style_transfer.py --benchmark-enable -s``."""

import sys
import time

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from echo3d.style.transfer import echo_styled, load_generator


@pytest.mark.parametrize("size", [112, 224, 320])
def test_six_views(benchmark: BenchmarkFixture, size: int) -> None:
    """Six pictures of 179 mm at once; the processor's time is printed too."""
    generator, before = load_generator(), torch.get_num_threads()
    pictures = np.random.default_rng(0).random((6, size, size), np.float32)
    inside, spent = np.ones(pictures.shape, bool), []

    def translated() -> np.ndarray:
        start = time.process_time()
        made = echo_styled(pictures, inside, generator)
        spent.append(time.process_time() - start)
        return made

    torch.set_num_threads(1)
    try:
        assert benchmark(translated).shape == pictures.shape
    finally:
        torch.set_num_threads(before)
    benchmark.extra_info["processor_ms_a_picture"] = round(1000 * min(spent) / 6, 1)
    sys.stdout.write(f"{size}: {1000 * min(spent) / 6:.1f} ms of processor time a picture, median {1000 * np.median(spent) / 6:.1f}\n")

"""What hearts cost: one from its record, one drawn until sound, one beat, one round of checks."""

from __future__ import annotations

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from echo3d.anatomy.beat import FAMILIES
from echo3d.anatomy.cohort import HeartRecord, beat_of_heart, build_heart, draw_heart
from echo3d.anatomy.sound import faults_of
from echo3d.cohort.spec import CohortSpec, make_chunk


def record_of(family: str) -> HeartRecord:
    return draw_heart(np.random.default_rng(1), families=(family,))


@pytest.mark.parametrize("family", FAMILIES)
def test_building_both_phases(benchmark: BenchmarkFixture, family: str) -> None:
    heart = benchmark(build_heart, record_of(family))
    assert heart.ed.shape == heart.es.shape


def test_checking_both_phases(benchmark: BenchmarkFixture) -> None:
    heart = build_heart(record_of("shell"))
    assert isinstance(benchmark(faults_of, heart.record, heart.ed, heart.es), list)


def test_a_beat_of_25_phases(benchmark: BenchmarkFixture) -> None:
    heart = build_heart(record_of("shell"))
    assert benchmark.pedantic(beat_of_heart, (heart,), rounds=2).shape[0] == 25


def test_ten_hearts_of_a_cohort(benchmark: BenchmarkFixture) -> None:
    chunk = benchmark.pedantic(make_chunk, (CohortSpec(10, seed=3), range(10)), rounds=1)
    assert len(chunk.lines) == 10

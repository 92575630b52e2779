"""How long a body, its landmarks and a window take; run with ``pytest tests/benchmarks/test_body.py --benchmark-enable``."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from echo3d.anatomy.bodymarks import body_marks
from echo3d.anatomy.placement import placed_points
from echo3d.anatomy.template import load_template
from echo3d.anatomy.torso import body_at
from echo3d.anatomy.window import acoustic_window, obstacles_of, on_skin
from echo3d.core.views import View
from echo3d.io.bodies import read_body
from echo3d.slicing.standard import standard_sectors


def test_build_a_torso(benchmark: BenchmarkFixture) -> None:
    body_at(170, 70, "m")  # reads the template once
    assert benchmark(body_at, 175.6, 78.5, "m").mesh.parts


@pytest.mark.parametrize("lines", [64, 128])
def test_acoustic_window(benchmark: BenchmarkFixture, lines: int) -> None:
    torso, template = body_at(175.6, 78.5, "m"), load_template()
    points = placed_points(torso.heart)
    obstacles, heart = obstacles_of(torso.mesh), template.heart(points)
    fan = on_skin(torso.mesh, standard_sectors(template, points)[View.A4C])
    assert 0 <= benchmark(acoustic_window, obstacles, heart, fan, lines=lines).share <= 1


def test_landmarks_of_a_whole_body(benchmark: BenchmarkFixture, shared: Path) -> None:
    body = read_body(shared / "data/bodies/visible_human_male/VH_M_Skin.glb").mesh
    assert benchmark(body_marks, body).stature > 1800

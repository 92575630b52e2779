"""What an answer costs by its resolution, all in one run: ``pytest tests/benchmarks/test_cost_curves.py --benchmark-enable -s``."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from training.costs import NETWORKS, POINTS, measured, table


@pytest.fixture(scope="module")
def rows(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    if not request.config.getoption("--benchmark-enable"):
        pytest.skip("cost curves take minutes; run with --benchmark-enable")
    found = [row for name in NETWORKS for row in measured(name)]
    sys.stdout.write("\n" + table(found) + "\n")
    return found


def seconds(rows: list[dict[str, Any]], network: str, side: int, points: int) -> float:
    return next(row["seconds"] for row in rows if (row["network"], row["side"], row["points"]) == (network, side, points))


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("points", POINTS)
def test_a_finer_field_costs_the_lean_network_half_as_much_again_at_most(rows: list[dict[str, Any]], points: int) -> None:
    """To reach: from 32 to 128 nodes a side, 1.5 times the time."""
    assert seconds(rows, "lean", 128, points) <= 1.5 * seconds(rows, "lean", 32, points)


@pytest.mark.timeout(3600)
def test_voxel_networks_cost_more(rows: list[dict[str, Any]]) -> None:
    """At 128, side by side, every voxel network costs at least ten times the lean network, and grows faster."""
    least = seconds(rows, "lean", 128, POINTS[0])
    for name in NETWORKS[2:]:
        assert seconds(rows, name, 128, 0) > 10 * least

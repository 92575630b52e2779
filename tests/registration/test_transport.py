"""Transport: problems with exact answers, and the same answer whoever solves them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from echo3d.registration.backends import keops_works, solve
from echo3d.registration.cloud import Cloud
from echo3d.registration.sinkhorn import barycentres, measure_of
from echo3d.registration.transport import TransportConfig, transport, transport_by_tag


def cloud(points: NDArray, tags: NDArray | None = None) -> Cloud:
    count = len(points)
    tags = np.zeros(count, np.uint8) if tags is None else tags
    return Cloud(points, np.ones(count), tags, np.tile([0.0, 0, 1], (count, 1)), np.arange(count))


def lattice(side: int, spacing: float) -> NDArray:
    steps = np.arange(side) * spacing
    return np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)


def test_a_permutation_is_undone() -> None:
    points = lattice(5, 20.0)
    shuffled = points[np.random.default_rng(0).permutation(len(points))]
    found = transport(cloud(points), cloud(shuffled), TransportConfig(blur=0.02))
    assert np.abs(found.displacement).max() < 1e-2
    assert np.allclose(found.mass, 1, atol=5e-3)


def test_a_shift_is_found_where_all_mass_is_kept() -> None:
    points = lattice(5, 20.0)
    found = transport(cloud(points), cloud(points + [7.0, -3, 2]), TransportConfig(blur=0.01, reach=None))
    assert np.allclose(found.displacement, [7, -3, 2], atol=0.05)


def test_a_gaussian_is_stretched_onto_another() -> None:
    """Between two Gaussians with one middle the map is linear, x -> x * s."""
    rng = np.random.default_rng(1)
    points = rng.normal(0, 20, (1500, 3))
    found = transport(cloud(points), cloud(rng.normal(0, 20, (1500, 3)) * [2.0, 1, 0.5]), TransportConfig(blur=0.05, reach=None))
    slope = np.linalg.lstsq(points, points + found.displacement, rcond=None)[0]
    assert np.allclose(slope, np.diag([2.0, 1, 0.5]), atol=0.08)


def test_what_has_no_partner_sends_little_mass() -> None:
    near = lattice(4, 10.0)
    far = near + [4000.0, 0, 0]
    found = transport(cloud(np.concatenate([near, far])), cloud(near), TransportConfig(blur=0.05, reach=0.3))
    assert found.mass[: len(near)].min() > 0.5
    assert found.mass[len(near) :].max() < 1e-6
    assert np.isfinite(found.displacement).all()


@pytest.mark.parametrize("blur", [1e-3, 3e-3, 0.01, 0.1, 1.0, 10.0])
def test_no_blur_gives_anything_but_numbers(blur: float) -> None:
    rng = np.random.default_rng(2)
    found = transport(cloud(rng.normal(0, 40, (120, 3))), cloud(rng.normal(0, 40, (150, 3))), TransportConfig(blur=blur))
    assert np.isfinite(found.displacement).all() and np.isfinite(found.mass).all()


@pytest.mark.parametrize("reach", [None, 1.0, 0.2])
@pytest.mark.parametrize("backend", ["matrix", "keops"])
def test_all_solvers_agree(backend: str, reach: float | None) -> None:
    if backend == "keops" and not keops_works():
        pytest.skip("KeOps does not compile here")
    rng = np.random.default_rng(3)
    x, y = (torch.from_numpy(rng.normal(0, 0.4, (count, 3))) for count in (200, 260))
    a, b = measure_of(x, torch.ones(200, dtype=torch.float64)), measure_of(y, torch.from_numpy(rng.uniform(0.5, 1.5, 260)))
    settings = {"blur": 0.05, "reach": reach, "scaling": 0.8}
    own = solve(a, b, "blocks", **settings)
    other = solve(a, b, backend, **settings)  # type: ignore[arg-type]
    assert all(torch.allclose(one, two, atol=1e-4) for one, two in zip(own, other, strict=True))
    places, mass = barycentres(a, b, *own, 0.05)
    again, share = barycentres(a, b, *other, 0.05)
    assert torch.allclose(places, again, atol=1e-4) and torch.allclose(mass, share, atol=1e-3)


def test_blocks_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    one, other = cloud(rng.normal(0, 40, (90, 3))), cloud(rng.normal(0, 40, (70, 3)))
    whole = transport(one, other, TransportConfig(blur=0.05))
    monkeypatch.setattr("echo3d.registration.sinkhorn.BLOCK", 200)
    assert np.allclose(transport(one, other, TransportConfig(blur=0.05)).displacement, whole.displacement, atol=1e-3)


def test_parts_go_to_parts_of_their_tag() -> None:
    points = lattice(3, 10.0)
    tags = np.repeat(np.array([1, 2, 3], np.uint8), 9)
    swapped = np.where(tags == 1, 2, np.where(tags == 2, 1, 9)).astype(np.uint8)
    found = transport_by_tag(cloud(points, tags), cloud(points, swapped), TransportConfig(blur=0.02, reach=None))
    first, second = points[tags == 1], points[tags == 2]
    assert np.allclose(found.displacement[tags == 1], second - first, atol=0.1)
    assert (found.mass[tags == 3] == 0).all() and (found.displacement[tags == 3] == 0).all()

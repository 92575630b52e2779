"""The closed-form estimate: the conditional mean of a known linear world, whatever is missing."""

from __future__ import annotations

import torch

from echo3d.reconstruction.s2mnet import VIEWS, Estimate, S2MNetConfig, map_length
from training.gaussian import fit_estimate


def linear_world() -> tuple[Estimate, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    config = S2MNetConfig(features=4, principal=3, raster=16)
    causes = torch.randn(4000, 3)
    looks = torch.randn(VIEWS, 3, map_length(config))
    looks[1:, 2] = 0  # only the first view shows the third cause
    maps = 2.0 + torch.einsum("sc,vcm->svm", causes, looks) + 0.01 * torch.randn(4000, VIEWS, map_length(config))
    estimate = Estimate(config)
    fit_estimate(estimate, maps, causes, noise=1e-4)
    return estimate, maps, causes


def test_all_views_give_the_causes_back() -> None:
    estimate, maps, causes = linear_world()
    found = estimate(estimate.features(maps[:50]), torch.ones(50, VIEWS, dtype=torch.bool))
    assert torch.allclose(found, causes[:50], atol=0.05)


def test_a_missing_view_costs_just_what_it_alone_showed() -> None:
    estimate, maps, causes = linear_world()
    present = torch.ones(50, VIEWS, dtype=torch.bool)
    present[:, 0] = False
    found = estimate(estimate.features(maps[:50]), present)
    assert torch.allclose(found[:, :2], causes[:50, :2], atol=0.05)
    assert found[:, 2].abs().max() < 0.3


def test_rows_with_different_views_do_not_disturb_each_other() -> None:
    estimate, maps, _ = linear_world()
    present = torch.rand(20, VIEWS) < 0.6
    present[:, 3] = True
    features = estimate.features(maps[:20])
    alone = torch.cat([estimate(features[i : i + 1], present[i : i + 1]) for i in range(20)])
    assert torch.allclose(estimate(features, present), alone, atol=1e-4)

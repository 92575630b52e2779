"""The network: absent views change nothing, weights share out one field, buffers carry the template."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from echo3d.reconstruction.s2mnet import VIEWS, S2MNet, S2MNetConfig, finer, fuse


@pytest.fixture(scope="module")
def network() -> S2MNet:
    torch.manual_seed(0)
    small = S2MNet(S2MNetConfig(channels=(8, 16, 16, 24), token=16, width=32, rounds=1, principal=6, grid=5), 50).eval()
    small.principal.normal_()
    small.place.uniform_(-1, 1)
    return small


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    return torch.rand(3, VIEWS, 2, 112, 112, generator=torch.Generator().manual_seed(1))


def test_what_an_absent_view_shows_changes_nothing(network: S2MNet, pictures: torch.Tensor) -> None:
    present = torch.tensor([[True, False, True, False, False, True]] * 3)
    other = torch.where(present[..., None, None, None], pictures, torch.rand_like(pictures))
    with torch.inference_mode():
        assert torch.allclose(network(pictures, present).points, network(other, present).points, atol=1e-5)


def test_what_a_present_view_shows_does(network: S2MNet, pictures: torch.Tensor) -> None:
    present = torch.ones(3, VIEWS, dtype=torch.bool)
    other = pictures.clone()
    other[:, 2] = 1 - other[:, 2]
    with torch.inference_mode():
        assert not torch.allclose(network(pictures, present).points, network(other, present).points, atol=1e-3)


def test_rows_of_a_batch_do_not_mix(network: S2MNet, pictures: torch.Tensor) -> None:
    present = torch.tensor([[True] * 6, [True, False, False, False, False, False], [True, True, False, True, False, False]])
    with torch.inference_mode():
        together = network(pictures, present).points
        alone = torch.cat([network(pictures[i : i + 1], present[i : i + 1]).points for i in range(3)])
    assert torch.allclose(together, alone, atol=1e-5)


def test_equal_coarse_fields_fuse_to_themselves() -> None:
    coarse = torch.randn(2, 1, 6).expand(-1, VIEWS, -1)
    assert torch.allclose(fuse(coarse, torch.randn(2, VIEWS, 6), torch.ones(2, VIEWS, dtype=torch.bool)), coarse[:, 0], atol=1e-5)


def test_a_lone_view_has_all_the_weight() -> None:
    coarse, present = torch.randn(1, VIEWS, 6), torch.tensor([[False, False, True, False, False, False]])
    assert torch.allclose(fuse(coarse, torch.randn(1, VIEWS, 6), present)[0], coarse[0, 2], atol=1e-6)


def test_the_field_is_the_mean_plus_the_weighted_principal_fields(network: S2MNet) -> None:
    fused = torch.tensor([[2.0, 0, 0, 0, 0, -1.0]])
    wanted = network.principal[6] + 2 * network.principal[0] - network.principal[5]
    assert torch.allclose(network.field(fused)[0].flatten(1), wanted, atol=1e-5)


def test_a_linear_field_is_read_exactly_at_the_points(network: S2MNet) -> None:
    line = torch.linspace(-1, 1, 5)
    field = torch.stack(torch.meshgrid(line, line, line, indexing="ij"))[None]
    assert torch.allclose(network.at_points(field)[0], network.place, atol=1e-6)


def test_points_are_template_plus_field(network: S2MNet, pictures: torch.Tensor) -> None:
    network.template.fill_(7.0)
    present = torch.ones(3, VIEWS, dtype=torch.bool)
    with torch.inference_mode():
        shifted = network(pictures, present).points
        network.template.zero_()
        plain = network(pictures, present).points
    assert np.allclose((shifted - plain).numpy(), 7.0, atol=1e-5)


def test_a_finer_raster_holds_the_same_field() -> None:
    """As torch's own trilinear step has it, and exact for linear fields; read at a point, the heart hardly moves."""
    field = torch.randn(2, 3, 16, 16, 16)
    for side in (32, 64):
        wanted = torch.nn.functional.interpolate(field, size=(side,) * 3, mode="trilinear", align_corners=True)
        assert torch.allclose(finer(field, side), wanted, atol=1e-5)
    assert torch.allclose(finer(field, 16), field, atol=1e-6)
    nested = finer(field, 31)  # each node of the coarse raster is one of the fine one
    assert torch.allclose(nested[..., ::2, ::2, ::2], field, atol=1e-5)

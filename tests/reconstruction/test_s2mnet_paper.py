"""The paper's network: published blocks and shapes, any views, and a known field recovered."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from echo3d.reconstruction.s2mnet_paper import PAPER, TINY, PaperDecoder, PaperEncoder, PaperS2MNet, PaperWeights, fused

POINTS = 50


def network_of(**changes: object) -> PaperS2MNet:
    torch.manual_seed(0)
    network = PaperS2MNet(TINY.model_copy(update=changes), POINTS).eval()
    network.place.copy_(torch.rand(POINTS, 3) * 2 - 1)
    return network


def count(kind: type, *parts: nn.Module) -> int:
    return sum(isinstance(layer, kind) for part in parts for layer in part.modules())


def test_blocks_of_figure_2() -> None:
    encoder = PaperEncoder(PAPER)
    assert count(nn.Conv2d, encoder.flat) == 3 and count(nn.Conv3d, encoder) == 1
    assert count(nn.ConvTranspose3d, PaperDecoder(PAPER)) == 6 and count(nn.Conv3d, PaperWeights(PAPER.weights)) == 6
    assert sum(weight.numel() for weight in encoder.backbone.parameters()) == 1_444_928


@pytest.mark.parametrize("side", [32, 128])
def test_published_size_forward(side: int) -> None:
    """A whole answer to two views at the published size; finer fields come from the same weights."""
    network = PaperS2MNet(PAPER.model_copy(update={"side": side}), 1000).eval()
    present = torch.tensor([[True, False, False, True, False, False]])
    with torch.inference_mode():
        answer = network(torch.rand(1, 6, 2, 112, 112), present)
    assert answer.field.shape == (1, 3, side, side, side) and answer.points.shape == (1, 1000, 3)
    assert bool(torch.isfinite(answer.field).all())
    assert sum(weight.numel() for weight in network.parameters()) == pytest.approx(78.1e6, rel=0.01)


@pytest.mark.parametrize("side", [32, 64])
def test_any_views(side: int) -> None:
    network = network_of(side=side)
    pictures, present = torch.rand(3, 6, 2, 112, 112), torch.ones(3, 6, dtype=torch.bool)
    present[1, 2:], present[2, :5] = False, False
    with torch.inference_mode():
        all_three = network(pictures, present)
        pictures[1, 2:] = 0.7
        assert torch.equal(network(pictures, present).field, all_three.field)
        alone = network(pictures[1:2], present[1:2])
        one = network.spread(network.decoder(network.encoder(pictures[2, 5:, :1]))) * network.config.unit_mm
    assert torch.allclose(alone.field[0], all_three.field[1], atol=1e-5)
    assert torch.allclose(one[0], all_three.field[2], atol=1e-5)


def test_a_linear_field_arrives_exactly_at_the_points() -> None:
    """Trilinear steps keep a linear field, on a coarse raster as on a fine one; the first axis is x."""
    for side in (32, 64):
        network = network_of(side=side)
        axis = torch.linspace(-1, 1, 32)
        coarse = torch.stack(torch.meshgrid(axis, 2 * axis, 3 * axis, indexing="ij"))[None]
        found = network.at_points(network.spread(coarse))[0]
        assert torch.allclose(found, network.place * torch.tensor([1.0, 2.0, 3.0]), atol=1e-5)


def test_weights_of_one_and_of_many() -> None:
    fields, present = torch.rand(3, 3, 2, 2, 2), torch.tensor([[True, True], [False, True]])
    logits = torch.zeros(3, 1, 2, 2, 2)
    answer = fused(fields, logits, present)
    assert torch.allclose(answer[0], fields[:2].mean(dim=0)) and torch.equal(answer[1], fields[2])
    logits[1] = 50
    assert torch.allclose(fused(fields, logits, present)[0], fields[1])


def test_it_learns_a_known_displacement() -> None:
    network = network_of().train()
    pictures, present = torch.rand(2, 6, 2, 112, 112), torch.ones(2, 6, dtype=torch.bool)
    wanted = torch.tensor([4.0, -3.0, 2.0])
    optimiser = torch.optim.Adam(network.parameters(), 5e-3)
    errors = []
    for _ in range(10):
        loss = (network(pictures, present).points - wanted).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        errors.append(float(loss.detach()))
    assert errors[-1] < 0.6 * errors[0]

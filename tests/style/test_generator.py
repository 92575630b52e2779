"""The generators of the style transfer: sizes as published, and what goes in and comes out."""

from __future__ import annotations

import torch
from torch import nn

from echo3d.style.generator import LEAN, PAPER, Generator, initialised, preset


def count(network: nn.Module) -> int:
    return sum(part.numel() for part in network.parameters())


def test_the_paper_preset_is_as_large_as_published() -> None:
    """11.4 million weights (science.md D.1) for three colours; the first and the last layer have one here, 2 x 49 x 64 x 2 + 2 fewer."""
    assert preset("paper", 256) == PAPER and preset("paper", 112).blocks == 6
    assert count(Generator(PAPER)) + 2 * 49 * 64 * 2 + 2 == 11_378_179
    assert count(Generator(LEAN)) < count(Generator(PAPER)) / 30


def test_a_picture_stays_in_range_and_in_its_fan() -> None:
    torch.manual_seed(0)
    inside = torch.zeros(2, 1, 48, 64)
    inside[..., 10:40, 8:50] = 1
    for config in (LEAN, LEAN.model_copy(update={"up": "transposed"})):
        made = Generator(config)(torch.rand(2, 1, 48, 64), inside).detach()
        assert made.shape == (2, 1, 48, 64)
        assert float(made.min()) >= 0 and float(made.max()) <= 1 and not bool((made * (1 - inside)).any()) and bool(made.any())


def test_each_picture_is_translated_alone() -> None:
    """Instance norm: a batch's pictures do not know of each other."""
    torch.manual_seed(0)
    network, pictures, inside = Generator(LEAN).eval(), torch.rand(3, 1, 32, 32), torch.ones(3, 1, 32, 32)
    with torch.inference_mode():
        assert torch.allclose(network(pictures, inside)[1:2], network(pictures[1:2], inside[1:2]), atol=1e-5)


def test_weights_begin_as_published() -> None:
    torch.manual_seed(0)
    network = initialised(Generator(PAPER.model_copy(update={"blocks": 1})))
    wide = [part for part in network.modules() if isinstance(part, nn.Conv2d) and part.weight.numel() > 50_000]
    assert wide and all(
        abs(float(part.weight.detach().std()) - 0.02) < 0.0005 and not bool(part.bias.any()) for part in wide if part.bias is not None
    )

"""The voxel networks have the published sizes, leave absent views out, and start at the share of voxels that hearts fill."""

from __future__ import annotations

import pytest
import torch

from echo3d.reconstruction.pix2vox import PRESETS, Decoder, Encoder, Merger, Pix2Vox, Pix2VoxConfig, Preset, Refiner, parameters, sized, vgg

TINY = Pix2VoxConfig(picture=64, encoder=((1, 32, 1), (3, 16, 1), (1, 16, 1)), decoder=(72, 8, 8, 4, 4), merger=(5, 2, 1))
"""Answers with 32 voxels a side; 64 pixels come to 8 x 8, then 6 x 6 of 16 channels, which are 72 channels of 2 x 2 x 2."""


@pytest.mark.parametrize(("name", "millions"), [("fast", 7.436), ("accurate", 114.244), ("e-pix2vox++", 112.98)])
def test_as_many_weights_as_published(name: Preset, millions: float) -> None:
    """Counts of reference science.md C.3 and C.6, within one per cent at 128 voxels."""
    network = Pix2Vox(PRESETS[name])
    assert parameters(network) / 1e6 == pytest.approx(millions, rel=0.01)
    assert network.config.side == 128


@pytest.mark.parametrize("name", PRESETS)
def test_smaller_ones(name: Preset) -> None:
    """At 128 voxels the presets themselves; Pix2Vox at 32 as published, in its own layers."""
    assert sized(name, 128) == PRESETS[name] and [sized(name, side).side for side in (32, 64)] == [32, 64]
    published = {"fast": 7.436e6, "accurate": 114.244e6}
    if name in published:
        assert parameters(Pix2Vox(sized(name, 32))) == pytest.approx(published[name], rel=2e-4)
    with pytest.raises(ValueError, match="one of"):
        sized(name, 48)


def test_parts_that_are_published_alone() -> None:
    assert parameters(vgg()) == pytest.approx(2.919e6, rel=1e-4)
    assert parameters(Merger((9, 16, 8, 4, 2, 1))) == 8571
    assert parameters(Refiner(PRESETS["accurate"])) == pytest.approx(34.88e6, rel=0.005)
    assert parameters(Decoder(PRESETS["accurate"])) == pytest.approx(71.58e6, rel=0.005)
    assert sum(isinstance(layer, torch.nn.ConvTranspose3d) for layer in Decoder(PRESETS["e-pix2vox++"]).modules()) == 6


@pytest.mark.parametrize("name", PRESETS)
def test_encoders_end_with_two_voxels_a_side(name: Preset) -> None:
    config = PRESETS[name]
    with torch.inference_mode():
        features = Encoder(config).eval()(torch.rand(1, 1, 112, 112))
    assert features.numel() == config.decoder[0] * 8


def tiny(**changes: object) -> Pix2Vox:
    torch.manual_seed(0)
    return Pix2Vox(TINY.model_copy(update=changes)).eval()


@pytest.mark.parametrize("changes", [{}, {"refiner": (1, 4, 8), "hidden": 16}, {"refiner": (1, 4, 8), "hidden": 16, "fused": True}])
def test_any_views(changes: dict[str, object]) -> None:
    """An absent view's pixels change nothing; each row is as if it were alone; probabilities are such."""
    network = tiny(**changes)
    pictures, present = torch.rand(2, 6, 2, 112, 112), torch.ones(2, 6, dtype=torch.bool)
    present[1, 2:] = False
    with torch.inference_mode():
        both = network(pictures, present)
        other = pictures.clone()
        other[1, 2:] = 0.3
        assert torch.equal(network(other, present).refined, both.refined)
        alone = network(pictures[1:], present[1:])
    assert both.refined.shape == both.coarse.shape == (2, 32, 32, 32)
    assert torch.allclose(alone.refined[0], both.refined[1], atol=1e-5)
    assert float(both.refined.min()) >= 0 and float(both.refined.max()) <= 1


def test_one_view_is_its_own_volume() -> None:
    """With one view the merger has nothing to weigh."""
    network = tiny()
    pictures, present = torch.rand(1, 6, 2, 112, 112), torch.tensor([[True] + 5 * [False]])
    with torch.inference_mode():
        features = network.encoder(pictures[:, 0, :1])
        volume = network.decoder(features.reshape(1, 72, 2, 2, 2))[1]
        assert torch.allclose(network(pictures, present).coarse, volume, atol=1e-6)


def test_it_starts_near_the_share_that_hearts_fill() -> None:
    network = tiny(filled=0.03, refiner=(1, 4, 8), hidden=16)
    network.train()
    with torch.no_grad():
        answer = network(torch.rand(1, 6, 2, 112, 112), torch.ones(1, 6, dtype=torch.bool))
    assert 0.015 < float(answer.coarse.mean()) < 0.06 and 0.015 < float(answer.refined.mean()) < 0.06


def test_it_learns_one_heart() -> None:
    network = tiny(refiner=(1, 4, 8), hidden=16)
    truth = torch.zeros(1, 32, 32, 32)
    truth[:, 8:20, 10:22, 6:26] = 1
    pictures, present = torch.rand(1, 6, 2, 112, 112), torch.ones(1, 6, dtype=torch.bool)
    network.train()
    optimiser = torch.optim.Adam(network.parameters(), 3e-3)
    losses = []
    for _ in range(12):
        loss = torch.nn.functional.binary_cross_entropy(network(pictures, present).refined.clamp(1e-6, 1 - 1e-6), truth)
        losses.append(float(loss.detach()))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert losses[-1] < 0.7 * losses[0]

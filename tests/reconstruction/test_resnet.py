"""Residual networks have the published sizes."""

from __future__ import annotations

import pytest
import torch

from echo3d.reconstruction.resnet import ResNet


@pytest.mark.parametrize(("depth", "stages", "count"), [(18, 4, 11_176_512), (34, 4, 21_284_672), (50, 4, 23_508_032), (50, 2, 1_444_928)])
def test_as_many_weights_as_published(depth: int, stages: int, count: int) -> None:
    """The published counts, 11.69, 21.80 and 25.56 M, less the classifier's 1000 · features + 1000."""
    assert sum(weight.numel() for weight in ResNet(depth, stages).parameters()) == count


def test_shapes_and_names() -> None:
    network = ResNet(50, stages=3).eval()
    assert network(torch.zeros(2, 3, 64, 96)).shape == (2, 1024, 4, 6)
    names = set(network.state_dict())
    assert {"conv1.weight", "bn1.running_mean", "layer1.0.downsample.0.weight", "layer3.5.conv3.weight"} <= names
    with pytest.raises(ValueError, match="18, 34 or 50"):
        ResNet(101)

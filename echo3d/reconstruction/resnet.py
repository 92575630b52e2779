"""Residual networks that read pictures: ResNet-18 to ResNet-50, whole or up to a stage.

Layers are named as in the published weights, so that ImageNet's load where a file of them is at hand; without one a network starts at
random.

*Source:* He et al., Deep residual learning for image recognition (CVPR 2016), table 1. A bottleneck strides in its 3x3 convolution.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

DEPTHS: dict[int, tuple[int, int, int, int]] = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}
"""Blocks of each of the four stages."""

WIDTHS = (64, 128, 256, 512)
"""Channels of each stage's 3x3 convolutions."""


class Basic(nn.Module):
    """Two 3x3 convolutions beside an identity."""

    growth = 1

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(before, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        self.downsample = shortcut(before, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, width, H / stride, W / stride)."""
        inner = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(inner)) + self.downsample(x))


class Bottleneck(nn.Module):
    """A 3x3 convolution between two of 1x1, beside an identity."""

    growth = 4

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        after = self.growth * width
        self.conv1, self.bn1 = nn.Conv2d(before, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, after, 1, bias=False), nn.BatchNorm2d(after)
        self.downsample = shortcut(before, after, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, 4 width, H / stride, W / stride)."""
        inner = torch.relu(self.bn1(self.conv1(x)))
        inner = torch.relu(self.bn2(self.conv2(inner)))
        return torch.relu(self.bn3(self.conv3(inner)) + self.downsample(x))


def shortcut(before: int, after: int, stride: int) -> nn.Module:
    """Return the way past a block: the identity, or a 1x1 convolution where the shape changes."""
    if stride == 1 and before == after:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))


class ResNet(nn.Module):
    """A residual network without its classifier.

    Parameters
    ----------
    depth : 18, 34 or 50
    stages : how many of the four stages there are; the picture is 4, 8, 16, 32 times coarser behind each
    channels : of the pictures

    Attributes
    ----------
    features : channels of the answer, such as 2048 for depth 50 and four stages

    Examples
    --------
    >>> ResNet(50).features, ResNet(18, stages=2).features
    (2048, 128)
    """

    def __init__(self, depth: int = 50, stages: int = 4, channels: int = 3) -> None:
        super().__init__()
        if depth not in DEPTHS or not 1 <= stages <= len(WIDTHS):
            raise ValueError(f"a ResNet must be 18, 34 or 50 deep with one to four stages, found {depth} and {stages}; choose such")
        block = Bottleneck if depth >= 50 else Basic
        self.conv1, self.bn1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
        self.stages, self.features = stages, 64
        for number, (width, count) in enumerate(zip(WIDTHS[:stages], DEPTHS[depth], strict=False), start=1):
            after = block.growth * width
            first = block(self.features, width, 1 if number == 1 else 2)
            setattr(self, f"layer{number}", nn.Sequential(first, *(block(after, width, 1) for _ in range(count - 1))))
            self.features = after
        self.apply(_started)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return features (B, features, H / 2^(stages + 1), W / 2^(stages + 1)) of pictures (B, channels, H, W)."""
        x = torch.relu(self.bn1(self.conv1(pictures)))  # B 64 H/2 W/2
        x = nn.functional.max_pool2d(x, 3, 2, 1)  # B 64 H/4 W/4
        for number in range(1, self.stages + 1):
            x = self.get_submodule(f"layer{number}")(x)  # B 64·2^k H/2^(k+2) W/2^(k+2), four times the channels for depth 50
        return x


def _started(module: nn.Module) -> None:
    """Give a convolution its random start. *Source:* He et al., Delving deep into rectifiers (ICCV 2015), by the answers' number."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

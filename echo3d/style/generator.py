"""The generators of the style transfer: residual networks from one grey picture to another.

*Source:* paper section 4.2; sizes of the published CycleGAN (reference science.md D.1), written from its paper: c7s1-k, d2k, d4k, R blocks
of 4k, u2k, uk, c7s1-1, instance norm, reflection padding.
"""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

Preset = Literal["paper", "lean"]


class GeneratorConfig(BaseModel):
    """Sizes of a generator; the defaults are the paper's."""

    model_config = ConfigDict(frozen=True)

    width: int = Field(64, ge=1, description="Features of the first layer (ngf); four times as many in the middle.")
    blocks: int = Field(9, ge=0, description="Residual blocks; 9 for pictures of 256 pixels, 6 for 128 and fewer.")
    up: Literal["transposed", "resized"] = Field(
        "transposed",
        description="How pictures grow again: as published, or nearest neighbours and a convolution, which leaves no checkerboard.",
    )


PAPER = GeneratorConfig()
LEAN = GeneratorConfig(width=16, blocks=4, up="resized")
"""Ours, for processors without a GPU and pictures of 112 pixels: a thirty-fifth of the paper's weights."""

PRESETS: dict[Preset, GeneratorConfig] = {"paper": PAPER, "lean": LEAN}
SMALL_PIXELS, SMALL_BLOCKS = 128, 6
"""Pictures up to this side get six blocks in the paper's preset. *Source:* science.md D.1."""


def preset(name: Preset, pixels: int) -> GeneratorConfig:
    """Return the sizes of a preset for pictures of so many pixels a side.

    >>> preset("paper", 112).blocks, preset("paper", 256).blocks
    (6, 9)
    """
    chosen = PRESETS[name]
    small = name == "paper" and pixels <= SMALL_PIXELS
    return chosen.model_copy(update={"blocks": SMALL_BLOCKS}) if small else chosen


class Generator(nn.Module):
    """One picture to another of the same size.

    Parameters
    ----------
    config : sizes
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        k = config.width
        self.first = step(1, k, 7)  # c7s1-k
        self.down = nn.Sequential(step(k, 2 * k, 3, stride=2), step(2 * k, 4 * k, 3, stride=2))  # d2k, d4k
        self.blocks = nn.Sequential(*(ResnetBlock(4 * k) for _ in range(config.blocks)))  # R4k
        self.up = nn.Sequential(grow(4 * k, 2 * k, config.up), grow(2 * k, k, config.up))  # u2k, uk
        self.last = nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(k, 1, 7))  # c7s1-1

    def forward(self, pictures: Tensor, inside: Tensor) -> Tensor:
        """Return pictures of the other style.

        Parameters
        ----------
        pictures : (P, 1, H, W) in [0, 1]; H and W multiples of 4
        inside : (P, 1, H, W), 1 within the fan and 0 outside

        Returns
        -------
        (P, 1, H, W) in [0, 1], zero outside the fan
        """
        x = self.first(2 * pictures - 1)  # P k H W
        x = self.blocks(self.down(x))  # P 4k H/4 W/4
        x = self.last(self.up(x))  # P 1 H W
        return (0.5 * torch.tanh(x.float()) + 0.5) * inside


class ResnetBlock(nn.Module):
    """Two convolutions beside an identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = step(channels, channels, 3, reflect=True)
        self.second = nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), nn.InstanceNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Return (P, C, H, W) of the same shape."""
        return x + self.second(self.first(x))


def step(before: int, after: int, kernel: int, *, stride: int = 1, reflect: bool = False) -> nn.Sequential:
    """Return a convolution with instance norm and a rectifier; a wide one, or one that is asked to, reflects the picture at its edge."""
    pad = kernel // 2
    mirrored = reflect or kernel == 7
    layers: list[nn.Module] = [nn.ReflectionPad2d(pad)] if mirrored else []
    layers += [nn.Conv2d(before, after, kernel, stride=stride, padding=0 if mirrored else pad), nn.InstanceNorm2d(after), nn.ReLU()]
    return nn.Sequential(*layers)


def grow(before: int, after: int, how: str) -> nn.Sequential:
    """Return a step to twice the size."""
    if how == "transposed":
        wider: list[nn.Module] = [nn.ConvTranspose2d(before, after, 3, stride=2, padding=1, output_padding=1)]
    else:
        wider = [nn.Upsample(scale_factor=2, mode="nearest"), nn.ReflectionPad2d(1), nn.Conv2d(before, after, 3)]
    return nn.Sequential(*wider, nn.InstanceNorm2d(after), nn.ReLU())


def initialised(network: nn.Module, deviation: float = 0.02) -> nn.Module:
    """Return the network with weights drawn from N(0, 0.02) and biases at zero, as published (science.md D.1)."""
    for part in network.modules():
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(part.weight, 0.0, deviation)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
    return network

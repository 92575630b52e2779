"""Voxel networks that S2MNet is compared with: Pix2Vox-F, Pix2Vox-A and E-Pix2Vox++, all at 128 voxels a side.

Each view's features become a raw volume, a merger weighs the views voxel by voxel, and a refiner mends the sum. Written from the
descriptions; layers and counts are those of the published networks but for what is ours:

* Pix2Vox answers with 32 voxels a side. For 128, its decoder has two more transposed convolutions, of few features, and its refiner two
  more levels, as E-Pix2Vox++ has them: counts stay within half a per cent of the published 7.44 and 114.24 million.
* The published encoders start with ImageNet's weights, and Pix2Vox keeps them as they are. No such weights come with this program: encoders
  start at random and learn, unless a configuration says ``frozen``.
* Any views may be absent: Pix2Vox's merger leaves them out, E-Pix2Vox++ sees nothing but zeros of them.
* The last layers have a bias, which starts at the share of voxels that hearts fill; without it a short run learns little else.

*Source:* Xie et al. (ICCV 2019); Stojanovski et al. (2022); reference science.md C.1, C.2, C.3 and C.6.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from echo3d.reconstruction.resnet import ResNet

Preset = Literal["fast", "accurate", "e-pix2vox++"]

VGG = ((64, 64), (128, 128), (256, 256, 256), (512,))
"""Channels of VGG16's convolutions up to the first one on 28 x 28, half the size between the groups. *Source:* C.1."""

VIEWS = 6


class Pix2VoxConfig(BaseModel):
    """Sizes of Pix2Vox; the defaults are Pix2Vox-F's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Preset = Field("fast", description="Which of the networks it is.")
    picture: int = Field(224, ge=64, description="Side in pixels that pictures are brought onto.")
    backbone: Literal["vgg16", "resnet50"] = Field("vgg16", description="What reads the pictures, up to 512 channels on 28 x 28.")
    encoder: tuple[tuple[int, int, int], ...] = Field(
        ((1, 512, 1), (3, 256, 4), (3, 128, 1)), description="Convolutions behind it: kernel, channels, and the pooling after each."
    )
    decoder: tuple[int, ...] = Field(
        (256, 128, 64, 32, 16, 8, 8), description="Channels at 2 voxels a side and behind each doubling; the last are the raw features."
    )
    merger: tuple[int, ...] = Field((9, 16, 8, 4, 2, 1), description="Channels of the merger.")
    refiner: tuple[int, ...] = Field((), description="Channels of the refiner's levels, 1 first; none for a network without.")
    hidden: int = Field(2048, ge=1, description="Middle layer of the refiner.")
    fused: bool = Field(False, description="Whether the views become one right behind the encoder.")
    frozen: bool = Field(False, description="Whether what reads the pictures stays as it is; published for ImageNet's weights.")
    filled: float = Field(0.05, gt=0, lt=1, description="Share of voxels that hearts fill, at which the last layers start.")

    @property
    def side(self) -> int:
        """Return the voxels a side of the answer."""
        return int(2 ** len(self.decoder))


_WIDE = (2048, 512, 128, 32, 32, 32, 8)
_LEVELS = (1, 8, 16, 32, 64, 128)

PRESETS: dict[Preset, Pix2VoxConfig] = {
    "fast": Pix2VoxConfig(),
    "accurate": Pix2VoxConfig(name="accurate", encoder=((3, 512, 1), (3, 512, 3), (1, 256, 1)), decoder=_WIDE, refiner=_LEVELS),
    "e-pix2vox++": Pix2VoxConfig(
        name="e-pix2vox++",
        backbone="resnet50",
        encoder=((3, 512, 1), (3, 512, 3), (1, 256, 1)),
        decoder=_WIDE,
        refiner=_LEVELS,
        fused=True,
    ),
}
"""*Source:* science.md C.1, C.2 and the last line of C.6; decoders and the refiner of Pix2Vox at 128 voxels are ours."""


SIDES = (32, 64, 128)


def sized(name: Preset, side: int) -> Pix2VoxConfig:
    """Return a preset that answers with 32, 64 or 128 voxels a side.

    Pix2Vox at 32 voxels is as published, and so is E-Pix2Vox++ at 128; what lies between has the layers of one or the other, fewer or more.

    Raises
    ------
    ValueError
        If there is no such size.

    >>> sized("accurate", 32).decoder, sized("accurate", 32).refiner
    ((2048, 512, 128, 32, 8), (1, 32, 64, 128))
    """
    if side not in SIDES:
        raise ValueError(f"a voxel network must answer with one of {SIDES} voxels a side, found {side}; choose one of these")
    preset, fewer = PRESETS[name], SIDES[::-1].index(side)
    narrow = name == "fast"
    ends = ((16, 8, 8), (16, 8), (8,)) if narrow else ((32, 32, 8), (32, 8), (8,))
    levels = (_LEVELS, (1, 16, 32, 64, 128), (1, 32, 64, 128))[fewer] if preset.refiner else ()
    return preset.model_copy(update={"decoder": (*preset.decoder[:4], *ends[fewer]), "refiner": levels})


class Volumes(NamedTuple):
    """What a voxel network answers.

    Attributes
    ----------
    coarse : (B, D, D, D) merged probabilities in [0, 1]
    refined : the same behind the refiner, or ``coarse`` itself where there is none
    """

    coarse: Tensor
    refined: Tensor


def vgg(groups: Sequence[Sequence[int]] = VGG) -> nn.Sequential:
    """Return the first convolutions of VGG16 with batch norm: (P, 3, H, W) to (P, 512, H / 8, W / 8)."""
    layers, before = list[nn.Module](), 3
    for number, group in enumerate(groups):
        layers += [nn.MaxPool2d(2)] if number else []
        for after in group:
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
            before = after
    return nn.Sequential(*layers)


class Encoder(nn.Module):
    """Grey pictures to features that the decoder takes for its smallest volume."""

    def __init__(self, config: Pix2VoxConfig) -> None:
        super().__init__()
        self.picture = config.picture
        self.backbone: nn.Module = ResNet(50, stages=2) if config.backbone == "resnet50" else vgg()
        self.backbone.requires_grad_(not config.frozen)
        layers, before = list[nn.Module](), 512
        for kernel, after, pool in config.encoder:
            layers += [nn.Conv2d(before, after, kernel), nn.BatchNorm2d(after), nn.ELU()]
            layers += [nn.MaxPool2d(pool)] if pool > 1 else []
            before = after
        self.layers = nn.Sequential(*layers)

    def forward(self, grey: Tensor) -> Tensor:
        """Return features (P, F, S, S) of pictures (P, 1, h, w) in [0, 1], such as (P, 256, 8, 8)."""
        pictures = nn.functional.interpolate(grey, size=(self.picture, self.picture), mode="bilinear", align_corners=False)
        pictures = ((pictures - 0.5) / 0.5).expand(-1, 3, -1, -1)  # P 3 224 224
        features = self.backbone(pictures.contiguous(memory_format=torch.channels_last))  # P 512 28 28
        return self.layers(features).contiguous()  # P F S S


class Decoder(nn.Module):
    """The smallest volume to raw features and a raw probability per voxel."""

    def __init__(self, config: Pix2VoxConfig) -> None:
        super().__init__()
        steps = zip(config.decoder, config.decoder[1:], strict=False)
        self.grow = nn.Sequential(*(up(before, after, nn.ReLU()) for before, after in steps))
        self.last = nn.Conv3d(config.decoder[-1], 1, 1)
        nn.init.constant_(self.last.bias, logit(config.filled))  # type: ignore[arg-type]

    def forward(self, smallest: Tensor) -> tuple[Tensor, Tensor]:
        """Return raw features (P, F + 1, D, D, D), probabilities among them, and probabilities (P, D, D, D) of (P, C, 2, 2, 2)."""
        features = self.grow(smallest)  # P F D D D
        raw = torch.sigmoid(self.last(features).float())  # P 1 D D D
        return torch.cat([features, raw.to(features.dtype)], dim=1), raw[:, 0]


def up(before: int, after: int, answer: nn.Module) -> nn.Sequential:
    """Return a step to twice the side."""
    return nn.Sequential(nn.ConvTranspose3d(before, after, 4, 2, 1, bias=False), nn.BatchNorm3d(after), answer)


class Merger(nn.Module):
    """Weighs the views voxel by voxel."""

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        steps = zip(channels, channels[1:], strict=False)
        self.layers = nn.Sequential(*(nn.Sequential(nn.Conv3d(a, b, 3, padding=1), nn.BatchNorm3d(b), nn.LeakyReLU(0.2)) for a, b in steps))

    def forward(self, raw: Tensor, volumes: Tensor, present: Tensor) -> Tensor:
        """Return merged volumes (B, D, D, D) of the P views that are ``present`` (B, V), raw features (P, F, D, D, D) and (P, D, D, D)."""
        scores = self.layers(raw.contiguous(memory_format=torch.channels_last_3d))[:, 0].float()  # P D D D
        counts = present.sum(dim=1).tolist()
        views = zip(scores.split(counts), volumes.float().split(counts), strict=True)
        merged = torch.stack([(score.softmax(dim=0) * volume).sum(dim=0) for score, volume in views])
        return merged.clamp(0, 1)  # B D D D


class Refiner(nn.Module):
    """A small U-Net that mends a volume; its answer is the mean of what it was given and of what it makes of it."""

    def __init__(self, config: Pix2VoxConfig) -> None:
        super().__init__()
        levels, deepest = config.refiner, config.side // 2 ** (len(config.refiner) - 1)
        self.shape, length = (levels[-1], deepest, deepest, deepest), levels[-1] * deepest**3
        self.down = nn.ModuleList(
            [
                nn.Sequential(nn.Conv3d(a, b, 4, padding=2), nn.BatchNorm3d(b), nn.LeakyReLU(0.2), nn.MaxPool3d(2))
                for a, b in zip(levels, levels[1:], strict=False)
            ]
        )
        self.middle = nn.Sequential(nn.Linear(length, config.hidden), nn.ReLU(), nn.Linear(config.hidden, length), nn.ReLU())
        back = list(zip(levels[::-1], levels[-2::-1], strict=False))
        self.up = nn.ModuleList([up(a, b, nn.ReLU()) for a, b in back[:-1]])
        self.last = nn.ConvTranspose3d(*back[-1], 4, 2, 1)
        nn.init.constant_(self.last.bias, logit(config.filled))  # type: ignore[arg-type]

    def forward(self, coarse: Tensor) -> Tensor:
        """Return (B, D, D, D) of the same shape."""
        x, levels = coarse[:, None], list[Tensor]()
        for step in self.down:
            x = step(x)
            levels.append(x)  # B C D/2^k D/2^k D/2^k
        x = levels.pop()
        x = x + self.middle(x.flatten(1)).view(-1, *self.shape)
        for step in self.up:
            x = step(x) + levels.pop()
        return (coarse + torch.sigmoid(self.last(x)[:, 0].float())) / 2  # B D D D


class Pix2Vox(nn.Module):
    """One of the voxel networks.

    Parameters
    ----------
    config : sizes
    """

    def __init__(self, config: Pix2VoxConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder, self.decoder, self.merger = Encoder(config), Decoder(config), Merger(config.merger)
        self.fuse = nn.Sequential(nn.Conv3d(VIEWS, 1, 3, padding=1), nn.BatchNorm3d(1), nn.LeakyReLU(0.2)) if config.fused else None
        self.refiner = Refiner(config) if config.refiner else None
        for part in (self.decoder, self.merger, self.refiner or nn.Identity()):
            part.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload] # few channels are twice as quick side by side

    def forward(self, pictures: Tensor, present: Tensor) -> Volumes:
        """Return volumes of ``pictures`` (B, V, 2, h, w), whose first channel is looked at; ``present`` (B, V) bool, one at least a row."""
        features = self.encoder(pictures[present][:, :1])  # P F S S
        if self.fuse is not None:
            features, present = self.fused(features, present), torch.ones(len(present), 1, dtype=torch.bool)
        smallest = features.reshape(len(features), self.config.decoder[0], 2, 2, 2)  # P C 2 2 2
        raw, volumes = self.decoder(smallest)  # P F+1 D D D, P D D D
        coarse = self.merger(raw, volumes, present)  # B D D D
        return Volumes(coarse, coarse if self.refiner is None else self.refiner(coarse))

    def fused(self, features: Tensor, present: Tensor) -> Tensor:
        """Return one map of features (B, F, S, S) of all views' (P, F, S, S), which are the channels of a convolution over F, S and S.

        *Source:* C.6; with one volume left, the merger's softmax is 1 everywhere, as published.
        """
        if self.fuse is None:
            raise ValueError("this network has no layer that fuses views; choose the preset e-pix2vox++")
        views = features.new_zeros(*present.shape, *features.shape[1:])  # B V F S S
        views[present] = features
        return self.fuse(views)[:, 0]  # B F S S


def logit(share: float) -> float:
    """Return the number whose sigmoid is ``share``.

    >>> logit(0.5)
    0.0
    """
    return math.log(share / (1 - share))


def parameters(network: nn.Module) -> int:
    """Return the number of weights."""
    return sum(weight.numel() for weight in network.parameters())

"""S2MNet, preset paper: the network of the paper's Figure 2 in its published size.

An encoder reads every view by itself: the first half of ResNet-50, three 2D convolutions and one 3D convolution. A decoder of six
transposed 3D convolutions and a trilinear step make a *coarse* vector field of each view; a *weight* generator of six 3D convolutions says
how much each counts in each place; the weighted sum moves the template's points. There may be any number of views, and none needs a
calibration: a picture is looked at as it is, on 224 x 224 pixels.

What the text leaves open is ours. Sizes up to the decoder are those of E-Pix2Vox++ at 128 voxels, whose block counts the paper repeats. The
coarse fields have 32 nodes a side (four of the six transposed convolutions double), so that a finer raster costs the trilinear step and the
sum alone, as section 4.4 promises. Weights are a softmax over the views that are there, so that one view's field is the answer to one view.

*Source:* paper section 4.4 and Figure 2; reference science.md 0.8 and C.6.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from echo3d.reconstruction.resnet import ResNet


class PaperConfig(BaseModel):
    """Configuration of the preset paper."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    picture: int = Field(224, ge=64, description="Side in pixels that pictures are brought onto.")
    encoder: tuple[tuple[int, int, int], ...] = Field(
        ((3, 512, 1), (3, 512, 3), (1, 256, 1)), description="The three 2D convolutions: kernel, channels, and the pooling after each."
    )
    volume: tuple[int, int] = Field((32, 8), description="Channels and side of the volume that the 3D convolution reads.")
    decoder: tuple[int, ...] = Field(
        (2048, 512, 128, 64, 32, 32, 3), description="Channels at 2 nodes a side and behind each of the six transposed convolutions."
    )
    doubling: int = Field(4, ge=1, le=6, description="How many of them, the first ones, double the side.")
    weights: tuple[int, ...] = Field((32, 32, 32, 16, 16, 8, 1), description="Channels of the six convolutions of the weight generator.")
    side: Literal[32, 64, 128] = Field(128, description="Nodes a side of the field that the trilinear step ends with.")
    unit_mm: float = Field(10.0, gt=0, description="Millimetres of a decoder's answer of 1.")

    @property
    def coarse(self) -> int:
        """Return the nodes a side of what the decoder makes."""
        return int(2 ** (1 + self.doubling))


PAPER = PaperConfig()
TINY = PaperConfig(
    picture=64,
    encoder=((1, 32, 1), (3, 32, 1), (3, 32, 1)),
    volume=(8, 4),
    decoder=(64, 16, 8, 8, 8, 8, 3),
    weights=(8, 8, 8, 4, 4, 4, 1),
    side=32,
)
"""For tests; the same layers, few channels."""


class PaperPrediction(NamedTuple):
    """What the network answers for a batch.

    Attributes
    ----------
    points : (B, N, 3) mm, the hearts' material points
    field : (B, 3, D, D, D) mm, the fused displacement on the template's raster
    """

    points: Tensor
    field: Tensor


class PaperEncoder(nn.Module):
    """Figure 2's encoder: pictures to volumes."""

    def __init__(self, config: PaperConfig) -> None:
        super().__init__()
        self.picture, (channels, side) = config.picture, config.volume
        self.shape = (channels, side, side, side)
        self.backbone = ResNet(50, stages=2)
        layers, before = list[nn.Module](), self.backbone.features
        for kernel, after, pool in config.encoder:
            layers += [nn.Conv2d(before, after, kernel), nn.BatchNorm2d(after), nn.ELU()]
            layers += [nn.MaxPool2d(pool)] if pool > 1 else []
            before = after
        self.flat = nn.Sequential(*layers)
        self.solid = nn.Sequential(nn.Conv3d(channels, channels, 3, padding=1), nn.BatchNorm3d(channels), nn.LeakyReLU(0.2))

    def forward(self, grey: Tensor) -> Tensor:
        """Return volumes (P, C, S, S, S) of pictures (P, 1, h, w) in [0, 1]."""
        pictures = nn.functional.interpolate(grey, size=(self.picture, self.picture), mode="bilinear", align_corners=False)
        pictures = ((pictures - 0.5) / 0.5).expand(-1, 3, -1, -1)  # P 3 224 224
        features = self.backbone(pictures.contiguous(memory_format=torch.channels_last))  # P 512 28 28
        features = self.flat(features).contiguous()  # P C·S S S
        return self.solid(features.view(len(grey), *self.shape))  # P C S S S


class PaperDecoder(nn.Module):
    """Figure 2's decoder without its trilinear step: volumes to coarse vector fields."""

    def __init__(self, config: PaperConfig) -> None:
        super().__init__()
        self.channels = config.decoder[0]
        steps = list(zip(config.decoder, config.decoder[1:], strict=False))
        layers = list[nn.Module]()
        for number, (before, after) in enumerate(steps):
            last, size = number == len(steps) - 1, (4, 2) if number < config.doubling else (3, 1)
            layers.append(nn.ConvTranspose3d(before, after, *size, 1, bias=last))
            layers += [] if last else [nn.BatchNorm3d(after), nn.ReLU()]
        self.grow = nn.Sequential(*layers)

    def forward(self, volume: Tensor) -> Tensor:
        """Return fields (P, 3, E, E, E) of volumes (P, C, S, S, S)."""
        return self.grow(volume.reshape(len(volume), self.channels, 2, 2, 2))  # P 3 E E E


class PaperWeights(nn.Module):
    """Figure 2's weight generator: how much a view counts where."""

    def __init__(self, channels: tuple[int, ...]) -> None:
        super().__init__()
        steps = list(zip(channels, channels[1:], strict=False))
        layers = [nn.Sequential(nn.Conv3d(a, b, 3, padding=1), nn.BatchNorm3d(b), nn.LeakyReLU(0.2)) for a, b in steps[:-1]]
        self.layers = nn.Sequential(*layers, nn.Conv3d(*steps[-1], 3, padding=1))

    def forward(self, volume: Tensor) -> Tensor:
        """Return logits (P, 1, S, S, S) of volumes (P, C, S, S, S)."""
        return self.layers(volume)  # P 1 S S S


class PaperS2MNet(nn.Module):
    """The network of Figure 2.

    Parameters
    ----------
    config : sizes
    points : number N of template points
    """

    template: Tensor
    place: Tensor

    def __init__(self, config: PaperConfig, points: int) -> None:
        super().__init__()
        self.config = config
        self.encoder, self.decoder, self.weights = PaperEncoder(config), PaperDecoder(config), PaperWeights(config.weights)
        self.register_buffer("template", torch.zeros(points, 3))
        self.register_buffer("place", torch.zeros(points, 3))

    def forward(self, pictures: Tensor, present: Tensor) -> PaperPrediction:
        """Return the heart seen in ``pictures`` (B, V, 2, h, w), whose first channel is looked at; ``present`` (B, V) bool."""
        volume = self.encoder(pictures[present][:, :1])  # P C S S S
        coarse = self.spread(self.decoder(volume).float()) * self.config.unit_mm  # P 3 D D D
        logits = self.spread(self.weights(volume).float())  # P 1 D D D
        field = fused(coarse, logits, present)  # B 3 D D D
        return PaperPrediction(self.template + self.at_points(field), field)

    def spread(self, coarse: Tensor) -> Tensor:
        """Return (P, C, D, D, D) on the raster that the network ends with, trilinearly."""
        side = (self.config.side,) * 3
        return coarse if coarse.shape[2:] == side else nn.functional.interpolate(coarse, size=side, mode="trilinear", align_corners=True)

    def at_points(self, field: Tensor) -> Tensor:
        """Return the field (B, 3, D, D, D) at the template's points, (B, N, 3), trilinearly."""
        place = self.place.flip(1)[None, :, None, None].expand(len(field), -1, -1, -1, -1)
        return nn.functional.grid_sample(field, place, align_corners=True, padding_mode="border")[..., 0, 0].transpose(1, 2)


def fused(coarse: Tensor, logits: Tensor, present: Tensor) -> Tensor:
    """Return the weighted sum (B, 3, D, D, D) of the P views that are there.

    Parameters
    ----------
    coarse : (P, 3, D, D, D) in the order of ``present``'s true places
    logits : (P, 1, D, D, D)
    present : (B, V) bool

    *Source:* Figure 2's weighted sum; the softmax is ours.
    """
    counts = present.sum(dim=1).tolist()
    views = zip(coarse.split(counts), logits.split(counts), strict=True)
    return torch.stack([(field * logit.softmax(dim=0)).sum(dim=0) for field, logit in views])  # B 3 D D D

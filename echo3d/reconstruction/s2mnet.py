"""S2MNet, lean: any one to six views to a displacement field of the template.

Reads like the paper's Figure 2: one encoder for all views, one *coarse* vector field per view, a *weight* generator, and the weighted sum.
What is ours makes it fit for a CPU, for few hours of training and for the clinic:

* The encoder answers with a *structure map*, the share of each structure in each cell of the picture. It is learned from the labels that
  every drawn picture comes with; all behind it learns from maps alone, hundreds of samples a second, and from many more hearts than
  pictures could be simulated of (``training.slices``).
* A view's token is a linear reading of its own map. The tokens of the views that are there are mixed into one *impression* of the heart,
  which speaks back to each of them; an absent view adds nothing to it.
* The coarse fields are spanned by principal fields, and the weights are given per principal field instead of per place: the sum is as
  linear as the paper's, and only the fused field is ever spread out on the raster.
* Each view also says where its plane lies and whether it looks like the view it is said to be.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from pydantic import BaseModel, Field
from torch import Tensor, nn

from echo3d.reconstruction.classes import CLASSES

VIEWS = 6

MAP_GAIN = 3.0
"""Factor that brings shares less their mean to about unit size; our choice."""


class S2MNetConfig(BaseModel):
    """Configuration of the lean preset."""

    channels: tuple[int, int, int, int] = Field((32, 64, 96, 128), description="Width of the encoder's four stages.")
    token: int = Field(160, description="Length of a view's token.")
    width: int = Field(768, description="Width of the impression that all views share.")
    rounds: int = Field(3, description="Residual rounds of thought about the impression.")
    principal: int = Field(200, description="Principal fields that span a coarse field.")
    grid: int = Field(16, description="Nodes per axis of the principal fields' raster.")
    raster: int = Field(112, description="Picture side in pixels.")


class Prediction(NamedTuple):
    """What the network answers for a batch.

    Attributes
    ----------
    points : (B, N, 3) mm, the hearts' material points
    coarse : (B, V, R) coefficients of each view's coarse field in the principal fields
    fused : (B, R) coefficients of their weighted sum
    planes : (B, V, 9) origin (mm), axis and lateral of each picture's fan
    trust : (B, V) logit that the picture is the view it is said to be
    """

    points: Tensor
    coarse: Tensor
    fused: Tensor
    planes: Tensor
    trust: Tensor


class Read(NamedTuple):
    """What the network reads in structure maps, of which :class:`Prediction` makes hearts; shapes as there."""

    coarse: Tensor
    fused: Tensor
    planes: Tensor
    trust: Tensor


def down(before: int, after: int, kernel: int, stride: int, waist: float = 1.0) -> nn.Sequential:
    """Return a step to a coarser raster with a residual block behind it."""
    step = nn.Conv2d(before, after, kernel, stride=stride, padding=kernel // 2)
    return nn.Sequential(step, nn.GroupNorm(8, after), nn.ReLU(), Residual(after, waist))


class Residual(nn.Module):
    """Two 3x3 convolutions beside an identity.

    Parameters
    ----------
    channels : of what comes and goes
    waist : share of them that there are between the convolutions
    """

    def __init__(self, channels: int, waist: float = 1.0) -> None:
        super().__init__()
        between = int(channels * waist)
        self.first = nn.Conv2d(channels, between, 3, padding=1)
        self.norm = nn.GroupNorm(8, between)
        self.second = nn.Conv2d(between, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, C, H, W) of the same shape."""
        return x + self.second(torch.relu(self.norm(self.first(x))))


class Encoder(nn.Module):
    """One picture (and the mask of what was seen) to its structure map on a raster four times coarser.

    Parameters
    ----------
    config : sizes
    waist : of the residual blocks
    """

    def __init__(self, config: S2MNetConfig, waist: float = 1.0) -> None:
        super().__init__()
        a, b, c, d = config.channels
        self.stem = nn.Sequential(nn.Conv2d(2, a // 2, 3, stride=2, padding=1), nn.ReLU())
        self.fine, self.middle = down(a // 2, a, 3, 2, waist), down(a, b, 3, 2, waist)
        self.coarse, self.deep = down(b, c, 3, 2, waist), down(c, d, 3, 2, waist)
        self.from_deep, self.from_coarse, self.from_middle = nn.Conv2d(d, c, 1), nn.Conv2d(c, b, 1), nn.Conv2d(b, a, 1)
        self.join_coarse, self.join_middle, self.join_fine = Residual(c, waist), Residual(b, waist), Residual(a, waist)
        self.view = nn.Parameter(0.02 * torch.randn(VIEWS, d))
        self.classes = nn.Conv2d(a, CLASSES, 1)

    def forward(self, pictures: Tensor, views: Tensor) -> Tensor:
        """Return class logits (P, CLASSES, H/4, W/4) of pictures (P, 2, H, W) said to be of ``views`` (P,)."""
        return self.read(self.features(pictures), views)

    def features(self, pictures: Tensor) -> Tensor:
        """Return what lies in each cell of pictures (P, 2, H, W), as far as its surroundings tell, (P, a, H/4, W/4)."""
        return self.fine(self.stem(5 * pictures - 0.7))

    def read(self, fine: Tensor, views: Tensor) -> Tensor:
        """Return class logits of :meth:`features`, seen in the whole picture."""
        return self.classes(self.joined(fine, views))

    def joined(self, fine: Tensor, views: Tensor) -> Tensor:
        """Return what lies in each cell, as far as the whole picture tells, (P, a, H/4, W/4), of :meth:`features`."""
        middle = self.middle(fine)  # P b 14 14
        coarse = self.coarse(middle)  # P c 7 7
        deep = self.deep(coarse) + self.view[views][:, :, None, None]  # P d 4 4
        coarse = self.join_coarse(coarse + grown(self.from_deep(deep), coarse))
        middle = self.join_middle(middle + grown(self.from_coarse(coarse), middle))
        return self.join_fine(fine + grown(self.from_middle(middle), fine))


def grown(x: Tensor, like: Tensor) -> Tensor:
    """Return ``x`` on the raster of ``like``, bilinearly."""
    return nn.functional.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)


def map_length(config: S2MNetConfig) -> int:
    """Return the numbers of a pooled structure map: every class but the first in cells of eight by eight pixels."""
    return (CLASSES - 1) * (config.raster // 8) ** 2


def pooled(shares: Tensor) -> Tensor:
    """Return (..., cells) shares (..., CLASSES - 1, h, w) pooled two by two."""
    return nn.functional.avg_pool2d(shares.flatten(0, -4), 2).view(*shares.shape[:-3], -1)


class Thought(nn.Module):
    """One residual round of thought about the impression."""

    def __init__(self, width: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, width) of the same shape."""
        return x + self.second(self.dropout(nn.functional.gelu(self.first(self.norm(x)))))


class PerView(nn.Module):
    """A linear map of its own for each view."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(VIEWS, before, after) / before**0.5)
        self.bias = nn.Parameter(torch.zeros(VIEWS, after))

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, V, after) of (B, V, before)."""
        return torch.bmm(x.transpose(0, 1), self.weight).transpose(0, 1) + self.bias


class S2MNet(nn.Module):
    """The network of Figure 2 in its lean form.

    Parameters
    ----------
    config : sizes
    points : number N of template points
    """

    template: Tensor
    principal: Tensor
    place: Tensor
    map_mean: Tensor
    plane_mean: Tensor

    def __init__(self, config: S2MNetConfig, points: int) -> None:
        super().__init__()
        self.config = config
        token, width, principal = config.token, config.width, config.principal
        self.encoder = Encoder(config)
        self.token = PerView(map_length(config), token)
        self.gather = nn.Linear(VIEWS * (token + 1), width)
        self.thoughts = nn.ModuleList([Thought(width) for _ in range(config.rounds)])
        self.norm = nn.LayerNorm(width)
        self.answer = nn.Linear(width, principal)
        self.back = nn.Linear(width, VIEWS * token)
        self.view_norm = nn.LayerNorm(token)
        self.correction, self.weights = PerView(token, principal), PerView(token, principal)
        self.plane = PerView(2 * token, 9)
        self.trust = nn.Sequential(nn.Linear(2 * token, 64), nn.GELU(), nn.Linear(64, 1))
        self.register_buffer("template", torch.zeros(points, 3))
        self.register_buffer("principal", torch.zeros(principal + 1, 3, config.grid**3))
        self.register_buffer("place", torch.zeros(points, 3))
        self.register_buffer("map_mean", torch.zeros(VIEWS, map_length(config)))
        self.register_buffer("plane_mean", torch.zeros(VIEWS, 9))

    def forward(self, pictures: Tensor, present: Tensor) -> Prediction:
        """Return the heart seen in ``pictures`` (B, V, 2, H, W) of the views ``present`` (B, V) bool, at least one per row."""
        return self.from_maps(self.maps(pictures, present), present)

    def maps(self, pictures: Tensor, present: Tensor) -> Tensor:
        """Return pooled structure maps (B, V, cells); zero where a view is absent."""
        return pooled(self.structures(pictures, present))

    def structures(self, pictures: Tensor, present: Tensor) -> Tensor:
        """Return the share of every class but the first (B, V, CLASSES - 1, H/4, W/4); zero where a view is absent."""
        side = self.config.raster // 4
        result = torch.zeros(*present.shape, CLASSES - 1, side, side, device=pictures.device)
        shown = pictures[present].contiguous(memory_format=torch.channels_last)
        result[present] = torch.softmax(self.encoder(shown, present.nonzero()[:, 1]), dim=1)[:, 1:].to(result.dtype)
        return result

    def from_maps(self, maps: Tensor, present: Tensor) -> Prediction:
        """Return the heart of structure maps (B, V, cells)."""
        coarse, fused, planes, trust = self.read(maps, present)
        return Prediction(self.template + self.at_points(self.field(fused)), coarse, fused, planes, trust)

    def read(self, maps: Tensor, present: Tensor) -> Read:
        """Return what structure maps (B, V, cells) tell."""
        own = self.token((MAP_GAIN * (maps - self.map_mean)).to(self.norm.weight.dtype))  # B V T
        shown = present[..., None].to(own.dtype)
        impression = self.gather(torch.cat([own * shown, shown], dim=2).flatten(1))  # B W
        for thought in self.thoughts:
            impression = thought(impression)
        impression = self.norm(impression)
        tokens = self.view_norm(own + self.back(impression).view_as(own))  # B V T
        coarse = self.answer(impression)[:, None] + self.correction(tokens)  # B V R
        both = torch.cat([own, tokens], dim=2)  # B V 2T
        fused = fuse(coarse, self.weights(tokens), present)
        return Read(coarse, fused, self.plane_mean + self.plane(both).to(self.plane_mean.dtype), self.trust(both).squeeze(-1))

    def field(self, fused: Tensor) -> Tensor:
        """Return the fields (B, 3, D, D, D) in mm of coefficients (B, R); the last principal field is their mean."""
        side = self.config.grid
        spread = fused @ self.principal[:-1].flatten(1) + self.principal[-1].flatten()
        return spread.view(len(fused), 3, side, side, side)

    def at_points(self, field: Tensor) -> Tensor:
        """Return the field (B, 3, D, D, D) at the template's points, (B, N, 3), trilinearly."""
        place = self.place.flip(1)[None, :, None, None].expand(len(field), -1, -1, -1, -1)
        return nn.functional.grid_sample(field, place, align_corners=True, padding_mode="border")[..., 0, 0].transpose(1, 2)


def finer(field: Tensor, side: int) -> Tensor:
    """Return fields (B, 3, side, side, side) on a raster of more nodes over the same box, trilinearly, from fields (B, 3, D, D, D).

    Nobody but who asks for a finer raster pays for it: a heart's points are read from the raster that the network answers on.

    >>> finer(torch.arange(2.0).view(1, 1, 2, 1, 1).expand(-1, 3, -1, 2, 2), 3)[0, 0, :, 0, 0].tolist()
    [0.0, 0.5, 1.0]

    *Source:* paper section 4.4, the trilinear step; axis by axis, as products of matrices. A node's three numbers lie side by side, so that
    they are quicker to read at points.
    """
    spread = between(field.shape[-1], side).to(field)  # E D
    count, _, before = field.shape[:3]
    nodes = spread @ field.permute(0, 2, 3, 4, 1).reshape(count, before, before, before, 3)  # B D D E 3
    nodes = spread @ nodes.reshape(count, before, before, -1)  # B D E E3
    nodes = spread @ nodes.reshape(count, before, -1)  # B E EE3
    return nodes.view(count, side, side, side, 3).permute(0, 4, 1, 2, 3)  # B 3 E E E


def between(before: int, after: int) -> Tensor:
    """Return the matrix (after, before) that reads a line of evenly spaced nodes at other nodes from end to end, linearly."""
    place = torch.linspace(0, before - 1, after)[:, None]
    return (1 - (place - torch.arange(before)).abs()).clamp(min=0)


def fuse(coarse: Tensor, weights: Tensor, present: Tensor) -> Tensor:
    """Return the weighted sum (B, R) of coarse coefficients (B, V, R); weights (B, V, R) are logits, absent views count nothing.

    *Source:* Figure 2's weighted sum, with a weight per principal field where the paper has one per place.
    """
    shares = torch.softmax(weights.masked_fill(~present[..., None], -1e4), dim=1)
    return (coarse * shares).sum(dim=1)

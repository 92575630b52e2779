"""S2MNet, lean: any one to six views to a displacement field of the template.

Reads like the paper's Figure 2: one encoder for all views, one *coarse* vector field per view, a *weight* generator, and the weighted sum.
What is ours makes it fit for a CPU, for few hours of training and for the clinic:

* The encoder answers with a *structure map*, the share of each structure in each cell of the picture. Learned from the labels that every
  drawn picture comes with, it got further than a regression of the field from the pictures: 3.5 mm against 4.7 mm mean point error on the
  validation hearts (24 minutes for the encoder and 12 behind it, against 20 minutes; one run each, on a loaded machine).
* The coarse fields are spanned by principal fields. Their first estimate is the conditional mean of a joint Gaussian of structure maps and
  fields given just the views that are there; a missing view thus costs only what it alone would have shown.
* Views then exchange what they saw, correct the estimate each in its own coarse field, and say where their plane lies and whether they
  look like the view they are said to be.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from pydantic import BaseModel, Field
from torch import Tensor, nn

VIEWS = 6

CLASSES = 9
"""Outside the fan or the heart, LV muscle, RV muscle, other wall, LV, RV, LA, RA, great arteries; see ``training.classes``."""


class S2MNetConfig(BaseModel):
    """Configuration of the lean preset."""

    channels: tuple[int, int, int, int] = Field((32, 64, 96, 128), description="Width of the encoder's four stages.")
    token: int = Field(256, description="Length of a view's token.")
    heads: int = Field(8, description="Attention heads with which views exchange what they saw.")
    layers: int = Field(2, description="Rounds of exchange.")
    features: int = Field(96, description="Numbers kept of a view's structure map for the Gaussian estimate.")
    principal: int = Field(200, description="Principal fields that span a coarse field.")
    grid: int = Field(16, description="Nodes per axis of the coarse fields' raster.")
    weight_grid: int = Field(4, description="Nodes per axis at which the weight generator speaks.")
    raster: int = Field(112, description="Picture side in pixels.")


class Prediction(NamedTuple):
    """What the network answers for a batch.

    Attributes
    ----------
    points : (B, N, 3) mm, the hearts' material points
    coarse : (B, V, R) coefficients of each view's coarse field
    planes : (B, V, 9) origin (mm), axis and lateral of each picture's fan
    trust : (B, V) logit that the picture is the view it is said to be
    """

    points: Tensor
    coarse: Tensor
    planes: Tensor
    trust: Tensor


def down(before: int, after: int, kernel: int, stride: int) -> nn.Sequential:
    """Return a step to a coarser raster with a residual block behind it."""
    step = nn.Conv2d(before, after, kernel, stride=stride, padding=kernel // 2)
    return nn.Sequential(step, nn.GroupNorm(8, after), nn.ReLU(), Residual(after))


class Residual(nn.Module):
    """Two 3x3 convolutions beside an identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm = nn.GroupNorm(8, channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, C, H, W) of the same shape."""
        return x + self.second(torch.relu(self.norm(self.first(x))))


class Encoder(nn.Module):
    """One picture (and the mask of what was seen) to its structure map on a raster four times coarser."""

    def __init__(self, config: S2MNetConfig) -> None:
        super().__init__()
        a, b, c, d = config.channels
        self.fine, self.middle = down(2, a, 5, 4), down(a, b, 3, 2)
        self.coarse, self.deep = down(b, c, 3, 2), down(c, d, 3, 2)
        self.from_deep, self.from_coarse, self.from_middle = nn.Conv2d(d, c, 1), nn.Conv2d(c, b, 1), nn.Conv2d(b, a, 1)
        self.join_coarse, self.join_middle, self.join_fine = Residual(c), Residual(b), Residual(a)
        self.view = nn.Parameter(0.02 * torch.randn(VIEWS, d))
        self.classes = nn.Conv2d(a, CLASSES, 1)

    def forward(self, pictures: Tensor, views: Tensor) -> Tensor:
        """Return class logits (P, CLASSES, H/4, W/4) of pictures (P, 2, H, W) said to be of ``views`` (P,)."""
        fine = self.fine(5 * pictures - 0.7)  # P a 28 28
        middle = self.middle(fine)  # P b 14 14
        coarse = self.coarse(middle)  # P c 7 7
        deep = self.deep(coarse) + self.view[views][:, :, None, None]  # P d 4 4
        coarse = self.join_coarse(coarse + grown(self.from_deep(deep), coarse))
        middle = self.join_middle(middle + grown(self.from_coarse(coarse), middle))
        return self.classes(self.join_fine(fine + grown(self.from_middle(middle), fine)))


def grown(x: Tensor, like: Tensor) -> Tensor:
    """Return ``x`` on the raster of ``like``, bilinearly."""
    return nn.functional.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)


class Estimate(nn.Module):
    """The first estimate: conditional mean of the field's coefficients given the structure maps that are there.

    Buffers come in closed form from drawn hearts (``training.gaussian``).
    """

    mean: Tensor
    basis: Tensor
    joint: Tensor
    cross: Tensor
    middle: Tensor

    def __init__(self, config: S2MNetConfig) -> None:
        super().__init__()
        cells, kept = map_length(config), config.features
        self.register_buffer("mean", torch.zeros(VIEWS, cells))
        self.register_buffer("basis", torch.zeros(VIEWS, cells, kept))
        self.register_buffer("joint", torch.eye(VIEWS * kept))
        self.register_buffer("cross", torch.zeros(VIEWS * kept, config.principal))
        self.register_buffer("middle", torch.zeros(config.principal))

    def features(self, maps: Tensor) -> Tensor:
        """Return (B, V, Q) numbers of structure maps (B, V, cells)."""
        return torch.einsum("bvc,vcq->bvq", maps - self.mean, self.basis)

    def forward(self, features: Tensor, present: Tensor) -> Tensor:
        """Return coefficients (B, R) of features (B, V, Q) of the views ``present`` (B, V)."""
        result = torch.zeros(len(features), self.middle.shape[0], device=features.device)
        kinds, which = torch.unique(present, dim=0, return_inverse=True)
        for number, kind in enumerate(kinds):
            rows, kept = which == number, kind.repeat_interleave(features.shape[2])
            reader = torch.linalg.solve(self.joint[kept][:, kept], self.cross[kept])  # S R
            result[rows] = self.middle + features[rows][:, kind].flatten(1) @ reader
        return result


def map_length(config: S2MNetConfig) -> int:
    """Return the numbers of a pooled structure map: every class but the first in cells of eight by eight pixels."""
    return (CLASSES - 1) * (config.raster // 8) ** 2


def pooled(logits: Tensor) -> Tensor:
    """Return (P, cells) shares of every class but the first, pooled two by two, of logits (P, CLASSES, h, w)."""
    return nn.functional.avg_pool2d(torch.softmax(logits, dim=1)[:, 1:], 2).flatten(1)


class Exchange(nn.Module):
    """One round of attention between the views that are there."""

    def __init__(self, config: S2MNetConfig) -> None:
        super().__init__()
        self.before = nn.LayerNorm(config.token)
        self.attention = nn.MultiheadAttention(config.token, config.heads, batch_first=True)
        self.between = nn.LayerNorm(config.token)
        self.think = nn.Sequential(nn.Linear(config.token, 2 * config.token), nn.GELU(), nn.Linear(2 * config.token, config.token))

    def forward(self, tokens: Tensor, present: Tensor) -> Tensor:
        """Return tokens (B, V, token) that know of each other; ``present`` (B, V) bool."""
        normed = self.before(tokens)
        heard, _ = self.attention(normed, normed, normed, key_padding_mask=~present, need_weights=False)
        tokens = tokens + heard
        return tokens + self.think(self.between(tokens))


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
    plane_mean: Tensor

    def __init__(self, config: S2MNetConfig, points: int) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.estimate = Estimate(config)
        self.view = nn.Parameter(0.02 * torch.randn(VIEWS, config.token))
        self.token = nn.Linear(map_length(config), config.token)
        self.summary = nn.Sequential(nn.Linear(VIEWS * config.token, config.token), nn.GELU(), nn.Linear(config.token, config.token))
        self.exchange = nn.ModuleList([Exchange(config) for _ in range(config.layers)])
        self.norm = nn.LayerNorm(config.token)
        self.correction = nn.Linear(config.token, config.principal)
        self.weights = nn.Linear(config.token, config.weight_grid**3)
        self.plane = nn.Sequential(nn.Linear(2 * config.token, config.token), nn.GELU(), nn.Linear(config.token, 9))
        self.trust = nn.Sequential(nn.Linear(config.token, 64), nn.GELU(), nn.Linear(64, 1))
        self.register_buffer("template", torch.zeros(points, 3))
        self.register_buffer("principal", torch.zeros(config.principal + 1, 3, config.grid**3))
        self.register_buffer("place", torch.zeros(points, 3))
        self.register_buffer("plane_mean", torch.zeros(VIEWS, 9))

    def forward(self, pictures: Tensor, present: Tensor) -> Prediction:
        """Return the heart seen in ``pictures`` (B, V, 2, H, W) of the views ``present`` (B, V) bool, at least one per row."""
        return self.from_maps(self.maps(pictures, present), present)

    def maps(self, pictures: Tensor, present: Tensor) -> Tensor:
        """Return pooled structure maps (B, V, cells); zero where a view is absent."""
        result = torch.zeros(*present.shape, map_length(self.config), device=pictures.device)
        shown = pictures[present].contiguous(memory_format=torch.channels_last)
        result[present] = pooled(self.encoder(shown, present.nonzero()[:, 1]))
        return result

    def from_maps(self, maps: Tensor, present: Tensor) -> Prediction:
        """Return the heart of structure maps (B, V, cells)."""
        own = self.token(maps) + self.view  # B V T
        trust = self.trust(own).squeeze(-1)  # B V
        tokens = own + self.summary((own * present[..., None]).flatten(1))[:, None]
        for layer in self.exchange:
            tokens = layer(tokens, present)
        tokens = self.norm(tokens)
        first = self.estimate(self.estimate.features(maps), present)  # B R
        coarse = first[:, None] + self.correction(tokens)  # B V R
        field = self.fuse(coarse, self.weights(tokens), present)
        planes = self.plane_mean + self.plane(torch.cat([tokens, own], dim=-1))  # B V 9
        return Prediction(self.template + self.at_points(field), coarse, planes, trust)

    def fuse(self, coarse: Tensor, weights: Tensor, present: Tensor) -> Tensor:
        """Return the fused field (B, 3, D, D, D): coarse fields weighted place by place, absent views not at all."""
        batch, grid, small = len(coarse), self.config.grid, self.config.weight_grid
        fields = self.fields(coarse)  # B V 3 D^3
        logits = weights.masked_fill(~present[..., None], -1e4).view(batch, VIEWS, small, small, small)
        logits = nn.functional.interpolate(logits, size=(grid, grid, grid), mode="trilinear", align_corners=True)
        shares = torch.softmax(logits.flatten(2), dim=1)  # B V D^3
        return torch.einsum("bvcd,bvd->bcd", fields, shares).view(batch, 3, grid, grid, grid)

    def fields(self, coarse: Tensor) -> Tensor:
        """Return coarse fields (B, V, 3, D³) in mm of coefficients (B, V, R); the last principal field is their mean."""
        spread = torch.tensordot(coarse, self.principal[:-1].flatten(1), dims=1)
        return spread.view(*coarse.shape[:2], 3, -1) + self.principal[-1]

    def at_points(self, field: Tensor) -> Tensor:
        """Return the field (B, 3, D, D, D) at the template's points, (B, N, 3), trilinearly."""
        place = self.place.flip(1)[None, :, None, None].expand(len(field), -1, -1, -1, -1)
        return nn.functional.grid_sample(field, place, align_corners=True, padding_mode="border")[..., 0, 0].transpose(1, 2)

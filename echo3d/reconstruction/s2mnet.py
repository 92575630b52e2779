"""S2MNet, lean: any one to six views to a displacement field of the template.

Reads like the paper's Figure 2: one encoder for all views, one *coarse* vector field per view, a *weight* generator, and the weighted sum.
Three departures make it fit for a CPU and for the clinic. The coarse fields are drawn in a basis of principal fields instead of by
transposed convolutions (a 128³ decoder alone takes 1.8 s on two cores). Views exchange what they saw before they answer, and a missing view
is masked, so that any subset works. Each view also says where its plane lies and whether it looks like the view it is said to be.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from pydantic import BaseModel, Field
from torch import Tensor, nn

VIEWS = 6


class S2MNetConfig(BaseModel):
    """Configuration of the lean preset."""

    channels: tuple[int, int, int, int] = Field((32, 64, 128, 192), description="Width of the encoder's four stages.")
    token: int = Field(320, description="Length of a view's token.")
    heads: int = Field(8, description="Attention heads with which views exchange what they saw.")
    layers: int = Field(2, description="Rounds of exchange.")
    principal: int = Field(224, description="Principal fields that span a coarse field.")
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
    """One picture (and the mask of what was seen) to one token."""

    def __init__(self, config: S2MNetConfig) -> None:
        super().__init__()
        widths = config.channels
        blocks: list[nn.Module] = [
            nn.Conv2d(2, widths[0], 5, stride=4, padding=2),
            nn.GroupNorm(8, widths[0]),
            nn.ReLU(),
            Residual(widths[0]),
        ]
        for before, after in zip(widths, widths[1:], strict=False):
            blocks += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.GroupNorm(8, after), nn.ReLU(), Residual(after)]
        side = -(-config.raster // 32)
        self.features = nn.Sequential(*blocks)
        self.squeeze = nn.Conv2d(widths[-1], 64, 1)
        self.token = nn.Linear(64 * side * side, config.token)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return (B, token) of pictures (B, 2, H, W)."""
        features = torch.relu(self.features(5 * pictures - 0.7))  # B C h w, grey values about even
        return self.token(torch.relu(self.squeeze(features)).flatten(1))


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
        self.view = nn.Parameter(0.02 * torch.randn(VIEWS, config.token))
        self.summary = nn.Sequential(nn.Linear(VIEWS * config.token, config.token), nn.GELU(), nn.Linear(config.token, config.token))
        self.exchange = nn.ModuleList([Exchange(config) for _ in range(config.layers)])
        self.norm = nn.LayerNorm(config.token)
        self.coarse = nn.Linear(config.token, config.principal)
        self.weights = nn.Linear(config.token, config.weight_grid**3)
        self.plane = nn.Sequential(nn.Linear(2 * config.token, config.token), nn.GELU(), nn.Linear(config.token, 9))
        self.trust = nn.Linear(config.token, 1)
        self.register_buffer("template", torch.zeros(points, 3))
        self.register_buffer("principal", torch.zeros(config.principal + 1, 3, config.grid**3))
        self.register_buffer("place", torch.zeros(points, 3))
        self.register_buffer("plane_mean", torch.zeros(VIEWS, 9))

    def forward(self, pictures: Tensor, present: Tensor, encoded: Tensor | None = None) -> Prediction:
        """Return the heart seen in ``pictures`` (B, V, 2, H, W) of the views ``present`` (B, V) bool, at least one per row.

        Only the pictures in ``encoded`` (default: those present) are looked at; training names spoiled ones too, for their trust.
        """
        looked = present if encoded is None else encoded
        own = self.view.expand(len(pictures), -1, -1).clone()  # B V T
        own[looked] = own[looked] + self.encoder(pictures[looked].contiguous(memory_format=torch.channels_last))
        trust = self.trust(own).squeeze(-1)  # B V
        tokens = own + self.summary((own * present[..., None]).flatten(1))[:, None]
        for layer in self.exchange:
            tokens = layer(tokens, present)
        tokens = self.norm(tokens)
        coarse = self.coarse(tokens)  # B V R
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

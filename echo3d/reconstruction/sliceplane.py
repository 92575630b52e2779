"""Where in the heart each picture's plane lies: a residual network with two branches of three fully connected layers.

One branch answers with the way the fan is turned, the other with where its middle lies, both in the frame of the template. The angle is
given as two vectors that are made square, which, unlike angles or quaternions, has no jump for a network to stumble over. A picture can be
asked alone, or with the other views of the same moment: they attend to one another, and an absent view adds nothing. What is answered is
the way from a plane that is begun with: the mean plane of the view, or what S2MNet's own plane head says.

*Source:* paper section 5.3 (ResNet-50, two branches of three layers); Zhou et al., On the Continuity of Rotation Representations in Neural
Networks (CVPR 2019), section 4 (two vectors, made square). That views of one heart speak to each other is ours, as is the ``lean``
preset, which reads the structure maps that S2MNet's encoder makes anyway.
"""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from echo3d.errors import InputError
from echo3d.reconstruction.classes import CLASSES
from echo3d.reconstruction.resnet import ResNet
from echo3d.reconstruction.s2mnet import VIEWS, down

UNKNOWN = VIEWS
"""Number said in place of a view where nobody knows which it is."""

MIDDLE_MM = 80.0
"""Depth on the central beam of the point that the position branch answers with; our choice, the heart lies about there.

The tip of the fan lies outside the heart, and an error of the angle moves it as a lever does; the middle is what a picture shows."""

START_UNITS = (10.0,) * 3 + (0.15,) * 6
"""Spread of the planes of a view about their mean, mm and parts of a unit vector, which brings them to about unit size."""


class SlicePlaneConfig(BaseModel):
    """Configuration of the slice plane network; a preset is one of these."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reads: Literal["structures", "pictures"] = Field("structures", description="Structure maps of S2MNet's encoder, or the pictures.")
    trunk: Literal["lean", "resnet50"] = Field("lean", description="The residual network that looks.")
    channels: tuple[int, int] = Field((24, 64), description="Widths of the lean trunk at an eighth and a sixteenth of the picture's side.")
    token: int = Field(192, ge=8, description="Length of what the trunk tells of a picture.")
    hidden: int = Field(192, ge=8, description="Width of the branches' first two layers.")
    heads: int = Field(4, ge=1, description="Heads of the attention among views.")
    rounds: int = Field(2, ge=0, description="Rounds in which views of one heart attend to each other; 0 leaves each alone.")


PRESETS = {
    "lean": SlicePlaneConfig(),
    "lean-pictures": SlicePlaneConfig(reads="pictures"),
    "paper": SlicePlaneConfig(reads="pictures", trunk="resnet50", token=2048, hidden=512, heads=8, rounds=1),
}
"""The paper gives the trunk and the branches; their widths and the round of attention are our choice."""


def squared(six: Tensor) -> Tensor:
    """Return axis and lateral (..., 6) of unit length and at right angles, of any two vectors (..., 6) that are not in line.

    *Source:* Zhou et al. 2019, section 4.2 (Gram-Schmidt); the third column would be their cross product.
    """
    first, second = six[..., :3], six[..., 3:]
    axis = nn.functional.normalize(first, dim=-1)
    lateral = nn.functional.normalize(second - (second * axis).sum(dim=-1, keepdim=True) * axis, dim=-1)
    return torch.cat([axis, lateral], dim=-1)


def rotation(planes: Tensor) -> Tensor:
    """Return the rotations (..., 3, 3) with axis, lateral and normal of fans (..., 9) as columns."""
    axis, lateral = planes[..., 3:6], planes[..., 6:9]
    return torch.stack([axis, lateral, torch.linalg.cross(axis, lateral)], dim=-1)


def middle(planes: Tensor) -> Tensor:
    """Return the point (..., 3) in mm on the central beam of fans (..., 9), ``MIDDLE_MM`` from the probe."""
    return planes[..., :3] + MIDDLE_MM * planes[..., 3:6]


class LeanTrunk(nn.Module):
    """A small residual network: pictures or structure maps (P, C, H, W) to tokens (P, T); where things lie is kept to the end."""

    def __init__(self, config: SlicePlaneConfig) -> None:
        super().__init__()
        a, b = config.channels
        maps = config.reads == "structures"
        self.stem = nn.Conv2d(CLASSES - 1, a, 2, stride=2) if maps else nn.Sequential(nn.Conv2d(2, a, 4, stride=4), down(a, a, 3, 2))
        self.view = nn.Parameter(0.02 * torch.randn(VIEWS + 1, a))
        self.coarse = nn.Sequential(down(a, b, 3, 2), nn.ReLU())
        self.token = nn.Linear(49 * b, config.token)

    def forward(self, looks: Tensor, views: Tensor) -> Tensor:
        """Return (P, T) of looks (P, C, H, W) said to be of ``views`` (P,)."""
        x = self.stem(looks) + self.view[views][:, :, None, None]  # P a 14 14
        return self.token(self.coarse(torch.relu(x)).flatten(1))  # P b 7 7 before it is flattened


class Talk(nn.Module):
    """One round in which the views of a heart attend to those that they may hear."""

    def __init__(self, token: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm, self.norm_after = nn.LayerNorm(token), nn.LayerNorm(token)
        self.ask, self.tell = nn.Linear(token, 3 * token), nn.Linear(token, token)
        self.think = nn.Sequential(nn.Linear(token, 2 * token), nn.GELU(), nn.Linear(2 * token, token))

    def forward(self, x: Tensor, heard: Tensor) -> Tensor:
        """Return tokens (B, V, T); ``heard`` (B, V, V) bool says which view (last) is heard by which."""
        query, key, value = (part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in self.ask(self.norm(x)).chunk(3, dim=2))
        said = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=heard[:, None])  # B heads V T/heads
        x = x + self.tell(said.transpose(1, 2).flatten(2))
        return x + self.think(self.norm_after(x))


def branch(before: int, hidden: int, after: int) -> nn.Sequential:
    """Return three fully connected layers."""
    return nn.Sequential(nn.Linear(before, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, after))


class SlicePlaneNet(nn.Module):
    """Pictures, or their structure maps, to planes.

    Parameters
    ----------
    config : sizes
    """

    mean: Tensor

    def __init__(self, config: SlicePlaneConfig) -> None:
        super().__init__()
        self.config = config
        self.trunk = trunk_of(config)
        self.view = nn.Parameter(0.02 * torch.randn(VIEWS + 1, config.token))
        self.talks = nn.ModuleList([Talk(config.token, config.heads) for _ in range(config.rounds)])
        self.norm = nn.LayerNorm(config.token)
        self.start = nn.Linear(9, config.token)
        self.angle, self.position = branch(config.token, config.hidden, 6), branch(config.token, config.hidden, 3)
        self.register_buffer("mean", torch.zeros(VIEWS + 1, 9))

    def forward(
        self, looks: Tensor, present: Tensor, *, start: Tensor | None = None, views: Tensor | None = None, together: bool | Tensor = True
    ) -> Tensor:
        """Return the planes (B, V, 9): origin (mm), axis and lateral of each picture's fan in the template's frame.

        Parameters
        ----------
        looks : (B, V, 2, H, W) pictures and masks, or (B, V, CLASSES - 1, H/4, W/4) structure maps, as the configuration reads
        present : (B, V) bool; rows of absent views hold the plane that is begun with
        start : (B, V, 9) planes to begin with, such as S2MNet's own; the views' mean planes where not given
        views : (B, V) int64, the view that each picture is, or ``UNKNOWN``; by its place where not given
        together : whether the views of a row are of one moment of one heart and may hear each other; (B,) bool for some of the rows
        """
        named = torch.arange(VIEWS, device=present.device).expand_as(present) if views is None else views
        begun = self.mean[named] if start is None else torch.cat([start[..., :3], squared(start[..., 3:])], dim=-1)
        tokens = torch.zeros(*present.shape, self.config.token, device=looks.device)
        tokens[present] = self.trunk(looks[present], named[present]).to(tokens.dtype)
        tokens = tokens + self.view[named] + self.start((begun - self.mean[named]) / self.mean.new_tensor(START_UNITS))  # B V T
        heard = audible(present, together)
        for talk in self.talks:
            tokens = talk(tokens, heard)
        tokens = self.norm(tokens)
        six = squared(self.angle(tokens).float() + begun[..., 3:])
        centre = 10 * self.position(tokens).float() + middle(begun)
        answer = torch.cat([centre - MIDDLE_MM * six[..., :3], six], dim=-1)
        return torch.where(present[..., None], answer, begun)


class DeepTrunk(nn.Module):
    """The paper's ResNet-50: pictures (P, 2, H, W) to tokens (P, T)."""

    def __init__(self, config: SlicePlaneConfig) -> None:
        super().__init__()
        self.network = ResNet(50, channels=2)
        self.token = nn.Linear(self.network.features, config.token)

    def forward(self, looks: Tensor, views: Tensor) -> Tensor:
        """Return (P, T) of looks (P, 2, H, W); the view is told to the token alone."""
        del views
        return self.token(self.network(looks).mean(dim=(2, 3)))


def trunk_of(config: SlicePlaneConfig) -> nn.Module:
    """Return the residual network that a configuration names.

    Raises
    ------
    InputError
        If it cannot read what the configuration gives it.
    """
    if config.trunk == "lean":
        return LeanTrunk(config)
    if config.reads != "pictures":
        raise InputError(f"the trunk resnet50 reads pictures, found {config.reads}; set reads to pictures or trunk to lean")
    return DeepTrunk(config)


def audible(present: Tensor, together: bool | Tensor) -> Tensor:
    """Return (B, V, V) bool, which view (last) is heard by which: itself, and where ``together`` says so all that are present.

    >>> audible(torch.tensor([[True, False]]), True)[0].tolist()
    [[True, False], [True, True]]
    """
    alone = torch.eye(present.shape[1], dtype=torch.bool, device=present.device)
    heard = present[:, None] & torch.as_tensor(together, device=present.device).expand(len(present))[:, None, None]
    return heard | alone

"""Planes of pictures as (..., 9) numbers, the fan's origin (mm), axis and lateral, and small moves of them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

PLANE = 6
"""Numbers that move a plane: its origin (mm) and a turn about it (radians)."""


def orthonormal(planes: Tensor) -> Tensor:
    """Return planes (..., 9) whose axis and lateral are perpendicular and of unit length."""
    origin, axis, lateral = planes.split(3, dim=-1)
    axis = nn.functional.normalize(axis, dim=-1)
    return torch.cat([origin, axis, nn.functional.normalize(lateral - (lateral * axis).sum(dim=-1, keepdim=True) * axis, dim=-1)], dim=-1)


def turning(arms: Tensor) -> Tensor:
    """Return (P, 3, 3) matrices that take a small rotation vector (3,) to the shift of arms (P, 3).

    >>> turning(torch.tensor([[1.0, 0.0, 0.0]]))[0] @ torch.tensor([0.0, 0.0, 0.1])
    tensor([0.0000, 0.1000, 0.0000])
    """
    x, y, z = arms.unbind(-1)
    none = torch.zeros_like(x)
    return torch.stack([none, z, -y, -z, none, x, y, -x, none], dim=-1).view(-1, 3, 3)


def rotations(vectors: Tensor) -> Tensor:
    """Return the rotation matrices (P, 3, 3) of rotation vectors (P, 3), radians.

    >>> rotations(torch.tensor([[0.0, 0.0, torch.pi / 2]]))[0].round(decimals=3) @ torch.tensor([1.0, 0.0, 0.0])
    tensor([0., 1., 0.])

    *Source:* Rodrigues' formula; ten times as quick as an exponential of matrices.
    """
    size = vectors.norm(dim=1)[:, None, None].clamp(min=1e-6)
    cross = -turning(vectors)
    return torch.eye(3) + size.sin() / size * cross + (1 - size.cos()) / size.square() * (cross @ cross)


def moved_planes(planes: Tensor, moves: Tensor) -> Tensor:
    """Return planes (V, 9) after moves (V, 6): of the origin (mm), and a turn about it (radians)."""
    turns = rotations(moves[:, 3:])
    turned = torch.einsum("vij,vaj->vai", turns, planes[:, 3:].reshape(-1, 2, 3))
    return torch.cat([planes[:, :3] + moves[:, :3], turned.flatten(1)], dim=1)


def moves_between(before: Tensor, after: Tensor) -> Tensor:
    """Return the moves (..., 6) that take orthonormal planes (..., 9) to others; turns of less than a right angle."""
    turn = frames(after) @ frames(before).transpose(-1, -2)
    sine = torch.stack([turn[..., 2, 1] - turn[..., 1, 2], turn[..., 0, 2] - turn[..., 2, 0], turn[..., 1, 0] - turn[..., 0, 1]], -1) / 2
    size = sine.norm(dim=-1, keepdim=True).clamp(min=1e-6, max=1.0)
    return torch.cat([after[..., :3] - before[..., :3], sine / size * torch.asin(size)], dim=-1)


def frames(planes: Tensor) -> Tensor:
    """Return the rotation matrices (..., 3, 3) of planes (..., 9): axis, lateral and normal as columns."""
    axis, lateral = planes[..., 3:6], planes[..., 6:9]
    return torch.stack([axis, lateral, torch.linalg.cross(axis, lateral, dim=-1)], dim=-1)

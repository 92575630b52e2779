"""Planes of pictures as (..., 9) numbers, the fan's origin (mm), axis and lateral, and small moves of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

PLANE = 6
"""Numbers that move a plane: its origin (mm) and a turn about it (radians)."""

STILL = 2.0
"""How much it counts, per mm², that probes seem to move between the two phases of a heart."""

DEPTH_MM = 80.0
"""Where in a plane the heart lies, about."""


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


def moved_planes(planes: Tensor, moves: Tensor) -> Tensor:
    """Return planes (V, 9) after moves (V, 6): of the origin (mm), and a turn about it (radians).

    >>> planes, moves = torch.tensor([[0.0] * 3 + [1.0, 0, 0, 0, 1, 0]]), torch.tensor([[1.0, 2, 3, 0, 0, torch.pi / 2]])
    >>> moved_planes(planes, moves).round(decimals=3) + 0
    tensor([[ 1.,  2.,  3.,  0.,  1.,  0., -1.,  0.,  0.]])

    *Source:* Rodrigues' formula; ten times as quick as an exponential of matrices.
    """
    turn, arms = moves[:, None, 3:], planes[:, 3:].reshape(-1, 2, 3)
    size = torch.linalg.vector_norm(turn, dim=2, keepdim=True).clamp(min=1e-6)
    across = torch.linalg.cross(turn.expand_as(arms), arms)
    inward = torch.linalg.cross(turn.expand_as(arms), across)
    turned = arms + size.sin() / size * across + (1 - size.cos()) / size.square() * inward
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


def held_still(matrix: Tensor, gradient: Tensor, planes: Sequence[Tensor], fields: int) -> Tensor:
    """Return a step's gradient (T,) with what holds probes still between two phases of a heart; it is added to ``matrix`` (T, T) itself.

    Parameters
    ----------
    planes : (V, 9) of both phases as they are
    fields : how many numbers of each phase are moved besides its planes
    """
    normal, force, _ = still_probes(*planes)
    first = fields + torch.arange(PLANE * len(planes[0]))
    own = torch.cat([first, first + fields + len(first)])
    matrix[own[:, None], own] += STILL * normal
    return gradient.index_add(0, own, STILL * force)


def still_probes(before: Tensor, after: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return how far probes seem to move from one phase of a heart to the other, and how moves of planes lessen that.

    A probe is held still while its clip is taken, and planes are told in the frame of the heart, which moves as a whole: one rigid motion
    takes the planes of one phase to those of the other. How far they are from that is the squared distance of three places in each.

    Parameters
    ----------
    before, after : (V, 9) planes of both phases, orthonormal, of the same views

    Returns
    -------
    normal : (12 V, 12 V) of the moves (6) of all planes before, then after
    force : (12 V,) towards less; with one view there is nothing to tell, and both are zero
    far : () mm²
    """
    number = len(before)
    here, there = (_places(planes) for planes in (before, after))  # V 3 3
    turn, shift = _rigid(here.flatten(0, 1), there.flatten(0, 1))
    carried = here @ turn.T + shift
    off = (there - carried).flatten()
    moves = before.new_zeros(number, 3, 3, 2, number, PLANE)
    for phase, (places, planes, sign) in enumerate(((here, before, -turn), (there, after, torch.eye(3)))):
        arms = places - planes[:, None, :3]
        both = torch.cat([torch.eye(3).expand(number, 3, 3, 3), turning(arms.flatten(0, 1)).view(number, 3, 3, 3)], dim=3)
        moves[torch.arange(number), :, :, phase, torch.arange(number)] = sign @ both
    rigid = torch.cat([torch.eye(3).expand(3 * number, 3, 3), turning((carried - carried.mean(dim=(0, 1))).flatten(0, 1))], dim=2)
    axes = torch.linalg.qr(rigid.reshape(-1, 6))[0]
    rows = moves.reshape(-1, 2 * PLANE * number)
    rows = rows - axes @ (axes.T @ rows)
    return rows.T @ rows, -(rows.T @ off), off.square().sum()


def _places(planes: Tensor) -> Tensor:
    """Return the probe's place and two at the depth of the heart (V, 3, 3), mm, of planes (V, 9)."""
    origin, axis, lateral = planes.view(-1, 3, 3).unbind(dim=1)
    return torch.stack(
        [origin, origin + DEPTH_MM * axis + DEPTH_MM / 2 * lateral, origin + DEPTH_MM * axis - DEPTH_MM / 2 * lateral], dim=1
    )


def _rigid(here: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rotation (3, 3) and the shift (3,) that take places (P, 3) nearest to others.

    *Source:* Kabsch 1976.
    """
    middle, other = here.mean(dim=0), there.mean(dim=0)
    left, _, right = torch.linalg.svd((there - other).T @ (here - middle))
    flip = torch.cat([torch.ones(2), torch.det(left @ right).sign()[None]])
    turn = (left * flip) @ right
    return turn, other - turn @ middle

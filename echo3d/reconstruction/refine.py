r"""Refinement of a network's answer: heart and planes move until the slices agree with what the encoder saw in the pictures.

The network's answer is a guess of the principal fields' coefficients and of the planes. Where a cell of a picture lies in the template
follows from both, and the template says which structures lie around it. Gauss-Newton steps move coefficients and planes to where

.. math:: w \sum_{p,k} (s_k(p; \theta) - m_k(p))^2 + (\theta - \theta_0)^T \Sigma^{-1} (\theta - \theta_0)

is least: s the shares that the heart shows, m the structure maps that the encoder saw, theta_0 the network's answer and Sigma the measured
covariance of its errors. End-diastole and end-systole of one heart are moved together, since their errors are alike.

*Source:* our own; the paper's network has no such step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor, nn

from echo3d.reconstruction.raster import NETWORK_GRID
from echo3d.reconstruction.secondlook import SecondEncoder
from echo3d.reconstruction.slicer import Slicer

PLANE = 6
"""Numbers that move a plane: its origin (mm) and a turn about it (radians)."""

FELT = 2e-3
"""Least slope of a share (per mm) at which a cell can say where the heart lies."""


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What was seen of one heart, and the network's answer to it.

    Parameters
    ----------
    coefficients : (R,) of the answer
    planes : (V, 9) of the answer, orthonormal, of the views that are there
    view, cell, wanted : (P,) the view, (P, 2) row and column, and (P, K) shares of every cell that lies within a fan
    """

    coefficients: Tensor
    planes: Tensor
    view: Tensor
    cell: Tensor
    wanted: Tensor

    @property
    def place(self) -> Tensor:
        """Depth and lateral place (P, 2) of the cells, mm."""
        return cells_mm()[tuple(self.cell.T)]

    def wanting(self, shares: Tensor) -> Sight:
        """Return the same cells with the shares of other structure maps (V, K, h, w)."""
        return replace(self, wanted=shares[self.view, :, self.cell[:, 0], self.cell[:, 1]])


class Fit(NamedTuple):
    """A heart that was moved until it agreed.

    Attributes
    ----------
    coefficients : (R,)
    planes : (V, 9) of the views that are there
    theta : (R + 6V,) how they were moved
    """

    coefficients: Tensor
    planes: Tensor
    theta: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Refiner:
    """All that refining needs.

    Parameters
    ----------
    slicer : of the network's principal fields
    covariance : by number of views (2 (R + 36), 2 (R + 36)) of the network's errors at end-diastole and then at end-systole: coefficients,
        then each view's plane
    correction : by number of views (2 + 3R or 2, R) of :func:`corrected`, for the two phases of one heart
    weight : how much the disagreement of a cell counts
    steps : of Gauss-Newton
    second : the encoder that looks again, where there is one
    second_weight : how much the disagreement of a cell counts after the second look
    trust : by number of views (VIEWS, 4), weights of a view's :func:`signs`; the network's own trust stands where there are none
    """

    slicer: Slicer
    covariance: Mapping[int, Tensor]
    correction: Mapping[int, Tensor]
    weight: float
    steps: int = 4
    second: SecondEncoder | None = None
    second_weight: float = 0.0
    trust: Mapping[int, Tensor] = field(default_factory=dict)

    def __call__(self, sights: Sequence[Sight], views: Sequence[int], pictures: Tensor) -> list[Fit]:
        """Return the fit of one heart, or of the two phases of one, seen in ``views``, of which ``pictures`` (S, V, 2, H, W) are."""
        precision = precision_of(self.covariance[len(views)], self.slicer.rank, views, len(sights))
        better = refined(self.slicer, precision, self.weight, sights, steps=self.steps)
        if self.second is not None:
            again = self.looked_again(self.second, sights, better, views, pictures)
            start = torch.cat([one.theta for one in better])
            better = refined(self.slicer, precision, self.second_weight, again, steps=self.steps, start=start)
        if len(sights) != 2 or len(views) not in self.correction:
            return better
        before, after = (torch.stack([one.coefficients for one in ones]) for ones in (sights, better))
        hearts = corrected(before, after, self.correction[len(views)])
        return [one._replace(coefficients=heart) for heart, one in zip(hearts, better, strict=True)]

    def trusted(self, one: Sight, fit: Fit, views: Sequence[int], trust: Tensor) -> Tensor:
        """Return logits (V,) that pictures are what they are called, from the network's own and from how they fit the heart."""
        if len(views) not in self.trust:
            return trust
        seen = signs(self.slicer, self.covariance[len(views)], one, fit, views)
        return (torch.cat([trust[:, None], seen, torch.ones(len(views), 1)], dim=1) * self.trust[len(views)][list(views)]).sum(dim=1)

    @torch.inference_mode()
    def looked_again(
        self, second: SecondEncoder, sights: Sequence[Sight], fits: Sequence[Fit], views: Sequence[int], pictures: Tensor
    ) -> list[Sight]:
        """Return sights whose wanted shares are those of a second look, given what the fitted hearts show."""
        slices = torch.stack([slices_of(self.slicer, one.coefficients, one.planes) for one in fits])  # S V K h w
        shares = second.looked(pictures, torch.tensor(list(views)), slices)
        return [one.wanting(own) for one, own in zip(sights, shares, strict=True)]


def signs(slicer: Slicer, covariance: Tensor, one: Sight, fit: Fit, views: Sequence[int]) -> Tensor:
    """Return (V, 2) what tells a view that is none: the logarithms of its disagreement with the heart, and of how far its plane was moved.

    Parameters
    ----------
    covariance : of the network's errors, with which moves are measured
    one : what the first look saw
    fit : the heart that was made of it
    """
    shares = slices_of(slicer, fit.coefficients, fit.planes)[one.view, :, one.cell[:, 0], one.cell[:, 1]]
    gaps = torch.zeros(len(views)).index_add(0, one.view, (shares - one.wanted).square().sum(dim=1))
    counts = torch.zeros(len(views)).index_add(0, one.view, torch.ones(len(one.view)))
    moves = fit.theta[slicer.rank :].view(-1, PLANE)
    found = []
    for move, view in zip(moves, views, strict=True):
        own = slice(slicer.rank + PLANE * view, slicer.rank + PLANE * (view + 1))
        found.append(move @ torch.linalg.solve(covariance[own, own], move))
    return torch.stack([(gaps / counts.clamp(min=1) + 1e-3).log(), (torch.stack(found) / PLANE + 0.01).log()], dim=1)


def correction_features(before: Tensor, after: Tensor) -> Tensor:
    """Return (S, 2 + 3R) what a correction may go by: which phase it is, the way that the refinement went, the heart, its other phase.

    Parameters
    ----------
    before, after : (S, R) coefficients of the network and of the refinement, end-diastole and end-systole in turn
    """
    phase = torch.eye(2).repeat(len(after) // 2, 1)
    other = after.view(-1, 2, after.shape[1]).flip(1).reshape(after.shape)
    return torch.cat([phase, after - before, after, other], dim=1)


def corrected(before: Tensor, after: Tensor, matrix: Tensor) -> Tensor:
    """Return refined coefficients (S, R) less their usual error, which is linear in what is known of the pair.

    Parameters
    ----------
    before, after : see :func:`correction_features`
    matrix : (2 + 3R, R), or (2, R) for an error that hangs on the phase alone

    *Source:* stacking by ridge regression (Wolpert 1992; Breiman 1996) on hearts that the network never saw.
    """
    return after + correction_features(before, after)[:, : len(matrix)] @ matrix


def precision_of(covariance: Tensor, rank: int, views: Sequence[int], phases: int) -> Tensor:
    """Return the (T, T) inverse of the covariance of what can be seen in ``views``; a lone phase has that of both phases' mean."""
    whole = len(covariance) // 2
    kept = torch.tensor([*range(rank), *(rank + PLANE * view + part for view in views for part in range(PLANE))])
    if phases == 2:
        kept = torch.cat([kept, kept + whole])
    else:
        covariance = (covariance[:whole, :whole] + covariance[whole:, whole:]) / 2
    return torch.linalg.inv(covariance[kept][:, kept].double()).float()


@cache
def cells_mm() -> Tensor:
    """Return the (28, 28, 2) depth and lateral place of the structure maps' cells, mm."""
    side = NETWORK_GRID.height // 4
    return torch.from_numpy(NETWORK_GRID.plane_mm().reshape(side, 4, side, 4, 2).mean(axis=(1, 3))).float()


def sight(coefficients: Tensor, planes: Tensor, shares: Tensor, masks: Tensor) -> Sight:
    """Return what was seen in structure maps.

    Parameters
    ----------
    coefficients, planes : of the network's answer, (R,) and (V, 9), of the views that are there
    shares : (V, K, h, w) of every class but the first
    masks : (V, H, W) one where a picture shows anything; a cell at the border of a fan does not count
    """
    view, row, column = (nn.functional.avg_pool2d(masks, 4) > 0.99).nonzero(as_tuple=True)
    cells = torch.stack([row, column], dim=1)
    return Sight(coefficients, orthonormal(planes), view, cells, shares[view, :, row, column])


def slices_of(slicer: Slicer, coefficients: Tensor, planes: Tensor) -> Tensor:
    """Return the shares (V, K, h, w) that a heart (R,) shows in the cells of planes (V, 9)."""
    place = cells_mm()
    arms = place[..., :1] * planes[:, None, None, 3:6] + place[..., 1:] * planes[:, None, None, 6:9]  # V h w 3
    world = planes[:, None, None, :3] + arms
    flat = world.flatten(0, 2)
    shares, _ = slicer.look_up(slicer.rest_of(flat, slicer.field(coefficients), flat, 12))
    return shares.view(*world.shape[:3], -1).permute(0, 3, 1, 2)


def orthonormal(planes: Tensor) -> Tensor:
    """Return planes (..., 9) whose axis and lateral are perpendicular and of unit length."""
    origin, axis, lateral = planes.split(3, dim=-1)
    axis = nn.functional.normalize(axis, dim=-1)
    return torch.cat([origin, axis, nn.functional.normalize(lateral - (lateral * axis).sum(dim=-1, keepdim=True) * axis, dim=-1)], dim=-1)


@torch.inference_mode()
def refined(
    slicer: Slicer, precision: Tensor, weight: float, sights: Sequence[Sight], *, steps: int, start: Tensor | None = None
) -> list[Fit]:
    """Return each phase of one heart and its planes, moved so that they agree with the pictures.

    Parameters
    ----------
    slicer : see there
    precision : (T, T) of the errors of all phases together
    weight : how much the disagreement of a cell counts
    sights : of the phases, all of the same views
    steps : of Gauss-Newton; one that does not lessen the disagreement is taken back by half
    start : (T,) how all phases are moved at first; not at all without
    """
    size = len(precision) // len(sights)
    step = torch.zeros(len(precision))
    theta = best = step if start is None else start
    least, rests = float("inf"), list[Tensor | None]([None] * len(sights))
    for _ in range(steps + 1):
        cost, matrix, gradient = float(theta @ precision @ theta), precision.clone(), -(precision @ theta)
        for number, one in enumerate(sights):
            part = slice(number * size, (number + 1) * size)
            rests[number], misfit, own, slope = evidence(slicer, one, theta[part], rests[number])
            cost += weight * misfit
            matrix[part, part] += weight * own
            gradient[part] += weight * slope
        if cost < least:
            least, best, step = cost, theta, torch.linalg.solve(matrix, gradient)
        else:
            step, rests = step / 2, [None] * len(sights)
        theta = best + step
    return [Fit(*moved(one, values), values) for one, values in zip(sights, best.view(len(sights), size), strict=True)]


def moved(one: Sight, theta: Tensor) -> tuple[Tensor, Tensor]:
    """Return coefficients (R,) and planes (V, 9) of an answer after a change ``theta`` (R + 6V,)."""
    rank = len(one.coefficients)
    return one.coefficients + theta[:rank], moved_planes(one.planes, theta[rank:].view(-1, PLANE))


def evidence(slicer: Slicer, one: Sight, theta: Tensor, start: Tensor | None) -> tuple[Tensor, float, Tensor, Tensor]:
    """Return what the pictures say about ``theta`` (T,).

    The cells' places in the template (P, 3), the squared disagreement, and its normal matrix (T, T) and gradient (T,).
    """
    coefficients, planes = moved(one, theta)
    field = slicer.field(coefficients)
    place = one.place
    arms = place[:, :1] * planes[one.view, 3:6] + place[:, 1:] * planes[one.view, 6:9]
    world = planes[one.view, :3] + arms
    rest = slicer.rest_of(world, field, world if start is None else start, 12 if start is None else 6)
    shares, slopes = slicer.look_up(rest)
    felt = slopes.abs().amax(dim=(1, 2)) > FELT
    pull = slopes[felt] @ torch.linalg.inv(slicer.stretch(field, rest[felt]))  # P K 3, share by shift of the world
    normal = pull.transpose(1, 2) @ pull  # P 3 3
    gap = one.wanted - shares
    force = (pull.transpose(1, 2) @ gap[felt, :, None])[..., 0]  # P 3
    shifts = shifts_by(slicer, rest[felt], arms[felt], one.view[felt], len(planes))  # P 3 T
    flat = shifts.flatten(0, 1)
    return rest, float(gap.square().sum()), flat.T @ (normal @ shifts).flatten(0, 1), flat.T @ force.flatten()


def shifts_by(slicer: Slicer, rest: Tensor, arms: Tensor, view: Tensor, views: int) -> Tensor:
    """Return (P, 3, R + 6V) how a cell's place less its material's place moves by coefficients and by the moves of the planes."""
    own = torch.cat([torch.eye(3).expand(len(rest), 3, 3), turning(arms)], dim=2)  # P 3 6
    moves = torch.zeros(len(rest), views, 3, PLANE)
    moves[torch.arange(len(rest)), view] = own
    return torch.cat([-slicer.basis(rest), moves.transpose(1, 2).flatten(2)], dim=2)


def turning(arms: Tensor) -> Tensor:
    """Return (P, 3, 3) matrices that take a small rotation vector (3,) to the shift of arms (P, 3).

    >>> turning(torch.tensor([[1.0, 0.0, 0.0]]))[0] @ torch.tensor([0.0, 0.0, 0.1])
    tensor([0.0000, 0.1000, 0.0000])
    """
    x, y, z = arms.unbind(-1)
    none = torch.zeros_like(x)
    return torch.stack([none, z, -y, -z, none, x, y, -x, none], dim=-1).view(-1, 3, 3)


def moved_planes(planes: Tensor, moves: Tensor) -> Tensor:
    """Return planes (V, 9) after moves (V, 6): of the origin (mm), and a turn about it (radians)."""
    turns = torch.linalg.matrix_exp(-turning(moves[:, 3:]))
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

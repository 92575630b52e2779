r"""Refinement of a network's answer: heart and planes move until the slices agree with what the encoder saw in the pictures.

The network's answer is a guess of the principal fields' coefficients and of the planes. Where a cell of a picture lies in the template
follows from both, and the template says which structures lie around it. Gauss-Newton steps move coefficients and planes to where

.. math:: w \sum_{p,k} (s_k(p; \theta) - m_k(p))^2 + (\theta - \theta_0)^T \Sigma^{-1} (\theta - \theta_0)

is least: s the shares that the heart shows, m the structure maps that the encoder saw, theta_0 the network's answer and Sigma the measured
covariance of its errors. End-diastole and end-systole of one heart are moved together, since their errors are alike and
their probes the same: how far these seem to move between the two is paid for, too (``planemoves.still_probes``).

*Source:* our own; the paper's network has no such step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from echo3d.reconstruction.planemoves import PLANE, STILL, held_still, moved_planes, still_probes, turning
from echo3d.reconstruction.secondlook import SecondEncoder
from echo3d.reconstruction.sight import Fit, Mover, Sight, cells_mm
from echo3d.reconstruction.slicer import Slicer

FAR, NEAR = 12, 3
"""Iterations of the inverse field from the place itself, and from a place that is almost the one."""

FELT = 2e-2
"""Least slope of a share (per mm) at which a cell can say where the heart lies."""


Start = tuple[Tensor, Sequence[Tensor | None]]
"""How all phases of a heart are moved (T,), and near which places of the template (P, 3) the cells of each lie then."""


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
    second_weight : how much the disagreement of a cell counts after looking again
    looks : how often it looks again, each time beside the slices of the heart so far, which then takes one step
    trust : by number of views (VIEWS, 5), weights of the network's own trust, of a view's :func:`signs` and of one; where there are none,
        the network's own trust stands
    begun : whether hearts come moved by a quick look, so that only looking again is left to do
    mover : what moves them after looking again, where it is to be quick
    each : how many steps it moves them after each look
    """

    slicer: Slicer
    covariance: Mapping[int, Tensor]
    correction: Mapping[int, Tensor]
    weight: float
    steps: int = 4
    second: SecondEncoder | None = None
    second_weight: float = 0.0
    looks: int = 1
    trust: Mapping[int, Tensor] = field(default_factory=dict)
    begun: bool = False
    mover: Mover | None = None
    each: int = 1

    def __call__(self, sights: Sequence[Sight], views: Sequence[int], pictures: Tensor, fits: list[Fit] | None = None) -> list[Fit]:
        """Return the fit of one heart, or of the two phases of one, seen in ``views``, of which ``pictures`` (S, V, 2, H, W) are.

        Parameters
        ----------
        fits : of a quick look, to go on from
        """
        better = fits or refined(self.slicer, self.precision(views, len(sights)), self.weight, sights, steps=self.steps)
        if self.second is not None:
            better = self.looked_again(self.second, sights, better, views, pictures)
        if len(sights) != 2 or len(views) not in self.correction:
            return better
        before, after = (torch.stack([one.coefficients for one in ones]) for ones in (sights, better))
        hearts = corrected(before, after, self.correction[len(views)])
        return [one._replace(coefficients=heart) for heart, one in zip(hearts, better, strict=True)]

    def precision(self, views: Sequence[int], phases: int) -> Tensor:
        """Return the (T, T) inverse of the covariance of what can be seen in ``views``, of both phases or of one."""
        return precision_of(self.covariance[len(views)], self.slicer.rank, views, phases)

    def trusted(self, one: Sight, fit: Fit, views: Sequence[int], trust: Tensor) -> Tensor:
        """Return logits (V,) that pictures are what they are called, from the network's own and from how they fit the heart."""
        if len(views) not in self.trust:
            return trust
        weights = self.trust[len(views)][list(views)]
        seen = signs(self.slicer, self.covariance[len(views)], one, fit, views)[
            :, : weights.shape[1] - 2
        ]  # the first ones, of older weights
        return (torch.cat([trust[:, None], seen, torch.ones(len(views), 1)], dim=1) * weights).sum(dim=1)

    @torch.inference_mode()
    def looked_again(
        self, second: SecondEncoder, sights: Sequence[Sight], fits: list[Fit], views: Sequence[int], pictures: Tensor
    ) -> list[Fit]:
        """Return the fits after looking again, each time at what the pictures are in the light of the hearts so far."""
        if self.mover is not None:
            return self.mover.again(second, sights, fits, views, pictures, (self.second_weight, self.looks, self.each))
        look, precision = second.looking(pictures, torch.tensor(list(views))), self.precision(views, len(sights))
        places: Sequence[Tensor | None] = [None] * len(fits)
        for _ in range(self.looks):
            found = [places_of(self.slicer, one.coefficients, one.planes, own) for one, own in zip(fits, places, strict=True)]
            shares = look(torch.stack([shares_at(self.slicer, own) for own in found]))  # S V K h w
            again = [one.wanting(own) for one, own in zip(sights, shares, strict=True)]
            near = [one.picked(own) for one, own in zip(sights, found, strict=True)]
            start, places = (torch.cat([one.theta for one in fits]), near), found
            fits = refined(self.slicer, precision, self.second_weight, again, steps=1, start=start)
        return fits


def signs(slicer: Slicer, covariance: Tensor, one: Sight, fit: Fit, views: Sequence[int]) -> Tensor:
    """Return (V, 3) what tells a view that is none.

    The logarithms of its disagreement with the heart, of how far its plane was moved, and of its disagreement by what it would be in the
    plane of the view that it agrees with best of the others; nothing where there are no others.

    Parameters
    ----------
    covariance : of the network's errors, with which moves are measured
    one : what the first look saw
    fit : the heart that was made of it
    """
    slices = slices_of(slicer, fit.coefficients, fit.planes).permute(0, 2, 3, 1)  # U h w K
    gaps = (slices[:, one.cell[:, 0], one.cell[:, 1]] - one.wanted).square().sum(dim=2)  # U P
    counts = torch.bincount(one.view, minlength=len(views)).clamp(min=1)
    levels = torch.zeros(len(views), len(views)).index_add(1, one.view, gaps) / counts + 1e-3  # plane, picture
    own, own_plane = levels.diagonal(), torch.eye(len(views), dtype=torch.bool)
    best = levels.masked_fill(own_plane, torch.inf).amin(dim=0) if len(views) > 1 else own
    moves = fit.theta[slicer.rank :].view(-1, PLANE)
    found = []
    for move, view in zip(moves, views, strict=True):
        part = slice(slicer.rank + PLANE * view, slicer.rank + PLANE * (view + 1))
        found.append(move @ torch.linalg.solve(covariance[part, part], move))
    return torch.stack([own.log(), (torch.stack(found) / PLANE + 0.01).log(), (own / best).log()], dim=1)


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


def slices_of(slicer: Slicer, coefficients: Tensor, planes: Tensor) -> Tensor:
    """Return the shares (V, K, h, w) that a heart (R,) shows in the cells of planes (V, 9)."""
    return shares_at(slicer, places_of(slicer, coefficients, planes))


def places_of(slicer: Slicer, coefficients: Tensor, planes: Tensor, start: Tensor | None = None) -> Tensor:
    """Return where in the template the cells of planes (V, 9) of a heart (R,) come from, (V, h, w, 3) mm; ``start`` is near that."""
    place = cells_mm()
    arms = place[..., :1] * planes[:, None, None, 3:6] + place[..., 1:] * planes[:, None, None, 6:9]  # V h w 3
    world = (planes[:, None, None, :3] + arms).flatten(0, 2)
    return rest_near(slicer, world, slicer.field(coefficients), None if start is None else start.flatten(0, 2)).view(*arms.shape)


def rest_near(slicer: Slicer, world: Tensor, field: Tensor, start: Tensor | None) -> Tensor:
    """Return where in the template the places ``world`` (P, 3) come from, near ``start`` (P, 3) where that is known."""
    return slicer.rest_of(world, field, world, FAR) if start is None else slicer.rest_of(world, field, start, NEAR)


def shares_at(slicer: Slicer, places: Tensor) -> Tensor:
    """Return the shares (V, K, h, w) at places (V, h, w, 3) of the template."""
    shares = slicer.shares_of(places.flatten(0, 2))
    return shares.view(*places.shape[:3], -1).permute(0, 3, 1, 2)


@torch.inference_mode()
def refined(
    slicer: Slicer, precision: Tensor, weight: float, sights: Sequence[Sight], *, steps: int, start: Start | None = None
) -> list[Fit]:
    """Return each phase of one heart and its planes, moved so that they agree with the pictures.

    Parameters
    ----------
    slicer : see there
    precision : (T, T) of the errors of all phases together
    weight : how much the disagreement of a cell counts
    sights : of the phases, all of the same views
    steps : of Gauss-Newton; one that does not lessen the disagreement is taken back by half
    start : how all phases are moved at first, and about where their cells lie then; not at all without
    """
    size = len(precision) // len(sights)
    parts = [slice(number * size, (number + 1) * size) for number in range(len(sights))]
    step = torch.zeros(len(precision))
    theta, near = start or (step, [None for _ in sights])
    best = theta
    least, seen = float("inf"), list[Glimpse]()
    for left in range(steps, -1, -1):
        rests = [one.rest for one in seen] or near
        seen = [glimpse(slicer, one, theta[part], rest) for one, part, rest in zip(sights, parts, rests, strict=True)]
        cost = float(theta @ precision @ theta) + weight * sum(one.misfit for one in seen)
        if len(seen) == 2:
            cost += STILL * float(still_probes(*(one.planes for one in seen))[2])
        if cost < least:
            least, best = cost, theta
            step = gauss_newton(slicer, precision, weight, sights, seen, theta) if left else step
        else:
            step, seen = step / 2, []
        theta = best + step
    return [Fit(*moved(one, values), values) for one, values in zip(sights, best.view(len(sights), size), strict=True)]


def gauss_newton(
    slicer: Slicer, precision: Tensor, weight: float, sights: Sequence[Sight], seen: Sequence[Glimpse], theta: Tensor
) -> Tensor:
    """Return the step (T,) from ``theta`` (T,) to where the prior and the slopes of the disagreement put the least."""
    size = len(precision) // len(sights)
    matrix, gradient = precision.clone(), -(precision @ theta)
    for number, (one, own) in enumerate(zip(sights, seen, strict=True)):
        part = slice(number * size, (number + 1) * size)
        normal, slope = evidence(slicer, one, own)
        matrix[part, part] += weight * normal
        gradient[part] += weight * slope
    if len(seen) == 2:
        gradient = held_still(matrix, gradient, [one.planes for one in seen], slicer.rank)
    return torch.linalg.solve(matrix, gradient)


def moved(one: Sight, theta: Tensor) -> tuple[Tensor, Tensor]:
    """Return coefficients (R,) and planes (V, 9) of an answer after a change ``theta`` (R + 6V,)."""
    rank = len(one.coefficients)
    return one.coefficients + theta[:rank], moved_planes(one.planes, theta[rank:].view(-1, PLANE))


class Glimpse(NamedTuple):
    """How far a moved heart agrees with what was seen.

    Attributes
    ----------
    field : (1, 3, D, D, D) mm of the heart
    planes : (V, 9)
    arms : (P, 3) from a plane's origin to its cells, mm
    rest : (P, 3) the cells' places in the template
    gap, slopes : (P, K) what is missing of the wanted shares, and (P, K, 3) the shares' slopes in the template
    """

    field: Tensor
    planes: Tensor
    arms: Tensor
    rest: Tensor
    gap: Tensor
    slopes: Tensor

    @property
    def misfit(self) -> float:
        """The squared disagreement."""
        return float(self.gap.square().sum())


def glimpse(slicer: Slicer, one: Sight, theta: Tensor, start: Tensor | None) -> Glimpse:
    """Return how far the heart moved by ``theta`` (T,) agrees; ``start`` (P, 3) is near the cells' places in the template."""
    coefficients, planes = moved(one, theta)
    field, place = slicer.field(coefficients), one.place
    arms = place[:, :1] * planes[one.view, 3:6] + place[:, 1:] * planes[one.view, 6:9]
    world = planes[one.view, :3] + arms
    rest = rest_near(slicer, world, field, start)
    shares, slopes = slicer.look_up(rest)
    return Glimpse(field, planes, arms, rest, one.wanted - shares, slopes)


def evidence(slicer: Slicer, one: Sight, seen: Glimpse) -> tuple[Tensor, Tensor]:
    """Return the normal matrix (T, T) and the gradient (T,) of the squared disagreement."""
    felt = seen.slopes.abs().amax(dim=(1, 2)) > FELT
    rest = seen.rest[felt]
    pull = seen.slopes[felt] @ inverse(slicer.stretch(seen.field, rest))  # P K 3, share by shift of the world
    normal = pull.transpose(1, 2) @ pull  # P 3 3
    force = (pull.transpose(1, 2) @ seen.gap[felt, :, None])[..., 0]  # P 3
    shifts = shifts_by(slicer, rest, seen.arms[felt], one.view[felt], len(seen.planes))  # P 3 T
    flat = shifts.flatten(0, 1)
    return flat.T @ (normal @ shifts).flatten(0, 1), flat.T @ force.flatten()


def inverse(matrices: Tensor) -> Tensor:
    """Return the inverses of (P, 3, 3) matrices; their adjugates are ten times as quick as a factorisation each.

    >>> bool(torch.allclose(inverse(m := torch.eye(3)[None] + 0.1 * torch.ones(1, 3, 3)) @ m, torch.eye(3), atol=1e-6))
    True
    """
    one, two, three = matrices.unbind(dim=-1)
    rows = torch.stack([torch.linalg.cross(two, three), torch.linalg.cross(three, one), torch.linalg.cross(one, two)], dim=1)
    return rows / (rows[:, :1] @ one[:, :, None])


def shifts_by(slicer: Slicer, rest: Tensor, arms: Tensor, view: Tensor, views: int) -> Tensor:
    """Return (P, 3, R + 6V) how a cell's place less its material's place moves by coefficients and by the moves of the planes."""
    own = torch.cat([torch.eye(3).expand(len(rest), 3, 3), turning(arms)], dim=2)  # P 3 6
    moves = torch.zeros(len(rest), views, 3, PLANE)
    moves[torch.arange(len(rest)), view] = own
    return torch.cat([-slicer.basis(rest), moves.transpose(1, 2).flatten(2)], dim=2)

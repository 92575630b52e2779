r"""Moving a network's answer until it agrees with the pictures, in a few milliseconds.

The same least squares as in ``reconstruction.refine``, made small enough for real time: only cells at a border of structures, of each the
one direction in which the shares change most, only the first principal fields, and tables in which what belongs to a place lies side by
side. A heart agrees as well, in a ninth of the time (``tests/benchmarks/test_quick.py``).

*Source:* our own; one direction a cell is the point-to-plane distance of Chen and Medioni 1992.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from echo3d.anatomy.template import load_template
from echo3d.reconstruction.classes import CLASSES
from echo3d.reconstruction.hasten import brisk
from echo3d.reconstruction.planemoves import PLANE, held_still, moved_planes
from echo3d.reconstruction.refine import FELT, Refiner, inverse, precision_of
from echo3d.reconstruction.s2mnet import Encoder, S2MNet, S2MNetConfig
from echo3d.reconstruction.secondlook import SecondEncoder
from echo3d.reconstruction.sight import Fit, Sight, cells_mm
from echo3d.reconstruction.slicer import Slicer
from echo3d.reconstruction.valuetable import Table, product, table

MODES, CLOSER = 60, 100
"""Principal fields that are moved by the pictures, and after looking again.

With all 200 hearts came out as near (2.38 and 2.40 mm), at twice the time. After looking again 60, 100 and 200 gave 2.034, 2.028, 2.027 mm.
"""

STEEP = 0.05
"""Least slope of a share (per mm) at which a cell is heard in real time; 0.02 hears a quarter more cells to come 0.5 % nearer."""

FAR, NEAR, SURE = 3, 2, 6
"""Iterations of the inverse field from the place itself and from one nearby, before Newton's, and where none of Newton's follows."""


class QuickEncoder(Encoder):
    """One picture to its structure map, and to the map that a heart is moved towards.

    The second one was learned by what becomes of the heart, so that it may differ from what is there where that leads nearer to the truth.
    Without training both are those of the encoder whose weights it is given, but for what ``training.quick.slimmed`` leaves out.
    """

    def __init__(self, config: S2MNetConfig, waist: float = 1.0) -> None:
        super().__init__(config, waist)
        self.leading = nn.Conv2d(config.channels[0], CLASSES, 1)

    def forward(self, pictures: Tensor, views: Tensor) -> Tensor:
        """Return class logits (P, 2 CLASSES, h, w) of what is there and of what leads, of pictures (P, 2, H, W) of ``views`` (P,)."""
        joined = self.joined(self.features(pictures), views)
        return torch.cat([self.classes(joined), self.leading(joined)], dim=1)


@dataclass(frozen=True, slots=True, eq=False)
class QuickMover:
    """All that moving quickly needs.

    Parameters
    ----------
    slicer : of the network's principal fields
    shares : K shares around a place of the template, then their slopes along x, y and z (per mm)
    steep : (X Y Z,) whether the shares change there at all
    nodes : (3 D³, R) the principal fields without their mean, a node's x, y and z side by side, mm
    basis : of the fields that are moved, x, y and z in turn
    mean : (3 D³,) the principal fields' mean, a node's x, y and z side by side, mm
    template, around : points (N, 3) mm, and the nodes (N, 8) around them with their weights (N, 8)
    covariance : by number of views (2 (R + 36), 2 (R + 36)) of the network's errors, as in ``refine.Refiner``
    weight : how much the disagreement of a cell counts
    steps : of Gauss-Newton; of each number of steps cells at a border are chosen anew
    precisions : by views and number of phases, those that were asked for
    """

    slicer: Slicer
    shares: Table
    steep: Tensor
    nodes: Tensor
    basis: Table
    mean: Tensor
    template: Tensor
    around: tuple[Tensor, Tensor]
    covariance: Mapping[int, Tensor]
    weight: float
    steps: tuple[int, ...]
    precisions: dict[tuple[int, ...], Tensor]

    @property
    def modes(self) -> int:
        """Number of principal fields that are moved."""
        return self.basis.values.shape[1] // 3

    def precision(self, views: Sequence[int], phases: int) -> Tensor:
        """Return the inverse (T, T) of the errors' covariance in these views: of both phases of one heart, or of one of unknown phase."""
        key = (*views, phases)
        if key not in self.precisions:
            covariance, whole = self.covariance[len(views)], len(self.covariance[len(views)]) // 2
            kept = torch.cat([torch.arange(self.modes), torch.arange(self.slicer.rank, whole)])
            kept = torch.cat([kept, kept + whole])
            self.precisions[key] = precision_of(covariance[kept][:, kept], self.modes, views, phases)
        return self.precisions[key]

    def __call__(self, sights: Sequence[Sight], views: Sequence[int]) -> list[Fit]:
        """Return the fit of one heart, or of the two phases of one, seen in ``views``.

        A derivative by what was seen is that of the last step.
        """
        still = torch.zeros(self.slicer.rank + PLANE * len(views))
        fits, near = [Fit(one.coefficients, one.planes, still) for one in sights], list[Tensor]()
        for steps in self.steps:
            grounds = self.grounds(sights, fits, near)
            near, fits = [one.rests for one in grounds], self.stepped(sights, fits, views, (self.weight, steps), grounds)
        return fits

    def moved(
        self,
        sights: Sequence[Sight],
        fits: Sequence[Fit],
        views: Sequence[int],
        course: tuple[float, int],
        rests: Sequence[Tensor] = (),
    ) -> list[Fit]:
        """Return fits of one heart, or of the two phases of one, moved on towards what was seen.

        Parameters
        ----------
        course : how much the disagreement of a cell counts, and how many steps
        rests : (P, 3) where each phase's cells lie in the template, mm, where that is known
        """
        if not rests:
            return self.stepped(sights, fits, views, course, self.grounds(sights, fits, ()))
        fields = [self.field(one.coefficients.detach()) for one in fits]
        return self.stepped(sights, fits, views, course, [Ground(*one) for one in zip(fields, rests, strict=True)])

    def grounds(self, sights: Sequence[Sight], fits: Sequence[Fit], near: Sequence[Tensor]) -> list[Ground]:
        """Return what each phase's steps begin on; its cells come from nearby ``near`` (P, 3) mm in the template, where that is known."""
        fields = [self.field(one.coefficients.detach()) for one in fits]
        if not near:
            return [Ground(own, self.sought(one, own, fit.planes, FAR)) for one, own, fit in zip(sights, fields, fits, strict=True)]
        known = zip(sights, fields, fits, near, strict=True)
        return [Ground(own, self.sought(one, own, fit.planes, NEAR, rest)) for one, own, fit, rest in known]

    def stepped(
        self, sights: Sequence[Sight], fits: Sequence[Fit], views: Sequence[int], course: tuple[float, int], grounds: Sequence[Ground]
    ) -> list[Fit]:
        """Return fits of one heart, or of the two phases of one, after steps that begin on some ground; ``course`` as above."""
        precision, modes, rank = self.precision(views, len(sights)), self.modes, self.slicer.rank
        weight, steps = course
        thetas = begun = torch.stack([torch.cat([one.theta[:modes], one.theta[rank:]]) for one in fits]).detach()
        planes, fields = [one.planes for one in fits], [one.field for one in grounds]
        borders = [self.border(one, own) for one, own in zip(sights, grounds, strict=True)]
        for _ in range(steps):
            thetas = thetas.detach()
            matrix, gradient = precision.clone(), -(precision @ thetas.flatten())
            for phase, (one, field, theta) in enumerate(zip(sights, fields, thetas, strict=True)):
                part, own = slice(phase * len(theta), (phase + 1) * len(theta)), planes[phase].detach()
                border, rows = self.rows(borders[phase], field, theta - begun[phase], own)
                force = (rows.pull * (one.wanted[border.cells] - rows.shares)).sum(dim=1)
                matrix[part, part].addmm_(rows.steep.T, rows.steep, alpha=weight)
                gradient = gradient + nn.functional.pad(weight * (rows.shifts.T @ force), (part.start, len(gradient) - part.stop))
                borders[phase] = border
            if len(sights) == 2:
                gradient = held_still(matrix, gradient, [one.detach() for one in planes], modes)
            step = torch.cholesky_solve(gradient[:, None], torch.linalg.cholesky(matrix))[:, 0]
            thetas = thetas + step.view_as(thetas)
            planes = [moved_planes(one.planes, theta[modes:].view(-1, PLANE)) for one, theta in zip(sights, thetas, strict=True)]
        ends = [torch.cat([theta[:modes], torch.zeros(rank - modes), theta[modes:]]) for theta in thetas]
        return [Fit(one.coefficients + theta[:rank], own, theta) for one, own, theta in zip(sights, planes, ends, strict=True)]

    @torch.inference_mode()
    def again(
        self,
        second: SecondEncoder,
        sights: Sequence[Sight],
        fits: list[Fit],
        views: Sequence[int],
        pictures: Tensor,
        course: tuple[float, int, int],
    ) -> list[Fit]:
        """Return fits after looking again, each time at what pictures (S, V, 2, H, W) are in the light of the hearts so far.

        Parameters
        ----------
        course : how much the disagreement of a cell counts, how often to look, and how many steps follow each time
        """
        weight, looks, steps = course
        look = second.looking(pictures, torch.tensor(list(views)))
        for _ in range(looks):
            rests = [self.rests(one, fit) for one, fit in zip(sights, fits, strict=True)]
            shares = look(torch.stack([self.slices(one, rest) for one, rest in zip(sights, rests, strict=True)]))
            wanted = [one.wanting(own) for one, own in zip(sights, shares, strict=True)]
            fits = self.moved(wanted, fits, views, (weight, steps), rests)
        return fits

    def displacement(self, coefficients: Tensor) -> Tensor:
        """Return what a heart (R,) displaces nodes by, (D³, 3) mm."""
        moved = nn.functional.linear(coefficients.to(self.nodes.dtype)[None], self.nodes)[0]  # half the time of ``nodes @ coefficients``
        return (moved.float() + self.mean).view(-1, 3)

    def field(self, coefficients: Tensor) -> Table:
        """Return what a heart (R,) displaces the template by, mm."""
        return replace(self.basis, values=self.displacement(coefficients))

    def points(self, coefficients: Tensor) -> Tensor:
        """Return the points (N, 3) mm of a heart (R,)."""
        return self.template + self.field(coefficients).bag(*self.around)

    @torch.no_grad()
    def rests(self, one: Sight, fit: Fit) -> Tensor:
        """Return where in the template the cells that were seen come from (P, 3), mm, of a heart and planes as they are now."""
        return self.sought(one, self.field(fit.coefficients), fit.planes, SURE)

    @torch.no_grad()
    def slices(self, one: Sight, rests: Tensor) -> Tensor:
        """Return the shares (V, K, h, w) that a heart shows in the cells that were seen, which come from ``rests`` (P, 3); else none."""
        shown = torch.zeros(len(one.planes), self.slicer.kinds, *cells_mm().shape[:2])
        shown[one.view, :, one.cell[:, 0], one.cell[:, 1]] = self.shares.at(rests)[:, : self.slicer.kinds]
        return shown

    @torch.no_grad()
    def sought(self, one: Sight, field: Table, planes: Tensor, steps: int, near: Tensor | None = None) -> Tensor:
        """Return about where in the template the cells that were seen in planes (V, 9) come from (P, 3), mm."""
        place, own = one.place, planes.index_select(0, one.view)
        world = own[:, :3] + place[:, :1] * own[:, 3:6] + place[:, 1:] * own[:, 6:9]
        return self.slicer.rest_of(world, field.values.T.reshape(1, 3, *field.shape), world if near is None else near, steps)

    @torch.no_grad()
    def border(self, one: Sight, ground: Ground) -> Border:
        """Return the cells that lie at a border of structures of a heart."""
        felt = self.steep[self.shares.nearest(ground.rests)].nonzero()[:, 0]
        rest, view, place = ground.rests[felt], one.view[felt], cells_mm()[tuple(one.cell[felt].T)]
        columns = self.modes + PLANE * view[:, None] + torch.arange(PLANE)
        return Border(felt, view, place, columns, rest, inverse(torch.eye(3) + ground.field.slopes(rest)))

    @torch.no_grad()
    def rows(self, border: Border, field: Table, theta: Tensor, planes: Tensor) -> tuple[Border, Rows]:
        """Return how cells hang on a heart and on its planes (V, 9), and where they lie in the template.

        The heart is one with this displacement (mm), its first coefficients moved by those of ``theta`` (T,).
        """
        own, modes, kinds = planes.index_select(0, border.view), self.modes, self.slicer.kinds
        arms = border.place[:, :1] * own[:, 3:6] + border.place[:, 1:] * own[:, 6:9]
        nodes, parts = field.corners(border.rest)
        weights = product(*parts.unbind(dim=1))
        fields = self.basis.bag(nodes, weights).view(-1, 3, modes)
        shift = field.bag(nodes, weights) + fields @ theta[:modes]
        rest = border.rest + times(border.back, own[:, :3] + arms - border.rest - shift)
        both = self.shares.at(rest)
        slopes = both[:, kinds:].view(-1, 3, kinds)
        most = slopes.square().sum(dim=1).argmax(dim=1)[:, None, None].expand(-1, 3, 1)
        way = nn.functional.normalize(times(border.back.transpose(1, 2), slopes.gather(2, most)[:, :, 0]), dim=1)  # P 3, in the world
        pull = along(slopes, times(border.back, way))  # P K
        shifts = torch.zeros(len(rest), modes + PLANE * len(planes))
        shifts[:, :modes] = along(fields, -way)
        shifts.scatter_(1, border.columns, torch.cat([way, torch.linalg.cross(arms, way)], dim=1))
        return replace(border, rest=rest), Rows(both[:, :kinds], pull, shifts, shifts * pull.norm(dim=1, keepdim=True))


def along(rows: Tensor, vectors: Tensor) -> Tensor:
    """Return the sums (P, C) of rows (P, 3, C) weighed by vectors (P, 3); in half the time of a product and a sum."""
    x, y, z = vectors.split(1, dim=1)
    return torch.addcmul(torch.addcmul(rows[:, 0] * x, rows[:, 1], y), rows[:, 2], z)


def times(matrices: Tensor, vectors: Tensor) -> Tensor:
    """Return the products (P, 3) of matrices (P, 3, 3) and vectors (P, 3)."""
    return torch.bmm(matrices, vectors[:, :, None])[:, :, 0]


@dataclass(frozen=True, slots=True, eq=False)
class QuickLook:
    """What looks and moves in real time, in front of and behind a network's reading of maps.

    Parameters
    ----------
    encoder : on the device where the network is, or its :func:`hastened_encoder` twin
    reader : the network, or its :func:`hastened` twin
    mover : on the CPU
    correction : by number of views (2 + 3R or 2, R) of ``refine.corrected``, for the two phases of one heart
    """

    encoder: QuickEncoder
    reader: S2MNet
    mover: QuickMover
    correction: Mapping[int, Tensor]


def maps_of(encoder: QuickEncoder, pictures: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
    """Return the shares of every class but the first that are there, and that lead, both (B, V, K, h, w); zero where a view is absent.

    Parameters
    ----------
    pictures : (B, V, 2, H, W), on the encoder's device
    present : (B, V) bool
    """
    shown = pictures[present].to(encoder.view.dtype).contiguous(memory_format=torch.channels_last)
    logits = encoder(shown, present.nonzero()[:, 1]).float().unflatten(1, (2, CLASSES))
    shares = torch.softmax(logits, dim=2)[:, :, 1:]  # P 2 K h w
    if len(shares) == present.numel():
        result = shares.view(*present.shape, *shares.shape[1:])
    else:
        result = shares.new_zeros(*present.shape, *shares.shape[1:])
        result[present] = shares
    return result[:, :, 0], result[:, :, 1]


class Ground(NamedTuple):
    """What steps begin on.

    Attributes
    ----------
    field : what a heart displaces the template by, mm
    rests : (P, 3) about where the cells that were seen lie in the template, mm
    """

    field: Table
    rests: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Border:
    """Cells at a border of structures.

    Parameters
    ----------
    cells : (P,) which they are of those that were seen
    view : (P,) theirs
    place : (P, 2) depth and lateral place, mm
    columns : (P, 6) those of the view's plane among what is moved
    rest : (P, 3) about where they lie in the template, mm
    back : (P, 3, 3) about how that hangs on where they lie in the heart
    """

    cells: Tensor
    view: Tensor
    place: Tensor
    columns: Tensor
    rest: Tensor
    back: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """How the disagreement of cells hangs on the heart and its planes.

    Parameters
    ----------
    shares : (P, K) that the heart shows
    pull : (P, K) how they change along each cell's direction, per mm
    shifts : (P, T) how a cell's place less its material's moves along it
    steep : (P, T) the same times the pull's size
    """

    shares: Tensor
    pull: Tensor
    shifts: Tensor
    steep: Tensor


def closer_mover(slicer: Slicer, covariance: Mapping[int, Tensor], modes: int = CLOSER) -> QuickMover:
    """Return what moves hearts on after looking again; how far, it is told each time."""
    return quick_mover(slicer, covariance, 0.0, (), modes, FELT)


def going_on(quick: QuickLook) -> Refiner:
    """Return a refiner that goes on from where a quick look leaves hearts, held by the same prior; it has no second look yet."""
    slicer, covariance = quick.mover.slicer, quick.mover.covariance
    return Refiner(slicer, covariance, {}, 0.0, 0, begun=True, mover=closer_mover(slicer, covariance))


def quick_mover(
    slicer: Slicer, covariance: Mapping[int, Tensor], weight: float, steps: Sequence[int], modes: int = MODES, felt: float = STEEP
) -> QuickMover:
    """Return what moves a network's answers quickly.

    Parameters
    ----------
    covariance, weight, steps, modes : see :class:`QuickMover`
    felt : least slope of a share (per mm) of cells that are heard
    """
    side = slicer.fields.shape[-1]
    basis = slicer.fields[:modes].flatten(2).permute(2, 1, 0).flatten(1).contiguous()
    shares = table(slicer.shares[0].flatten(1).T.contiguous(), slicer.shares.shape[2:], slicer.shares_box)
    steep = slicer.shares[0, slicer.kinds :].flatten(1).abs().amax(dim=0) > felt
    nodes = slicer.nodes.view(-1, slicer.rank)
    nodes = nodes.bfloat16() if brisk() else nodes
    moved = table(basis, (side,) * 3, slicer.fields_box)
    mean = slicer.fields[-1].flatten(1).T.flatten()
    template = torch.from_numpy(np.array(load_template().points, dtype=np.float32))
    near, parts = moved.corners(template)
    body = template, (near, product(*parts.unbind(dim=1)))
    return QuickMover(slicer, shares, steep, nodes, moved, mean, *body, covariance, weight, tuple(number for number in steps if number), {})

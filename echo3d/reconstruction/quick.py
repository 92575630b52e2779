r"""Moving a network's answer until it agrees with the pictures, in a few milliseconds.

The same least squares as in ``reconstruction.refine``, made small enough for real time: only cells at a border of structures, of each the
one direction in which the shares change most, only the first principal fields, and tables in which what belongs to a place lies side by
side. A heart agrees as well, in a fifth of the time (``tests/benchmarks/test_quick.py``).

*Source:* our own; one direction a cell is the point-to-plane distance of Chen and Medioni 1992.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from echo3d.reconstruction.classes import CLASSES
from echo3d.reconstruction.planemoves import PLANE, moved_planes
from echo3d.reconstruction.refine import FELT, Fit, Sight, inverse, precision_of
from echo3d.reconstruction.s2mnet import Encoder, S2MNet, S2MNetConfig
from echo3d.reconstruction.slicer import Box, Slicer

MODES = 60
"""Principal fields that are moved by the pictures; with all 200 hearts came out as near (2.38 and 2.40 mm), at twice the time."""

FAR = 4
"""Iterations of the inverse field from the place itself, before Newton's."""


class QuickEncoder(Encoder):
    """One picture to its structure map, and to the map that a heart is moved towards.

    The second one was learned by what becomes of the heart, so that it may differ from what is there where that leads nearer to the truth.
    Without training both are those of the encoder whose weights it is given, but for what :func:`slimmed` leaves out.
    """

    def __init__(self, config: S2MNetConfig, waist: float = 1.0) -> None:
        super().__init__(config, waist)
        self.leading = nn.Conv2d(config.channels[0], CLASSES, 1)

    def forward(self, pictures: Tensor, views: Tensor) -> Tensor:
        """Return class logits (P, 2 CLASSES, h, w) of what is there and of what leads, of pictures (P, 2, H, W) of ``views`` (P,)."""
        joined = self.joined(self.features(pictures), views)
        return torch.cat([self.classes(joined), self.leading(joined)], dim=1)


def brisk() -> bool:
    """Whether the processor has instructions for bfloat16, so that what is held up by memory takes half the time in it."""
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))


class WideNorm(nn.GroupNorm):
    """A group norm that sums in single precision, whatever comes and goes: in bfloat16 it is slow and coarse."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, C, H, W) of the same shape and precision."""
        return nn.functional.group_norm(x.float(), self.num_groups, self.weight, self.bias, self.eps).to(x.dtype)


def hastened_encoder(encoder: QuickEncoder) -> QuickEncoder:
    """Return an encoder that sees in two thirds of the time where the processor has instructions for bfloat16; the same one elsewhere."""
    if encoder.view.device.type != "cpu" or not brisk():
        return encoder
    twin = copy.deepcopy(encoder)
    _widen(twin)
    for part in twin.modules():
        if isinstance(part, nn.Conv2d):
            part.bfloat16()
    twin.view = nn.Parameter(twin.view.bfloat16())
    return twin.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def _widen(whole: nn.Module) -> None:
    """Put wide norms in the place of a network's group norms."""
    for name, part in whole.named_children():
        if isinstance(part, nn.GroupNorm):
            wide = WideNorm(part.num_groups, part.num_channels, part.eps)
            wide.load_state_dict(part.state_dict())
            setattr(whole, name, wide)
        else:
            _widen(part)


def hastened(network: S2MNet) -> S2MNet:
    """Return a network that reads maps in half the time where the processor has instructions for bfloat16; the same one elsewhere.

    What reads is held up by the memory of its weights; hearts come out within 0.1 mm of each other.
    """
    if network.template.device.type != "cpu" or not brisk():
        return network
    shared: dict[int, Any] = {id(part): part for part in (*network.buffers(), network.encoder)}
    twin = copy.deepcopy(network, shared)
    for name, part in twin.named_children():
        if name != "encoder":
            part.bfloat16()
    return twin


def slimmed(weights: Mapping[str, Tensor], waist: float) -> dict[str, Tensor]:
    """Return an encoder's weights whose residual blocks keep a share of the channels between their convolutions, those that tell most.

    Each group of the norm between keeps the same share, by the size of what leads on from a channel.
    """
    found = dict(weights)
    for name in [key.removesuffix("norm.weight") for key in weights if key.endswith(".norm.weight")]:
        size = weights[f"{name}second.weight"].flatten(2).norm(dim=(0, 2)) * weights[f"{name}norm.weight"].abs()
        groups = size.view(8, -1)
        best = groups.topk(int(groups.shape[1] * waist), dim=1).indices.sort(dim=1).values
        kept = (best + groups.shape[1] * torch.arange(8)[:, None]).flatten()
        found |= {f"{name}{part}": weights[f"{name}{part}"][kept] for part in ("first.weight", "first.bias", "norm.weight", "norm.bias")}
        found[f"{name}second.weight"] = weights[f"{name}second.weight"][:, kept]
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Values on a raster, those of a node side by side; made by :func:`table`.

    Parameters
    ----------
    values : (X Y Z, C)
    shape : X, Y, Z
    low, scale : (3,) the first node, mm, and nodes per mm
    below : (3,) the number of the last node, hardly less
    strides : (3,) how far apart the rows of neighbours are
    offsets : (8,) rows of a cell's corners beyond its first
    """

    values: Tensor
    shape: tuple[int, int, int]
    low: Tensor
    scale: Tensor
    below: Tensor
    strides: Tensor
    offsets: Tensor

    def corners(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """Return the nodes (P, 8) around places (P, 3) mm, and where between them they lie (P, 3, 2).

        Places beyond the raster are taken to its border.
        """
        index = ((places - self.low) * self.scale).clamp(min=0).minimum(self.below)
        first = index.floor()
        part = index - first
        return (first @ self.strides).long()[:, None] + self.offsets, torch.stack([1 - part, part], dim=2)

    def bag(self, nodes: Tensor, weights: Tensor) -> Tensor:
        """Return values (P, C) of nodes (P, 8) by their weights (P, 8)."""
        return nn.functional.embedding_bag(nodes, self.values, mode="sum", per_sample_weights=weights)

    def at(self, places: Tensor) -> Tensor:
        """Return values (P, C) at places (P, 3) mm, trilinearly."""
        nodes, parts = self.corners(places)
        return self.bag(nodes, product(*parts.unbind(dim=1)))

    def nearest(self, places: Tensor) -> Tensor:
        """Return the nodes (P,) nearest to places (P, 3) mm; that of the border for those beyond."""
        return (((places - self.low) * self.scale).clamp(min=0).minimum(self.below).round() @ self.strides).long()

    def slopes(self, places: Tensor) -> Tensor:
        """Return the slopes (P, C, 3) per mm of the trilinear values; for few numbers a node."""
        nodes, parts = self.corners(places)
        x, y, z = parts.unbind(dim=1)
        right, ahead, up = (torch.stack([-one, one]).expand_as(x) for one in self.scale)
        weights = torch.stack([product(right, y, z), product(x, ahead, z), product(x, y, up)], dim=1)
        return (weights @ self.values[nodes]).transpose(1, 2)


def table(values: Tensor, shape: Sequence[int], box: Box) -> Table:
    """Return values (X Y Z, C) on a raster of that shape between the corners of a box."""
    x, y, z = shape
    last = torch.tensor([x, y, z], dtype=torch.float32) - 1
    strides = torch.tensor([float(y * z), float(z), 1.0])
    offsets = (torch.cartesian_prod(*[torch.arange(2)] * 3).float() @ strides).long()
    return Table(values, (x, y, z), box.low, last / (box.high - box.low), last * (1 - 1e-6), strides, offsets)


def product(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    """Return the weights (P, 8) of a cell's corners from the weights (P, 2) along its axes."""
    return (x[:, :, None, None] * y[:, None, :, None] * z[:, None, None, :]).flatten(1)


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
    covariance : by number of views (2 (R + 36), 2 (R + 36)) of the network's errors, as in ``refine.Refiner``
    weight : how much the disagreement of a cell counts
    steps : of Gauss-Newton
    precisions : by views and number of phases, those that were asked for
    """

    slicer: Slicer
    shares: Table
    steep: Tensor
    nodes: Tensor
    basis: Table
    mean: Tensor
    covariance: Mapping[int, Tensor]
    weight: float
    steps: int
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
        precision, modes = self.precision(views, len(sights)), self.modes
        thetas = torch.zeros(len(sights), len(precision) // len(sights))
        first = [self.displacement(one.coefficients) for one in sights]
        planes, borders = [one.planes for one in sights], [cast("Border | None", None) for _ in sights]
        for _ in range(self.steps):
            thetas = thetas.detach()
            matrix, gradient = precision.clone(), -(precision @ thetas.flatten())
            for phase, (one, start, theta) in enumerate(zip(sights, first, thetas, strict=True)):
                part = slice(phase * len(theta), (phase + 1) * len(theta))
                field = replace(self.basis, values=start + (self.basis.values.view(-1, modes) @ theta[:modes]).view(-1, 3))
                border, rows = self.rows(borders[phase] or self.felt(one, field, planes[phase]), field, planes[phase].detach())
                force = (rows.pull * (one.wanted[border.cells] - rows.shares)).sum(dim=1)
                matrix[part, part].addmm_(rows.steep.T, rows.steep, alpha=self.weight)
                gradient = gradient + nn.functional.pad(self.weight * (rows.shifts.T @ force), (part.start, len(gradient) - part.stop))
                borders[phase] = border
            step = torch.cholesky_solve(gradient[:, None], torch.linalg.cholesky(matrix))[:, 0]
            thetas = thetas + step.view_as(thetas)
            planes = [moved_planes(one.planes, theta[modes:].view(-1, PLANE)) for one, theta in zip(sights, thetas, strict=True)]
        still = torch.zeros(self.slicer.rank - modes)
        moved = [torch.cat([theta[:modes], still, theta[modes:]]) for theta in thetas]
        return [
            Fit(one.coefficients + theta[: self.slicer.rank], own, theta) for one, own, theta in zip(sights, planes, moved, strict=True)
        ]

    def displacement(self, coefficients: Tensor) -> Tensor:
        """Return what a heart (R,) displaces nodes by, (D³, 3) mm."""
        return ((self.nodes @ coefficients.to(self.nodes.dtype)).float() + self.mean).view(-1, 3)

    @torch.no_grad()
    def felt(self, one: Sight, field: Table, planes: Tensor) -> Border:
        """Return the cells that lie at a border of structures of a heart with this displacement (mm), seen in planes (V, 9)."""
        place, own = one.place, planes[one.view]
        world = own[:, :3] + place[:, :1] * own[:, 3:6] + place[:, 1:] * own[:, 6:9]
        rest = self.slicer.rest_of(world, field.values.T.reshape(1, 3, *field.shape), world, FAR)
        felt = self.steep[self.shares.nearest(rest)].nonzero()[:, 0]
        rest, view = rest[felt], one.view[felt]
        columns = self.modes + PLANE * view[:, None] + torch.arange(PLANE)
        return Border(felt, view, place[felt], columns, rest, inverse(torch.eye(3) + field.slopes(rest)))

    @torch.no_grad()
    def rows(self, border: Border, field: Table, planes: Tensor) -> tuple[Border, Rows]:
        """Return how cells hang on a heart with this displacement (mm) and on its planes (V, 9), and where they lie in the template."""
        own, modes, kinds = planes[border.view], self.modes, self.slicer.kinds
        arms = border.place[:, :1] * own[:, 3:6] + border.place[:, 1:] * own[:, 6:9]
        nodes, parts = field.corners(border.rest)
        weights = product(*parts.unbind(dim=1))
        rest = border.rest + times(border.back, own[:, :3] + arms - border.rest - field.bag(nodes, weights))
        both = self.shares.at(rest)
        slopes = both[:, kinds:].view(-1, 3, kinds)
        most = slopes.square().sum(dim=1).argmax(dim=1)[:, None, None].expand(-1, 3, 1)
        way = nn.functional.normalize(times(border.back.transpose(1, 2), slopes.gather(2, most)[:, :, 0]), dim=1)  # P 3, in the world
        pull = (slopes * times(border.back, way)[:, :, None]).sum(dim=1)  # P K
        shifts = torch.zeros(len(rest), modes + PLANE * len(planes))
        shifts[:, :modes] = -(self.basis.bag(nodes, weights).view(-1, 3, modes) * way[:, :, None]).sum(dim=1)
        shifts.scatter_(1, border.columns, torch.cat([way, torch.linalg.cross(arms, way)], dim=1))
        return replace(border, rest=rest), Rows(both[:, :kinds], pull, shifts, shifts * pull.norm(dim=1, keepdim=True))


def times(matrices: Tensor, vectors: Tensor) -> Tensor:
    """Return the products (P, 3) of matrices (P, 3, 3) and vectors (P, 3); quicker than ``bmm`` for so small ones."""
    return (matrices * vectors[:, None]).sum(dim=2)


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
    result = shares.new_zeros(*present.shape, *shares.shape[1:])
    result[present] = shares
    return result[:, :, 0], result[:, :, 1]


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


def quick_mover(slicer: Slicer, covariance: Mapping[int, Tensor], weight: float, steps: int, modes: int = MODES) -> QuickMover:
    """Return what moves a network's answers quickly.

    Parameters
    ----------
    covariance, weight, steps, modes : see :class:`QuickMover`
    """
    side = slicer.fields.shape[-1]
    basis = slicer.fields[:modes].flatten(2).permute(2, 1, 0).flatten(1).contiguous()
    shares = table(slicer.shares[0].flatten(1).T.contiguous(), slicer.shares.shape[2:], slicer.shares_box)
    steep = slicer.shares[0, slicer.kinds :].flatten(1).abs().amax(dim=0) > FELT
    nodes = slicer.nodes.view(-1, slicer.rank)
    moved = table(basis, (side,) * 3, slicer.fields_box)
    mean = slicer.fields[-1].flatten(1).T.flatten()
    return QuickMover(slicer, shares, steep, nodes.bfloat16() if brisk() else nodes, moved, mean, covariance, weight, steps, {})

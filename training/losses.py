"""What S2MNet is trained for: points, chamber volumes, ejection fraction, planes, and knowing its views.

Everything is measured on coefficients of the principal fields, never on ten thousand points: the distance by their Gram matrix, the volumes
on the cavities' points alone. It is the same figure at a hundredth of the work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from echo3d.anatomy.template import load_template
from echo3d.core.structures import CHAMBER_KEYS


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """The truth of a batch.

    Parameters
    ----------
    coefficients : (B, R) of the principal fields
    volumes : (B, 4) ml
    planes : (B, V, 9)
    genuine : (B, V) bool, whether the picture is the view it is said to be
    """

    coefficients: Tensor
    volumes: Tensor
    planes: Tensor
    genuine: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Measures:
    """Constants of the losses.

    Parameters
    ----------
    gram : (R, R), so that c' gram c is the mean squared distance (mm²) of the points that coefficients c displace; LV muscle weighs more
    rest, axes : (P * 3), (P * 3, R) the cavities' points without displacement, and by coefficient
    cavities : (F, 3) triangles of each chamber in these points
    """

    gram: Tensor
    rest: Tensor
    axes: Tensor
    cavities: list[Tensor]


def measures(at_points: Tensor) -> Measures:
    """Return the constants for the shipped template and principal fields at its points (R + 1, N * 3)."""
    template = load_template()
    weight = torch.ones(len(template.points))
    weight[torch.from_numpy(np.array(template.aha)) > 0] = 1.6
    axes = at_points[:-1].view(len(at_points) - 1, -1, 3)
    gram = torch.einsum("rnc,n,snc->rs", axes, weight / weight.sum(), axes)
    faces = [torch.from_numpy(np.array(template.cavities[key])).long() for key in CHAMBER_KEYS]
    used, renumbered = torch.unique(torch.cat(faces), return_inverse=True)
    rest = (torch.from_numpy(np.array(template.points)).float() + at_points[-1].view(-1, 3))[used]
    return Measures(gram, rest.flatten(), axes[:, used].flatten(1).T.contiguous(), list(renumbered.split([len(f) for f in faces])))


def volumes_ml(points: Tensor, cavities: list[Tensor]) -> Tensor:
    """Return (B, 4) chamber volumes in ml of hearts (B, N, 3)."""
    return torch.stack([Enclosed.apply(points.permute(1, 2, 0), faces) for faces in cavities], dim=1)


class Enclosed(torch.autograd.Function):
    """Volume (B,) in ml inside a closed surface of points (P, 3, B) and triangles (F, 3), with the points' normals as its gradient.

    Torch's own backward of the same formula gathers triangle by triangle and took most of a training step.
    """

    @staticmethod
    def forward(ctx: Any, points: Tensor, faces: Tensor) -> Tensor:
        """Return the sum of signed tetrahedra."""
        a, b, c = (points[faces[:, i]] for i in range(3))
        slope = torch.zeros_like(points)
        for corner, across in (
            (0, torch.linalg.cross(b, c, dim=1)),
            (1, torch.linalg.cross(c, a, dim=1)),
            (2, torch.linalg.cross(a, b, dim=1)),
        ):
            slope.index_add_(0, faces[:, corner], across)
        ctx.save_for_backward(slope)
        return (points * slope).sum(dim=(0, 1)) / 18_000

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor, None]:
        """Return the gradient for the points."""
        (slope,) = ctx.saved_tensors
        return slope * grad[0] / 6000, None


def volumes_of(coefficients: Tensor, constants: Measures) -> Tensor:
    """Return (B, 4) chamber volumes in ml of coefficients (B, R)."""
    points = (constants.rest[:, None] + constants.axes @ coefficients.T).view(-1, 3, len(coefficients))
    return torch.stack([Enclosed.apply(points, faces) for faces in constants.cavities], dim=1)


def distances(gap: Tensor, gram: Tensor) -> Tensor:
    """Return the root mean squared distance in mm of coefficients that differ by ``gap`` (..., R)."""
    return ((gap @ gram) * gap).sum(dim=-1).clamp(min=1e-6).sqrt()


Answer = tuple[Tensor, Tensor, Tensor, Tensor]


def loss_terms(answer: Answer, target: Target, present: Tensor, constants: Measures) -> dict[str, Tensor]:
    """Return the named, weighted terms; their sum is the loss.

    Parameters
    ----------
    answer : of ``S2MNet.read``, in single precision
    target : the truth, end-diastole and end-systole in turn
    present : (B, V) bool, the views that were shown; the heart of a row with one that is not genuine is not judged
    constants : see :func:`measures`
    """
    coarse, fused, planes, trust = answer
    shown = present.float()
    clean = (~present | target.genuine).all(dim=1)
    clean = clean[::2].logical_and(clean[1::2]).repeat_interleave(2)
    gap = distances(coarse - target.coefficients[:, None], constants.gram)
    apart = (planes - target.planes).abs() * planes.new_tensor([0.05] * 3 + [1.5] * 6)
    seen = shown * target.genuine.float()
    terms = {
        "coarse": 0.2 * (gap * seen).sum() / seen.sum(),
        "planes": (apart.mean(dim=2) * seen).sum() / seen.sum(),
        "trust": 0.3 * functional.binary_cross_entropy_with_logits(trust, target.genuine.float(), weight=shown),
    }
    return terms | heart_terms(fused[clean], target.coefficients[clean], target.volumes[clean], constants)


def heart_terms(fused: Tensor, coefficients: Tensor, true: Tensor, constants: Measures) -> dict[str, Tensor]:
    """Return the terms of the hearts themselves: points, volumes, ejection fraction; none where there is no heart."""
    if len(fused) == 0:
        return {}
    volumes = volumes_of(fused, constants)
    relative = ((volumes - true) / true).abs()
    fraction, truth = (1 - v[1::2, 0] / v[::2, 0] for v in (volumes, true))
    return {
        "points": distances(fused - coefficients, constants.gram).mean(),
        "volumes": 5 * (relative * relative.new_tensor([2.0, 1, 0.7, 0.7])).mean(),
        "ef": 12 * (fraction - truth).abs().mean(),
    }

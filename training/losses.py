"""What S2MNet is trained for: points, chamber volumes, ejection fraction, planes, and knowing its views."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from echo3d.anatomy.template import load_template
from echo3d.core.structures import CHAMBER_KEYS
from echo3d.reconstruction.s2mnet import Prediction


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """The truth of a batch: points (B, N, 3) mm, planes (B, V, 9), volumes (B, 4) ml, coefficients (B, R), true views (B, V)."""

    points: Tensor
    planes: Tensor
    volumes: Tensor
    coarse: Tensor
    genuine: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Measures:
    """Constants of the losses: cavity triangles per chamber, weight of each point, strength of each principal field (mm)."""

    cavities: list[Tensor]
    weight: Tensor
    strength: Tensor


def measures(at_points: np.ndarray, device: torch.device) -> Measures:
    """Return the constants for the shipped template and principal fields at its points (R + 1, N * 3)."""
    template = load_template()
    weight = torch.ones(len(template.points))
    weight[torch.from_numpy(np.array(template.aha)) > 0] = 1.6
    strength = torch.from_numpy(np.sqrt((at_points[:-1] ** 2).sum(axis=1) / len(template.points))).float()
    faces = [torch.from_numpy(np.array(template.cavities[key])).long().to(device) for key in CHAMBER_KEYS]
    return Measures(faces, (weight / weight.mean()).to(device), strength.to(device))


def volumes_ml(points: Tensor, cavities: list[Tensor]) -> Tensor:
    """Return (B, 4) chamber volumes in ml of hearts (B, N, 3)."""
    volumes = []
    for faces in cavities:
        a, b, c = (points[:, faces[:, i]] for i in range(3))
        volumes.append((a * torch.linalg.cross(b, c)).sum(dim=(1, 2)) / 6000)
    return torch.stack(volumes, dim=1)


def loss_terms(answer: Prediction, target: Target, present: Tensor, looked: Tensor, constants: Measures) -> dict[str, Tensor]:
    """Return the named, weighted terms; their sum is the loss. ``looked`` (B, V) are the pictures whose trust is judged."""
    distance = (answer.points - target.points).norm(dim=2)
    volumes = volumes_ml(answer.points, constants.cavities)
    relative = ((volumes - target.volumes) / target.volumes).abs()
    fraction = 1 - volumes[1::2, 0] / volumes[::2, 0]
    truth = 1 - target.volumes[1::2, 0] / target.volumes[::2, 0]
    shown = present.float()
    gap = ((answer.coarse - target.coarse[:, None]) * constants.strength).norm(dim=2)
    planes = (answer.planes - target.planes).abs() * torch.tensor([0.05] * 3 + [1.5] * 6, device=distance.device)
    return {
        "points": (distance * constants.weight).mean(),
        "volumes": 5 * (relative * torch.tensor([2.0, 1, 0.7, 0.7], device=distance.device)).mean(),
        "ef": 12 * (fraction - truth).abs().mean(),
        "coarse": 0.2 * (gap * shown).sum() / shown.sum(),
        "planes": (planes.mean(dim=2) * shown).sum() / shown.sum(),
        "trust": 0.3 * functional.binary_cross_entropy_with_logits(answer.trust[looked], target.genuine[looked].float()),
    }

"""The closed-form part of S2MNet: principal features of structure maps and their joint Gaussian with the fields."""

from __future__ import annotations

import torch
from torch import Tensor

from echo3d.reconstruction.s2mnet import Estimate

NOISE = 0.02
"""Share of the mean feature variance added to every feature; a first guess, other values were not tried."""


def fit_estimate(estimate: Estimate, maps: Tensor, coarse: Tensor, noise: float = NOISE) -> None:
    """Fill the estimate's buffers from drawn hearts.

    Parameters
    ----------
    estimate : changed in place
    maps : (S, V, cells) structure maps as the encoder sees them
    coarse : (S, R) true coefficients of the principal fields
    noise : share of the mean feature variance added on the diagonal
    """
    for view in range(maps.shape[1]):
        part = maps[:, view].float()
        estimate.mean[view] = part.mean(dim=0)
        _, _, axes = torch.svd_lowrank(part - estimate.mean[view], q=estimate.basis.shape[2], niter=2)
        estimate.basis[view] = axes
    features = torch.cat([estimate.features(block.float()) for block in maps.split(500)]).flatten(1)
    joint = features.T @ features / len(features)
    estimate.joint.copy_(joint + noise * joint.diagonal().mean() * torch.eye(len(joint)))
    estimate.middle.copy_(coarse.mean(dim=0))
    estimate.cross.copy_(features.T @ (coarse - estimate.middle) / len(features))

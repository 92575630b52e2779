"""What is usual in the errors of refined hearts, to be taken away: by ridge regression, and with care for the chambers' volumes."""

from __future__ import annotations

import torch
from torch import Tensor

from echo3d.reconstruction.refine import correction_features
from training.evaluate import cavity_faces
from training.losses import volumes_ml

RIDGE = 600.0
"""Of the correction's regression, on features of unit spread; 300 to 2400 did equally well on other samples."""

TELLING = 30
"""Pairs whose mean error counts half: the whole mean of 7 pairs left lone views 3.92 mm off, a fifth of it 3.44 mm, none 3.46 mm."""

HEEDED = 0.3
"""Share of a correction that is left where it changes volumes: on 240 other patients all of it made the LV worse (3.52 %), a share of
0.3 left 3.39 %, none 3.42 %; points were 1.88 mm off with any of these, and 1.92 mm (3.41 %) without correction."""


def usual_error(after: Tensor, truth: Tensor) -> Tensor:
    """Return the matrix (2, R) of ``refine.corrected`` for coefficients (S, R), ED and ES in turn: each phase's mean error.

    The mean of few pairs says more of them than of others, so it is drawn towards nothing.

    >>> usual_error(torch.zeros(60, 1), torch.ones(60, 1)).tolist()
    [[0.5], [0.5]]
    """
    wanted = truth - after
    kept = (pairs := len(wanted) // 2) / (pairs + TELLING)
    return kept * torch.stack([wanted[::2].mean(dim=0), wanted[1::2].mean(dim=0)]).float()


def fit_correction(before: Tensor, after: Tensor, truth: Tensor) -> Tensor:
    """Return the matrix (2 + 3R, R) of ``refine.corrected`` for coefficients (S, R), ED and ES in turn, by ridge regression."""
    known, wanted = correction_features(before, after).double(), (truth - after).double()
    spread = known.std(dim=0).clamp(min=1e-3)
    scaled = known / spread
    penalty = torch.diag(torch.cat([torch.full((2,), 1e-6), torch.full((scaled.shape[1] - 2,), RIDGE)])).double()
    return (torch.linalg.solve(scaled.T @ scaled + penalty, scaled.T @ wanted) / spread[:, None]).float()


def volume_slopes(template: Tensor, fields: Tensor, hearts: Tensor, most: int = 400) -> Tensor:
    """Return (R, 8) how the logarithms of the four chambers' volumes change with coefficients, the mean at ED and then at ES.

    Parameters
    ----------
    template : (N, 3) mm
    fields : (R + 1, N * 3) principal fields at its points, their mean last
    hearts : (S, R) coefficients, ED and ES in turn, of which ``most`` count
    """
    faces, slopes = cavity_faces(), []
    for phase in range(2):
        some = hearts[phase:most:2].clone().requires_grad_()
        points = template + (some @ fields[:-1] + fields[-1]).view(len(some), -1, 3)
        sums = volumes_ml(points, faces).log().sum(dim=0)
        slopes += [torch.autograd.grad(one, some, retain_graph=True)[0].mean(dim=0) for one in sums]
    return torch.stack(slopes, dim=1)


def spared(matrix: Tensor, errors: Tensor, slopes: Tensor) -> Tensor:
    """Return a correction (F, R) of which ``HEEDED`` is left in what it does to volumes, while the rest of the heart is changed least.

    Parameters
    ----------
    errors : (S, R) of refined coefficients; what is changed least is measured by their covariance
    slopes : (R, D) of volumes

    >>> spared(torch.eye(2), torch.eye(2), torch.tensor([[1.0], [0.0]]))
    tensor([[0.3000, 0.0000],
            [0.0000, 1.0000]])
    """
    covariance = (errors.T @ errors).double() / len(errors)
    way = covariance @ slopes.double()
    onto = way @ torch.linalg.pinv(slopes.double().T @ way) @ slopes.double().T  # a change to the part of it that changes volumes
    return (matrix.double() - (1 - HEEDED) * matrix.double() @ onto.T).float()

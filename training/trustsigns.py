"""By which signs a refined answer tells pictures that are not what they are called: learned from pictures that were spoiled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from echo3d.reconstruction.reconstruct import S2MModel, first_answer, refined_rows
from echo3d.reconstruction.refine import signs
from echo3d.reconstruction.s2mnet import VIEWS
from training.augment import look, spoiled

SPOILED = (0.0, 0.17, 0.17, 0.5)
"""Shares of a pair's pictures that are spoiled, as often as they stand here."""

KINDS = (0.5, 0.65, 0.85)
"""Half another view's, which is the likeliest mistake and the hardest to tell; then turned ones, discs and noise."""

STEADY = 0.002
"""Penalty of weights that all views share, on signs of unit spread; our choice."""

OWN = 1000
"""Pictures of a view from which its own weights are believed as much as those of all views. With 20, 60 and 200 the other views of 60
patients were told from the right ones with an AUROC of 0.974, 0.978 and 0.982, by weights of all views with 0.988."""

FEW = 4
"""Genuine pictures and spoiled ones below which the network's own trust stands."""


def subsets(pairs: int, number: int, seed: int) -> Tensor:
    """Return (2 * pairs, V) bool, a random set of ``number`` views for each pair."""
    ranks = torch.rand(pairs, VIEWS, generator=torch.Generator().manual_seed(seed)).argsort(dim=1).argsort(dim=1)
    return (ranks < number).repeat_interleave(2, dim=0)


def trust_of(
    model: S2MModel, samples: dict[str, Tensor], number: int, order: tuple[int, int], draws: tuple[np.random.Generator, Tensor]
) -> Tensor:
    """Return the (VIEWS, 5) weights of ``Refiner.trusted`` for a number of views, from samples of which pictures are spoiled.

    All pictures are changed as other machines and hands change them: trust is asked for on unlike machines above all. Chance comes from
    ``draws`` and from torch's own generator.

    Parameters
    ----------
    order : how many samples, and the seed of the views that are shown
    draws : chance, and speckle to spoil pictures with
    """
    (count, seed), (rng, bank) = order, draws
    pairs = torch.from_numpy(rng.permutation(len(samples["field"]) // 2)[: count // 2])
    rows = torch.stack([2 * pairs, 2 * pairs + 1], dim=1).flatten()
    pictures = look(samples["echo"][rows], samples["fans"][rows], rng, plain=0.0)
    share = torch.tensor(SPOILED)[torch.randint(len(SPOILED), (len(pairs),))].repeat_interleave(2)
    pictures, bad = spoiled(pictures, bank, share[:, None], KINDS)
    present = subsets(len(pairs), number, seed + number)
    seen = torch.cat([signs_in(model, pictures[part], present[part]) for part in torch.arange(len(rows)).split(40)])
    views = list(enumerate(present.T))
    return weighed([seen[own, view] for view, own in views], [~bad[own, view] for view, own in views])


def weighed(known: Sequence[Tensor], genuine: Sequence[Tensor]) -> Tensor:
    """Return (V, F + 1) each view's weights of its signs and of one, whose sum is the logit that a picture is genuine.

    Views share what they know: the fewer a view's pictures, the nearer are its weights to those of all views together.

    Parameters
    ----------
    known, genuine : by view (S, F) signs of its pictures, the network's own trust first, and (S,) bool

    >>> weighed([torch.zeros(3, 4)], [torch.tensor([True, True, False])]).tolist()
    [[1.0, 0.0, 0.0, 0.0, 0.0]]
    >>> signs = torch.tensor([[0.0], [1.0], [0.2], [0.8]]).repeat(50, 1)
    >>> weights = weighed([signs, signs[:0]], [signs[:, 0] > 0.5, signs[:0, 0] > 0.5])
    >>> (torch.cat([signs[:2], torch.ones(2, 1)], dim=1) @ weights.T).sign().tolist()
    [[-1.0, -1.0], [1.0, 1.0]]
    """
    every, right = torch.cat(list(known)), torch.cat(list(genuine))
    size = every.shape[1] + 1
    if min(int(right.sum()), int((~right).sum())) < FEW:
        return torch.eye(size)[:1].repeat(len(known), 1)
    mean, spread = every.mean(dim=0), every.std(dim=0).clamp(min=1e-3)

    def scaled(signs: Tensor) -> Tensor:
        return torch.cat([(signs - mean) / spread, torch.ones(len(signs), 1)], dim=1).double()

    free = torch.tensor([STEADY] * (size - 1) + [1e-6]).double() * len(every)
    shared = logistic(scaled(every), right, torch.zeros(size).double(), free)
    pull = torch.full((size,), OWN / 10).double()  # a picture tells about a tenth of the square of a weight
    each = [logistic(scaled(own), told, shared, pull) for own, told in zip(known, genuine, strict=True)]
    weights = torch.stack(each).float()
    slopes = weights[:, :-1] / spread
    return torch.cat([slopes, weights[:, -1:] - (slopes @ mean)[:, None]], dim=1)


def logistic(known: Tensor, genuine: Tensor, towards: Tensor, pull: Tensor) -> Tensor:
    """Return weights (F,) of signs (S, F) whose sum is the logit that a picture is genuine (S,) bool, by Newton's method.

    Parameters
    ----------
    towards, pull : (F,) the weights without any pictures, and what a square of a weight's distance from them costs, beside one for each
        picture's log likelihood
    """
    weights, penalty = towards.clone(), torch.diag(pull)
    for _ in range(25):
        said = torch.sigmoid(known @ weights)
        slope = known.T @ (said - genuine.double()) + penalty @ (weights - towards)
        weights = weights - torch.linalg.solve(known.T @ (known * (said * (1 - said))[:, None]) + penalty, slope)
    return weights


@torch.inference_mode()
def signs_in(model: S2MModel, pictures: Tensor, present: Tensor) -> Tensor:
    """Return (S, V, 4) the network's trust and the signs of ``refine.signs`` in pairs of pictures; zero where a view is absent."""
    refiner = model.refiner
    if refiner is None:
        raise ValueError("signs are those of a refined answer; give a model that refines")
    pairs = [(row, row + 1) for row in range(0, len(pictures), 2)]
    seen = first_answer(model, pictures, present, pairs)
    found = torch.zeros(*present.shape, 4)
    for rows in pairs:
        views = present[rows[0]].nonzero()[:, 0].tolist()
        sights, fits = refined_rows(refiner, seen, pictures, rows, views)
        for row, one, fit in zip(rows, sights, fits, strict=True):
            found[row, views, 0] = seen.answer.trust[row, views]
            found[row, views, 1:] = signs(refiner.slicer, refiner.covariance[len(views)], one, fit, views)
    return found

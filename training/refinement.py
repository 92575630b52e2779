r"""Measure a network's errors on samples it never saw, and write the weights that refine its answers.

    python -m training.refinement --data runs/held --styles binary pseudo speckle cyclegan --out resources/weights/accurate.safetensors

The prior of the refinement is the covariance of the errors (``reconstruction.refine``), for one to six views. Then samples are refined, and
what is still wrong is regressed on what is known. How much the pictures count (``--weight``) was chosen on other samples. Measuring and
calibrating is ``training.evaluate``'s.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from echo3d.core.modelcard import ModelCard
from echo3d.io.weights import read_card, weights_path, write_weights
from echo3d.reconstruction.reconstruct import REFINED, S2MModel, load_model, predict
from echo3d.reconstruction.refine import Refiner, correction_features, moves_between, orthonormal
from echo3d.reconstruction.s2mnet import VIEWS, S2MNet
from echo3d.reconstruction.slicer import template_slicer
from training.basis import coefficients, fields_at_points
from training.evaluate import load_all
from training.s2mnet import stored_pictures
from training.template import CREDIT

WEIGHT = 5.0
"""How much the squared disagreement of a cell counts; 3 to 10 did equally well, 30 fitted what the encoder got wrong."""

RIDGE = 600.0
"""Of the correction's regression, on features of unit spread; 300 to 1000 did equally well on other samples."""

SHRUNK = 0.1
"""Share of the covariance that is taken from its diagonal alone."""

SCARCE = 300
"""Samples at which the covariance of two planes that are rarely seen together counts half; our choice."""


@torch.inference_mode()
def read_maps(network: S2MNet, samples: dict[str, Tensor]) -> Tensor:
    """Return the pooled structure maps (S, V, cells) of stored samples, all six views."""
    parts = []
    for start in range(0, len(samples["field"]), 40):
        pictures = stored_pictures({key: samples[key][start : start + 40] for key in ("echo", "fans")})
        parts.append(network.maps(pictures, torch.ones(pictures.shape[:2], dtype=torch.bool)))
    return torch.cat(parts)


def subsets(pairs: int, number: int, seed: int) -> Tensor:
    """Return (2 * pairs, V) bool, a random set of ``number`` views for each pair."""
    ranks = torch.rand(pairs, VIEWS, generator=torch.Generator().manual_seed(seed)).argsort(dim=1).argsort(dim=1)
    return (ranks < number).repeat_interleave(2, dim=0)


@torch.inference_mode()
def errors(network: S2MNet, maps: Tensor, samples: dict[str, Tensor], present: Tensor) -> Tensor:
    """Return (S, R + 6V) what is to be added to the answers: coefficients, then the moves of each view's plane; NaN where it is absent."""
    rows = []
    truth = coefficients(samples["field"], fields_at_points(network))
    for part in torch.arange(len(maps)).split(200):
        _, fused, planes, _ = network.read(maps[part] * present[part, :, None], present[part])
        moves = moves_between(orthonormal(planes), samples["sectors"][part].float())
        moves = torch.where(present[part, :, None], moves, torch.nan)
        rows.append(torch.cat([truth[part] - fused, moves.flatten(1)], dim=1))
    return torch.cat(rows)


def covariance_of(rows: Tensor) -> Tensor:
    """Return the (T, T) covariance about zero of rows (S, T) with gaps (NaN), shrunk and positive definite.

    Each entry is of the rows that have both; an entry of few rows is drawn towards zero.

    >>> covariance_of(torch.tensor([[1.0, 2.0], [-1.0, -2.0]]).double().repeat(5000, 1)).diagonal().round(decimals=3).tolist()
    [1.0, 4.0]
    """
    known = (~rows.isnan()).double()
    filled = rows.nan_to_num().double()
    count = known.T @ known
    matrix = filled.T @ filled / count.clamp(min=1)
    diagonal = torch.diag(matrix.diagonal())
    matrix = (1 - SHRUNK) * matrix * count / (count + SCARCE) + SHRUNK * diagonal
    matrix = matrix - torch.diag(matrix.diagonal()) + diagonal
    size = diagonal.diagonal().sqrt()
    value, axes = torch.linalg.eigh(matrix / size / size[:, None])
    return (axes * value.clamp(min=1e-3)) @ axes.T * size * size[:, None]


def factors(network: S2MNet, samples: dict[str, Tensor], seed: int = 0) -> dict[str, Tensor]:
    """Return by number of views the Cholesky factor of the covariance of errors at ED and then at ES."""
    maps, made = read_maps(network, samples), {}
    for number in range(1, VIEWS + 1):
        rows = errors(network, maps, samples, subsets(len(maps) // 2, number, seed + number))
        made[f"factor.{number}"] = torch.linalg.cholesky(covariance_of(rows.view(len(maps) // 2, -1))).float()
    return made


def fit_correction(before: Tensor, after: Tensor, truth: Tensor, *, full: bool) -> Tensor:
    """Return the matrix of ``refine.corrected`` for coefficients (S, R), ED and ES in turn: by ridge regression, else each phase's mean."""
    known, wanted = correction_features(before, after).double(), (truth - after).double()
    if not full:
        return torch.stack([wanted[::2].mean(dim=0), wanted[1::2].mean(dim=0)]).float()
    spread = known.std(dim=0).clamp(min=1e-3)
    scaled = known / spread
    penalty = torch.diag(torch.cat([torch.full((2,), 1e-6), torch.full((scaled.shape[1] - 2,), RIDGE)])).double()
    return (torch.linalg.solve(scaled.T @ scaled + penalty, scaled.T @ wanted) / spread[:, None]).float()


def corrections(model: S2MModel, samples: dict[str, Tensor], whole: int, seed: int = 0) -> dict[str, Tensor]:
    """Return the corrections by number of views: the full one for six, from ``whole`` samples; each phase's mean error for fewer."""
    truth, made = coefficients(samples["field"], fields_at_points(model.network)), {}
    for number in range(1, VIEWS + 1):
        count = min(len(truth), whole if number == VIEWS else whole // 4) // 2 * 2
        present = subsets(count // 2, number, seed + number)
        before, after = refined_pairs(model, {key: samples[key][:count] for key in ("echo", "fans")}, present)
        made[f"correction.{number}"] = fit_correction(before, after, truth[:count], full=number == VIEWS)
    return made


def refined_pairs(model: S2MModel, samples: dict[str, Tensor], present: Tensor) -> tuple[Tensor, Tensor]:
    """Return coefficients (S, R) of the network and of the refinement of stored samples seen in the views present (S, V)."""
    before, after = [], []
    pairs = [(row, row + 1) for row in range(0, 40, 2)]
    for rows in torch.arange(len(present)).split(40):
        pictures = stored_pictures({key: value[rows] for key, value in samples.items()})
        before.append(predict(model, pictures, present[rows]).fused)
        after.append(predict(model, pictures, present[rows], pairs[: len(rows) // 2]).fused)
    return torch.cat(before), torch.cat(after)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="lean", help="shipped weights whose answers are refined")
    parser.add_argument("--data", type=Path, required=True, help="samples the network never saw")
    parser.add_argument("--styles", nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--weight", type=float, default=WEIGHT)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--refined", type=int, default=4000, help="most samples that are refined for the correction")
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = load_model(options.model, "cpu")
    samples = load_all(options.data, tuple(options.styles))
    tensors = factors(model.network, samples)
    covariance = {number: tensors[f"factor.{number}"] @ tensors[f"factor.{number}"].T for number in range(1, VIEWS + 1)}
    slicer = template_slicer(model.network.principal, model.network.config.grid)
    uncorrected = replace(model, refiner=Refiner(slicer, covariance, {}, options.weight, options.steps))
    tensors |= corrections(uncorrected, samples, options.refined) | {"sigma_mm": torch.from_numpy(model.sigma_mm).float()}
    card = ModelCard(
        name=options.out.stem,
        kind=REFINED,
        trained={"samples": len(samples["field"]), "styles": options.styles},
        template_sha256=model.card.template_sha256,
        image_hw=model.card.image_hw,
        config={
            "network": options.model,
            "network_sha256": read_card(weights_path(options.model)).sha256,
            "weight": options.weight,
            "steps": options.steps,
        },
        metrics={},
        data_credits=(CREDIT,),
    )
    write_weights(options.out, tensors, card)


if __name__ == "__main__":
    main()

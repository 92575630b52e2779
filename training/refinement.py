r"""Measure a network's errors on samples it never saw, and write the weights that refine its answers.

    python -m training.refinement --data runs/held --styles binary pseudo speckle cyclegan --out resources/weights/accurate.safetensors

The prior of the refinement is the covariance of the errors (``reconstruction.refine``), for one to six views. Then samples are refined, and
what is still wrong is regressed on what is known (``training.correction``); and pictures are spoiled, to learn by which signs they are told
(``training.trustsigns``). ``--second`` names a run of ``training.secondlook``, whose encoder looks again, or several that parted from one.
How much the pictures count (``--weight``) was chosen on other samples. Measuring and calibrating is ``training.evaluate``'s.
"""

from __future__ import annotations

import argparse
import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from echo3d.core.modelcard import ModelCard
from echo3d.io.weights import write_weights
from echo3d.reconstruction.planemoves import moves_between, orthonormal
from echo3d.reconstruction.quick import CLOSER, QuickEncoder, closer_mover, maps_of
from echo3d.reconstruction.reconstruct import REFINED, S2MModel, first_answer, load_model, predict, second_of
from echo3d.reconstruction.refine import Refiner
from echo3d.reconstruction.s2mnet import VIEWS, S2MNet, pooled
from echo3d.reconstruction.slicer import template_slicer
from training.augment import texture_bank
from training.basis import coefficients, fields_at_points
from training.correction import fit_correction, spared, usual_error, volume_slopes
from training.evaluate import load_all
from training.s2mnet import stored_pictures
from training.secondlook import mean_encoder
from training.template import CREDIT
from training.trustsigns import subsets, trust_of

WEIGHT = 5.0
"""How much the squared disagreement of a cell counts; 3 to 10 did equally well, 30 fitted what the encoder got wrong."""

SECOND_WEIGHT = 8.0
"""The same for the maps of the second look; 5 and 12 did a little worse."""

LOOKS, EACH = 3, 2
"""How often it looks again, and how many quick steps follow each time."""

SHRUNK = 0.1
"""Share of the covariance that is taken from its diagonal alone."""

SCARCE = 300
"""Samples at which the covariance of two planes that are rarely seen together counts half; our choice."""


SOUGHT = 100
"""Pairs that the covariance is made of at least; a view is in none of them with one chance in 80 million."""


@torch.inference_mode()
def read_maps(network: S2MNet, samples: dict[str, Tensor]) -> Tensor:
    """Return the pooled structure maps (S, V, cells) of stored samples, all six views."""
    parts = []
    for start in range(0, len(samples["field"]), 40):
        pictures = stored_pictures({key: samples[key][start : start + 40] for key in ("echo", "fans")})
        parts.append(network.maps(pictures, torch.ones(pictures.shape[:2], dtype=torch.bool)))
    return torch.cat(parts)


@torch.inference_mode()
def quick_maps(encoder: QuickEncoder, samples: dict[str, Tensor]) -> Tensor:
    """Return the pooled structure maps (S, V, cells) that an encoder sees in stored samples, all six views."""
    parts = []
    for rows in torch.arange(len(samples["field"])).split(20):
        shown = stored_pictures({key: samples[key][rows] for key in ("echo", "fans")})
        parts.append(pooled(maps_of(encoder, shown, torch.ones(shown.shape[:2], dtype=torch.bool))[0]))
    return torch.cat(parts)


def first_maps(model: S2MModel, samples: dict[str, Tensor]) -> Tensor:
    """Return the pooled structure maps (S, V, cells) that a model's first look reads: the quick one's where it has one."""
    return read_maps(model.network, samples) if model.quick is None else quick_maps(model.quick.encoder, samples)


Refine = Callable[[S2MModel, dict[str, Tensor], Tensor], tuple[Tensor, Tensor]]
"""What refines stored samples seen in the views present (S, V), and returns coefficients (S, R) before and after."""


@torch.inference_mode()
def errors(network: S2MNet, known: Mapping[str, Tensor], present: Tensor) -> Tensor:
    """Return (S, R + 6V) what is to be added to the answers: coefficients, then the moves of each view's plane; NaN where it is absent.

    Parameters
    ----------
    known : structure ``maps`` (S, V, cells) of samples, their ``truth`` (S, R) in coefficients, and their ``sectors`` (S, V, 9)
    """
    rows = []
    for part in torch.arange(len(present)).split(200):
        _, fused, planes, _ = network.read(known["maps"][part] * present[part, :, None], present[part])
        moves = moves_between(orthonormal(planes), known["sectors"][part].float())
        moves = torch.where(present[part, :, None], moves, torch.nan)
        rows.append(torch.cat([known["truth"][part] - fused, moves.flatten(1)], dim=1))
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


def factors(network: S2MNet, samples: dict[str, Tensor], seed: int = 0, maps: Tensor | None = None) -> dict[str, Tensor]:
    """Return by number of views the Cholesky factor of the covariance of errors at ED and then at ES.

    Where there are few pairs, each is seen several times through other views, so that every view is.

    Parameters
    ----------
    maps : pooled structure maps (S, V, cells) of the samples, where they are not the network's own
    """
    truth = coefficients(samples["field"], fields_at_points(network))
    turns, pairs, made = -(-SOUGHT // (len(truth) // 2)), len(truth) // 2, {}
    known = {"maps": read_maps(network, samples) if maps is None else maps, "truth": truth, "sectors": samples["sectors"]}
    known = {key: torch.cat([value] * turns) for key, value in known.items()}
    for number in range(1, VIEWS + 1):
        present = torch.cat([subsets(pairs, number, seed + number + VIEWS * turn) for turn in range(turns)])
        rows = errors(network, known, present).view(turns * pairs, -1)
        made[f"factor.{number}"] = torch.linalg.cholesky(covariance_of(rows)).float()
    return made


def refined_for(samples: int, whole: int, number: int) -> int:
    """Return how many of ``samples`` are refined for the correction of a number of views, where ``whole`` are for six.

    >>> refined_for(5000, 3000, 6), refined_for(5000, 3000, 2), refined_for(3, 2, 2)
    (3000, 374, 2)
    """
    return max(2, min(samples, whole if number == VIEWS else whole // 8) // 2 * 2)


def correction_of(
    model: S2MModel, samples: dict[str, Tensor], number: int, whole: int, seed: int = 0, refine: Refine | None = None
) -> Tensor:
    """Return the correction for a number of views: the full one for six, from ``whole`` samples; each phase's mean error for fewer.

    Parameters
    ----------
    refine : what refines pairs, :func:`refined_pairs` where None
    """
    count = refined_for(len(samples["field"]), whole, number)
    present = subsets(count // 2, number, seed + number)
    before, after = (refine or refined_pairs)(model, {key: samples[key][:count] for key in ("echo", "fans")}, present)
    fields = fields_at_points(model.network)
    truth = coefficients(samples["field"][:count], fields)
    if number != VIEWS:
        return usual_error(after, truth)
    return spared(fit_correction(before, after, truth), truth - after, volume_slopes(model.network.template, fields, after))


def refined_pairs(model: S2MModel, samples: dict[str, Tensor], present: Tensor) -> tuple[Tensor, Tensor]:
    """Return coefficients (S, R) of the network and of the refinement of stored samples seen in the views present (S, V)."""
    before, after = [], []
    pairs = [(row, row + 1) for row in range(0, 40, 2)]
    for rows in torch.arange(len(present)).split(40):
        pictures = stored_pictures({key: value[rows] for key, value in samples.items()})
        before.append(first_answer(model, pictures, present[rows]).answer.fused)
        after.append(predict(model, pictures, present[rows], pairs[: len(rows) // 2]).fused)
    return torch.cat(before), torch.cat(after)


def with_prior(model: S2MModel, tensors: Mapping[str, Tensor], weight: float, steps: int) -> S2MModel:
    """Return a network that refines its answers, held by the prior of :func:`factors`, and does no more than that.

    Where the network has a quick look, hearts begin as that leaves them.
    """
    covariance = {number: tensors[f"factor.{number}"] @ tensors[f"factor.{number}"].T for number in range(1, VIEWS + 1)}
    slicer = template_slicer(model.network.principal, model.network.config.grid)
    mover = None if model.quick is None else closer_mover(slicer, covariance)
    return replace(model, refiner=Refiner(slicer, covariance, {}, weight, steps, begun=mover is not None, mover=mover))


def going_on_as(model: S2MModel) -> dict[str, bool | int]:
    """Return what a card tells of where refining begins: from a network's quick look; how many fields are moved then, in how many steps."""
    return {"begun": True, "modes": CLOSER, "each": EACH} if model.quick is not None else {"begun": False}


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What correction and trust are learned from.

    Parameters
    ----------
    model : that refines, without correction
    samples : that it never saw
    refined : most samples that are refined for the correction of six views
    trusted : samples from which trust is learned anew; none for the network's own
    seed : of all chance
    """

    model: S2MModel
    samples: dict[str, Tensor]
    refined: int
    trusted: int
    seed: int = 0

    def __call__(self, number: int) -> dict[str, Tensor]:
        """Return correction and trust for a number of views."""
        torch.set_num_threads(1)
        made = {f"correction.{number}": correction_of(self.model, self.samples, number, self.refined, self.seed)}
        if self.trusted:
            torch.manual_seed(self.seed + number)
            draws = (np.random.default_rng([self.seed, 41, number]), texture_bank(48, self.seed))
            model = with_correction(self.model, made)
            made[f"trust.{number}"] = trust_of(model, self.samples, number, (self.trusted, self.seed), draws)
        return made

    def by_all(self, workers: int, numbers: Sequence[int] = range(VIEWS, 0, -1)) -> dict[str, Tensor]:
        """Return what these numbers of views give, in turn, in as many processes as are named."""
        if workers < 2:
            return {key: value for number in numbers for key, value in self(number).items()}
        with ProcessPoolExecutor(workers, multiprocessing.get_context("fork"), _begin, (self,)) as pool:
            found = list(pool.map(_learn, numbers))
        return {key: torch.from_numpy(value) for made in found for key, value in made.items()}


_LESSON: list[Lesson] = []


def _begin(lesson: Lesson) -> None:
    _LESSON[:] = [lesson]


def _learn(number: int) -> dict[str, NDArray]:
    return {key: value.numpy() for key, value in _LESSON[0](number).items()}


def card_of(name: str, base: ModelCard, config: Mapping[str, float], trained: Mapping[str, Any]) -> ModelCard:
    """Return the card of weights that refine those of another card, without figures.

    Parameters
    ----------
    config : ``weight`` and ``steps``, and ``second_weight`` and ``looks`` where it looks again
    trained : what is told of how they were made
    """
    network = {"network": base.name, "network_sha256": base.sha256}
    return ModelCard(name, REFINED, dict(trained), base.template_sha256, base.image_hw, network | dict(config), {}, (CREDIT,))


def with_correction(model: S2MModel, tensors: Mapping[str, Tensor]) -> S2MModel:
    """Return a model that refines, with the corrections among a file's tensors."""
    if model.refiner is None:
        raise ValueError("a correction needs a model that refines")
    found = {number: tensors[f"correction.{number}"] for number in range(1, VIEWS + 1) if f"correction.{number}" in tensors}
    return replace(model, refiner=replace(model.refiner, correction=found))


def with_second(model: S2MModel, tensors: dict[str, Tensor], weight: float, looks: int = 1) -> S2MModel:
    """Return a model that refines, with the second look of a file's tensors."""
    if model.refiner is None:
        raise ValueError("a second look needs a first that is refined; give a model that refines")
    second = second_of(model.network, tensors)
    return replace(model, refiner=replace(model.refiner, second=second, second_weight=weight, looks=looks, each=EACH))


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="lean", help="shipped weights whose answers are refined")
    parser.add_argument("--data", type=Path, required=True, help="samples the network never saw")
    parser.add_argument("--styles", nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--weight", type=float, default=WEIGHT)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--second", type=Path, nargs="+", help="a run of training.secondlook or throughheart; the mean of several")
    parser.add_argument("--second-weight", type=float, default=SECOND_WEIGHT)
    parser.add_argument("--looks", type=int, default=LOOKS, help="how often it looks again")
    parser.add_argument("--trusted", type=int, default=0, help="samples from which trust is learned anew, for each number of views")
    parser.add_argument("--refined", type=int, default=4000, help="most samples that are refined for the correction")
    parser.add_argument("--workers", type=int, default=1, help="processes that share the numbers of views; the outcome is the same")
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = load_model(options.model, "cpu")
    samples = load_all(options.data, tuple(options.styles))
    tensors = factors(model.network, samples, maps=first_maps(model, samples))
    uncorrected = with_prior(model, tensors, options.weight, options.steps)
    if options.second:
        tensors |= {f"second.{name}": value for name, value in mean_encoder(options.second).items()}
        uncorrected = with_second(uncorrected, tensors, options.second_weight, options.looks)
    tensors |= {"sigma_mm": torch.from_numpy(model.sigma_mm).float()}
    tensors |= Lesson(uncorrected, samples, options.refined, options.trusted).by_all(options.workers)
    config = {"weight": options.weight, "steps": options.steps, **going_on_as(model)}
    config |= {"second_weight": options.second_weight, "looks": options.looks} if options.second else {}
    told = {"samples": len(samples["field"]), "styles": options.styles}
    card = card_of(options.out.stem, model.card, config, told)
    write_weights(options.out, tensors, card)


if __name__ == "__main__":
    main()

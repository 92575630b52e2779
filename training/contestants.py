"""What is compared, behind one seam: trained networks, rivals that answer in voxels, and guesses that look at no picture.

A reader takes pictures and says hearts; a guess is told the truth of all samples and makes its answer from that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from echo3d.anatomy.template import load_template
from echo3d.core.views import View
from echo3d.errors import InputError, ModelError
from echo3d.io.weights import read_card, weights_path
from echo3d.reconstruction.planes import PlaneModel, load_planes, predict_planes
from echo3d.reconstruction.reconstruct import S2MModel, load_model
from training.evaluate import present_of, reader_of, trained
from training.occupancy import METRIC
from training.s2mnet import stored_pictures

Samples = dict[str, Tensor]

RIVAL_KINDS = ("pix2vox", "s2mnet-paper")


class Answers(NamedTuple):
    """What is said of B samples; None where a contestant says nothing of the kind.

    Attributes
    ----------
    points : (B, N, 3) mm, the hearts' material points
    voxels : (B, 128, 128, 128) uint8, probability of tissue on the common metric grid in units of 1 / 255
    planes : (B, V, 9) origin (mm), axis and lateral of each picture's fan
    trust : (B, V) logit that the picture is the view it is said to be
    """

    points: Tensor | None = None
    voxels: Tensor | None = None
    planes: Tensor | None = None
    trust: Tensor | None = None


Reader = Callable[[Tensor, Tensor], Answers]
"""Takes pictures (B, V, 2, H, W) and present (B, V); rows are end-diastole and end-systole of one heart in turn."""

Guess = Callable[[Tensor], Tensor]
"""Takes the true points (S, N, 3) of all samples and returns an answer (S, N, 3)."""


@dataclass(frozen=True, slots=True, eq=False)
class Contestant:
    """One that is compared.

    Parameters
    ----------
    name : what it is called
    kind : "network", "rival" or "guess"
    read : of networks and rivals
    guess : of guesses
    parameters : learned numbers
    bounds : the card's table ``conformal90`` by number of views; empty where there are no intervals
    voxels : whether it answers in voxels, which are slow and large, instead of points
    shaped : whether its points make a surface that is worth measuring
    """

    name: str
    kind: str
    read: Reader | None = None
    guess: Guess | None = None
    parameters: int = 0
    bounds: Mapping[str, Mapping[str, Mapping]] = field(default_factory=dict)
    voxels: bool = False
    shaped: bool = True


def open_contestant(name: str) -> Contestant:
    """Return the network of a run's folder, a rival's folder, or shipped weights by their name.

    Raises
    ------
    InputError
        If a folder holds no network.
    ModelError
        If there are no such weights.
    """
    run = Path(name)
    if not run.is_dir():
        return _shipped(name)
    recipe = _recipe(run)
    if recipe.get("kind") in RIVAL_KINDS:
        return _rival(run, recipe)
    if not (run / "network.pt").is_file():
        raise InputError(f"a network's folder must hold network.pt or a rival's recipe.json, found neither in {run.name}; train it first")
    return _of_run(run, recipe)


def print_of(name: str) -> str:
    """Return what tells the numbers of a network from those of others: of a folder's file, or by the cards of shipped weights.

    Parameters
    ----------
    name : as for :func:`open_contestant`, which has opened it
    """
    run = Path(name)
    if not run.is_dir():
        card = read_card(weights_path(name))
        return hashlib.sha256(f"{card.sha256} {card.config.get('network_sha256', '')}".encode()).hexdigest()[:16]
    file = next(path for path in (run / "network.safetensors", run / "network.pt") if path.is_file())
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]


def _recipe(run: Path) -> dict[str, Any]:
    path = run / "recipe.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def _shipped(name: str) -> Contestant:
    """Return shipped weights; their planes are their own where they are refined, else the slice plane network's where it is installed."""
    model: S2MModel = load_model(name, "cpu")
    planes = _plane_model(model) if model.refiner is None and model.quick is None else None
    ask = reader_of(model)

    def read(pictures: Tensor, present: Tensor) -> Answers:
        answer = ask(pictures, present)
        found = predict_planes(planes, model, pictures, present) if planes else answer.planes
        return Answers(answer.points, None, found, answer.trust)

    others = (planes and planes.network, model.quick and model.quick.encoder, model.refiner and model.refiner.second)
    parameters = learned(model.network) + sum(learned(one) for one in others if one is not None)
    return Contestant(name, "network", read, parameters=parameters, bounds=model.card.metrics.get("conformal90", {}))


def _plane_model(model: S2MModel) -> PlaneModel | None:
    try:
        return load_planes(model)
    except ModelError:
        return None


def _of_run(run: Path, recipe: Mapping[str, Any]) -> Contestant:
    network, _ = trained(run)

    @torch.inference_mode()
    def read(pictures: Tensor, present: Tensor) -> Answers:
        answer = network(pictures, present)
        return Answers(answer.points, None, answer.planes, answer.trust)

    return Contestant(str(recipe.get("name", run.name)), "network", read, parameters=learned(network))


def _rival(run: Path, recipe: Mapping[str, Any]) -> Contestant:
    from training.rivals import open_rival

    answer, voxels = open_rival(run), recipe["kind"] == "pix2vox"

    @torch.inference_mode()
    def read(pictures: Tensor, present: Tensor) -> Answers:
        said = answer(pictures, present)
        return Answers(None, _on_metric(said)) if voxels else Answers(said)

    return Contestant(str(recipe["name"]), "rival", read, parameters=int(recipe["parameters"]), voxels=voxels)


def _on_metric(probability: Tensor) -> Tensor:
    """Return probabilities (B, D, D, D) of the metric cube on the metric grid, (B, 128, 128, 128) uint8 in units of 1 / 255."""
    if probability.shape[-1] != METRIC.side:
        probability = torch.nn.functional.interpolate(probability[:, None], size=(METRIC.side,) * 3, mode="nearest")[:, 0]
    return (255 * probability.clamp(0, 1)).round().to(torch.uint8)


def learned(network: nn.Module) -> int:
    """Return how many numbers of a network are learned from samples."""
    return sum(p.numel() for p in network.parameters())


def guesses(seed: int = 0) -> list[Contestant]:
    """Return the answers without pictures.

    ``template`` is always the template; ``noise`` numbers drawn evenly over the range of the true coordinates, axis by axis (the paper's
    baseline); ``stranger`` another drawn patient's true heart of the same phase; ``similarity`` the template turned, moved and scaled
    onto the truth as well as can be, which no network is told.
    """
    made: dict[str, Guess] = {"template": _template, "noise": _noise(seed), "stranger": _stranger(seed), "similarity": similar}
    return [Contestant(name, "guess", guess=guess, shaped=name != "noise") for name, guess in made.items()]


def _template(truth: Tensor) -> Tensor:
    return torch.from_numpy(np.array(load_template().points)).float().expand_as(truth)


def _noise(seed: int) -> Guess:
    def guess(truth: Tensor) -> Tensor:
        low, high = truth.amin(dim=(0, 1)), truth.amax(dim=(0, 1))
        return low + (high - low) * torch.rand(truth.shape, generator=torch.Generator().manual_seed(seed))

    return guess


def _stranger(seed: int) -> Guess:
    def guess(truth: Tensor) -> Tensor:
        patients = len(truth) // 2
        order = torch.randperm(patients, generator=torch.Generator().manual_seed(seed))
        other = torch.empty_like(order)
        other[order] = order.roll(1)  # the next in a random round: nobody is his own stranger
        return truth.view(patients, 2, *truth.shape[1:])[other].reshape(truth.shape)

    return guess


def similar(truth: Tensor) -> Tensor:
    """Return the template under the similarity transform that brings its points nearest to each true heart (S, N, 3).

    *Source:* Umeyama 1991, least squares over corresponding points.
    """
    rest = torch.from_numpy(np.array(load_template().points)).float()
    centred = rest - rest.mean(dim=0)
    aim = truth - truth.mean(dim=1, keepdim=True)
    left, size, right = torch.linalg.svd(aim.transpose(1, 2) @ centred)
    sign = torch.ones_like(size)
    sign[:, 2] = torch.linalg.det(left @ right)
    turn = left @ torch.diag_embed(sign) @ right
    scale = (size * sign).sum(dim=1) / centred.square().sum()
    return scale[:, None, None] * (centred @ turn.transpose(1, 2)) + truth.mean(dim=1, keepdim=True)


def swapped(contestant: Contestant) -> Contestant:
    """Return a network that is shown the next patient's pictures instead: what it knows of hearts at large, not of this one."""
    read = contestant.read
    if read is None:
        raise InputError(f"only a network can be shown another heart's pictures, found {contestant.name}; name a network")
    return Contestant(f"{contestant.name}, swapped", "guess", read, parameters=contestant.parameters)


def answered(contestant: Contestant, samples: Samples, views: tuple[View, ...] = tuple(View), batch: int = 24) -> Answers:
    """Return what a contestant says of samples, end-diastole and end-systole in turn, seen through some views.

    Parameters
    ----------
    contestant : a guess is told the truth instead
    samples : of ``training.data``
    views : the views that are shown
    batch : samples at once, an even number
    """
    if contestant.guess is not None:
        return Answers(contestant.guess(true_points(samples)))
    shown = samples
    if contestant.kind == "guess":  # swapped: the pictures and fans of the next patient
        shown = samples | {key: samples[key].roll(2, dims=0) for key in ("echo", "fans")}
    return read_all(contestant, shown, views, batch=2 if contestant.voxels else batch)


def read_all(contestant: Contestant, samples: Samples, views: tuple[View, ...], *, batch: int = 24) -> Answers:
    """Return what a network says of stored samples' pictures, a few at a time."""
    parts = []
    for start in range(0, len(samples["echo"]), batch):
        part = {key: samples[key][start : start + batch] for key in ("echo", "fans")}
        parts.append(_read(contestant, stored_pictures(part), views))
    return joined(parts)


def _read(contestant: Contestant, pictures: Tensor, views: tuple[View, ...]) -> Answers:
    if contestant.read is None:
        raise InputError(f"pictures can only be read by networks, found the guess {contestant.name}; name a network")
    return contestant.read(pictures, present_of(views, len(pictures)))


def joined(parts: list[Answers]) -> Answers:
    """Return answers one after another."""
    columns = zip(*parts, strict=True)
    return Answers(*(None if values[0] is None else torch.cat(values) for values in columns))


def true_points(samples: Samples) -> Tensor:
    """Return the samples' true hearts, (S, N, 3) mm."""
    return samples["field"].float() + torch.from_numpy(np.array(load_template().points)).float()

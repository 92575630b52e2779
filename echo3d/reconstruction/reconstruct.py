"""Echo images to hearts with the trained network."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from echo3d.anatomy.template import load_template
from echo3d.core.images import EchoImage, EchoSet
from echo3d.core.mesh import Template
from echo3d.core.modelcard import USUAL_MODEL, ModelCard
from echo3d.core.result import Reconstruction
from echo3d.core.sector import Sector, sector_towards
from echo3d.core.views import View
from echo3d.errors import InputError, ModelError
from echo3d.io.weights import read_card, read_weights, weights_path, weights_that_are
from echo3d.reconstruction.hasten import hastened, hastened_encoder
from echo3d.reconstruction.quick import QuickEncoder, QuickLook, closer_mover, maps_of, quick_mover
from echo3d.reconstruction.raster import NETWORK_GRID, pixel_size, to_network
from echo3d.reconstruction.refine import Refiner, corrected
from echo3d.reconstruction.s2mnet import VIEWS, Prediction, Read, S2MNet, S2MNetConfig, pooled
from echo3d.reconstruction.secondlook import SecondEncoder
from echo3d.reconstruction.sight import Fit, Sight, sight
from echo3d.reconstruction.slicer import Slicer, template_slicer

PLAIN, REFINED = "s2mnet", "refined s2mnet"
"""Kinds of weights that give hearts: a network's, and those that refine the answers of another's."""

QUICK = "quick."
"""What the names of a quick look's tensors begin with, in the file of the network that it serves."""

BATCH = 8
"""Sets of images sent through the network at once; our choice, it bounds the memory."""


@dataclass(frozen=True, slots=True, eq=False)
class S2MModel:
    """A network ready to answer.

    Parameters
    ----------
    network : in evaluation mode, on ``device``
    card : what is known of its weights
    template : the template it displaces
    sigma_mm : (V + 1, N) expected point error by number of views (row 0 unused)
    device : where it runs
    refiner : what moves an answer until it agrees with the pictures, where the weights come with one
    quick : what looks in its stead in real time, where the weights come with one; weights that refine have it where they go on from there
    """

    network: S2MNet
    card: ModelCard
    template: Template
    sigma_mm: NDArray[np.float64]
    device: torch.device
    refiner: Refiner | None = None
    quick: QuickLook | None = None


def load_model(name: str = USUAL_MODEL, device: str = "auto") -> S2MModel:
    """Return the named weights ready to answer.

    Parameters
    ----------
    name : file stem under resources/weights
    device : "auto", "cpu" or "cuda[:n]"

    Raises
    ------
    ModelError
        If weights or card are missing, damaged, of another kind, or made for another template, or refine a network that is not installed.
    InputError
        If the device does not exist.
    """
    path = weights_path(name)
    card, tensors, template = read_card(path), read_weights(path), load_template()
    if card.kind not in (PLAIN, REFINED):
        raise ModelError(f"a heart needs weights of the kind {PLAIN}, {name} is {card.kind}; choose {USUAL_MODEL}")
    if card.template_sha256 != template.sha256:
        raise ModelError(f"the weights {name} displace another template than the installed one; choose weights made for {template.name}")
    sigma = tensors.pop("sigma_mm").numpy().astype(float)
    if card.kind == REFINED:
        base = load_model(weights_that_are(card.config["network_sha256"], card.config["network"]).stem, device)
        slicer = None if base.quick is None else base.quick.mover.slicer
        refiner = refiner_of(base.network, tensors, card, slicer)
        return replace(base, card=card, sigma_mm=sigma, refiner=refiner, quick=base.quick if refiner.begun else None)
    own = {key.removeprefix(QUICK): tensors.pop(key) for key in list(tensors) if key.startswith(QUICK)}
    network = S2MNet(S2MNetConfig(**card.config), len(template.points))
    network.load_state_dict(tensors)
    place = pick_device(device)
    network.eval().to(place, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return S2MModel(network, card, template, sigma, place, quick=quick_of(network, own, card, place) if own else None)


def quick_of(network: S2MNet, tensors: dict[str, Tensor], card: ModelCard, device: torch.device) -> QuickLook:
    """Return the quick look of a network from its tensors.

    They are the encoder's, those of its own trust, and by number of views the covariance's factor and the correction.
    """
    settings = dict(card.config["quick"])
    steps = settings.pop("steps")
    encoder = QuickEncoder(network.config, settings.pop("waist"))
    encoder.load_state_dict({key.removeprefix("encoder."): value for key, value in tensors.items() if key.startswith("encoder.")})
    encoder.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    covariance = {number: tensors[f"factor.{number}"] @ tensors[f"factor.{number}"].T for number in range(1, VIEWS + 1)}
    slicer = template_slicer(network.principal.cpu(), network.config.grid)
    mover = quick_mover(slicer, covariance, steps=[steps] if isinstance(steps, int) else steps, **settings)
    correction = {number: tensors[f"correction.{number}"] for number in covariance if f"correction.{number}" in tensors}
    trust = {key.removeprefix("trust."): value for key, value in tensors.items() if key.startswith("trust.")}
    return QuickLook(hastened_encoder(encoder), hastened(trusting(network, trust)), mover, correction)


def trusting(network: S2MNet, trust: Mapping[str, Tensor]) -> S2MNet:
    """Return a network that shares all with another but what it trusts by, where there are tensors of that."""
    if not trust:
        return network
    twin = copy.deepcopy(network, {id(part): part for name, part in network.named_children() if name != "trust"} | _buffers(network))
    twin.trust.load_state_dict(dict(trust))
    return twin


def _buffers(network: S2MNet) -> dict[int, Any]:
    return {id(part): part for part in network.buffers()}


def refiner_of(network: S2MNet, tensors: dict[str, Tensor], card: ModelCard, slicer: Slicer | None = None) -> Refiner:
    """Return the refiner of a network from its tensors, by number of views: the covariance's factor, and the correction."""
    covariance = {number: tensors[f"factor.{number}"] @ tensors[f"factor.{number}"].T for number in range(1, VIEWS + 1)}
    correction = {number: tensors[f"correction.{number}"] for number in range(1, VIEWS + 1)}
    slicer = slicer or template_slicer(network.principal.cpu(), network.config.grid)
    trust = {number: tensors[f"trust.{number}"] for number in covariance if f"trust.{number}" in tensors}
    known = {name: card.config[name] for name in ("weight", "steps", "second_weight", "looks", "begun", "each") if name in card.config}
    mover = closer_mover(slicer, covariance, card.config["modes"]) if known.get("begun") else None
    return Refiner(slicer, covariance, correction, second=second_of(network, tensors), trust=trust, mover=mover, **known)


def second_of(network: S2MNet, tensors: dict[str, Tensor]) -> SecondEncoder | None:
    """Return the encoder of the second look, where the weights have one; it runs on the CPU, as all refining does."""
    own = {key.removeprefix("second."): value.float() for key, value in tensors.items() if key.startswith("second.")}
    if not own:
        return None
    second = SecondEncoder(network.config)
    second.load_state_dict(own)
    return hastened_encoder(second.eval().to(memory_format=torch.channels_last))  # type: ignore[call-overload]


def pick_device(name: str) -> torch.device:
    """Return the torch device of a user's word.

    Raises
    ------
    InputError
        If there is no such device.

    >>> pick_device("cpu")
    device(type='cpu')
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        usable = device.type == "cpu" or (device.type == "cuda" and (device.index or 0) < torch.cuda.device_count())
    except RuntimeError:
        usable = False
    if not usable:
        raise InputError(f"--device must be auto, cpu or an existing cuda[:n], found {name!r}; use --device cpu")
    return device


def reconstruct(model: S2MModel, sets: Sequence[EchoSet], phases: Sequence[str], *, refine: bool = True) -> list[Reconstruction]:
    """Return one heart per set of images, each aligned rigidly to the template.

    Parameters
    ----------
    model : see :func:`load_model`
    sets : images of one moment each, one to six views
    phases : "ED", "ES" or "frame" for each set; an ED and the ES behind it are of one beat
    refine : false for a quick look, where the model could take a closer one

    Raises
    ------
    InputError
        If a set holds no image.
    """
    if any(not one.images for one in sets):
        raise InputError("a reconstruction needs at least one recognised view, found none; name a view with --view a4c=FILE")
    hearts: list[Reconstruction] = []
    for start in range(0, len(sets), BATCH):
        part = sets[start : start + BATCH]
        pictures, present = network_input(part)
        answer = predict(model, pictures, present, pairs_in(part, phases[start : start + BATCH]) if refine else ())
        hearts += [read_answer(model, answer, row, one, phase) for row, (one, phase) in enumerate(zip(part, phases[start:], strict=False))]
    return hearts


def pairs_in(sets: Sequence[EchoSet], phases: Sequence[str]) -> list[tuple[int, ...]]:
    """Return the rows that are refined together: ED and the ES behind it where both show the same views, all others alone."""
    groups: list[tuple[int, ...]] = []
    for row, phase in enumerate(phases):
        together = phase == "ES" and groups and phases[row - 1] == "ED" and list(sets[row - 1].images) == list(sets[row].images)
        groups = [*groups[:-1], (row - 1, row)] if together else [*groups, (row,)]
    return groups


def network_input(sets: Sequence[EchoSet]) -> tuple[Tensor, Tensor]:
    """Return pictures (B, V, 2, H, W) float32 and presence (B, V) bool."""
    pictures = np.zeros((len(sets), VIEWS, 2, NETWORK_GRID.height, NETWORK_GRID.width), dtype=np.float32)
    present = np.zeros((len(sets), VIEWS), dtype=bool)
    for row, one in enumerate(sets):
        for view, image in one.images.items():
            pictures[row, view], present[row, view] = to_network(image), True
    return torch.from_numpy(pictures), torch.from_numpy(present)


def predict(model: S2MModel, pictures: Tensor, present: Tensor, together: Sequence[tuple[int, ...]] = ()) -> Prediction:
    """Return the answer on the CPU: the network's own, or moved until it agrees where rows ``together`` are named and the model can.

    The network's own is what frames of a beat are read by: of one frame alone, above all of one view, moving makes hearts that are nearer
    on average and less alike from frame to frame.
    """
    if not together:
        return _plain_prediction(model, pictures, present)
    if model.refiner is None:
        quick = model.quick
        return _plain_prediction(model, pictures, present) if quick is None else _quick_prediction(quick, pictures, present, together)
    first = first_answer(model, pictures, present, together)
    fused, planes, trust = first.answer.fused.clone(), first.answer.planes.clone(), first.answer.trust.clone()
    for rows in together:
        views = present[rows[0]].nonzero()[:, 0].tolist()
        sights, fits = refined_rows(model.refiner, first, pictures, rows, views)
        for row, seen, fit in zip(rows, sights, fits, strict=True):
            fused[row], planes[row, views] = fit.coefficients, fit.planes
            trust[row, views] = model.refiner.trusted(seen, fit, views, first.answer.trust[row, views])
    return Prediction(points_of(model, fused), first.answer.coarse, fused, planes, trust)


@torch.inference_mode()
def points_of(model: S2MModel, fused: Tensor) -> Tensor:
    """Return the points (B, N, 3) mm of coefficients (B, R), on the CPU."""
    return (model.network.template + model.network.at_points(model.network.field(fused.to(model.device)))).cpu()


def _plain_prediction(model: S2MModel, pictures: Tensor, present: Tensor) -> Prediction:
    answer = network_answer(model, pictures, present).answer
    return Prediction(points_of(model, answer.fused), *answer)


@torch.inference_mode()
def _quick_prediction(quick: QuickLook, pictures: Tensor, present: Tensor, together: Sequence[tuple[int, ...]]) -> Prediction:
    """Return the answer of a quick look; pairs of phases among ``together`` are corrected."""
    first = quick_answer(quick, pictures, present, together)
    fused, planes = first.answer.fused.clone(), first.answer.planes.clone()
    for row, fit in first.fits.items():
        fused[row], planes[row, present[row]] = fit.coefficients, fit.planes
    for rows in (list(rows) for rows in together if len(rows) == 2):
        number = int(present[rows[0]].sum())
        if number in quick.correction:
            fused[rows] = corrected(first.answer.fused[rows], fused[rows], quick.correction[number])
    points = torch.stack([quick.mover.points(heart) for heart in fused])
    return Prediction(points, first.answer.coarse, fused, planes, first.answer.trust)


class First(NamedTuple):
    """What a first look at pictures gives, on the CPU.

    Attributes
    ----------
    shares : (B, V, K, h, w) the structure maps
    answer : what was read in them
    fits : by row, where a quick look has moved it already
    """

    shares: Tensor
    answer: Read
    fits: Mapping[int, Fit]


@torch.inference_mode()
def first_answer(model: S2MModel, pictures: Tensor, present: Tensor, together: Sequence[tuple[int, ...]] = ()) -> First:
    """Return what a first look gives: the quick one's where the refiner goes on from there, the network's elsewhere."""
    if model.quick is not None and model.refiner is not None and model.refiner.begun:
        return quick_answer(model.quick, pictures, present, together)
    return network_answer(model, pictures, present)


@torch.inference_mode()
def network_answer(model: S2MModel, pictures: Tensor, present: Tensor) -> First:
    """Return what the network sees and reads, unmoved."""
    shares = model.network.structures(pictures.to(model.device), present.to(model.device))
    read = model.network.read(pooled(shares), present.to(model.device))
    return First(shares.float().cpu(), Read(*(part.float().cpu() for part in read)), {})


@torch.inference_mode()
def quick_answer(quick: QuickLook, pictures: Tensor, present: Tensor, groups: Sequence[tuple[int, ...]]) -> First:
    """Return what a quick look gives; the rows in groups are moved together."""
    place = quick.reader.template.device
    maps, leading = maps_of(quick.encoder, pictures.to(place), present.to(place))
    read = Read(*(part.float().cpu() for part in quick.reader.read(pooled(maps), present.to(place))))
    found: dict[int, Fit] = {}
    for rows in groups:
        views = present[rows[0]].nonzero()[:, 0].tolist()
        found |= zip(rows, quick.mover(sights_of(read, leading.float().cpu(), pictures, rows, views), views), strict=True)
    return First(maps.float().cpu(), read, found)


def refined_rows(refiner: Refiner, first: First, pictures: Tensor, rows: Sequence[int], views: list[int]) -> tuple[list[Sight], list[Fit]]:
    """Return what was seen in the rows of one heart's phases, and its fits."""
    sights = sights_of(first.answer, first.shares, pictures, rows, views)
    begun = [first.fits[row] for row in rows] if first.fits else None
    return sights, refiner(sights, views, pictures[list(rows)][:, views], begun)


def sights_of(answer: Read, shares: Tensor, pictures: Tensor, rows: Sequence[int], views: list[int]) -> list[Sight]:
    """Return what was seen in the rows of one heart's phases, and the network's answer to each."""
    return [sight(answer.fused[row], answer.planes[row, views], shares[row, views], pictures[row, views, 1]) for row in rows]


def read_answer(model: S2MModel, answer: Prediction, row: int, images: EchoSet, phase: str) -> Reconstruction:
    """Return one row of an answer as a heart with its planes and trust."""
    views = list(images.images)
    trust = torch.sigmoid(answer.trust[row])[[int(v) for v in views]]
    each = dict(zip(views, trust.tolist(), strict=True))
    planes = {view: predicted_sector(answer.planes[row, view].numpy().astype(float), images.images[view]) for view in views}
    points, sigma = answer.points[row].numpy().astype(float), model.sigma_mm[len(views)]
    return Reconstruction(phase, points, sigma, planes, float(trust.mean()), view_trust=each)


def predicted_sector(plane: NDArray, image: EchoImage) -> Sector:
    """Return the fan of a predicted plane (9,): predicted place and direction, the picture's own opening and depth."""
    depth = float(np.clip(image.fan.radius * np.mean(pixel_size(image)), 20.0, 400.0))
    half = float(np.clip(image.fan.half_angle, 5.0, 89.0))
    return sector_towards(plane[:3], plane[:3] + plane[3:6], plane[6:9], half, depth)


def best_view(model: S2MModel, image: EchoImage) -> View:
    """Return the apical view that a picture of unknown view is most trusted to be."""
    guesses = (View.A4C, View.A2C, View.A3C)
    hearts = reconstruct(model, [EchoSet({view: image}) for view in guesses], ["frame"] * len(guesses), refine=False)
    return max(zip(hearts, guesses, strict=True), key=lambda pair: pair[0].trust)[1]

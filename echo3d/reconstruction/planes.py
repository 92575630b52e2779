"""The planes of pictures by the slice plane network, in the frame of the heart that S2MNet answers with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from echo3d.core.images import EchoSet
from echo3d.core.modelcard import ModelCard
from echo3d.core.result import Reconstruction
from echo3d.core.sector import Sector
from echo3d.core.views import View
from echo3d.errors import InputError, ModelError
from echo3d.io.weights import read_card, read_weights, weights_path
from echo3d.reconstruction.reconstruct import S2MModel, network_input, predicted_sector
from echo3d.reconstruction.s2mnet import VIEWS, S2MNet, pooled
from echo3d.reconstruction.sliceplane import SlicePlaneConfig, SlicePlaneNet

KIND = "sliceplane"


@dataclass(frozen=True, slots=True, eq=False)
class PlaneModel:
    """A slice plane network ready to answer.

    Parameters
    ----------
    network : in evaluation mode, on the device of the model whose hearts it is asked for
    card : what is known of its weights
    """

    network: SlicePlaneNet
    card: ModelCard


def load_planes(model: S2MModel, name: str = KIND) -> PlaneModel:
    """Return the named slice plane weights ready to answer beside ``model``.

    Raises
    ------
    ModelError
        If weights or card are missing, damaged, of another kind, or made for another template.
    """
    path = weights_path(name)
    card = read_card(path)
    if card.kind != KIND or card.template_sha256 != model.card.template_sha256:
        raise ModelError(f"planes need weights of the kind {KIND} for the model's template, {name[:40]!r} is {card.kind}; choose others")
    network = SlicePlaneNet(SlicePlaneConfig(**card.config))
    network.load_state_dict(read_weights(path))
    return PlaneModel(network.eval().to(model.device), card)


def planes_of(planes: PlaneModel, model: S2MModel, sets: Sequence[EchoSet], *, together: bool = True) -> list[dict[View, Sector]]:
    """Return the fan of every picture of some sets.

    Parameters
    ----------
    planes : see :func:`load_planes`
    model : its encoder reads the pictures where the network reads structure maps
    sets : images of one moment each
    together : whether the views of a set speak to each other; otherwise each picture is asked alone

    Raises
    ------
    InputError
        If a set holds no image.
    """
    if not sets or any(not one.images for one in sets):
        raise InputError("planes need at least one picture in every set, found none; name a view with --view a4c=FILE")
    pictures, present = network_input(sets)
    found = predict_planes(planes, model, pictures, present, together=together).numpy().astype(float)
    return [{view: predicted_sector(row[view], image) for view, image in one.images.items()} for row, one in zip(found, sets, strict=True)]


def predict_planes(planes: PlaneModel, model: S2MModel, pictures: Tensor, present: Tensor, *, together: bool = True) -> Tensor:
    """Return the planes (B, V, 9) of network input (B, V, 2, H, W), on the CPU.

    A network that reads structure maps begins with what S2MNet's own head makes of them.
    """
    with torch.inference_mode():
        shown, there = pictures.to(model.device), present.to(model.device)
        if planes.network.config.reads == "pictures":
            return planes.network(shown, there, together=together).float().cpu()
        shares = model.network.structures(shown, there)
        start = own_planes(model.network, shares, there, torch.full((len(there),), together, device=there.device))
        return planes.network(shares, there, start=start, together=together).float().cpu()


@torch.inference_mode()
def own_planes(network: S2MNet, shares: Tensor, present: Tensor, together: Tensor) -> Tensor:
    """Return the planes (B, V, 9) by S2MNet's own head for structure maps (B, V, CLASSES - 1, H/4, W/4).

    Rows that are not ``together`` (B,) bool are asked view by view.
    """
    maps = pooled(shares)
    planes = network.read(maps, present)[2]
    apart = torch.nonzero(~together).flatten()
    if len(apart):
        one = torch.eye(VIEWS, dtype=torch.bool, device=maps.device).repeat(len(apart), 1)
        each = network.read(maps[apart].repeat_interleave(VIEWS, dim=0), one)[2].unflatten(0, (-1, VIEWS))
        planes[apart] = each.diagonal(dim1=1, dim2=2).transpose(1, 2)
    return planes


def with_planes(planes: PlaneModel, model: S2MModel, sets: Sequence[EchoSet], hearts: Sequence[Reconstruction]) -> list[Reconstruction]:
    """Return hearts with the slice plane network's planes in place of S2MNet's own.

    Each view hears the others of its set; ``planes_by`` names the weights.
    """
    found = planes_of(planes, model, sets)
    return [replace(heart, planes=fans, planes_by=planes.card.name) for heart, fans in zip(hearts, found, strict=True)]

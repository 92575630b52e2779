"""Where PointPWC-Net's trained weights send the points of one surface on another."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

from echo3d.errors import ModelError
from echo3d.io.weights import read_card, read_weights
from echo3d.paths import resource
from echo3d.registration.cloud import Cloud
from echo3d.registration.pointpwc import PARTS, PointPWC, PointPWCConfig
from echo3d.registration.spline import Samples

FILE = "registration/pointpwc.safetensors"

CM = 0.1
"""Centimetres, the network's unit, in a millimetre."""

PASSES = 8
"""How often other points of both clouds are drawn; what differs by the draw is averaged. Our choice."""


@cache
def load_flow(template_sha256: str, device: str = "cpu") -> PointPWC:
    """Return the shipped network, ready to answer.

    Raises
    ------
    ModelError
        If the weights are missing, damaged, or were trained on another template.
    """
    path = resource(FILE)
    card = read_card(path)
    if card.template_sha256 != template_sha256:
        raise ModelError("PointPWC-Net's weights must belong to the template, found another one's; train them with echo3d train pointpwc")
    network = PointPWC(PointPWCConfig(**card.config["network"]))
    network.load_state_dict(read_weights(path))
    return network.eval().requires_grad_(False).to(device)


def flow_samples(network: PointPWC, source: Cloud, target: Cloud, *, passes: int = PASSES, seed: int = 0) -> Samples:
    """Return where points of the source go, as samples in its frame.

    Parameters
    ----------
    network : in the source's frame, towards a target that was brought over it
    source, target : mm
    passes : how often points are drawn
    seed : of the draws
    """
    rng, count = np.random.default_rng(seed), network.config.counts[0]
    device = next(network.parameters()).device
    rows = [_drawn(source, count, rng) for _ in range(passes)]
    ours, theirs = (
        torch.from_numpy(np.stack([_given(cloud, row, network.config.given) for row in chosen])).float().to(device)
        for cloud, chosen in ((source, rows), (target, [_drawn(target, count, rng) for _ in range(passes)]))
    )
    with torch.inference_mode():
        flow = network(ours, theirs)[0].vectors.reshape(-1, 3)
    whole = np.concatenate(rows)
    return Samples(source.points[whole], flow.double().cpu().numpy() / CM, np.ones(len(whole)))


def _drawn(cloud: Cloud, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return rows of a cloud drawn by the area they stand for."""
    share = cloud.weights / cloud.weights.sum()
    return rng.choice(len(cloud), count, replace=count > int((share > 0).sum()), p=share)


def _given(cloud: Cloud, rows: NDArray, count: int) -> NDArray[np.float64]:
    """Return what the network is given of points (K, 3 + count): their places in cm, their normals, and their parts."""
    parts = cloud.tags[rows, None] == np.array(PARTS)
    return np.concatenate([cloud.points[rows] * CM, cloud.normals[rows], parts], axis=1)[:, : 3 + count]

"""Robust optimal transport between two surfaces: equation 4 of the paper, and where its plan sends each point.

Tags on both sides divide it into one small problem per part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from echo3d.registration.backends import Backend, solve
from echo3d.registration.cloud import Cloud
from echo3d.registration.sinkhorn import barycentres, measure_of


class TransportConfig(BaseModel):
    """How transport is solved. The defaults are those of the paper's source for an organ measured in decimetres (science.md A.1)."""

    model_config = ConfigDict(frozen=True)

    unit_mm: float = Field(100.0, gt=0, description="Millimetres that blur and reach count as one.")
    blur: float = Field(0.01, ge=1e-3, description="σ of equation 4: how sharply mass is assigned; about the spacing of the points.")
    reach: float | None = Field(1.0, gt=0, description="τ of equation 4: how far mass goes before it is rather lost; none keeps all of it.")
    scaling: float = Field(0.8, gt=0, lt=1, description="Factor from one blur to the next while the solver cools down.")
    backend: Backend = Field("auto", description="Who solves it: our blocks, geomloss with whole matrices, or geomloss with KeOps.")


@dataclass(frozen=True, slots=True, eq=False)
class Transport:
    """What the plan says of each source point.

    Parameters
    ----------
    displacement : (K, 3) mm, to the weighted mean of the points that its mass goes to; 0 where it sends none
    mass : (K,) share of its mass that goes anywhere; little where it has no partner
    """

    displacement: NDArray[np.float64]
    mass: NDArray[np.float64]


def transport(source: Cloud, target: Cloud, config: TransportConfig | None = None, *, device: str = "cpu") -> Transport:
    """Return the barycentric displacement of the source under equation 4, whatever the tags.

    *Source:* paper equation 4 and the sentence below it, with the plan's mass as it is meant there (not 0).
    """
    config = config or TransportConfig()
    middle = target.points.mean(axis=0)
    x, y = ((cloud.points - middle) / config.unit_mm for cloud in (source, target))
    kind = _precision(x, y, config.blur)
    a, b = (
        measure_of(torch.as_tensor(points, dtype=kind, device=device), torch.as_tensor(np.array(cloud.weights), dtype=kind, device=device))
        for points, cloud in ((x, source), (y, target))
    )
    f, g = solve(a, b, config.backend, blur=config.blur, reach=config.reach, scaling=config.scaling)
    places, mass = barycentres(a, b, f, g, config.blur)
    way = (places - a.points).double().cpu().numpy() * config.unit_mm
    return Transport(way, mass.double().cpu().numpy())


def transport_by_tag(source: Cloud, target: Cloud, config: TransportConfig | None = None, *, device: str = "cpu") -> Transport:
    """Return the displacement of the source with every part carried onto the part of the same tag; parts without one stay, of no mass."""
    way, mass = np.zeros((len(source), 3)), np.zeros(len(source))
    for tag in np.intersect1d(source.tags, target.tags):
        rows = np.flatnonzero(source.tags == tag)
        found = transport(source.kept(rows), target.kept(np.flatnonzero(target.tags == tag)), config, device=device)
        way[rows], mass[rows] = found.displacement, found.mass
    return Transport(way, mass)


def _precision(x: NDArray, y: NDArray, blur: float) -> torch.dtype:
    """Return single precision where it tells costs apart to a thousandth of the last temperature, else double."""
    largest = max(float((points**2).sum(axis=1).max(initial=0)) for points in (x, y))
    return torch.float32 if largest / blur**2 * np.finfo(np.float32).eps < 1e-2 else torch.float64

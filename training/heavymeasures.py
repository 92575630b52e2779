"""What takes a good part of a second per heart: distances of surfaces, overlaps of voxels, and of cuts at the predicted planes.

One task measures one true heart against the answers of all contestants, so that the truth's voxels are filled once; tasks run wherever an
executor takes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from echo3d.anatomy.template import load_template
from echo3d.clinical.overlay import section_labels
from echo3d.cohort.executor import run_all
from echo3d.core.structures import Structure
from echo3d.reconstruction.raster import NETWORK_GRID
from training.distance import surface_distances
from training.occupancy import dice, iou, occupied, own_box
from training.overlayscore import means, overlap, sector_of

PARTS = {
    "lv": Structure.LV_CAVITY,
    "rv": Structure.RV_CAVITY,
    "la": Structure.LA_CAVITY,
    "ra": Structure.RA_CAVITY,
    "lv_muscle": Structure.LV_MYOCARDIUM,
    "rv_muscle": Structure.RV_MYOCARDIUM,
}
"""What a Dice is told of, besides the tissue as a whole."""

CONSENTS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Probabilities from which voxels are taken to be filled; of each heart the best counts, which flatters the rivals.

*Source:* E-Pix2Vox++ reports the best of 0.2 to 0.9 of each case; 0.1 is ours, for networks whose budget left them in doubt.
"""

Figures = dict[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Heart:
    """A true heart and what its pictures show.

    Parameters
    ----------
    points : (N, 3) mm
    labels : (V, H, W) uint8, the structures in its pictures
    fans : (V, 2) half angle (degrees) and depth (mm)
    """

    points: NDArray[np.float32]
    labels: NDArray[np.uint8]
    fans: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """A contestant's answer to one heart.

    Parameters
    ----------
    points : (N, 3) mm, or None
    voxels : (128, 128, 128) probability of tissue on the metric grid in units of 1 / 255, or None
    planes : (V, 9), or None
    brief : whether only the distances of surfaces are wanted
    """

    points: NDArray[np.float32] | None = None
    voxels: NDArray[np.uint8] | None = None
    planes: NDArray[np.float32] | None = None
    brief: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Filled:
    """Voxels of a heart: the tissue, the same on its own box, and parts by name."""

    tissue: NDArray[np.bool_]
    own: NDArray[np.bool_]
    parts: dict[str, NDArray[np.bool_]]


def heart_figures(heart: Heart, said: Mapping[str, Said], seed: int = 0) -> dict[str, Figures]:
    """Return for each contestant what is told of its answer to one heart; deterministic by the seed.

    ``surface_mm``, ``surface_p95_mm``, ``lv_endo_mm``: distances of random vertices of either surface to the other one. ``iou``,
    ``iou_own``: overlap of the tissue without the aorta on the metric grid, and once both are stretched to fill it. ``dice_*``: of the
    tissue and parts. ``overlay_*``: overlap (IoU) of the answer's cut at the predicted planes with the pictures' structures, mean over
    the views.
    """
    truth = _fill(heart.points)
    return {name: _figures(heart, truth, one, np.random.default_rng(seed)) for name, one in said.items()}


def _fill(points: NDArray) -> _Filled:
    exact = points.astype(float)
    tissue = occupied(exact)
    return _Filled(tissue, own_box(tissue), {name: occupied(exact, structures=(part,)) for name, part in PARTS.items()})


def _figures(heart: Heart, truth: _Filled, said: Said, rng: np.random.Generator) -> Figures:
    if said.voxels is not None:
        return _best_overlap(said.voxels, truth)
    if said.points is None:
        return {}
    if said.brief:
        return _surfaces(said.points, heart.points, rng)
    filled = _fill(said.points)
    found = _overlap(filled.tissue, truth) | {f"dice_{name}": dice(filled.parts[name], truth.parts[name]) for name in PARTS}
    found |= _surfaces(said.points, heart.points, rng)
    return found | (_overlays(heart, said.points, said.planes) if said.planes is not None else {})


def _overlap(tissue: NDArray, truth: _Filled) -> Figures:
    return {"iou": iou(tissue, truth.tissue), "iou_own": iou(own_box(tissue), truth.own), "dice_tissue": dice(tissue, truth.tissue)}


def _best_overlap(voxels: NDArray, truth: _Filled) -> Figures:
    """Return the overlaps at the consent that gives each its best, and that of the metric grid as ``consent``."""
    tried = {consent: _overlap(voxels >= 255 * consent, truth) for consent in CONSENTS}
    best = {name: max(figures[name] for figures in tried.values()) for name in ("iou", "iou_own", "dice_tissue")}
    return best | {"consent": max(tried, key=lambda consent: tried[consent]["iou"])}


def _surfaces(points: NDArray, truth: NDArray, rng: np.random.Generator) -> Figures:
    template = load_template()
    apart = surface_distances(points, truth, template.mesh.faces, rng)
    endo = surface_distances(points, truth, template.cavities["lv"], rng)
    return {"surface_mm": float(apart.mean()), "surface_p95_mm": float(np.quantile(apart, 0.95)), "lv_endo_mm": float(endo.mean())}


def _overlays(heart: Heart, points: NDArray, planes: NDArray) -> Figures:
    exact, views = points.astype(float), []
    for labels, plane, fan in zip(heart.labels, planes.astype(float), heart.fans, strict=True):
        views.append(overlap(section_labels(load_template(), exact, sector_of(plane, fan), NETWORK_GRID), labels))
    return {f"overlay_{name}": value for name, value in means(views).items() if name in ("heart", "lv")}


def all_figures(
    executor: Executor, hearts: Sequence[Heart], said: Sequence[Mapping[str, Said]], heard: Callable[[float], None]
) -> list[dict[str, Figures]]:
    """Return the figures of many hearts, in their order.

    Parameters
    ----------
    executor : where the tasks run
    hearts, said : the truths, and to each the contestants' answers
    heard : hears the share that is done
    """
    found: list[dict[str, Figures]] = [{} for _ in hearts]
    tasks = [(heart, answers, number) for number, (heart, answers) in enumerate(zip(hearts, said, strict=True))]
    for done, (number, figures) in enumerate(run_all(executor, heart_figures, tasks), start=1):
        found[number] = figures
        heard(done / len(tasks))
    return found

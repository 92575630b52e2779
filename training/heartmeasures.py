"""How far answers are from true hearts: figures of every patient at both phases, and what they come to for some patients together.

A *table* holds named figures as arrays of (P, 2) for P patients at end-diastole and end-systole, or (P,) for what needs both; where a
figure was not measured it is NaN.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import ConvexHull
from scipy.stats import rankdata
from torch import Tensor

from echo3d.anatomy.contours import longitudinal_strain
from echo3d.anatomy.template import load_template
from echo3d.core.structures import CHAMBER_KEYS
from echo3d.reconstruction.uncertainty import VOLUMES, half_widths
from training.evaluate import by_chamber, cavity_faces
from training.losses import volumes_ml

Table = dict[str, NDArray]

SIGNED = (*(f"{key}_pc" for key in CHAMBER_KEYS), "lv_hull_pc", "ef_points", "ef_hull_points")
"""Figures that have a direction: their mean size is told, and their mean as the bias."""

QUANTITIES = (*VOLUMES, "sv_ml", "ef")

EVERY = 10
"""Points of which one is kept for the paper's volume. *Source:* the paper, section 5.4 (0.1 x subsampling of all points)."""


def by_patient(values: NDArray) -> NDArray:
    """Return (S, ...) values of end-diastole and end-systole in turn as (S / 2, 2, ...)."""
    return values.reshape(len(values) // 2, 2, *values.shape[1:])


def point_table(points: Tensor, truth: Tensor) -> Table:
    """Return the errors of points (S, N, 3): the paper's mean squared error over all coordinates in cm², and the mean distance in mm."""
    apart = (points - truth).double()
    found = {"mse_cm2": apart.square().mean(dim=(1, 2)) / 100, "points_mm": apart.norm(dim=2).mean(dim=1)}
    return {name: by_patient(values.numpy()) for name, values in found.items()}


def hull_ml(points: NDArray) -> float:
    """Return the volume of the LV in ml from every tenth of a heart's points (N, 3), as the paper measures it.

    The tetrahedra of a Delaunay triangulation fill the convex hull of its points, so the hull's volume is theirs.
    *Source:* the paper, section 5.4; it names no way to carve the hull, so none is used.

    >>> round(hull_ml(load_template().points))
    125
    """
    lv = np.unique(load_template().cavities["lv"])
    return float(ConvexHull(points[lv[lv % EVERY == 0]]).volume) / 1000


def volume_table(points: Tensor, volumes: Tensor) -> Table:
    """Return the errors of chambers (by closed surface, in per cent of the true volume) and EF (in points), and the EF itself.

    Parameters
    ----------
    points : (S, N, 3) mm
    volumes : (S, 4) ml, the truth

    Returns
    -------
    Table
        ``lv_hull_pc`` and ``ef_hull_points`` hold the paper's way to measure an answer against the true closed surface.
    """
    said, true = by_patient(volumes_ml(points, cavity_faces()).double().numpy()), by_patient(volumes.double().numpy())
    hull = by_patient(np.array([hull_ml(heart) for heart in points.numpy()]))
    table = {f"{key}_pc": 100 * (said[..., k] / true[..., k] - 1) for k, key in enumerate(CHAMBER_KEYS)}
    ef, ef_hull, ef_true = (1 - lv[:, 1] / lv[:, 0] for lv in (said[..., 0], hull, true[..., 0]))
    return table | {
        "lv_hull_pc": 100 * (hull / true[..., 0] - 1),
        "ef": ef,
        "ef_true": ef_true,
        "ef_points": 100 * (ef - ef_true),
        "ef_hull_points": 100 * (ef_hull - ef_true),
        "lv_ml": said[..., 0],
        "lv_true_ml": true[..., 0],
    }


def strains(truth: Tensor) -> NDArray[np.float64]:
    """Return the global longitudinal strain (P,) in per cent of true hearts (2 P, N, 3), negative where they shorten."""
    pairs = by_patient(truth.double().numpy())
    return np.array([100 * longitudinal_strain(ed, es) for ed, es in pairs])


def plane_table(planes: Tensor, true: Tensor, depth: Tensor) -> Table:
    """Return the mean errors of the predicted planes of each heart.

    Parameters
    ----------
    planes, true : (S, V, 9) origin (mm), axis and lateral of each picture's fan
    depth : (S, V) mm of the fans

    Returns
    -------
    Table
        ``probe_mm`` and ``centre_mm``, how far the fan's tip and the middle of its central beam are off; ``offset_mm``, the latter along
        the plane's normal; ``normal_deg``, ``beam_deg`` and ``turn_deg``, angles of the normals, of the central beams, and of the whole
        rotation.
    """
    said, right = (_frames(part.double()) for part in (planes, true))
    tips = planes[..., :3].double(), true[..., :3].double()
    middle = [tip + depth.double()[..., None] / 2 * frame[..., 0, :] for tip, frame in zip(tips, (said, right), strict=True)]
    missed = middle[0] - middle[1]
    trace = torch.einsum("svij,svij->sv", said, right)
    found = {
        "probe_mm": (tips[0] - tips[1]).norm(dim=-1),
        "centre_mm": missed.norm(dim=-1),
        "offset_mm": (missed * right[..., 2, :]).sum(dim=-1).abs(),
        "normal_deg": _degrees((said[..., 2, :] * right[..., 2, :]).sum(dim=-1)),
        "beam_deg": _degrees((said[..., 0, :] * right[..., 0, :]).sum(dim=-1)),
        "turn_deg": _degrees((trace - 1) / 2),
    }
    return {name: by_patient(values.mean(dim=1).numpy()) for name, values in found.items()}


def _frames(planes: Tensor) -> Tensor:
    """Return orthonormal (..., 3, 3) rows axis, lateral, normal of planes (..., 9)."""
    axis = torch.nn.functional.normalize(planes[..., 3:6], dim=-1)
    lateral = planes[..., 6:9] - (planes[..., 6:9] * axis).sum(dim=-1, keepdim=True) * axis
    lateral = torch.nn.functional.normalize(lateral, dim=-1)
    return torch.stack([axis, lateral, torch.linalg.cross(lateral, axis)], dim=-2)


def _degrees(cosine: Tensor) -> Tensor:
    return torch.rad2deg(torch.arccos(cosine.clamp(-1, 1)))


def interval_table(volumes: Tensor, true: Tensor, bounds: Mapping[str, Mapping]) -> Table:
    """Return for each quantity whether its 90 % interval holds the truth, and how wide it is (ml; EF in points).

    Parameters
    ----------
    volumes, true : (S, 4) ml of the four chambers, end-diastole and end-systole in turn: measured, and the truth
    bounds : a row of the card's ``conformal90``; see ``uncertainty.fit_bounds``
    """
    said, right, found = by_chamber(volumes), by_chamber(true), dict[str, NDArray]()
    for name, half in half_widths(bounds, said).items():
        found[f"covered_{name}"] = np.where(np.abs(right[name] - said[name]) <= half, 100.0, 0.0)
        found[f"width_{name}"] = 2 * half * (100 if name == "ef" else 1)
    return found


def correlation(one: NDArray, other: NDArray) -> float:
    """Return Pearson's r; NaN for fewer than three pairs or where one does not vary.

    >>> round(correlation(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 5.9])), 3)
    1.0
    """
    if len(one) < 3 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])


def auroc(good: NDArray, bad: NDArray) -> float:
    """Return the probability that a score of the good is above one of the bad; ties count half.

    *Source:* the Mann-Whitney statistic.

    >>> auroc(np.array([2.0, 3.0]), np.array([1.0, 2.0]))
    0.875
    """
    ranks = rankdata(np.concatenate([good, bad]))[: len(good)]
    return float((ranks.sum() - len(good) * (len(good) + 1) / 2) / (len(good) * len(bad)))


def row_of(table: Table, patients: NDArray, gls: NDArray) -> dict[str, float]:
    """Return what a table comes to for some patients: means, biases, spread of the mean squared error, and correlations of the EF.

    Parameters
    ----------
    table : figures of all patients
    patients : (P,) bool, who counts
    gls : (P,) per cent, of the true hearts
    """
    row: dict[str, float] = {}
    for name, values in table.items():
        kept = values[patients]
        kept = kept[np.isfinite(kept)]
        if name in ("ef", "ef_true", "lv_ml", "lv_true_ml") or not len(kept):
            continue
        row[name] = float(np.abs(kept).mean() if name in SIGNED else kept.mean())
        if name in SIGNED:
            row[f"{name}_bias"] = float(kept.mean())
        if name == "mse_cm2":
            row |= {"mse_cm2_sd": float(kept.std()), "mse_cm2_least": float(kept.min()), "mse_cm2_most": float(kept.max())}
        if name in ("iou", "iou_own"):
            row[f"{name}_median"] = float(np.median(kept))
    if "ef" in table:
        row["r_ef_gls"] = correlation(table["ef"][patients], gls[patients])
        row["r_ef_true"] = correlation(table["ef"][patients], table["ef_true"][patients])
    return row

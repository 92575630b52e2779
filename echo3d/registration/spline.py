"""Fields from scattered displacements: averages under Gaussian kernels, kernel ridge regression, smoothing along the surface, folds.

*Source:* reference science.md A.3 (kernels and sizes of the paper's source); the formulas are the usual ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy.linalg import cho_factor, cho_solve
from scipy.spatial import cKDTree

from echo3d.registration.kernelgrid import MOST_NODES, REACH, grid_shape, grid_sums

MOST_PAIRS = 1_000_000
"""Pairs of a sample and a place up to which they are looked at one by one, in a tenth of a second; more go over a grid. Our choice."""

_ROWS = 1000
"""Points smoothed along the surface at once, which bounds the memory that their pairs take."""


class SplineConfig(BaseModel):
    """Kernels of the spline. The widths are the source's for an organ (0.05, 0.1, 0.2 decimetres), the shares its usual ones."""

    model_config = ConfigDict(frozen=True)

    widths_mm: tuple[float, ...] = Field((5.0, 10.0, 20.0), description="Widths of the Gaussian kernels, mm.")
    shares: tuple[float, ...] = Field((0.2, 0.3, 0.5), description="Share of each width in the sum.")
    again: int = Field(2, ge=0, le=10, description="How often transport is repeated from there, smoothed along the surface.")
    along_mm: float = Field(8.0, gt=0, description="Width of that smoothing along the surface, mm.")
    look_mm: float = Field(2.0, gt=0, description="Width by which the surface's direction is found, mm.")
    least: float = Field(0.3, gt=0, le=1, description="Width across the surface at least, as a share of that along it.")


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Displacements at scattered places.

    Parameters
    ----------
    places : (K, 3) mm
    vectors : (K, 3) mm
    weights : (K,) how much each is believed
    """

    places: NDArray[np.float64]
    vectors: NDArray[np.float64]
    weights: NDArray[np.float64]


def averaged(samples: Samples, at: NDArray, width_mm: float) -> NDArray[np.float64]:
    """Return the weighted mean (Q, 3) of displacements round each place (Q, 3) under a Gaussian kernel (Nadaraya and Watson).

    A place with no sample within three widths takes the nearest one's. Very many samples go over a grid, which is as good as exact.

    >>> samples = Samples(np.array([[0.0, 0, 0], [2, 0, 0]]), np.array([[1.0, 0, 0], [3, 0, 0]]), np.ones(2))
    >>> averaged(samples, np.array([[1.0, 0, 0], [90, 0, 0]]), 1.0)[:, 0].tolist()
    [2.0, 3.0]
    """
    tree = cKDTree(samples.places)
    weighted = np.concatenate([samples.weights[:, None], samples.weights[:, None] * samples.vectors], axis=1)
    if len(at) and _many_pairs(tree, at, width_mm):
        sums = grid_sums(samples.places, weighted, at, width_mm)
    else:
        sums = _pair_sums(tree, weighted, at, width_mm)
    alone = sums[:, 0] <= 1e-12
    result = sums[:, 1:] / np.where(alone, 1, sums[:, 0])[:, None]
    if alone.any():
        result[alone] = samples.vectors[tree.query(at[alone])[1]]
    return np.asarray(result)


def _many_pairs(tree: cKDTree, at: NDArray, width_mm: float) -> bool:
    """Return whether samples and places (Q, 3) make more pairs than are looked at one by one, and a grid is no larger than it may be."""
    some = at[:: max(1, len(at) // 200)]
    pairs = float(np.mean(tree.query_ball_point(some, REACH * width_mm, return_length=True))) * len(at)
    return pairs > MOST_PAIRS and np.prod(grid_shape(tree.data, at, width_mm)[1], dtype=float) <= MOST_NODES


def _pair_sums(tree: cKDTree, values: NDArray, at: NDArray, width_mm: float) -> NDArray[np.float64]:
    """Return sums (Q, C) of values (K, C) under a Gaussian kernel round each place (Q, 3), pair by pair."""
    near = cKDTree(at).sparse_distance_matrix(tree, REACH * width_mm, output_type="ndarray")
    kernel = np.exp(-((near["v"] / width_mm) ** 2) / 2)
    return np.stack([np.bincount(near["i"], kernel * channel[near["j"]], len(at)) for channel in values.T], axis=1)


def gaussian_spline(samples: Samples, at: NDArray, config: SplineConfig | None = None) -> NDArray[np.float64]:
    """Return the spline's displacement (Q, 3) at places (Q, 3): averages of several widths, in fixed shares."""
    config = config or SplineConfig()
    parts = [share * averaged(samples, at, width) for width, share in zip(config.widths_mm, config.shares, strict=True)]
    return np.asarray(sum(parts)) / sum(config.shares)


def ridge_spline(samples: Samples, at: NDArray, width_mm: float, *, stiffness: float = 0.1, knots: int = 800) -> NDArray[np.float64]:
    """Return kernel ridge regression's displacement (Q, 3): the Gaussian field that fits the samples best for how much it bends.

    Parameters
    ----------
    samples : any number
    at : (Q, 3) mm
    width_mm : of the kernel
    stiffness : price of bending; 0 fits as well as the knots can
    knots : most places that carry a kernel, spread evenly over the samples
    """
    centres = samples.places[spread(samples.places, knots)]
    kernel, between = _gaussian(samples.places, centres, width_mm), _gaussian(centres, centres, width_mm)
    share = samples.weights / samples.weights.mean()
    normal = (kernel * share[:, None]).T @ kernel + stiffness * between + 1e-6 * len(kernel) * np.eye(len(centres))
    coefficients = cho_solve(cho_factor(normal), kernel.T @ (share[:, None] * samples.vectors))
    return np.asarray(_gaussian(at, centres, width_mm) @ coefficients)


def _gaussian(a: NDArray, b: NDArray, width_mm: float) -> NDArray[np.float64]:
    """Return the kernel matrix (len(a), len(b))."""
    square = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    return np.asarray(np.exp(-np.maximum(square, 0) / (2 * width_mm**2)))


def spread(points: NDArray, count: int) -> NDArray[np.int64]:
    """Return ``count`` rows far from each other (farthest-point sampling), or all rows where there are no more.

    >>> spread(np.array([[0.0], [1], [2], [10]]), 3).tolist()
    [0, 3, 2]
    """
    if len(points) <= count:
        return np.arange(len(points))
    chosen = np.zeros(count, np.int64)
    nearest = ((points - points[0]) ** 2).sum(axis=1)
    for k in range(1, count):
        chosen[k] = nearest.argmax()
        nearest = np.minimum(nearest, ((points - points[chosen[k]]) ** 2).sum(axis=1))
    return chosen


def anisotropic(samples: Samples, *, look_mm: float = 2.0, width_mm: float = 8.0, least: float = 0.3) -> NDArray[np.float64]:
    """Return displacements (K, 3) averaged far along the surface and little across it.

    Parameters
    ----------
    samples : any
    look_mm : width of the kernel by which the surface's direction is found
    width_mm : width along the surface
    least : width across it at least, as a share of that along it

    *Source:* the anisotropic kernel of the paper's source (covariance 0.02, kernel 0.08, eigenvalues at least 0.3; decimetres).
    """
    tree, result = cKDTree(samples.places), np.zeros_like(samples.vectors)
    metric = _metrics(samples.places, tree, look_mm, least)
    for start in range(0, len(result), _ROWS):
        rows = slice(start, start + _ROWS)
        near = cKDTree(samples.places[rows]).sparse_distance_matrix(tree, REACH * width_mm, output_type="ndarray")
        way = samples.places[near["j"]] - samples.places[rows][near["i"]]
        squares = np.einsum("pi,pij,pj->p", way, metric[rows][near["i"]], way) / width_mm**2
        kernel = np.exp(-squares / 2) * samples.weights[near["j"]]
        count = len(samples.places[rows])
        total = np.bincount(near["i"], kernel, count)
        sums = [np.bincount(near["i"], kernel * samples.vectors[near["j"], axis], count) for axis in range(3)]
        result[rows] = np.stack(sums, axis=1) / np.where(total > 0, total, 1)[:, None]
    return result


def _metrics(places: NDArray, tree: cKDTree, look_mm: float, least: float) -> NDArray[np.float64]:
    """Return per point the metric (K, 3, 3) that is one along the surface and more across it."""
    near = tree.sparse_distance_matrix(tree, REACH * look_mm, output_type="ndarray")
    way = places[near["j"]] - places[near["i"]]
    weights = np.exp(-((near["v"] / look_mm) ** 2) / 2)
    entries = [np.bincount(near["i"], weights * way[:, a] * way[:, b], len(places)) for a in range(3) for b in range(3)]
    values, axes = np.linalg.eigh(np.stack(entries, axis=1).reshape(-1, 3, 3))
    width = np.maximum(np.sqrt(np.maximum(values, 0) / np.maximum(values[:, -1:], 1e-12)), least)
    return np.asarray(np.einsum("kia,ka,kja->kij", axes, 1 / width**2, axes))


def folds(points: NDArray, moved: NDArray, *, neighbours: int = 32) -> NDArray[np.bool_]:
    """Return at which points (N,) a displacement turns space inside out.

    Round each point the displacement's affine part is fitted to its neighbours, on both sides of a wall; it must keep its orientation.

    >>> cube = np.stack(np.meshgrid(*[np.arange(4.0)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    >>> int(folds(cube, 2 * cube).sum()), bool(folds(cube, cube * [1, 1, -1]).all())
    (0, True)
    """
    _, near = cKDTree(points).query(points, k=min(neighbours, len(points)))
    before, after = points[near] - points[:, None], moved[near] - moved[:, None]
    square = np.einsum("nki,nkj->nij", before, before)
    rest = 1e-2 * np.trace(square, axis1=1, axis2=2)[:, None, None] * np.eye(3)
    affine = np.linalg.solve(square + rest, np.einsum("nki,nkj->nij", before, after) + rest)
    return np.asarray(np.linalg.det(affine) <= 0)


def unfolded(points: NDArray, moved: NDArray, widths_mm: Sequence[float] = (3.0, 5.0, 8.0, 12.0, 20.0)) -> NDArray[np.float64]:
    """Return moved points (N, 3) whose displacement is averaged, wider and wider, where it folds, until nothing does."""
    result, vectors = np.array(moved, float), moved - points
    for width in widths_mm:
        wrong = folds(points, result)
        if not wrong.any():
            break
        distance, _ = cKDTree(points[wrong]).query(points, distance_upper_bound=2 * width)
        here = np.flatnonzero(np.isfinite(distance))
        share = np.exp(-((distance[here] / width) ** 2))[:, None]
        smooth = averaged(Samples(points, vectors, np.ones(len(points))), points[here], width)
        result[here] = points[here] + (1 - share) * (result[here] - points[here]) + share * smooth
    return result

"""The last millimetre: points drawn onto the target's surface along its normals, by a field that is smooth along the template."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echo3d.registration.cloud import Cloud
from echo3d.registration.matching import Matcher
from echo3d.registration.shapefit import Source
from echo3d.registration.spline import Samples, averaged

WIDTHS_MM = (12.0, 8.0, 6.0, 4.0, 3.0, 3.0)
"""Widths by which the pull of the surface is averaged, one pass each. Our choice: down to the spacing of the template's points."""


def refine(source: Source, matcher: Matcher, points: NDArray, widths_mm: tuple[float, ...] = WIDTHS_MM) -> NDArray[np.float64]:
    """Return material points (N, 3) drawn onto the target.

    Parameters
    ----------
    source : the template's parts
    matcher : the target
    points : (N, 3) mm, near it already
    widths_mm : kernel widths, one pass each
    """
    points = np.array(points, float)
    for width in widths_mm:
        cloud = source.cloud(points)
        points = points + averaged(_pull(matcher, cloud), points, width)
    return points


def _pull(matcher: Matcher, cloud: Cloud) -> Samples:
    """Return by how much the points of a cloud stand off the target, along the target's normals."""
    pairs = matcher.pairs(cloud)
    here = cloud.points[pairs.rows]
    off = ((pairs.goals - here) * pairs.normals).sum(axis=1, keepdims=True) * pairs.normals
    weights = np.bincount(pairs.rows, pairs.weights, len(cloud)).astype(float)
    total = np.stack([np.bincount(pairs.rows, pairs.weights * off[:, axis], len(cloud)) for axis in range(3)], axis=1)
    seen = weights > 0
    return Samples(cloud.points[seen], total[seen] / weights[seen, None], weights[seen])

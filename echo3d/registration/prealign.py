"""Where the template lies before it bends: the similarity from landmarks, from the middles of parts, or found among start rotations."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from echo3d.errors import RegistrationFailed
from echo3d.registration.cloud import Cloud, carried, thinned
from echo3d.registration.shapefit import Similarity
from echo3d.registration.transport import TransportConfig, transport

STARTS = 64
"""Rotations tried where nothing says which way a heart lies. *Source:* the paper's source searches as many (science.md A.4)."""

FEWEST = 4
"""Middles of parts that are enough to tell place, direction and size."""

NORMAL_MM = 15.0
"""Millimetres that a normal turned by a radian counts as in the search: insides and outsides of chambers tell the way a heart lies. Without
it one of two drawn hearts whose parts are not known ended the wrong way round, with it none of eight. Our choice."""

_COARSE = TransportConfig(blur=0.06, reach=0.6)


def procrustes(moving: NDArray, fixed: NDArray, weights: NDArray | None = None) -> Similarity:
    """Return the similarity that brings ``moving`` (K, 3) nearest to ``fixed`` in weighted least squares. *Source:* Umeyama 1991.

    >>> found = procrustes(np.eye(3), 2 * np.eye(3) + 1)
    >>> round(found.scale, 6), found.carry(np.zeros((1, 3))).round(6).tolist()
    (2.0, [[1.0, 1.0, 1.0]])
    """
    share = np.ones(len(moving)) if weights is None else weights
    share = (share / share.sum())[:, None]
    centre, goal = (share * moving).sum(axis=0), (share * fixed).sum(axis=0)
    left, values, right = np.linalg.svd((share * (moving - centre)).T @ (fixed - goal))
    turn = np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    rotation = (left @ turn @ right).T
    size = float((share * (moving - centre) ** 2).sum())
    scale = float((values * np.diag(turn)).sum() / size) if size > 0 else 1.0
    return Similarity(scale, rotation, goal - scale * rotation @ centre)


def from_landmarks(own: Mapping[str, NDArray], others: Mapping[str, NDArray]) -> Similarity | None:
    """Return the similarity between landmarks of the same names, None where fewer than four are shared."""
    names = sorted(set(own) & set(others))
    return procrustes(np.stack([own[n] for n in names]), np.stack([others[n] for n in names])) if len(names) >= FEWEST else None


def from_parts(source: Cloud, target: Cloud) -> Similarity | None:
    """Return the similarity between the middles of parts of the same tag, None where fewer than four are shared."""
    tags = [int(tag) for tag in np.intersect1d(source.tags, target.tags) if tag]
    if len(tags) < FEWEST:
        return None
    own, other = (np.stack([_middle(cloud, tag) for tag in tags]) for cloud in (source, target))
    return procrustes(own, other)


def _middle(cloud: Cloud, tag: int) -> NDArray[np.float64]:
    """Return the middle (3,) of a part's surface."""
    rows = cloud.tags == tag
    return np.asarray(np.average(cloud.points[rows], axis=0, weights=cloud.weights[rows] + 1e-12))


def from_search(source: Cloud, target: Cloud, starts: int = STARTS) -> Similarity:
    """Return the similarity that lays one cloud on another, whichever way it lies: the best of many start rotations, then transport.

    Raises
    ------
    RegistrationFailed
        If the clouds have no extent.
    """
    a, b = (thinned(cloud, _extent(cloud) / 14)[0] for cloud in (source, target))
    if min(len(a), len(b)) < FEWEST:
        raise RegistrationFailed("a heart's surface must have an extent, found points in one place; give a whole surface")
    tree, found = cKDTree(_features(b)), []
    for turn in Rotation.random(starts, rng=np.random.default_rng(0)).as_matrix():
        start = _centred(a, b, turn)
        found.append(_closest(a, b, tree, start))
    best = sorted(found, key=lambda one: one[0])[:4]
    return min((_settled(a, b, tree, pose) for _, pose in best), key=lambda one: one[0])[1]


def _extent(cloud: Cloud) -> float:
    """Return the diagonal of a cloud's box in mm."""
    return max(float(np.linalg.norm(np.ptp(cloud.points, axis=0))), 1e-6)


def _centred(a: Cloud, b: Cloud, rotation: NDArray) -> Similarity:
    """Return the similarity of one rotation that gives both clouds the same middle and size."""
    middles = [np.average(cloud.points, axis=0, weights=cloud.weights) for cloud in (a, b)]
    sizes = [np.sqrt(np.average(((c.points - m) ** 2).sum(axis=1), weights=c.weights)) for c, m in zip((a, b), middles, strict=True)]
    scale = float(sizes[1] / sizes[0])
    return Similarity(scale, rotation, middles[1] - scale * rotation @ middles[0])


def _closest(a: Cloud, b: Cloud, tree: cKDTree, pose: Similarity, steps: int = 12) -> tuple[float, Similarity]:
    """Return the mean distance after some steps of nearest points, and the similarity then."""
    for _ in range(steps):
        _, near = tree.query(_features(carried(a, pose)))
        pose = procrustes(a.points, b.points[near], a.weights)
    return _distance(a, b, tree, pose), pose


def _features(cloud: Cloud) -> NDArray[np.float64]:
    """Return what points are sought by (K, 6) in mm: their places and the ways that they face."""
    return np.concatenate([cloud.points, NORMAL_MM * cloud.normals], axis=1)


def _settled(a: Cloud, b: Cloud, tree: cKDTree, pose: Similarity) -> tuple[float, Similarity]:
    """Return the mean distance and the similarity after steps of transport, which sees whole shapes where nearest points see places."""
    for _ in range(4):
        moved = carried(a, pose)
        way = transport(moved, b, _COARSE)
        pose = procrustes(a.points, moved.points + way.displacement, a.weights * np.clip(way.mass, 1e-6, 1))
    return _closest(a, b, tree, pose)


def _distance(a: Cloud, b: Cloud, tree: cKDTree, pose: Similarity) -> float:
    """Return the mean distance in mm, directions included, from either cloud to the other."""
    moved = _features(carried(a, pose))
    ahead, back = tree.query(moved)[0], cKDTree(moved).query(_features(b))[0]
    return float(np.average(ahead, weights=a.weights) + np.average(back, weights=b.weights)) / 2

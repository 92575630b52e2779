"""Which point of a target each point of a moved template should lie on: nearest in place and direction, within the part of the same tag."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from echo3d.registration.cloud import Cloud

TURN_MM = 8.0
"""Millimetres that a normal turned by a radian counts as, so that the two sides of a wall are told apart. Our choice, by trial."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Points of the source and where they should be.

    Parameters
    ----------
    rows : (P,) row of the source
    goals : (P, 3) mm, the target's points
    normals : (P, 3) the target's normals there
    weights : (P,) area share, less for what lies far off
    """

    rows: NDArray[np.int64]
    goals: NDArray[np.float64]
    normals: NDArray[np.float64]
    weights: NDArray[np.float64]

    def gaps(self, points: NDArray) -> NDArray[np.float64]:
        """Return the distance (P,) in mm of source points (K, 3) from the planes they should lie on."""
        return np.abs(((self.goals - points[self.rows]) * self.normals).sum(axis=1))


class Matcher:
    """A target that is searched again and again; its trees are built once.

    Parameters
    ----------
    target : any
    back : how much pairs sought from the target's side weigh; 0 leaves them out
    """

    def __init__(self, target: Cloud, back: float = 0.5) -> None:
        self.target, self.back = target, back
        self.rows = {int(tag): np.flatnonzero(target.tags == tag) for tag in np.unique(target.tags)}
        self.features = _features(target)
        self.trees = {tag: cKDTree(self.features[rows]) for tag, rows in self.rows.items()}

    def pairs(self, source: Cloud) -> Pairs:
        """Return the pairs of a source's parts with the target's of the same tag, sought from both sides."""
        features, mine, theirs, share = _features(source), [], [], []
        area, other = source.weights / source.weights.mean(), self.target.weights / self.target.weights.mean()
        for tag, rows in self.rows.items():
            own = np.flatnonzero(source.tags == tag)
            if not len(own):
                continue
            mine.append(own)
            theirs.append(rows[self.trees[tag].query(features[own])[1]])
            share.append(area[own])
            if self.back:
                mine.append(own[cKDTree(features[own]).query(self.features[rows])[1]])
                theirs.append(rows)
                share.append(self.back * other[rows] * len(own) / len(rows))
        here, there = np.concatenate(mine), np.concatenate(theirs)
        goals = self.target.points[there]
        return Pairs(here, goals, self.target.normals[there], np.concatenate(share) * _trust(goals - source.points[here]))


def _features(cloud: Cloud) -> NDArray[np.float64]:
    """Return place and direction (K, 6) in mm."""
    return np.concatenate([cloud.points, TURN_MM * cloud.normals], axis=1)


def _trust(gaps: NDArray) -> NDArray[np.float64]:
    """Return how much pairs (P, 3) apart are believed: those far beyond the usual distance little. *Source:* Cauchy's weight."""
    length = np.linalg.norm(gaps, axis=1)
    return np.asarray(1 / (1 + (length / max(4.0, 3 * float(np.median(length)))) ** 2))

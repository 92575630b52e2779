"""The heart of the shape prior that lies nearest to a target, and where: Gauss-Newton on pairs that are sought again at every step."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from echo3d.core.mesh import Template
from echo3d.registration.cloud import Cloud, surface_cloud, thinned
from echo3d.registration.matching import Matcher, Pairs
from echo3d.registration.shape import ShapePrior
from echo3d.registration.transport import TransportConfig, transport_by_tag

SLIDE = 0.05
"""Weight of a pair's distance along the target's surface against that across it; points may slide. Our choice, by trial."""

SIZES = (0.75, 1.35)
"""Scales of adult hearts against the template, which the modes know; others, as a child's, keep the scale that they start with."""

OPENING_MODES = (0, 8, 16)
"""Modes that take part in the steps by transport, before pairs are sought nearby."""

OPENING_MM = 7.0
"""Spacing of the points, and blur, of these steps. *Source:* blur is about the spacing (science.md A.1)."""

OPENING_SCALING = 0.6
"""Factor from one blur to the next in these steps; 0.8 takes twice as long and ends within 0.002 mm of it. Our choice."""

PRIOR = 0.003
"""Weight of a coefficient of one against a distance of one mm of all pairs. Our choice, by trial."""


@dataclass(frozen=True, slots=True, eq=False)
class Similarity:
    """``scale * rotation @ x + shift``.

    Parameters
    ----------
    scale : factor
    rotation : (3, 3)
    shift : (3,) mm
    """

    scale: float
    rotation: NDArray[np.float64]
    shift: NDArray[np.float64]

    def carry(self, points: NDArray) -> NDArray[np.float64]:
        """Return points (K, 3) carried along."""
        return np.asarray(self.scale * points @ self.rotation.T + self.shift)

    def inverse(self) -> Similarity:
        """Return the similarity that takes it back.

        >>> one = Similarity(2.0, np.eye(3)[[1, 2, 0]], np.ones(3))
        >>> one.inverse().carry(one.carry(np.eye(3))).round(6).tolist() == np.eye(3).tolist()
        True
        """
        back = self.rotation.T / self.scale
        return Similarity(1 / self.scale, self.rotation.T, -back @ self.shift)


IDENTITY = Similarity(1.0, np.eye(3), np.zeros(3))


@dataclass(frozen=True, slots=True, eq=False)
class ShapeFit:
    """A heart of the prior in the target's frame.

    Parameters
    ----------
    points : (N, 3) mm, in the target's frame
    pose : how the prior's frame lies in it
    coefficients : (K,) of the modes
    """

    points: NDArray[np.float64]
    pose: Similarity
    coefficients: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """The template as the target shows it.

    Parameters
    ----------
    template : any
    faces : (F, 3) of the parts that the target has too
    tags : (F,)
    """

    template: Template
    faces: NDArray[np.int32]
    tags: NDArray[np.uint8]

    def cloud(self, points: NDArray) -> Cloud:
        """Return the parts of the heart whose material points are ``points`` (N, 3)."""
        return surface_cloud(points, self.faces, self.tags)


def fit_shape(source: Source, prior: ShapePrior, matcher: Matcher, start: Similarity, *, steps: int = 6) -> ShapeFit:
    """Return the heart of the prior that lies nearest: by transport at first, then by nearest points; more modes as pairs become true.

    Parameters
    ----------
    source : the template's parts
    prior : the shapes
    matcher : the target
    start : where the template lies at first
    steps : how often nearest points are sought
    """
    pose = _own_size(start, source.template.points)
    fit, goal = ShapeFit(pose.carry(source.template.points + prior.mean), pose, np.zeros(0)), thinned(matcher.target, OPENING_MM)[0]
    for count in OPENING_MODES:
        fit = _step(source, prior, fit, _opening(source, fit, goal, count))
    for step in range(1, steps + 1):
        cloud = source.cloud(fit.points)
        fit = _step(source, prior, fit, _Task(matcher.pairs(cloud), cloud.vertex, min(len(prior.modes), int(12 * 1.4**step)), SLIDE))
    return fit


def _own_size(start: Similarity, points: NDArray) -> Similarity:
    """Return a start without its scale, about the heart's middle, where the cohort's hearts are as large; it stays fixed from then on."""
    if not SIZES[0] < start.scale < SIZES[1]:
        return start
    middle = points.mean(axis=0)
    return Similarity(1.0, start.rotation, start.carry(middle) - start.rotation @ middle)


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """Pairs of one step, the vertices of the cloud's rows, how many modes take part, and the weight of distances along the surface."""

    pairs: Pairs
    vertex: NDArray[np.int32]
    count: int
    slide: float


def _opening(source: Source, fit: ShapeFit, goal: Cloud, count: int) -> _Task:
    """Return the pairs that transport between whole parts gives, coarsely; they do not slide."""
    cloud, _ = thinned(source.cloud(fit.points), OPENING_MM)
    config = TransportConfig(blur=OPENING_MM / 100, scaling=OPENING_SCALING)
    way = transport_by_tag(cloud, goal, config)
    rows = np.flatnonzero(way.mass > 1e-3)
    goals = fit.points[cloud.vertex[rows]] + way.displacement[rows]
    return _Task(Pairs(rows, goals, cloud.normals[rows], (cloud.weights * way.mass)[rows]), cloud.vertex, count, 1.0)


def _step(source: Source, prior: ShapePrior, fit: ShapeFit, task: _Task) -> ShapeFit:
    """Return the heart after one step of Gauss-Newton in modes, rotation and shift."""
    pairs, count, pose = task.pairs, task.count, fit.pose
    old = np.zeros(count)
    old[: len(fit.coefficients)] = fit.coefficients[:count]
    vertex = task.vertex[pairs.rows]
    here = fit.points[vertex]
    lever, gap = here - pose.shift, pairs.goals - here
    slopes = [(prior.modes[:count, vertex] @ (pose.scale * pose.rotation.T)).transpose(1, 2, 0)]
    turns = np.stack([np.cross(axis, lever) for axis in np.eye(3)], axis=2)
    slopes += [turns, np.broadcast_to(np.eye(3), (len(vertex), 3, 3))]
    found = _solved(np.concatenate(slopes, axis=2), gap, task, old)
    turn, shift = found[count : count + 3], found[count + 3 :]
    moved = Similarity(pose.scale, rotation_about(turn) @ pose.rotation, pose.shift + shift)
    coefficients = old + found[:count]
    shape = source.template.points + prior.mean + np.tensordot(coefficients, prior.modes[:count], axes=1)
    return replace(fit, points=moved.carry(shape), pose=moved, coefficients=coefficients)


def _solved(slopes: NDArray, gap: NDArray, task: _Task, old: NDArray) -> NDArray[np.float64]:
    """Return the step (Q,) that closes the gaps (P, 3) best, across the surface above all, the prior kept in mind."""
    pairs = task.pairs
    weights = pairs.weights / pairs.weights.sum()
    across = np.einsum("pi,piq->pq", pairs.normals, slopes)
    along = slopes.reshape(-1, slopes.shape[2])
    slide = task.slide * np.repeat(weights, 3)
    square = (across * weights[:, None]).T @ across + (along * slide[:, None]).T @ along
    pull = (across * weights[:, None]).T @ (gap * pairs.normals).sum(axis=1) + along.T @ (slide * gap.reshape(-1))
    rest = np.full(len(pull), 1e-9)
    rest[: len(old)] = PRIOR
    pull[: len(old)] -= PRIOR * old
    return np.asarray(np.linalg.solve(square + np.diag(rest), pull))


def rotation_about(turn: NDArray) -> NDArray[np.float64]:
    """Return the rotation (3, 3) by the length of ``turn`` (3,) in radians about its direction. *Source:* Rodrigues.

    >>> rotation_about(np.array([0, 0, np.pi / 2])).round(6).tolist()
    [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    angle = float(np.linalg.norm(turn))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = turn / angle
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)

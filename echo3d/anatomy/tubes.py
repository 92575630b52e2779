"""Closed tubes along curves: ribs, cartilages, processes, the sternum and the spine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Surface = tuple[NDArray[np.float64], NDArray[np.int32]]


def tube(path: NDArray, flat: NDArray, radii: NDArray, *, sides: int = 12, power: float = 2.0) -> Surface:
    """Return a closed tube with an oval section, wound outwards.

    Parameters
    ----------
    path : (K, 3) mm, the middle line
    flat : (K, 3) the direction of the section's first radius at each point; made square to the path
    radii : (K, 2) mm, half the section along ``flat`` and across it
    sides : corners of a section
    power : 2 for an ellipse, more for a rounded box
    """
    ahead = np.gradient(path, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    first = flat - np.einsum("ki,ki->k", flat, ahead)[:, None] * ahead
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(ahead, first)
    turn = 2 * np.pi * np.arange(sides) / sides
    cosine, sine = (np.sign(v) * np.abs(v) ** (2 / power) for v in (np.cos(turn), np.sin(turn)))
    across = radii[:, :1, None] * first[:, None] * cosine[:, None] + radii[:, 1:, None] * second[:, None] * sine[:, None]
    return capped(path[:, None] + across)


def capped(rings: NDArray) -> Surface:
    """Return the closed surface over rings (K, sides, 3) of points, the two ends closed by fans; wound outwards where each ring turns
    counter-clockwise about the way from ring to ring.
    """
    count, sides = rings.shape[:2]
    index = np.arange(count * sides).reshape(count, sides)
    here, right = index[:-1].ravel(), np.roll(index, -1, axis=1)[:-1].ravel()
    above, above_right = index[1:].ravel(), np.roll(index, -1, axis=1)[1:].ravel()
    walls = np.concatenate([np.stack([here, right, above_right], axis=1), np.stack([here, above_right, above], axis=1)])
    first, last = np.full(sides, count * sides), np.full(sides, count * sides + 1)
    start = np.stack([first, np.roll(index[0], -1), index[0]], axis=1)
    end = np.stack([last, index[-1], np.roll(index[-1], -1)], axis=1)
    points = np.concatenate([rings.reshape(-1, 3), rings[0].mean(axis=0)[None], rings[-1].mean(axis=0)[None]])
    return points, np.concatenate([walls, start, end]).astype(np.int32)


def rounded(count: int, share: float = 0.08) -> NDArray[np.float64]:
    """Return (count,) factors of a tube's radius that round off its ends: the radius of a half ellipse over ``share`` of the length.

    >>> rounded(5, 0.25).round(2)
    array([0.3, 1. , 1. , 1. , 0.3])
    """
    at = np.linspace(0, 1, count)
    near = np.clip(np.minimum(at, 1 - at) / share, 0.0461, 1.0)
    return np.sqrt(1 - (1 - near) ** 2)


def mirrored(surface: Surface) -> Surface:
    """Return the surface on the other side of the plane x = 0, wound outwards again."""
    points, faces = surface
    return points * np.array([-1.0, 1.0, 1.0]), np.ascontiguousarray(faces[:, ::-1])


def merged(surfaces: Sequence[Surface]) -> Surface:
    """Return several surfaces as one."""
    starts = np.cumsum([0, *(len(points) for points, _ in surfaces)])
    faces = [faces + start for (_, faces), start in zip(surfaces, starts, strict=False)]
    return np.concatenate([points for points, _ in surfaces]), np.concatenate(faces).astype(np.int32)


def curve(knots: NDArray, count: int) -> NDArray[np.float64]:
    """Return (count, 3) points evenly spaced along a smooth curve through knots (K, 3)."""
    from scipy.interpolate import CubicSpline

    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(knots, axis=0), axis=1))])
    fine = CubicSpline(length, knots)(np.linspace(0, length[-1], 8 * count))
    gone = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(fine, axis=0), axis=1))])
    at = np.linspace(0, gone[-1], count)
    return np.stack([np.interp(at, gone, fine[:, i]) for i in range(3)], axis=1)

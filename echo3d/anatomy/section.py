"""Plane sections of triangle surfaces: outlines, the pieces they fall into, and profiles along them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """The line in which a plane at right angles to an axis meets a surface.

    Parameters
    ----------
    segments : (K, 2, 2) mm, ends of straight pieces in the two other axes, in their order
    piece : (K,) number of the connected outline that each belongs to
    """

    segments: NDArray[np.float64]
    piece: NDArray[np.int32]

    def across(self, at: float, along: int = 0) -> NDArray[np.float64]:
        """Return the sorted other coordinate (C,) of all places where the outline passes ``at`` in coordinate ``along``.

        >>> sides = np.array([[[0, 0], [2, 0]], [[2, 0], [2, 2]], [[2, 2], [0, 2]], [[0, 2], [0, 0]]], float)
        >>> Section(sides, np.zeros(4, np.int32)).across(1.0)
        array([0., 2.])
        """
        start, end = self.segments[:, 0], self.segments[:, 1]
        cross = (start[:, along] <= at) != (end[:, along] <= at)
        share = (at - start[cross, along]) / (end[cross, along] - start[cross, along])
        other = 1 - along
        return np.sort(start[cross, other] + share * (end[cross, other] - start[cross, other]))

    def trunk(self, middle: float, near: float) -> NDArray[np.float64]:
        """Return (K, 2) points of the outlines that come within ``near`` mm of ``middle`` in the first coordinate: not of an arm."""
        first = self.segments[..., 0]
        close = ((first.min(axis=1) - near) <= middle) & (middle <= first.max(axis=1) + near)
        return self.segments[np.isin(self.piece, np.unique(self.piece[close]))].reshape(-1, 2)


def section(points: NDArray, faces: NDArray, axis: int, level: float) -> Section:
    """Return where the plane ``axis = level`` meets a surface.

    Parameters
    ----------
    points, faces : (N, 3) mm and (F, 3)
    axis : 0, 1 or 2
    level : mm
    """
    above = points[:, axis] > level
    first, second, third = (above.take(faces[:, i]) for i in range(3))
    cut = faces[(first != second) | (first != third)]
    if len(cut) == 0:
        return Section(np.zeros((0, 2, 2)), np.zeros(0, np.int32))
    edges = np.stack([cut, np.roll(cut, -1, axis=1)], axis=-1)
    crossed = edges[above[edges[..., 0]] != above[edges[..., 1]]].reshape(len(cut), 2, 2)
    crossed.sort(axis=-1)
    low, high = points[crossed[..., 0]], points[crossed[..., 1]]
    share = (level - low[..., axis]) / (high[..., axis] - low[..., axis])
    places = low + share[..., None] * (high - low)
    key = crossed[..., 0].astype(np.int64) * len(points) + crossed[..., 1]
    _, node = np.unique(key, return_inverse=True)
    node = node.reshape(-1, 2)
    graph = scipy.sparse.coo_matrix((np.ones(len(node)), (node[:, 0], node[:, 1])), shape=(node.max() + 1,) * 2)
    _, pieces = scipy.sparse.csgraph.connected_components(graph, directed=False)
    return Section(np.delete(places, axis, axis=2), pieces[node[:, 0]].astype(np.int32))

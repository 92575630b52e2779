"""Gaussian averages of very many samples: spread onto a grid, filtered axis by axis, and read off between its nodes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

NODES_A_WIDTH = 2.0
"""Nodes of the grid in one width of the kernel. Three change a heart's averages by some ten-thousandths of a mm. Our choice."""

MOST_NODES = 4_000_000
"""Nodes that a grid may have: 128 MB. Our choice."""

REACH = 3.0
"""Kernel widths beyond which a Gaussian counts for nothing."""

_HATS = 1 / 3
"""Variance, in squared steps, that spreading and reading add; the filter leaves it out."""


def grid_shape(places: NDArray, at: NDArray, width: float) -> tuple[NDArray[np.float64], tuple[int, int, int]]:
    """Return the first node (3,) and the nodes along each axis of the grid that holds samples and questions."""
    step = width / NODES_A_WIDTH
    low = np.minimum(places.min(axis=0), at.min(axis=0)) - step
    x, y, z = np.floor((np.maximum(places.max(axis=0), at.max(axis=0)) - low) / step).astype(int) + 2
    return low, (int(x), int(y), int(z))


def grid_sums(places: NDArray, values: NDArray, at: NDArray, width: float) -> NDArray[np.float64]:
    """Return sums (Q, C) of values (K, C) at places (K, 3) under a Gaussian kernel round each of ``at`` (Q, 3), up to one factor.

    >>> sums = grid_sums(np.zeros((1, 3)), np.ones((1, 1)), np.array([[0.0, 0, 0], [6, 0, 0]]), 6.0)
    >>> round(float(sums[1, 0] / sums[0, 0]), 1), round(float(np.exp(-0.5)), 1)
    (0.6, 0.6)
    """
    low, shape = grid_shape(places, at, width)
    step = width / NODES_A_WIDTH
    nodes = np.zeros((values.shape[1], shape[0] * shape[1] * shape[2]))
    for flat, share in _corners((places - low) / step, shape):
        nodes += np.stack([np.bincount(flat, share * channel, nodes.shape[1]) for channel in values.T])
    grid = nodes.reshape(-1, *shape)
    for axis in (1, 2, 3):
        grid = gaussian_filter1d(grid, np.sqrt(NODES_A_WIDTH**2 - _HATS), axis=axis, mode="constant", truncate=REACH)
    nodes, result = grid.reshape(len(nodes), -1), np.zeros((len(at), len(nodes)))
    for flat, share in _corners((at - low) / step, shape):
        result += share[:, None] * nodes[:, flat].T
    return result


def _corners(index: NDArray, shape: tuple[int, int, int]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Yield the flat number (K,) of each of the eight nodes round places (K, 3), in steps of the grid, and its trilinear share (K,)."""
    base = np.floor(index).astype(np.int64)
    rest = index - base
    for corner in np.ndindex(2, 2, 2):
        share = np.prod(np.where(corner, rest, 1 - rest), axis=1)
        yield np.ravel_multi_index((base + corner).T, shape), share

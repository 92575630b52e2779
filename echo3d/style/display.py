"""From amplitudes to grey values: log compression, speckle reduction, edge enhancement, grey map; and persistence over a cine."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from echo3d.errors import ShapeError
from echo3d.style.draws import SpeckleDraw
from echo3d.style.polar import PolarGrid

_FLOOR = np.float32(1e-6)
_EDGE_MM, _SMOOTH_MM = 3.0, 1.2


def displayed(amplitude: NDArray[np.float32], fan: PolarGrid, draw: SpeckleDraw) -> NDArray[np.float32]:
    """Return grey values (S, L) in [0, 1] of amplitudes (S, L) as a scanner's display stage makes them."""
    grey = compressed(amplitude, range_db=draw.range_db, white_db=draw.white_db)
    if draw.smooth > 0:
        mean = scipy.ndimage.uniform_filter1d(grey, _odd(_SMOOTH_MM / fan.step_mm), axis=0, mode="nearest")
        grey += np.float32(draw.smooth) * (_across(mean, np.float32(1 / 3)) - grey)
    if draw.blur > 0:
        grey = _across(grey, np.float32(draw.blur))
    if draw.edge > 0:
        mean = scipy.ndimage.uniform_filter1d(grey, _odd(_EDGE_MM / fan.step_mm), axis=0, mode="nearest")
        grey += np.float32(draw.edge) * (grey - mean)
    np.clip(grey, 0, 1, out=grey)
    return grey_map(grey, gamma=draw.gamma, curve=draw.curve)


def compressed(amplitude: NDArray[np.float32], *, range_db: float, white_db: float) -> NDArray[np.float32]:
    """Return the logarithm of amplitudes, from 0 at the dynamic range below white to 1 at white.

    >>> compressed(np.array([1e-3, 1.0, 10.0], np.float32), range_db=60.0, white_db=20.0).round(2)
    array([0.  , 0.67, 1.  ], dtype=float32)
    """
    grey = np.log10(np.maximum(amplitude, _FLOOR))
    grey *= np.float32(20 / range_db)
    grey += np.float32(1 - white_db / range_db)
    return np.asarray(np.clip(grey, 0, 1, out=grey), np.float32)


def grey_map(grey: NDArray[np.float32], *, gamma: float, curve: float) -> NDArray[np.float32]:
    """Return grey values after an exponent, and then a share of the S-shaped curve ``3 g**2 - 2 g**3``.

    >>> grey_map(np.array([0.0, 0.25, 0.5, 1.0], np.float32), gamma=1.0, curve=1.0).round(3)
    array([0.   , 0.156, 0.5  , 1.   ], dtype=float32)
    """
    bent = grey if gamma == 1 else np.power(grey, np.float32(gamma))
    if curve <= 0:
        return bent
    share = np.float32(curve)
    return np.asarray(bent * (1 + share * (bent * (3 - 2 * bent) - 1)), np.float32)


def persisted(frames: NDArray, share: float) -> NDArray:
    """Return a cine in which each frame keeps a share of the one shown before it; the first is as it was.

    Parameters
    ----------
    frames : (T, H, W), grey values, floating or uint8; the same kind comes back
    share : 0 (none) to less than 1

    Raises
    ------
    ShapeError
        If the frames are no stack, or the share lies outside.

    >>> persisted(np.array([[[0.0]], [[1.0]], [[1.0]]]), 0.5).ravel()
    array([0.  , 0.5 , 0.75])
    """
    if np.ndim(frames) != 3 or not 0 <= share < 1:
        raise ShapeError(f"persistence needs frames (T, H, W) and a share of 0 to 1, found {np.ndim(frames)} axes and {share}; give both")
    shown = np.array(frames, np.float64)
    for now in range(1, len(shown)):
        shown[now] += share * (shown[now - 1] - shown[now])
    return np.rint(shown).astype(frames.dtype) if np.issubdtype(frames.dtype, np.integer) else shown.astype(frames.dtype)


def _across(grey: NDArray[np.float32], share: np.float32) -> NDArray[np.float32]:
    """Return grey values with a share of each of the two neighbouring beams; the outermost beams stay."""
    mixed = grey.copy()
    mixed[:, 1:-1] += share * (grey[:, 2:] + grey[:, :-2] - 2 * grey[:, 1:-1])
    return mixed


def _odd(width: float) -> int:
    """Return the odd number next to a width, 1 at least."""
    return 2 * max(0, round((width - 1) / 2)) + 1

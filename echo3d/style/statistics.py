"""First-order statistics and correlation lengths of speckle, from amplitudes or from a displayed picture.

A scanner's picture is no amplitude: it was compressed, filtered and bent. :func:`undisplayed` undoes the logarithm and an exponent if they
are known, and where the dynamic range is not, it takes the one at which the grey values scatter as those of Rayleigh speckle do, by
5.57 dB. Then the scatter itself says nothing any more, but the shape of the distribution still does. Filters of the display cannot be
undone: they lower the scatter, so that the range comes out too large, and lengthen the correlation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from echo3d.core.sector import Fan
from echo3d.errors import ShapeError

RAYLEIGH_SNR = float(np.sqrt(np.pi / (4 - np.pi)))
"""Mean over standard deviation of a Rayleigh amplitude, 1.913."""
RAYLEIGH_DB = float(20 / np.log(10) * np.pi / np.sqrt(24))
"""Standard deviation of a Rayleigh amplitude in dB, 5.57."""


@dataclass(frozen=True, slots=True)
class FirstOrder:
    """How the amplitudes of a region are distributed.

    Parameters
    ----------
    snr : mean over standard deviation; 1.913 for fully developed speckle
    sigma : of the Rayleigh distribution that fits best (most likely), in the unit of the amplitudes
    distance : Kolmogorov-Smirnov distance between the amplitudes and that distribution, 0 to 1
    """

    snr: float
    sigma: float
    distance: float


def first_order(amplitude: NDArray) -> FirstOrder:
    """Return the first-order statistics of a region's amplitudes, of any shape.

    Raises
    ------
    ShapeError
        If there are fewer than 16 amplitudes, or they do not vary.

    *Source:* a sum of many scatterers is circular Gaussian, its amplitude Rayleigh (Burckhardt 1978; Wagner 1983).
    """
    values = np.sort(np.asarray(amplitude, np.float64).ravel())
    if len(values) < 16 or values[0] == values[-1]:
        raise ShapeError(f"a region must hold at least 16 different amplitudes, found {len(np.unique(values))}; take a larger one")
    sigma = float(np.sqrt(np.square(values).mean() / 2))
    expected = 1 - np.exp(-np.square(values / sigma) / 2)
    steps = np.arange(len(values) + 1) / len(values)
    distance = float(max(np.abs(expected - steps[:-1]).max(), np.abs(expected - steps[1:]).max()))
    return FirstOrder(float(values.mean() / values.std()), sigma, distance)


def correlation_length(amplitude: NDArray, axis: int) -> float:
    """Return the full width at half maximum of the autocorrelation of a region's power along an axis, in samples.

    For speckle of a Gaussian pulse it is the pulse's own full width at half maximum. The region's mean along the axis and a broad trend
    over a third of it are taken out, so that slow changes of gain do not pass for long speckle.

    Parameters
    ----------
    amplitude : (A, B), with at least 12 samples along the axis
    axis : 0 or 1

    Raises
    ------
    ShapeError
        If the region is no raster, too short, or does not vary.
    """
    power = np.square(np.moveaxis(np.asarray(amplitude, np.float64), axis, 0)) if np.ndim(amplitude) == 2 else np.zeros((0, 0))
    if len(power) < 12:
        raise ShapeError(
            f"a region must have two axes and 12 samples along the one that is asked for, found {np.shape(amplitude)}; widen it"
        )
    varied = power - ndimage.gaussian_filter(power, [0.3 * side for side in power.shape], mode="nearest")
    lags = np.arange(len(power) // 2)
    products = np.array([(varied[lag:] * varied[: len(power) - lag]).mean() for lag in lags])
    if products[0] <= 1e-12 * np.square(power).mean():
        raise ShapeError("a region must vary to have a correlation length, found the same amplitude everywhere; take another")
    return 2 * _falls_to_half(products / products[0])


def _falls_to_half(correlation: NDArray) -> float:
    """Return the lag at which a correlation that begins at 1 first falls to one half, between lags; the last lag where it never does."""
    below = np.flatnonzero(correlation < 0.5)
    if len(below) == 0:
        return float(len(correlation) - 1)
    after = below[0]
    high, low = correlation[after - 1], correlation[after]
    return float(after - 1 + (high - 0.5) / (high - low))


def undisplayed(grey: NDArray, *, range_db: float | None = None, gamma: float = 1.0) -> tuple[NDArray[np.float64], float]:
    """Return amplitudes of a displayed region, and the dynamic range that was taken; see the head of this file for what can be undone.

    Parameters
    ----------
    grey : of any shape, 0 (black) to 1 (white)
    range_db : of the display, if known; else that at which the region scatters like Rayleigh speckle
    gamma : exponent of the grey map, if known

    Raises
    ------
    ShapeError
        If the range is not known and the region does not vary.
    """
    level = np.asarray(grey, np.float64) ** (1 / gamma)
    spread = float(level.std())
    if range_db is None and spread == 0:
        raise ShapeError("a region must vary to tell its dynamic range, found one grey value; take another")
    taken = RAYLEIGH_DB / spread if range_db is None else range_db
    return 10 ** ((level - level.mean()) * taken / 20), taken


def along_beams(picture: NDArray, fan: Fan, *, step_px: float = 1.0, lines: int = 160) -> tuple[NDArray[np.float32], float]:
    """Return a picture (H, W) read along the fan's beams, (S, lines) float32, and the angle between two beams, degrees.

    Parameters
    ----------
    picture : grey values; the fan's tip may lie above it
    fan : in its pixels
    step_px : distance of two samples along a beam
    lines : beams over the opening
    """
    radius = (np.arange(int(fan.radius / step_px)) + 0.5) * step_px
    turn = np.radians(((np.arange(lines) + 0.5) / lines * 2 - 1) * fan.half_angle + fan.tilt)
    rows = fan.apex_row + radius[:, None] * np.cos(turn) - 0.5
    columns = fan.apex_column + radius[:, None] * np.sin(turn) - 0.5
    seen = ndimage.map_coordinates(np.asarray(picture, np.float32), [rows, columns], order=1, mode="constant")
    return np.asarray(seen, np.float32), 2 * fan.half_angle / lines

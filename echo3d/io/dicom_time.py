"""When each frame of a DICOM clip was taken, and when the R waves were."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

ASSUMED_MS = 1000 / 30
"""What is taken where a clip says nothing: 30 frames per second."""

ASSUMED = "The file does not say how long a frame lasts; 30 frames per second are assumed."

_FRAME_TIME, _FRAME_TIME_VECTOR = 0x00181063, 0x00181065


@dataclass(frozen=True, slots=True, eq=False)
class Timing:
    """Frame times.

    Parameters
    ----------
    frame_ms : (T,) start of each frame in ms from the first
    r_waves_ms : times of R waves in ms from the first frame
    warnings : one sentence where the times are assumed
    """

    frame_ms: NDArray[np.float64]
    r_waves_ms: tuple[float, ...] = ()
    warnings: tuple[str, ...] = ()


def steady(count: int, step_ms: float) -> NDArray[np.float64]:
    """Return the start times of frames of equal length.

    >>> steady(3, 40.0)
    array([ 0., 40., 80.])
    """
    return np.arange(count, dtype=np.float64) * np.float64(step_ms)


def read_timing(dataset: Dataset, count: int) -> Timing:
    """Return the frame times of a clip of ``count`` frames.

    The frame increment pointer decides between frame time and frame time vector; then come cine rate, recommended
    display rate, frame duration and the clip's duration; 30 frames per second are assumed where all are missing.

    Source: PS3.3 C.7.6.5 (Cine), tags (0028,0009) (0018,1063) (0018,1065) (0018,0040) (0008,2144) (0018,1242) (0018,0072) (0018,6060).
    """
    waves = tuple(wave for wave in _numbers(dataset, "RWaveTimeVector") if np.isfinite(wave))
    if count == 1:
        return Timing(np.zeros(1), waves)
    times = _pointed(dataset, count)
    if times is None:
        step = next((step for step in _steps(dataset, count) if 1 <= step <= 1000), None)
        times = None if step is None else steady(count, step)
    return Timing(steady(count, ASSUMED_MS), waves, (ASSUMED,)) if times is None else Timing(times, waves)


def _numbers(dataset: Dataset, keyword: str) -> list[float]:
    """Return the values of a number element, empty where it is absent or no number."""
    value = dataset.get(keyword)
    try:
        return [] if value is None else [float(v) for v in np.atleast_1d(np.asarray(value, dtype=float))]
    except (TypeError, ValueError):
        return []


def _pointed(dataset: Dataset, count: int) -> NDArray[np.float64] | None:
    """Return the times that the frame increment pointer names, of either kind where there is no pointer."""
    pointer = dataset.get("FrameIncrementPointer")
    steps, vector = _numbers(dataset, "FrameTime"), _numbers(dataset, "FrameTimeVector")
    if len(vector) == count and pointer != _FRAME_TIME and min(vector[1:]) > 0:
        return np.cumsum(vector) - vector[0]
    if steps and 1 <= steps[0] <= 1000 and pointer != _FRAME_TIME_VECTOR:
        return steady(count, steps[0])
    return None


def _steps(dataset: Dataset, count: int) -> list[float]:
    """Return the frame lengths in ms that the lesser tags give, best first."""
    rates = _numbers(dataset, "CineRate")[:1] + _numbers(dataset, "RecommendedDisplayFrameRate")[:1]
    lengths = _numbers(dataset, "ActualFrameDuration")[:1] + [1000 * d / count for d in _numbers(dataset, "EffectiveDuration")[:1]]
    return _numbers(dataset, "FrameTime")[:1] + [1000 / rate for rate in rates if rate > 0] + lengths

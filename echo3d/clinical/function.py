"""From two hearts, or a curve of volumes, to the numbers of ventricular function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from echo3d.core.mesh import Template
from echo3d.core.result import VentricularFunction
from echo3d.errors import ShapeError


def measure_function(template: Template, ed: NDArray, es: NDArray) -> VentricularFunction:
    """Return the chamber volumes at end-diastole and end-systole.

    Parameters
    ----------
    template : carries the closed cavity surfaces
    ed, es : (N, 3) material points of the two hearts, mm

    Returns
    -------
    VentricularFunction
        ``volumes_ml`` holds per chamber ("lv", "rv", "la", "ra") the volumes at "ed" and "es".

    *Source:* divergence theorem (:func:`echo3d.core.mesh.enclosed_ml`).
    """
    at_ed, at_es = template.volumes_ml(ed), template.volumes_ml(es)
    volumes = {key: {"ed": at_ed[key], "es": at_es[key]} for key in at_ed}
    return VentricularFunction(edv_ml=at_ed["lv"], esv_ml=at_es["lv"], volumes_ml=volumes)


def with_intervals(function: VentricularFunction, interval90: Mapping[str, tuple[float, float]]) -> VentricularFunction:
    """Return the same numbers with their 90 % intervals."""
    return replace(function, interval90=dict(interval90))


def smooth_curve(values: NDArray, *, periodic: bool, window: int = 5) -> NDArray[np.float64]:
    """Return values over time smoothed along the first axis by local parabolas.

    Parameters
    ----------
    values : (T, ...)
    periodic : whether the last value is followed by the first
    window : samples per parabola, odd; shortened where the curve is shorter, and below five samples nothing is smoothed

    *Source:* Savitzky and Golay 1964; a parabola is kept exactly.

    >>> np.abs(smooth_curve(np.array([4.0, 1.0, 0.0, 1.0, 4.0]), periodic=False)).round(6)
    array([4., 1., 0., 1., 4.])
    """
    from scipy.signal import savgol_filter  # takes longer to import than the window to open

    curve = np.asarray(values, dtype=float)
    size = min(window, len(curve) if len(curve) % 2 else len(curve) - 1)
    if size < 5:
        return curve
    return np.asarray(savgol_filter(curve, size, 2, axis=0, mode="wrap" if periodic else "interp"))


def extreme_phases(lv_ml: NDArray, *, ed: int | None = None) -> tuple[int, int]:
    """Return the samples of end-diastole and end-systole: the largest and the smallest LV.

    Parameters
    ----------
    lv_ml : (T,) LV volume over one beat, already smoothed
    ed : the end-diastolic sample where it is known (R wave or user)

    Raises
    ------
    ShapeError
        If the curve is empty.

    >>> extreme_phases(np.array([100.0, 80, 50, 60, 95]))
    (0, 2)
    >>> extreme_phases(np.array([98.0, 100, 50, 60, 95]), ed=0)
    (0, 2)
    """
    if len(lv_ml) == 0:
        raise ShapeError("a volume curve must hold at least one sample, found none")
    return (int(np.argmax(lv_ml)) if ed is None else ed), int(np.argmin(lv_ml))


def unsteadiness(lv_ml: NDArray) -> float:
    """Return how far a volume curve over one beat is from a smooth one: root mean square of what three harmonics leave, over the range.

    Parameters
    ----------
    lv_ml : (T,) volumes at equal steps of the beat

    Returns
    -------
    float
        0 for a smooth curve, about 0.2 for noise; 0 below eight samples, where three harmonics explain anything.

    *Source:* our choice; a beating ventricle is smooth at 25 samples per beat, a network that guesses is not.

    >>> round(unsteadiness(100 + 30 * np.cos(np.arange(25) / 25 * 2 * np.pi)), 6)
    0.0
    """
    if len(lv_ml) < 8:
        return 0.0
    spectrum = np.fft.rfft(lv_ml)
    spectrum[:4] = 0
    rest = np.fft.irfft(spectrum, len(lv_ml))
    return float(rest.std() / max(float(np.ptp(lv_ml)), 1e-9))

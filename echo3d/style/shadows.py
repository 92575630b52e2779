"""What stops the beams: drawn shadows of lung and rib, bone's and lung's own with their bright fronts, and lung's reverberation."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from echo3d.style.draws import OFF_DB, SpeckleDraw
from echo3d.style.polar import PolarGrid
from echo3d.style.scene import Scene

Maps = NDArray[np.float32]

BLOCKED_DB = 60.0
"""Loss behind bone or lung: what is left lies below the noise of most scanners. Our choice."""
FRONT_DB = 12.0
"""Level of the bright line at the front of bone or lung, against myocardium. Our choice."""
PENUMBRA_DEG = 3.0
"""Width of the half shadow beside bone or lung. Our choice, a probe 20 mm wide seen from an obstacle at a fifth of the depth."""
LINE_DB = 8.0
"""What each reverberation line of lung loses against the one before. Our choice."""
HAZE_DB, HAZE_DB_PER_MM = -26.0, 0.25
"""Level of the haze right behind lung, and how it falls off. Our choice: a dirty shadow, against bone's clean one."""
_LINE_MM = 0.75
_LEAST_MM = 8.0


def drawn_shadow_db(fan: PolarGrid, draw: SpeckleDraw) -> Maps:
    """Return (L,) the loss of each beam behind lung at the fan's edges and behind a rib, dB, 0 or negative."""
    rib = np.exp(-0.5 * np.square((fan.angles() - draw.rib_at * fan.half_angle) / (draw.rib_deg / 2)))
    return (-draw.shadow_db * _edges(fan, draw) - draw.rib_db * rib).astype(np.float32)


def drawn_lung(fan: PolarGrid, draw: SpeckleDraw) -> Maps | None:
    """Return (S, L) the reverberation lines in the shadows at the fan's edges, at multiples of the chest wall; None without."""
    if draw.lung_db <= OFF_DB or draw.chest_mm <= 0 or draw.shadow_db <= 0:
        return None
    apart = max(draw.chest_mm, _LEAST_MM)
    lines = _lines_db(fan.radii() / apart, _thickness(fan) / apart)
    amplitude = 10 ** ((draw.lung_db + lines) / 20)
    return np.outer(amplitude, _edges(fan, draw)).astype(np.float32)


def _edges(fan: PolarGrid, draw: SpeckleDraw) -> NDArray[np.float64]:
    """Return (L,) the share 0-1 in which a beam lies in the shadow of the fan's left or right edge."""
    angle = fan.angles()
    left, right = angle + fan.half_angle - draw.shadow_deg[0], fan.half_angle - draw.shadow_deg[1] - angle
    return np.asarray(_step(-left / 2) * (draw.shadow_deg[0] > 0) + _step(-right / 2) * (draw.shadow_deg[1] > 0))


def behind_db(fan: PolarGrid, shadow_mm: NDArray) -> Maps:
    """Return (S, L) the loss behind bone or lung, dB: nothing before it, all of ``BLOCKED_DB`` from 2 mm behind it on.

    A beam is as wide as the probe where it begins, so that a shadow has no sharp side but a half shadow of ``PENUMBRA_DEG``.
    """
    behind = (fan.radii()[:, None] - np.asarray(shadow_mm, float)[None, :]).astype(np.float32)
    passed = 10 ** (np.clip(behind / 2, 0, 1) * np.float32(-BLOCKED_DB / 20))
    width = 2 * max(0, round((PENUMBRA_DEG / fan.line_deg - 1) / 2)) + 1
    passed = scipy.ndimage.uniform_filter1d(passed, width, axis=1, mode="nearest")
    return np.asarray(20 * np.log10(np.clip(passed, 10 ** (-BLOCKED_DB / 20), 1)), np.float32)


def fronts(fan: PolarGrid, scene: Scene) -> Maps:
    """Return (S, L) the bright line of 1.5 mm that bone or lung shows where it stops a beam, and lung's repetitions of it.

    Nothing where the probe stands on it. Like every mirror echo it is full where the front lies square to the beam and fades where the
    beam grazes it. Between pleura and probe the pulse goes back and forth, so that the line comes again at equal distances, each time
    losing as much again where the pleura is not square to the beam.
    """
    start = np.asarray(scene.shadow_mm, float)
    square = np.where(start > 0, squareness(fan, start) * 10 ** (FRONT_DB / 20), 0)
    near = np.abs(fan.radii()[:, None] - start) <= max(_LINE_MM, fan.step_mm / 2)
    bright = np.where(near, square, 0.0)
    if scene.lung is not None and scene.lung.any():
        which = np.flatnonzero(scene.lung & np.isfinite(start))
        apart = np.maximum(start[which], _LEAST_MM)
        turns = (fan.radii()[:, None] - start[which]) / apart
        lines = 10 ** (_lines_db(turns, _thickness(fan) / apart) / 20)
        bright[:, which] += lines * square[which] * squareness(fan, start)[which] ** np.maximum(turns, 0)
    return bright.astype(np.float32)


def lung_haze_db(fan: PolarGrid, scene: Scene) -> Maps | None:
    """Return (S, L) the level of the haze behind lung, dB, minus infinity elsewhere; None where no lung stops a beam."""
    if scene.lung is None or scene.shadow_mm is None or not scene.lung.any():
        return None
    behind = fan.radii()[:, None] - np.where(scene.lung, np.asarray(scene.shadow_mm, float), np.inf)
    return np.where(behind > 0, HAZE_DB - HAZE_DB_PER_MM * behind, -np.inf).astype(np.float32)


def _lines_db(turns: NDArray, thickness: NDArray | float) -> NDArray[np.float64]:
    """Return the level of lines at whole ``turns`` from the first on; minus infinity between them."""
    whole = np.rint(turns)
    on = (np.abs(turns - whole) <= thickness / 2) & (whole >= 1)
    return np.where(on, -LINE_DB * whole, -np.inf)


def _thickness(fan: PolarGrid) -> float:
    """Return the thickness of a reverberation line, mm: at least a sample, so that none is lost."""
    return max(_LINE_MM, 1.2 * fan.step_mm)


def squareness(fan: PolarGrid, start: NDArray) -> Maps:
    """Return (L,) the squared cosine between each beam and the front that it meets, from the neighbouring beams' depths."""
    deep = np.where(np.isfinite(start), start, 0.0)
    step = np.where(np.isfinite(start[1:]) & np.isfinite(start[:-1]), np.abs(np.diff(deep)), np.inf)
    least = np.minimum(np.concatenate([step[:1], step]), np.concatenate([step, step[-1:]]))
    rise = np.where(np.isfinite(least), least, 0.0)
    across = np.maximum(deep * np.radians(fan.line_deg), 1e-6)
    return (across**2 / (across**2 + rise**2)).astype(np.float32)


def _step(value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logistic step."""
    return 1 / (1 + np.exp(-value))

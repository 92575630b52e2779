"""Time: which frame of each clip and which heart belong together; plain arithmetic, no Qt.

A *phase* runs from 0 (end-diastole) over 1 (end-systole) to 2 (the next end-diastole). The leading clip runs in true time; the others and
the heart show the same phase, as side-by-side echo viewers do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from echo3d.core.images import EchoClip
from echo3d.core.result import Beat

ASSUMED_FRAME_MS = 33.3


@dataclass(frozen=True, slots=True, eq=False)
class Cycle:
    """When things happen in one recording.

    Parameters
    ----------
    times_ms : (T,) start of each frame
    loop_ms : duration of the whole recording
    ed_ms : time of end-diastole
    systole_ms : from end-diastole to end-systole
    beat_ms : from one end-diastole to the next
    """

    times_ms: NDArray
    loop_ms: float
    ed_ms: float
    systole_ms: float
    beat_ms: float


def frame_times(clip: EchoClip) -> NDArray:
    """Return the start time of each frame in ms; 30 per second where the clip does not say."""
    if clip.frame_ms is not None and len(clip.frame_ms) == len(clip.frames):
        return np.asarray(clip.frame_ms, float)
    return np.arange(len(clip.frames)) * ASSUMED_FRAME_MS


def free_cycle(clip: EchoClip) -> Cycle:
    """Return the cycle of a clip of which no phases are known: the whole recording."""
    times = frame_times(clip)
    step = float(np.median(np.diff(times))) if len(times) > 1 else 1000.0
    loop = float(times[-1] - times[0]) + max(step, 1.0)
    return Cycle(times - times[0], loop, 0.0, loop / 2, loop)


def clip_cycle(clip: EchoClip, ed: int, es: int, beat_ms: float) -> Cycle:
    """Return the cycle of a clip whose ED and ES frames are known.

    The beat lasts as long as its R waves say, otherwise ``beat_ms``, and never longer than the recording.
    """
    free = free_cycle(clip)
    last = len(free.times_ms) - 1
    start, end = free.times_ms[min(ed, last)], free.times_ms[min(es, last)]
    waves = np.diff(clip.r_waves_ms) if len(clip.r_waves_ms) > 1 else np.array([beat_ms])
    beat = float(min(np.median(waves), free.loop_ms))
    systole = float((end - start) % free.loop_ms)
    return Cycle(free.times_ms, free.loop_ms, float(start), min(max(systole, 1.0), 0.95 * beat), beat)


def beat_cycle(beat: Beat) -> Cycle:
    """Return the cycle of the computed beat; its smallest LV is end-systole."""
    times = np.asarray(beat.times_ms, float)
    step = float(np.median(np.diff(times))) if len(times) > 1 else 1000.0
    length = float(times[-1] - times[0]) + step
    systole = float(times[int(np.argmin(beat.lv_ml))] - times[0])
    return Cycle(times - times[0], length, 0.0, min(max(systole, 1.0), 0.95 * length), length)


def phase_at(cycle: Cycle, ms: float) -> float:
    """Return the phase in [0, 2) at a time of the recording.

    >>> c = Cycle(np.arange(10) * 100.0, 1000.0, 100.0, 300.0, 1000.0)
    >>> phase_at(c, 100.0), phase_at(c, 400.0), phase_at(c, 750.0)
    (0.0, 1.0, 1.5)
    """
    since = (ms - cycle.ed_ms) % cycle.beat_ms
    if since < cycle.systole_ms:
        return since / cycle.systole_ms
    return 1.0 + (since - cycle.systole_ms) / (cycle.beat_ms - cycle.systole_ms)


def time_of(cycle: Cycle, phase: float) -> float:
    """Return the time in the recording at which a phase is shown; the inverse of :func:`phase_at` within one beat."""
    since = phase * cycle.systole_ms if phase < 1 else cycle.systole_ms + (phase - 1) * (cycle.beat_ms - cycle.systole_ms)
    return (cycle.ed_ms + since) % cycle.loop_ms


def frame_at(cycle: Cycle, ms: float) -> int:
    """Return the frame shown at a time of the recording.

    >>> frame_at(Cycle(np.arange(10) * 100.0, 1000.0, 0.0, 300.0, 1000.0), 1250.0)
    2
    """
    return max(int(np.searchsorted(cycle.times_ms, ms % cycle.loop_ms + 1e-6, side="right")) - 1, 0)

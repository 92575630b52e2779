"""Which frames of a clip make one beat: its start, its length, and the frame at any share of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from echo3d.core.images import EchoClip, Frames

ASSUMED_FRAME_MS = 1000.0 / 30.0
"""Length of a frame where a file gives no times. *Source:* the usual rate of echo clips, platform.md C3."""

BEAT_MS = (350.0, 2200.0)
"""Plausible length of a beat: 27 to 171 per minute; the slow end is for videos played slowly."""

ASSUMED_BEAT_MS = 1000.0
"""Length taken where a clip is too long to be one beat and yet nothing comes back in it."""

_LOOKED_AT = 150
_LAG_STEPS = 100
_RECURRENCE = 0.75


@dataclass(frozen=True, slots=True)
class BeatWindow:
    """One beat of a clip.

    Parameters
    ----------
    start : frame of end-diastole
    length : frames per beat, may be fractional
    count : frames of the clip
    frame_ms : length of a frame
    known_start : whether the start comes from an R wave or the user
    """

    start: int
    length: float
    count: int
    frame_ms: float
    known_start: bool

    def frame(self, share: float) -> int:
        """Return the frame at a share of the beat in [0, 1).

        Past the clip's end the beat before is used; a clip shorter than its beat is taken to repeat.

        >>> BeatWindow(3, 10.0, 12, 33.3, True).frame(0.5)
        8
        >>> BeatWindow(3, 10.0, 10, 33.3, True).frame(0.9)
        2
        """
        position = round(self.start + share * self.length)
        if position > self.count - 1:
            position = round(self.start + (share - 1.0) * self.length)
        return position % self.count


def beat_window(clip: EchoClip, *, ed_frame: int | None = None) -> BeatWindow:
    """Return the beat that starts at the user's ED frame, else at the best R wave, else at the first frame (not known).

    The length is the time between R waves, else the time after which the pictures come back, else the whole clip.
    """
    count, frame_ms = len(clip.frames), mean_frame_ms(clip)
    waves = r_wave_frames(clip)
    length = float(np.median(np.diff(waves))) if len(waves) > 1 else recurrence(clip.frames, frame_ms)
    if ed_frame is not None:
        return BeatWindow(ed_frame, length, count, frame_ms, True)
    whole = [wave for wave in waves if wave + length <= count + 0.5] or waves
    return BeatWindow(round(whole[0]) if whole else 0, length, count, frame_ms, bool(whole))


def mean_frame_ms(clip: EchoClip) -> float:
    """Return the mean length of a frame in ms; 33.3 where the file gives no times."""
    if clip.frame_ms is None or len(clip.frame_ms) < 2:
        return ASSUMED_FRAME_MS
    return float(np.diff(clip.frame_ms).mean())


def r_wave_frames(clip: EchoClip) -> list[float]:
    """Return the R waves as fractional frames, those outside the clip left out."""
    frames = [wave / mean_frame_ms(clip) for wave in sorted(clip.r_waves_ms)]
    return [frame for frame in frames if -0.5 <= frame <= len(clip.frames) - 0.5]


def recurrence(frames: Frames, frame_ms: float) -> float:
    """Return after how many frames the pictures come back.

    Where they do not, the whole clip is one beat, or one second of it where it is longer than any beat.

    *Source:* first clear minimum of the mean difference between pictures over their lag, coarse pictures; our choice, because it needs
    neither an ECG nor a network.
    """
    count = min(len(frames), _LOOKED_AT)
    whole = float(len(frames)) if len(frames) * frame_ms <= BEAT_MS[1] else ASSUMED_BEAT_MS / frame_ms
    low, high = int(np.ceil(BEAT_MS[0] / frame_ms)), int(BEAT_MS[1] / frame_ms)
    if count < low + 3:
        return whole
    stack = np.stack([_coarse(frames[i]) for i in range(count)])
    lags = np.arange(1, min(high, count - 2) + 1)
    unlike = np.array([np.abs(stack[lag:] - stack[:-lag]).mean() for lag in lags])
    return _first_return(unlike, low) or whole


def _first_return(unlike: NDArray, low: int) -> float | None:
    """Return the first lag from ``low`` on at a local minimum about as deep as the deepest, or None where no minimum is clear."""
    inner = range(max(low, 2), len(unlike))
    minima = [k for k in inner if unlike[k - 1] <= unlike[k - 2] and unlike[k - 1] < unlike[k] and unlike[k - 1] <= _deep(unlike, k)]
    if not minima:
        return None
    deepest = min(unlike[k - 1] for k in minima)
    return float(next(k for k in minima if unlike[k - 1] <= deepest + 0.15 * (unlike.max() - deepest)))


def _deep(unlike: NDArray, lag: int) -> float:
    """Return what a minimum at ``lag`` must not exceed: a clear step below the greatest difference at shorter lags."""
    return float(unlike[0] + _RECURRENCE * (unlike[:lag].max() - unlike[0]))


def _coarse(frame: NDArray) -> NDArray[np.float32]:
    """Return a frame averaged over blocks to about 32 x 32 pixels, so that speckle counts little."""
    step = max(1, min(frame.shape) // 32)
    rows, columns = frame.shape[0] // step * step, frame.shape[1] // step * step
    blocks = frame[:rows, :columns].reshape(rows // step, step, columns // step, step)
    return np.asarray(blocks.mean(axis=(1, 3), dtype=np.float32))


def lag_between(curve: NDArray, reference: NDArray) -> float:
    """Return at which share of its beat ``curve`` is where ``reference`` is at its start, in [0, 1).

    Parameters
    ----------
    curve, reference : (T,), (R,) volumes at equal steps of one beat each, of any unit

    *Source:* greatest circular correlation, which uses the whole beat; a single extreme of a noisy curve is a poor landmark.

    >>> beat = np.cos(np.arange(20) / 20 * 2 * np.pi)
    >>> round(lag_between(np.roll(beat, 5), beat), 2)
    0.25
    """
    steps = np.arange(_LAG_STEPS) / _LAG_STEPS
    one, other = (np.interp(steps, np.arange(len(c) + 1) / len(c), np.append(c, c[0])) for c in (curve, reference))
    spectrum = np.fft.rfft(one - one.mean()) * np.conj(np.fft.rfft(other - other.mean()))
    return float(np.argmax(np.fft.irfft(spectrum, _LAG_STEPS)) / _LAG_STEPS)

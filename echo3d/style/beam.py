"""The pulse and the beam: how a probe blurs a field of scatterers."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from echo3d.style.draws import OFF_DB, SpeckleDraw
from echo3d.style.polar import PolarGrid, shifted_sum

_SIGMA = 1 / (2 * np.sqrt(2 * np.log(2)))
"""Standard deviation of a Gaussian per full width at half maximum."""
_WIDEST = 2.5
_FOOT = 5.0


def blur_field(field: NDArray[np.complex64], fan: PolarGrid, draw: SpeckleDraw) -> NDArray[np.complex64]:
    """Return the field seen through pulse and beam; white noise of unit power keeps unit power at every depth.

    Parameters
    ----------
    field : (S, L) complex64 scatterers
    """
    return beam_blur(pulse_blur(field, fan, draw), fan, draw)


def pulse_blur(field: NDArray[np.complex64], fan: PolarGrid, draw: SpeckleDraw) -> NDArray[np.complex64]:
    """Return the field smoothed along the beam by the pulse's Gaussian envelope, of unit energy."""
    sigma = draw.axial_mm * _SIGMA / fan.step_mm
    offsets = np.arange(int(np.ceil(2.5 * sigma)) + 1)
    kernel = np.exp(-0.5 * np.square(offsets / sigma))
    kernel /= np.sqrt(kernel[0] ** 2 + 2 * np.square(kernel[1:]).sum())
    return shifted_sum(field, tuple(kernel.tolist()))


def beam_blur(field: NDArray[np.complex64], fan: PolarGrid, draw: SpeckleDraw) -> NDArray[np.complex64]:
    """Return the field smoothed across the beams by the depth-dependent beam, of unit energy; beyond the fan there is nothing."""
    length = scipy.fft.next_fast_len(fan.lines + 8)
    spectrum = scipy.fft.fft(field, n=length, axis=1)
    spectrum *= _transfer(fan, draw, length)
    return scipy.fft.ifft(spectrum, axis=1, overwrite_x=True)[:, : fan.lines]


def beam_width_deg(radii: NDArray[np.float64], draw: SpeckleDraw) -> NDArray[np.float64]:
    """Return the beam's full width at half maximum at each distance: least at the focus, at most 2.5 times as wide close to the probe.

    >>> beam_width_deg(np.array([10.0, 80.0, 160.0]), SpeckleDraw(1)).round(2)
    array([3. , 1.2, 1.3])
    """
    return draw.lateral_deg * np.minimum(np.hypot(1, 0.85 * (draw.focus_mm / radii - 1)), _WIDEST)


def _transfer(fan: PolarGrid, draw: SpeckleDraw, length: int) -> NDArray[np.float32]:
    """Return (S, length) the beam's spectrum at every depth, normalised to unit energy."""
    sigma = (beam_width_deg(fan.radii(), draw) * _SIGMA / fan.line_deg).astype(np.float32)
    wave = np.square(2 * np.pi * scipy.fft.fftfreq(length)).astype(np.float32)
    spectrum = np.exp(np.float32(-0.5) * np.square(sigma)[:, None] * wave)
    if draw.sidelobe_db > OFF_DB:
        foot = np.exp(np.float32(-0.5 * _FOOT**2) * np.square(sigma)[:, None] * wave)
        spectrum += np.float32(_FOOT * 10 ** (draw.sidelobe_db / 20)) * foot
    spectrum /= np.sqrt(np.square(spectrum).mean(axis=1, keepdims=True))
    return spectrum

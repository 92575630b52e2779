"""A physical echo picture of a label slice: scatterers, pulse and beam, clutter, noise, envelope, log compression, scan conversion."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from echo3d.core.sector import PictureGrid
from echo3d.errors import ShapeError
from echo3d.style.beam import blur_field
from echo3d.style.draws import OFF_DB, SpeckleDraw, draw_speckle
from echo3d.style.echogenicity import scatter_amplitude
from echo3d.style.polar import PolarGrid, check_polar, polar_of, scan_convert

__all__ = ["PolarGrid", "SpeckleDraw", "draw_speckle", "envelope", "polar_of", "speckle_image"]

_NOISE_RISE_DB = 30.0
_REVERB_MM = 40.0
_FLOOR = np.float32(1e-6)


def speckle_image(
    polar_labels: NDArray[np.uint8], fan: PolarGrid, grid: PictureGrid, draw: SpeckleDraw, *, shadow_mm: NDArray | None = None
) -> NDArray[np.float32]:
    """Return the echo picture of a slice.

    Frames of one cine share the draw but for ``frame``: the tissue's speckle then stands still, blood and noise flicker.

    Parameters
    ----------
    polar_labels : (S, L) uint8 structure values on the fan, 0 outside the heart
    fan : where the samples lie
    grid : raster of the picture
    draw : see :func:`draw_speckle`
    shadow_mm : (L,) depth at which bone or lung stops each beam, mm, infinite where nothing does; as ``anatomy.window`` finds it

    Returns
    -------
    (height, width) float32 in [0, 1], zero outside the fan

    Raises
    ------
    ShapeError
        If ``polar_labels`` or ``shadow_mm`` has not the shape of ``fan``.

    *Source:* reference science.md section G, convolution model.
    """
    return scan_convert(_display(envelope(polar_labels, fan, draw, shadow_mm=shadow_mm), draw), fan, grid)


def envelope(
    polar_labels: NDArray[np.uint8], fan: PolarGrid, draw: SpeckleDraw, *, shadow_mm: NDArray | None = None
) -> NDArray[np.float32]:
    """Return the (S, L) float32 amplitude of the echo before compression; the mean square in plain myocardium is 1."""
    check_polar(polar_labels, fan)
    if shadow_mm is not None and np.shape(shadow_mm) != (fan.lines,):
        raise ShapeError(f"shadow_mm must have shape {(fan.lines,)}, one depth for each beam, found {np.shape(shadow_mm)}")
    diffuse, mirror, blood = scatter_amplitude(polar_labels, fan, draw, shadow_mm=shadow_mm)
    fresh = _gaussian(draw.seed, 3 + draw.frame, fan.samples, fan.lines)
    # Blood takes the frame's own noise upside down, so that it is independent of the electronic noise at the same place.
    field = np.where(blood, fresh[::-1], _gaussian(draw.seed, 2, fan.samples, fan.lines))
    field *= diffuse
    field += mirror
    seen = _reverberate(blur_field(field, fan, draw), fan, draw)
    seen += fresh * _clutter_level(fan, draw)[:, None]
    return np.abs(seen)


@lru_cache(maxsize=8)
def _gaussian(seed: int, stream: int, samples: int, lines: int) -> NDArray[np.complex64]:
    """Return (samples, lines) complex Gaussian numbers of unit mean square."""
    parts = np.random.default_rng([seed, stream]).standard_normal((samples, 2 * lines), np.float32)
    parts *= np.float32(np.sqrt(0.5))
    parts.flags.writeable = False
    return parts.view(np.complex64)


def _reverberate(seen: NDArray[np.complex64], fan: PolarGrid, draw: SpeckleDraw) -> NDArray[np.complex64]:
    """Return the field with the copy that bounces between probe and chest wall: the near field, shifted deeper."""
    shift = round(draw.reverb_mm / fan.step_mm)
    if draw.reverb_db <= OFF_DB or not 0 < shift < fan.samples:
        return seen
    share = 10 ** (draw.reverb_db / 20) * np.exp(-fan.radii()[:-shift] / _REVERB_MM)
    # The product is a new array, so that the copy is not copied again where the two overlap.
    seen[shift:] += seen[:-shift] * share.astype(np.float32)[:, None]
    return seen


def _clutter_level(fan: PolarGrid, draw: SpeckleDraw) -> NDArray[np.float32]:
    """Return (S,) the amplitude of near-field haze and electronic noise together."""
    radii = fan.radii()
    haze = 10 ** (draw.haze_db / 20) * np.exp(-radii / draw.haze_mm)
    noise = 10 ** ((draw.noise_db + _NOISE_RISE_DB * (radii / fan.depth - 1)) / 20)
    return np.hypot(haze, noise).astype(np.float32)


def _display(amplitude: NDArray[np.float32], draw: SpeckleDraw) -> NDArray[np.float32]:
    """Return grey values in [0, 1]: log compression, display filter, grey curve."""
    grey = np.log10(np.maximum(amplitude, _FLOOR, out=amplitude), out=amplitude)
    grey *= np.float32(20 / draw.range_db)
    grey += np.float32(1 - draw.white_db / draw.range_db)
    np.clip(grey, 0, 1, out=grey)
    if draw.blur > 0:
        grey[:, 1:-1] += np.float32(draw.blur) * (grey[:, 2:] + grey[:, :-2] - 2 * grey[:, 1:-1])
    return grey if draw.gamma == 1 else np.power(grey, np.float32(draw.gamma), out=grey)

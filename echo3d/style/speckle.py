"""A physical echo picture of a label slice: scatterers, pulse and beam, clutter, noise, envelope, log compression, scan conversion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echo3d.core.sector import PictureGrid
from echo3d.style.beam import blur_field
from echo3d.style.display import displayed
from echo3d.style.draws import OFF_DB, SpeckleDraw, draw_speckle
from echo3d.style.echogenicity import scatter_amplitude
from echo3d.style.noise import gaussian, tissue_noise, tissue_places
from echo3d.style.polar import PolarGrid, check_polar, polar_of, scan_convert
from echo3d.style.scene import Scene, check_scene

__all__ = ["PolarGrid", "Scene", "SpeckleDraw", "draw_speckle", "envelope", "polar_of", "speckle_image"]

_NOISE_RISE_DB = 30.0
_REVERB_MM = 40.0
_UNKNOWN = Scene()


def speckle_image(
    polar_labels: NDArray[np.uint8], fan: PolarGrid, grid: PictureGrid, draw: SpeckleDraw, *, scene: Scene = _UNKNOWN
) -> NDArray[np.float32]:
    """Return the echo picture of a slice.

    Frames of one cine share the draw but for ``frame``: the tissue's speckle then stands still, or moves with the tissue where the scene
    tells where that lies at rest; blood and noise flicker.

    Parameters
    ----------
    polar_labels : (S, L) uint8 structure values on the fan, 0 outside the heart
    fan : where the samples lie
    grid : raster of the picture
    draw : see :func:`draw_speckle`
    scene : what stops the beams, where the tissue lies at rest, and how the plane cuts the LV

    Returns
    -------
    (height, width) float32 in [0, 1], zero outside the fan

    Raises
    ------
    ShapeError
        If ``polar_labels`` or an array of the scene has not the shape of ``fan``.

    *Source:* reference science.md section G, convolution model.
    """
    return scan_convert(displayed(envelope(polar_labels, fan, draw, scene=scene), fan, draw), fan, grid)


def envelope(polar_labels: NDArray[np.uint8], fan: PolarGrid, draw: SpeckleDraw, *, scene: Scene = _UNKNOWN) -> NDArray[np.float32]:
    """Return the (S, L) float32 amplitude of the echo before compression; the mean square in plain myocardium is 1."""
    check_polar(polar_labels, fan)
    check_scene(scene, fan)
    places = None if scene.rest_mm is None else tissue_places(scene.rest_mm, fan)
    diffuse, mirror, blood = scatter_amplitude(polar_labels, fan, draw, scene=scene, places=places)
    fresh = gaussian(draw.seed, 3 + draw.frame, fan.samples, fan.lines)
    still = gaussian(draw.seed, 2, fan.samples, fan.lines) if places is None else tissue_noise(places, draw.seed)
    # Blood takes the frame's own noise upside down, so that it is independent of the electronic noise at the same place.
    field = np.where(blood, fresh[::-1], still)
    field *= diffuse
    field += mirror
    seen = _reverberate(blur_field(field, fan, draw), fan, draw)
    seen += fresh * _clutter_level(fan, draw)[:, None]
    return np.abs(seen)


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

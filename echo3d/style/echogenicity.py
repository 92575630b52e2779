"""How strongly every sample of a fan scatters: tissue levels, textures, fibres, fat and pericardium, mirror echoes, dropout and shadows."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from echo3d.core.structures import BLOOD, VALVES, Structure
from echo3d.style.coarse import Slow, blur, slow_maps, stretch
from echo3d.style.draws import OFF_DB, SpeckleDraw
from echo3d.style.noise import at_places
from echo3d.style.polar import PolarGrid
from echo3d.style.scene import Scene
from echo3d.style.shadows import behind_db, drawn_lung, drawn_shadow_db, fronts, lung_haze_db

Maps = NDArray[np.float32]

_OUTSIDE, _MYOCARDIUM, _ATRIUM, _VESSEL, _VALVE, _BLOOD = range(6)
_PERICARDIUM_MM = 2.5
_LEAVING = 0.35
_NEPER = np.float32(np.log(10) / 20)


def _kinds() -> NDArray[np.uint8]:
    """Return (256,) the kind of tissue of every label; the caps over the openings of veins and appendage are no tissue: blood."""
    kinds = np.full(256, _OUTSIDE, np.uint8)
    kinds[[Structure.LV_MYOCARDIUM, Structure.RV_MYOCARDIUM]] = _MYOCARDIUM
    kinds[[Structure.LA_WALL, Structure.RA_WALL, *range(Structure.LA_APPENDAGE_BORDER, Structure.INFERIOR_VENA_CAVA_BORDER + 1)]] = _ATRIUM
    kinds[[Structure.AORTA, Structure.PULMONARY_ARTERY]] = _VESSEL
    kinds[list(VALVES)] = _VALVE
    kinds[[*BLOOD, *range(Structure.LA_APPENDAGE, Structure.INFERIOR_VENA_CAVA + 1)]] = _BLOOD
    kinds.flags.writeable = False
    return kinds


KINDS = _kinds()
_DENSITY = np.array([2, 1, 1, 1, 1, 0], np.float32)[KINDS]
"""Blood 0, heart wall 1, surroundings 2: grows across every wall from the inside out."""


def scatter_amplitude(
    labels: NDArray[np.uint8], fan: PolarGrid, draw: SpeckleDraw, *, scene: Scene, places: Maps | None = None
) -> tuple[Maps, Maps, NDArray[np.bool_]]:
    """Return what a slice of the heart sends back, before the beam blurs it.

    Parameters
    ----------
    labels : (S, L) uint8 structure values on the fan
    fan, draw : the fan and the drawn levels
    scene : what stops the beams, and how the plane cuts the LV
    places : (3, S, L) where the tissue lies at rest, as ``noise.tissue_places`` gives it; its texture then moves with it

    Returns
    -------
    diffuse : (S, L) float32, standard deviation of the random scatterers, 1 for plain myocardium
    mirror : (S, L) float32, amplitude of the mirror echoes
    blood : (S, L) bool
    """
    kinds = KINDS[labels]
    density = _DENSITY[labels]
    slow = slow_maps(density, fan, draw, long_axis=scene.long_axis)
    fine, broad, patches = _textures(draw.seed, fan.samples, fan.lines)
    fine = fine if places is None else at_places(fine, places)
    gain = slow.gained + _depth_gain_db(fan, draw)[:, None]
    gain += drawn_shadow_db(fan, draw)
    gain += patches * np.float32(draw.patch_db)
    if scene.shadow_mm is not None:
        gain += behind_db(fan, scene.shadow_mm)
    levels = _levels_db(kinds, slow, (fine, broad), (fan, draw))
    levels += gain
    haze = lung_haze_db(fan, scene)
    if haze is not None:
        np.maximum(levels, haze, out=levels)
    levels *= _NEPER
    # Mirror echoes are broken up by the same fine texture, twice as strongly: a real wall is no polished plate.
    gain += fine * np.float32(2 * draw.texture_db)
    mirror = _mirror(density, slow.facing, gain, draw, fan)
    if scene.shadow_mm is not None:
        mirror += fronts(fan, scene)
    lung = drawn_lung(fan, draw)
    if lung is not None:
        mirror += lung * np.exp(fine * (_NEPER * np.float32(2 * draw.texture_db)))
    return np.exp(levels, out=levels), mirror, kinds == _BLOOD


def _levels_db(kinds: NDArray[np.uint8], slow: Slow, textures: tuple[Maps, Maps], how: tuple[PolarGrid, SpeckleDraw]) -> Maps:
    """Return the level of every sample before gain and shadows, dB."""
    (fine, broad), (fan, draw) = textures, how
    outside = kinds == _OUTSIDE
    walls = ~(outside | (kinds == _BLOOD))
    levels = np.array([0.0, 0.0, draw.atrial_db, draw.vessel_db, draw.valve_db, draw.blood_db], np.float32)[kinds]
    levels += fine * (np.float32(draw.texture_db) * ~outside)
    levels -= slow.lost * walls
    levels -= slow.fibre * (kinds == _MYOCARDIUM)
    around = slow.around + broad * np.float32(draw.outside_texture_db) + _chest_db(fan, draw)[:, None]
    around += _shell(outside, fan) * slow.facing * (np.float32(draw.pericardium_db) - slow.around)
    return np.where(outside, around, levels)


def _shell(outside: NDArray[np.bool_], fan: PolarGrid) -> NDArray[np.bool_]:
    """Return the samples outside that lie within 2.5 mm of the heart along the beam, or one beam beside it."""
    reach = max(1, round(_PERICARDIUM_MM / fan.step_mm))
    heart = ~outside
    near = heart.copy()
    near[reach:] |= heart[:-reach]
    near[:-reach] |= heart[reach:]
    near[:, 1:] |= heart[:, :-1]
    near[:, :-1] |= heart[:, 1:]
    return near & outside


def _mirror(density: Maps, facing: Maps, gain: Maps, draw: SpeckleDraw, fan: PolarGrid) -> Maps:
    """Return the mirror echo of the borders that the beam crosses: strong at right angles, nothing along the beam.

    Where the beam leaves dense tissue the echo is weaker than where it enters, so that a leaflet is one line, not two.
    """
    mirror = np.zeros_like(density)
    if draw.specular_db <= OFF_DB:
        return mirror
    reach = max(1, round(0.5 * draw.axial_mm / fan.step_mm))
    rise = density[2 * reach :] - density[: -2 * reach]
    mirror[reach:-reach] = np.maximum(rise, np.float32(-_LEAVING) * rise)
    mirror *= facing
    mirror *= np.exp((gain + np.float32(draw.specular_db)) * _NEPER)
    return mirror


def _chest_db(fan: PolarGrid, draw: SpeckleDraw) -> Maps:
    """Return (S,) the level of the chest wall's layers before the heart, dB; nothing below it."""
    if draw.chest_mm <= 0 or draw.chest_db == 0:
        return np.zeros(fan.samples, np.float32)
    rng = np.random.default_rng([draw.seed, 0])
    at = np.arange(0, fan.depth + 3, 3.0)
    layers = np.interp(fan.radii(), at, rng.normal(0, draw.chest_db, len(at)))
    return (layers * _step((draw.chest_mm - fan.radii()) / 2)).astype(np.float32)


@lru_cache(maxsize=8)
def _textures(seed: int, samples: int, lines: int) -> tuple[Maps, Maps, Maps]:
    """Return three (samples, lines) fields of unit variance, of about 1/40 and 1/5 of the fan in size; fixed in a cine.

    The second is layered, as connective tissue is: 1/26 of the fan along the beam, 1/8 across.
    """
    rng = np.random.default_rng([seed, 1])
    fine, broad, patches = (_field(rng, knots, (samples, lines)) for knots in ((40, 24), (26, 8), (5, 6)))
    return fine, broad, patches


def _field(rng: np.random.Generator, knots: tuple[int, int], shape: tuple[int, int]) -> Maps:
    """Return a smooth random field of unit variance on average."""
    rows, columns = (stretch(knot, size) @ blur(knot, 0.7) for knot, size in zip(knots, shape, strict=True))
    field = rows @ rng.standard_normal(knots, np.float32) @ columns.T
    field /= field.std()
    field.flags.writeable = False
    return field


def _depth_gain_db(fan: PolarGrid, draw: SpeckleDraw) -> Maps:
    """Return (S,) what attenuation and the machine's depth gain leave uncorrected, dB."""
    at = np.linspace(0, fan.depth, len(draw.tgc_db))
    return np.interp(fan.radii(), at, draw.tgc_db).astype(np.float32)


def _step(value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logistic step."""
    return 1 / (1 + np.exp(-value))

"""How strongly every sample of a fan scatters: tissue levels, textures, mirror echoes, dropout and shadows."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from echo3d.core.structures import BLOOD, VALVES, Structure
from echo3d.style.draws import OFF_DB, SpeckleDraw
from echo3d.style.polar import PolarGrid

Maps = NDArray[np.float32]

_OUTSIDE, _MYOCARDIUM, _ATRIUM, _VESSEL, _VALVE, _BLOOD = range(6)
_COARSE = (64, 48)
_PERICARDIUM_MM = 2.5
_LEAVING = 0.35
BLOCKED_DB = 60.0
"""Loss behind bone or lung: what is left lies below the noise of most scanners. Our choice."""
FRONT_DB = 12.0
"""Level of the bright line at the front of bone or lung, against myocardium. Our choice."""
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
    labels: NDArray[np.uint8], fan: PolarGrid, draw: SpeckleDraw, *, shadow_mm: NDArray | None = None
) -> tuple[Maps, Maps, NDArray[np.bool_]]:
    """Return what a slice of the heart sends back, before the beam blurs it.

    Parameters
    ----------
    labels : (S, L) uint8 structure values on the fan
    fan, draw : the fan and the drawn levels
    shadow_mm : (L,) depth at which bone or lung stops each beam, infinite for none

    Returns
    -------
    diffuse : (S, L) float32, standard deviation of the random scatterers, 1 for plain myocardium
    mirror : (S, L) float32, amplitude of the mirror echoes
    blood : (S, L) bool
    """
    kinds = KINDS[labels]
    blood = kinds == _BLOOD
    outside = kinds == _OUTSIDE
    density = _DENSITY[labels]
    along, gain = _wall_maps(density, fan, draw)
    levels = _levels_db(draw)[kinds]
    levels[_shell(outside, fan)] = draw.pericardium_db
    fine, broad, patches = _textures(draw.seed, fan.samples, fan.lines)
    around = broad * np.float32(draw.outside_texture_db) + _chest_db(fan, draw)[:, None]
    levels += np.where(outside, around, fine * np.float32(draw.texture_db))
    levels -= np.float32(draw.dropout_db) * along * ~(blood | outside)
    gain += _depth_gain_db(fan, draw)[:, None] + _shadow_db(fan, draw)[None, :]
    gain += patches * np.float32(draw.patch_db)
    if shadow_mm is not None:
        gain += _behind_db(fan, shadow_mm)
    levels += gain
    levels *= _NEPER
    # Mirror echoes are broken up by the same fine texture, twice as strongly: a real wall is no polished plate.
    gain += fine * np.float32(2 * draw.texture_db)
    mirror = _mirror(density, along, gain, draw, fan)
    if shadow_mm is not None:
        mirror += _bright_front(fan, shadow_mm)
    return np.exp(levels, out=levels), mirror, blood


def _levels_db(draw: SpeckleDraw) -> Maps:
    """Return the level of each kind of tissue, dB."""
    return np.array([draw.outside_db, 0.0, draw.atrial_db, draw.vessel_db, draw.valve_db, draw.blood_db], np.float32)


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


def _wall_maps(density: Maps, fan: PolarGrid, draw: SpeckleDraw) -> tuple[Maps, Maps]:
    """Return (S, L) the share 0-1 in which the wall nearby runs along the beam, and the dB gained behind blood; from a coarse copy."""
    down, across = _pool(fan.samples, _COARSE[0]), _pool(fan.lines, _COARSE[1]).T
    coarse = down @ density @ across
    step = fan.depth / _COARSE[0]
    radii = (np.arange(_COARSE[0], dtype=np.float32) + np.float32(0.5)) * np.float32(step)
    width = radii * np.float32(np.radians(2 * fan.half_angle / _COARSE[1]))
    smooth = _blur(_COARSE[0], 1.5), _blur(_COARSE[1], 1.5)
    beam = smooth[0] @ np.square(np.gradient(coarse, step, axis=0)) @ smooth[1]
    side = smooth[0] @ np.square(np.gradient(coarse, axis=1) / width[:, None]) @ smooth[1]
    along = (side + np.float32(2e-4)) / (side + beam + np.float32(2e-3))
    gained = np.cumsum(np.clip(1 - coarse, 0, 1), axis=0) * np.float32(step / 10 * draw.enhancement_db_per_cm)
    up = _stretch(_COARSE[0], fan.samples), _stretch(_COARSE[1], fan.lines).T
    return up[0] @ along @ up[1], up[0] @ (gained - gained.mean()) @ up[1]


def _mirror(density: Maps, along: Maps, gain: Maps, draw: SpeckleDraw, fan: PolarGrid) -> Maps:
    """Return the mirror echo of the borders that the beam crosses: strong at right angles, nothing along the beam.

    Where the beam leaves dense tissue the echo is weaker than where it enters, so that a leaflet is one line, not two.
    """
    mirror = np.zeros_like(density)
    if draw.specular_db <= OFF_DB:
        return mirror
    reach = max(1, round(0.5 * draw.axial_mm / fan.step_mm))
    rise = density[2 * reach :] - density[: -2 * reach]
    mirror[reach:-reach] = np.maximum(rise, np.float32(-_LEAVING) * rise)
    facing = np.clip(1 - along, 0, 1) ** np.float32(draw.specular_power / 2)
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
    """Return three (samples, lines) fields of unit variance, of about 1/40, 1/12 and 1/5 of the fan in size; fixed in a cine."""
    rng = np.random.default_rng([seed, 1])
    fine, broad, patches = (_field(rng, knots, (samples, lines)) for knots in ((40, 24), (12, 8), (5, 6)))
    return fine, broad, patches


def _field(rng: np.random.Generator, knots: tuple[int, int], shape: tuple[int, int]) -> Maps:
    """Return a smooth random field of unit variance on average."""
    rows, columns = (_stretch(knot, size) @ _blur(knot, 0.7) for knot, size in zip(knots, shape, strict=True))
    field = rows @ rng.standard_normal(knots, np.float32) @ columns.T
    field /= field.std()
    field.flags.writeable = False
    return field


def _depth_gain_db(fan: PolarGrid, draw: SpeckleDraw) -> Maps:
    """Return (S,) what attenuation and the machine's depth gain leave uncorrected, dB."""
    at = np.linspace(0, fan.depth, len(draw.tgc_db))
    return np.interp(fan.radii(), at, draw.tgc_db).astype(np.float32)


def _shadow_db(fan: PolarGrid, draw: SpeckleDraw) -> Maps:
    """Return (L,) the loss of each beam behind lung at the fan's edges and behind a rib, dB, 0 or negative."""
    angle = fan.angles()
    left, right = angle + fan.half_angle - draw.shadow_deg[0], fan.half_angle - draw.shadow_deg[1] - angle
    edge = _step(-left / 2) * (draw.shadow_deg[0] > 0) + _step(-right / 2) * (draw.shadow_deg[1] > 0)
    rib = np.exp(-0.5 * np.square((angle - draw.rib_at * fan.half_angle) / (draw.rib_deg / 2)))
    return (-draw.shadow_db * edge - draw.rib_db * rib).astype(np.float32)


def _behind_db(fan: PolarGrid, shadow_mm: NDArray) -> Maps:
    """Return (S, L) the loss behind bone or lung, dB: nothing before it, all of ``BLOCKED_DB`` from 2 mm behind it on."""
    behind = fan.radii()[:, None] - np.asarray(shadow_mm, float)[None, :]
    return (-BLOCKED_DB * np.clip(behind / 2.0, 0, 1)).astype(np.float32)


def _bright_front(fan: PolarGrid, shadow_mm: NDArray) -> Maps:
    """Return (S, L) the bright line of 1.5 mm that bone or lung shows where it stops a beam; nothing where the probe stands on it.

    Like every mirror echo it is full where the front lies square to the beam and fades where the beam grazes it.
    """
    start = np.asarray(shadow_mm, float)[None, :]
    near = np.abs(fan.radii()[:, None] - start) <= max(0.75, fan.step_mm / 2)
    return np.where(near & (start > 0), np.float32(10 ** (FRONT_DB / 20)) * _squareness(fan, start[0]), np.float32(0))


def _squareness(fan: PolarGrid, start: NDArray) -> Maps:
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


@lru_cache(maxsize=32)
def _pool(fine: int, coarse: int) -> Maps:
    """Return the (coarse, fine) matrix that averages shares of a row of ``fine`` samples."""
    edges = np.arange(coarse + 1) * fine / coarse
    cells = np.arange(fine)
    overlap = np.minimum(edges[1:, None], cells + 1) - np.maximum(edges[:-1, None], cells)
    return _fixed(np.clip(overlap, 0, None) * coarse / fine)


@lru_cache(maxsize=32)
def _stretch(coarse: int, fine: int) -> Maps:
    """Return the (fine, coarse) matrix that interpolates linearly between cell centres and holds the ends."""
    at = np.clip((np.arange(fine) + 0.5) * coarse / fine - 0.5, 0, coarse - 1)
    return _fixed(np.clip(1 - np.abs(at[:, None] - np.arange(coarse)), 0, None))


@lru_cache(maxsize=32)
def _blur(size: int, sigma: float) -> Maps:
    """Return the (size, size) matrix of a Gaussian mean; symmetric but for the ends, where it stays a mean."""
    kernel = np.exp(-0.5 * np.square((np.arange(size)[:, None] - np.arange(size)) / sigma))
    return _fixed(kernel / kernel.sum(axis=1, keepdims=True))


def _fixed(matrix: NDArray[np.float64]) -> Maps:
    """Return a read-only float32 copy, safe to keep in a cache."""
    kept = np.ascontiguousarray(matrix, np.float32)
    kept.flags.writeable = False
    return kept

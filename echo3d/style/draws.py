"""What is drawn at random for one speckle picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from echo3d.style.presets import CHANCES, COMMON, IMAGING, OF_THE_MACHINE, PROCESSING

OFF_DB = -200.0
"""A level so low that the effect is absent."""


@dataclass(frozen=True, slots=True)
class SpeckleDraw:
    """The parameters of one speckle picture; as they stand, a clean scan of homogeneous tissues, without texture, loss or noise.

    All levels are amplitudes in dB against myocardium. ``dataclasses.asdict`` gives JSON and ``SpeckleDraw(**record)`` reads it back.

    Parameters
    ----------
    seed : of the scatterers and textures; the same for all frames of a cine
    frame : of the noise and of the blood, whose scatterers move; the number of the frame
    blood_db, atrial_db, vessel_db, valve_db : scatter level of blood, of the walls of atria and vessels, and of valve leaflets
    outside_db, side_db : scatter level of the soft tissue around the heart, and what it has more or less on beams that pass the heart by
    tail_db_per_cm : what the surroundings lose with each cm behind the heart, where there is lung more often than tissue
    fat_db, fat_mm : scatter level of the fat on and between the heart's parts, and how thick it lies
    pericardium_db : scatter level of a line of 2.5 mm around the heart where the beam meets it at right angles
    texture_db, outside_texture_db : standard deviation of the fine variation within the heart's walls and of the broad one around the heart
    patch_db : standard deviation of the broad gain over the whole picture: windows between ribs, poor contact, uneven absorption
    chest_mm, chest_db : thickness of the chest wall, and standard deviation of its layers
    specular_db, specular_power : mirror echo of a wall at right angles to the beam, and its falling off as power of the cosine
    dropout_db : loss in walls that run along the beam
    fibre_db : loss in myocardium whose fibres run along the beam; they turn through the wall, so that layers appear
    enhancement_db_per_cm : what the echo gains behind each cm of blood
    tgc_db : error of the depth gain at equally spaced depths
    shadow_deg, shadow_db : width of the shadows at the fan's left and right edge, and their depth
    lung_db : level of the reverberation lines in those shadows, at multiples of ``chest_mm``
    rib_at, rib_deg, rib_db : a rib's shadow: place (-1 to 1 across the fan), width, and depth
    axial_mm, lateral_deg, focus_mm : full width at half maximum of the pulse, of the beam at its focus, and where that lies
    sidelobe_db : level of the beam's wide foot
    haze_db, haze_mm : clutter before the probe and the depth within which it falls to 1/e
    reverb_db, reverb_mm : copy of the near field shifted deeper
    noise_db : electronic noise at full depth; it falls by 30 dB towards the probe, as the depth gain does
    range_db, white_db : dynamic range and level shown white
    gamma, curve : grey map: an exponent, and then the share 0-1 of an S-shaped curve
    edge : edge enhancement along the beam: how much of the difference to the mean of 3 mm is added
    smooth : speckle reduction: share 0-1 of the mean over 1.2 mm and three beams
    blur : share of the two neighbouring beams in the display's filter
    persistence : share 0-1 of the frame before in each frame of a cine; applied by :func:`echo3d.style.display.persisted`
    imaging, processing : names of the presets of :mod:`echo3d.style.presets` that the numbers were drawn from; for the record only

    *Source:* reference science.md section G (pulse, beam, dynamic range, blood level); the rest is our choice, tuned on real clips.
    """

    seed: int
    frame: int = 0
    blood_db: float = -25.0
    outside_db: float = 0.0
    atrial_db: float = 0.0
    vessel_db: float = 0.0
    valve_db: float = 0.0
    side_db: float = 0.0
    tail_db_per_cm: float = 0.0
    fat_db: float = 0.0
    fat_mm: float = 0.0
    pericardium_db: float = 0.0
    texture_db: float = 0.0
    outside_texture_db: float = 0.0
    patch_db: float = 0.0
    chest_mm: float = 0.0
    chest_db: float = 0.0
    specular_db: float = OFF_DB
    specular_power: float = 4.0
    dropout_db: float = 0.0
    fibre_db: float = 0.0
    enhancement_db_per_cm: float = 0.0
    tgc_db: tuple[float, ...] = (0.0, 0.0)
    shadow_deg: tuple[float, float] = (0.0, 0.0)
    shadow_db: float = 0.0
    lung_db: float = OFF_DB
    rib_at: float = 0.0
    rib_deg: float = 5.0
    rib_db: float = 0.0
    axial_mm: float = 0.6
    lateral_deg: float = 1.2
    focus_mm: float = 80.0
    sidelobe_db: float = OFF_DB
    haze_db: float = OFF_DB
    haze_mm: float = 15.0
    reverb_db: float = OFF_DB
    reverb_mm: float = 25.0
    noise_db: float = OFF_DB
    range_db: float = 60.0
    white_db: float = 20.0
    gamma: float = 1.0
    curve: float = 0.0
    edge: float = 0.0
    smooth: float = 0.0
    blur: float = 0.0
    persistence: float = 0.0
    imaging: str = ""
    processing: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "tgc_db", tuple(float(level) for level in self.tgc_db))
        object.__setattr__(self, "shadow_deg", (float(self.shadow_deg[0]), float(self.shadow_deg[1])))


def draw_speckle(rng: np.random.Generator, *, like: SpeckleDraw | None = None) -> SpeckleDraw:
    """Return the parameters of a scan as they vary between patients, machines and hands.

    Parameters
    ----------
    rng : as many numbers are drawn from it each time
    like : another scan of the same examination, whose machine and settings are kept

    >>> draw_speckle(np.random.default_rng(1)) == draw_speckle(np.random.default_rng(1))
    True
    """
    imaging, processing = (str(rng.choice(list(odds), p=list(odds.values()))) for odds in CHANCES.values())
    if like is not None:
        imaging, processing = like.imaging or imaging, like.processing or processing
    ranges = COMMON | IMAGING[imaging] | PROCESSING[processing]
    drawn: dict[str, Any] = {name: float(rng.uniform(low, high)) for name, (low, high) in ranges.items()}
    deep_db, reverb_chance = drawn.pop("deep_db"), drawn.pop("reverb_chance")
    closed = rng.random() < 0.7
    draw = SpeckleDraw(
        seed=int(rng.integers(2**31)),
        valve_db=float(rng.uniform(3, 9) if closed else rng.uniform(-22, -8)),
        tgc_db=_depth_gain(rng, deep_db),
        shadow_deg=(float(rng.uniform(-4, 14)), float(rng.uniform(-4, 14))),
        lung_db=_sometimes(rng, 0.4, (-28.0, -12.0), OFF_DB),
        rib_db=_sometimes(rng, 0.12, (6.0, 14.0), 0.0),
        reverb_db=_sometimes(rng, reverb_chance, (-26.0, -14.0), OFF_DB),
        imaging=imaging,
        processing=processing,
        **drawn,
    )
    return draw if like is None else replace(draw, **{name: getattr(like, name) for name in OF_THE_MACHINE})


def _depth_gain(rng: np.random.Generator, deep_db: float) -> tuple[float, ...]:
    """Return the error of the depth gain at six depths, dB: a walk, and a slope that ends ``deep_db`` off."""
    knots = np.cumsum(rng.normal(0.0, 1.5, 6))
    return tuple((knots - knots.mean() + np.linspace(0.0, deep_db, 6)).tolist())


def _sometimes(rng: np.random.Generator, chance: float, levels: tuple[float, float], otherwise: float) -> float:
    """Return a level with some chance; two numbers are drawn either way."""
    level, happens = float(rng.uniform(*levels)), rng.random() < chance
    return level if happens else otherwise

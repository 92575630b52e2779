"""What is drawn at random for one speckle picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

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
    blood_db, outside_db, atrial_db, vessel_db, valve_db, pericardium_db : scatter level of blood, of what lies around the heart,
        of the walls of atria and vessels, of valve leaflets, and of a line of 2.5 mm around the heart
    texture_db, outside_texture_db : standard deviation of the fine variation within the heart's walls and of the broad one around the heart
    patch_db : standard deviation of the broad gain over the whole picture: windows between ribs, poor contact, uneven absorption
    chest_mm, chest_db : thickness of the chest wall, and standard deviation of its layers
    specular_db, specular_power : mirror echo of a wall at right angles to the beam, and its falling off as power of the cosine
    dropout_db : loss in walls that run along the beam
    enhancement_db_per_cm : what the echo gains behind each cm of blood
    tgc_db : error of the depth gain at equally spaced depths
    shadow_deg, shadow_db : width of the shadows at the fan's left and right edge, and their depth
    rib_at, rib_deg, rib_db : a rib's shadow: place (-1 to 1 across the fan), width, and depth
    axial_mm, lateral_deg, focus_mm : full width at half maximum of the pulse, of the beam at its focus, and where that lies
    sidelobe_db : level of the beam's wide foot
    haze_db, haze_mm : clutter before the probe and the depth within which it falls to 1/e
    reverb_db, reverb_mm : copy of the near field shifted deeper
    noise_db : electronic noise at full depth; it falls by 30 dB towards the probe, as the depth gain does
    range_db, white_db, gamma : dynamic range, level shown white, and grey curve of the display
    blur : share of the two neighbouring beams in the display's filter

    *Source:* reference science.md section G (pulse, beam, dynamic range, blood level); the rest is our choice, tuned on real clips.
    """

    seed: int
    frame: int = 0
    blood_db: float = -25.0
    outside_db: float = 0.0
    atrial_db: float = 0.0
    vessel_db: float = 0.0
    valve_db: float = 0.0
    pericardium_db: float = 0.0
    texture_db: float = 0.0
    outside_texture_db: float = 0.0
    patch_db: float = 0.0
    chest_mm: float = 0.0
    chest_db: float = 0.0
    specular_db: float = OFF_DB
    specular_power: float = 4.0
    dropout_db: float = 0.0
    enhancement_db_per_cm: float = 0.0
    tgc_db: tuple[float, ...] = (0.0, 0.0)
    shadow_deg: tuple[float, float] = (0.0, 0.0)
    shadow_db: float = 0.0
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
    blur: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "tgc_db", tuple(float(level) for level in self.tgc_db))
        object.__setattr__(self, "shadow_deg", (float(self.shadow_deg[0]), float(self.shadow_deg[1])))


def draw_speckle(rng: np.random.Generator) -> SpeckleDraw:
    """Return the parameters of a scan as they vary between patients, machines and hands.

    >>> draw_speckle(np.random.default_rng(1)) == draw_speckle(np.random.default_rng(1))
    True
    """
    ranges: dict[str, Any] = {name: float(rng.uniform(low, high)) for name, (low, high) in _RANGES.items()}
    knots = np.cumsum(rng.normal(0.0, 1.5, 6))
    slope = np.linspace(0.0, rng.uniform(-9.0, 2.0), 6)
    closed = rng.random() < 0.7
    return SpeckleDraw(
        seed=int(rng.integers(2**31)),
        valve_db=float(rng.uniform(3, 9) if closed else rng.uniform(-22, -8)),
        tgc_db=tuple((knots - knots.mean() + slope).tolist()),
        shadow_deg=(float(rng.uniform(-4, 14)), float(rng.uniform(-4, 14))),
        rib_db=float(rng.uniform(6, 14) if rng.random() < 0.12 else 0.0),
        reverb_db=float(rng.uniform(-26, -14) if rng.random() < 0.4 else OFF_DB),
        **ranges,
    )


# The beam reaches 1.9 degrees, which is 4 mm at 12 cm: the wide end of science.md G when read in mm.
_RANGES: dict[str, tuple[float, float]] = {
    "blood_db": (-30.0, -20.0),
    "outside_db": (-18.0, -5.0),
    "atrial_db": (-1.0, 4.0),
    "vessel_db": (0.0, 6.0),
    "pericardium_db": (0.0, 8.0),
    "texture_db": (2.5, 5.0),
    "outside_texture_db": (4.0, 9.0),
    "patch_db": (3.0, 6.5),
    "chest_mm": (10.0, 30.0),
    "chest_db": (3.0, 8.0),
    "specular_db": (0.0, 10.0),
    "specular_power": (2.0, 6.0),
    "dropout_db": (4.0, 20.0),
    "enhancement_db_per_cm": (0.0, 0.8),
    "shadow_db": (8.0, 30.0),
    "rib_at": (-0.7, 0.7),
    "rib_deg": (3.0, 8.0),
    "axial_mm": (0.4, 0.8),
    "lateral_deg": (1.0, 1.9),
    "focus_mm": (60.0, 110.0),
    "sidelobe_db": (-34.0, -24.0),
    "haze_db": (-14.0, 2.0),
    "haze_mm": (8.0, 22.0),
    "reverb_mm": (15.0, 40.0),
    "noise_db": (-40.0, -20.0),
    "range_db": (50.0, 70.0),
    "white_db": (15.0, 28.0),
    "gamma": (1.3, 2.6),
    "blur": (0.05, 0.33),
}

"""How kinds of imaging and kinds of processing differ: the ranges that a look is drawn from."""

from __future__ import annotations

Range = tuple[float, float]

# The beam reaches 2.0 degrees, which is 4 mm at 12 cm: the wide end of science.md G when read in mm.
COMMON: dict[str, Range] = {
    "blood_db": (-30.0, -20.0),
    "outside_db": (-16.0, -4.0),
    "side_db": (-16.0, 0.0),
    "tail_db_per_cm": (0.0, 5.0),
    "fat_db": (-6.0, 4.0),
    "fat_mm": (2.0, 9.0),
    "atrial_db": (-1.0, 4.0),
    "vessel_db": (0.0, 6.0),
    "pericardium_db": (0.0, 9.0),
    "texture_db": (2.5, 5.0),
    "outside_texture_db": (4.0, 9.0),
    "patch_db": (3.0, 6.5),
    "chest_mm": (10.0, 30.0),
    "chest_db": (3.0, 8.0),
    "specular_db": (-3.0, 8.0),
    "specular_power": (2.0, 6.0),
    "dropout_db": (2.0, 16.0),
    "fibre_db": (3.0, 9.0),
    "enhancement_db_per_cm": (0.0, 0.8),
    "shadow_db": (8.0, 30.0),
    "rib_at": (-0.7, 0.7),
    "rib_deg": (3.0, 8.0),
    "focus_mm": (60.0, 110.0),
    "haze_mm": (8.0, 22.0),
    "reverb_mm": (15.0, 40.0),
    "white_db": (11.0, 27.0),
    "blur": (0.05, 0.33),
}
"""What does not depend on the machine's settings."""

IMAGING: dict[str, dict[str, Range]] = {
    "fundamental": {
        "axial_mm": (0.4, 0.7),
        "lateral_deg": (1.3, 2.0),
        "sidelobe_db": (-30.0, -22.0),
        "haze_db": (-14.0, 2.0),
        "noise_db": (-42.0, -26.0),
        "deep_db": (-6.0, 2.0),
        "reverb_chance": (0.5, 0.5),
    },
    "harmonic": {
        "axial_mm": (0.5, 0.8),
        "lateral_deg": (0.9, 1.5),
        "sidelobe_db": (-40.0, -30.0),
        "haze_db": (-26.0, -8.0),
        "noise_db": (-34.0, -18.0),
        "deep_db": (-12.0, 0.0),
        "reverb_chance": (0.2, 0.2),
    },
}
"""Fundamental: sees deeper, with wide beams, haze and reverberation. Harmonic: narrow and clean, but weak and noisy at depth.

*Source:* the directions are those of any textbook of tissue harmonic imaging; the figures are our choice, tuned on real clips.
"""

PROCESSING: dict[str, dict[str, Range]] = {
    "classic": {
        "range_db": (55.0, 66.0),
        "gamma": (1.3, 2.1),
        "curve": (0.0, 0.2),
        "edge": (0.0, 0.3),
        "smooth": (0.0, 0.3),
        "persistence": (0.1, 0.3),
    },
    "crisp": {
        "range_db": (50.0, 60.0),
        "gamma": (1.3, 1.9),
        "curve": (0.1, 0.4),
        "edge": (0.5, 1.1),
        "smooth": (0.0, 0.3),
        "persistence": (0.0, 0.15),
    },
    "smooth": {
        "range_db": (60.0, 70.0),
        "gamma": (1.5, 2.4),
        "curve": (0.0, 0.3),
        "edge": (0.0, 0.3),
        "smooth": (0.6, 1.0),
        "persistence": (0.3, 0.55),
    },
    "hard": {
        "range_db": (50.0, 55.0),
        "gamma": (1.8, 2.6),
        "curve": (0.4, 0.8),
        "edge": (0.2, 0.6),
        "smooth": (0.2, 0.6),
        "persistence": (0.1, 0.3),
    },
}
"""Looks as scanners' post-processing gives them; our choice."""

CHANCES = {"imaging": {"fundamental": 0.35, "harmonic": 0.65}, "processing": {"classic": 0.35, "crisp": 0.2, "smooth": 0.3, "hard": 0.15}}
"""How often each is met; most adults are scanned with harmonics. Our choice."""

OF_THE_MACHINE = (
    "imaging",
    "processing",
    "axial_mm",
    "lateral_deg",
    "focus_mm",
    "sidelobe_db",
    "range_db",
    "white_db",
    "gamma",
    "curve",
    "edge",
    "smooth",
    "persistence",
    "blur",
)
"""Settings that one machine keeps through an examination; contact, shadows and texture differ from view to view."""

"""What is drawn for one beat: how much the chambers empty, in which way, and when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from echo3d.errors import InputError

FAMILIES = ("shell", "wringing", "piston")
"""The laws of motion; see :mod:`echo3d.anatomy.laws`. One can be kept out of training to test a network on a law it never saw."""

EVEN = (1.0,) * 17
"""All AHA segments move alike."""


@dataclass(frozen=True, slots=True)
class BeatDraw:
    """Drawn parameters of one beat.

    Parameters
    ----------
    family : the law of motion, one of ``FAMILIES``
    ef, rv_ef : ejection fractions
    gls : global longitudinal strain of the LV's inner contours in three apical planes, negative, a fraction
    la_emptying, ra_emptying : share of its largest volume that an atrium loses over the beat
    tapse : descent of the RV's base over that of the LV's, where ``rv_descent`` is not given
    rv_descent : descent of the RV's base as a share of the LV's length, or None
    apical, basal : radial motion there over that at mid height
    septal : how much less (negative: more) the septum moves than the free wall, as a share
    torsion : degrees, apex against base; in the wringing family the fibres decide instead
    helix : degrees of the fibres against the circumference at both walls (wringing family)
    reach : mm over which motion fades outside the wall
    segments : radial motion of the 17 AHA segments over that of a healthy wall; below 0 it bulges
    heart_rate : per minute
    systole : share of the cycle from ED to ES
    kick : share of the stroke volume that the atria add
    booster : share of an atrium's emptying that its own contraction does
    """

    family: str = "shell"
    ef: float = 0.6
    rv_ef: float = 0.55
    gls: float = -0.195
    la_emptying: float = 0.5
    ra_emptying: float = 0.45
    tapse: float = 1.4
    apical: float = 0.9
    basal: float = 0.8
    septal: float = 0.1
    torsion: float = 8.0
    helix: float = 60.0
    reach: float = 14.0
    segments: tuple[float, ...] = EVEN
    heart_rate: float = 65.0
    systole: float = 0.38
    kick: float = 0.25
    booster: float = 0.4
    rv_descent: float | None = None


GLS_PER_EF, GLS_SCATTER = -0.325, 0.13
"""Strain over ejection fraction and its relative scatter. *Source:* science.md 0.3: EF below 40 goes with -9.2 +- 2.7 %, 40-49 with
-14.9 +- 2, 50-54 with -16.2 +- 2.3, 55 and more with -20.5 +- 4.5."""


def check_ef(ef: float) -> None:
    """Refuse an ejection fraction that no law can reach.

    Raises
    ------
    InputError
        If ``ef`` is not in [0.08, 0.80].
    """
    if not 0.08 <= ef <= 0.80:
        raise InputError(f"an ejection fraction must lie between 0.08 and 0.80, found {ef:.3g}; choose one in that range")


def check_families(families: tuple[str, ...]) -> tuple[str, ...]:
    """Return the families of motion after checking their names.

    Raises
    ------
    InputError
        If there is none or one is not known.
    """
    wrong = [name for name in families if name not in FAMILIES]
    if wrong or not families:
        found = repr(wrong[0]) if wrong else "none"
        raise InputError(f"a family of motion must be one of {', '.join(FAMILIES)}, found {found}; choose one of these")
    return families


def draw_beat(rng: np.random.Generator, ef: float, families: tuple[str, ...] = FAMILIES) -> BeatDraw:
    """Return a beat whose strain, RV function, torsion, atria and timing scatter about what fits ``ef``.

    Raises
    ------
    InputError
        If ``ef`` is not in [0.08, 0.80] or a family is not known.
    """
    check_ef(ef)
    strong = min(1.0, ef / 0.5)
    rate = float(np.clip(rng.normal(78 - 16 * strong, 10), 48, 105))
    return BeatDraw(
        family=str(rng.choice(check_families(families))),
        ef=float(ef),
        rv_ef=float(np.clip(0.18 + 0.64 * ef + rng.normal(0, 0.05), 0.1, 0.7)),
        gls=float(np.clip(GLS_PER_EF * ef * (1 + rng.normal(0, GLS_SCATTER)), -0.27, -0.015)),
        la_emptying=float(np.clip((0.25 + 0.28 * strong) + rng.normal(0, 0.05), 0.12, 0.62)),
        ra_emptying=float(np.clip((0.22 + 0.25 * strong) + rng.normal(0, 0.05), 0.1, 0.58)),
        tapse=float(rng.uniform(1.3, 2.0)),
        apical=float(rng.uniform(0.75, 1.1)),
        basal=float(rng.uniform(0.65, 0.95)),
        septal=float(rng.uniform(-0.1, 0.35)),
        torsion=float(ef * rng.uniform(4, 22)),
        helix=float(rng.uniform(50, 70)),
        reach=float(rng.uniform(9, 20)),
        segments=tuple(float(v) for v in np.round(np.clip(rng.normal(1.0, 0.1, 17), 0.6, 1.4), 4)),
        heart_rate=rate,
        systole=float(np.clip(0.30 + 0.0013 * (rate - 50) + rng.normal(0.035, 0.02), 0.28, 0.45)),
        kick=float(rng.uniform(0.1, 0.35)),
        booster=float(rng.uniform(0.25, 0.55)),
    )

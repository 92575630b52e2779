"""Drawing a heart: a person, what is normal for them, a disease, a shape and a beat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from echo3d.anatomy.beat import FAMILIES, BeatDraw, check_ef, draw_beat
from echo3d.anatomy.groups import GROUPS, MIXTURE, Group, check_mixture, draw_scar, group_key
from echo3d.anatomy.growth import fitted
from echo3d.anatomy.record import Body, Goals, Growth, HeartRecord, rounded
from echo3d.anatomy.shape import load_modes, shaped
from echo3d.anatomy.template import load_template


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of a drawn heart.

    Parameters
    ----------
    ef : ejection fraction, or None to draw what fits the group
    group : key of a group, or None to draw one by ``mixture``
    mixture : shares of the groups
    families : laws of motion to draw from
    """

    ef: float | None = None
    group: str | None = None
    mixture: Mapping[str, float] = field(default_factory=lambda: MIXTURE)
    families: tuple[str, ...] = FAMILIES


def draw_body(rng: np.random.Generator) -> Body:
    """Return a drawn adult. *Source:* usual European heights and body mass indices; our choice."""
    sex = "m" if rng.random() < 0.5 else "f"
    height = rng.normal(*((177.0, 7.0) if sex == "m" else (164.0, 6.5)))
    bmi = np.clip(rng.normal(25.5, 3.6), 18, 38)
    return Body(sex, round(float(height), 1), round(float(bmi * (height / 100) ** 2), 1))


_NORMAL = {"m": (75.0, 0.98, 1.14, 51.0, 53.0), "f": (69.0, 0.90, 1.08, 48.0, 46.5)}
"""By sex: LV in ml/m2, LV muscle in g per ml of LV, RV over LV, largest LA and RA in ml/m2.
*Source:* science.md E.8: Hudsmith 2005 (CMR) at 1.97 and 1.77 m2; RA from the Copenhagen 97.5th centiles at a coefficient of variation
of 0.25."""

_SPREAD = (0.15, 0.13, 0.11, 0.22, 0.20)
"""Their relative scatter; less than the references', which include the scatter of reading."""

LIMITS = Goals(*((0.0,) * 5)), Goals(350.0, 420.0, 300.0, 180.0, 200.0)
"""Ends of what is drawn: science.md E.9; below, volumes end at the values in :func:`draw_goals`."""

_LEAST = Goals(60.0, 55.0, 62.0, 22.0, 27.0)


def draw_goals(rng: np.random.Generator, body: Body, group: Group) -> Goals:
    """Return what a heart of a group in this body shall measure."""
    index, mass, ratio, la, ra = np.array(_NORMAL[body.sex]) * np.exp(rng.normal(0, _SPREAD) - np.square(_SPREAD) / 2)
    normal = index * body.bsa_m2
    values = np.array([normal, mass * normal, ratio * normal, la * body.bsa_m2, ra * body.bsa_m2])
    values = values * [rng.uniform(*getattr(group, name)) for name in ("lv", "mass", "rv", "la", "ra")]
    low, high = (np.array([getattr(g, n) for n in ("lv_ml", "mass_g", "rv_ml", "la_ml", "ra_ml")]) for g in (_LEAST, LIMITS[1]))
    return Goals(*rounded(np.clip(values, low, high), 2))


def draw_heart(
    rng: np.random.Generator, *, ef: float | None = None, group: str | None = None, families: tuple[str, ...] = FAMILIES
) -> HeartRecord:
    """Draw one heart; :func:`draw_wish` takes shares of groups as well.

    Parameters
    ----------
    rng : NumPy generator
    ef : ejection fraction; drawn to fit the group where not given
    group : key of a group, or None for a random mixture
    families : laws of motion to draw from

    Raises
    ------
    InputError
        If the group or a family is not known or the EF out of range.
    """
    return draw_wish(rng, Wish(ef, group, families=families))


def draw_wish(rng: np.random.Generator, wish: Wish) -> HeartRecord:
    """Draw one heart as wished, its growth fitted to its goals."""
    key = _drawn_group(rng, wish)
    group, body = GROUPS[key], draw_body(rng)
    goals = draw_goals(rng, body, group)
    drawn = rng.normal(0.63, 0.04) if key == "normal" else rng.uniform(*group.ef)
    ef = wish.ef if wish.ef is not None else round(float(np.clip(drawn, *group.ef)), 4)
    check_ef(ef)
    beat, thin = _beat(rng, group, ef, wish.families)
    beat = replace(beat, rv_ef=_rv_ef(rng, beat.ef, goals, key))
    beat = replace(beat, rv_descent=_rv_descent(rng, beat))
    record = replace(_shape(rng, body), group=key, body=body, goals=goals, beat=beat)
    growth = _growth(rng, group, body, goals, thin)
    return replace(record, growth=fitted(shaped(record, surfaces_only=True), growth, goals, (beat.la_emptying, beat.ra_emptying)))


def _drawn_group(rng: np.random.Generator, wish: Wish) -> str:
    chance = rng.random()
    if wish.group is not None:
        return group_key(wish.group)
    mixture = check_mixture(wish.mixture)
    return list(mixture)[min(int(np.searchsorted(np.cumsum(list(mixture.values())), chance, side="right")), len(mixture) - 1)]


def _beat(rng: np.random.Generator, group: Group, ef: float, families: tuple[str, ...]) -> tuple[BeatDraw, tuple[float, ...]]:
    """Return the beat of a group and the wall volume of its AHA segments."""
    beat = draw_beat(rng, ef, families)
    strain, emptying = rng.uniform(*group.strain), rng.uniform(*group.emptying)
    motion, wall = draw_scar(rng) if group.scar else (beat.segments, (1.0,) * 17)
    la, ra = rounded((beat.la_emptying * emptying, beat.ra_emptying * emptying))
    return replace(beat, gls=round(beat.gls * strain, 5), la_emptying=la, ra_emptying=ra, segments=motion), wall


def _rv_ef(rng: np.random.Generator, ef: float, goals: Goals, key: str) -> float:
    """Return the RV's ejection fraction: both ventricles eject alike, a dilated RV leaks and ejects more."""
    leak = rng.uniform(1.0, 1.25) if key == "rv" else 1.0
    return round(float(np.clip(ef * goals.lv_ml / goals.rv_ml * leak * rng.normal(1.0, 0.04), 0.1, 0.7)), 5)


def _rv_descent(rng: np.random.Generator, beat: BeatDraw) -> float:
    """Return the descent of the RV's base over the LV's length: half with the RV's own ejection, half with the LV's strain.

    *Source:* TAPSE of healthy adults about 17 to 24 mm at the free wall, less at the centre of the ring that is carried here; our choice.
    """
    usual = 0.01 + 0.19 * beat.rv_ef - 0.57 * beat.gls
    return round(float(np.clip(usual + rng.normal(0, 0.02), 0.03, 0.36)), 5)


def _shape(rng: np.random.Generator, body: Body) -> HeartRecord:
    """Return a record with the shape alone; the heart's size goes with the body."""
    size = 0.45 * np.log(body.bsa_m2 / 1.72) - 0.01 + rng.normal(0, 0.03)
    count = int(rng.integers(4, 9))
    points = len(load_template().points)
    bumps = [rounded((rng.integers(points), rng.uniform(16, 36), *rng.normal(0, 1.3, 3))) for _ in range(count)]
    return HeartRecord(
        modes=rounded(np.clip(rng.normal(0, 0.85, len(load_modes()[1])), -2, 2)),
        stretch=rounded(size + rng.normal(0, 0.045, 3)),  # type: ignore[arg-type]
        shear=rounded(rng.normal(0, 0.045, 3)),  # type: ignore[arg-type]
        polynomial=rounded(rng.normal(0, 1, 48) * np.tile(np.repeat([1.1, 0.65], [6, 10]), 3)),
        locals=tuple(bumps),  # type: ignore[arg-type]
    )


_OPENING = {
    "m": {"mitral": 1.03, "tricuspid": 0.88, "aortic": 0.95, "pulmonary": 1.0},
    "f": {"mitral": 1.0, "tricuspid": 0.86, "aortic": 0.87, "pulmonary": 0.97},
}
"""Mean scale of the valves' openings over the template's, by sex; brings the annuli to :mod:`echo3d.anatomy.population`."""


def _growth(rng: np.random.Generator, group: Group, body: Body, goals: Goals, thin: tuple[float, ...]) -> Growth:
    """Return the part of the growth that is drawn: length, septum and valves."""
    usual = _NORMAL[body.sex][0] * body.bsa_m2
    length = 0.4 * ((goals.lv_ml / usual) ** (1 / 3) - 1) + rng.normal(0, 0.02)
    valves = {name: round(float(np.clip(rng.normal(mean, 0.05), 0.6, 1.5)), 5) for name, mean in _OPENING[body.sex].items()}
    return Growth(length=round(float(length), 5), septal=round(float(rng.uniform(*group.septal)), 5), segments=thin, **valves)

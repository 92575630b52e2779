"""Whole drawn hearts: built from their record, and drawn until one is sound, with every rejected draw counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from echo3d.anatomy.draw import Wish, draw_heart, draw_wish
from echo3d.anatomy.groups import GROUPS
from echo3d.anatomy.growth import grown
from echo3d.anatomy.material import load_material, near_material, spread
from echo3d.anatomy.record import HeartRecord, record_from_json, record_to_json
from echo3d.anatomy.shape import aligned, shaped
from echo3d.anatomy.solve import heart_at
from echo3d.anatomy.sound import diastolic_faults, systolic_faults
from echo3d.anatomy.timing import END_DIASTOLE, END_SYSTOLE, PHASES, Moment, at_share, moments
from echo3d.errors import InputError

__all__ = [
    "GROUPS",
    "Heart",
    "HeartRecord",
    "SoundHeart",
    "Wish",
    "beat_of_heart",
    "build_heart",
    "draw_heart",
    "end_diastole",
    "record_from_json",
    "record_to_json",
    "sound_heart",
    "sound_wish",
]

MOST_DRAWS = 40


@dataclass(frozen=True, slots=True, eq=False)
class Heart:
    """A built heart: all material positions (template points, then raster nodes) of both phases, mm."""

    record: HeartRecord
    ed: NDArray[np.float64]
    es: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class SoundHeart:
    """A heart that passed every check, and how many draws before it failed at which check."""

    heart: Heart
    rejected: dict[str, int]


def end_diastole(record: HeartRecord) -> NDArray[np.float64]:
    """Return all material positions (M, 3) at end-diastole, aligned rigidly to the template, mm."""
    material = near_material()
    return spread(aligned(material, grown(material, shaped(record), record.growth)))


def build_heart(record: HeartRecord, *, share: float = 1.0) -> Heart:
    """Return the heart of a record, both phases aligned rigidly as one to the template at end-diastole.

    Parameters
    ----------
    record : what was drawn
    share : how far the end-systolic phase goes; 1 is the drawn EF
    """
    ed = end_diastole(record)
    return Heart(record, ed, heart_at(ed, record.beat, END_SYSTOLE if share == 1.0 else at_share(share)))


def position_at(heart: Heart, moment: Moment) -> NDArray[np.float64]:
    """Return all material positions (M, 3) of a heart at a moment of its beat, mm."""
    if moment == END_DIASTOLE:
        return heart.ed
    return heart.es if moment == END_SYSTOLE else heart_at(heart.ed, heart.record.beat, moment)


def beat_of_heart(heart: Heart, phases: int = PHASES) -> NDArray[np.float32]:
    """Return the template's points (T, N, 3) of a heart at equal steps of its beat, mm."""
    count = load_material().count
    return np.stack([position_at(heart, moment)[:count] for moment in moments(heart.record.beat, phases)]).astype(np.float32)


def sound_heart(rng: np.random.Generator, *, ef: float | None = None, group: str | None = None) -> Heart:
    """Draw and build hearts until one is sound in both phases.

    Raises
    ------
    InputError
        If forty draws in a row fail.
    """
    return sound_wish(rng, Wish(ef, group)).heart


def sound_wish(rng: np.random.Generator, wish: Wish) -> SoundHeart:
    """Draw and build hearts until one is sound in both phases; tell why the others were not.

    Group and law of motion are drawn once, so that rejections do not change their shares.

    Raises
    ------
    InputError
        If forty draws in a row fail.
    """
    rejected: Counter[str] = Counter()
    group, families = wish.group, wish.families
    for _ in range(MOST_DRAWS):
        record = draw_wish(rng, Wish(wish.ef, group, wish.mixture, families))
        group, families = record.group, (record.beat.family,)
        ed = end_diastole(record)
        faults = diastolic_faults(record, ed)
        if not faults:
            heart = Heart(record, ed, heart_at(ed, record.beat))
            faults = systolic_faults(record, ed, heart.es)
            if not faults:
                return SoundHeart(heart, dict(rejected))
        rejected[faults[0]] += 1
    raise InputError(f"no sound heart came out of {MOST_DRAWS} draws; choose another seed or a milder ejection fraction")

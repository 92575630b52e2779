"""The kinds of heart in a cohort, and the ranges they are drawn from.

*Source:* reference science.md E.8 and E.9 for the ends of the ranges; the shapes of the distributions are our choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from echo3d.errors import InputError

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Group:
    """Ranges of one kind of heart; factors are over what is normal for sex and body.

    Parameters
    ----------
    title : the name shown
    ef : ejection fraction
    lv, mass, rv, la, ra : volumes and LV muscle
    septal : by how much more the septum's wall grows
    strain : longitudinal strain over what fits the ejection fraction
    emptying : the atria's emptying over what fits the ejection fraction
    scar : whether a coronary territory hardly moves
    """

    title: str
    ef: Range
    lv: Range = (1.0, 1.0)
    mass: Range = (1.0, 1.0)
    rv: Range = (1.0, 1.0)
    la: Range = (1.0, 1.0)
    ra: Range = (1.0, 1.0)
    septal: Range = (0.02, 0.28)
    strain: Range = (1.0, 1.0)
    emptying: Range = (1.0, 1.0)
    scar: bool = False


GROUPS: dict[str, Group] = {
    "normal": Group("Normal", (0.54, 0.72)),
    "dcm": Group("Dilated", (0.10, 0.40), lv=(1.3, 2.15), mass=(1.05, 1.7), rv=(0.9, 1.45), la=(1.0, 1.7), ra=(0.9, 1.5)),
    "hcm-concentric": Group(
        "Hypertrophic, concentric", (0.54, 0.75), lv=(0.6, 0.95), mass=(1.25, 2.0), rv=(0.75, 1.0), la=(1.0, 1.6), strain=(0.75, 0.95)
    ),
    "hcm-septal": Group(
        "Hypertrophic, septal",
        (0.54, 0.75),
        lv=(0.68, 1.0),
        mass=(1.1, 1.6),
        rv=(0.75, 1.0),
        la=(1.0, 1.6),
        septal=(0.5, 1.3),
        strain=(0.75, 0.95),
    ),
    "rv": Group("RV dilation", (0.42, 0.66), lv=(0.72, 1.0), rv=(1.25, 1.75), ra=(1.2, 1.75), strain=(0.85, 1.0)),
    "la": Group("LA enlargement", (0.45, 0.68), lv=(0.85, 1.15), mass=(0.95, 1.25), la=(1.3, 1.9), ra=(0.9, 1.4), emptying=(0.55, 0.85)),
    "infarct": Group("Infarct", (0.22, 0.52), lv=(0.9, 1.6), mass=(0.9, 1.2), la=(0.9, 1.4), scar=True),
    "hfref": Group(
        "Reduced EF", (0.10, 0.40), lv=(1.0, 1.65), mass=(0.95, 1.5), rv=(0.9, 1.5), la=(1.1, 1.8), ra=(1.0, 1.7), emptying=(0.6, 1.0)
    ),
}

OTHER_NAMES = {"none": "normal", "hcm": "hcm-septal"}
"""Short names that the command line takes as well."""

MIXTURE: dict[str, float] = {key: 0.3 if key == "normal" else 0.1 for key in GROUPS}
"""Shares of the groups where none are asked for."""


def group_key(name: str) -> str:
    """Return the key of a group.

    Raises
    ------
    InputError
        If there is no such group.

    >>> group_key("none"), group_key("dcm")
    ('normal', 'dcm')
    """
    key = OTHER_NAMES.get(name, name)
    if key not in GROUPS:
        raise InputError(f"a group must be one of {', '.join((*GROUPS, *OTHER_NAMES))}, found {name!r}; choose one of these")
    return key


def check_mixture(shares: Mapping[str, float]) -> dict[str, float]:
    """Return the groups' shares, summing to one.

    Raises
    ------
    InputError
        If a group is not known or a share is negative or all are 0.

    >>> check_mixture({"dcm": 1, "none": 3})
    {'dcm': 0.25, 'normal': 0.75}
    """
    found = {group_key(name): float(share) for name, share in shares.items()}
    total = sum(found.values())
    if min(found.values(), default=-1.0) < 0 or not total > 0:
        raise InputError("the groups' shares must be 0 or more and not all 0, found others; write them like normal=0.5,dcm=0.5")
    return {name: share / total for name, share in found.items()}


TERRITORIES = ((1, 2, 7, 8, 13, 14, 17), (3, 4, 9, 10, 15), (5, 6, 11, 12, 16))
"""AHA segments of the three coronary arteries: left anterior descending, right, circumflex. *Source:* Cerqueira 2002."""

_NEIGHBOURS = {
    1: (2, 6, 7), 2: (1, 3, 8), 3: (2, 4, 9), 4: (3, 5, 10), 5: (4, 6, 11), 6: (5, 1, 12),
    7: (8, 12, 13, 1), 8: (7, 9, 14, 2), 9: (8, 10, 14, 3), 10: (9, 11, 15, 4), 11: (10, 12, 16, 5), 12: (11, 7, 16, 6),
    13: (14, 16, 17, 7), 14: (13, 15, 17, 8, 9), 15: (14, 16, 17, 10), 16: (15, 13, 17, 11, 12), 17: (13, 14, 15, 16),
}  # fmt: skip


def draw_scar(rng: np.random.Generator) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return motion and wall volume of the 17 segments, as shares, of a heart with an infarct.

    A part of one territory hardly moves or bulges and is thin; the segments around it move less.
    """
    territory = TERRITORIES[int(rng.integers(3))]
    count = int(rng.integers(2, len(territory) + 1))
    start = int(rng.integers(len(territory) - count + 1))
    dead = set(territory[start : start + count])
    near = {n for segment in dead for n in _NEIGHBOURS[segment]} - dead
    motion, wall = rng.normal(1.0, 0.1, 17), np.ones(17)
    for segment in sorted(dead):
        motion[segment - 1], wall[segment - 1] = rng.uniform(-0.12, 0.35), rng.uniform(0.55, 0.9)
    for segment in sorted(near):
        motion[segment - 1] = rng.uniform(0.55, 0.9)
    return tuple(np.round(motion, 4).tolist()), tuple(np.round(wall, 4).tolist())

"""Which numbers of a result may be shown as measured, and why the others are withheld."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from echo3d.clinical.function import unsteadiness
from echo3d.core.result import StudyResult
from echo3d.core.sector import Sector
from echo3d.core.views import View

NOTICE = "RESEARCH USE - NOT FOR CLINICAL DIAGNOSIS"

UNTRUSTED = "The pictures do not look like usable heart views; the numbers are withheld and the heart shown is not to be trusted."
HALF_TRUSTED = "The pictures look only partly like the views they are read as; the numbers are a guess until the views are checked."
UNCALIBRATED = "The pictures carry no calibration; volumes are withheld, and only the ejection fraction, which needs no scale, is given."
STILL = "No clip moves, so end-diastole and end-systole cannot be told apart; the ejection fraction is withheld."

UNSTEADY = "The LV volume jumps from frame to frame instead of following one beat; the ejection fraction is doubtful."

STRANGE = 0.4
"""Trust of a view's pictures, mean of end-diastole and end-systole, below which it is doubted by name.

Of 360 drawn views of 60 patients 0.6 % fall below it, of 60 that show another view of the same heart 62 %, most of the others short axes.
"""

TWIN_DEG, TWIN_MM = 6.0, 6.0
"""Nearer than this, two pictures show one plane; the nearest two of one heart's six views are about 15° or 15 mm apart."""

LIKELY_EF = (0.05, 0.85)
LIKELY_EDV_ML = (30.0, 450.0)
STEADY = 0.05
"""Unsteadiness of a beat's volume curve above which the EF is doubtful; synthetic clips stay below 0.02, guesses reach 0.1."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The numbers of a result that stand as measured; None where withheld.

    Parameters
    ----------
    edv_ml, esv_ml, sv_ml : ml
    ef : fraction
    interval90 : per quantity shown, a 90 % interval
    volumes_ml : per chamber the volumes at "ed" and "es", or None
    reasons : why something is withheld, one sentence each
    doubts : why something shown is doubtful, one sentence each; show it with a flag
    """

    edv_ml: float | None
    esv_ml: float | None
    sv_ml: float | None
    ef: float | None
    interval90: dict[str, tuple[float, float]]
    volumes_ml: dict[str, dict[str, float]] | None
    reasons: tuple[str, ...]
    doubts: tuple[str, ...]


def interval_name(chamber: str, phase: str) -> str:
    """Return what the interval of a chamber's volume is called.

    >>> interval_name("lv", "ed"), interval_name("ra", "es")
    ('edv_ml', 'ra_es_ml')
    """
    return {"ed": "edv_ml", "es": "esv_ml"}.get(phase, "") if chamber == "lv" else f"{chamber}_{phase}_ml"


def moves(result: StudyResult) -> bool:
    """Return whether the result has seen more than one instant of the beat."""
    return len(result.beat.times_ms) > 1


def shown(result: StudyResult) -> Shown:
    """Return what may be shown as measured: nothing of what is not trusted, no volumes without calibration, no EF without motion."""
    sized = result.trusted and result.calibrated
    whole = {"edv_ml": sized, "esv_ml": sized and moves(result), "sv_ml": sized and moves(result), "ef": result.trusted and moves(result)}
    function = result.function
    values = {name: float(getattr(function, name)) if may else None for name, may in whole.items()}
    return Shown(
        **values,
        interval90={name: pair for name, pair in function.interval90.items() if whole.get(name, sized and _seen(name, result))},
        volumes_ml=function.volumes_ml if sized else None,
        reasons=tuple(text for text, holds in _REASONS if holds(result)),
        doubts=_doubts(result) if result.trusted else (),
    )


def _seen(name: str, result: StudyResult) -> bool:
    """Return whether the result has seen the phase of a chamber's volume such as "la_es_ml"."""
    return name.endswith("_ed_ml") or moves(result)


def strangers(result: StudyResult) -> list[View]:
    """Return the views of several whose pictures hardly look like what they are called; a lone view is doubted as a whole."""
    known = [heart.view_trust for heart in (result.ed, result.es) if heart.view_trust]
    if len(result.clips) < 2 or not known:
        return []
    return [view for view in result.clips if sum(trust[view] for trust in known) / len(known) < STRANGE]


def twins(result: StudyResult) -> list[tuple[View, View]]:
    """Return the pairs of views whose pictures are found to lie in one plane at end-diastole and at end-systole."""
    pairs = list(combinations(result.clips, 2))
    return [(one, other) for one, other in pairs if all(_alike(heart.planes[one], heart.planes[other]) for heart in (result.ed, result.es))]


def _alike(one: Sector, other: Sector) -> bool:
    """Return whether two fans lie in one plane: their normals, and the middle of either against the other's plane."""
    normals = [np.cross(sector.axis, sector.lateral) for sector in (one, other)]
    apart = np.subtract(*[sector.origin + sector.depth / 2 * sector.axis for sector in (one, other)])
    turn = np.degrees(np.arccos(min(1.0, abs(float(normals[0] @ normals[1])))))
    return bool(turn < TWIN_DEG and max(abs(float(apart @ normal)) for normal in normals) < TWIN_MM)


def _doubts(result: StudyResult) -> tuple[str, ...]:
    """Return what makes the numbers of a trusted result doubtful."""
    function, found = result.function, list[str]()
    if not result.sure:
        found.append(HALF_TRUSTED)
    found += [
        f"What is called {view.title} hardly looks like that view beside the others; call the clip what it is, or leave it out."
        for view in strangers(result)
    ]
    found += [
        f"{one.title} and {other.title} show the same plane of the heart; one of the two may be another view, or the same clip twice."
        for one, other in twins(result)
    ]
    if moves(result) and unsteadiness(result.beat.lv_ml) > STEADY:
        found.append(UNSTEADY)
    if moves(result) and not LIKELY_EF[0] <= function.ef <= LIKELY_EF[1]:
        found.append(f"An ejection fraction of {100 * function.ef:.0f} % is hardly possible; check the frames of ED and ES.")
    if result.calibrated and not LIKELY_EDV_ML[0] <= function.edv_ml <= LIKELY_EDV_ML[1]:
        found.append(f"An LV of {function.edv_ml:.0f} ml at end-diastole is hardly possible; check the calibration of the clips.")
    return tuple(found)


_REASONS: tuple[tuple[str, Callable[[StudyResult], bool]], ...] = (
    (UNTRUSTED, lambda result: not result.trusted),
    (UNCALIBRATED, lambda result: result.trusted and not result.calibrated),
    (STILL, lambda result: not moves(result)),
)

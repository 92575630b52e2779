"""Which numbers of a result may be shown as measured, and why the others are withheld."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from echo3d.core.result import StudyResult

NOTICE = "RESEARCH USE - NOT FOR CLINICAL DIAGNOSIS"

UNTRUSTED = "The pictures do not look like usable heart views; the numbers are withheld and the heart shown is not to be trusted."
UNCALIBRATED = "The pictures carry no calibration; volumes are withheld, and only the ejection fraction, which needs no scale, is given."
STILL = "No clip moves, so end-diastole and end-systole cannot be told apart; the ejection fraction is withheld."


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
    """

    edv_ml: float | None
    esv_ml: float | None
    sv_ml: float | None
    ef: float | None
    interval90: dict[str, tuple[float, float]]
    volumes_ml: dict[str, dict[str, float]] | None
    reasons: tuple[str, ...]


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
        interval90={name: pair for name, pair in function.interval90.items() if whole.get(name)},
        volumes_ml=function.volumes_ml if sized else None,
        reasons=tuple(text for text, holds in _REASONS if holds(result)),
    )


_REASONS: tuple[tuple[str, Callable[[StudyResult], bool]], ...] = (
    (UNTRUSTED, lambda result: not result.trusted),
    (UNCALIBRATED, lambda result: result.trusted and not result.calibrated),
    (STILL, lambda result: not moves(result)),
)

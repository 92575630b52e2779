"""Intervals from a calibration set of drawn patients.

*Source:* split conformal prediction with locally weighted scores (Vovk; Lei 2018): the 90 % quantile of errors on hearts that were never
trained on, by number of views, taken so that nineteen of twenty calibration sets hold 90 % or more; each error divided by what is usual
for a heart of that size. Without the division the intervals of small thick-walled hearts would be too narrow and those of large ones too
wide. They hold for hearts and pictures like the drawn ones; on real pictures they are a lower bound of the doubt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from echo3d.core.modelcard import ModelCard
from echo3d.core.result import VentricularFunction
from echo3d.core.structures import CHAMBER_KEYS
from echo3d.core.views import View

VOLUMES: dict[str, tuple[str, str]] = {"edv_ml": ("lv", "ed"), "esv_ml": ("lv", "es")} | {
    f"{key}_{phase}_ml": (key, phase) for key in CHAMBER_KEYS if key != "lv" for phase in ("ed", "es")
}
"""Chamber and phase of every volume that has an interval."""


def conformal_quantile(scores: NDArray, level: float = 0.9, sure: float = 0.95) -> float:
    """Return the smallest bound of which one may be ``sure`` that a new score keeps it with probability ``level``.

    The usual quantile keeps the level on average over calibration sets, so that every other set falls short of it; this one falls short for
    one set in twenty. The largest score where there are too few.

    >>> conformal_quantile(np.arange(1.0, 1001.0)), conformal_quantile(np.arange(1.0, 101.0))
    (916.0, 96.0)

    *Source:* Vovk 2012, training-conditional validity: the number of scores below their quantile is binomial.
    """
    from scipy import special

    ranks = np.arange(1, len(scores) + 1)
    sufficient = ranks[special.bdtr(ranks - 1.0, len(scores), level) >= sure]
    return float(np.sort(scores)[(sufficient[0] if len(sufficient) else len(scores)) - 1])


def quantities(volumes: Mapping[tuple[str, str], ArrayLike]) -> dict[str, NDArray[np.float64]]:
    """Return all that gets an interval, from the chambers' volumes by chamber and phase: ml, and EF as a fraction."""
    values = {name: np.asarray(volumes[of], dtype=float) for name, of in VOLUMES.items()}
    edv, esv = values["edv_ml"], values["esv_ml"]
    return values | {"sv_ml": edv - esv, "ef": 1 - esv / edv}


def features(values: Mapping[str, NDArray], name: str) -> NDArray[np.float64]:
    """Return what the usual error of a quantity depends on, (..., 4): one, and the logarithms of EDV, ESV and its own volume."""
    own = values[name] if name in VOLUMES else np.ones_like(values["edv_ml"])
    sizes = [np.log(np.maximum(size, 1.0)) for size in (values["edv_ml"], values["esv_ml"], own)]
    return np.stack([np.ones_like(sizes[0]), *sizes], axis=-1)


def usual_error(values: Mapping[str, NDArray], name: str, slope: ArrayLike) -> NDArray[np.float64]:
    """Return the usual error of a quantity, in its unit."""
    return np.asarray(np.exp(features(values, name) @ np.asarray(slope)))


def fit_bounds(found: Mapping[str, NDArray], true: Mapping[str, NDArray]) -> dict[str, dict[str, list[float] | float]]:
    """Return per quantity the "slope" of its usual error and the "bound" that 90 % of the errors keep, in usual errors.

    Parameters
    ----------
    found, true : of :func:`quantities`, (C,) each, of the same C calibration cases
    """
    bounds: dict[str, dict[str, list[float] | float]] = {}
    for name in found:
        error, known = np.abs(found[name] - true[name]), features(found, name)
        target = np.log(error + 0.1 * np.median(error) + 1e-9)
        slope = np.linalg.solve(known.T @ known + 0.01 * len(known) * np.diag([0.0, 1, 1, 1]), known.T @ target)
        bound = conformal_quantile(error / usual_error(found, name, slope))
        bounds[name] = {"slope": [round(float(part), 5) for part in slope], "bound": round(bound, 4)}
    return bounds


def half_widths(bounds: Mapping[str, Mapping], found: Mapping[str, NDArray]) -> dict[str, NDArray[np.float64]]:
    """Return per quantity half the width of its 90 % interval, in its unit."""
    return {name: usual_error(found, name, row["slope"]) * row["bound"] for name, row in bounds.items()}


def interval90(card: ModelCard, function: VentricularFunction, views: Sequence[View], calibrated: bool) -> dict[str, tuple[float, float]]:
    """Return 90 % intervals of all chamber volumes and SV (ml), and of EF (a fraction).

    Parameters
    ----------
    card : of the weights; its metrics hold the table "conformal90" by number of views, or there are no intervals
    function : the measured values
    views : the views that were used; their number picks the row of the table
    calibrated : volumes get no interval where lengths are not known
    """
    values = quantities({(key, phase): function.volumes_ml[key][phase] for key, phase in VOLUMES.values()})
    bounds = card.metrics.get("conformal90", {}).get(str(len(views)))
    if not bounds:
        return {}
    halves = half_widths(bounds, values)
    spans = {name: (max(0.0, float(values[name] - half)), float(values[name] + half)) for name, half in halves.items()}
    low, high = spans.pop("ef")
    return (spans if calibrated else {}) | {"ef": (low, min(1.0, high))}

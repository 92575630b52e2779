"""Intervals from a calibration set of drawn patients.

*Source:* split conformal prediction (Vovk; Lei 2018): the 90 % quantile of errors on hearts that were never trained on, by number of views.
It holds for hearts and pictures like the drawn ones; on real pictures it is a lower bound of the doubt.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from echo3d.core.modelcard import ModelCard
from echo3d.core.result import VentricularFunction
from echo3d.core.views import View


def conformal_quantile(errors: NDArray, level: float = 0.9) -> float:
    """Return the smallest bound that a new error keeps with probability ``level``.

    >>> conformal_quantile(np.arange(1.0, 101.0))
    91.0
    """
    rank = int(np.ceil((len(errors) + 1) * level))
    return float(np.sort(errors)[min(rank, len(errors)) - 1])


def interval90(card: ModelCard, function: VentricularFunction, views: Sequence[View], calibrated: bool) -> dict[str, tuple[float, float]]:
    """Return 90 % intervals of EDV, ESV, SV (relative to the value) and EF (in absolute points).

    Parameters
    ----------
    card : of the weights; its metrics hold the table "conformal90" by number of views
    function : the measured values
    views : the views that were used; their number picks the row of the table
    calibrated : volumes get no interval where lengths are not known
    """
    table: dict[str, float] = card.metrics["conformal90"][str(len(views))]
    values = {"edv_ml": function.edv_ml, "esv_ml": function.esv_ml, "sv_ml": function.sv_ml}
    spans = {name: (value * (1 - table[name]), value * (1 + table[name])) for name, value in values.items() if calibrated}
    low, high = function.ef - table["ef"], function.ef + table["ef"]
    return spans | {"ef": (max(0.0, low), min(1.0, high))}

from __future__ import annotations

import numpy as np
import pytest

from echo3d.anatomy.template import load_template
from echo3d.core.modelcard import ModelCard
from echo3d.core.result import VentricularFunction
from echo3d.core.views import View
from echo3d.reconstruction.uncertainty import VOLUMES, conformal_quantile, fit_bounds, half_widths, interval90, quantities


def drawn(rng: np.random.Generator, count: int) -> tuple[dict, dict]:
    """Return found and true quantities of hearts whose relative errors grow as the heart gets smaller, to three times a large one's."""
    edv = rng.uniform(60, 260, count)
    volumes = {of: (edv if of[1] == "ed" else edv * rng.uniform(0.3, 0.7, count)) for of in VOLUMES.values()}
    noise = 0.03 * (200 / edv)
    found = {of: value * (1 + noise * rng.standard_normal(count)) for of, value in volumes.items()}
    return quantities(found), quantities(volumes)


@pytest.mark.parametrize("count", [40, 120, 1000])
def test_nineteen_of_twenty_calibration_sets_hold_nine_of_ten(count: int) -> None:
    sets = np.random.default_rng(3).uniform(size=(2000, count))
    held = np.array([conformal_quantile(scores) for scores in sets])  # of uniform scores, what a bound holds is the bound
    assert 0.94 < (held >= 0.9).mean() < 0.995 and held.mean() < 0.98
    assert conformal_quantile(np.arange(10.0)) == 9.0, "the largest of too few"


def test_intervals_cover_nine_of_ten_new_hearts_small_ones_too() -> None:
    rng = np.random.default_rng(0)
    bounds = fit_bounds(*drawn(rng, 2000))
    found, true = drawn(rng, 4000)
    for name, half in half_widths(bounds, found).items():
        inside = np.abs(found[name] - true[name]) <= half
        assert inside.mean() == pytest.approx(0.9, abs=0.02), name
        assert inside[true["edv_ml"] < 100].mean() > 0.8, name


def test_a_larger_error_makes_a_wider_interval() -> None:
    bounds = fit_bounds(*drawn(np.random.default_rng(1), 2000))
    small, large = ({name: np.array(value) for name, value in quantities(one).items()} for one in (_sized(0.7), _sized(2.0)))
    assert half_widths(bounds, large)["edv_ml"] > half_widths(bounds, small)["edv_ml"] * 0.8
    assert half_widths(bounds, small)["edv_ml"] / 70 > half_widths(bounds, large)["edv_ml"] / 200


def _sized(factor: float) -> dict[tuple[str, str], float]:
    return {(key, phase): factor * (100.0 if phase == "ed" else 45.0) for key, phase in VOLUMES.values()}


def test_a_result_gets_intervals_of_every_chamber() -> None:
    bounds = fit_bounds(*drawn(np.random.default_rng(2), 2000))
    card = ModelCard("m", "s2mnet", {}, load_template().sha256, (112, 112), {}, {"conformal90": {"2": bounds}}, ())
    volumes = {key: {"ed": 100.0, "es": 45.0} for key in ("lv", "rv", "la", "ra")}
    function = VentricularFunction(100.0, 45.0, volumes)
    whole = interval90(card, function, (View.A4C, View.A2C), True)
    assert set(whole) == {*VOLUMES, "sv_ml", "ef"}
    for name, (low, high) in whole.items():
        value = {"sv_ml": 55.0, "ef": 0.55}.get(name, 100.0 if name.endswith("edv_ml") or "_ed_" in name else 45.0)
        assert low < value < high
        assert value - low == pytest.approx(high - value)
    assert set(interval90(card, function, (View.A4C, View.A2C), False)) == {"ef"}

"""The page of a cohort: the table's arithmetic, plots that show what they are given, a page that carries its pictures."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from echo3d.anatomy.measure import Measures
from echo3d.anatomy.population import REFERENCES, population_table
from echo3d.cohort.describe import describe
from echo3d.cohort.figures import COLOURS, Axes, canvas, curves, histogram, sheet
from echo3d.cohort.generate import generate
from echo3d.cohort.spec import CohortSpec
from echo3d.errors import InputError
from tests.cohort.inline import Inline


def measures(**known: float) -> Measures:
    return Measures(**({one.name: 1.0 for one in fields(Measures)} | known))


def test_a_mean_one_deviation_off_has_z_one() -> None:
    hearts = [("m", measures(lv_edv_ml=179.0)), ("m", measures(lv_edv_ml=199.0)), ("f", measures(lv_edv_ml=135.0))]
    rows = {(row.sex, row.name): row for row in population_table(hearts)}
    assert rows["m", "lv_edv_ml"].z == pytest.approx(1.0)
    assert rows["m", "lv_edv_ml"].sd == pytest.approx(10.0) and rows["m", "lv_edv_ml"].count == 2
    assert rows["f", "lv_edv_ml"].z == pytest.approx(0.0)
    assert len(rows) == 2 * len(REFERENCES)


def test_a_histogram_s_bars_hold_the_counts() -> None:
    axes = Axes("", (0.0, 10.0), (0.0, 1.0))
    colours = {"a": COLOURS[0], "b": COLOURS[1]}
    picture = histogram(axes, {"a": np.full(30, 2.1), "b": np.full(10, 7.9)}, colours, bins=10)
    area = {name: (np.abs(picture.astype(int) - colours[name]).sum(axis=2) < 12).sum() for name in colours}
    assert area["a"] / area["b"] == pytest.approx(3.0, rel=0.1)


def test_a_curve_passes_through_its_points() -> None:
    axes = Axes("", (0.0, 1.0), (0.0, 1.0))
    picture = curves(axes, [("", np.array([0.0, 1.0]), np.array([0.5, 0.5]))])
    at = canvas(axes).place(0.5, 0.5)
    assert np.abs(picture[round(at[1] / 2), round(at[0] / 2)].astype(int) - COLOURS[0]).sum() < 30


def test_a_sheet_puts_pictures_in_rows() -> None:
    red = np.zeros((10, 10, 3), np.uint8) + np.array([255, 0, 0], np.uint8)
    picture = sheet([("one", [("a", red), ("b", red)]), ("two", [("c", red)])], margin=20)
    assert (picture == [255, 0, 0]).all(axis=2).sum() == 300


@pytest.mark.slow
def test_the_page_carries_tables_and_pictures(tmp_path: Path) -> None:
    generate(CohortSpec(2, seed=5, mixture={"normal": 1.0}), tmp_path / "cohort", Inline())
    facts = describe(tmp_path / "cohort", tmp_path / "page")
    page = (tmp_path / "page/page.html").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "page/page.json").read_text())["hearts"] == 2
    assert page.count("data:image/png;base64,") >= 13 and "Normal men and women" in page
    assert str(tmp_path) not in page and "http" not in page
    assert facts["groups"] == {"normal": 2} and facts["against"] == []


def test_no_cohort_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="made by echo3d cohort generate"):
        describe(tmp_path, tmp_path / "page")
    assert not (tmp_path / "page").exists()

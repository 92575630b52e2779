"""The form of a recipe: bounds, the paper's values, what is not asked for, and the settings that it means."""

from __future__ import annotations

import json
from typing import Any

import pytest
from PySide6.QtCore import Qt

from echo3d.gui.training.budget_part import BudgetPart
from echo3d.gui.training.form import Form
from echo3d.gui.training.schema import fields_of, settings_of, values_of
from echo3d.trainings import RECIPES, read_settings, schema

pytestmark = pytest.mark.gl


@pytest.fixture(scope="module")
def schemas() -> dict[str, Any]:
    return schema()


@pytest.mark.parametrize("kind", list(RECIPES))
def test_an_untouched_form_means_the_defaults_of_every_recipe(qtbot, schemas, kind, tmp_path) -> None:
    fields = fields_of(schemas[kind])
    form = Form(fields)
    qtbot.addWidget(form)
    defaults = {field.name: field.default for field in fields}
    settings = settings_of(schemas[kind], defaults | form.values(), {})
    (tmp_path / "form.json").write_text(json.dumps(settings))
    meant, wanted = (read_settings(kind, path).model_dump(mode="json") for path in (tmp_path / "form.json", None))
    folders = {field.name for field in fields if field.kind == "path"}
    assert {name: value for name, value in meant.items() if name not in folders} == {
        name: value for name, value in wanted.items() if name not in folders
    }
    assert values_of(wanted).keys() >= defaults.keys()


def test_bounds_hold_and_the_papers_value_is_taken(qtbot, schemas) -> None:
    form = Form(fields_of(schemas["pix2vox"]))
    qtbot.addWidget(form)
    batch, rate, average = (form.editors[name] for name in ("batch", "rate", "average"))
    batch.setValue(0)
    assert batch.value() == 1
    rate.setValue(0.0)
    assert rate.value() > 0
    average.setValue(1.0)
    assert average.value() < 1
    with qtbot.waitSignal(form.edited):
        qtbot.mouseClick(form.papers["batch"], Qt.MouseButton.LeftButton)
    assert batch.value() == 64 and not form.papers["batch"].isEnabled()
    assert "At least 1" in batch.toolTip()


def test_one_budget_is_given_and_the_others_left_out(qtbot, schemas) -> None:
    part = BudgetPart(fields_of(schemas["s2mnet"]))
    qtbot.addWidget(part)
    assert part.values()["minutes"] == 60 and part.values()["steps"] is None
    part.show_values({"steps": 12, "minutes": None, "device": "cuda:3"})
    assert part.values() == {"minutes": None, "epochs": None, "steps": 12, "device": "cuda:3"}
    part.show_values({"steps": None, "minutes": None})
    assert part.which.currentText() == "As the recipe has it" and part.values()["steps"] is None


def test_what_no_form_can_ask_for_is_carried_along(schemas) -> None:
    before = read_settings("s2mnet-paper", None).model_dump(mode="json")
    before["network"]["volume"] = [16, 8]
    values = {field.name: field.default for field in fields_of(schemas["s2mnet-paper"])} | {"network.side": 64}
    after = settings_of(schemas["s2mnet-paper"], values, before)
    assert after["network"]["volume"] == [16, 8] and after["network"]["side"] == 64
    assert after["network"]["decoder"] == before["network"]["decoder"]

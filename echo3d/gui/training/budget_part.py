"""Where and for how long a network is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QLayout, QWidget

from echo3d.gui.training.devices import Device
from echo3d.gui.training.editors import NumberEditor, WholeEditor
from echo3d.gui.training.schema import BUDGETS, Field, budgets_of
from echo3d.gui.widgets import column, label, row, section

_USUAL = {"minutes": 60, "core_minutes": 60, "steps": 2000, "epochs": 20}


class BudgetPart(QWidget):
    """Asks for the device and the budget of a recipe; ``edited`` is sent when a person changes one.

    Parameters
    ----------
    fields : of the recipe
    """

    edited = Signal()

    def __init__(self, fields: Sequence[Field], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._fields = {field.name: field for field in fields}
        self.budgets = budgets_of(fields)
        self.device = QComboBox()
        self.device.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.device.setAccessibleName("Device")
        self.device.activated.connect(lambda _: self.edited.emit())
        self.which = QComboBox()
        self.which.setAccessibleName("Budget")
        self.amounts: dict[str, Any] = {}
        for field in self.budgets:
            self.which.addItem(BUDGETS[field.name], field.name)
            made = WholeEditor(_given(field)) if field.kind == "whole" else NumberEditor(_given(field))
            made.show_value(field.default if field.default is not None else _USUAL[field.name])
            made.setToolTip(field.meaning)
            made.setFixedWidth(112)
            made.edited.connect(self.edited)
            self.amounts[field.name] = made
        if all(field.optional for field in self.budgets) and self.budgets:
            self.which.addItem("As the recipe has it", "")
        self.which.activated.connect(lambda _: self._choose())
        where: list[QWidget | QLayout | int] = [label("Device"), self.device] if "device" in self._fields else []
        long: list[QWidget | QLayout | int] = (
            [label("How long"), row(self.which, *self.amounts.values(), spacing=8)] if self.budgets else []
        )
        self.setLayout(column(section("DEVICE AND BUDGET", above=4), *where, *long, spacing=5))
        self.setVisible(bool(where or long))
        self._show_amount()

    def _choose(self) -> None:
        self._show_amount()
        self.edited.emit()

    def _show_amount(self) -> None:
        for name, made in self.amounts.items():
            made.setVisible(name == self.which.currentData())

    def offer(self, devices: Sequence[Device]) -> None:
        """Offer places to train at; the one that was chosen stays chosen."""
        before = self.device.currentData()
        self.device.clear()
        for one in devices:
            self.device.addItem(one.title, one.word)
        self._show_device(before or str(self._fields["device"].default) if "device" in self._fields else "")

    def _show_device(self, word: str) -> None:
        if word and self.device.findData(word) < 0:
            self.device.addItem(f"{word} (not here now)", word)
        self.device.setCurrentIndex(max(0, self.device.findData(word)))

    def values(self) -> dict[str, Any]:
        """Return the fields that it fills: one budget is given, the others are left out."""
        chosen = self.which.currentData()
        made: dict[str, Any] = {}
        for field in self.budgets:
            made[field.name] = self.amounts[field.name].value() if field.name == chosen else None if field.optional else field.default
        if "device" in self._fields:
            made["device"] = self.device.currentData() or self._fields["device"].default
        return made

    def show_values(self, values: Mapping[str, Any]) -> None:
        """Show the fields of a run; of several budgets the one that decides, which is one that may be left out."""
        given = [field for field in self.budgets if values.get(field.name) is not None]
        decides = next((field for field in given if field.optional), given[0] if given else None)
        if decides is None:
            self.which.setCurrentIndex(max(0, self.which.findData("")))
        else:
            self.which.setCurrentIndex(self.which.findData(decides.name))
            self.amounts[decides.name].show_value(values[decides.name])
        self._show_amount()
        if "device" in values:
            self._show_device(str(values["device"]))


def _given(field: Field) -> Field:
    """Return a budget's field as one that must be given."""
    from dataclasses import replace

    return replace(field, optional=False)

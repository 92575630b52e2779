"""One editor for each kind of field; each shows a value, returns it, and says when a person changes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QFileDialog, QLineEdit, QSpinBox, QWidget

from echo3d.gui.training.schema import Field
from echo3d.gui.widgets import row, text_button

_MOST = 2_000_000_000
_LEAST, _DIGITS = 1e-9, 9
UNSET = "not set"


class Editor(Protocol):
    """What all editors have in common."""

    edited: Signal

    def value(self) -> Any:
        """Return what is entered."""

    def show_value(self, value: Any) -> None:
        """Show a value; nothing is said of it."""


class _Quiet:
    """A wheel that turns the page unless the field is being edited."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():  # type: ignore[attr-defined]
            super().wheelEvent(event)  # type: ignore[misc]
        else:
            event.ignore()


class WholeEditor(_Quiet, QSpinBox):
    """A whole number within its bounds; empty one below them where it may be left out."""

    edited = Signal()

    def __init__(self, field: Field) -> None:
        super().__init__()
        low = 0 if field.low is None else int(field.low) + field.open_low
        self._unset = low - 1 if field.optional else None
        self.setRange(low if self._unset is None else self._unset, _MOST if field.high is None else int(field.high))
        if self._unset is not None:
            self.setSpecialValueText(UNSET)
        self.setKeyboardTracking(False)
        self.setStepType(QSpinBox.StepType.AdaptiveDecimalStepType)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.valueChanged.connect(lambda _: self.edited.emit())

    def value(self) -> Any:  # type: ignore[override]
        """Return the number, None where it is left out."""
        found = super().value()
        return None if found == self._unset else found

    def show_value(self, value: Any) -> None:
        """Show a number, or that there is none."""
        self.blockSignals(True)
        self.setValue(self._unset if value is None and self._unset is not None else int(value or 0))
        self.blockSignals(False)


class NumberEditor(_Quiet, QDoubleSpinBox):
    """A number within its bounds, in as many digits as it has; empty below them where it may be left out."""

    edited = Signal()

    def __init__(self, field: Field) -> None:
        super().__init__()
        self.setDecimals(_DIGITS)
        low = 0.0 if field.low is None else float(field.low) + (_LEAST if field.open_low else 0.0)
        self._unset = low - 1.0 if field.optional else None
        high = _MOST if field.high is None else float(field.high)
        self.setRange(low if self._unset is None else self._unset, high)
        self.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
        if self._unset is not None:
            self.setSpecialValueText(UNSET)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.valueChanged.connect(lambda _: self.edited.emit())

    def textFromValue(self, value: float) -> str:
        """Return a number in as many digits as it has."""
        return f"{value:.6g}"

    def value(self) -> Any:  # type: ignore[override]
        """Return the number, None where it is left out."""
        found = super().value()
        return None if self._unset is not None and found <= self._unset else float(f"{found:.9g}")

    def show_value(self, value: Any) -> None:
        """Show a number, or that there is none."""
        self.blockSignals(True)
        self.setValue(self._unset if value is None and self._unset is not None else float(value or 0.0))
        self.blockSignals(False)


class YesEditor(QCheckBox):
    """Yes or no."""

    edited = Signal()

    def __init__(self, field: Field) -> None:
        super().__init__()
        del field
        self.clicked.connect(lambda _: self.edited.emit())

    def value(self) -> Any:
        """Return whether it is on."""
        return self.isChecked()

    def show_value(self, value: Any) -> None:
        """Show it on or off."""
        self.setChecked(bool(value))


class ChoiceEditor(_Quiet, QComboBox):
    """One of some words or numbers."""

    edited = Signal()

    def __init__(self, field: Field) -> None:
        super().__init__()
        if field.optional:
            self.addItem(UNSET, None)
        for choice in field.choices:
            self.addItem(str(choice), choice)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.activated.connect(lambda _: self.edited.emit())

    def value(self) -> Any:
        """Return what is chosen."""
        return self.currentData()

    def show_value(self, value: Any) -> None:
        """Show a choice; one that is not offered any more is shown all the same, so that nobody takes another for it."""
        if value is not None and self.findData(value) < 0:
            self.addItem(str(value), value)
        self.setCurrentIndex(max(0, self.findData(value)))


class TextEditor(QLineEdit):
    """A text; where it is a path, empty for none."""

    edited = Signal()

    def __init__(self, field: Field) -> None:
        super().__init__()
        self._field = field
        self.setPlaceholderText(UNSET if field.optional else "")
        self.textEdited.connect(lambda _: self.edited.emit())

    def value(self) -> Any:
        """Return the text, None where it is empty and may be left out."""
        return self.text().strip() or (None if self._field.optional else "")

    def show_value(self, value: Any) -> None:
        """Show a text from its beginning."""
        self.setText("" if value is None else str(value))
        self.setCursorPosition(0)


class PathEditor(QWidget):
    """A path, typed or chosen."""

    edited = Signal()

    def __init__(self, field: Field) -> None:
        super().__init__()
        self._field = field
        self.text = TextEditor(field)
        self.text.edited.connect(self.edited)
        self.setLayout(row(self.text, text_button("…", f"Choose: {field.meaning}", self._ask, kind="small"), spacing=4))

    def _ask(self) -> None:
        start = str(Path(self.text.text()).parent) if self.text.text() else ""
        if self._field.name in ("encoder", "base"):
            name, _ = QFileDialog.getOpenFileName(self, self._field.title, start)
        else:
            name = QFileDialog.getExistingDirectory(self, self._field.title, start)
        if name:
            self.text.setText(name)
            self.edited.emit()

    def value(self) -> Any:
        """Return the path as text."""
        return self.text.value()

    def show_value(self, value: Any) -> None:
        """Show a path."""
        self.text.show_value(value)
        self.setToolTip(self.text.text())


class ManyEditor(QWidget):
    """Some of several words."""

    edited = Signal()

    def __init__(self, field: Field) -> None:
        super().__init__()
        self.switches: dict[str, QCheckBox] = {}
        self._line = row(spacing=10)
        self.setLayout(self._line)
        self.offer(field.choices)

    def offer(self, words: tuple[str, ...]) -> None:
        """Offer words; those that are on stay on."""
        for word in words:
            if word not in self.switches:
                made = QCheckBox(word)
                made.clicked.connect(lambda _: self.edited.emit())
                self.switches[word] = made
                self._line.addWidget(made)

    def value(self) -> Any:
        """Return the words that are on."""
        return [word for word, switch in self.switches.items() if switch.isChecked() and not switch.isHidden()]

    def show_value(self, value: Any) -> None:
        """Show which are on."""
        self.offer(tuple(value or ()))
        for word, switch in self.switches.items():
            switch.setChecked(word in (value or ()))


_EDITORS: dict[str, Any] = {
    "whole": WholeEditor,
    "number": NumberEditor,
    "yes": YesEditor,
    "choice": ChoiceEditor,
    "many": ManyEditor,
    "path": PathEditor,
    "text": TextEditor,
}


def editor_of(field: Field) -> Any:
    """Return the editor of a field, with its value shown; a :class:`Editor` that is a widget."""
    made = _EDITORS[field.kind](field)
    made.show_value(field.default)
    made.setAccessibleName(field.title)
    made.setToolTip(bounds_in_words(field))
    return made


def bounds_in_words(field: Field) -> str:
    """Return what a field means, and its bounds.

    >>> bounds_in_words(Field("rate", "number", meaning="Highest learning rate.", low=0, open_low=True))
    'Highest learning rate. Above 0.'
    """
    low = None if field.low is None else f"{'above' if field.open_low else 'at least'} {field.low:g}"
    high = None if field.high is None else f"at most {field.high:g}"
    said = " and ".join(filter(None, (low, high)))
    return " ".join(filter(None, (field.meaning, f"{said[:1].upper()}{said[1:]}." if said else "")))

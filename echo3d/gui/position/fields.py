"""Number fields that tell a person's entry from a value that is shown."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QDoubleSpinBox, QWidget


class NumberField(QDoubleSpinBox):
    """A number with its unit; ``entered`` is sent when a person changes it, never when it is shown.

    Parameters
    ----------
    name : for tool tip and screen readers
    unit : shown after the number
    low, high : range
    step : of the arrow keys and the wheel
    digits : after the point
    """

    entered = Signal(float)

    def __init__(self, name: str, unit: str, span: tuple[float, float], step: float, digits: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setRange(*span)
        self.setDecimals(digits)
        self.setSingleStep(step)
        self.setSuffix(f" {unit}" if unit not in ("", "°", "×") else unit if unit == "°" else "")
        self.setKeyboardTracking(False)
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.valueChanged.connect(self.entered)

    def show_value(self, value: float) -> None:
        """Show a value."""
        if self.hasFocus() and self.lineEdit().isModified():
            return
        self.blockSignals(True)
        self.setValue(value)
        self.blockSignals(False)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the page unless the field is being edited."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

"""One measured number with its interval; a click goes to the frame it was measured at."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QSizePolicy, QWidget

from echo3d.gui import theme
from echo3d.gui.widgets import column, label, row


@dataclass(frozen=True, slots=True)
class Reading:
    """What a metric shows.

    Parameters
    ----------
    value : in the unit shown, None where withheld or not known
    interval : 90 % interval in the same unit, or None
    """

    value: float | None = None
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """What a metric is.

    Parameters
    ----------
    title, unit : as shown
    span : ends of its gauge
    phase : "ed" or "es", the frame a click goes to
    tip : what it means
    """

    title: str
    unit: str
    span: tuple[float, float]
    phase: str
    tip: str


KINDS: dict[str, Kind] = {
    "ef": Kind(
        "Ejection fraction", "%", (0, 90), "es", "Share of the end-diastolic volume that leaves the LV with a beat, from the 3D surfaces"
    ),
    "edv_ml": Kind("EDV", "ml", (0, 300), "ed", "LV volume at end-diastole, from the 3D surface"),
    "esv_ml": Kind("ESV", "ml", (0, 300), "es", "LV volume at end-systole, from the 3D surface"),
    "sv_ml": Kind("Stroke volume", "ml", (0, 150), "es", "EDV less ESV"),
}


class Gauge(QWidget):
    """A line with the interval as a band and the value as a mark."""

    def __init__(self, span: tuple[float, float], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._span = span
        self._reading = Reading()
        self.setFixedHeight(10)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_reading(self, reading: Reading) -> None:
        """Show another reading."""
        self._reading = reading
        self.update()

    def _x(self, value: float) -> float:
        low, high = self._span
        return self.width() * min(max((value - low) / (high - low), 0.0), 1.0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the gauge."""
        painter, middle = QPainter(self), self.height() / 2
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.BORDER))
        painter.drawRoundedRect(QRectF(0, middle - 1.5, self.width(), 3), 1.5, 1.5)
        if self._reading.interval is not None:
            left, right = (self._x(end) for end in self._reading.interval)
            painter.setBrush(QColor(theme.CHOSEN_EDGE))
            painter.drawRoundedRect(QRectF(left, middle - 3, max(right - left, 3), 6), 3, 3)
        if self._reading.value is not None:
            painter.setBrush(QColor(theme.TEXT))
            painter.drawRoundedRect(QRectF(self._x(self._reading.value) - 1.5, middle - 5, 3, 10), 1.5, 1.5)
        painter.end()


class Metric(QFrame):
    """Shows a reading of one kind."""

    pressed = Signal(str)

    def __init__(self, name: str, *, large: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._kind = KINDS[name]
        self._value = label("–", "figure_large" if large else "figure")
        self._unit = label(self._kind.unit, "muted")
        self._interval = label("", "faint")
        self._gauge = Gauge(self._kind.span)
        number = row(self._value, self._unit, 1, spacing=5)
        for part in (self._value, self._unit):
            number.setAlignment(part, Qt.AlignmentFlag.AlignBottom)
            part.setFixedHeight(40)
            part.setAlignment(Qt.AlignmentFlag.AlignBottom)
        self._unit.setContentsMargins(0, 0, 0, 6 if large else 4)
        self.setLayout(column(label(self._kind.title, "muted"), number, self._gauge, self._interval, margins=(12, 8, 12, 8), spacing=3))
        self.setToolTip(f"{self._kind.tip}.\nThe band is the 90 % interval. Click to go to the frame.")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(self._kind.title)

    def show_reading(self, reading: Reading, *, withheld: bool = False) -> None:
        """Show a reading; where there is none, say whether it is withheld."""
        self._value.setText("–" if reading.value is None else f"{reading.value:.0f}")
        self._unit.setVisible(reading.value is not None)
        self._gauge.show_reading(reading)
        if reading.interval is not None:
            low, high = reading.interval
            self._interval.setText(f"90 %:  {low:.0f} – {high:.0f}")
        else:
            self._interval.setText("withheld" if withheld else "")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Ask for the frame of this number."""
        self.pressed.emit(self._kind.phase)

"""The bar under the views: play, step, speed, the time line with its ED and ES marks, and the correction of both."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QFrame, QMenu, QSizePolicy, QToolButton, QWidget

from echo3d.gui import theme
from echo3d.gui.icons import icon
from echo3d.gui.widgets import button, label, row, rule, text_button
from echo3d.session import SPEEDS


@dataclass(frozen=True, slots=True)
class TimeState:
    """Where the leading clip is.

    Parameters
    ----------
    count : frames, 0 where there is no clip
    index : frame shown
    ed, es : marked frames, or None
    ms : time of the frame
    rate : beats per minute, or None
    """

    count: int = 0
    index: int = 0
    ed: int | None = None
    es: int | None = None
    ms: float = 0.0
    rate: float | None = None


class TimeLine(QWidget):
    """A line of frames; press or drag to go to one."""

    sought = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = TimeState()
        self.setMinimumWidth(70)
        self.setFixedHeight(34)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Time line")

    def show_state(self, state: TimeState) -> None:
        """Show another state."""
        if state != self.state:
            self.state = state
            self.update()

    def _x(self, index: int) -> float:
        return 8 + (self.width() - 16) * index / max(self.state.count - 1, 1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the frame under the pointer."""
        self._seek(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the pointer."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._seek(event)

    def _seek(self, event: QMouseEvent) -> None:
        if self.state.count:
            share = (event.position().x() - 8) / max(self.width() - 16, 1)
            self.sought.emit(round(min(max(share, 0.0), 1.0) * (self.state.count - 1)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the line, its marks and the position."""
        painter, state, middle = QPainter(self), self.state, self.height() / 2
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(theme.BORDER), 4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLine(QPointF(8, middle), QPointF(self.width() - 8, middle))
        if state.count:
            x = self._x(state.index)
            painter.setPen(QPen(QColor(theme.ACCENT), 4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawLine(QPointF(8, middle), QPointF(x, middle))
            for index, name, tint in ((state.ed, "ED", theme.ED), (state.es, "ES", theme.ES)):
                if index is not None:
                    self._mark(painter, self._x(index), name, QColor(tint))
            painter.setPen(QPen(QColor(theme.BASE), 2))
            painter.setBrush(QColor(theme.TEXT))
            painter.drawEllipse(QPointF(x, middle), 7, 7)
        painter.end()

    def _mark(self, painter: QPainter, x: float, name: str, tint: QColor) -> None:
        middle = self.height() / 2
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tint)
        painter.drawPolygon(QPolygonF([QPointF(x - 4, middle - 12), QPointF(x + 4, middle - 12), QPointF(x, middle - 5)]))
        painter.setPen(tint)
        painter.setFont(theme.sized(9, bold=True))
        painter.drawText(QRectF(x - 12, middle + 6, 24, 11), Qt.AlignmentFlag.AlignCenter, name)


class Transport(QFrame):
    """Sends what the user wants with time."""

    command = Signal(str)
    sought = Signal(int)
    speed_wanted = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.line = TimeLine()
        self.line.sought.connect(self.sought)
        self._play = button("pause", "Play or pause (Space)", lambda: self.command.emit("toggle_playing"))
        self._speed = self._speed_button()
        self._time = label("", "muted")
        self._time.setFixedWidth(112)
        self._time.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._ed = text_button(
            "Set ED", "Take this frame of the selected view as end-diastole (Shift+D)", self._sender("set_ed"), kind="ed"
        )
        self._es = text_button("Set ES", "Take this frame of the selected view as end-systole (Shift+S)", self._sender("set_es"), kind="es")
        self._steps = [
            button("previous", "Previous frame (Left)", self._sender("step_back")),
            button("next", "Next frame (Right)", self._sender("step_forward")),
        ]
        parts = (self._steps[0], self._play, self._steps[1], self._speed, rule(), self.line, self._time, rule(), self._ed, self._es)
        self.setLayout(row(*parts, margins=(8, 4, 8, 4), spacing=6))
        self.show_time(TimeState())

    def _sender(self, name: str):  # type: ignore[no-untyped-def]
        return lambda: self.command.emit(name)

    def _speed_button(self) -> QToolButton:
        made = text_button("1×", "Speed of the cine (+ and -)", lambda: None)
        menu = QMenu(made)
        for speed in reversed(SPEEDS):
            menu.addAction(speed_text(speed)).triggered.connect(lambda _=False, chosen=speed: self.speed_wanted.emit(chosen))
        made.setMenu(menu)
        made.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        made.setFixedWidth(64)
        return made

    def show_playing(self, playing: bool, speed: float) -> None:
        """Show whether time runs, and how fast."""
        self._play.setIcon(icon("pause" if playing else "play"))
        self._speed.setText(speed_text(speed))

    def show_time(self, state: TimeState, *, correctable: bool = False) -> None:
        """Show where the leading clip is, and whether its phases may be corrected."""
        self.line.show_state(state)
        for part in (self._play, *self._steps, self._speed):
            part.setEnabled(state.count > 0)
        for part in (self._ed, self._es):
            part.setEnabled(correctable)
        rate = f"  ·  {state.rate:.0f}/min" if state.rate else ""
        self._time.setText(f"{state.ms:.0f} ms{rate}" if state.count else "")


def speed_text(speed: float) -> str:
    """Return a speed as shown.

    >>> speed_text(0.25), speed_text(1.0)
    ('0.25×', '1×')
    """
    return f"{speed:g}×"

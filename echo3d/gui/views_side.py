"""The left of the patient's page: the six views with their overlay switches, the time, the volume curve."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSlider, QWidget

from echo3d.gui.curve import VolumeCurve
from echo3d.gui.transport import Transport
from echo3d.gui.view_grid import ViewGrid
from echo3d.gui.widgets import button, column, label, row
from echo3d.session import Session


class ViewsSide(QWidget):
    """Holds what shows the study in 2D and in time."""

    command = Signal(str)
    opacity_wanted = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.grid = ViewGrid()
        self.transport = Transport()
        self.transport.command.connect(self.command)
        self.curve = VolumeCurve()
        self.curve.setFixedHeight(196)
        self._outlines = button("outline", "Outlines (O)", lambda: self.command.emit("toggle_outlines"), checkable=True)
        self._fill = button("fill", "Fill (F)", lambda: self.command.emit("toggle_fill"), checkable=True)
        self._labels = button("tag", "Chamber names (L)", lambda: self.command.emit("toggle_labels"), checkable=True)
        self._opacity = QSlider(Qt.Orientation.Horizontal)
        self._opacity.setRange(0, 100)
        self._opacity.setFixedWidth(84)
        self._opacity.setToolTip("Opacity of the fill")
        self._opacity.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._opacity.valueChanged.connect(lambda value: self.opacity_wanted.emit(value / 100))
        switches = (label("Overlay", "muted"), self._outlines, self._fill, self._labels, self._opacity)
        head = row(label("ECHO VIEWS", "section"), 1, *switches, margins=(4, 0, 4, 0), spacing=4)
        layout = column(head, self.grid, self.transport, self.curve, spacing=8)
        layout.setStretch(1, 1)
        self.setLayout(layout)

    def show_session(self, session: Session) -> None:
        """Show the switches as the session has them."""
        for switch, value in ((self._outlines, session.outlines), (self._fill, session.fill), (self._labels, session.labels)):
            switch.setChecked(value)
        self._opacity.blockSignals(True)
        self._opacity.setValue(round(100 * session.opacity))
        self._opacity.blockSignals(False)
        self._opacity.setEnabled(session.fill)
        self.transport.show_playing(session.playing, session.speed)

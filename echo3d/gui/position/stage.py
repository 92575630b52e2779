"""The middle of the workspace: the scene with its switches for sides and cuts."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QSlider, QWidget

from echo3d.gui.canvas import Canvas
from echo3d.gui.position.beat_bar import BeatBar
from echo3d.gui.position.viewport import Viewport
from echo3d.gui.widgets import button, column, label, row, rule, text_button
from echo3d.positioning.state import Clip, Workspace

_SIDES = ("front", "left", "right", "head", "view")


class Stage(QWidget):
    """Holds the scene; says what is wished for.

    Parameters
    ----------
    canvas : the OpenGL surface of the window
    """

    clip_wanted = Signal(object)
    offset_wanted = Signal(float)
    command = Signal(str)

    def __init__(self, canvas: Canvas, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewport = Viewport(canvas)
        self.beat = BeatBar()
        self.beat.command.connect(self.command)
        sides = [self._side(name) for name in _SIDES]
        self._clip = QComboBox()
        for clip in Clip:
            self._clip.addItem(clip.value if clip is Clip.NONE else f"Cut: {clip.value.lower()}", clip)
        self._clip.setToolTip("Cut body and heart open along a plane; the heart's structures are shown on the cut")
        self._clip.activated.connect(lambda at: self.clip_wanted.emit(list(Clip)[at]))
        self._offset = QSlider(Qt.Orientation.Horizontal)
        self._offset.setRange(-80, 80)
        self._offset.setMaximumWidth(110)
        self._offset.setToolTip("Move the cut")
        self._offset.valueChanged.connect(lambda value: self.offset_wanted.emit(float(value)))
        camera = button("camera", "Save a picture of the scene with its scale", lambda: self.command.emit("save_scene"))
        fit = button("reset", "Heart and probes whole, from in front (F)", lambda: self.command.emit("look_front"))
        head = row(label("SCENE", "section"), 1, *sides, rule(), self._clip, self._offset, rule(), fit, camera, spacing=3)
        frame = QFrame()
        frame.setObjectName("card")
        frame.setLayout(column(self.viewport, margins=(1, 1, 1, 1)))
        layout = column(head, frame, self.beat, spacing=8)
        layout.setStretch(1, 1)
        self.setLayout(layout)

    def _side(self, name: str) -> QWidget:
        tip = "Look as the selected view does (V)" if name == "view" else f"Look from the patient's {name} side"
        return text_button(name.capitalize(), tip, lambda: self.command.emit(f"look_{name}"))

    def show_workspace(self, workspace: Workspace) -> None:
        """Show which cut is chosen."""
        self._clip.setCurrentIndex(list(Clip).index(workspace.clip))
        self._offset.setEnabled(workspace.clip is not Clip.NONE)
        self._offset.blockSignals(True)
        self._offset.setValue(round(workspace.clip_mm))
        self._offset.blockSignals(False)

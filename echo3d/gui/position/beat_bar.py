"""The beat under the scene: play, a slider over its moments, end-diastole and end-systole."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSlider, QWidget

from echo3d.anatomy.timing import PHASES
from echo3d.gui.icons import icon
from echo3d.gui.widgets import button, label, row, text_button
from echo3d.positioning.hearts import end_systole
from echo3d.positioning.state import Workspace


class BeatBar(QWidget):
    """Shows the moment; says which is wished for."""

    moment_wanted = Signal(int)
    command = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, PHASES - 1)
        self.slider.setAccessibleName("Moment of the beat")
        self.slider.valueChanged.connect(self.moment_wanted)
        self._play = button("play", "Play the beat (Space)", lambda: self.command.emit("toggle_playing"))
        self._ed = text_button("ED", "End-diastole (D)", lambda: self.command.emit("go_ed"), kind="ed")
        self._es = text_button("ES", "End-systole (S)", lambda: self.command.emit("go_es"), kind="es")
        self._time = label("", "muted")
        self._time.setMinimumWidth(150)
        self.setLayout(row(self._play, self.slider, self._ed, self._es, self._time, margins=(4, 0, 4, 0), spacing=8))

    def show_workspace(self, workspace: Workspace, ready: int) -> None:
        """Show the moment; ``ready`` of them are made."""
        heart = workspace.scene.heart
        moves = heart is not None and heart.beat is not None
        for part in (self.slider, self._play, self._ed, self._es):
            part.setEnabled(moves)
        self._play.setIcon(icon("pause" if workspace.playing else "play"))
        self.slider.blockSignals(True)
        self.slider.setValue(workspace.moment)
        self.slider.blockSignals(False)
        self._time.setText(time_text(workspace, ready))


def time_text(workspace: Workspace, ready: int) -> str:
    """Return what to say of the moment of the beat."""
    heart = workspace.scene.heart
    if heart is None or heart.beat is None:
        return "stands still" if heart is not None else ""
    length = 60_000 / heart.beat.heart_rate
    words = {0: " · ED", end_systole(heart): " · ES"}.get(workspace.moment, "")
    made = f" · {ready}/{PHASES} made" if 1 < ready < PHASES else ""
    return f"{workspace.moment / PHASES * length:.0f} / {length:.0f} ms{words}{made}"

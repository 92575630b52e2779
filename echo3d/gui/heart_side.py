"""The right of the patient's page: the heart with its switches and list of structures, and the numbers."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QStackedLayout, QWidget

from echo3d.gui.heart_view import HeartView
from echo3d.gui.results_panel import ResultsPanel
from echo3d.gui.structures_panel import StructuresPanel
from echo3d.gui.widgets import button, column, label, row, rule, text_button
from echo3d.session import Drawing, Session, Stage

_DRAWING_COMMANDS = {Drawing.CUT: "draw_cut", Drawing.GLASS: "draw_glass", Drawing.SOLID: "draw_solid"}


class HeartSide(QWidget):
    """Holds what shows the heart and its numbers."""

    command = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.heart = HeartView()
        self.structures = StructuresPanel()
        self.results = ResultsPanel()
        self._hint = QLabel()
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint.setObjectName("muted")
        self._hint.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._drawings = {kind: self._choice(kind.value, name) for kind, name in _DRAWING_COMMANDS.items()}
        self._looks = {False: self._choice("Front", "look_anatomical"), True: self._choice("Echo", "look_echo")}
        self._list = button("list", "List of structures (T)", lambda: self.command.emit("toggle_structures"), checkable=True)
        camera = button("camera", "Save heart picture", lambda: self.command.emit("save_heart_picture"))
        switches = (*self._drawings.values(), rule(), *self._looks.values(), rule(), self._list, camera)
        head = row(label("HEART", "section"), 1, *switches, margins=(4, 0, 4, 0), spacing=4)
        self.results.setFixedHeight(316)
        layout = column(head, self._stage(), self.results, spacing=8)
        layout.setStretch(1, 1)
        self.setLayout(layout)

    def _choice(self, text: str, command: str):  # type: ignore[no-untyped-def]
        made = text_button(text, "", lambda: self.command.emit(command))
        made.setCheckable(True)
        return made

    def _stage(self) -> QFrame:
        """Return the frame with the heart, the hint over it and the list beside it."""
        over = QWidget()
        stack = QStackedLayout(over)
        stack.setStackingMode(QStackedLayout.StackingMode.StackAll)
        stack.addWidget(self._hint)
        stack.addWidget(self.heart)
        stack.setCurrentWidget(self._hint)
        frame = QFrame()
        frame.setObjectName("card")
        inside = row(over, self.structures, margins=(1, 1, 1, 1), spacing=0)
        inside.setStretch(0, 1)
        frame.setLayout(inside)
        return frame

    def show_session(self, session: Session) -> None:
        """Show the switches, the hint, the list and the numbers as the session has them."""
        for kind, choice in self._drawings.items():
            choice.setChecked(kind is session.drawing)
        for as_echo, choice in self._looks.items():
            choice.setChecked(as_echo is session.as_echo)
        self._list.setChecked(session.listed)
        self.structures.setVisible(session.listed)
        self.structures.show_hidden(session.hidden)
        self._hint.setText("" if session.result is not None else _HINTS[session.stage])
        self.results.show_session(session)


_HINTS = {
    Stage.EMPTY: "The heart appears here",
    Stage.READING: "Reading the study …",
    Stage.COMPUTING: "Reconstructing the heart …",
    Stage.DONE: "",
    Stage.FAILED: "No heart could be made of this study",
}

"""What is shown while nothing was trained yet: the three steps from nothing to a network of one's own."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLayout, QToolButton, QWidget

from echo3d.gui.jobs.rows import JobRow
from echo3d.gui.widgets import Sign, card, column, label, row, text_button

_STEPS = (
    (
        "A data set",
        "Hearts are drawn, cut by six probes and shown as pictures whose truth is known. Forty hearts are enough to see a network learn.",
    ),
    ("A run", "Choose a recipe on the left; the lean S2MNet needs no GPU. Estimate says how long it will take, Start begins it."),
    ("Its use", "When it is done, Use in the application puts it among the networks of the Patient page (File ▸ Networks of yours)."),
)


class Welcome(QWidget):
    """Shows the steps; ``command`` is sent with what a button wishes for."""

    command = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        title = label("Train a network of your own", "title")
        under = label(
            "It runs in the background, goes on when the window is closed, and can be stopped and gone on with at any time.",
            "muted",
            wrap=True,
        )
        self.make: QToolButton = text_button(
            "Make a small data set…",
            "Draw hearts, slices and pictures to learn from",
            lambda: self.command.emit("make_samples"),
            kind="primary",
        )
        self.doing = label("", "muted", wrap=True)
        self._signs = [Sign("check", "ed", 16) for _ in _STEPS]
        lines = [self._line(number, *step) for number, step in enumerate(_STEPS)]
        inner = column(title, under, 8, *lines, spacing=10, margins=(28, 24, 28, 24))
        frame: QFrame = card(inner)
        frame.setFixedWidth(560)
        middle = row(1, frame, 1)
        self.setLayout(column(1, middle, 2))
        self.show_state(False, None)

    def _line(self, number: int, title: str, sentence: str) -> QWidget:
        made = QWidget()
        head = row(label(f"{number + 1}   {title}", "title"), self._signs[number], 1, spacing=8)
        more: list[QWidget | QLayout | int] = [row(self.make, 1), self.doing] if number == 0 else []
        made.setLayout(column(head, label(sentence, "muted", wrap=True), *more, spacing=6, margins=(0, 8, 0, 4)))
        return made

    def show_state(self, has_data: bool, making: JobRow | None) -> None:
        """Show which step is done, and how far the data set is that is being made."""
        self._signs[0].setVisible(has_data)
        self._signs[1].hide()
        self._signs[2].hide()
        said = "" if making is None else f"{making.title}: {making.done or 'starting …'}{making.left and f', {making.left} left'}"
        self.doing.setText(said)
        self.doing.setVisible(bool(said))
        self.make.setText("Make another data set…" if has_data else "Make a small data set…")
        self.make.setEnabled(making is None)
        self.make.setFocusPolicy(Qt.FocusPolicy.NoFocus)

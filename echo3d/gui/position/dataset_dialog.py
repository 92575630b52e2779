"""The dialog that asks for a data set: what is in it, how long it will take, and where it goes; then it runs as a job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QDialog, QLabel, QPushButton, QScrollArea, QWidget

from echo3d.gui import theme
from echo3d.gui.position.estimating import Estimating
from echo3d.gui.position.order_fields import problem_label, show_problem
from echo3d.gui.position.order_parts import HeartsPart, PicturesPart, RangesPart
from echo3d.gui.widgets import card, column, label, row, rule
from echo3d.positioning.orders import Checked, Order, checked

_SIZE = (1080, 690)


class DatasetDialog(QDialog):
    """Shows an order; ``start_wanted`` is sent with what it means when it is to be begun.

    Parameters
    ----------
    order : to open with
    known : title and path of hearts that were opened lately
    bodies : title and word of bodies to choose from, beside none and each heart's own
    """

    start_wanted = Signal(object)
    taken = Signal()

    def __init__(
        self, order: Order, known: Sequence[tuple[str, str]] = (), parent: QWidget | None = None, *, bodies: Sequence[tuple[str, str]] = ()
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Generate a data set")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.order = order
        self.found: Checked = checked(order)
        self.hearts, self.ranges, self.pictures = HeartsPart(known), RangesPart(), PicturesPart(bodies)
        for part in (self.hearts, self.ranges, self.pictures):
            part.edited.connect(lambda fields: self.change(**fields))
        self.ranges.taken.connect(self.taken)
        self.estimating = Estimating(self)
        self.estimating.asking.connect(self._asking)
        self.estimating.found.connect(lambda sentence, good: self._say(sentence, theme.TEXT if good else theme.WARN))
        self.estimating.refused.connect(self._refuse)
        self.finished.connect(lambda _: self.estimating.close())
        self._refused = ""
        self._starting = False
        self._build()
        self._show()
        if parent is not None:
            parent.window().installEventFilter(self)

    def _build(self) -> None:
        self.estimate = label("", wrap=True)
        self.estimate.setMinimumHeight(32)
        self.problem: QLabel = problem_label()
        self.start, close = QPushButton("Start"), QPushButton("Close")
        self.start.setObjectName("primary")
        self.start.setToolTip("Begin it as a background job; it goes on when the window is closed")
        self.start.clicked.connect(self._start)
        close.clicked.connect(self.close)
        for one in (self.start, close):
            one.setAutoDefault(False)
        parts = row(*(card(column(part, margins=(14, 12, 14, 12))) for part in (self.hearts, self.ranges, self.pictures)), spacing=10)
        for at, share in enumerate((30, 34, 36)):
            parts.setStretch(at, share)
        inside = QWidget()
        inside.setLayout(parts)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(inside)
        foot = row(column(self.estimate, self.problem, spacing=2), close, self.start, spacing=8)
        foot.setStretch(0, 1)
        self.setLayout(column(area, rule(upright=False), foot, margins=(14, 14, 14, 12), spacing=10))
        self.resize(*_SIZE)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Close with the window."""
        if event.type() == QEvent.Type.Hide and not event.spontaneous():
            self.close()
        return super().eventFilter(watched, event)

    def change(self, **fields: object) -> None:
        """Set fields of the order."""
        self.order = replace(self.order, **fields)  # type: ignore[arg-type]
        self._show()

    def propose(self, out: str) -> None:
        """Use a folder's name where none was given yet."""
        if not self.order.out:
            self.change(out=out)

    def say_left_out(self, sentence: str) -> None:
        """Say what of the workspace is not taken over."""
        self.ranges.left_out.setText(sentence)
        self.ranges.left_out.setVisible(bool(sentence))

    def _show(self) -> None:
        """Show the order, say what will not do, and have the rest measured."""
        self.found = checked(self.order)
        for part in (self.hearts, self.ranges, self.pictures):
            part.show_order(self.order, self.found)
        show_problem(self.problem, "")
        if self.found.spec is not None:
            self.estimating.ask(self.found.spec, self.found.out, self.found.workers)
        else:
            self.estimating.drop()
            many = len(self.found.problems)
            self._say("One field will not do yet; see there." if many == 1 else f"{many} fields will not do yet; see there.", theme.WARN)
        self._enable()

    def _enable(self) -> None:
        self.start.setEnabled(self.found.spec is not None and not self._refused and not self._starting)
        self.start.setText("Starting …" if self._starting else "Start")

    def _say(self, sentence: str, colour: str) -> None:
        self.estimate.setText(sentence)
        self.estimate.setStyleSheet(f"color: {colour};")

    def _asking(self) -> None:
        self._refused = ""
        self._say("Measuring time and size on its first hearts …", theme.MUTED)
        self._enable()

    def _refuse(self, sentence: str) -> None:
        """Say why what is asked for cannot be made."""
        self._refused = sentence
        self._say(sentence[:1].upper() + sentence[1:] + ("" if sentence.endswith(".") else "."), theme.ERROR)
        self._enable()

    def _start(self) -> None:
        self._starting = True
        self.estimating.drop()
        self._enable()
        self.start_wanted.emit(self.found)

    def failed(self, sentence: str) -> None:
        """Say why the job could not be started."""
        self._starting = False
        show_problem(self.problem, sentence[:1].upper() + sentence[1:])
        self._enable()

"""The window of the user's own networks: what each is, whether hearts are computed with it, and its removal, after asking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractItemView, QDialog, QHeaderView, QMessageBox, QTableWidget, QTableWidgetItem, QWidget

from echo3d.gui.dialogs import press
from echo3d.gui.tasks import Tasks
from echo3d.gui.widgets import column, for_window, label, row
from echo3d.models import REFINED, Model, in_use, list_models, misfit, remove_model

TITLES = ("Network", "Kind", "Trained", "Intervals")
EMPTY = "There are none yet. Train one in the Training workspace and press Use in the application there."
_WIDTHS = (190, 210, 100)


@dataclass(frozen=True, slots=True)
class Line:
    """One of the user's networks as it is shown.

    Parameters
    ----------
    name : of it
    cells : what the columns show
    said : why hearts cannot be computed with it, or why it must stay
    stays : whether it must
    usable : whether hearts are computed with it
    """

    name: str
    cells: tuple[str, ...]
    said: str = ""
    stays: bool = False
    usable: bool = True


def lines() -> list[Line]:
    """Return the user's own networks; off the Qt thread."""
    return [line_of(model, in_use(model.name)) for model in list_models() if model.own]


def line_of(model: Model, needed: str) -> Line:
    """Return what is shown of a network, given the sentence on what it is needed for.

    >>> line_of(Model("mine", True, None), "").cells
    ('mine', 'damaged card', '', '')
    """
    card = model.card
    if card is None:
        return Line(
            model.name, (model.name, "damaged card", "", ""), needed or "its card is damaged; remove it and add it again", bool(needed)
        )
    kind = f"accurate, of {card.config.get('network')}" if card.kind == REFINED else "lean" if model.lean else card.kind
    told = "90 %" if "conformal90" in card.metrics else "none"
    cells = (model.name, kind, str(card.trained.get("date", "")), told)
    return Line(model.name, cells, needed or misfit(card), bool(needed), model.computes_hearts)


class NetworksDialog(QDialog):
    """Lists and removes the user's own networks.

    Parameters
    ----------
    use : is told the name of the network that hearts are to be computed with
    """

    def __init__(self, use: Callable[[str], object], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Networks of yours")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._use = use
        self._tasks = Tasks(self, threads=1)
        self.lines: list[Line] = []
        self.table = _table()
        self.table.itemSelectionChanged.connect(self._chosen)
        self.said = label("", "muted", wrap=True)
        self.used = press("Compute with it", self._wish)
        self.remove = press("Remove…", self.ask_removal)
        QShortcut(QKeySequence("Delete"), self.table, self.ask_removal)
        head = label("Networks that you trained or were given. Removing one leaves the run that it came from as it is.", "muted", wrap=True)
        foot = row(self.remove, self.used, 1, press("Close", self.accept), spacing=8)
        self.setLayout(column(head, self.table, self.said, foot, margins=(18, 16, 18, 14), spacing=12))
        self.setMinimumSize(660, 360)
        self.finished.connect(lambda _: self._tasks.close())
        self._chosen()
        self.read()

    def read(self) -> None:
        """Read anew which there are."""
        self._tasks.run(lines, self.show_lines, self._say)

    def show_lines(self, found: list[Line]) -> None:
        """Show networks; the one that was chosen stays chosen, the first is where none was."""
        before = self.chosen.name if self.chosen is not None else ""
        self.lines = found
        self.table.setRowCount(len(found))
        for at, line in enumerate(found):
            for place, text in enumerate(line.cells):
                self.table.setItem(at, place, QTableWidgetItem(text))
        if found:
            self.table.selectRow(next((at for at, line in enumerate(found) if line.name == before), 0))
            self.table.setFocus()
        self._chosen()

    @property
    def chosen(self) -> Line | None:
        """The network in the row that is chosen."""
        at = self.table.currentRow()
        return self.lines[at] if 0 <= at < len(self.lines) else None

    def _chosen(self) -> None:
        line = self.chosen
        self._say(EMPTY if line is None else line.said)
        self.remove.setEnabled(line is not None and not line.stays)
        self.used.setEnabled(line is not None and line.usable)

    def _say(self, sentence: str) -> None:
        shown = for_window(sentence)
        self.said.setText(f"{shown[:1].upper()}{shown[1:].rstrip('.')}." if shown else "")

    def _wish(self) -> None:
        if self.chosen is not None and self.chosen.usable:
            self._use(self.chosen.name)
            self.read()

    def ask_removal(self) -> None:
        """Ask, then remove the chosen network."""
        line = self.chosen
        if line is None or line.stays:
            return
        box = QMessageBox(self)
        box.setWindowTitle("Remove this network")
        box.setText(f"{line.name}\n\nIts weights and its card are deleted. The run that it came from stays.")
        sure = box.addButton("Remove", QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        sure.clicked.connect(lambda: self._tasks.run(lambda: remove_model(line.name), lambda _: self.read(), self._say))
        box.finished.connect(box.deleteLater)
        box.open()


def _table() -> QTableWidget:
    table = QTableWidget(0, len(TITLES))
    table.setHorizontalHeaderLabels(TITLES)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setTabKeyNavigation(False)
    table.setAccessibleName("Networks of yours")
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(28)
    header = table.horizontalHeader()
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    header.setHighlightSections(False)
    for at, width in enumerate(_WIDTHS):
        table.setColumnWidth(at, width)
    header.setSectionResizeMode(len(TITLES) - 1, QHeaderView.ResizeMode.Stretch)
    return table

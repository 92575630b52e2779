"""All jobs of the user, how each stands, and what can be done with the one that is chosen."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QItemSelectionModel, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QPlainTextEdit, QSplitter, QStackedLayout, QTableView, QToolButton, QWidget

from echo3d.gui.jobs.model import FOLDER, PROGRESS, Bar, JobsModel, Tail, colour_of
from echo3d.gui.jobs.rows import JobRow, Look
from echo3d.gui.widgets import column, label, row, text_button

EMPTY = "No jobs yet. Data set… in the Position workspace and Start in Training begin one; it goes on when this window is closed."
_WIDTHS = (220, 74, 116, 88, 70, 80)
_ACTIONS = (
    ("cancel", "Cancel", "Stop this job; what it has written stays, and Resume goes on from there"),
    ("resume", "Resume", "Go on with this job where it was"),
    ("show_run", "Show run", "Show this training with its curves in the Training workspace"),
    ("open_folder", "Open folder", "Show the folder that this job writes"),
    ("copy_path", "Copy path", "Copy the path of the folder that this job writes"),
    ("delete", "Delete…", "Delete this job, and its files if you wish"),
)


class JobsPanel(QWidget):
    """Shows a look at the store; says which job is chosen and what is wished for it."""

    chosen = Signal(str)
    wished = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = JobsModel(self)
        self.table = self._make_table()
        self.buttons: dict[str, QToolButton] = {}
        for name, title, tip in _ACTIONS:
            self.buttons[name] = text_button(title, tip, partial(self._wish, name), kind="small")
        self.sentence = label("", wrap=True)
        self.sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.problem = label("", "problem", wrap=True)
        self.problem.hide()
        self.log = QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setPlaceholderText("Choose a job to see the last lines of its log.")
        self.log.setStyleSheet("font-family: 'DejaVu Sans Mono', Menlo, Consolas, monospace; font-size: 11px;")
        self._build()
        self._show_chosen()

    def _make_table(self) -> QTableView:
        table = QTableView()
        table.setModel(self.model)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(26)
        header = table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        for at, width in enumerate(_WIDTHS):
            table.setColumnWidth(at, width)
        header.setSectionResizeMode(FOLDER, QHeaderView.ResizeMode.Stretch)
        table.setItemDelegateForColumn(PROGRESS, Bar(table))
        table.setItemDelegateForColumn(FOLDER, Tail(table))
        table.selectionModel().currentRowChanged.connect(lambda *_: self._show_chosen())
        table.setAccessibleName("Jobs")
        return table

    def _build(self) -> None:
        details = QWidget()
        details.setLayout(column(row(*self.buttons.values(), 1, spacing=4), self.problem, self.sentence, self.log, spacing=6))
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self.table)
        split.addWidget(details)
        split.setChildrenCollapsible(False)
        split.setSizes([760, 420])
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 2)
        empty = label(EMPTY, "muted", wrap=True)
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack = QStackedLayout()
        self.setLayout(column(self._stack, margins=(10, 4, 10, 8)))
        self._stack.addWidget(empty)
        self._stack.addWidget(split)

    @property
    def row(self) -> JobRow | None:
        """The job that is chosen."""
        at = self.table.currentIndex()
        return self.model.rows[at.row()] if at.isValid() and at.row() < len(self.model.rows) else None

    def choose(self, name: str) -> None:
        """Choose a job by its name."""
        for at, one in enumerate(self.model.rows):
            if one.name == name:
                flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
                self.table.selectionModel().setCurrentIndex(self.model.index(at, 0), flags)
                self.table.scrollTo(self.model.index(at, 0))

    def show_look(self, look: Look) -> None:
        """Show how the jobs stand."""
        kept = self.row
        self.model.show_rows(look.rows)
        self._stack.setCurrentIndex(1 if look.rows else 0)
        if self.row is None and look.rows:
            self.choose(kept.name if kept is not None and any(one.name == kept.name for one in look.rows) else look.rows[0].name)
        self._show_chosen(look)

    def _show_chosen(self, look: Look | None = None) -> None:
        one = self.row
        can = {"cancel": one and one.can_cancel, "resume": one and one.can_resume, "delete": one and one.can_delete}
        self.buttons["show_run"].setVisible(one is not None and one.trains)
        for name, made in self.buttons.items():
            made.setEnabled(bool(can.get(name, one)))
        self.sentence.setText("" if one is None else one.sentence[:1].upper() + one.sentence[1:])
        self.sentence.setStyleSheet("" if one is None or one.state.alive else f"color: {colour_of(one)};")
        self.sentence.setVisible(bool(self.sentence.text()))
        if look is not None and one is not None and look.chosen == one.name:
            self._show_log("\n".join(look.log))
        elif one is None:
            self._show_log("")
        self.chosen.emit("" if one is None else one.name)

    def _show_log(self, text: str) -> None:
        """Show the log, staying at its end where the user has not scrolled away."""
        if text == self.log.toPlainText():
            return
        bar = self.log.verticalScrollBar()
        at, follows = bar.value(), bar.value() >= bar.maximum() - 2
        self.log.setPlainText(text)
        bar.setValue(bar.maximum() if follows else at)

    def show_problem(self, sentence: str) -> None:
        """Show what did not work with a job, or nothing."""
        self.problem.setText(sentence[:1].upper() + sentence[1:])
        self.problem.setVisible(bool(sentence))

    def _wish(self, name: str) -> None:
        if self.row is not None:
            self.wished.emit(name, self.row)

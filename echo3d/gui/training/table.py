"""The table of runs; the ones that are chosen are shown over each other."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QItemSelection, QItemSelectionModel, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QStyledItemDelegate, QStyleOptionViewItem, QTableView, QWidget

from echo3d.gui import theme
from echo3d.gui.jobs.model import Index
from echo3d.gui.training.curves import tint_of
from echo3d.gui.training.rows import Run
from echo3d.jobs.spec import State

TITLES = ("Run", "Recipe", "State", "Step", "Samples/s", "Remaining", "Newest validation")
_STATE = 2
_WIDTHS = (190, 140, 110, 70, 80, 84)
_NUMBERS = (3, 4, 5)
_COLOURS = {State.RUNNING: "accent", State.DONE: "ed", State.FAILED: "error", State.INTERRUPTED: "warn", State.CANCELLING: "warn"}


class RunsModel(QAbstractTableModel):
    """Shows runs; only what has changed is painted again."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.runs: tuple[Run, ...] = ()
        self.tints: dict[str, int] = {}

    def show_runs(self, runs: tuple[Run, ...]) -> bool:
        """Show other runs; return whether there are others than before."""
        if [run.name for run in runs] != [run.name for run in self.runs]:
            self.beginResetModel()
            self.runs = runs
            self.endResetModel()
            return True
        before, self.runs = self.runs, runs
        for at, (old, new) in enumerate(zip(before, runs, strict=True)):
            if old is not new and (old.cells != new.cells or old.status.share != new.status.share):
                self.dataChanged.emit(self.index(at, 0), self.index(at, len(TITLES) - 1))
        return False

    def mark(self, names: list[str]) -> None:
        """Give each of the runs that are shown its colour."""
        tints = {name: number for number, name in enumerate(names)}
        if tints != self.tints:
            self.tints = tints
            if self.runs:
                self.dataChanged.emit(self.index(0, 0), self.index(len(self.runs) - 1, 0))

    def rowCount(self, parent: Index | None = None) -> int:
        """Return how many runs there are."""
        return 0 if parent is not None and parent.isValid() else len(self.runs)

    def columnCount(self, parent: Index | None = None) -> int:
        """Return how many columns there are."""
        return 0 if parent is not None and parent.isValid() else len(TITLES)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a column's title."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole and section in _NUMBERS:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return TITLES[section] if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        run = self.runs[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return run.cells[index.column()]
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 0:
            number = self.tints.get(run.name)
            return dot(None if number is None else tint_of(number), theme.FAINT)
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{run.recipe}\n{run.out}" if index.column() == 0 else run.sentence or run.cells[index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() in _NUMBERS:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == _STATE:
            return QColor(getattr(theme.tokens(), _COLOURS.get(run.state, "muted")))
        if role == Qt.ItemDataRole.UserRole:
            return run
        return None


def dot(tint: str | None, ring: str) -> QPixmap:
    """Return the dot before a run's name: filled in its curve's colour, or a ring where it has none."""
    picture = QPixmap(20, 20)
    picture.setDevicePixelRatio(2.0)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen if tint else QPen(QColor(ring), 1.2))
    painter.setBrush(QColor(tint) if tint else Qt.BrushStyle.NoBrush)
    painter.drawEllipse(QRectF(1, 1, 8, 8))
    painter.end()
    return picture


class Progressing(QStyledItemDelegate):
    """Paints a state over how far the run is."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint one cell."""
        super().paint(painter, option, index)
        run = index.data(Qt.ItemDataRole.UserRole)
        if run.state.alive:
            place = QRectF(option.rect).adjusted(8, 0, -10, -4)  # type: ignore[attr-defined]
            bar = QRectF(place.left(), place.bottom() - 2, place.width(), 2)
            painter.fillRect(bar, QColor(theme.BORDER))
            painter.fillRect(QRectF(bar.left(), bar.top(), bar.width() * run.status.share, 2), QColor(theme.ACCENT))


class RunsTable(QTableView):
    """All runs; ``chosen`` is sent when others are chosen."""

    chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shown = RunsModel(self)
        self.setModel(self.shown)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setAccessibleName("Runs")
        self.setObjectName("runs")
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(28)
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        for at, width in enumerate(_WIDTHS):
            self.setColumnWidth(at, width)
        header.setSectionResizeMode(len(TITLES) - 1, QHeaderView.ResizeMode.Stretch)
        self.setItemDelegateForColumn(_STATE, Progressing(self))
        self._showing = False
        self._order: list[str] = []
        self.selectionModel().selectionChanged.connect(self._changed)

    def _changed(self, *_: object) -> None:
        if not self._showing:
            self._noted()
            self.chosen.emit()

    def _noted(self) -> None:
        """Keep the order in which runs were chosen, so that none changes its colour when another joins."""
        names = [run.name for run in self._selected()]
        self._order = [name for name in self._order if name in names] + [name for name in names if name not in self._order]
        self.shown.mark(self._order)

    def _selected(self) -> list[Run]:
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        return [self.shown.runs[at] for at in rows if at < len(self.shown.runs)]

    @property
    def chosen_runs(self) -> list[Run]:
        """The runs that are chosen, in the order they were."""
        by_name = {run.name: run for run in self.shown.runs}
        return [by_name[name] for name in self._order if name in by_name]

    @property
    def current_run(self) -> Run | None:
        """The run in the row that was clicked last."""
        at = self.currentIndex()
        return self.shown.runs[at.row()] if at.isValid() and at.row() < len(self.shown.runs) else None

    def show_runs(self, runs: tuple[Run, ...]) -> None:
        """Show the runs; those that are chosen stay chosen, the newest is where none is."""
        known = {run.name for run in self.shown.runs}
        wanted = [name for name in self._order if any(run.name == name for run in runs)]
        self._showing = True
        if self.shown.show_runs(runs):
            self.choose(wanted)
        self._showing = False
        if runs and not wanted and not known & set(self._order):
            self.choose([runs[0].name])

    def choose(self, names: list[str]) -> None:
        """Choose runs by the names of their jobs."""
        picked = QItemSelection()
        for at, run in enumerate(self.shown.runs):
            if run.name in names:
                picked.select(self.shown.index(at, 0), self.shown.index(at, len(TITLES) - 1))
        self._order = [name for name in self._order if name in names]
        self.selectionModel().select(picked, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self._noted()
        if names and picked.indexes():
            self.selectionModel().setCurrentIndex(picked.indexes()[0], QItemSelectionModel.SelectionFlag.NoUpdate)

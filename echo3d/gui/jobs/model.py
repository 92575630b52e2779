"""Jobs as a table, and how a bar of progress is painted in it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QRectF, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from echo3d.gui import theme
from echo3d.gui.jobs.rows import JobRow
from echo3d.jobs.spec import State

TITLES = ("Job", "State", "Progress", "Rate", "Time left", "Started", "Folder")
PROGRESS, FOLDER = 2, 6
_COLOURS = {
    State.RUNNING: "accent",
    State.DONE: "ed",
    State.FAILED: "error",
    State.INTERRUPTED: "warn",
    State.CANCELLING: "warn",
}
Index = QModelIndex | QPersistentModelIndex


def colour_of(row: JobRow) -> str:
    """Return the colour of a job's state."""
    return str(getattr(theme.tokens(), _COLOURS.get(row.state, "muted")))


class JobsModel(QAbstractTableModel):
    """Shows rows; only what has changed is painted again."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[JobRow, ...] = ()

    def show_rows(self, rows: tuple[JobRow, ...]) -> None:
        """Show other rows; where the same jobs stay in place, what is chosen stays chosen."""
        if [row.name for row in rows] != [row.name for row in self.rows]:
            self.beginResetModel()
            self.rows = rows
            self.endResetModel()
            return
        before, self.rows = self.rows, rows
        for at, (old, new) in enumerate(zip(before, rows, strict=True)):
            if old != new:
                self.dataChanged.emit(self.index(at, 0), self.index(at, len(TITLES) - 1))

    def rowCount(self, parent: Index | None = None) -> int:
        """Return how many jobs there are."""
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index | None = None) -> int:
        """Return how many columns there are."""
        return 0 if parent is not None and parent.isValid() else len(TITLES)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a column's title."""
        return TITLES[section] if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return (row.title, row.word, row.done, row.rate, row.left, row.begun, row.out)[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.out if index.column() == FOLDER else row.sentence or row.title
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == 1:
            return QColor(colour_of(row))
        if role == Qt.ItemDataRole.UserRole:
            return row
        return None


class Tail(QStyledItemDelegate):
    """Paints a path whose end is what tells it from others."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        """Leave out the beginning where there is no room."""
        super().initStyleOption(option, index)
        option.textElideMode = Qt.TextElideMode.ElideLeft  # type: ignore[attr-defined]


class Bar(QStyledItemDelegate):
    """Paints how far a job is: a bar with the words on it."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint one cell."""
        row = index.data(Qt.ItemDataRole.UserRole)
        super().paint(painter, option, index.model().index(-1, -1))
        frame = QRectF(option.rect).adjusted(6, 5, -6, -5)  # type: ignore[attr-defined]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.BORDER))
        painter.drawRoundedRect(frame, 3, 3)
        if row.share > 0:
            tint = QColor(colour_of(row))
            tint.setAlphaF(0.55)
            painter.setBrush(tint)
            painter.drawRoundedRect(QRectF(frame.left(), frame.top(), max(6.0, frame.width() * row.share), frame.height()), 3, 3)
        painter.setPen(QColor(theme.TEXT))
        painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, row.done or ("starting …" if row.state.alive else "–"))
        painter.restore()

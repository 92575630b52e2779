"""Pictures of the hearts and bodies opened last, to be clicked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPainter, QPixmap, QShowEvent
from PySide6.QtWidgets import QListView, QListWidget, QListWidgetItem, QWidget

from echo3d.gui import theme
from echo3d.gui.icons import pixmap
from echo3d.gui.widgets import column, label, row, text_button
from echo3d.positioning.recents import Entry

_ICON, _CELL = 52, QSize(80, 90)
_ROWS = 3


class RecentList(QWidget):
    """Shows what was opened last; ``chosen`` is sent with the entry that is clicked."""

    chosen = Signal(object)
    cleared = Signal()
    opened = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list = QListWidget()
        self.list.setViewMode(QListView.ViewMode.IconMode)
        self.list.setResizeMode(QListView.ResizeMode.Adjust)
        self.list.setMovement(QListView.Movement.Static)
        self.list.setUniformItemSizes(True)
        self.list.setIconSize(QSize(_ICON, _ICON))
        self.list.setGridSize(_CELL)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.setWordWrap(True)
        self.list.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setFrameShape(QListWidget.Shape.NoFrame)
        self.list.setObjectName("recent")
        self.list.setAccessibleName("Opened lately")
        self.list.itemClicked.connect(lambda item: self.chosen.emit(item.data(Qt.ItemDataRole.UserRole)))
        self.list.itemActivated.connect(lambda item: self.chosen.emit(item.data(Qt.ItemDataRole.UserRole)))
        self.clear = text_button("Clear list", "Forget these hearts and bodies; their files stay", self.cleared.emit, kind="small")
        self._empty = label("Hearts and bodies that you open are kept here.", "faint", wrap=True)
        self.setLayout(column(row(label("RECENT", "section"), 1, self.clear), self._empty, self.list, spacing=6))
        self.show_entries(())

    def showEvent(self, event: QShowEvent) -> None:
        """Have the list read again: files may have come and gone."""
        super().showEvent(event)
        self.opened.emit()

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Show entries, newest first; what is missing is grey."""
        self.list.clear()
        for entry in entries:
            item = QListWidgetItem(QIcon(_picture(entry)), entry.recent.title)
            item.setToolTip(entry.recent.title if entry.there else missing(entry))
            item.setData(Qt.ItemDataRole.UserRole, entry)
            self.list.addItem(item)
        across = max(1, (self.width() or 240) // _CELL.width())
        self.list.setFixedHeight(min(_ROWS, -(-len(entries) // across)) * _CELL.height() + 4 if entries else 0)
        self.list.setVisible(bool(entries))
        self.clear.setVisible(bool(entries))
        self._empty.setVisible(not entries)


def missing(entry: Entry) -> str:
    """Return a sentence on an entry whose file is gone."""
    what = "folder" if entry.recent.way == "cohort" else "file"
    return f"the {what} {Path(entry.recent.path).name} is no longer where it was; put it back, or open it from its new place"


def _picture(entry: Entry) -> QPixmap:
    """Return the picture of an entry, faint where its file is missing."""
    made = QPixmap() if entry.picture is None else QPixmap(str(entry.picture))
    if made.isNull():
        made = pixmap("heart" if entry.recent.kind == "heart" else "info", theme.FAINT, _ICON)
    if entry.there:
        return made
    faint = QPixmap(made.size())
    faint.setDevicePixelRatio(made.devicePixelRatio())
    faint.fill(Qt.GlobalColor.transparent)
    painter = QPainter(faint)
    painter.setOpacity(0.35)
    painter.drawPixmap(0, 0, made)
    painter.end()
    return faint

"""The command palette: every command by a few letters of its name, with the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QTextCharFormat, QTextLayout
from PySide6.QtWidgets import QFrame, QLineEdit, QListWidget, QListWidgetItem, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from echo3d.gui import theme
from echo3d.gui.allowed import Situation, why_not
from echo3d.gui.commands import Command
from echo3d.gui.fuzzy import Found, find
from echo3d.gui.key_sheet import native
from echo3d.gui.widgets import column, label

_WIDTH, _ROWS, _ROW_HEIGHT, _ROLE = 620, 10, 40, Qt.ItemDataRole.UserRole
_JUMPS = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: _ROWS, Qt.Key.Key_PageUp: -_ROWS}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the palette.

    Parameters
    ----------
    command : what it does
    places : letters of the title that were found
    reason : why it cannot be done, or empty
    """

    command: Command
    places: tuple[int, ...] = ()
    reason: str = ""

    @property
    def title(self) -> str:
        """The title as shown."""
        return self.command.title.rstrip("…")

    @property
    def where(self) -> str:
        """The workspace and the menu it belongs to."""
        return " · ".join(word for word in (self.command.place.capitalize(), self.command.menu) if word)


def entries(commands: Sequence[Command], wanted: str, now: Situation, recent: Sequence[str] = ()) -> list[Entry]:
    """Return the lines for what is looked for: what can be done first, then by how well they answer; without a word the recent ones first.

    >>> from echo3d.gui.commands import COMMANDS
    >>> [entry.title for entry in entries(COMMANDS, "full scr", Situation("patient", frozenset()))]
    ['Full screen']
    """
    if not wanted.strip():
        order = {name: number for number, name in enumerate(recent)}
        plain = [Entry(command, (), why_not(command, now)) for command in commands]
        return sorted(plain, key=lambda entry: (bool(entry.reason), order.get(entry.command.name, len(order))))
    lines = [(entry, found.worth) for command in commands for entry, found in [_answer(command, wanted, now)] if found is not None]
    return [entry for entry, _ in sorted(lines, key=lambda line: (bool(line[0].reason), -line[1]))]


def _answer(command: Command, wanted: str, now: Situation) -> tuple[Entry, Found | None]:
    """Return a command's line and how it answers, by its title or by its title with its menu and workspace."""
    entry = Entry(command, (), why_not(command, now))
    found = find(wanted, entry.title)
    if found is not None:
        return Entry(command, found.places, entry.reason), Found(found.worth + 4.0, found.places)
    wide = find(wanted, f"{entry.title} {entry.where}")
    if wide is None:
        return entry, None
    return Entry(command, tuple(place for place in wide.places if place < len(entry.title)), entry.reason), wide


class CommandPalette(QFrame):
    """Opens over the window; Enter does the command that is marked, Esc closes.

    Parameters
    ----------
    window : over which it opens
    commands : all of them
    """

    chosen = Signal(str)

    def __init__(self, window: QWidget, commands: Sequence[Command]) -> None:
        super().__init__(window)
        self.setObjectName("sheet")
        self._commands, self._now = tuple(commands), Situation("", frozenset())
        self._recent: tuple[str, ...] = ()
        self.field, self.list = QLineEdit(), QListWidget()
        self.field.setObjectName("search")
        self.field.setPlaceholderText("What do you want to do?")
        self.field.setAccessibleName("Command palette")
        self.field.textChanged.connect(lambda _: self._show())
        self.field.installEventFilter(self)
        self.list.setObjectName("plain")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setItemDelegate(EntryDelegate(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(self._do)
        hint = label("↑ ↓ choose    Enter do    Esc close", "faint")
        self.setLayout(column(self.field, self.list, hint, margins=(12, 12, 12, 10), spacing=8))
        window.installEventFilter(self)
        self.hide()

    def open_for(self, now: Situation) -> None:
        """Open over the window, in a situation; close where it is open."""
        if self.isVisible():
            self.close_palette()
            return
        self._now = now
        self.field.clear()
        self._show()
        self._place()
        self.show()
        self.raise_()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def close_palette(self) -> None:
        """Close, and give the keyboard back to the window."""
        self.hide()
        parent = self.parentWidget()
        if parent is not None:
            parent.setFocus()

    def _place(self) -> None:
        parent = self.parentWidget()
        if parent is None:
            return
        width, height = min(_WIDTH, parent.width() - 40), min(_ROWS * _ROW_HEIGHT + 104, parent.height() - 120)
        self.setGeometry((parent.width() - width) // 2, 84, width, height)

    def _show(self) -> None:
        self.list.clear()
        for entry in entries(self._commands, self.field.text(), self._now, self._recent):
            item = QListWidgetItem(self.list)
            item.setData(_ROLE, entry)
            item.setText(f"{entry.title}, {entry.reason}" if entry.reason else entry.title)  # for screen readers
        self.list.setCurrentRow(0)

    def shown(self) -> list[Entry]:
        """Return the lines that are shown."""
        return [self.list.item(number).data(_ROLE) for number in range(self.list.count())]

    def _do(self, item: QListWidgetItem | None) -> None:
        entry = None if item is None else item.data(_ROLE)
        if entry is None or entry.reason:
            return
        name = entry.command.name
        self._recent = (name, *(other for other in self._recent if other != name))[:8]
        self.close_palette()
        self.chosen.emit(name)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the keys that choose while letters go to the field; keep the place when the window's size changes."""
        if watched is not self.field:
            if event.type() == QEvent.Type.Resize and self.isVisible():
                self._place()
            return False
        if event.type() == QEvent.Type.FocusOut and self.isVisible() and self.isActiveWindow():
            self.hide()
        return isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and self._key(Qt.Key(event.key()))

    def _key(self, key: Qt.Key) -> bool:
        if key in _JUMPS:
            count = max(self.list.count(), 1)
            place = self.list.currentRow() + _JUMPS[key]
            self.list.setCurrentRow(place % count if abs(_JUMPS[key]) == 1 else min(max(place, 0), count - 1))
            return True
        answers: dict[Qt.Key, Callable[[], None]] = {
            Qt.Key.Key_Return: lambda: self._do(self.list.currentItem()),
            Qt.Key.Key_Enter: lambda: self._do(self.list.currentItem()),
            Qt.Key.Key_Escape: self.close_palette,
        }
        if key in answers:
            answers[key]()
        return key in answers


class EntryDelegate(QStyledItemDelegate):
    """Paints a line: title with the letters that were found, place or reason under it, shortcut on the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Return the size of a line."""
        return QSize(200, _ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        """Paint a line."""
        entry = index.data(_ROLE)
        area = QRectF(option.rect).adjusted(2, 1, -2, -1)  # type: ignore[attr-defined]
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:  # type: ignore[attr-defined]
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.HOVER))
            painter.drawRoundedRect(area, 6, 6)
        self._paint_keys(painter, area, entry)
        self._paint_title(painter, area, entry)
        painter.setFont(theme.sized(11))
        painter.setPen(QColor(theme.WARN if entry.reason else theme.FAINT))
        painter.drawText(
            area.adjusted(10, 20, -10, -2), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, entry.reason or entry.where
        )
        painter.restore()

    def _paint_keys(self, painter: QPainter, area: QRectF, entry: Entry) -> None:
        painter.setFont(theme.sized(11, bold=True))
        painter.setPen(QColor(theme.DISABLED if entry.reason else theme.MUTED))
        painter.drawText(
            area.adjusted(0, 0, -12, 0), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, native(entry.command.keys[:1])
        )

    def _paint_title(self, painter: QPainter, area: QRectF, entry: Entry) -> None:
        """Paint the title; the letters that were found in the accent's colour."""
        layout = QTextLayout(entry.title, theme.sized(13, bold=True))
        ranges = []
        for place in entry.places:
            piece = QTextLayout.FormatRange()
            form = QTextCharFormat()
            form.setForeground(QColor(theme.ACCENT))
            piece.start, piece.length, piece.format = place, 1, form  # type: ignore[misc, assignment, attr-defined]
            ranges.append(piece)
        layout.setFormats([] if entry.reason else ranges)
        layout.beginLayout()
        layout.createLine().setLineWidth(area.width())
        layout.endLayout()
        painter.setPen(QColor(theme.DISABLED if entry.reason else theme.TEXT))
        layout.draw(painter, QPointF(area.left() + 10, area.top() + 3))

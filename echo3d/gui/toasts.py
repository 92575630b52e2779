"""Notices in the corner of the window: they stop nobody from working; errors stay until they are dismissed."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QMainWindow, QVBoxLayout, QWidget

from echo3d.gui import notices as change
from echo3d.gui.notices import Notice, Notices
from echo3d.gui.widgets import Sign, button, label, row, text_button

_WIDTH, _MARGIN, _STEP_MS = 360, 16, 250
_SIGNS = {"info": ("info", "accent"), "done": ("check", "ed"), "warning": ("warning", "warn"), "error": ("warning", "error")}
_FRAMES = {"warning": "toast_warning", "error": "toast_error"}


class Toasts(QWidget):
    """Holds the notices of a window and shows those that stand.

    Parameters
    ----------
    window : in whose corner they stand
    """

    changed = Signal(object)

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self.notices = Notices()
        self._window = window
        self._shown: dict[int, tuple[Notice, Toast]] = {}
        self._stack = QVBoxLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._stack.setSpacing(8)
        self._clock = QTimer(self)
        self._clock.setInterval(_STEP_MS)
        self._clock.timeout.connect(self._let_go)
        window.installEventFilter(self)
        self.hide()

    def say(self, kind: str, sentence: str, *, shown: bool = True) -> None:
        """Say a sentence; one that is shown elsewhere is only put into the list."""
        self.dispatch(lambda notices: change.said(notices, kind, sentence, time.time(), shown=shown))

    def dispatch(self, changed: Callable[[Notices], Notices]) -> None:
        """Apply a change to the notices and show it."""
        before, self.notices = self.notices, changed(self.notices)
        if self.notices != before:
            self._show()
            self.changed.emit(self.notices)

    def _let_go(self) -> None:
        """Take away what stood long enough, unless the pointer rests on it."""
        if not self.underMouse():
            self.dispatch(lambda notices: change.expired(notices, time.time()))

    def _show(self) -> None:
        standing = {notice.number: notice for notice in self.notices.standing}
        for number in [n for n, (notice, _) in self._shown.items() if standing.get(n) != notice]:
            _, old = self._shown.pop(number)
            old.hide()
            old.setParent(None)
            old.deleteLater()
        for place, (number, notice) in enumerate(standing.items()):
            if number not in self._shown:
                made = Toast(notice)
                made.dismissed.connect(lambda n: self.dispatch(lambda notices: change.dismissed(notices, n)))
                self._shown[number] = (notice, made)
                self._stack.insertWidget(place, made)
        self._clock.start() if change.waiting(self.notices) else self._clock.stop()
        self.setVisible(bool(standing))
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep to the corner when the window's size changes."""
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def _place(self) -> None:
        """Stand in the lower right corner, over the status line."""
        if not self._shown:
            return
        self._stack.activate()
        width = min(_WIDTH, self._window.width() - 2 * _MARGIN)
        toasts = [toast for _, toast in self._shown.values()]
        for toast in toasts:
            toast.setFixedHeight(toast.height_for(width))
        height = sum(toast.height() + self._stack.spacing() for toast in toasts) - self._stack.spacing()
        bottom = self._window.height() - self._window.statusBar().height() - _MARGIN
        self.setGeometry(self._window.width() - width - _MARGIN, max(bottom - height, 0), width, height)
        self.raise_()

    def close_all(self) -> None:
        """End the clock; before the window goes."""
        self._clock.stop()


class Toast(QFrame):
    """One notice with what can be done about it.

    Parameters
    ----------
    notice : what is said
    """

    dismissed = Signal(int)

    def __init__(self, notice: Notice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.notice = notice
        self.setObjectName(_FRAMES.get(notice.kind, "toast"))
        self.setAccessibleName(notice.sentence)
        again = f"  (×{notice.count})" if notice.count > 1 else ""
        text = label(notice.sentence + again, wrap=True)
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        copy = text_button("Copy", "Copy this sentence", lambda: QGuiApplication.clipboard().setText(notice.sentence))
        copy.setVisible(notice.kind in ("warning", "error"))
        close = button("close", "Dismiss", lambda: self.dismissed.emit(notice.number))
        line = row(Sign(*_SIGNS[notice.kind]), text, copy, close, margins=(12, 8, 8, 8), spacing=9)
        line.setStretch(1, 1)
        self.setLayout(line)

    def height_for(self, width: int) -> int:
        """Return the height that the sentence needs at a width."""
        layout = self.layout()
        return max(layout.heightForWidth(width), 40) if layout is not None else 40

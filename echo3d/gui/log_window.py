"""The log viewer: the lines kept in memory, by level and by a word, following what is added."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from PySide6.QtCore import QTimer, QUrl
from PySide6.QtGui import QColor, QDesktopServices, QGuiApplication, QSyntaxHighlighter, QTextCharFormat
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QLineEdit, QWidget

from echo3d.frozen import outside
from echo3d.gui import theme
from echo3d.gui.dialogs import mono_text, press
from echo3d.gui.widgets import column, label, row
from echo3d.logs import Line, Ring
from echo3d.paths import user_logs

LEVELS = {"Everything": logging.NOTSET, "Information": logging.INFO, "Warnings": logging.WARNING, "Errors": logging.ERROR}
_LOOK_MS = 400
_NAMES = {logging.DEBUG: "debug", logging.INFO: "info", logging.WARNING: "warning", logging.ERROR: "error", logging.CRITICAL: "error"}


class LogWindow(QDialog):
    """Shows the log; it looks for new lines while it is open.

    Parameters
    ----------
    ring : the lines in memory
    """

    def __init__(self, ring: Ring, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Log")
        self.resize(860, 480)
        self._ring, self._newest = ring, -1
        self.text = mono_text("", "Log")
        self.text.setLineWrapMode(self.text.LineWrapMode.NoWrap)
        self._tints = Levels(self.text.document())
        self.level, self.word, self.follow = QComboBox(), QLineEdit(), QCheckBox("Follow")
        self.level.addItems(list(LEVELS))
        self.level.setCurrentText("Information")
        self.level.setAccessibleName("Level")
        self.word.setPlaceholderText("Lines that hold …")
        self.word.setClearButtonEnabled(True)
        self.follow.setChecked(True)
        self.follow.setToolTip("Keep the newest line in sight")
        self.level.currentTextChanged.connect(lambda _: self.show_lines())
        self.word.textChanged.connect(lambda _: self.show_lines())
        self.follow.toggled.connect(lambda _: self.show_lines())
        self._clock = QTimer(self)
        self._clock.setInterval(_LOOK_MS)
        self._clock.timeout.connect(self._look)
        self._build()

    def _build(self) -> None:
        copy = press("Copy", lambda: QGuiApplication.clipboard().setText(self.text.toPlainText()))
        folder = press("Open folder", _open_folder)
        head = row(label("Level", "muted"), self.level, self.word, self.follow, spacing=10)
        foot = row(label("Names, identifiers and paths are never logged.", "muted"), 1, folder, copy, press("Close", self.close))
        layout = column(head, self.text, foot, margins=(16, 14, 16, 14), spacing=10)
        layout.setStretch(1, 1)
        self.setLayout(layout)

    def showEvent(self, event: object) -> None:
        """Look for new lines."""
        self._clock.start()
        self.show_lines()

    def hideEvent(self, event: object) -> None:
        """Look no more."""
        self._clock.stop()

    def _look(self) -> None:
        if self._ring.count != self._newest:
            self.show_lines()

    def show_lines(self) -> None:
        """Show the lines that are wanted; where the newest is not followed, the place stays."""
        self._newest = self._ring.count
        bar = self.text.verticalScrollBar()
        place = bar.value()
        self.text.setPlainText("\n".join(wanted(self._ring.lines(), LEVELS[self.level.currentText()], self.word.text())))
        bar.setValue(bar.maximum() if self.follow.isChecked() else place)


class Levels(QSyntaxHighlighter):
    """Gives warnings and errors their colours."""

    def highlightBlock(self, text: str) -> None:
        """Colour one line by the level that stands in it."""
        level = text[9:17].strip()
        tint = {"warning": theme.WARN, "error": theme.ERROR, "debug": theme.FAINT}.get(level)
        if tint is not None:
            form = QTextCharFormat()
            form.setForeground(QColor(tint))
            self.setFormat(0, len(text), form)


def _open_folder() -> None:
    """Have the system show the folder of the log."""
    with outside():
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(user_logs())))


def wanted(lines: Sequence[Line], level: int, word: str) -> list[str]:
    """Return the lines from a level on that hold a word, as shown.

    >>> line = Line(1, 0.0, logging.WARNING, "echo3d.gui", "the engine was lost")
    >>> [text[9:] for text in wanted([line], logging.WARNING, "ENGINE")]
    ['warning  gui: the engine was lost']
    >>> wanted([line], logging.ERROR, "")
    []
    """
    shown = (as_text(line) for line in lines if line.level >= level)
    return [text for text in shown if word.strip().lower() in text.lower()]


def as_text(line: Line) -> str:
    """Return a line as shown."""
    clock = time.strftime("%H:%M:%S", time.localtime(line.at))
    return f"{clock} {_NAMES.get(line.level, 'info'):<8} {line.source.removeprefix('echo3d.')}: {line.text}"

"""What the windows that open over the main one have in common."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QPlainTextEdit, QPushButton, QWidget


def plain_dialog(parent: QWidget, title: str) -> QDialog:
    """Return an empty dialog that is deleted when it is closed."""
    dialog = QDialog(parent)
    dialog.setWindowTitle(title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return dialog


def press(text: str, pressed: Callable[[], object], *, kind: str = "") -> QPushButton:
    """Return a button of a dialog."""
    made = QPushButton(text)
    made.setObjectName(kind)
    made.setAutoDefault(False)
    made.clicked.connect(lambda *_: pressed())
    return made


def mono_text(text: str, name: str) -> QPlainTextEdit:
    """Return text in letters of one width, to be read and copied."""
    made = QPlainTextEdit(text)
    made.setObjectName("mono")
    made.setReadOnly(True)
    made.setAccessibleName(name)
    return made

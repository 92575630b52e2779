"""The sizes of the window and its parts, kept between sessions."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QMainWindow, QSplitter

from echo3d.paths import user_config

_FIRST = (1600, 1000)


def restore_layout(window: QMainWindow, splitters: Mapping[str, QSplitter]) -> None:
    """Give the window and its parts the sizes of last time, or the usual ones."""
    stored = _stored()
    window.resize(*_FIRST)
    if stored.contains("geometry"):
        window.restoreGeometry(stored.value("geometry"))
        for name, splitter in splitters.items():
            if stored.contains(name):
                splitter.restoreState(stored.value(name))


def keep_layout(window: QMainWindow, splitters: Mapping[str, QSplitter]) -> None:
    """Keep the sizes of the window and its parts."""
    stored = _stored()
    stored.setValue("geometry", window.saveGeometry())
    for name, splitter in splitters.items():
        stored.setValue(name, splitter.saveState())
    stored.sync()


def _stored() -> QSettings:
    return QSettings(str(user_config() / "window.ini"), QSettings.Format.IniFormat)

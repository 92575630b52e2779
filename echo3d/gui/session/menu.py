"""The menu of the sessions used last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMainWindow, QMenu


def add_recent_menu(window: QMainWindow, recent: Callable[[], Sequence[str]], wish: Callable[[Path], None]) -> QMenu:
    """Put a menu of recent sessions below *Open session*; it is filled whenever it opens.

    Parameters
    ----------
    window : with its menus
    recent : returns the paths, newest first
    wish : is told which is chosen
    """
    menu = QMenu("Recent sessions", window)
    menu.setToolTipsVisible(True)

    def fill() -> None:
        menu.clear()
        for path in (Path(name) for name in recent()):
            there = path.is_file()
            action = menu.addAction(path.name + ("" if there else "  (missing)"))
            action.setEnabled(there)
            action.setToolTip(str(path.parent))
            action.triggered.connect(lambda _=False, chosen=path: wish(chosen))
        if menu.isEmpty():
            menu.addAction("None yet").setEnabled(False)

    menu.aboutToShow.connect(fill)
    after = window.findChild(QAction, "save_session")
    file = next(action.menu() for action in window.menuBar().actions() if action.text() == "File")
    if isinstance(file, QMenu) and isinstance(after, QAction):
        file.insertMenu(after, menu)
    return menu

"""The menu of one view's panel."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QMenu, QWidget

from echo3d.core.views import View


def show_view_menu(parent: QWidget, view: View, where: QPoint, *, correctable: bool, run: Callable[[str], None]) -> QMenu:
    """Open the menu of a view; ``run`` does the command ``ask_view``, ``set_ed`` or ``set_es``."""
    menu = QMenu(parent)
    menu.addAction(f"Choose a file for {view.title} …").triggered.connect(lambda _=False: run("ask_view"))
    menu.addSeparator()
    for title, name in (("Set this frame as ED", "set_ed"), ("Set this frame as ES", "set_es")):
        action = menu.addAction(title)
        action.triggered.connect(lambda _=False, chosen=name: run(chosen))
        action.setEnabled(correctable)
    menu.popup(where)
    return menu

"""The menus, made from the table of commands."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtGui import QAction, QKeySequence, QUndoGroup
from PySide6.QtWidgets import QMainWindow, QMenu

from echo3d.gui.commands import COMMANDS, PLACES, UNDO
from echo3d.gui.icons import icon

TITLES = ("File", "Edit", "Playback", "View", "Help")


def build_menus(window: QMainWindow, undo: QUndoGroup, run: Callable[[str], None]) -> dict[str, list[QAction]]:
    """Fill the menu bar; return the actions that belong to each workspace alone."""
    menus: dict[str, QMenu] = {title: window.menuBar().addMenu(title) for title in TITLES}
    for action, command in zip((undo.createUndoAction(window), undo.createRedoAction(window)), UNDO, strict=True):
        action.setShortcut(QKeySequence(command.keys[0]))
        menus["Edit"].addAction(action)
    placed: dict[str, list[QAction]] = {place: [] for place in PLACES}
    for command in COMMANDS:
        if command.ruled:
            rule = menus[command.menu].addSeparator()
            if command.place:
                placed[command.place].append(rule)
        action = QAction(command.title, window)
        action.setObjectName(command.name)
        action.setShortcuts([QKeySequence(key) for key in command.keys])
        if command.icon:
            action.setIcon(icon(command.icon))
        action.triggered.connect(partial(_run, run, command.name))
        menus[command.menu].addAction(action)
        menus[command.menu].setToolTipsVisible(True)
        if command.place:
            placed[command.place].append(action)
    return placed


def _run(run: Callable[[str], None], name: str, *_: object) -> None:
    run(name)


def show_place(actions: dict[str, list[QAction]], place: str) -> None:
    """Show and enable the commands of one workspace; the keys of the others do nothing then."""
    for name, own in actions.items():
        for action in own:
            action.setVisible(name == place)
            action.setEnabled(name == place)

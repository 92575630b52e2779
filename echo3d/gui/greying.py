"""Menus and buttons of commands that cannot be done now are grey, and their tool tips say why."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QWidget

from echo3d.gui.allowed import Situation, why_not
from echo3d.gui.commands import COMMANDS
from echo3d.gui.widgets import for_window

Greyed = QAbstractButton | QAction
_BY_NAME = {command.name: command for command in COMMANDS}


class Greying:
    """Greys what cannot be done; the widgets are looked up once, when the window is built.

    Parameters
    ----------
    window : its buttons are those marked by ``widgets.for_command``
    actions : of its menus, named like their commands
    """

    def __init__(self, window: QWidget, actions: Iterable[QAction]) -> None:
        found = [(made, str(made.property("command") or "")) for made in window.findChildren(QAbstractButton)]
        buttons: list[tuple[Greyed, str, str]] = [(made, name, made.toolTip()) for made, name in found if name in _BY_NAME]
        self._greyed = buttons + [(one, one.objectName(), one.statusTip()) for one in actions if one.objectName() in _BY_NAME]
        self._now: Situation | None = None

    def show(self, now: Situation) -> None:
        """Grey what a situation does not allow."""
        if now == self._now:
            return
        self._now = now
        reasons = {name: why_not(command, now) for name, command in _BY_NAME.items()}
        for made, name, tip in self._greyed:
            made.setEnabled(not reasons[name])
            made.setToolTip(told(tip, reasons[name]))


def told(tip: str, reason: str) -> str:
    """Return a tool tip with the reason why it cannot be done now.

    >>> print(told("Mirror the pose", "needs a heart; open one with Ctrl+O"))
    Mirror the pose
    Not now: needs a heart; open one with Ctrl+O.
    >>> told("Mirror the pose", "")
    'Mirror the pose'
    """
    return f"{tip}\nNot now: {for_window(reason)}." if reason else tip

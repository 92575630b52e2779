"""The menu of the user's own networks, below the shipped ones; it is filled whenever it opens."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMainWindow, QMenu

if TYPE_CHECKING:
    from echo3d.models import Model

TITLE = "Networks of yours"


def add_networks_menu(window: QMainWindow, chosen: Callable[[], str], wish: Callable[[str], None]) -> QMenu:
    """Put the menu into the File menu.

    Parameters
    ----------
    window : with its menus
    chosen : returns the name of the network that hearts are computed with
    wish : is told another name
    """
    menu = QMenu(TITLE, window)
    menu.setToolTipsVisible(True)

    def opened() -> None:
        from echo3d.models import list_models

        fill(menu, list_models(), chosen(), wish)

    menu.aboutToShow.connect(opened)
    after = window.findChild(QAction, "export_result")
    file = next(action.menu() for action in window.menuBar().actions() if action.text() == "File")
    if isinstance(file, QMenu) and isinstance(after, QAction):
        below = file.actions()[file.actions().index(after) - 1]  # the line above it
        file.insertMenu(below, menu)
    return menu


def fill(menu: QMenu, models: list[Model], chosen: str, wish: Callable[[str], None]) -> None:
    """Show the user's own networks; those that compute no hearts are grey, and their tool tips say why."""
    menu.clear()
    for model in (one for one in models if one.own):
        action = menu.addAction(model.name)
        action.setCheckable(True)
        action.setChecked(model.name == chosen)
        action.setEnabled(model.computes_hearts)
        action.setToolTip(tip_of(model))
        action.triggered.connect(lambda _=False, name=model.name: wish(name))
    if menu.isEmpty():
        menu.addAction("None yet; train one in the Training workspace").setEnabled(False)


def tip_of(model: Model) -> str:
    """Return what is said of a network.

    >>> from echo3d.models import Model
    >>> tip_of(Model("mine", True, None))
    'Its card is damaged; add the network again'
    """
    if model.card is None:
        return "Its card is damaged; add the network again"
    if not model.computes_hearts:
        return f"A network of kind {model.card.kind}, or of another template; hearts cannot be computed with it"
    return f"Compute hearts with {model.name}, trained {model.card.trained.get('date', 'on an unknown day')}"

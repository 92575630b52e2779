"""What files mean that are dropped on the window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint

from echo3d.saved.store import SUFFIX
from echo3d.session import is_free

if TYPE_CHECKING:
    from echo3d.gui.window import MainWindow


def dropped(window: MainWindow, paths: list[Path], where: QPoint) -> None:
    """Open what was dropped: a session, a heart or body, a data set to train on, a study.

    One file on an empty panel of an open study becomes that view.

    Parameters
    ----------
    window : that it was dropped on
    paths : one or more files or folders
    where : in the window
    """
    if paths[0].suffix.lower() == SUFFIX:
        window.desk.open_path(paths[0])
    elif window.place == "position":
        window.actions_of_position.open_dropped(paths[0])
    elif window.place == "training" and paths[0].is_dir():
        window.training.use_data(paths[0])
    else:
        _open_study(window, paths, where)


def _open_study(window: MainWindow, paths: list[Path], where: QPoint) -> None:
    grid = window.page.views.grid
    view = grid.view_under(grid.mapFrom(window, where))
    alone = len(paths) == 1 and paths[0].is_file() and paths[0].suffix.lower() != ".zip"
    if view is not None and alone and is_free(window.session, view):
        window.assign(view, paths[0])
    else:
        window.open_paths(paths)

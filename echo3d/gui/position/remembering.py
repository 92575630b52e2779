"""Keeps what is opened in the workspace, and opens it again when its picture is clicked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from PySide6.QtCore import QObject

from echo3d.gui.position.page import PositionPage
from echo3d.gui.position.recent_list import missing
from echo3d.gui.tasks import Tasks
from echo3d.positioning.bodies import WorkBody
from echo3d.positioning.hearts import WorkHeart
from echo3d.positioning.recents import Entry, Recent, entries, forget_all, remember


class Opens(Protocol):
    """What can open hearts and bodies."""

    def draw(self, group: str, seed: int) -> None:
        """Draw a heart."""

    def open_heart_file(self, path: Path) -> None:
        """Open a heart."""

    def use_member(self, folder: Path, number: int) -> None:
        """Use a heart of a cohort."""

    def open_body_file(self, path: Path) -> None:
        """Open a body."""


class Remembering(QObject):
    """Hears what is wished for and what comes of it.

    Parameters
    ----------
    page : the workspace
    tasks : threads of the window
    opens : opens what is clicked
    """

    def __init__(self, page: PositionPage, tasks: Tasks, opens: Opens) -> None:
        super().__init__(page)
        self._page, self._tasks, self._opens = page, tasks, opens
        self._wished: Recent | None = None
        self.heart: Recent | None = None
        self.entries: tuple[Entry, ...] = ()
        shown = page.sources.recent
        shown.opened.connect(self.refresh)
        shown.cleared.connect(lambda: self._tasks.run(forget_all, self._show, self._page.said.emit))
        shown.chosen.connect(self.open)
        page.sources.body_wanted.connect(lambda sex, cm, kg: self.wish(Recent("body", "own", sex=sex, height_cm=cm, weight_kg=kg)))
        page.loading.heart_ready.connect(self._heart_ready)
        page.loading.body_ready.connect(lambda body, _, first: self._body_ready(body, first))

    def wish(self, recent: Recent | None) -> None:
        """Hear what is being opened; None for what is not kept. Of several wishes the newest wins, here as in the loading."""
        self._wished = recent

    def _heart_ready(self, heart: WorkHeart, first: bool) -> None:
        wished, self._wished = self._wished, None
        self.heart = None if wished is None or first else replace(wished, kind="heart", title=heart.name)
        if self.heart is not None:
            self._keep(self.heart, heart)

    def _body_ready(self, body: WorkBody, first: bool) -> None:
        wished, self._wished = self._wished, None
        if wished is not None and not first:
            self._keep(replace(wished, kind="body", title=body.name), body)

    def _keep(self, recent: Recent, shown: WorkHeart | WorkBody) -> None:
        self._tasks.run(lambda: remember(recent, shown), self._show, self._page.said.emit)

    def refresh(self) -> None:
        """Read the list again."""
        self._tasks.run(entries, self._show, self._page.said.emit)

    def _show(self, found: Any) -> None:
        self.entries = found
        self._page.sources.recent.show_entries(found)

    def open(self, entry: Entry) -> None:
        """Open what was clicked."""
        recent, opens = entry.recent, self._opens
        if not entry.there:
            self._page.said.emit(missing(entry))
        elif recent.way == "drawn":
            opens.draw(recent.group, recent.number)
        elif recent.way == "cohort":
            opens.use_member(Path(recent.path), recent.number)
        elif recent.way == "own":
            self._page.sources.body_wanted.emit(recent.sex, recent.height_cm, recent.weight_kg)
        elif recent.kind == "heart":
            opens.open_heart_file(Path(recent.path))
        else:
            opens.open_body_file(Path(recent.path))

    def known_hearts(self) -> list[tuple[str, str]]:
        """Return title and path of the cohorts and files of hearts opened lately, each path once."""
        found = {entry.recent.path: Path(entry.recent.path).name for entry in self.entries if entry.recent.kind == "heart" and entry.there}
        return [(title, path) for path, title in found.items() if path]

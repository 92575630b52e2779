"""What comes into the workspace: hearts and bodies that were made, and the best windows of the probes in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from echo3d.core.views import View
from echo3d.gui.position import presets
from echo3d.gui.position.loading import Made
from echo3d.gui.position.undo import WHOLE
from echo3d.gui.tasks import Tasks
from echo3d.positioning import state as change
from echo3d.positioning.probes import Adjustment
from echo3d.positioning.state import Scene
from echo3d.positioning.windows import best_holds, same_stand, with_holds

if TYPE_CHECKING:
    from echo3d.gui.position.page import PositionPage

_MOVED = "The heart or the body changed while windows were looked for; ask again."


class Arrivals(QObject):
    """Uses what was made, and has the probes' windows looked for on a thread; of several wishes the newest wins.

    Parameters
    ----------
    page : the workspace
    tasks : threads of the window
    """

    def __init__(self, page: PositionPage, tasks: Tasks) -> None:
        super().__init__(page)
        self._page = page
        self._tasks = tasks
        self._ticket = 0
        self._found: Mapping[View, Adjustment] | None = None
        self.busy = False

    def use(self, made: Made, first: bool) -> None:
        """Put what was made into the scene as one step of undo, the first of all as none; then look for windows."""
        page = self._page
        self.stop()
        if made.body is not None:
            page.stage.viewport.scene.know_body(made.body, made.surfaces)
        if first:
            page.set_scene(_with(page.workspace.scene, made))
            page.undo.clear()
            page.look_from(presets.side("front"), smooth=False)
        else:
            named = made.heart or made.body
            page.edit(f"use {named.name if named is not None else 'it'}", lambda scene: _with(scene, made), self._key())
        probes = page.workspace.scene.placement.probes
        if page.workspace.scene.body is not None and (not probes or self.searched):
            self._search(tuple(View), "" if first else self._key())

    @property
    def searched(self) -> bool:
        """Whether the probes stand as the last search left them, so that no hand has moved one since."""
        return self._found is not None and self._page.workspace.scene.placement.probes is self._found

    def _key(self) -> str:
        return f"{WHOLE} {self._ticket}"

    def find(self, *views: View) -> None:
        """Look for the best windows of some views, as one step of undo."""
        scene = self._page.workspace.scene
        if scene.heart is None or scene.body is None:
            self._page.said.emit("a window needs a heart in a body, found none; choose a body first")
            return
        self.stop()
        self._search(views, self._key())

    def stop(self) -> None:
        """End a search; what it finds is not used."""
        self._ticket += 1
        if self.busy:
            self._ended()

    def _search(self, views: tuple[View, ...], key: str) -> None:
        """Look for windows; what is found is undone under a key, with no key together with what comes first."""
        asked, ticket = self._page.workspace.scene, self._ticket
        self.busy = True

        def told(view: View) -> bool:
            said = f"Finding the best window: {view.title} …"
            self._tasks.post(lambda: self._page.look_at(doing=said) if ticket == self._ticket and self.busy else None)
            return ticket == self._ticket

        order = (ticket, key)
        self._tasks.run(
            lambda: best_holds(asked, views, told), lambda found: self._done(asked, found, order), lambda said: self._wrong(said, ticket)
        )

    def _done(self, asked: Scene, found: Mapping[View, Adjustment], order: tuple[int, str]) -> None:
        page, (ticket, key) = self._page, order
        if ticket != self._ticket:
            return
        self._ended()
        page.look_at(searched={**page.workspace.searched, **found})
        if not same_stand(asked, page.workspace.scene):
            page.said_softly.emit(_MOVED)
        elif not key and page.undo.count() == 0:
            page.set_scene(with_holds(page.workspace.scene, found))
            self._found = page.workspace.scene.placement.probes
        else:
            page.edit("best window" if len(found) == 1 else "best windows", lambda scene: with_holds(scene, found), key)
            self._found = page.workspace.scene.placement.probes

    def _wrong(self, sentence: str, ticket: int) -> None:
        if ticket == self._ticket:
            self._ended()
            self._page.said.emit(sentence)

    def _ended(self) -> None:
        self.busy = False
        self._page.look_at(doing="")


def _with(scene: Scene, made: Made) -> Scene:
    """Return the scene with what was made; a body in place of another only while that other is still there."""
    fits = made.body is not None and (made.heart is None or made.instead_of is scene.body)
    return change.with_both(scene, made.heart or scene.heart, made.body if fits else scene.body)

"""Hearts and bodies come to the workspace: made on threads, used when they are ready, unless something newer was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from echo3d.gui.position.actors import body_surfaces
from echo3d.gui.tasks import Tasks
from echo3d.positioning.bodies import WorkBody, own_body
from echo3d.positioning.hearts import WorkHeart, embedded_heart

FIRST_BODY = ("m", 175.0, 75.0)


class Loading(QObject):
    """Makes hearts and bodies; of several wishes the newest wins.

    Parameters
    ----------
    tasks : threads of the window
    """

    doing = Signal(str)
    failed = Signal(str)
    heart_ready = Signal(object, bool)
    body_ready = Signal(object, object, bool)

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._ticket = 0
        self._started = False

    def start(self) -> None:
        """Load the first heart, then the first body; once."""
        if not self._started:
            self._started = True
            self._load("Reading the heart", embedded_heart, self._first_heart)

    @property
    def started(self) -> bool:
        """Whether the first heart was asked for."""
        return self._started

    def skip(self) -> None:
        """Do without the first heart and body, and without what is on its way; others come."""
        self._started = True
        self._ticket += 1

    def _first_heart(self, heart: WorkHeart) -> None:
        self.heart_ready.emit(heart, True)
        self._load("Building the body", lambda: _with_surfaces(own_body(*FIRST_BODY)), lambda made: self.body_ready.emit(*made, True))

    def heart(self, doing: str, work: Callable[[], WorkHeart]) -> None:
        """Make a heart."""
        self._load(doing, work, lambda heart: self.heart_ready.emit(heart, False))

    def body(self, doing: str, work: Callable[[], WorkBody]) -> None:
        """Make a body."""
        self._load(doing, lambda: _with_surfaces(work()), lambda made: self.body_ready.emit(*made, False))

    def either(self, doing: str, work: Callable[[], WorkHeart | WorkBody]) -> None:
        """Make what a file holds, a heart or a body."""

        def made() -> Any:
            found = work()
            return _with_surfaces(found) if isinstance(found, WorkBody) else found

        def use(found: Any) -> None:
            if isinstance(found, WorkHeart):
                self.heart_ready.emit(found, False)
            else:
                self.body_ready.emit(*found, False)

        self._load(doing, made, use)

    def _load(self, doing: str, work: Callable[[], Any], use: Callable[[Any], None]) -> None:
        self._ticket += 1
        ticket = self._ticket
        self.doing.emit(f"{doing} …")

        def done(made: Any) -> None:
            if ticket == self._ticket:
                self.doing.emit("")
                use(made)

        def wrong(sentence: str) -> None:
            if ticket == self._ticket:
                self.doing.emit("")
                self.failed.emit(sentence)

        self._tasks.run(work, done, wrong)


def _with_surfaces(body: WorkBody) -> tuple[WorkBody, Any]:
    """Return a body with its parts ready to be drawn."""
    return body, body_surfaces(body.mesh)

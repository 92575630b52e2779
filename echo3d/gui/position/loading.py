"""Hearts and bodies come to the workspace: made on threads, used when they are ready, unless something newer was asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Signal

from echo3d.gui.position.actors import body_surfaces
from echo3d.gui.tasks import Tasks
from echo3d.positioning.bodies import WorkBody, own_body, with_room
from echo3d.positioning.hearts import WorkHeart, embedded_heart
from echo3d.positioning.state import Scene

FIRST_BODY = ("m", 175.0, 75.0)


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """What has come: a heart, a body, or a heart with the body it was asked for, its lungs leaving the heart room.

    Parameters
    ----------
    heart, body : what is new, None for what stays
    surfaces : the body's parts ready to be drawn
    instead_of : the body that a heart was asked for; only that one is replaced
    """

    heart: WorkHeart | None = None
    body: WorkBody | None = None
    surfaces: Any = None
    instead_of: WorkBody | None = None


class Loading(QObject):
    """Makes hearts and bodies; of several wishes the newest wins.

    Parameters
    ----------
    tasks : threads of the window
    scene : tells what stands in the workspace now
    """

    doing = Signal(str)
    failed = Signal(str)
    ready = Signal(object, bool)
    heart_ready = Signal(object, bool)
    body_ready = Signal(object, object, bool)

    def __init__(self, tasks: Tasks, scene: Callable[[], Scene], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._scene = scene
        self._ticket = 0
        self._started = False

    def start(self) -> None:
        """Load the first heart, then the first body; once."""
        if not self._started:
            self._started = True
            self._load("Reading the heart", lambda: Made(embedded_heart()), self._first_heart)

    @property
    def started(self) -> bool:
        """Whether the first heart was asked for."""
        return self._started

    def skip(self) -> None:
        """Do without the first heart and body, and without what is on its way; others come."""
        self._started = True
        self._ticket += 1

    def _first_heart(self, made: Made) -> None:
        self._tell(made, True)
        self._load("Building the body", lambda: in_body(own_body(*FIRST_BODY), made.heart), lambda body: self._tell(body, True))

    def _tell(self, made: Made, first: bool) -> None:
        """Tell what is to be used; then which heart or body was asked for, for those who remember it."""
        self.ready.emit(made, first)
        if made.heart is not None:
            self.heart_ready.emit(made.heart, first)
        elif made.body is not None:
            self.body_ready.emit(made.body, made.surfaces, first)

    def heart(self, doing: str, work: Callable[[], WorkHeart]) -> None:
        """Make a heart, and room for it in the body."""
        self.either(doing, work)

    def body(self, doing: str, work: Callable[[], WorkBody]) -> None:
        """Make a body with room for the heart."""
        self.either(doing, work)

    def either(self, doing: str, work: Callable[[], WorkHeart | WorkBody]) -> None:
        """Make what a file holds, a heart or a body."""
        scene = self._scene()

        def made() -> Made:
            found = work()
            return in_body(found, scene.heart) if isinstance(found, WorkBody) else with_body(found, scene.body)

        self._load(doing, made, lambda found: self._tell(found, False))

    def _load(self, doing: str, work: Callable[[], Made], use: Callable[[Made], None]) -> None:
        self._ticket += 1
        ticket = self._ticket
        self.doing.emit(f"{doing} …")

        def done(made: Made) -> None:
            if ticket == self._ticket:
                self.doing.emit("")
                use(made)

        def wrong(sentence: str) -> None:
            if ticket == self._ticket:
                self.doing.emit("")
                self.failed.emit(sentence)

        self._tasks.run(work, done, wrong)


def in_body(body: WorkBody, heart: WorkHeart | None) -> Made:
    """Return a body with room for a heart, its parts ready to be drawn."""
    roomy = with_room(body, heart)
    return Made(body=roomy, surfaces=body_surfaces(roomy.mesh))


def with_body(heart: WorkHeart, body: WorkBody | None) -> Made:
    """Return a heart, and the body with room for it where that must change."""
    if body is None:
        return Made(heart)
    roomy = with_room(body, heart)
    return Made(heart) if roomy is body else Made(heart, roomy, body_surfaces(roomy.mesh), body)

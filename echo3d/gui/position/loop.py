"""The live pictures: requests are answered one after the other on a thread; of those that wait only the newest is kept."""

from __future__ import annotations

from collections.abc import Callable

from echo3d.gui.tasks import Tasks
from echo3d.positioning.previews import Answer, Previewer, Request
from echo3d.positioning.restyling import Restyle


class PreviewLoop:
    """Answers the newest request.

    Parameters
    ----------
    tasks : threads of the window
    shown : takes an answer, on the Qt thread
    failed : takes a sentence, on the Qt thread
    restyle : translates pictures into the trained style, None where nobody can
    """

    def __init__(
        self, tasks: Tasks, shown: Callable[[Answer], None], failed: Callable[[str], None], restyle: Restyle | None = None
    ) -> None:
        self._tasks = tasks
        self._shown = shown
        self._failed = failed
        self._previewer = Previewer(restyle)
        self._waiting: Request | None = None
        self.busy = False

    def ask(self, request: Request) -> None:
        """Have a request answered as soon as the one before is; an older one that waits is dropped."""
        self._waiting = request
        self._next()

    def _next(self) -> None:
        request = self._waiting
        if self.busy or request is None:
            return
        self._waiting, self.busy = None, True
        self._tasks.run(lambda: self._previewer.answer(request), self._done, self._wrong)

    def _done(self, answer: Answer) -> None:
        self.busy = False
        self._next()
        self._shown(answer)

    def _wrong(self, sentence: str) -> None:
        self.busy = False
        self._next()
        self._failed(sentence)

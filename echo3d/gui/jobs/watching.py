"""Looks at the store of jobs again and again, off the Qt thread, and does what is wished for with a job."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from echo3d.dataset.folder import delete_set
from echo3d.gui.jobs.rows import Look, look_at
from echo3d.gui.tasks import Tasks
from echo3d.jobs.launcher import cancel
from echo3d.jobs.queue import resume
from echo3d.jobs.removal import delete_job
from echo3d.paths import user_jobs

SOON_MS, LATER_MS = 1000, 5000
"""From one look to the next while a job runs or the panel is open, and otherwise."""


class JobsWatch(QObject):
    """Keeps the newest look at the store; ``looked`` is sent with each, ``failed`` with a sentence.

    Parameters
    ----------
    tasks : threads of the window
    """

    looked = Signal(object)
    failed = Signal(str)

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.look = Look()
        self.chosen = ""
        self.eager = False
        self._tasks = tasks
        self._on = False
        self._looking = False
        self._again = False
        self._busy: set[str] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.now)

    def start(self) -> None:
        """Begin to look."""
        self._on = True
        self._timer.start(0)

    def stop(self) -> None:
        """Look no more."""
        self._on = False
        self._timer.stop()
        self._again = False

    def choose(self, name: str) -> None:
        """Have the log of another job read, at once."""
        if name != self.chosen:
            self.chosen = name
            self.now()

    def now(self) -> None:
        """Look at once, or as soon as the look that is under way has ended."""
        if self._looking:
            self._again = True
            return
        self._looking = True
        before, chosen = self.look, self.chosen
        self._tasks.run(lambda: look_at(user_jobs(), before, chosen), self._done, self._wrong)

    def _done(self, look: Look) -> None:
        self.look = look
        self.looked.emit(look)
        self._next()

    def _wrong(self, sentence: str) -> None:
        self.failed.emit(sentence)
        self._next()

    def _next(self) -> None:
        self._looking = False
        if self._again:
            self._again = False
            self.now()
        elif self._on:
            self._timer.start(SOON_MS if self.eager or self.look.running or self._busy else LATER_MS)

    # -- what is done with a job ----------------------------------------------------------------------------------------------------------

    def cancel(self, name: str) -> None:
        """Stop a job; it is given its time to end by itself."""
        self._do(name, cancel)

    def resume(self, name: str) -> None:
        """Go on with a job."""
        self._do(name, resume)

    def delete(self, name: str, out: Path | None) -> None:
        """Delete a job, and the data set that it made where its folder is named."""

        def work(folder: Path) -> None:
            if out is not None and out.exists():
                delete_set(out)
            delete_job(folder)

        self._do(name, work)

    def _do(self, name: str, work: Callable[[Path], object]) -> None:
        """Do something with a job, one thing at a time with each."""
        if name in self._busy:
            return
        self._busy.add(name)

        def ended(sentence: str = "") -> None:
            self._busy.discard(name)
            if sentence:
                self.failed.emit(sentence)
            self.now()

        self._tasks.run(lambda: work(user_jobs() / name), lambda _: ended(), ended)
        self._timer.start(100)

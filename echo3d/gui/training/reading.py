"""Keeps the newest sight of all trainings, read off the Qt thread whenever the window has looked at its jobs."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from echo3d.gui.jobs.rows import Look
from echo3d.gui.tasks import Tasks
from echo3d.gui.training.devices import UseMeter
from echo3d.gui.training.rows import Sight, sight_of


class Reading(QObject):
    """Reads; ``seen`` is sent with each new :class:`Sight`, at most as often as the jobs are looked at, once a second.

    Parameters
    ----------
    tasks : a thread for it
    """

    seen = Signal(object)

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._meter = UseMeter()
        self._look = Look()
        self._reading = self._again = False
        self.sight = Sight()
        self.lead = ""
        self.on = False

    def looked(self, look: Look) -> None:
        """Hear of a look at the jobs."""
        self._look = look
        if self.on:
            self.now()

    def follow(self, name: str) -> None:
        """Have the log and the use of another run read, at once."""
        if name != self.lead:
            self.lead = name
            if self.on:
                self.now()

    def now(self) -> None:
        """Read at once, or as soon as the reading that is under way has ended."""
        if self._reading:
            self._again = True
            return
        self._reading = True
        statuses = list((self._look.known or {}).values())
        before, lead, meter = {run.name: run for run in self.sight.runs}, self.lead, self._meter
        self._tasks.run(lambda: sight_of(statuses, before, lead, meter), self._read, lambda _: self._ended())

    def _read(self, sight: Sight) -> None:
        self.sight = sight
        self.seen.emit(sight)
        self._ended()

    def _ended(self) -> None:
        self._reading = False
        if self._again:
            self._again = False
            self.now()

"""When a scene is drawn: as soon as the event loop has nothing else to do, no oftener than it can stand, and lightly while it moves."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication

REST_MS = 150
"""After the last movement the scene is drawn in full."""
_PAUSE = 1.0
"""From the end of one drawing to the next, in times of what the last one took: half of the time is left for all else."""
_MOST_S = 0.5
"""What a drawing counts for at most."""
_LONG_S = 0.045
"""A full drawing that takes longer waits until the scene rests, whatever it is wanted for."""


class Pacer(QObject):
    """Has a scene drawn when there is time.

    Parameters
    ----------
    draw : draws, or has Qt draw; :meth:`finished` is called after it
    lightens : whether a scene that moves is drawn lightly
    """

    drawn = Signal()
    lightened = Signal(bool)

    def __init__(self, draw: Callable[[], None], *, lightens: bool, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._draw = draw
        self._lightens = lightens
        self.light = False
        self.held = False
        """Whether the hand holds something: the scene moves until it is let go."""
        self.waiting = False
        self._begun = self._ended = self.cost = self.full_cost = 0.0
        self._due, self._rest = QTimer(self), QTimer(self)
        self._due.setTimerType(Qt.TimerType.PreciseTimer)
        for timer, call in ((self._due, self._begin), (self._rest, self._rested)):
            timer.setSingleShot(True)
            timer.timeout.connect(call)
        self._rest.setInterval(REST_MS)

    def ask(self) -> None:
        """Have the scene drawn soon."""
        if self._lightens and not self.light and self.full_cost > _LONG_S:
            self.move()
        elif not self._due.isActive() and not self.waiting:
            left = self._ended + _PAUSE * self.cost - time.perf_counter()
            self._due.start(max(0, math.ceil(1000 * left)))

    def move(self) -> None:
        """Have the scene drawn soon, and lightly until it rests."""
        if self._lightens:
            self._rest.start()
            if not self.light:
                self._weigh(light=True)
        self.ask()

    def settle(self) -> None:
        """Draw the scene in full the next time; for a picture that is kept."""
        self._rest.stop()
        if self.light:
            self._weigh(light=False)

    def _weigh(self, *, light: bool) -> None:
        self.light = light
        self.lightened.emit(light)

    def _rested(self) -> None:
        if self.held or QGuiApplication.mouseButtons() != Qt.MouseButton.NoButton:
            self._rest.start()
        else:
            self._weigh(light=False)
            self.full_cost = 0.0  # this one must be drawn
            self.ask()

    def _begin(self) -> None:
        self.waiting, self._begun = True, time.perf_counter()
        self._draw()

    def finished(self) -> None:
        """Take the time that drawing took."""
        self._ended = time.perf_counter()
        if self.waiting:
            self.waiting, self.cost = False, min(self._ended - self._begun, _MOST_S)
            if not self.light:
                self.full_cost = self.cost
        self.drawn.emit()

    def stop(self) -> None:
        """Draw nothing more."""
        self._due.stop()
        self._rest.stop()
        self._draw = _nothing


def _nothing() -> None:
    return None

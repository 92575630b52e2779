"""When a scene is drawn: as soon as the event loop has nothing else to do, no oftener than it can stand, and lightly while it moves."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication

REST_MS = 150
"""After the last movement the scene is drawn in full."""
_PAUSE, _PAUSE_BEHIND = 0.5, 8.0
"""From the end of one drawing to the next, in times of what the last one took; the second where pictures come first."""
_PATIENCE_MS = 40
"""So long a scene that comes second waits to be asked for once more, which is when pictures have been shown and new ones are made."""
_MOST_S = 0.5
"""What a drawing counts for at most."""
_LONG_S = 0.045
"""A full drawing that takes longer waits until the scene rests, whatever it is wanted for."""
_SHARES = (0.5, 0.65, 0.8, 1.0)
"""Of the pixels along one side, that are drawn while the scene moves."""
_SHORT_S, _ENOUGH_S = 0.009, 0.018
"""Light drawings that take less time than this get more pixels, and those that take more get fewer."""
_STEADY = 6
"""As many drawings in a row must say so."""


class Grain:
    """How many pixels are drawn while the scene moves, for what drawing them has taken.

    Attributes
    ----------
    share : of the pixels along one side

    >>> grain = Grain()
    >>> for _ in range(6):
    ...     grain.took(0.030)
    >>> grain.share
    0.5
    """

    def __init__(self) -> None:
        self.share = _SHARES[1]
        self._row = 0

    def took(self, seconds: float) -> None:
        """Take note of the time of a light drawing."""
        way = -1 if seconds > _ENOUGH_S else 1 if seconds < _SHORT_S else 0
        self._row = self._row + way if way * self._row >= 0 and way else way
        if abs(self._row) >= _STEADY:
            at = _SHARES.index(self.share) + way
            self.share, self._row = _SHARES[min(max(at, 0), len(_SHARES) - 1)], 0


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
        self.waiting = False
        self.grain = Grain()
        self._begun = self._ended = self.cost = self.full_cost = 0.0
        self._due, self._rest = QTimer(self), QTimer(self)
        self._due.setTimerType(Qt.TimerType.PreciseTimer)
        for timer, call in ((self._due, self._begin), (self._rest, self._rested)):
            timer.setSingleShot(True)
            timer.timeout.connect(call)
        self._rest.setInterval(REST_MS)

    def ask(self, *, behind: bool = False) -> None:
        """Have the scene drawn soon; ``behind`` says that other pictures come first, and that it is asked for after each of them."""
        if self._lightens and not self.light and self.full_cost > _LONG_S:
            self.move(behind=behind)
        elif not self.waiting:
            pause = (_PAUSE_BEHIND if behind else _PAUSE) * self.cost
            left = max(0, math.ceil(1000 * (self._ended + pause - time.perf_counter())))
            if not left or not self._due.isActive():
                self._due.start(left + (_PATIENCE_MS if behind else 0) if left else 0)

    def move(self, *, behind: bool = False) -> None:
        """Have the scene drawn soon, and lightly until it rests."""
        if self._lightens:
            self._rest.start()
            if not self.light:
                self._weigh(light=True)
        self.ask(behind=behind)

    def hold(self, held: bool) -> None:
        """Take note of whether the hand holds something: until it lets go the scene stays light."""
        self.held = held

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
            if self.light:
                self.grain.took(self.cost)
            else:
                self.full_cost = self.cost
        self.drawn.emit()

    def stop(self) -> None:
        """Draw nothing more."""
        self._due.stop()
        self._rest.stop()
        self._draw = _nothing


def _nothing() -> None:
    return None

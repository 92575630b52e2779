"""The moments of one heart's beat, made by one thread and read by others; those that are wanted first."""

from __future__ import annotations

from collections.abc import Callable

from echo3d.anatomy.timing import PHASES
from echo3d.positioning.hearts import Moment, WorkHeart, moment_of


class Beat:
    """Moments of a heart, by number from end-diastole on.

    ``wanted`` is the moment that is shown: the reading thread sets it, and the filling thread makes it and its followers first.

    Parameters
    ----------
    heart : whose beat
    """

    def __init__(self, heart: WorkHeart) -> None:
        self.heart = heart
        self.wanted = 0
        self.stopped = self.filling = False
        self._made: dict[int, Moment] = {0: Moment(heart.mesh.points, heart.labels)}

    def __len__(self) -> int:
        return PHASES if self.heart.beat is not None else 1

    @property
    def complete(self) -> bool:
        """Whether every moment is there."""
        return len(self._made) == len(self)

    @property
    def ready(self) -> int:
        """How many moments are there."""
        return len(self._made)

    def moment(self, number: int) -> Moment | None:
        """Return a moment if it is made."""
        return self._made.get(number % len(self))

    def nearest(self, number: int) -> Moment:
        """Return the made moment nearest to a number, going round."""
        count = len(self)
        best = min(tuple(self._made), key=lambda made: min((made - number) % count, (number - made) % count))
        return self._made[best]

    def fill(self, ready: Callable[[], None]) -> None:
        """Make all moments; say ``ready`` after each."""
        count = len(self)
        while not self.stopped and not self.complete:
            left = set(range(count)) - set(self._made)
            number = min(left, key=lambda at: (at - self.wanted) % count)
            self._made[number] = moment_of(self.heart, number, count)
            ready()

"""Learning rates by the share of the budget that is spent."""

from __future__ import annotations

import math
from typing import Protocol


def learning_rate(share: float, step: int, highest: float, rise: int = 200) -> float:
    """Return the rate after ``share`` of the budget: a rise of so many steps, then a cosine to one hundredth.

    >>> round(learning_rate(0.0, 400, 1e-3), 6), round(learning_rate(1.0, 400, 1e-3), 6)
    (0.001, 1e-05)
    """
    return highest * min(1.0, (step + 1) / rise) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(share, 1.0))))


class Budget(Protocol):
    """Minutes or, where given, steps, which are the same on any machine."""

    @property
    def minutes(self) -> float: ...

    @property
    def steps(self) -> int | None: ...


def spent_share(budget: Budget, minutes: float, step: int) -> float:
    """Return which share of a budget is spent; 1 when it is over, at once where it is nothing."""
    if budget.steps is not None:
        return step / budget.steps if budget.steps else 1.0
    return minutes / budget.minutes if budget.minutes else 1.0

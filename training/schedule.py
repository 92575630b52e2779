"""Learning rates by the share of the budget that is spent."""

from __future__ import annotations

import math


def learning_rate(share: float, step: int, highest: float) -> float:
    """Return the rate after ``share`` of the budget: a short rise, then a cosine to one hundredth.

    >>> round(learning_rate(0.0, 400, 1e-3), 6), round(learning_rate(1.0, 400, 1e-3), 6)
    (0.001, 1e-05)
    """
    return highest * min(1.0, (step + 1) / 200) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(share, 1.0))))

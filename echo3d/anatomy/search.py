"""Numbers of a record at which a few measures are met."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")

EXACT = 2e-4
"""Relative miss of a volume or length that counts as met: 0.02 points of EF."""


class Search(Generic[T]):
    """Finds the record at which all misses vanish, and keeps what it learnt of their slopes for the next time.

    Parameters
    ----------
    misses : tells by how much a record misses each goal; as many goals as numbers
    bounds : low and high end of each number that may change
    exact : miss that counts as none

    *Source:* Broyden's method from a Jacobian by differences; steps are short and end at the bounds.
    """

    def __init__(self, misses: Callable[[T], NDArray], bounds: Mapping[str, tuple[float, float]], exact: float = EXACT) -> None:
        self.misses, self.names, self.exact = misses, tuple(bounds), exact
        self._bounds = np.array(list(bounds.values())).T
        self._slope: NDArray[np.float64] | None = None

    def met(self, now: T) -> T:
        """Return the record with the named numbers changed so that all misses vanish; the nearest found where they cannot."""
        value, miss = np.array([getattr(now, name) for name in self.names]), self.misses(now)
        for _ in range(10):
            if np.abs(miss).max() < self.exact:
                break
            slope = self._slope if self._slope is not None else self._differences(now, value, miss)
            move = self._step(value, slope, miss)
            found = self.misses(self._with(now, value + move))
            self._slope = slope + np.outer(found - miss - slope @ move, move) / max(float(move @ move), 1e-16)
            if np.abs(found).max() > 1.5 * np.abs(miss).max():
                move, self._slope = 0.3 * move, None
                found = self.misses(self._with(now, value + move))
            value, miss = value + move, found
        return self._with(now, value)

    def _step(self, value: NDArray, slope: NDArray, miss: NDArray) -> NDArray[np.float64]:
        step = -np.linalg.lstsq(slope, miss, rcond=None)[0]
        return np.clip(value + step * min(1.0, 0.2 / max(float(np.abs(step).max()), 1e-12)), *self._bounds) - value

    def _differences(self, now: T, value: NDArray, miss: NDArray, step: float = 0.01) -> NDArray[np.float64]:
        columns = [(self.misses(self._with(now, value + step * unit)) - miss) / step for unit in np.eye(len(value))]
        return np.stack(columns, axis=1)

    def _with(self, now: T, value: NDArray) -> T:
        changed: Any = now
        return replace(changed, **dict(zip(self.names, map(float, value), strict=True)))

"""Progress without a user interface: a callable that long functions report to."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives the share done in [0, 1] and a short sentence."""

    def __call__(self, share: float, message: str, /) -> None: ...


def silent(share: float, message: str, /) -> None:
    """Ignore all progress.

    >>> silent(0.5, "half")
    """

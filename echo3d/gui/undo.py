"""What can be undone: the choice of other ED and ES frames."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QUndoCommand

from echo3d.core.views import View

Phases = tuple[dict[View, int], dict[View, int]]
"""The frames chosen as end-diastole and as end-systole, per view."""


class PhaseChange(QUndoCommand):
    """Other ED and ES frames, and the way back.

    Parameters
    ----------
    text : what is undone, for the menu
    use : computes the heart with other frames
    before, after : the frames
    """

    def __init__(self, text: str, use: Callable[[dict[View, int], dict[View, int]], None], before: Phases, after: Phases) -> None:
        super().__init__(text)
        self._use = use
        self._before = before
        self._after = after

    def redo(self) -> None:
        """Use the new frames."""
        self._use(*self._after)

    def undo(self) -> None:
        """Use the frames from before."""
        self._use(*self._before)

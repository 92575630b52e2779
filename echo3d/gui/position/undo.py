"""What can be undone in the workspace: any change of heart, body, pose or probes."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtGui import QUndoCommand

from echo3d.positioning.state import Scene

_TOGETHER_S = 1.0
"""Changes of the same number within this time are one step."""
WHOLE = "whole"
"""Changes whose common key begins with this word are one step however long they take."""


class SceneChange(QUndoCommand):
    """Another scene, and the way back. A scene is small: it names heart and body and holds a few numbers.

    Parameters
    ----------
    text : what is undone, for the menu
    use : shows a scene
    before, after : the scenes
    key : changes with the same key that follow each other are merged; empty for none
    """

    def __init__(self, text: str, use: Callable[[Scene], None], before: Scene, after: Scene, key: str = "") -> None:
        super().__init__(text)
        self._use = use
        self.before = before
        self.after = after
        self.key = key
        self.at = time.monotonic()

    def id(self) -> int:
        """Tell Qt that changes of this kind may be merged."""
        return 1

    def mergeWith(self, other: QUndoCommand) -> bool:
        """Take a change of the same number into this one."""
        if not isinstance(other, SceneChange) or not self.key or other.key != self.key:
            return False
        if not self.key.startswith(WHOLE) and other.at - self.at > _TOGETHER_S:
            return False
        self.after, self.at = other.after, other.at
        return True

    def redo(self) -> None:
        """Show the new scene."""
        self._use(self.after)

    def undo(self) -> None:
        """Show the scene from before."""
        self._use(self.before)

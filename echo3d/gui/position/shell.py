"""The surface of a heart in the scene: its points move with the beat, and only what is drawn is brought up to date."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from echo3d.gui.position import actors
from echo3d.gui.position.light import light_faces

CELL_MM = 6.0
"""Side of the cubes that keep one point each while the scene moves."""


class HeartShell(actors.Twin):
    """A heart's surface with its stand-in.

    Parameters
    ----------
    actor : the surface
    """

    def __init__(self, actor: Any) -> None:
        self._points = np.zeros((0, 3))
        self._faces: NDArray[np.int32] = np.zeros((0, 3), np.int32)
        self._colours: NDArray[np.uint8] = np.zeros((0, 3), np.uint8)
        self._fewer: tuple[NDArray[np.int32], NDArray[np.int64]] | None = None
        self._has: list[NDArray | None] = [None, None]
        super().__init__(actor)

    def give(self, points: NDArray, faces: NDArray, colours: NDArray[np.uint8]) -> None:
        """Give it another surface: points (N, 3), faces (F, 3) and the colour (F, 3 or 4) of each; an empty one is not shown."""
        if not np.array_equal(faces, self._faces):
            self._fewer = None
        self._points, self._faces, self._colours, self._has = points, faces, colours, [None, None]
        self.show(len(faces) > 0)

    def move(self, points: NDArray) -> None:
        """Show the same surface at another moment of the beat."""
        if len(points) == len(self._points):
            self._points = points
            self.show(self.shown)

    def show(self, shown: bool) -> None:
        """Show the surface or not; what is drawn gets the points as they are now."""
        super().show(shown)
        if shown and len(self._faces) and self._has[self.lightly] is not self._points:
            self._has[self.lightly] = self._points
            faces, colours = self._light() if self.lightly else (self._faces, self._colours)
            actors.set_input(self.both[self.lightly], actors.surface(self._points, faces, colours))

    def _light(self) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        if self._fewer is None:
            self._fewer = light_faces(self._points, self._faces, CELL_MM)
        faces, known = self._fewer
        return faces, np.ascontiguousarray(self._colours[known])

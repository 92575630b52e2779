"""The surfaces of every heart of a beat, made by a background thread for one way of drawing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyvista as pv
from numpy.typing import NDArray

from echo3d.core.mesh import Template
from echo3d.core.result import StudyResult
from echo3d.core.sector import Sector
from echo3d.core.structures import BLOOD, CHAMBERS, Structure
from echo3d.gui.heart_scene import Skin, cap, skin_of, surface
from echo3d.gui.overlays import following
from echo3d.session import Drawing


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """How hearts are drawn.

    Parameters
    ----------
    drawing : cut, glass or solid
    visible : structures drawn
    plane : where the heart is cut
    front : (3,) unit vector towards the side that is taken away and seen from
    """

    drawing: Drawing
    visible: frozenset[Structure]
    plane: Sector
    front: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class HeartFrame:
    """One heart ready to be drawn: its walls, its cut faces, its blood (glass only)."""

    walls: pv.PolyData
    cut: pv.PolyData
    blood: pv.PolyData


class HeartFrames:
    """The hearts of one result in one look; filled by one thread, read by another.

    Parameters
    ----------
    template, result, look : what is drawn, and how
    wanted : the heart that is shown; it is made first
    """

    def __init__(self, template: Template, result: StudyResult, look: Look, *, wanted: int = 0) -> None:
        self._template = template
        self._points = result.beat.points
        self.look = look
        self.wanted = wanted
        self.stopped = False
        self._made: dict[int, HeartFrame] = {}

    def __len__(self) -> int:
        """Return the number of hearts in the beat."""
        return len(self._points)

    def fill(self, ready: Callable[[], None]) -> None:
        """Make all hearts, the one that is shown first; say ``ready`` after it."""
        walls, blood = self._skins()
        left = set(range(len(self._points)))
        while left and not self.stopped:
            number = following(left, self.wanted, len(self._points))
            left.remove(number)
            self._made[number] = self._make(np.asarray(self._points[number], float), walls, blood)
            if len(self._made) == 1:
                ready()

    def _skins(self) -> tuple[Skin, Skin]:
        glass = self.look.drawing is Drawing.GLASS
        walls = self.look.visible - frozenset(BLOOD) if glass else self.look.visible
        return skin_of(self._template, walls), skin_of(self._template, frozenset(CHAMBERS) if glass else frozenset())

    def _make(self, points: NDArray, walls: Skin, blood: Skin) -> HeartFrame:
        cutting = self.look.drawing is Drawing.CUT
        section = cap(self._template, points, self.look.plane, self.look.visible) if cutting else pv.PolyData()
        return HeartFrame(surface(points, walls), section, surface(points, blood) if len(blood.faces) else pv.PolyData())

    def frame(self, number: int) -> HeartFrame | None:
        """Return a heart if it is made."""
        return self._made.get(number)

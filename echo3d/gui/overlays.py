"""The heart's outlines on every picture of the beat, as paths ready to be painted; filled by a background thread."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainterPath, QPolygonF

from echo3d.clinical.overlay import section_outlines, to_pixels
from echo3d.core.arrays import unit
from echo3d.core.images import EchoClip, EchoImage
from echo3d.core.mesh import Template
from echo3d.core.result import StudyResult
from echo3d.core.sector import Sector
from echo3d.core.structures import CHAMBER_KEYS, Structure
from echo3d.core.views import View

_NAMES = {structure: key.upper() for key, structure in CHAMBER_KEYS.items()} | {Structure.AORTA_LUMEN: "Ao"}
_NAMED_PIXELS = 0.004
"""Share of the fan's area from which a chamber's section carries its name."""


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """One picture's overlay, in pixels of the clip (x column, y row).

    Parameters
    ----------
    paths : per structure its section
    names : (text, x, y) of the chambers
    """

    paths: dict[Structure, QPainterPath]
    names: tuple[tuple[str, float, float], ...]


def sector_between(start: Sector, end: Sector, share: float) -> Sector:
    """Return the fan at ``share`` of the way from one to the other."""
    axis = unit((1 - share) * start.axis + share * end.axis)
    across = (1 - share) * start.lateral + share * end.lateral
    lateral = unit(across - (across @ axis) * axis)
    origin = (1 - share) * start.origin + share * end.origin
    return Sector(origin, axis, lateral, start.half_angle, start.depth)


def ejected(result: StudyResult) -> NDArray[np.float64]:
    """Return how far each heart of the beat is from ED (0) to ES (1), by its LV volume."""
    lv = np.asarray(result.beat.lv_ml, float)
    stroke = lv[0] - lv.min()
    return np.clip((lv[0] - lv) / stroke, 0, 1) if stroke > 1e-6 else np.zeros(len(lv))


def view_plane(result: StudyResult, view: View, share: float = 0.0) -> Sector | None:
    """Return where the view's picture lies in the heart's frame, None where no view of that kind was used."""
    if view not in result.ed.planes:
        return None
    start = result.ed.planes[view]
    return sector_between(start, result.es.planes.get(view, start), share)


class OverlayStore:
    """The overlays of one result, by view and number of the heart within the beat; filled by one thread, read by another.

    ``wanted`` is the heart that is shown: the reading thread sets it, and the filling thread makes it and its followers first.
    """

    def __init__(self, template: Template, result: StudyResult) -> None:
        self._template = template
        self._result = result
        self._made: dict[tuple[View, int], Overlay] = {}
        self.wanted = 0
        self.stopped = False

    def fill(self, ready: Callable[[], None]) -> None:
        """Make all overlays; say ``ready`` when those that are shown are there, and at the end."""
        share = ejected(self._result)
        left = set(range(len(share)))
        while left and not self.stopped:
            number = following(left, self.wanted, len(share))
            left.remove(number)
            self._make(number, float(share[number]))
            if number == self.wanted or not left:
                ready()

    def _make(self, number: int, share: float) -> None:
        """Make one heart's overlays in all views."""
        points = np.asarray(self._result.beat.points[number], float)
        for view, clip in self._result.clips.items():
            plane = view_plane(self._result, view, share)
            if plane is not None and not self.stopped:
                self._made[view, number] = overlay_of(self._template, points, plane, clip)

    def overlay(self, view: View, number: int) -> Overlay | None:
        """Return the overlay if it is made."""
        return self._made.get((view, number))


def following(numbers: Collection[int], start: int, count: int) -> int:
    """Return the first of ``numbers`` at or after ``start``, round the end of the beat.

    >>> following({0, 1, 7}, 5, 10), following({0, 1}, 5, 10)
    (7, 0)
    """
    return min(numbers, key=lambda number: (number - start) % count)


def overlay_of(template: Template, points: NDArray, plane: Sector, clip: EchoClip) -> Overlay:
    """Return the overlay of one heart on one clip."""
    image = EchoImage(clip.view, np.zeros((1, 1), np.float32), clip.pixel_mm, clip.fan)
    paths, names = {}, []
    floor = _NAMED_PIXELS * clip.fan.radius**2
    for structure, loops in section_outlines(template, points, plane).items():
        pixels = [to_pixels(loop, plane, image) for loop in loops if len(loop) > 3]
        paths[structure] = _path(pixels)
        if structure in _NAMES and pixels:
            largest = max(pixels, key=_area)
            if _area(largest) > floor:
                names.append((_NAMES[structure], *_centre(largest)))
    return Overlay(paths, tuple(names))


def _path(loops: list[NDArray]) -> QPainterPath:
    """Return one path of closed loops of (row, column)."""
    path = QPainterPath()
    for loop in loops:
        path.addPolygon(QPolygonF([QPointF(x, y) for y, x in loop.tolist()]))
    return path


def _area(loop: NDArray) -> float:
    """Return the area inside a closed loop.

    >>> _area(np.array([[0, 0], [0, 2], [2, 2], [2, 0], [0, 0]]))
    4.0
    """
    y, x = loop[:, 0], loop[:, 1]
    return float(abs(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2)


def _centre(loop: NDArray) -> tuple[float, float]:
    """Return (x, y) in the middle of a loop."""
    return float(loop[:-1, 1].mean()), float(loop[:-1, 0].mean())

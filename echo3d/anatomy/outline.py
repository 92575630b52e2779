"""The outside of any heart, found by asking for its structures on a raster: a surface for beams to meet, and the places of its chambers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from echo3d.anatomy.implicit import closed_surface, raster_over
from echo3d.anatomy.placement import WALLS
from echo3d.core.arrays import frozen_array
from echo3d.core.mesh import HeartMesh
from echo3d.core.pose import Pose, place
from echo3d.core.structures import CHAMBERS

STEP_MM = 2.5
_MARGIN_MM = 70.0
"""How far a heart may reach beyond its landmarks, which are middles of chambers and valves and the apex."""

LookUp = Callable[[NDArray], NDArray[np.uint8]]
"""Returns the structure at points (..., 3) mm."""


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """What of a heart its surroundings meet, mm in the heart's frame.

    Parameters
    ----------
    surface : closed, all of it labelled 1
    chambers : (K, 3) places within the four chambers and their walls, without vessels
    """

    surface: HeartMesh
    chambers: NDArray[np.float64]

    def __post_init__(self) -> None:
        object.__setattr__(self, "chambers", frozen_array(self.chambers, np.float64, (None, 3), "chambers"))


def outline_of(look_up: LookUp, landmarks: Mapping[str, NDArray]) -> Outline:
    """Return the outline of a heart of which structures and landmarks are known.

    Blood counts as well as walls, because some hearts come with blood alone; of one with neither all of it counts.
    """
    marks = np.stack([np.asarray(at, float) for at in landmarks.values()])
    raster = raster_over(marks.min(axis=0) - _MARGIN_MM, marks.max(axis=0) + _MARGIN_MM, STEP_MM)
    places = raster.points()
    labels = look_up(places)
    inside = ndimage.gaussian_filter((labels > 0).astype(np.float32), 0.7)
    points, faces = closed_surface((np.float32(0.5) - inside) * np.float32(2 * STEP_MM), raster)
    chambers = np.isin(labels, (*WALLS, *CHAMBERS))
    return Outline(HeartMesh(points, faces, np.ones(len(faces), np.uint8)), places[chambers if chambers.any() else labels > 0])


def placed_outline(outline: Outline, pose: Pose, pivot: NDArray) -> Outline:
    """Return the outline after a pose about ``pivot`` (3,) has moved the heart."""
    surface = outline.surface
    moved = HeartMesh(place(surface.points, pose, pivot), surface.faces, surface.labels)
    return Outline(moved, place(outline.chambers, pose, pivot))

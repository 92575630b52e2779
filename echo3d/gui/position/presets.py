"""Sides that the camera looks from, and planes that the scene is cut open along; NumPy, no Qt."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echo3d.core.sector import Sector
from echo3d.positioning.previews import CutPlane
from echo3d.positioning.state import Clip

Side = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Unit vectors towards the viewer and up."""

SIDES: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "front": ((0, -1, 0), (0, 0, 1)),
    "back": ((0, 1, 0), (0, 0, 1)),
    "left": ((1, 0, 0), (0, 0, 1)),
    "right": ((-1, 0, 0), (0, 0, 1)),
    "head": ((0, 0, 1), (0, -1, 0)),
    "feet": ((0, 0, -1), (0, -1, 0)),
}
"""Towards the viewer and up, LPS. From head and feet the patient's front is up, as on a CT slice from the feet."""


def side(name: str) -> Side:
    """Return where a named side looks from.

    >>> side("left")[0]
    array([1., 0., 0.])
    """
    towards, up = SIDES[name]
    return np.array(towards, float), np.array(up, float)


def onto(fan: Sector) -> Side:
    """Return the side from which a fan looks like its picture: tip up, the picture's right on the right."""
    return -fan.normal + 0.0, -fan.axis + 0.0


def cut_plane(clip: Clip, offset_mm: float, centre: NDArray, fan: Sector | None, reach: float = 260.0) -> CutPlane | None:
    """Return the plane that the scene is cut open along; what lies on the viewer's side of it is taken away.

    Parameters
    ----------
    clip : which plane
    offset_mm : how far beyond the heart's centre, away from the viewer where positive
    centre : (3,) mm, of the heart
    fan : of the selected view, for its own plane
    reach : side of the square that shows the cut, mm
    """
    if clip is Clip.NONE or (clip is Clip.VIEW and fan is None):
        return None
    if clip is Clip.VIEW and fan is not None:
        towards, up = onto(fan)
        middle = fan.origin + 0.5 * fan.depth * fan.axis
    else:
        towards, up = side({Clip.SAGITTAL: "left", Clip.CORONAL: "front", Clip.AXIAL: "feet"}[clip])
        middle = centre
    across = np.cross(up, towards)
    return CutPlane(middle - offset_mm * towards, across, -up, reach)

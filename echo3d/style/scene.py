"""What surrounds one speckle picture: what stops its beams, where its tissue lies at rest, and how it cuts the left ventricle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from echo3d.core.views import View
from echo3d.errors import ShapeError
from echo3d.style.polar import PolarGrid


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What is known of a picture besides its labels; as it stands, nothing.

    Parameters
    ----------
    shadow_mm : (L,) depth at which bone or lung stops each beam, mm, infinite where nothing does; as ``anatomy.window`` finds it
    lung : (L,) bool, where it is lung that stops the beam: it reverberates; bone throws a clean shadow
    rest_mm : (S, L, 3) mm, where each sample's tissue lies at rest, as (depth, lateral, elevation) of the fan (``Sector.plane``); the
        speckle then moves with the tissue
    long_axis : 0-1, the share of the LV's long axis that lies within the picture's plane: 1 for an apical view, 0 for a short axis

    Raises
    ------
    ShapeError
        If ``long_axis`` is no share, or ``lung`` comes without depths.
    """

    shadow_mm: NDArray[np.float64] | None = None
    lung: NDArray[np.bool_] | None = None
    rest_mm: NDArray[np.floating] | None = None
    long_axis: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.long_axis <= 1:
            raise ShapeError(f"long_axis must be a share of 0 to 1, found {self.long_axis}; give the axis's length within the plane")
        if self.lung is not None and self.shadow_mm is None:
            raise ShapeError("lung must come with the depths at which it begins, found no shadow_mm; give both")


def check_scene(scene: Scene, fan: PolarGrid) -> None:
    """Raise ShapeError unless a scene's arrays have the shapes of a fan."""
    for name in ("shadow_mm", "lung"):
        given = getattr(scene, name)
        if given is not None and np.shape(given) != (fan.lines,):
            raise ShapeError(f"{name} must have shape {(fan.lines,)}, one depth for each beam, found {np.shape(given)}")
    if scene.rest_mm is not None and np.shape(scene.rest_mm) != (fan.samples, fan.lines, 3):
        raise ShapeError(f"rest_mm must have shape {(fan.samples, fan.lines, 3)}, a point for each sample, found {np.shape(scene.rest_mm)}")


def long_axis_of(view: View | None) -> float:
    """Return the share of the LV's long axis within a view's plane: all of it in apical views, nothing in short axes, half if unknown.

    A hand that tilts an apical view by 15 degrees leaves 0.97 of it, which no eye tells apart.

    >>> long_axis_of(View.A4C), long_axis_of(View.PSAX_MID), long_axis_of(None)
    (1.0, 0.0, 0.5)
    """
    if view is None:
        return 0.5
    return 1.0 if view.apical else 0.0

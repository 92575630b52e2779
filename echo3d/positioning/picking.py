"""What lies under a pixel of the scene: the heart's face nearest to the viewer; NumPy, a few milliseconds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from echo3d.core.pose import Pose, place
from echo3d.positioning.handles import Camera
from echo3d.positioning.previews import CutPlane

Drawn = tuple[NDArray, NDArray, NDArray]
"""Points (N, 3) before the pose, faces (F, 3), structures (F,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Hit:
    """A point (3,) mm of the heart as it stands, and the structure there."""

    point: NDArray[np.float64]
    structure: int


def first_hit(
    camera: Camera, drawn: Drawn, stands: tuple[Pose, NDArray], pixel: tuple[float, float], cut: CutPlane | None = None
) -> Hit | None:
    """Return the first point of a surface under a pixel, or None.

    Parameters
    ----------
    camera : how the scene is seen
    drawn : the heart before its pose
    stands : pose and pivot
    pixel : x and y
    cut : where the scene is cut open; what lies on the viewer's side of it is gone
    """
    points, faces, structures = drawn
    if not len(faces):
        return None
    placed = place(points, *stands)
    seen, near = camera.pixels(placed), camera.nearness(placed)
    at = np.asarray(pixel, float)
    a, b, c = (seen.take(faces[:, k], axis=0) - at for k in range(3))
    areas = np.stack([_cross(b, c), _cross(c, a), _cross(a, b)], axis=1)
    whole = areas.sum(axis=1)
    met = np.flatnonzero((np.abs(whole) > 1e-9) & ((areas >= 0).all(axis=1) | (areas <= 0).all(axis=1)))
    if not len(met):
        return None
    shares = areas[met] / whole[met, None]
    hits = np.einsum("hk,hki->hi", shares, placed[faces[met]])
    depth = np.einsum("hk,hk->h", shares, near[faces[met]])
    if cut is not None:
        depth = np.where((hits - cut.centre) @ np.cross(cut.across, cut.down) >= 0, depth, -np.inf)
    best = int(depth.argmax())
    return Hit(hits[best], int(structures[met[best]])) if np.isfinite(depth[best]) else None


def _cross(one: NDArray, other: NDArray) -> NDArray[np.float64]:
    return np.asarray(one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0])

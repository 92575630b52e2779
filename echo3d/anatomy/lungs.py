"""The lungs of our own body: what the chest leaves them beside heart, great vessels, spine and diaphragm."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy
from numpy.typing import NDArray

from echo3d.anatomy.implicit import Field, Raster, closed_surface, cone, ellipsoid, raster_over, soft_cut, soft_meet
from echo3d.anatomy.proportions import Build, at_level
from echo3d.anatomy.template import load_label_volume, load_template
from echo3d.anatomy.thorax import VERTEBRAE_MM
from echo3d.anatomy.tubes import Surface
from echo3d.core.pose import Pose, unplace

Room = Callable[[NDArray], NDArray[np.bool_]]
"""Tells of points (..., 3) mm whether they lie in the heart."""

STEP_MM = 4.0
_WALL_MM = 11.0
_PERICARDIUM_MM = 3.0


def lung(build: Build, side: int, room: Room) -> Surface:
    """Return one lung, closed and smooth.

    Parameters
    ----------
    build : whose chest
    side : 1 for the left lung, -1 for the right one
    room : of the heart, in the build's frame, which the lung leaves free
    """
    raster = _raster(build, side)
    field = soft_meet(_within_ribs(build, raster), _apex(build, raster, side), 16.0)
    field = soft_meet(field, _above_diaphragm(build, raster, side), 9.0)
    field = soft_cut(field, _mediastinum(build, raster, side), 12.0)
    field = soft_cut(field, _heart(raster, room), 8.0)
    if side > 0:
        field = soft_cut(field, _cardiac_notch(build, raster), 12.0)
    return closed_surface(_largest(field), raster)


def _raster(build: Build, side: int) -> Raster:
    """Return the raster over one half of the chest."""
    breadth, front, back = build.cage[:, 1:].max(axis=0)
    low = np.array([4.0 if side > 0 else -breadth, -front, -242.0 * build.size])
    return raster_over(low, np.array([breadth if side > 0 else -4.0, back, 44.0 * build.size]), STEP_MM)


def _within_ribs(build: Build, raster: Raster) -> Field:
    """Return about the distance to the inside of the chest wall."""
    x, y, z = raster.axes()
    rows = at_level(build.cage, z.ravel()).astype(np.float32) - np.float32(_WALL_MM)
    breadth, front, back = (rows[None, None, :, i] for i in range(3))
    ratio = (np.abs(x) / breadth) ** np.float32(2.25) + (np.abs(y) / np.where(y < 0, front, back)) ** np.float32(2.25)
    return (ratio ** np.float32(1 / 2.25) - 1) * np.minimum(breadth, np.minimum(front, back))


def _apex(build: Build, raster: Raster, side: int) -> Field:
    """Return the distance to the dome that closes the lung above, a good 2 cm over the collar bone's inner end."""
    s = build.size
    return ellipsoid(raster, np.array([side * 48 * s, 14 * s, -190 * s]), np.array([170, 190, 222]) * s)


def _above_diaphragm(build: Build, raster: Raster, side: int) -> Field:
    """Return the distance to what lies over the dome of the diaphragm, higher on the right.

    *Source:* quiet breathing out, Gray's Anatomy: dome at the fourth to fifth rib space in front; lower edge of the lung at rib 6 in the
    mid-clavicular line, rib 8 at the side, rib 10 (T10) behind.
    """
    s = build.size
    x, y, z = raster.axes()
    breadth, front, back = build.cage[:, 1:].max(axis=0).astype(np.float32)
    aside = (x - np.float32(side * 66 * s)) / (breadth * np.float32(0.55))
    along = (y - np.float32(6 * s)) / np.where(y < 0, front, back)
    fall = aside**2 + along**2
    deep = np.where(y < 0, np.float32(26 * s), np.float32(80 * s))
    top = np.float32((-126.0 if side < 0 else -140.0) * s)
    dome = top - np.float32(40 * s) * np.minimum(aside**2, 2.0) - deep * np.minimum(along**2, 1.2)
    return (dome - z) / np.sqrt(1 + np.minimum(fall, 1.5))


def _mediastinum(build: Build, raster: Raster, side: int) -> Field:
    """Return the distance to the middle of the chest: spine, great vessels and windpipe, the root of the lung, the slab between them."""
    s = build.size
    x, y, z = raster.axes()
    rows = VERTEBRAE_MM[::-1] * s
    middle = np.interp(z.ravel(), rows[:, 0], rows[:, 1]).astype(np.float32)[None, None, :]
    spine = np.sqrt((x / 1.15) ** 2 + (y - middle - np.float32(4 * s)) ** 2) - np.float32(25 * s)
    necks = np.sqrt((x / 1.5) ** 2 + (y - middle - np.float32(30 * s)) ** 2) - np.float32(31 * s)
    vessels = cone(raster, np.array([[side * 6 * s, -6 * s, -95 * s], [side * 10 * s, 6 * s, 50 * s]]), (32.0 * s, 27.0 * s))
    root = ellipsoid(raster, np.array([side * 22 * s, 14 * s, -78 * s]), np.array([26, 15, 24]) * s)
    slab = np.abs(x) - np.interp(y.ravel() / s, [-100, -60, 0, 60], [7, 14, 22, 14]).astype(np.float32)[None, :, None] * np.float32(s)
    slab = slab + 0 * z
    return np.minimum.reduce([*np.broadcast_arrays(spine, necks, vessels, root, slab)])


def template_room(pose: Pose) -> Room:
    """Return the room of the template's heart as it stands in a body."""
    template, volume = load_template(), load_label_volume()
    pivot = template.landmark(template.points, "heart")

    def inside(points: NDArray) -> NDArray[np.bool_]:
        return np.asarray(volume.look_up(unplace(points, pose, pivot)) > 0)

    return inside


def _heart(raster: Raster, room: Room) -> Field:
    """Return about the distance to the heart with its pericardium, from its blurred room."""
    inside = room(raster.points())
    depth = scipy.ndimage.distance_transform_edt(~inside) - scipy.ndimage.distance_transform_edt(inside)
    return scipy.ndimage.gaussian_filter(depth * STEP_MM, 1.6).astype(np.float32) - np.float32(_PERICARDIUM_MM)


def _cardiac_notch(build: Build, raster: Raster) -> Field:
    """Return the distance to the notch that leaves the heart's front bare from the left edge of the sternum to near the apex.

    *Source:* Gray's Anatomy: the left lung's front edge leaves the sternum at the fourth cartilage and runs about 35 mm aside at the
    fifth; here a little wider, as with a patient who lies on the left side and has breathed out.
    """
    s = build.size
    front = -float(at_level(build.cage, -118 * s)[1])
    inner = ellipsoid(raster, np.array([26 * s, front + 8 * s, -104 * s]), np.array([36, 46, 42]) * s)
    outer = ellipsoid(raster, np.array([64 * s, front + 26 * s, -134 * s]), np.array([44, 52, 34]) * s)
    return np.minimum(inner, outer)


def _largest(field: Field) -> Field:
    """Return the field with all but the largest solid taken away."""
    parts, count = scipy.ndimage.label(field < 0)
    if count < 2:
        return field
    kept = 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
    return np.where((parts > 0) & (parts != kept), np.float32(STEP_MM / 2), field)

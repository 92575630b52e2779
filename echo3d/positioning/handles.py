"""The handles on the heart in the scene: where they are on screen, which one is under the pointer, what dragging it does; no Qt, no VTK."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from echo3d.core.pose import Pose
from echo3d.positioning.poses import moved, scaled, turned

ARM, RING, SIZE_AT, CENTRE = 92.0, 68.0, 96.0, 9.0
"""Lengths on screen in pixels: arrows, radius of the rings, distance of the handle for the size, radius of the middle."""
_REACH = 8.0
_EDGE_ON = 0.18


class Handle(Enum):
    """What can be taken hold of; the number is the axis where there is one."""

    MOVE_X = ("move", 0)
    MOVE_Y = ("move", 1)
    MOVE_Z = ("move", 2)
    TURN_X = ("turn", 0)
    TURN_Y = ("turn", 1)
    TURN_Z = ("turn", 2)
    MOVE = ("free", 0)
    SIZE = ("size", 0)

    @property
    def kind(self) -> str:
        """One of "move", "turn", "free" and "size"."""
        return self.value[0]

    @property
    def axis(self) -> NDArray[np.float64]:
        """The axis (3,) of the patient."""
        return np.eye(3)[self.value[1]]


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """How a parallel camera sees the scene.

    Parameters
    ----------
    focus : (3,) mm, the point in the middle of the picture
    right, up : (3,) unit vectors of the picture
    mm_per_pixel : scale of the picture
    width, height : pixels
    """

    focus: NDArray[np.float64]
    right: NDArray[np.float64]
    up: NDArray[np.float64]
    mm_per_pixel: float
    width: float
    height: float

    @property
    def towards(self) -> NDArray[np.float64]:
        """Unit vector (3,) towards the viewer."""
        return np.cross(self.right, self.up)

    def pixels(self, points: NDArray) -> NDArray[np.float64]:
        """Return (..., 2) pixels, x to the right and y down, of points (..., 3).

        >>> Camera(np.zeros(3), np.array([1.0, 0, 0]), np.array([0, 0, 1.0]), 0.5, 200, 100).pixels(np.array([5.0, 9.0, 10.0]))
        array([110.,  30.])
        """
        seen = (points - self.focus) @ np.stack([self.right, -self.up], axis=1) / self.mm_per_pixel
        return seen + np.array([self.width, self.height]) / 2

    def world(self, pixels: NDArray) -> NDArray[np.float64]:
        """Return the points (..., 3) of the plane through the focus under pixels (..., 2)."""
        off = (np.asarray(pixels, float) - np.array([self.width, self.height]) / 2) * self.mm_per_pixel
        return self.focus + off[..., :1] * self.right - off[..., 1:] * self.up

    def nearness(self, points: NDArray) -> NDArray[np.float64]:
        """Return (...,) mm towards the viewer of points (..., 3)."""
        return (points - self.focus) @ self.towards


def lines(camera: Camera, centre: NDArray, steps: int = 72) -> dict[Handle, NDArray[np.float64]]:
    """Return the (K, 3) line of each handle in space, mm; of the free one and the size a single point."""
    unit = camera.mm_per_pixel
    turn = np.linspace(0, 2 * np.pi, steps + 1)
    made: dict[Handle, NDArray[np.float64]] = {Handle.MOVE: centre[None]}
    made[Handle.SIZE] = centre[None] + SIZE_AT * unit * (camera.right + camera.up)[None] / np.sqrt(2)
    for handle in Handle:
        axis = handle.axis
        if handle.kind == "move":
            made[handle] = np.stack([centre + CENTRE * unit * axis, centre + ARM * unit * axis])
        elif handle.kind == "turn":
            one, two = np.roll(axis, 1), np.roll(axis, 2)
            made[handle] = centre + RING * unit * (np.cos(turn)[:, None] * one + np.sin(turn)[:, None] * two)
    return made


def under(camera: Camera, centre: NDArray, x: float, y: float) -> Handle | None:
    """Return the handle under the pointer, the nearest of several; of a ring only the half towards the viewer counts."""
    at, best, least = np.array([x, y]), None, _REACH
    for handle, line in lines(camera, centre).items():
        if handle.kind == "move" and np.linalg.norm(np.diff(camera.pixels(line), axis=0)) < 14:
            continue
        seen = camera.pixels(line[camera.nearness(line - centre + camera.focus) > -1e-6] if handle.kind == "turn" else line)
        away = _distance(seen, at) - (4.0 if handle.kind in ("free", "size") else 0.0)
        if away < least:
            best, least = handle, away
    return best


def _distance(line: NDArray, at: NDArray) -> float:
    """Return the distance of a pixel from a line of pixels (K, 2).

    >>> _distance(np.array([[0.0, 0], [10, 0]]), np.array([5.0, 3.0]))
    3.0
    """
    if len(line) == 1:
        return float(np.linalg.norm(line[0] - at))
    start, way = line[:-1], np.diff(line, axis=0)
    square = np.maximum((way**2).sum(axis=1), 1e-9)
    share = np.clip(((at - start) * way).sum(axis=1) / square, 0, 1)
    return float(np.linalg.norm(start + share[:, None] * way - at, axis=1).min())


@dataclass(frozen=True, slots=True, eq=False)
class Grip:
    """A handle that is being dragged.

    Parameters
    ----------
    handle : it
    camera : as it was when the handle was taken
    pose : of the heart then
    centre : (3,) mm, of the heart then
    start : (2,) pixels where it was taken
    """

    handle: Handle
    camera: Camera
    pose: Pose
    centre: NDArray[np.float64]
    start: NDArray[np.float64]


def dragged(grip: Grip, x: float, y: float, *, snap: bool = False) -> Pose:
    """Return the pose when the pointer has gone to a pixel.

    Parameters
    ----------
    grip : what is held
    x, y : pixels
    snap : whether to go in steps of 5 mm, 5 degrees or 0.05
    """
    now = np.array([x, y])
    if grip.handle.kind == "turn":
        degrees = _turn(grip, now)
        return turned(grip.pose, grip.handle.axis, _stepped(degrees, 5.0) if snap else degrees)
    if grip.handle.kind == "size":
        middle = grip.camera.pixels(grip.centre)
        ratio = float(np.linalg.norm(now - middle) / max(float(np.linalg.norm(grip.start - middle)), 1.0))
        scale = float(np.clip(grip.pose.scale * ratio, 0.2, 5.0))
        return scaled(grip.pose, (_stepped(scale, 0.05) if snap else scale) / grip.pose.scale)
    way = grip.camera.world(now) - grip.camera.world(grip.start)
    if grip.handle.kind == "free":
        return moved(grip.pose, way)
    axis = grip.handle.axis
    flat = axis - (axis @ grip.camera.towards) * grip.camera.towards
    along = float(way @ flat) / max(float(flat @ flat), 0.02)
    return moved(grip.pose, (_stepped(along, 5.0) if snap else along) * axis)


def _turn(grip: Grip, now: NDArray) -> float:
    """Return by how many degrees a ring has been turned.

    A ring seen from the side is turned like a wheel: by the way along it. Otherwise by the angle round its middle, where the ring's plane
    is met by the line of sight.
    """
    axis, towards, camera = grip.handle.axis, grip.camera.towards, grip.camera
    facing = float(axis @ towards)
    if abs(facing) < _EDGE_ON:
        along = np.cross(axis, towards)
        way = camera.world(now) - camera.world(grip.start)
        return float(np.degrees(way @ along / max(float(np.linalg.norm(along)), 1e-6) / (RING * camera.mm_per_pixel)))
    arms = []
    for at in (grip.start, now):
        arm = camera.world(at) - grip.centre
        arms.append(arm - (arm @ axis) / facing * towards)
    return float(np.degrees(np.arctan2(axis @ np.cross(arms[0], arms[1]), arms[0] @ arms[1])))


def _stepped(value: float, step: float) -> float:
    return round(value / step) * step

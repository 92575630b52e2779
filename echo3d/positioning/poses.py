"""The seven numbers of a pose as a person edits them: one at a time, in steps, turned about an axis, mirrored, as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from echo3d.core.pose import Pose, rotation_matrix
from echo3d.errors import InputError, ShapeError

FORMULA = "p′ = s·Rz(θz)·Ry(θy)·Rx(θx)·(p−c) + c + Δ"
PIVOT = "c is the centre of the heart; x to the patient's left, y to the back, z to the head"


@dataclass(frozen=True, slots=True)
class PoseField:
    """One of the seven numbers.

    Parameters
    ----------
    symbol : as the formula has it
    unit : "mm", "°" or "×"
    low, high : its range
    step : of a nudge
    digits : shown after the point
    """

    symbol: str
    unit: str
    low: float
    high: float
    step: float
    digits: int


FIELDS: tuple[PoseField, ...] = (
    *(PoseField(f"Δ{axis}", "mm", -2000.0, 2000.0, 1.0, 1) for axis in "xyz"),
    *(PoseField(f"θ{axis}", "°", -180.0, 180.0, 1.0, 1) for axis in "xyz"),
    PoseField("s", "×", 0.2, 5.0, 0.01, 3),
)
"""Translation, rotation, scale, in the order of :func:`values_of`."""


def values_of(pose: Pose) -> tuple[float, ...]:
    """Return Δx, Δy, Δz (mm), θx, θy, θz (degrees) and s.

    >>> values_of(Pose(np.array([1, 2, 3]), np.array([4, 5, 6]), 1.5))
    (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 1.5)
    """
    return (*(float(v) for v in pose.translation), *(float(v) for v in pose.rotation), float(pose.scale))


def pose_of(values: tuple[float, ...]) -> Pose:
    """Return the pose of seven numbers, each brought into its range; the inverse of :func:`values_of`."""
    kept = [float(np.clip(value, field.low, field.high)) for value, field in zip(values, FIELDS, strict=True)]
    return Pose(np.array(kept[:3]), np.array(kept[3:6]), kept[6])


def with_value(pose: Pose, number: int, value: float) -> Pose:
    """Return the pose with one of its numbers changed; an angle beyond 180 degrees goes on at -180.

    >>> values_of(with_value(Pose(np.zeros(3), np.zeros(3)), 3, 190.0))[3]
    -170.0
    """
    values = list(values_of(pose))
    values[number] = around(value) if FIELDS[number].unit == "°" else value
    return pose_of(tuple(values))


def around(degrees: float) -> float:
    """Return an angle brought into -180 to 180 degrees.

    >>> around(190.0), around(-180.0), around(180.0)
    (-170.0, -180.0, 180.0)
    """
    return degrees if -180 <= degrees <= 180 else (degrees + 180.0) % 360.0 - 180.0


def angles_of(matrix: NDArray, near: NDArray | None = None) -> NDArray[np.float64]:
    """Return the three angles (3,) in degrees of a rotation ``R_z R_y R_x``; of the two ways to write it, the one nearer to ``near``.

    At θy = ±90° only θx ∓ θz is fixed; there θx stays what ``near`` says.

    >>> angles_of(rotation_matrix(np.array([10.0, 20.0, 30.0]))).round(6)
    array([10., 20., 30.])
    """
    close = np.zeros(3) if near is None else np.asarray(near, float)
    y = np.degrees(np.arcsin(np.clip(-matrix[2, 0], -1, 1)))
    if abs(matrix[2, 0]) > 1 - 1e-9:
        rest = matrix @ rotation_matrix(np.array([close[0], y, 0.0])).T
        # What is left after θx and θy is not quite a turn about z where sin θy was cut; its first column tells the angle.
        return np.array([close[0], y, np.degrees(np.arctan2(rest[1, 0], rest[0, 0]))])
    x, z = np.degrees(np.arctan2(matrix[2, 1], matrix[2, 2])), np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0]))
    one, other = np.array([x, y, z]), np.array([around(x + 180), around(180 - y), around(z + 180)])
    return min(one, other, key=lambda angles: float(np.abs([around(v) for v in angles - close]).sum()))


def moved(pose: Pose, by: NDArray) -> Pose:
    """Return the pose carried on by (3,) mm."""
    return pose_of((*(pose.translation + by), *pose.rotation, pose.scale))


def turned(pose: Pose, axis: NDArray, degrees: float) -> Pose:
    """Return the pose turned about its heart's centre and an axis (3,) of the patient.

    >>> values_of(turned(Pose(np.zeros(3), np.zeros(3)), np.array([0, 0, 1.0]), 90.0))[3:6]
    (0.0, 0.0, 90.0)
    """
    angle = np.radians(degrees)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    turn = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    angles = angles_of(turn @ pose.matrix, pose.rotation)
    return pose_of((*pose.translation, *(angles.round(9) + 0.0), pose.scale))


def scaled(pose: Pose, factor: float) -> Pose:
    """Return the pose with its scale multiplied."""
    return with_value(pose, 6, pose.scale * factor)


def mirrored(pose: Pose, pivot: NDArray, midline: float) -> Pose:
    """Return the pose on the other side of the middle plane x = ``midline``: the heart's place and turn are mirrored, its shape is not.

    >>> values_of(mirrored(Pose(np.array([40.0, 0, 0]), np.array([5.0, 6, 7])), np.zeros(3), 0.0))[:6]
    (-40.0, 0.0, 0.0, 5.0, -6.0, -7.0)
    """
    x = 2 * midline - 2 * float(pivot[0]) - float(pose.translation[0])
    return pose_of((x, *pose.translation[1:], pose.rotation[0], -pose.rotation[1], -pose.rotation[2], pose.scale))


def pose_json(pose: Pose) -> dict[str, object]:
    """Return the pose as plain JSON values, as ``echo3d slice --pose`` reads them."""
    return {"translation": pose.translation.tolist(), "rotation": pose.rotation.tolist(), "scale": pose.scale}


def pose_from_json(content: object) -> Pose:
    """Return the pose of plain JSON values; what is left out stays.

    Raises
    ------
    InputError
        If they are none.
    """
    rule = 'a pose must be JSON such as {"translation": [0, 0, 5], "rotation": [0, 0, 10], "scale": 1}'
    if not isinstance(content, dict) or not set(content) & {"translation", "rotation", "scale"}:
        raise InputError(f"{rule}, found another thing; copy a pose first")
    try:
        pose = Pose(content.get("translation", [0, 0, 0]), content.get("rotation", [0, 0, 0]), float(content.get("scale", 1.0)))
    except (ShapeError, ValueError, TypeError, OverflowError) as exc:
        raise InputError(f"{rule}, found another thing ({type(exc).__name__}); correct it") from exc
    if np.abs(pose.translation).max() > FIELDS[0].high:
        raise InputError(f"a pose moves a heart by at most {FIELDS[0].high:.0f} mm along each axis, found more; correct it")
    return Pose(pose.translation, np.array([around(float(angle)) for angle in pose.rotation]), pose.scale)


def parsed(text: str) -> dict[str, object]:
    """Return the object of a JSON text.

    Raises
    ------
    InputError
        If the text is no JSON object.
    """
    try:
        content = json.loads(text[:200_000])
    except (ValueError, RecursionError) as exc:
        raise InputError("what is pasted must be JSON of a pose or placement, found other text; copy one first") from exc
    if not isinstance(content, dict):
        raise InputError("what is pasted must be JSON of a pose or placement, found JSON of another kind; copy one first")
    return content


def differences(pose: Pose, other: Pose) -> tuple[float, ...]:
    """Return by how much each number of ``pose`` is above that of ``other``; the scale as a ratio.

    >>> differences(Pose(np.ones(3), np.full(3, 170.0), 2.0), Pose(np.zeros(3), np.full(3, -170.0)))
    (1.0, 1.0, 1.0, -20.0, -20.0, -20.0, 2.0)
    """
    one, two = values_of(pose), values_of(other)
    ways = [around(a - b) if field.unit == "°" else a - b for a, b, field in zip(one[:6], two[:6], FIELDS, strict=False)]
    return (*ways, one[6] / two[6])

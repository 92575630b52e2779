"""The seven numbers that place a heart in a body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from echo3d.core.arrays import frozen_array
from echo3d.errors import ShapeError


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """Translation (mm), rotation (degrees about x, y, z) and scale of a heart.

    A point p moves to ``s R_z R_y R_x (p - c) + c + t`` with c the heart's centroid. The paper gives neither the order of the
    rotations nor the pivot; both are our choice, because turning a heart about itself is what a user expects.
    """

    translation: NDArray[np.float64]
    rotation: NDArray[np.float64]
    scale: float = 1.0

    def __post_init__(self) -> None:
        for name in ("translation", "rotation"):
            object.__setattr__(self, name, frozen_array(getattr(self, name), np.float64, (3,), name))
        if not 0.2 <= self.scale <= 5:
            raise ShapeError(f"the scale of a heart lies between 0.2 and 5, found {self.scale}")

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The (3, 3) rotation ``R_z R_y R_x``."""
        return rotation_matrix(self.rotation)


def rotation_matrix(degrees: NDArray) -> NDArray[np.float64]:
    """Return ``R_z R_y R_x`` of three angles in degrees.

    >>> rotation_matrix(np.array([0.0, 0.0, 90.0])).round(6)[:, 0]
    array([0., 1., 0.])
    """
    (cx, cy, cz), (sx, sy, sz) = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def rotation_degrees(matrix: NDArray) -> NDArray[np.float64]:
    """Return the three angles, degrees about x, y, z, of a rotation (3, 3); undoes :func:`rotation_matrix`.

    >>> rotation_degrees(rotation_matrix(np.array([10.0, -20.0, 130.0]))).round(6)
    array([ 10., -20., 130.])
    """
    about_x = np.arctan2(matrix[2, 1], matrix[2, 2])
    about_y = -np.arcsin(np.clip(matrix[2, 0], -1, 1))
    about_z = np.arctan2(matrix[1, 0], matrix[0, 0])
    return np.degrees(np.array([about_x, about_y, about_z]))


def identity_pose() -> Pose:
    """Return the pose that leaves a heart where it is."""
    return Pose(np.zeros(3), np.zeros(3), 1.0)


def place(points: NDArray, pose: Pose, pivot: NDArray) -> NDArray[np.float64]:
    """Return the points (..., 3) moved by ``pose`` about ``pivot``.

    >>> place(np.array([[1.0, 0, 0]]), Pose(np.zeros(3), np.array([0, 0, 90.0]), 2.0), np.zeros(3)).round(6)
    array([[0., 2., 0.]])
    """
    return pose.scale * (points - pivot) @ pose.matrix.T + pivot + pose.translation


def unplace(points: NDArray, pose: Pose, pivot: NDArray) -> NDArray[np.float64]:
    """Undo :func:`place`."""
    return (points - pivot - pose.translation) @ pose.matrix / pose.scale + pivot


def rigid_between(moving: NDArray, fixed: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return rotation R (3, 3) and translation t (3,) that bring ``moving`` (N, 3) nearest to ``fixed``: ``moving @ R.T + t``.

    *Source:* Kabsch, least squares over corresponding points.
    """
    centre_m, centre_f = moving.mean(axis=0), fixed.mean(axis=0)
    left, _, right = np.linalg.svd((moving - centre_m).T @ (fixed - centre_f))
    turn = np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    rotation = (left @ turn @ right).T
    return rotation, centre_f - rotation @ centre_m

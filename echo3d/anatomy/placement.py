"""Where a heart stands in a body by default, from landmarks on the skin."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from echo3d.anatomy.bodymarks import BodyMarks
from echo3d.anatomy.proportions import over_sternum
from echo3d.anatomy.template import load_template
from echo3d.core.pose import Pose, place, rigid_between, rotation_degrees, rotation_matrix
from echo3d.core.structures import Structure

REFERENCE_MM = 1700.0
"""Stature that the template's size belongs to: a mean adult of both sexes (our choice; the sources give none)."""
QUIET_TURN = np.array([0.0, -5.0, -5.0])
"""Degrees about x, y, z from the template, which is from CT with the breath held in, to quiet breathing out: the diaphragm lifts the apex,
the heart lies flatter and its apex nearer to the chest wall. Our choice in size."""
STERNUM_MM, FAT_MM = 11.0, 4.0
_RIGHT, _LEFT = 0.0235, 0.0485
_ANGLE_SHARE, _BEAT_SHARE = 0.32, 0.97
WALLS = (Structure.LV_MYOCARDIUM, Structure.RV_MYOCARDIUM, Structure.LA_WALL, Structure.RA_WALL)
VALVES = ("mitral", "tricuspid", "aortic", "pulmonary")


def heart_pose(marks: BodyMarks) -> Pose:
    """Return the pose that stands the template's heart behind the sternum of a body.

    The box round the four chambers is put where the textbook has the heart's borders: above at the sternal angle (a third of the way from
    notch to xiphoid), below at the fifth rib space (just above the xiphoid's level); to the right 41 mm and to the left 85 mm from the
    midline for a stature of 1.75 m (the usual cardiac breadth of a chest film, a third of it to the right); in front 4 mm of fat behind a
    sternum of 11 mm, under 12 mm of skin and fat at a body mass index of 24. The heart grows with stature to the power 0.9, because
    LV mass grows with its power 2.7, and lies the flatter the stouter the body.

    *Source:* Gray's Anatomy (surface anatomy of the heart); de Simone et al. 1992 (LV mass); the slope of the axis with body mass index,
    0.6 degrees per kg/m², is our choice in size, textbook in sign.

    Returns
    -------
    Pose
        Of the template about its landmark "heart", into the body's frame.
    """
    template = load_template()
    pivot = template.landmark(template.points, "heart")
    scale = float((marks.stature / REFERENCE_MM) ** 0.9)
    turn = QUIET_TURN - np.array([0.0, float(np.clip(0.6 * (marks.bmi - 24.0), -8.0, 8.0)), 0.0])
    walls = template.points[np.unique(template.mesh.faces[np.isin(template.mesh.labels, WALLS)])]
    shape = scale * (walls - pivot) @ rotation_matrix(turn).T
    low, high = shape.min(axis=0), shape.max(axis=0)
    length = marks.notch[2] - marks.xiphoid[2]
    x = marks.midline + 0.5 * (_LEFT - _RIGHT) * marks.stature - (low[0] + high[0]) / 2
    z = marks.notch[2] - 0.5 * (_ANGLE_SHARE + _BEAT_SHARE) * length - (low[2] + high[2]) / 2
    return Pose(np.array([x, _behind_sternum(marks, float(z), float(low[1])), z]) - pivot, turn, scale)


def _behind_sternum(marks: BodyMarks, z: float, foremost: float) -> float:
    """Return y (mm) of a heart's pivot at height ``z`` so that its foremost wall, ``foremost`` before it, lies behind sternum and fat."""
    return marks.front_at(z) + over_sternum(marks.bmi) + STERNUM_MM + FAT_MM - foremost


def pose_of(marks: BodyMarks, landmarks: Mapping[str, NDArray], chambers: NDArray, *, scale: float | None = None) -> Pose:
    """Return the pose that stands any heart in a body as the template's stands there.

    The heart is turned so that its landmarks lie in the same directions as the template's. Its valves come to the template's place from
    side to side and in height, because a heart hangs on its vessels and grows away from them: a large one reaches further to the left and
    down. From front to back it lies as far behind the sternum as the template does. Our choice.

    Parameters
    ----------
    marks : the body's
    landmarks : the heart's, all of ``core.mesh.LANDMARKS``, (3,) mm in its own frame, whatever its axes are
    chambers : (K, 3) points of its chambers and their walls, mm in its own frame; the foremost counts
    scale : the heart's; None gives it the template's size in that body

    Returns
    -------
    Pose
        About the heart's landmark "heart", into the body's frame.
    """
    template, own = load_template(), heart_pose(marks)
    pivot = template.landmark(template.points, "heart")
    names = sorted(template.landmarks)
    mean = np.stack([template.landmark(template.points, name) for name in names])
    here = np.stack([np.asarray(landmarks[name], float) for name in names])
    matrix = own.matrix @ rigid_between(here, mean)[0]
    size = _size_of(here, mean, own.scale) if scale is None else scale
    valves = [names.index(name) for name in VALVES]
    middle = np.asarray(landmarks["heart"], float)
    hang = place(mean[valves], own, pivot).mean(axis=0) - size * matrix @ (here[valves].mean(axis=0) - middle)
    foremost = float((size * (chambers - middle) @ matrix.T)[:, 1].min())
    at = np.array([hang[0], _behind_sternum(marks, float(hang[2]), foremost), hang[2]])
    return Pose(at - middle, rotation_degrees(matrix), size)


def _size_of(here: NDArray, mean: NDArray, scale: float) -> float:
    """Return the scale that makes a heart's landmarks (L, 3) spread as far as the template's under ``scale``."""
    spread = [float(np.linalg.norm(marks - marks.mean(axis=0))) for marks in (here, mean)]
    return scale * spread[1] / spread[0]


def placed_points(pose: Pose) -> np.ndarray:
    """Return all material points (N, 3) of the template's heart as it stands in the body, mm."""
    template = load_template()
    return place(template.points, pose, template.landmark(template.points, "heart"))

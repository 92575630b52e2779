"""Bones and lungs of our own making put into another body's skin, so that its probes have acoustic windows too."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from echo3d.anatomy.bodymarks import BodyMarks, body_marks
from echo3d.anatomy.chest import Chest, whole_body
from echo3d.anatomy.lungs import template_room
from echo3d.anatomy.placement import heart_pose
from echo3d.anatomy.proportions import Build, TorsoRecord, at_level, build_of, over_sternum
from echo3d.anatomy.section import section
from echo3d.core.body import BodyMesh, BodyPart, joined, part_surface
from echo3d.core.pose import Pose

_SHARES = (-0.070, -0.085, -0.100, -0.115, -0.130)
"""Heights at which chest and skin are compared, below the notch over stature: between arm pits and lower ribs."""


@dataclass(frozen=True, slots=True, eq=False)
class Furnished:
    """A foreign body with bones and lungs.

    Parameters
    ----------
    mesh : its skin with our ribs, cartilages, sternum, spine and lungs, in its own frame
    marks : landmarks on its skin
    heart : where the template's heart stands in it by default
    """

    mesh: BodyMesh
    marks: BodyMarks
    heart: Pose


def furnished(body: BodyMesh, *, sex: str = "m", stature_mm: float | None = None) -> Furnished:
    """Return a body with a chest of our making inside its skin, and lungs that leave room for the template's heart.

    Parameters
    ----------
    body, sex, stature_mm : see :func:`chest_in`

    Raises
    ------
    InputError
        If the body has no skin or no chest, or is of impossible size.
    """
    chest = chest_in(body, sex=sex, stature_mm=stature_mm)
    pose = heart_pose(chest.marks)
    return Furnished(whole_body(chest, template_room(pose)), chest.marks, pose)


def chest_in(body: BodyMesh, *, sex: str = "m", stature_mm: float | None = None) -> Chest:
    """Return the measures of a chest of our making that fits into a body's skin.

    The chest is that of a person of the body's stature and body mass index, made narrower, wider, flatter or deeper until it keeps the
    usual distance from the skin at the sides, in front and behind. It is a likely chest, not this body's own.

    Parameters
    ----------
    body : with a skin, LPS mm
    sex : "m" or "f"; decides the cage's breadth for its height
    stature_mm : where it is known

    Raises
    ------
    InputError
        If the body has no skin or no chest, or is of impossible size.
    """
    marks = body_marks(body, stature_mm=stature_mm)
    weight = float(np.clip(marks.bmi, 15, 49)) * (marks.stature / 1000) ** 2
    build, shift = _fitted(build_of(TorsoRecord(marks.stature / 10, weight, sex)), body, marks)
    return Chest(joined({BodyPart.SKIN: part_surface(body, BodyPart.SKIN)}), marks, build, shift, False)


def _fitted(build: Build, body: BodyMesh, marks: BodyMarks) -> tuple[Build, NDArray[np.float64]]:
    """Return the build with a rib cage that fits the skin, and the way (3,) mm from the build's frame to the body's."""
    points, faces = part_surface(body, BodyPart.SKIN)
    heights = np.array(_SHARES) * marks.stature
    outlines = [section(points, faces, 2, marks.notch[2] + z) for z in heights]
    trunks = [outline.trunk(marks.midline, 8.0) for outline in outlines]
    cage = at_level(build.cage, heights)
    tissue = over_sternum(marks.bmi)
    breadth = np.median([np.ptp(trunk[:, 0]) / 2 - 1.4 * tissue for trunk in trunks] / cage[:, 0])
    front = np.array([outline.across(marks.midline)[0] for outline in outlines])
    back = np.array([outline.across(marks.midline)[-1] for outline in outlines])
    depth = np.median((back - front - 2.1 * tissue) / (cage[:, 1] + cage[:, 2]))
    factors = np.array([1.0, *np.clip([breadth, depth, depth], 0.8, 1.15)])
    fitted = replace(build, cage=build.cage * factors)
    middle = float(np.median(front + tissue + at_level(fitted.cage, heights)[:, 1]))
    return _under_the_front(fitted, marks, middle), np.array([marks.midline, middle, marks.notch[2]])


def _under_the_front(build: Build, marks: BodyMarks, middle: float) -> Build:
    """Return the build with a sternum that nowhere comes nearer to the skin of the middle plane than skin and fat are thick."""
    cage = build.cage.copy()
    skin = np.array([marks.front_at(marks.notch[2] + z) for z in cage[:, 0]])
    most = middle - skin - 0.9 * over_sternum(marks.bmi)
    chest = (cage[:, 0] > -0.16 * marks.stature) & (cage[:, 0] < 0.012 * marks.stature)
    cage[chest, 2] = np.clip(cage[chest, 2], 0.6 * cage[chest, 2], np.maximum(most[chest], 0.6 * cage[chest, 2]))
    return replace(build, cage=cage)

"""Our own body by height, weight and sex: skin, ribs with cartilages, sternum, collar bones, spine and lungs; all from one small record.

The frame is LPS in mm: x to the person's left, y to the back, z to the head. The origin lies in the middle plane, at the height of the
suprasternal notch (the upper edge of the sternum), midway between front and back of the chest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from echo3d.anatomy.bodymarks import BodyMarks, known_marks
from echo3d.anatomy.chest import Chest, whole_body
from echo3d.anatomy.lungs import template_room
from echo3d.anatomy.placement import heart_pose
from echo3d.anatomy.proportions import TorsoRecord, build_of
from echo3d.anatomy.skin import skin
from echo3d.core.body import BodyMesh, BodyPart, joined
from echo3d.core.pose import Pose


@dataclass(frozen=True, slots=True, eq=False)
class Torso:
    """One of our own bodies.

    Parameters
    ----------
    record : what it is built from
    mesh : all parts, each closed
    marks : landmarks on its skin; heights are those it was built with, not found ones
    heart : where the template's heart stands in it by default
    """

    record: TorsoRecord
    mesh: BodyMesh
    marks: BodyMarks
    heart: Pose


def body_at(height_cm: float, weight_kg: float, sex: str) -> Torso:
    """Return the body of a person of that height, weight and sex ("m" or "f").

    Raises
    ------
    InputError
        If a value is out of range.
    """
    return build_torso(TorsoRecord(height_cm, weight_kg, sex))


def build_torso(record: TorsoRecord) -> Torso:
    """Return the body of a record, the same to the last bit each time."""
    chest = own_chest(record)
    pose = heart_pose(chest.marks)
    return Torso(record, whole_body(chest, template_room(pose)), chest.marks, pose)


def own_chest(record: TorsoRecord) -> Chest:
    """Return skin and measures of the body of a record; :func:`whole_body` puts bones and lungs in, round any heart."""
    build = build_of(record)
    outside = joined({BodyPart.SKIN: skin(build)})
    return Chest(outside, known_marks(outside, 0.0, 10 * record.height_cm, record.bmi), build, np.zeros(3), True)

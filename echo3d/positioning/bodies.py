"""Bodies for the workspace, and where a heart stands in one by default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import scipy
from numpy.typing import NDArray

from echo3d.anatomy.bodymarks import BodyMarks
from echo3d.anatomy.chest import Chest, beyond_chest_mm, whole_body
from echo3d.anatomy.lungs import Room, template_room
from echo3d.anatomy.placement import WALLS, heart_pose, pose_of
from echo3d.anatomy.proportions import TorsoRecord, over_sternum
from echo3d.anatomy.window import Obstacles, obstacles_of
from echo3d.bodies import PRESSED, misfit
from echo3d.core.body import BodyMesh, BodyPart, part_surface
from echo3d.core.pose import Pose, identity_pose, place, unplace
from echo3d.core.structures import CHAMBERS
from echo3d.positioning.hearts import WorkHeart
from echo3d.positioning.probes import Skin


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class WorkBody:
    """A body of the workspace, mm, LPS.

    Parameters
    ----------
    name : shown to the user
    origin : what it is made from, plain JSON values
    mesh : skin, bones and lungs
    chest : its skin with the measures of what lies under it
    skin : its skin alone
    obstacles : its bones and lungs
    guest : the heart that its lungs leave room to, None for the template's
    facts : one sentence each on what was recognised
    path : the file that it comes from
    """

    name: str
    origin: Mapping[str, object]
    mesh: BodyMesh
    chest: Chest
    skin: Skin
    obstacles: Obstacles
    guest: WorkHeart | None = None
    facts: tuple[str, ...] = ()
    path: Path | None = None

    @property
    def marks(self) -> BodyMarks:
        """Landmarks on its skin."""
        return self.chest.marks


SEX_TITLES = {"m": "Man", "f": "Woman"}


def own_body(sex: str, height_cm: float, weight_kg: float) -> WorkBody:
    """Return one of our own bodies, its lungs leaving room to the template's heart.

    Raises
    ------
    InputError
        If a value is out of range.
    """
    from echo3d.anatomy.torso import own_chest

    record = TorsoRecord(height_cm, weight_kg, sex)
    name = f"{SEX_TITLES[record.sex]}, {height_cm:.0f} cm, {weight_kg:.0f} kg"
    origin = {"kind": "own", "sex": record.sex, "height_cm": height_cm, "weight_kg": weight_kg}
    return _work_body(name, origin, own_chest(record), (f"our own body, body mass index {record.bmi:.1f} kg/m²",))


def body_of_file(path: Path, *, sex: str = "m") -> WorkBody:
    """Return the body of a file, with a likely chest of our making inside its skin.

    Raises
    ------
    InputError
        If the file is no body.
    """
    from echo3d.anatomy.furnish import chest_in
    from echo3d.io.bodies import read_body

    read = read_body(path)
    facts = (read.stated, "bones and lungs are of our making, fitted into this skin")
    origin = {"kind": "file", "file": path.name, "sex": sex}
    return replace(_work_body(path.stem, origin, chest_in(read.mesh, sex=sex), facts), path=path)


def _work_body(name: str, origin: Mapping[str, object], chest: Chest, facts: tuple[str, ...]) -> WorkBody:
    mesh = whole_body(chest, template_room(heart_pose(chest.marks)))
    skin = Skin(*part_surface(mesh, BodyPart.SKIN), PRESSED * over_sternum(chest.marks.bmi))
    return WorkBody(name, origin, mesh, chest, skin, obstacles_of(mesh), None, facts)


def with_room(body: WorkBody, heart: WorkHeart | None) -> WorkBody:
    """Return the body with lungs that leave a heart room where it stands by default, as ``echo3d.bodies.stand`` makes them.

    The skin stays the same object. A heart that is too large for the chest is said among the body's facts.
    """
    if heart is body.guest or (heart is None or heart.is_template) and body.guest is None:
        return body
    guest = None if heart is None or heart.is_template else heart
    mesh = whole_body(body.chest, _room_of(guest, body))
    kept = tuple(fact for fact in body.facts if not fact.startswith(_TIGHT))
    return replace(body, mesh=mesh, obstacles=obstacles_of(mesh), guest=guest, facts=kept + _fit(guest, body))


_TIGHT = "The heart does not fit"


def _room_of(heart: WorkHeart | None, body: WorkBody) -> Room:
    """Return what tells of points (..., 3) mm in a body whether the heart lies there by default."""
    if heart is None:
        return template_room(heart_pose(body.marks))
    pose = default_pose(heart, body)
    return lambda points: heart.labels.look_up(unplace(points, pose, heart.pivot)) > 0


def _fit(heart: WorkHeart | None, body: WorkBody) -> tuple[str, ...]:
    if heart is None:
        return ()
    return misfit(beyond_chest_mm(body.chest, place(chamber_points(heart), default_pose(heart, body), heart.pivot)))


def default_pose(heart: WorkHeart | None, body: WorkBody | None) -> Pose:
    """Return where a heart stands in a body by default, as on the command line; see ``anatomy.placement.pose_of``.

    Without a body it stays where it is. The template, and a heart whose unit is not known, take the size that belongs there.
    """
    if heart is None or body is None:
        return identity_pose()
    return pose_of(body.marks, heart.landmarks, chamber_points(heart), scale=1.0 if heart.keeps_size else None)


def chamber_points(heart: WorkHeart) -> NDArray[np.float64]:
    """Return the points (K, 3) of a heart's chambers and their walls, mm in its own frame; all of one that has none named so."""
    named = np.isin(heart.mesh.labels, (*WALLS, *CHAMBERS))
    used = np.zeros(len(heart.mesh.points), bool)
    used[heart.mesh.faces[named if named.any() else slice(None)]] = True
    return heart.mesh.points[used]


@dataclass(frozen=True, slots=True, eq=False)
class Inside:
    """Tells how deep a point lies under the skin, by the nearest of the skin's points.

    Parameters
    ----------
    points, normals : (N, 3) of the skin, normals outwards
    tree : over the points
    """

    points: NDArray[np.float64]
    normals: NDArray[np.float64]
    tree: scipy.spatial.cKDTree

    def depth(self, points: NDArray) -> NDArray[np.float64]:
        """Return (K,) mm under the skin of points (K, 3), negative outside; right to about the skin's spacing of 5 mm."""
        far, at = self.tree.query(points)
        outside = np.einsum("ki,ki->k", points - self.points[at], self.normals[at]) > 0
        return np.where(outside, -far, far)


def inside_of(skin: Skin) -> Inside:
    """Return what tells how deep points lie under a skin."""
    corners = skin.points[skin.faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    rows = skin.faces.reshape(-1)
    normals = np.stack([np.bincount(rows, np.repeat(across[:, k], 3), len(skin.points)).astype(float) for k in range(3)], axis=1)
    return Inside(skin.points, normals, scipy.spatial.cKDTree(skin.points))

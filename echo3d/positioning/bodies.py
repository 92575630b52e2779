"""Bodies for the workspace, and where a heart stands in one by default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from echo3d.anatomy.bodymarks import BodyMarks
from echo3d.anatomy.template import load_template
from echo3d.anatomy.window import Obstacles, obstacles_of
from echo3d.core.body import BodyMesh, BodyPart, part_surface
from echo3d.core.pose import Pose, identity_pose, place, rigid_between
from echo3d.positioning.hearts import WorkHeart
from echo3d.positioning.poses import angles_of, pose_of
from echo3d.positioning.probes import Skin


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class WorkBody:
    """A body of the workspace, mm, LPS.

    Parameters
    ----------
    name : shown to the user
    origin : what it is made from, plain JSON values
    mesh : skin, bones and lungs
    marks : landmarks on its skin
    heart : where the template's heart stands in it by default
    skin : its skin alone
    obstacles : its bones and lungs
    facts : one sentence each on what was recognised
    path : the file that it comes from
    """

    name: str
    origin: Mapping[str, object]
    mesh: BodyMesh
    marks: BodyMarks
    heart: Pose
    skin: Skin
    obstacles: Obstacles
    facts: tuple[str, ...] = ()
    path: Path | None = None


SEX_TITLES = {"m": "Man", "f": "Woman"}


def own_body(sex: str, height_cm: float, weight_kg: float) -> WorkBody:
    """Return one of our own bodies.

    Raises
    ------
    InputError
        If a value is out of range.
    """
    from echo3d.anatomy.torso import body_at

    torso = body_at(height_cm, weight_kg, sex)
    name = f"{SEX_TITLES[torso.record.sex]}, {height_cm:.0f} cm, {weight_kg:.0f} kg"
    origin = {"kind": "own", "sex": torso.record.sex, "height_cm": height_cm, "weight_kg": weight_kg}
    facts = (f"our own body, body mass index {torso.record.bmi:.1f} kg/m²",)
    return _work_body(name, origin, torso.mesh, (torso.marks, torso.heart), facts)


def body_of_file(path: Path, *, sex: str = "m") -> WorkBody:
    """Return the body of a file, with a likely chest of our making inside its skin.

    Raises
    ------
    InputError
        If the file is no body.
    """
    from echo3d.anatomy.furnish import furnished
    from echo3d.io.bodies import read_body

    read = read_body(path)
    made = furnished(read.mesh, sex=sex)
    facts = (read.stated, "bones and lungs are of our making, fitted into this skin")
    origin = {"kind": "file", "file": path.name, "sex": sex}
    return replace(_work_body(path.stem, origin, made.mesh, (made.marks, made.heart), facts), path=path)


def _work_body(name: str, origin: Mapping[str, object], mesh: BodyMesh, stand: tuple[BodyMarks, Pose], facts: tuple[str, ...]) -> WorkBody:
    skin = Skin(*part_surface(mesh, BodyPart.SKIN))
    return WorkBody(name, origin, mesh, *stand, skin, obstacles_of(mesh), facts)


def default_pose(heart: WorkHeart | None, body: WorkBody | None) -> Pose:
    """Return where a heart stands in a body: as the template's heart would, which it is laid over by its landmarks.

    Without a body it stays where it is. A heart of ours already lies over the template.
    """
    if heart is None or body is None:
        return identity_pose()
    template, names = load_template(), sorted(heart.landmarks)
    rest = np.stack([template.landmark(template.points, name) for name in names])
    own = np.stack([heart.landmarks[name] for name in names])
    turn, shift = (np.eye(3), np.zeros(3)) if heart.ours else rigid_between(own, rest)
    centre = template.landmark(template.points, "heart")
    stands = place(turn @ heart.pivot + shift, body.heart, centre)
    angles = body.heart.rotation if heart.ours else angles_of(body.heart.matrix @ turn, body.heart.rotation)
    return pose_of((*(stands - heart.pivot), *angles, body.heart.scale))


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
    tree: cKDTree

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
    return Inside(skin.points, normals, cKDTree(skin.points))

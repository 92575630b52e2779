"""Landmarks of skins and the heart placed by them; the truth is the Visible Human's heart in its skin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from echo3d.anatomy.bodymarks import BodyMarks, body_marks
from echo3d.anatomy.landmarks import surface_centre
from echo3d.anatomy.placement import heart_pose, placed_points
from echo3d.anatomy.section import section
from echo3d.anatomy.template import load_template
from echo3d.anatomy.torso import body_at
from echo3d.core.arrays import unit
from echo3d.core.body import BodyMesh, BodyPart, joined, part_surface
from echo3d.core.pose import Pose
from echo3d.errors import InputError
from echo3d.io.bodies import read_body
from echo3d.io.gltf_read import read_glb

BODIES = {
    "visible human": "visible_human_male/VH_M_Skin.glb",
    "makehuman": "makehuman/base.obj",
    "smpl man": "smpl_mean/human_man.obj",
    "smpl-x neutral": "smpl_mean/human_neutral.obj",
    "vtk torso": "vtk_torso/Torso.vtp",
}


def four_walls() -> NDArray:
    """Return the template's faces of the walls of the four chambers, without vessels."""
    mesh = load_template().mesh
    return mesh.faces[np.isin(mesh.labels, (1, 2, 3, 4))]


def centre_and_axis(pose: Pose) -> tuple[NDArray, NDArray]:
    """Return the centre of the four chambers' walls and the unit vector from LV apex to mitral valve."""
    template, points = load_template(), placed_points(pose)
    return surface_centre(points, four_walls()), unit(template.landmark(points, "mitral") - template.landmark(points, "lv_apex_epi"))


def test_a_section_of_two_boxes_has_two_pieces() -> None:
    import pyvista as pv

    boxes = [pv.Box((low, low + 2, 0, 2, 0, 2)).triangulate().clean() for low in (0, 5)]
    surfaces = [(np.asarray(b.points, float), np.asarray(b.regular_faces)) for b in boxes]
    points = np.concatenate([p for p, _ in surfaces])
    outline = section(points, np.concatenate([surfaces[0][1], surfaces[1][1] + 8]), 2, 0.7)
    assert len(np.unique(outline.piece)) == 2
    np.testing.assert_allclose(outline.across(1.0), [0, 2])
    assert np.ptp(outline.trunk(1.0, 0.5)[:, 0]) == pytest.approx(2)
    assert len(section(points, surfaces[0][1], 2, 9.0).segments) == 0


def test_landmarks_do_not_depend_on_where_the_body_stands() -> None:
    skin = part_surface(body_at(172, 70, "m").mesh, BodyPart.SKIN)
    here = body_marks(joined({BodyPart.SKIN: skin}))
    there = body_marks(joined({BodyPart.SKIN: (skin[0] + np.array([200.0, -300.0, 900.0]), skin[1])}))
    for name in ("notch", "xiphoid", "nipple_left", "apex_beat", "shoulder_left"):
        np.testing.assert_allclose(getattr(there, name) - getattr(here, name), [200, -300, 900], atol=1.0)


@pytest.mark.parametrize("who", [(175.6, 78.5, "m"), (163, 62, "f"), (185, 70, "m"), (165, 85, "f")])
def test_landmarks_of_our_own_skin_are_found_without_its_record(who: tuple[float, float, str]) -> None:
    torso = body_at(*who)
    skin = joined({BodyPart.SKIN: part_surface(torso.mesh, BodyPart.SKIN)})
    found = body_marks(skin, stature_mm=10 * who[0])
    for name in ("notch", "xiphoid", "apex_beat"):
        assert getattr(found, name)[2] == pytest.approx(getattr(torso.marks, name)[2], abs=15), name
    assert found.midline == pytest.approx(0, abs=1)
    guessed = body_marks(skin)
    assert guessed.stature_from == "chest"
    assert guessed.stature == pytest.approx(10 * who[0], rel=0.11)


def test_a_body_without_skin_or_chest_is_refused() -> None:
    bone = BodyMesh(np.eye(3), [[0, 1, 2]], [BodyPart.RIBS])
    with pytest.raises(InputError, match="found none"):
        body_marks(bone)
    with pytest.raises(InputError, match="check unit and axes"):
        body_marks(BodyMesh(np.eye(3), [[0, 1, 2]], [BodyPart.SKIN]))


def marks_of(shared: Path, name: str) -> BodyMarks:
    return body_marks(read_body(shared / "data/bodies" / BODIES[name]).mesh)


@pytest.mark.parametrize("name", sorted(BODIES))
def test_landmarks_of_shared_bodies_lie_in_order(shared: Path, name: str) -> None:
    """With head and without, with arms hanging, spread or cut off, with legs and without."""
    body = read_body(shared / "data/bodies" / BODIES[name]).mesh
    marks = body_marks(body)
    top = float(body.points[:, 2].max())
    assert marks.stature_from == ("head" if name == "vtk torso" else "whole body")
    assert 1600 < marks.stature < 1850
    assert 0.165 < (top - marks.notch[2]) / marks.stature < 0.195, "ANSUR: 0.184 of stature below the vertex"
    assert marks.xiphoid[1] < marks.notch[1] - 35, "the sternum comes forward downwards"
    assert 0.03 * marks.stature < marks.nipple_left[0] - marks.midline < 0.09 * marks.stature
    assert marks.shoulder_left[0] > marks.midline > marks.shoulder_right[0]
    assert marks.shoulder_left[2] == pytest.approx(marks.shoulder_right[2], abs=8)
    assert marks.notch[2] - 30 < marks.shoulder_left[2] < marks.notch[2] + 70


def test_the_visible_humans_heart_is_found(shared: Path) -> None:
    """Centroid within 15 mm and long axis within 15 degrees; nothing in the rule was fitted to this body."""
    file = read_body(shared / "data/bodies" / BODIES["visible human"])
    nodes = read_glb(shared / "data/hearts/visible_human_male/VH_M_Heart.glb")
    at = {name: (points @ file.affine[:3, :3].T + file.affine[:3, 3], faces) for name, (points, faces) in nodes.items()}
    chambers = [surface for name, surface in at.items() if "papillary" not in name and "valve" not in name]
    starts = np.cumsum([0, *(len(points) for points, _ in chambers)])
    faces = np.concatenate([faces + start for (_, faces), start in zip(chambers, starts, strict=False)])
    centre = surface_centre(np.concatenate([points for points, _ in chambers]), faces)
    mitral, ventricle = surface_centre(*at["VH_M_mitral_valve"]), at["VH_M_heart_left_ventricle"][0]
    axis = unit(mitral - ventricle[np.linalg.norm(ventricle - mitral, axis=1).argmax()])
    found, found_axis = centre_and_axis(heart_pose(body_marks(file.mesh)))
    assert np.linalg.norm(found - centre) < 15
    assert np.degrees(np.arccos(axis @ found_axis)) < 15


@pytest.mark.parametrize("name", sorted(BODIES))
def test_in_every_shared_body_the_heart_lies_in_the_chest(shared: Path, name: str) -> None:
    marks = marks_of(shared, name)
    points = placed_points(heart_pose(marks))
    template = load_template()
    apex = template.landmark(points, "lv_apex_epi")
    walls = points[np.unique(four_walls())]
    assert np.linalg.norm((apex - marks.apex_beat)[[0, 2]]) < 25, "the apex lies behind the apex beat"
    assert 25 < apex[1] - marks.apex_beat[1] < 80
    assert marks.xiphoid[2] - 15 < walls[:, 2].min() and walls[:, 2].max() < marks.notch[2] - 25
    share = np.mean(walls[:, 0] < marks.midline)
    assert 0.2 < share < 0.45, "a third lies to the right of the middle"

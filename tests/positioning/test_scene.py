"""Scenes: the default place, probes on the skin, pictures, JSON, files; what is wrong is noticed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from echo3d.anatomy.placement import heart_pose
from echo3d.bodies import Guest, open_body, stand
from echo3d.core.body import LUNGS, BodyPart, part_surface
from echo3d.core.pose import Pose, place
from echo3d.core.structures import Structure
from echo3d.core.views import View
from echo3d.errors import InputError
from echo3d.hearts import Source, open_heart
from echo3d.io.meshes import write_vtp
from echo3d.positioning import state as change
from echo3d.positioning.bodies import default_pose, with_room
from echo3d.positioning.cohorts import members_of
from echo3d.positioning.hearts import Moment, heart_of_file, moment_of
from echo3d.positioning.outputs import Shot, write_film, write_views
from echo3d.positioning.poses import values_of
from echo3d.positioning.previews import DRAGGED, SETTLED, Previewer, Request
from echo3d.positioning.probes import PRESS_MM
from echo3d.positioning.state import Picture, Scene, Workspace
from echo3d.slices import SliceSpec, cut_views, read_pose
from echo3d.slicing.standard import TABLE_1


def ask(scene: Scene, *, settled: bool = False, picture: Picture = Picture.LABELS):
    moment = Moment(scene.heart.mesh.points, scene.heart.labels)
    return Previewer().answer(Request(1, scene, moment, picture, settled))


def test_the_default_is_the_bodys_own(scene: Scene) -> None:
    assert np.allclose(values_of(scene.placement.pose), values_of(heart_pose(scene.body.marks)), atol=1e-9)
    assert values_of(change.with_body(scene, None).placement.pose) == (0, 0, 0, 0, 0, 0, 1)


def test_probes_touch_the_skin_and_see_the_heart(scene: Scene) -> None:
    answer = ask(scene, settled=True)
    for view, preview in answer.previews.items():
        assert preview.probe.touches, view
        assert preview.piece.labels.shape == (SETTLED, SETTLED)
        assert {Structure.LV_MYOCARDIUM, Structure.LV_CAVITY} <= set(np.unique(preview.piece.labels)), view
        away = np.abs(np.linalg.norm(scene.body.skin.points - preview.probe.sector.origin, axis=1).min())
        assert away < PRESS_MM + 6, view
        assert 0 <= preview.window <= 1
    assert answer.outside_mm == 0.0


def test_pictures_are_those_of_the_command_line(scene: Scene) -> None:
    """Without a body the standard fans are those of ``echo3d slice``, so that the two agree pixel by pixel but for the depth."""
    alone = change.with_body(scene, None)
    answer = ask(alone, settled=True)
    fans = {view: preview.probe.sector for view, preview in answer.previews.items()}
    heart = open_heart(Source(Path("template")))
    spec = SliceSpec(size=SETTLED, depth_mm=fans[View.A4C].depth, fans=fans)
    other = cut_views(replace(heart, labels=alone.heart.labels), spec)[View.A4C]
    assert (other.labels == answer.previews[View.A4C].piece.labels).mean() > 0.999


def test_probes_stay_while_the_heart_moves_unless_they_follow(scene: Scene) -> None:
    before = ask(scene).previews[View.A4C].probe.sector
    pose = Pose(scene.placement.pose.translation + np.array([4.0, 0, 0]), scene.placement.pose.rotation, scene.placement.pose.scale)
    stays = ask(change.posed(scene, pose)).previews[View.A4C].probe.sector
    follows = ask(change.posed(change.following(scene, True), pose)).previews[View.A4C].probe.sector
    assert np.array_equal(stays.origin, before.origin)
    assert not np.allclose(follows.origin, before.origin, atol=0.1)
    aimed = change.aimed(change.posed(scene, pose))
    assert np.allclose(ask(aimed).previews[View.A4C].probe.sector.origin, follows.origin)


def test_what_is_moved_with_its_probe_looks_the_same(scene: Scene) -> None:
    """Heart and probes turned as one show the same picture: the pose is applied once, and the right way round."""
    alone = change.following(change.with_body(scene, None), True)
    turned = change.posed(alone, Pose(np.array([30.0, -10.0, 5.0]), np.array([20.0, -35.0, 50.0]), 1.0))
    one, two = ask(alone), ask(turned)
    for view in (View.A4C, View.A3C):
        assert (one.previews[view].piece.labels == two.previews[view].piece.labels).mean() > 0.98, view


def test_each_adjustment_moves_the_fan(scene: Scene) -> None:
    rest = ask(scene).previews[View.A2C].probe.sector
    for key, value in (("tilt", 10), ("angulate", 10), ("rotate", 30), ("slide_lateral", 15), ("slide_elevation", 15), ("press", 5)):
        probe = ask(change.with_probe(scene, View.A2C, key, value)).previews[View.A2C].probe
        moved = max(np.abs(probe.sector.origin - rest.origin).max(), 100 * np.abs(probe.sector.lateral - rest.lateral).max())
        assert moved > 2, key
        assert probe.touches, key
    deep = change.with_probe(change.with_probe(scene, View.A2C, "depth", 120), View.A2C, "half_angle", 30)
    assert (ask(deep).previews[View.A2C].probe.sector.depth, ask(deep).previews[View.A2C].probe.sector.half_angle) == (120, 30)


def test_the_index_marker_mirrors_the_picture(scene: Scene) -> None:
    one = ask(scene).previews[View.A4C].piece.labels
    two = ask(change.with_probe(scene, View.A4C, "flipped", True)).previews[View.A4C].piece.labels
    assert one.shape == (DRAGGED, DRAGGED)
    assert (one == two[:, ::-1]).mean() > 0.99


def test_a_heart_outside_and_a_lifted_probe_are_noticed(scene: Scene) -> None:
    far = change.posed(scene, Pose(scene.placement.pose.translation + np.array([0, -60.0, 0]), scene.placement.pose.rotation))
    assert ask(far, settled=True).outside_mm > 20
    lifted = change.with_probe(scene, View.A4C, "press", -20)
    assert ask(lifted).previews[View.A4C].probe.touches is False


@pytest.mark.parametrize("picture", [one for one in Picture if one is not Picture.CYCLEGAN])  # see test_restyling
def test_every_picture_is_clear_outside_the_fan_and_not_flat_inside(scene: Scene, picture: Picture) -> None:
    preview = ask(scene, settled=True, picture=picture).previews[View.A4C]
    assert not preview.pixels[~preview.piece.inside].any()
    assert (preview.pixels[preview.piece.inside, 3] == 255).all()
    assert preview.pixels[preview.piece.inside][:, :3].std() > 5


def test_a_placement_survives_json(scene: Scene, tmp_path) -> None:
    edited = change.with_level(change.with_probe(change.mirrored(scene), View.PSAX_MID, "tilt", 7.5), 0.5)
    content = json.loads(json.dumps(change.placement_json(edited.placement)))
    again = change.pasted(scene, content)
    assert values_of(again.placement.pose) == values_of(edited.placement.pose)
    assert dict(again.placement.probes) == dict(edited.placement.probes)
    assert again.placement.level == 0.5
    with pytest.raises(InputError):
        change.pasted(scene, content | {"probes": {"a9c": {}}})


def test_another_table_moves_the_views_and_table_1_brings_them_back(scene: Scene) -> None:
    rest = {view: preview.probe.sector for view, preview in ask(scene).previews.items()}
    lower = replace(TABLE_1, shares=(0.25, 0.60, 0.75))
    moved = {view: preview.probe.sector for view, preview in ask(change.with_table(scene, lower)).previews.items()}
    changed = {view for view in View if not np.allclose(rest[view].origin, moved[view].origin, atol=0.5)}
    assert changed == {View.PSAX_APICAL}
    content = change.placement_json(change.with_table(scene, lower).placement)
    assert change.pasted(scene, json.loads(json.dumps(content))).placement.table == lower
    for wrong in ({"probe": [1, 2, 3]}, {"probe": [1, 2], "end": [1, 2, 3], "shares": [0, 0, 0]}, 5):
        with pytest.raises(InputError):
            change.pasted(scene, content | {"table": wrong})


def test_a_heart_of_a_file_stands_where_ours_does(scene: Scene, tmp_path) -> None:
    """The template written as another program would, somewhere else in space, is laid over the template by its landmarks."""
    shift = np.array([300.0, -120.0, 40.0])
    write_vtp(tmp_path / "other.vtp", replace(scene.heart.mesh, points=scene.heart.mesh.points + shift))
    heart = heart_of_file(Source(tmp_path / "other.vtp"))
    assert heart.beat is None
    there = change.with_heart(scene, heart)
    one = place(heart.landmarks["mitral"], there.placement.pose, heart.pivot)
    two = place(scene.heart.landmarks["mitral"], scene.placement.pose, scene.heart.pivot)
    assert np.linalg.norm(one - two) < 3.0
    labels = ask(there).previews[View.A4C].piece.labels
    assert (labels == ask(scene).previews[View.A4C].piece.labels).mean() > 0.93


def test_a_large_heart_of_a_file_stands_as_on_the_command_line(scene: Scene, tmp_path) -> None:
    """Place, size and lungs are those of ``echo3d slice --body``, but for its raster of 2.5 mm."""
    write_vtp(tmp_path / "large.vtp", replace(scene.heart.mesh, points=1.15 * scene.heart.mesh.points))
    heart = heart_of_file(Source(tmp_path / "large.vtp"))
    roomy = with_room(scene.body, heart)
    standing = stand(Guest(heart.labels.look_up, heart.landmarks), open_body("m:175:75"))
    pose = default_pose(heart, roomy)
    assert pose.scale == standing.pose.scale == 1.0
    assert np.allclose(pose.rotation, standing.pose.rotation, atol=1e-6)
    assert np.linalg.norm(pose.translation - standing.pose.translation) < 2.5
    for part in LUNGS:
        own, there, before = (part_surface(body, part)[0] for body in (roomy.mesh, standing.body, scene.body.mesh))
        assert abs(len(own) - len(there)) < 0.02 * len(own), "the lungs of the two differ by a voxel here and there"
        assert own.shape != before.shape, "they leave more room than for the template"
    assert roomy.skin is scene.body.skin
    assert np.array_equal(part_surface(roomy.mesh, BodyPart.RIBS)[0], part_surface(scene.body.mesh, BodyPart.RIBS)[0])
    again = with_room(roomy, scene.heart)
    assert np.array_equal(again.mesh.points, scene.body.mesh.points)


def test_a_drawn_heart_keeps_its_size(scene: Scene) -> None:
    drawn = replace(scene.heart, origin={"kind": "drawn"}, keeps_size=True)
    assert change.with_heart(scene, drawn).placement.pose.scale == 1.0
    assert change.with_heart(scene, scene.heart).placement.pose.scale == pytest.approx((1750 / 1700) ** 0.9)


def test_a_heart_too_large_for_the_chest_is_said(scene: Scene) -> None:
    giant = replace(
        scene.heart, origin={"kind": "file"}, keeps_size=True, mesh=replace(scene.heart.mesh, points=1.8 * scene.heart.mesh.points)
    )
    facts = with_room(scene.body, giant).facts
    assert any(fact.startswith("The heart does not fit") for fact in facts)
    assert with_room(scene.body, scene.heart).facts == scene.body.facts


def test_a_missing_file_is_one_sentence(tmp_path) -> None:
    for wrong in (lambda: heart_of_file(Source(tmp_path / "none.vtp")), lambda: members_of(tmp_path)):
        with pytest.raises(InputError) as caught:
            wrong()
        assert str(tmp_path) not in str(caught.value)


def test_resets(scene: Scene) -> None:
    edited = change.nudged(change.nudged(scene, 0, 10), 4, 5)
    assert values_of(edited.placement.pose)[0] == pytest.approx(values_of(scene.placement.pose)[0] + 10)
    assert np.allclose(values_of(change.reset_value(edited, 0).placement.pose)[0], values_of(scene.placement.pose)[0])
    assert np.allclose(values_of(change.at_default(edited).placement.pose), values_of(scene.placement.pose))
    two = change.with_probe(change.with_probe(scene, View.A4C, "tilt", 5), View.A2C, "tilt", 5)
    assert set(change.reset_probe(two, View.A4C).placement.probes) == {View.A2C}
    assert not change.reset_probe(two).placement.probes


def test_opacity_and_ticks() -> None:
    wall = frozenset({Structure.RV_MYOCARDIUM})
    dim = change.with_opacity(Workspace(), wall, 0.4)
    assert dim.opacities == {Structure.RV_MYOCARDIUM: 0.4}
    assert change.with_opacity(dim, wall, 1.0).opacities == {}
    assert Structure.RV_MYOCARDIUM in change.shown(dim, wall, False).hidden


def test_files(scene: Scene, tmp_path) -> None:
    from echo3d.io.images import read_png
    from echo3d.io.surfaces import read_surface

    edited = change.with_probe(scene, View.A4C, "tilt", 5)
    shot = Shot(edited, Moment(scene.heart.mesh.points, scene.heart.labels), 0, Picture.BINARY, 64)
    content = write_views(shot, tmp_path / "out")
    stored = json.loads((tmp_path / "out" / "sectors.json").read_text(encoding="utf-8"))
    assert stored == json.loads(json.dumps(content))
    for view in View:
        labels = np.load(tmp_path / "out" / f"{view.key}.npy")
        assert read_png(tmp_path / "out" / f"{view.key}.png").shape == (64, 64, 3)
        assert labels.dtype == np.uint8 and Structure.LV_MYOCARDIUM in labels
        assert set(np.unique(read_png(tmp_path / "out" / f"{view.key}_binary.png"))) <= {0, 255}
    surface = read_surface(tmp_path / "out" / "heart.vtp")
    assert np.allclose(surface.points, place(scene.heart.mesh.points, scene.placement.pose, scene.heart.pivot), atol=1e-3)
    pose = json.loads((tmp_path / "out" / "pose.json").read_text(encoding="utf-8"))
    only = {key: pose[key] for key in ("translation", "rotation", "scale")}
    (tmp_path / "pose.json").write_text(json.dumps(only), encoding="utf-8")
    assert values_of(read_pose(tmp_path / "pose.json")) == values_of(scene.placement.pose)
    with pytest.raises(InputError):
        write_views(replace(shot, scene=replace(scene, heart=None)), tmp_path / "none")


def test_films(tmp_path) -> None:
    from PIL import Image

    from echo3d.io.video import read_video

    frames = [np.full((32, 48, 3), 60 * k, np.uint8) for k in range(4)]
    write_film(tmp_path / "beat.gif", frames, 40.0)
    with Image.open(tmp_path / "beat.gif") as film:
        assert (film.n_frames, film.size, film.info["duration"]) == (4, (48, 32), 40)
    write_film(tmp_path / "beat.mp4", frames, 40.0)
    assert read_video(tmp_path / "beat.mp4").pictures.count == 4
    with pytest.raises(InputError):
        write_film(tmp_path / "beat.txt", frames, 40.0)


def test_a_still_heart_has_no_other_moment(heart) -> None:
    still = replace(heart, beat=None)
    assert moment_of(still, 0).labels is heart.labels
    with pytest.raises(InputError):
        moment_of(still, 3)

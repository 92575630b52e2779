"""Hearts in bodies from the command line: where they stand, what their probes see, what the files say, bad bodies."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from echo3d.anatomy.placement import heart_pose, placed_points, pose_of
from echo3d.anatomy.record import Body
from echo3d.anatomy.template import load_template
from echo3d.bodies import Guest, Probe, Standing, hold_probes, moved_fan, open_body, stand
from echo3d.cli import main
from echo3d.core.arrays import unit
from echo3d.core.body import LUNGS, BodyPart, part_surface
from echo3d.core.mesh import HeartMesh
from echo3d.core.pose import Pose, place, unplace
from echo3d.core.sector import Sector, sector_towards
from echo3d.core.structures import Structure
from echo3d.core.views import View
from echo3d.errors import InputError
from echo3d.hearts import SliceableHeart, Source, open_heart
from echo3d.io.meshes import write_vtp
from echo3d.slices import placed_heart
from echo3d.slicing.standard import sectors_at

Capture = pytest.CaptureFixture[str]
BODIES = (
    "visible_human_male/VH_M_Skin.glb",
    "makehuman/base.obj",
    "smpl_mean/human_man.obj",
    "smpl_mean/human_neutral.obj",
    "vtk_torso/Torso.vtp",
)


def run(words: list[str], capfd: Capture) -> dict[str, Any]:
    assert main([*words, "--json"]) == 0
    captured = capfd.readouterr()
    assert captured.err == ""
    answer: dict[str, Any] = json.loads(captured.out)
    return answer


@lru_cache(maxsize=1)
def template_heart() -> SliceableHeart:
    return open_heart(Source(Path("template")))


def guest(heart: SliceableHeart) -> Guest:
    return Guest(heart.labels.look_up, heart.landmarks, 1.0 if heart.keeps_size else None)


@lru_cache(maxsize=2)
def scene(word: str) -> tuple[Standing, SliceableHeart, dict[View, Probe]]:
    heart = template_heart()
    standing = stand(guest(heart), open_body(word))
    there = placed_heart(heart, standing)
    return standing, there, hold_probes(standing, sectors_at(there.landmarks, heart.landmarks))


def depth_mm(points: NDArray, surface: tuple[NDArray, NDArray]) -> NDArray:
    """Return how deep (mm) points lie within a closed surface."""
    import pyvista as pv

    solid = pv.PolyData.from_regular_faces(*surface)
    return -np.asarray(pv.PolyData(points).compute_implicit_distance(solid)["implicit_distance"])


@pytest.fixture(scope="module")
def sliced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("slices") / "out"
    assert main(["slice", "template", "--body", "m:180:80", "--size", "96", "--out", str(out)]) == 0
    return out


def test_pictures_fans_and_placement_belong_together(sliced: Path) -> None:
    """Each pixel shows the structure that the placement, undone, finds in the heart's own frame."""
    content = json.loads((sliced / "sectors.json").read_text())
    told = content["body"]["placement"]
    pose = Pose(told["translation"], told["rotation"], told["scale"])
    for view, entry in content["views"].items():
        labels = np.load(sliced / f"{view}.npy")
        origin, axis, lateral = (np.array(entry[name]) for name in ("origin", "axis", "lateral"))
        fan = sector_towards(origin, origin + axis, lateral, entry["half_angle"], 300.0)
        at = np.argwhere(labels > 0)[::5]
        mm = (at + 0.5 - np.array([0, 48])) * entry["pixel_mm"]
        found = template_heart().labels.look_up(unplace(fan.world(mm), pose, np.array(told["pivot"])))
        assert np.mean(found == labels[tuple(at.T)]) > 0.98, view
    heart = place(template_heart().landmarks["mitral"], pose, np.array(told["pivot"]))
    np.testing.assert_allclose(heart, content["landmarks"]["mitral"], atol=0.01)


def test_the_file_says_which_body_and_how_each_window_is(sliced: Path) -> None:
    content = json.loads((sliced / "sectors.json").read_text())
    assert content["body"]["record"] == {"height_cm": 180.0, "weight_kg": 80.0, "sex": "m"}
    assert content["warnings"] == []
    for view in View:
        entry = content["views"][view.key]
        assert entry["depth_mm"] > 120
        assert entry["probe"]["on_skin"] is True
        window = entry["probe"]
        assert window["blocked"] == pytest.approx(window["blocked_by_bone"] + window["blocked_by_lung"], abs=2e-4)
        assert window["blocked"] < 0.4
        assert window["beams_at_heart"] > 0.3
    assert content["views"]["a4c"]["probe"]["blocked"] < 0.15


def test_probes_stand_pressed_into_the_skin_and_see_the_heart() -> None:
    standing, there, probes = scene("m:180:80")
    skin = part_surface(standing.body, BodyPart.SKIN)
    for view, probe in probes.items():
        assert probe.on_skin
        assert 2 < depth_mm(probe.sector.origin[None], skin)[0] < 9, view.key
        reach = probe.sector.world(probe.sector.depth * np.array([[0.5, 0.0]]))
        assert there.labels.look_up(reach)[0] > 0, "the beam aims at the heart"


def test_the_template_stands_where_the_default_placement_puts_it() -> None:
    marks = open_body("f:165:60").chest.marks
    template, own = load_template(), heart_pose(marks)
    walls = template.points[np.unique(template.mesh.faces[np.isin(template.mesh.labels, (1, 2, 3, 4))])]
    found = pose_of(marks, template_heart().landmarks, walls)
    np.testing.assert_allclose(found.translation, own.translation, atol=1e-6)
    np.testing.assert_allclose(found.rotation, own.rotation, atol=1e-6)
    assert found.scale == pytest.approx(own.scale)


def test_a_heart_in_any_frame_comes_to_the_same_place() -> None:
    """Turned and moved hearts stand like the one they were made of; a larger one keeps its valves and reaches further left and down."""
    marks = open_body("m:175:75").chest.marks
    template = load_template()
    walls = np.unique(template.mesh.faces[np.isin(template.mesh.labels, (1, 2, 3, 4))])
    turn = Pose(np.array([30.0, -200.0, 77.0]), np.array([40.0, -70.0, 160.0]))
    moved = place(template.points, turn, np.zeros(3))
    landmarks = {name: template.landmark(moved, name) for name in template.landmarks}
    pose = pose_of(marks, landmarks, moved[walls])
    stands = placed_points(heart_pose(marks))
    np.testing.assert_allclose(place(moved, pose, landmarks["heart"]), stands, atol=1e-6)
    bigger = pose_of(marks, template_heart().landmarks, template.points[walls], scale=1.3)
    points = place(template.points, bigger, template_heart().landmarks["heart"])
    valves = [template.landmarks[name] for name in ("mitral", "tricuspid", "aortic", "pulmonary")]
    np.testing.assert_allclose(points[valves].mean(axis=0)[[0, 2]], stands[valves].mean(axis=0)[[0, 2]], atol=1e-6)
    way = template.landmark(points, "lv_apex_epi") - template.landmark(stands, "lv_apex_epi")
    assert way[0] > 5 and way[2] < -5
    assert points[walls][:, 1].min() == pytest.approx(stands[walls][:, 1].min(), abs=3), "behind the sternum still"


def test_a_heart_that_comes_as_blood_alone_lies_behind_the_sternum_too() -> None:
    """Only the LV has a wall, as in HeartDeformNets' templates; the right ventricle's blood is still its foremost part."""
    heart, body = template_heart(), open_body("m:175:75")
    bare = [int(s) for s in Structure if 1 < s < 25]

    def look_up(points: NDArray) -> NDArray:
        labels = heart.labels.look_up(points)
        return np.where(np.isin(labels, bare), 0, labels).astype(np.uint8)

    whole, blood = stand(guest(heart), body).pose, stand(Guest(look_up, heart.landmarks, None), body).pose
    np.testing.assert_allclose(blood.rotation, whole.rotation, atol=1e-6)
    assert abs(blood.translation - whole.translation)[1] < 6


def test_lungs_leave_room_for_a_large_heart(tmp_path: Path) -> None:
    from echo3d.anatomy.cohort import draw_heart, record_to_json

    record = draw_heart(np.random.default_rng(3), group="dcm")
    (tmp_path / "truth.json").write_text(json.dumps({"record": record_to_json(record)}))
    heart = open_heart(Source(tmp_path / "truth.json"))
    body = open_body("torso", heart.person)
    assert body.facts["record"]["height_cm"] == record.body.height_cm
    standing = stand(guest(heart), body)
    assert standing.pose.scale == 1.0
    for side in LUNGS:
        assert depth_mm(standing.surface.points[::3], part_surface(standing.body, side)).max() < 4.0


def test_a_heart_that_does_not_fit_is_said(tmp_path: Path, capfd: Capture) -> None:
    mesh = load_template().mesh
    write_vtp(tmp_path / "big.vtp", HeartMesh(1.5 * mesh.points, mesh.faces, mesh.labels))
    answer = run(["slice", str(tmp_path / "big.vtp"), "--body", "f:150:45", "--size", "32", "--out", str(tmp_path / "out")], capfd)
    (warning,) = answer["warnings"]
    assert "does not fit" in warning and "larger body" in warning
    assert main(["slice", str(tmp_path / "big.vtp"), "--body", "f:150:45", "--size", "32", "--out", str(tmp_path / "two")]) == 0
    told = capfd.readouterr().out
    assert "does not fit" in told and "psax_mid" in told


def test_a_given_depth_holds_in_a_body_too(tmp_path: Path, capfd: Capture) -> None:
    words = ["slice", "template", "--body", "torso", "--depth-mm", "140", "--size", "32", "--out", str(tmp_path / "out")]
    answer = run(words, capfd)
    assert {entry["depth_mm"] for entry in answer["views"].values()} == {140}
    assert "person is not known" in answer["body"]["assumed"][0]


def test_a_pose_moves_the_heart_under_standing_probes(tmp_path: Path, capfd: Capture) -> None:
    (tmp_path / "pose.json").write_text('{"translation": [0, 0, -80]}')
    plain = ["slice", "template", "--body", "m:176:78", "--size", "48"]
    still = run([*plain, "--out", str(tmp_path / "still")], capfd)
    moved = run([*plain, "--pose", str(tmp_path / "pose.json"), "--out", str(tmp_path / "moved")], capfd)
    for view in View:
        one, other = still["views"][view.key], moved["views"][view.key]
        assert one["origin"] == other["origin"] and one["axis"] == other["axis"]
    seen = "beams_at_heart"
    lost = [moved["views"][v.key]["probe"][seen] < still["views"][v.key]["probe"][seen] for v in View]
    assert sum(lost) >= 3, "the heart has gone from under most probes"


def test_the_words_for_bodies() -> None:
    assert open_body("F:160.5:55").facts["record"] == {"height_cm": 160.5, "weight_kg": 55.0, "sex": "f"}
    own = open_body("torso", Body("f", 158.0, 51.0))
    assert own.facts["record"] == {"height_cm": 158.0, "weight_kg": 51.0, "sex": "f"}
    assert open_body("torso").facts["record"]["sex"] == "m"


def test_a_fan_goes_into_the_body_and_back() -> None:
    fan = Sector(np.array([1.0, 2, 3]), np.array([0, 0, 1.0]), np.array([1.0, 0, 0]), 40, 150)
    pose, pivot = Pose(np.array([5.0, -7, 9]), np.array([20.0, 30, -40]), 1.1), np.array([10.0, 20, 30])
    there = moved_fan(fan, pose, pivot)
    back = moved_fan(there, pose, pivot, back=True)
    for name in ("origin", "axis", "lateral"):
        np.testing.assert_allclose(getattr(back, name), getattr(fan, name), atol=1e-12)
    assert not np.allclose(there.axis, fan.axis)


BAD = {
    "m:300:80": "130 to 215",
    "m:180:400": "30 to 200",
    "x:180:80": "sex",
    "m:1.8.0:80": "write a number",
    "liver": "m:178:80",
    "m:180": "m:178:80",
    "absent.obj": "found none",
    "absent.glb": "found none",
    "text.obj": "no body",
    "text.vtp": "found",
    "text.docx": ".glb",
}


@pytest.mark.parametrize("word", sorted(BAD))
def test_a_bad_body_is_one_sentence_and_exit_code_2(tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.chdir(tmp_path)
    for suffix in ("obj", "vtp", "docx"):
        (tmp_path / f"text.{suffix}").write_text("v 0 0 0\n")
    before = sorted(tmp_path.rglob("*"))
    assert main(["slice", "template", "--body", word, "--out", "out"]) == 2
    captured = capfd.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
    assert "found" in captured.err
    if BAD[word] != "no body":
        assert BAD[word] in captured.err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.slow
@pytest.mark.parametrize("name", BODIES)
def test_the_template_stands_in_every_shared_body(shared: Path, tmp_path: Path, capfd: Capture, name: str) -> None:
    answer = run(["slice", "template", "--body", str(shared / "data/bodies" / name), "--size", "64", "--out", str(tmp_path / "out")], capfd)
    assert answer["body"]["file"] == Path(name).name
    assert str(shared) not in json.dumps(answer)
    assert len(answer["body"]["assumed"]) == 3
    windows = {view: entry["probe"] for view, entry in answer["views"].items()}
    assert all(probe["on_skin"] for probe in windows.values())
    assert windows["a4c"]["blocked"] < 0.35
    assert windows["psax_basal"]["blocked"] < 0.5


@pytest.mark.slow
def test_the_visible_humans_own_heart_is_put_where_it_is(shared: Path) -> None:
    """Heart and skin come in the same coordinates, so the pose that places it should be next to none."""
    heart = open_heart(Source(shared / "data/hearts/visible_human_male/VH_M_Heart.glb"))
    standing = stand(guest(heart), open_body(str(shared / "data/bodies" / BODIES[0])))
    there = placed_heart(heart, standing).landmarks
    axes = [unit(marks["mitral"] - marks["lv_apex_epi"]) for marks in (there, heart.landmarks)]
    off = np.linalg.norm(there["heart"] - heart.landmarks["heart"])
    assert off < 15
    assert np.degrees(np.arccos(axes[0] @ axes[1])) < 15


def test_skin_that_is_not_there_leaves_the_probe_with_the_heart() -> None:
    standing, there, _ = scene("m:180:80")
    away = {View.A4C: Sector(np.array([3000.0, 0, 0]), np.array([0, 0, 1.0]), np.array([1.0, 0, 0]), 40, 150)}
    probe = hold_probes(standing, away)[View.A4C]
    assert not probe.on_skin
    np.testing.assert_array_equal(probe.sector.origin, away[View.A4C].origin)
    with pytest.raises(InputError, match="found none"):
        from echo3d.anatomy.window import best_window

        best_window(standing.body, standing.surface, away[View.A4C])

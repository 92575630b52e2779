"""Six views of any heart as files, from the command line: own and foreign hearts, a pose, absent parts, bad input."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from echo3d.anatomy.template import load_template
from echo3d.cli import main
from echo3d.core.mesh import HeartMesh
from echo3d.core.structures import Structure, colour
from echo3d.core.views import View
from echo3d.errors import InputError
from echo3d.hearts import Source, open_heart
from echo3d.imports import import_cohort
from echo3d.io.meshes import export_mesh, write_vtp
from echo3d.slices import SliceSpec, coloured, cut_views, read_pose
from tests.tetrahedra import wall_tetrahedra, write_ascii

Capture = pytest.CaptureFixture[str]
FILES = sorted(["sectors.json", *(f"{view.key}.{kind}" for view in View for kind in ("npy", "png"))])
S = Structure


def slices(folder: Path) -> dict[View, np.ndarray]:
    return {view: np.load(folder / f"{view.key}.npy") for view in View}


def run(words: list[str], capfd: Capture) -> dict[str, Any]:
    assert main([*words, "--json"]) == 0
    captured = capfd.readouterr()
    assert captured.err == ""
    answer: dict[str, Any] = json.loads(captured.out)
    return answer


@pytest.fixture(scope="module")
def template_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("slices") / "template"
    assert main(["slice", "template", "--out", str(out)]) == 0
    return out


def agreement(one: dict[View, np.ndarray], other: dict[View, np.ndarray]) -> float:
    """Return the share of equal pixels among those that show a heart in either."""
    pairs = [(a[(a > 0) | (b > 0)], b[(a > 0) | (b > 0)]) for a, b in zip(one.values(), other.values(), strict=True)]
    return float(np.mean(np.concatenate([a == b for a, b in pairs])))


def test_the_template_gives_six_pictures_their_tags_and_fans(template_folder: Path) -> None:
    assert sorted(file.name for file in template_folder.iterdir()) == FILES
    content = json.loads((template_folder / "sectors.json").read_text())
    assert list(content["views"]) == [view.key for view in View]
    assert (content["missing"], content["size"], content["size_known"]) == ([], 256, True)
    for view, labels in slices(template_folder).items():
        fan = content["views"][view.key]
        assert (labels.dtype, labels.shape) == (np.uint8, (256, 256))
        assert (fan["depth_mm"], fan["half_angle"]) == (160, 40)
        assert fan["pixel_mm"] * 256 == pytest.approx(2 * 160 * np.sin(np.radians(40)), rel=1e-4)
        assert fan["area_mm2"]["LV_CAVITY"] == pytest.approx((labels == S.LV_CAVITY).sum() * fan["pixel_mm"] ** 2, abs=0.1)
        picture = cv2.imread(str(template_folder / f"{view.key}.png"))[..., ::-1]
        assert np.array_equal(picture, coloured(labels))
        assert tuple(picture[labels == S.LV_CAVITY][0]) == colour(S.LV_CAVITY)


def test_a_mesh_of_ours_slices_like_the_template(tmp_path: Path, template_folder: Path, capfd: Capture) -> None:
    write_vtp(tmp_path / "heart_ed.vtp", load_template().mesh)
    answer = run(["slice", str(tmp_path / "heart_ed.vtp"), "--out", str(tmp_path / "out")], capfd)
    assert answer["files"] == FILES
    assert answer["missing"] == []
    assert agreement(slices(tmp_path / "out"), slices(template_folder)) > 0.93


def test_a_record_is_rebuilt_and_sliced(tmp_path: Path, capfd: Capture) -> None:
    from echo3d.anatomy.cohort import draw_heart, record_to_json

    record = draw_heart(np.random.default_rng(1), group="dcm")
    (tmp_path / "truth.json").write_text(json.dumps({"record": record_to_json(record)}))
    answer = run(["slice", str(tmp_path / "truth.json"), "--out", str(tmp_path / "out"), "--size", "128", "--depth-mm", "200"], capfd)
    assert "record" in answer["assumed"][0]
    assert slices(tmp_path / "out")[View.A4C].shape == (128, 128)
    assert (slices(tmp_path / "out")[View.A4C] == S.LV_CAVITY).any()


def test_the_published_format_slices_like_ours(tmp_path: Path, template_folder: Path, capfd: Capture) -> None:
    points, tetrahedra, tags = wall_tetrahedra(1.5)
    write_ascii(tmp_path / "full_heart_mesh_003.vtk", points, tetrahedra, tags)
    run(["cohort", "import", str(tmp_path / "full_heart_mesh_003.vtk"), "--out", str(tmp_path / "cohort")], capfd)
    (entry,) = json.loads((tmp_path / "cohort/cohort.json").read_text())["hearts"]
    assert entry["case"] == 3
    assert entry["missing"] == []
    template = slices(template_folder)
    for name in (entry["labels"], entry["surface"]):
        run(["slice", str(tmp_path / "cohort" / name), "--out", str(tmp_path / name[-3:])], capfd)
        found = slices(tmp_path / name[-3:])
        assert agreement(found, template) > 0.85
        assert (found[View.A4C] == S.RA_CAVITY).sum() == pytest.approx((template[View.A4C] == S.RA_CAVITY).sum(), rel=0.15)


def test_an_absent_chamber_is_told_and_the_rest_is_sliced(tmp_path: Path, capfd: Capture) -> None:
    points, tetrahedra, tags = wall_tetrahedra(2.0)
    kept = np.isin(tags, (1, 2, 7, 8, 9, 10))
    write_ascii(tmp_path / "ventricles.vtk", points, tetrahedra[kept], tags[kept])
    answer = run(["slice", str(tmp_path / "ventricles.vtk"), "--out", str(tmp_path / "out")], capfd)
    assert {"LA_CAVITY", "RA_WALL", "AORTA"} <= set(answer["missing"])
    assert "not found, so placed" in answer["assumed"][-1]
    found = slices(tmp_path / "out")
    assert all((labels == S.LV_MYOCARDIUM).any() for labels in found.values())
    assert not any((labels == S.LA_CAVITY).any() for labels in found.values())


def test_a_pose_moves_the_heart_under_the_probes(tmp_path: Path) -> None:
    (tmp_path / "pose.json").write_text('{"translation": [0, 0, 7]}')
    pose = read_pose(tmp_path / "pose.json")
    heart = open_heart(Source(Path("template")))
    still, moved = cut_views(heart, SliceSpec()), cut_views(heart, SliceSpec(pose=pose))
    for view in View:
        fan = still[view].sector
        assert np.array_equal(fan.origin, moved[view].sector.origin)
        inside = np.argwhere(moved[view].labels > 0)[::37]
        pixel = moved[view].pixel_mm
        world = fan.world(np.stack([(inside[:, 0] + 0.5) * pixel, (inside[:, 1] + 0.5 - 128) * pixel], axis=1))
        assert np.mean(heart.labels.look_up(world - [0, 0, 7]) == moved[view].labels[tuple(inside.T)]) > 0.98
    assert not np.array_equal(still[View.A4C].labels, moved[View.A4C].labels)


def test_fans_of_a_body_take_the_place_of_the_hearts_own() -> None:
    heart = open_heart(Source(Path("template")))
    fan = cut_views(heart, SliceSpec())[View.A2C].sector
    given = cut_views(heart, SliceSpec(fans={View.A4C: fan}))
    assert list(given) == [View.A4C]
    assert np.array_equal(given[View.A4C].sector.axis, fan.axis)


def test_hearts_imported_side_by_side_are_the_same(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    points, tetrahedra, tags = wall_tetrahedra(3.0)
    for number in (10, 9):
        write_ascii(tmp_path / f"in/heart_{number}.vtk", points + number, tetrahedra, tags)
    one = import_cohort(Source(tmp_path / "in"), tmp_path / "one")
    with ThreadPoolExecutor(2) as executor:
        two = import_cohort(Source(tmp_path / "in"), tmp_path / "two", executor=executor)
    assert one == two
    assert [heart["case"] for heart in one["hearts"]] == [9, 10]
    assert (tmp_path / "one/heart_9.npz").read_bytes() == (tmp_path / "two/heart_9.npz").read_bytes()


POSES = {
    "text": "hello",
    "list": "[1]",
    "short": '{"translation": [1, 2]}',
    "nan": '{"rotation": [NaN, 0, 0]}',
    "scale": '{"scale": 100}',
    "more": '{"shift": [0, 0, 0]}',
    "word": '{"scale": "big"}',
}


@pytest.mark.parametrize("name", sorted(POSES))
def test_bad_poses_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "pose.json").write_text(POSES[name])
    with pytest.raises(InputError, match="a pose must be JSON"):
        read_pose(tmp_path / "pose.json")


def sphere(folder: Path, labels: int) -> Path:
    template = load_template().mesh
    path = folder / "in" / "heart.vtk"
    export_mesh(path, HeartMesh(template.points, template.faces, np.full(len(template.faces), labels)))
    return path


BAD: dict[str, tuple[list[str], str]] = {
    "nothing there": (["slice", "absent.vtp"], "found none"),
    "no template": (["slice", "templates"], "no suffix"),
    "unknown order": (["slice", "in/heart.vtk", "--order", "random"], "heart-failure"),
    "unknown unit": (["slice", "in/heart.vtk", "--units", "ell"], "one of"),
    "absurd unit": (["slice", "in/heart.vtk", "--units", "m"], "another unit"),
    "unknown axes": (["slice", "in/heart.vtk", "--axes", "XYZ"], "three letters"),
    "wrong array": (["slice", "in/heart.vtk", "--array", "label"], "elemTag"),
    "empty tag": (["slice", "in/heart.vtk", "--mapping", "in/map.json"], "found none of '17'"),
    "no mapping": (["slice", "in/heart.vtk", "--mapping", "absent.json"], "mapping"),
    "no left ventricle": (["slice", "in/heart.vtk"], "left ventricle"),
    "size": (["slice", "template", "--size", "9999"], "--size"),
    "depth": (["slice", "template", "--depth-mm", "nan"], "--depth-mm"),
    "no pose": (["slice", "template", "--pose", "absent.json"], "a pose"),
    "no record": (["slice", "in/map.json"], "record"),
    "no label volume": (["slice", "absent.npz"], "found none"),
    "empty folder": (["cohort", "import", "empty"], "found none"),
    "import of nothing": (["cohort", "import", "absent.vtk"], "found none"),
    "one of two is bad": (["cohort", "import", "in"], "heart 1 of 1"),
    "no command": (["cohort"], "see echo3d --help"),
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_bad_input_is_one_sentence_exit_code_2_and_no_output(
    tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("in", "empty"):
        (tmp_path / folder).mkdir()
    sphere(tmp_path, 4)
    (tmp_path / "in/map.json").write_text('{"4": 1, "17": 2}')
    words, told = BAD[name]
    told = "left ventricle" if name == "one of two is bad" else told
    before = sorted(tmp_path.rglob("*"))
    assert main([*words, "--out", "out"] if len(words) > 1 else words) == 2
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("echo3d: ") and captured.err.count("\n") == 1
    assert told in captured.err
    assert str(tmp_path) not in captured.err
    assert sorted(tmp_path.rglob("*")) == before


def test_earlier_slices_are_replaced_with_force_only(tmp_path: Path, capfd: Capture) -> None:
    out = str(tmp_path / "out")
    assert main(["slice", "template", "--out", out, "--size", "64"]) == 0
    assert main(["slice", "template", "--out", out, "--size", "32"]) == 2
    assert "--force" in capfd.readouterr().err
    assert main(["slice", "template", "--out", out, "--size", "32", "--force"]) == 0
    assert slices(tmp_path / "out")[View.A4C].shape == (32, 32)


ORIGINS = {"hearts/rodero_ssm/hearts/heart_05.vtp": 4, "hearts/visible_human_male/VH_M_Heart.glb": 4}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(ORIGINS))
def test_shared_hearts_look_like_the_textbook(tmp_path: Path, shared: Path, capfd: Capture, name: str) -> None:
    run(["slice", str(shared / "data" / name), "--out", str(tmp_path / "out")], capfd)
    found = slices(tmp_path / "out")

    def middle(view: View, structure: Structure) -> np.ndarray:
        assert (found[view] == structure).sum() > 20, (view.key, structure.title)
        return np.argwhere(found[view] == structure).mean(axis=0)

    lv, rv, la, ra = (middle(View.A4C, s) for s in (S.LV_CAVITY, S.RV_CAVITY, S.LA_CAVITY, S.RA_CAVITY))
    assert rv[1] < lv[1] and ra[1] < la[1] and lv[0] < la[0] and rv[0] < ra[0]
    assert not (found[View.A2C] == S.RA_CAVITY).any()
    assert middle(View.A2C, S.LV_CAVITY)[0] < middle(View.A2C, S.LA_CAVITY)[0]
    assert middle(View.A3C, S.AORTIC_VALVE)[1] > middle(View.A3C, S.LA_CAVITY)[1]
    for view in (View.PSAX_BASAL, View.PSAX_MID, View.PSAX_APICAL):
        right = S.RV_MYOCARDIUM if view is View.PSAX_APICAL else S.RV_CAVITY
        assert (middle(view, right) < middle(view, S.LV_CAVITY)).all()
        assert not np.isin(found[view], [S.LA_CAVITY, S.RA_CAVITY]).any()


@pytest.mark.slow
def test_a_folder_of_shared_templates_becomes_a_cohort(tmp_path: Path, shared: Path, capfd: Capture) -> None:
    answer = run(["cohort", "import", str(shared / "data/hearts/heartdeformnets_templates"), "--out", str(tmp_path / "out")], capfd)
    assert [heart["name"] for heart in answer["hearts"]] == ["mmwhs_template", "wh_template"]
    assert answer["files"] == ["cohort.json", *(f"{n}_template.{kind}" for n in ("mmwhs", "wh") for kind in ("npz", "vtp"))]
    assert all(not heart["size_known"] for heart in answer["hearts"])
    capfd.readouterr()
    run(
        ["cohort", "import", str(shared / "data/hearts/heartdeformnets_templates"), "--units", "217", "--out", str(tmp_path / "sized")],
        capfd,
    )
    sized = json.loads((tmp_path / "sized/cohort.json").read_text())["hearts"][1]
    assert sized["size_known"]
    assert sized["volumes_ml"]["lv"] == pytest.approx(49.0, rel=0.03)

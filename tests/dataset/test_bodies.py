"""Hearts of a data set that stand in a body: probes on its skin, its shadows in the pictures, its hash in the manifest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from echo3d.bodies import held, open_body
from echo3d.core.body import BodyMesh, BodyPart, part_surface
from echo3d.core.mesh import HeartMesh
from echo3d.core.structures import Structure
from echo3d.core.views import View
from echo3d.dataset.bodies import body_digest, near, stand_of
from echo3d.dataset.files import heart_name, read_arrays, read_record
from echo3d.dataset.generate import generate
from echo3d.dataset.hearts import heart_at
from echo3d.dataset.manifest import check_files, read_manifest, spec_of
from echo3d.dataset.sample import draw_hand, make_heart
from echo3d.dataset.spec import DatasetSpec, spec_from_json, spec_to_json
from echo3d.errors import InputError
from echo3d.io.meshes import write_vtp
from echo3d.slicing.standard import jittered, sectors_at
from tests.cohort.inline import Inline

SPEC = DatasetSpec(1, seed=4, stage="echo", phases=("ed",), size=64, views=(View.A4C, View.PSAX_BASAL), body="m:178:80")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sets") / "set"
    generate(SPEC, out, Inline())
    return out


def test_the_manifest_names_the_body_by_hash_and_each_heart_tells_how_it_stands(made: Path) -> None:
    about = read_manifest(made)
    assert about["spec"]["body"] == body_digest("m:178:80") and len(about["spec"]["body"]["sha256"]) == 64
    assert spec_of(about) == SPEC and check_files(made) == 1
    body = about["files"][0]["body"]
    assert (body["kind"], body["record"]["height_cm"], body["record"]["sex"]) == ("own", 178, "m") and body["placement"]["scale"] == 1
    windows = read_record(made / heart_name(0))[0]["hands"][0]["windows"]
    assert set(windows) == {"a4c", "psax_basal"} and all(one["on_skin"] and one["blocked"] < 0.5 for one in windows.values())


def test_the_truth_lies_where_the_pictures_show_it(made: Path) -> None:
    from echo3d.anatomy.template import load_template

    data = read_arrays(made / heart_name(0), ("labels", "field", "sectors", "volumes"))
    template, grid = load_template(), SPEC.grid
    lv = template.landmark(template.points + data["field"][0], "lv")
    origin, axis, lateral = data["sectors"][0][0].reshape(3, 3).astype(float)
    row, column = int((lv - origin) @ axis / grid.pixel_mm), int((lv - origin) @ lateral / grid.pixel_mm + grid.width / 2)
    assert data["labels"][0, 0, row, column] == Structure.LV_CAVITY
    assert template.volumes_ml(template.points + data["field"][0])["lv"] == pytest.approx(data["volumes"][0, 0], rel=0.005)


def test_ribs_and_lungs_shade_echo_pictures_and_a_body_changes_nothing_else_of_the_hand(made: Path) -> None:
    shaded = read_arrays(made / heart_name(0), ("image", "labels", "volumes"))
    alone = make_heart(replace(SPEC, body=""), None, 0)
    assert np.allclose(alone.arrays["volumes"], shaded["volumes"], rtol=1e-5)
    assert not np.array_equal(alone.arrays["labels"], shaded["labels"]), "the skin holds the probes elsewhere"
    hand, other = alone.record["hands"][0], read_record(made / heart_name(0))[0]["hands"][0]
    assert json.loads(json.dumps(hand["probe"])) == other["probe"] and "windows" not in hand
    plain = make_heart(replace(SPEC, stage="labels"), None, 0).arrays["labels"]
    assert np.array_equal(plain, shaded["labels"]), "the stage changes no slice"


def test_what_is_left_out_of_the_body_changes_no_probe() -> None:
    heart = heart_at(SPEC, None, 0)
    there = stand_of("f:160:70", heart)
    standard, hand = sectors_at(there.landmarks, heart.mean, level=0.4), draw_hand(SPEC, 0, 0)
    for view in View:
        fan, on_skin = there.hold(standard[view], hand.probe[view])
        whole = held(there.standing, jittered(standard[view], replace(hand.probe[view], standoff=0.0)))
        assert on_skin == whole.on_skin and np.array_equal(fan.origin, whole.sector.origin) and np.array_equal(fan.axis, whole.sector.axis)
        assert len(near(there.standing.body, fan).faces) < 0.8 * len(there.standing.body.faces)


def test_each_hearts_own_person_is_its_body() -> None:
    one = make_heart(replace(SPEC, stage="labels", body="torso", views=(View.A4C,)), None, 0).record
    person = one["record"]["body"]
    assert {name: one["body"]["record"][name] for name in person} == person
    assert "sha256" in body_digest("torso")


def test_a_file_is_named_by_its_bytes_and_not_by_its_place(tmp_path: Path) -> None:
    from echo3d.anatomy.chest import whole_body

    mesh = whole_body(open_body("f:160:60").chest, lambda points: np.zeros(points.shape[:-1], bool))
    write_skin(mesh, tmp_path / "person.vtp")
    spec = replace(SPEC, stage="labels", views=(View.A4C,), size=32, body=str(tmp_path / "person.vtp"))
    about = generate(spec, tmp_path / "set", Inline())
    sha256 = hashlib.sha256((tmp_path / "person.vtp").read_bytes()).hexdigest()
    assert about["spec"]["body"] == {"name": "person.vtp", "sha256": sha256}
    assert str(tmp_path) not in (tmp_path / "set" / "manifest.json").read_text(encoding="utf-8")
    assert about["files"][0]["body"]["kind"] == "file"
    write_skin(BodyMesh(1.01 * mesh.points, mesh.faces, mesh.labels), tmp_path / "person.vtp")
    with pytest.raises(InputError):
        generate(spec, tmp_path / "set", Inline())


def write_skin(mesh: BodyMesh, path: Path) -> None:
    points, faces = part_surface(mesh, BodyPart.SKIN)
    write_vtp(path, HeartMesh(points, faces, np.ones(len(faces), np.uint8)))


@pytest.mark.parametrize("word", ["nobody.stl", "x", "m:tall:80"])
def test_no_such_body_is_one_sentence(tmp_path: Path, word: str) -> None:
    with pytest.raises(InputError, match="m:178:80"):
        generate(replace(SPEC, body=word), tmp_path / "set", Inline())
    assert not (tmp_path / "set").exists()


def test_a_set_without_a_body_says_what_it_said_before_there_were_any() -> None:
    assert "body" not in spec_to_json(DatasetSpec(2)) and spec_from_json(spec_to_json(SPEC)) == SPEC

"""``echo3d register``: files, report and refusals, as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from echo3d.anatomy.template import load_template
from echo3d.cli import main
from echo3d.core.mesh import HeartMesh
from echo3d.hearts import Source
from echo3d.io.meshes import write_vtp
from echo3d.registration.register import register
from echo3d.registrations import open_target
from training.registration import FITTED_PARTS, drawn, fitted


@pytest.fixture(scope="module")
def heart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A remeshed drawn heart in a file without our mark, so that it is read as another program's."""
    _, _, target = drawn(61, 6, True)
    path = tmp_path_factory.mktemp("heart") / "heart.vtp"
    write_vtp(path, HeartMesh(target.points, target.faces, target.tags))
    return path


def test_a_heart_file_becomes_a_field(heart: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["register", str(heart), "--out", str(tmp_path / "out"), "--json"]) == 0
    answer = json.loads(capfd.readouterr().out)
    assert answer["files"] == ["field.npz", "register.png", "registered.vtp", "report.json"]
    assert answer["distance_mm"] < 0.3 and answer["folded_points"] == 0
    assert set(answer["volumes"]) == {"lv", "rv", "la", "ra"}
    assert all(abs(volume["off_percent"]) < 4 for volume in answer["volumes"].values())  # the file's own are counted in voxels
    assert str(tmp_path) not in json.dumps(answer)
    template = load_template()
    with np.load(tmp_path / "out" / "field.npz") as data:
        assert data["vectors"].shape == template.points.shape
        assert str(data["template_sha256"]) == template.sha256
        own, field = template.volumes_ml(data["points"].astype(float)), template.volumes_ml(template.points + data["vectors"])
        assert all(field[key] == pytest.approx(ml, rel=1e-3) for key, ml in own.items())
    picture = np.asarray(Image.open(tmp_path / "out" / "register.png"))
    assert picture.shape == (420, 1680, 3)
    assert all((cell < 250).any(axis=2).mean() > 0.2 for cell in np.split(picture, 4, axis=1))


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--method", "magic"], "--method must be one of"), (["--tags", "nothing_here"], "nothing_here")],
)
def test_wrong_words_are_said_in_a_sentence(
    words: list[str], said: str, heart: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["register", str(heart), "--out", str(tmp_path / "out"), *words]) == 2
    assert said in capfd.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_body_is_no_heart(shared: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    body = shared / "data" / "bodies" / "smpl_mean" / "human_neutral.obj"
    assert main(["register", str(body), "--out", str(tmp_path / "out"), "--tags", "none"]) in (2, 3)
    said = capfd.readouterr().err
    assert "heart" in said and said.count("\n") <= 2
    assert not (tmp_path / "out").exists()


def test_a_real_heart_of_the_published_cohort(shared: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    heart = shared / "data" / "hearts" / "rodero_ssm" / "hearts" / "heart_05.vtp"
    assert main(["register", str(heart), "--out", str(tmp_path / "out"), "--json"]) == 0
    answer = json.loads(capfd.readouterr().out)
    assert answer["distance_mm"] < 0.8
    assert answer["folded_points"] == 0


def test_a_folder_of_hearts_goes_on_where_it_stopped(heart: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder, out = tmp_path / "hearts", tmp_path / "out"
    folder.mkdir()
    (folder / "a.vtp").write_bytes(heart.read_bytes())
    (folder / "b.vtp").write_bytes(b"no mesh")
    words = ["cohort", "import", str(folder), "--register", "--workers", "1", "--out", str(out), "--json"]
    assert main(words) == 0
    first = json.loads(capfd.readouterr().out)
    assert first["worst"] == ["a"] and first["failed"] == ["b"]
    made = (out / "a" / "field.npz").stat().st_mtime_ns
    (folder / "b.vtp").unlink()
    assert main(words) == 0
    again = json.loads(capfd.readouterr().out)
    assert again["failed"] == [] and again["hearts"][0]["registration"] == first["hearts"][0]["registration"]
    assert (out / "a" / "field.npz").stat().st_mtime_ns == made
    assert "| a |" in (out / "quality.md").read_text()
    assert main([*words, "--order", "heart-failure"]) == 2
    assert "settings it was begun with" in capfd.readouterr().err


def test_chambers_inside_out_and_open_at_the_base_are_lidded_and_turned(shared: Path) -> None:
    """The two-ventricle surface has one open base a chamber, and normals that leave the muscle."""
    heart = open_target(Source(shared / "data" / "hearts" / "cobiveco_geo1" / "heart.vtp"))
    assert heart.assumed[-1] == "openings closed by lids: LV cavity, RV cavity"
    found = register(load_template(), heart.target)
    assert found.distance_mm < 0.3
    assert found.folded == 0
    own = load_template().volumes_ml(found.points)
    assert all(own[key] == pytest.approx(ml, rel=0.02) for key, ml in heart.volumes_ml.items())


def test_a_fitted_heart_without_septum_keeps_its_left_ventricle(shared: Path) -> None:
    """The right ventricle of these files is a free wall; its largest opening is the septum's and gets no lid."""
    folder = shared / "data" / "hearts" / "bivme_patient1" / "fitted"
    heart = fitted([folder / f"patient1_{kind}_010.vtk" for kind in FITTED_PARTS])
    found = register(load_template(), heart.target)
    assert found.distance_mm < 0.8
    assert found.folded == 0
    assert load_template().volumes_ml(found.points)["lv"] == pytest.approx(heart.volumes_ml["lv"], rel=0.02)

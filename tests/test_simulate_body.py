"""A synthetic study taken through a chest: its own ribs and lungs cast the shadows, its skin holds the probes, its truth says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from echo3d.bodies import moved_fan, open_body
from echo3d.cli import main
from echo3d.core.body import BodyPart, part_surface
from echo3d.core.pose import Pose
from echo3d.core.sector import Sector
from echo3d.core.views import View
from echo3d.io.studies import load_study
from echo3d.simulate import Simulation, simulate_study

SPEC = Simulation(seed=8, pathology="none", views=(View.A4C, View.A2C), phases=4, body="m:175:110")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("simulated") / "study"
    simulate_study(SPEC, out)
    return out


def truth_of(folder: Path) -> dict[str, Any]:
    truth: dict[str, Any] = json.loads((folder / "truth.json").read_text())
    return truth


def fan_of(truth: dict[str, Any], view: str) -> Sector:
    plane = truth["planes"][view]
    return Sector(plane["origin"], plane["axis"], plane["lateral"], plane["half_angle"], plane["depth_mm"])


def behind(shape: tuple[int, int], fan: Sector, shadow_mm: list[float | None]) -> tuple[NDArray, NDArray]:
    """Return the masks of pixels 6 mm or more behind a shadow's start, and of the rest of the fan beyond 40 mm."""
    pixel = max(fan.depth, 2 * fan.depth * np.sin(np.radians(fan.half_angle))) / shape[0]
    rows, columns = np.mgrid[: shape[0], : shape[1]] + 0.5
    down, right = rows * pixel, (columns - shape[1] / 2) * pixel
    radius, angle = np.hypot(down, right), np.degrees(np.arctan2(right, down))
    inside = (radius < fan.depth) & (np.abs(angle) < fan.half_angle)
    line = np.clip(((angle / fan.half_angle + 1) / 2 * len(shadow_mm)).astype(int), 0, len(shadow_mm) - 1)
    start = np.array([np.inf if mm is None else mm for mm in shadow_mm])[line]
    return inside & (radius > start + 6), inside & (radius < start - 2) & (radius > 40)


def test_it_is_dark_behind_bone_and_lung(study: Path) -> None:
    truth, clips = truth_of(study), load_study([study]).by_view()
    for view, clip in clips.items():
        shadow = truth["windows"][view.key]["shadow_mm"]
        assert len(shadow) == 128
        picture = np.asarray(clip.frames[0], float)
        dark, seen = behind(picture.shape[:2], fan_of(truth, view.key), shadow)
        assert dark.sum() > 1000
        assert picture[dark].mean() < 0.4 * picture[seen].mean(), view.key
    assert truth["windows"]["a2c"]["blocked"] > 0.1


def test_planes_stay_in_the_hearts_frame_and_placement_brings_them_onto_the_skin(study: Path) -> None:
    import pyvista as pv

    truth = truth_of(study)
    told = truth["body"]["placement"]
    assert told["scale"] == 1.0
    pose, pivot = Pose(told["translation"], told["rotation"]), np.array(told["pivot"])
    skin = pv.PolyData.from_regular_faces(*part_surface(open_body("m:175:110").chest.skin, BodyPart.SKIN))
    for view in ("a4c", "a2c"):
        assert truth["windows"][view]["on_skin"]
        origin = moved_fan(fan_of(truth, view), pose, pivot).origin
        depth = -float(pv.PolyData(origin[None]).compute_implicit_distance(skin)["implicit_distance"][0])
        assert 2 < depth < 16, "pressed into the skin"


def test_a_body_changes_pictures_and_nothing_of_the_heart(study: Path, tmp_path: Path) -> None:
    plain = simulate_study(Simulation(seed=8, pathology="none", views=(View.A4C,), phases=4), tmp_path / "plain")
    truth = truth_of(study)
    assert plain["lv_ml"] == truth["lv_ml"]
    assert json.loads(json.dumps(plain["record"])) == truth["record"]
    assert not {"body", "windows", "warnings"} & set(plain)
    assert truth["body"]["record"] == {"height_cm": 175.0, "weight_kg": 110.0, "sex": "m"}
    look = truth["looks"]["a4c"]
    assert look["rib_db"] == 0 and look["shadow_deg"] == [0, 0], "the body's shadows take the place of drawn ones"
    assert plain["looks"]["a4c"]["seed"] == look["seed"]


def test_on_the_command_line_the_hearts_own_person_is_the_body(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["simulate", "--seed", "3", "--views", "psax_mid", "--body", "torso", "--out", str(tmp_path / "out"), "--json"]
    assert main(words) == 0
    answer = json.loads(capfd.readouterr().out)
    person = truth_of(tmp_path / "out")["record"]["body"]
    assert answer["body"]["record"] == {"height_cm": person["height_cm"], "weight_kg": person["weight_kg"], "sex": person["sex"]}
    assert list(answer["windows"]) == ["psax_mid"]


def test_a_bad_body_is_refused_before_anything_is_written(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--body", "absent.obj", "--out", str(tmp_path / "out")]) == 2
    captured = capfd.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1 and "found none" in captured.err
    assert not (tmp_path / "out").exists()

"""A data set is whole, true, the same whichever way it came about, and loses nothing when it is killed."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from echo3d.anatomy.template import load_template
from echo3d.cohort.generate import generate as generate_cohort
from echo3d.cohort.spec import CohortSpec
from echo3d.core.structures import Structure
from echo3d.core.views import View
from echo3d.dataset import sample
from echo3d.dataset.files import heart_name, read_arrays, read_record
from echo3d.dataset.folder import MANIFEST, read_json
from echo3d.dataset.generate import generate
from echo3d.dataset.manifest import check_files, read_manifest, spec_of, split
from echo3d.dataset.sample import draw_hand, make_heart
from echo3d.dataset.spec import DatasetSpec, spec_from_json
from echo3d.errors import InputError, StoppedError
from tests.cohort.inline import Inline
from tests.disks import disk

SPEC = DatasetSpec(4, seed=11, stage="binary", hands=2, pose={"rz": (-10, 10), "scale": (0.9, 1.1)}, probe={"tilt": (-3, 3)})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sets") / "set"
    generate(SPEC, out, Inline())
    return out


def hashes(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != ".lock"}


def test_the_manifest_tells_all_and_the_files_are_as_it_says(made: Path) -> None:
    about = read_manifest(made)
    assert (about["hearts"], about["samples"], about["split"]) == (4, 16, {"train": 3, "validation": 1})
    assert check_files(made) == 4 and spec_of(about) == SPEC
    assert about["bytes"] == sum((made / heart["file"]).stat().st_size for heart in about["files"])
    assert all(heart["record"]["beat"]["ef"] > 0 and heart["group"] for heart in about["files"])
    assert sorted(path.name for path in made.iterdir()) == ["hearts", "manifest.json", "plan.json"]


def test_a_changed_file_is_found(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "copy")
    path = tmp_path / "copy" / heart_name(2)
    content = bytearray(path.read_bytes())
    content[5000] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="000002.npz changed"):
        check_files(tmp_path / "copy")
    with pytest.raises(InputError, match="finished folder"):
        read_manifest(tmp_path)


def test_order_and_number_of_workers_change_nothing(made: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        generate(SPEC, tmp_path / "other", pool)
    assert hashes(made) == hashes(tmp_path / "other")


def test_a_sample_depends_on_seed_and_number_alone(made: Path) -> None:
    alone = make_heart(replace(SPEC, count=3), None, 2)
    stored = read_arrays(made / heart_name(2), tuple(alone.arrays))
    assert all(np.array_equal(alone.arrays[key], stored[key]) for key in stored)
    assert read_record(made / heart_name(2))[0] == json.loads(json.dumps(alone.record))


def test_one_view_is_the_same_whichever_others_are_asked_for_and_ranges_touch_only_their_own_number() -> None:
    hand = draw_hand(SPEC, 1, 0)
    plain = draw_hand(DatasetSpec(4, seed=11, views=(View.A2C,)), 1, 0)
    assert replace(plain.probe[View.A2C], tilt=0) == replace(hand.probe[View.A2C], tilt=0) and plain.speckle == hand.speckle
    assert plain.pose == {"x": 0, "y": 0, "z": 0, "rx": 0, "ry": 0, "rz": 0, "scale": 1}
    assert -10 <= hand.pose["rz"] <= 10 and 0.9 <= hand.pose["scale"] <= 1.1
    many = [draw_hand(SPEC, k, 0) for k in range(60)]
    tilts = [one.probe[view].tilt for one in many for view in View]
    assert -3 <= min(tilts) < -2.8 and 2.8 < max(tilts) <= 3
    assert len({one.pose["rz"] for one in many}) == 60


def test_the_truth_lies_where_the_pictures_show_it(made: Path) -> None:
    template, grid = load_template(), SPEC.grid
    for index in range(4):
        data = read_arrays(made / heart_name(index), ("labels", "image", "field", "sectors", "volumes", "pose"))
        for k in range(4):
            lv = template.landmark(template.points + data["field"][k], "lv")
            for view in (View.A4C, View.A2C, View.PSAX_BASAL):
                origin, axis, lateral = data["sectors"][k][view].reshape(3, 3).astype(float)
                depth, across = (lv - origin) @ axis, (lv - origin) @ lateral
                off = abs((lv - origin) @ np.cross(lateral, axis))
                row, column = int(depth / grid.pixel_mm), int(across / grid.pixel_mm + grid.width / 2)
                if off < 8 and view.apical:
                    assert data["labels"][k, view, row, column] == Structure.LV_CAVITY
        assert np.array_equal(data["image"] == 255, (data["labels"] > 0) & (data["labels"] <= 24))
        volumes = [template.volumes_ml(template.points + field.astype(float))["lv"] for field in data["field"]]
        assert np.allclose(volumes, data["volumes"][:, 0], rtol=0.005)


def test_a_pose_moves_the_heart_and_not_the_probe() -> None:
    still = make_heart(DatasetSpec(1, seed=3, stage="labels", phases=("ed",)), None, 0).arrays
    large = make_heart(DatasetSpec(1, seed=3, stage="labels", phases=("ed",), pose={"scale": (1.2, 1.2)}), None, 0).arrays
    away = make_heart(DatasetSpec(1, seed=3, stage="labels", phases=("ed",), pose={"z": (120, 120)}), None, 0).arrays
    assert np.allclose(large["volumes"], 1.2**3 * still["volumes"], rtol=1e-5)
    assert np.array_equal(large["fans"], still["fans"])
    short_axis = [(arrays["labels"][0, View.PSAX_APICAL] == Structure.LV_CAVITY).sum() for arrays in (still, large)]
    assert short_axis[1] > 1.2 * short_axis[0]
    assert (away["labels"] > 0).mean() < 0.3 * (still["labels"] > 0).mean()
    assert np.allclose(away["field"], still["field"], atol=0.05), "translation is no shape"
    assert np.allclose(away["sectors"][0, :, 2] - still["sectors"][0, :, 2], -120, atol=8)


@pytest.mark.parametrize("stage", ["labels", "binary", "pseudo", "echo", "cyclegan"])
def test_every_stage_shows_the_same_slices(stage: str, made: Path) -> None:
    arrays = make_heart(replace(SPEC, stage=stage, hands=1), None, 0).arrays
    assert np.array_equal(arrays["labels"], read_arrays(made / heart_name(0), ("labels",))["labels"][:2])
    assert ("image" in arrays) == (stage != "labels")
    if stage in ("pseudo", "echo", "cyclegan"):
        assert arrays["image"].dtype == np.uint8 and arrays["image"].max() > 100
        for view in View:
            inside = SPEC.grid.inside(*arrays["fans"][0, view])
            assert not arrays["image"][0, view][~inside].any()
            assert arrays["image"][0, view][inside].mean() > 5


def test_a_fifth_is_kept_apart_by_heart() -> None:
    assert split(DatasetSpec(40), 0).count("validation") == 8
    assert split(DatasetSpec(40, seed=1), 0) != split(DatasetSpec(40, seed=2), 0)
    sides = split(DatasetSpec(25), 10)
    assert sides[:10] == sides[10:20] and sides[:5] == sides[20:] and sides[:10].count("validation") == 2


def test_stopped_at_any_heart_it_goes_on_and_nothing_is_made_twice(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    monkeypatch.setattr("echo3d.dataset.generate.make_heart", lambda *task: calls.append(task[2]) or sample.make_heart(*task))

    def stop_at(most: int) -> None:
        def step(done: int, _: int) -> None:
            if done >= most:
                raise StoppedError("enough")

        with pytest.raises(StoppedError):
            generate(SPEC, tmp_path / "set", Inline(), step=step)

    stop_at(1)
    assert not (tmp_path / "set" / MANIFEST).exists()
    stop_at(3)
    kept = sorted((tmp_path / "set/hearts").iterdir())
    assert len(kept) == 3
    kept[0].write_bytes(kept[0].read_bytes()[:-200])
    before, _ = len(calls), generate(SPEC, tmp_path / "set", Inline())
    assert len(calls) - before == 2, "the missing heart and the torn one"
    assert hashes(tmp_path / "set") == hashes(made)
    assert generate(SPEC, tmp_path / "set", Inline())["hearts"] == 4 and len(calls) == before + 2


def test_another_plan_is_not_mixed_in(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "set")
    other = replace(SPEC, count=1, seed=12)
    with pytest.raises(InputError, match="--force"):
        generate(other, tmp_path / "set", Inline())
    assert hashes(tmp_path / "set") == hashes(made)
    assert generate(other, tmp_path / "set", Inline(), force=True)["hearts"] == 1
    assert len(list((tmp_path / "set/hearts").iterdir())) == 1
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("years")
    for force in (False, True):
        with pytest.raises(InputError, match="1 entries"):
            generate(other, tmp_path / "mine", Inline(), force=force)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file of that name"):
        generate(other, tmp_path / "file", Inline())


def test_a_full_disk_is_said_and_nothing_written_is_lost(made: Path, tmp_path: Path) -> None:
    with disk(tmp_path / "disk", "1500k") as small:
        with pytest.raises(InputError, match="found it full with . of 4 hearts written; make room"):
            generate(SPEC, small / "set", Inline())
        kept = sorted((small / "set/hearts").glob("*.npz"))
        assert 1 <= len(kept) < 4
        assert all(path.read_bytes() == (made / "hearts" / path.name).read_bytes() for path in kept)
        assert not list((small / "set/hearts").glob(".*"))
        shutil.copytree(small / "set", tmp_path / "set")
    generate(SPEC, tmp_path / "set", Inline())
    assert hashes(tmp_path / "set") == hashes(made)


def test_given_hearts_come_in_turn(tmp_path: Path) -> None:
    generate_cohort(CohortSpec(2, seed=11), tmp_path / "cohort", Inline())
    record = json.loads((tmp_path / "cohort/records.jsonl").read_text().splitlines()[0])
    (tmp_path / "truth.json").write_text(json.dumps(record))
    spec = DatasetSpec(4, seed=11, stage="labels", hearts=(str(tmp_path / "cohort"), str(tmp_path / "truth.json")))
    about = generate(spec, tmp_path / "set", Inline())
    assert [heart["source"] for heart in about["files"]] == ["cohort#0", "cohort#1", "truth.json", "cohort#0"]
    assert about["files"][0]["split"] == about["files"][3]["split"]
    fields = [read_arrays(tmp_path / "set" / heart_name(k), ("field",))["field"] for k in range(4)]
    assert np.array_equal(fields[0], fields[3]) and np.array_equal(fields[0], fields[2]) and not np.array_equal(fields[0], fields[1])
    drawn = make_heart(DatasetSpec(2, seed=11, stage="labels"), None, 1)
    assert np.array_equal(drawn.arrays["field"], fields[1]), "heart k is heart k of a cohort with this seed"
    assert str(tmp_path) not in (tmp_path / "set" / MANIFEST).read_text()


def test_the_template_has_one_phase_and_no_displacement() -> None:
    spec = DatasetSpec(1, hearts=("template",), phases=("ed",), stage="labels")
    from echo3d.dataset.hearts import members

    arrays = make_heart(spec, members(spec)[0], 0).arrays
    assert np.abs(arrays["field"]).max() < 0.01 and arrays["labels"].shape == (1, 6, 112, 112)
    with pytest.raises(InputError, match="one phase only"):
        members(replace(spec, phases=("ed", "es")))
    with pytest.raises(InputError, match="found none of that name"):
        members(replace(spec, hearts=("nowhere.vtp",)))


@pytest.mark.parametrize(
    "change",
    [
        {"count": 0},
        {"stage": "photograph"},
        {"phases": ("noon",)},
        {"views": ()},
        {"pose": {"weight": (1, 2)}},
        {"pose": {"x": (5, -5)}},
        {"probe": {"half_angle": (0, 90)}},
        {"families": ("waltz",)},
        {"size": 5000},
        {"pixel_mm": 99},
    ],
)
def test_what_cannot_be_made_is_refused_in_one_sentence(change: dict) -> None:
    with pytest.raises(InputError) as found:
        DatasetSpec(**({"count": 3} | change))
    assert str(found.value).count(";") == 1 and "found" in str(found.value)


def test_a_foreign_spec_is_refused() -> None:
    for values in ({"count": 3, "colour": 1}, {"count": "x"}, {}, {"count": 1, "views": ["a9c"]}, {"count": 1, "pose": {"x": 3}}):
        with pytest.raises(InputError):
            spec_from_json(values)
    assert read_json(Path("nowhere")) is None

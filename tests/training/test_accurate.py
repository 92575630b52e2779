"""The accurate network in one run: to the end whatever kills it, refused where a heart would serve for two things, and used by its name."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from echo3d.errors import InputError, ModelError
from echo3d.io.weights import read_card, read_weights
from echo3d.trainings import begun, read_settings, train
from echo3d.trial import measure
from training import throughheart
from training.accurate import BY_HEART, HEARTS, WEIGHTS, Course, Settings, planned
from training.exports import exported
from training.kept import Kept
from training.roles import roles_of
from training.samples import heart_samples, write_shard
from training.secondlook import NETWORK
from training.styles import drawer, style_shard

STYLES = ("binary", "flat")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with samples of one heart, and of three others held back in two shards; each is seen by one hand."""
    out = tmp_path_factory.mktemp("accurate")
    for folder, shards in (("samples", ((0,),)), ("val", ((1, 2), (3,)))):
        (out / folder).mkdir()
        for at, numbers in enumerate(shards):
            drawn = [heart_samples((11, number), probes=1, labels_only=True) for number in numbers]
            write_shard(out / folder, f"0011_{at:05d}", [row for rows, _ in drawn for row in rows], [record for _, record in drawn])
            for style in STYLES:
                style_shard(out / folder / f"0011_{at:05d}.npz", style, drawer(style), 1)
    return out


def brief(data: Path, **others: object) -> dict[str, object]:
    small = {"steps": 3, "batch": 4, "rise": 1, "keep": 1, "note": 1, "measure": 2, "precision": "float32", "held": 8, "device": "cpu"}
    stages = {"glances": 2, "measured": 4, "prior": 4, "refined": 4, "trusted": 2, "calibrated": 1, "few": 1}
    stages |= {"heart_steps": 3, "heart_pairs": 1, "heart_looks": 1, "heart_held": 1}
    return {"data": str(data / "samples"), "val": str(data / "val"), "styles": list(STYLES)} | small | stages | others


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run that was left alone."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    heard: list[tuple[float, str]] = []
    told = train("accurate", read_settings("accurate", config(data, out.parent)), out, progress=lambda *said: heard.append(said))
    shares = [share for share, _ in heard]
    assert shares == sorted(shares) and shares[-1] == 1.0
    for stage in (
        "prior",
        "glances, 2 of 6 samples",
        "second look, step 3",
        "by the heart, step 3",
        "correction for 6 views",
        "trust for 1 view",
        "calibration",
    ):
        assert any(said.startswith(stage) for _, said in heard), stage
    assert told["patients"] == 1 and 0 < told["points_mm"] < 6 and told["intervals"].startswith("none")
    return out


def config(data: Path, place: Path, **others: object) -> Path:
    (place / "accurate.json").write_text(json.dumps(brief(data, **others)))
    return place / "accurate.json"


def test_a_run_that_is_killed_in_every_stage_ends_with_the_same_weights(data: Path, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "killed"
    points = ["kept/prior.pt", "glances/train/*.npz", "checkpoint.pt", 'log.jsonl:"step": 5', "kept/refined_3_*.pt", "kept/trust_2.pt"]
    points.append("kept/????????????*.pt")
    words = [sys.executable, "-m", "tests.training.killedrun", "accurate", str(config(data, tmp_path)), str(out), *points]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, check=False)
    assert done.returncode == 0 and done.stdout.strip() == "7", done.stderr
    assert read_card(out / WEIGHTS).sha256 == read_card(whole / WEIGHTS).sha256
    one, other = (read_card(folder / WEIGHTS) for folder in (whole, out))
    assert one.metrics == other.metrics and one.config == other.config
    logs = [[json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()] for folder in (whole, out)]
    steps = [[(line["step"], line.get("entropy")) for line in log if "step" in line] for log in logs]
    assert steps[0] == steps[1] and [step for step, _ in steps[0]] == [1, 2, 3, 3, 4, 5, 6, 6]  # no line of the curves twice
    assert {line["step"] for line in logs[1] if line.get("lesson") == "by the heart" and "held_points_mm" in line} == {5, 6}


def test_what_the_lesson_by_the_heart_teaches_is_what_is_written(whole: Path) -> None:
    first, ended = (torch.load(whole / name, weights_only=True) for name in (NETWORK, HEARTS))
    written = read_weights(whole / WEIGHTS)
    moved = [not torch.equal(value, first["second"][name]) for name, value in ended["second"].items()]
    assert any(moved) and ended["steps"] == first["steps"] == 3
    assert all(torch.allclose(written[f"second.{name}"].float(), value.float(), atol=2e-3) for name, value in ended["second"].items())


def test_a_correction_from_before_the_lesson_by_the_heart_is_not_mixed_with_it(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "older", ignore=shutil.ignore_patterns("accurate.*", HEARTS, "npz"))
    with pytest.raises(InputError, match="found one from before; begin a new run"):
        train("accurate", begun("accurate", tmp_path / "older"), tmp_path / "older", resume=True)


def test_the_lesson_by_the_heart_has_one_budget_or_is_left_out(data: Path) -> None:
    assert BY_HEART not in planned(Settings(heart_steps=0)) and planned(Settings())[BY_HEART] == {"core_minutes": 38.0}
    sizes = Settings().sizes(10, 10, 10)
    assert Settings(heart_steps=0).seconds(sizes)[BY_HEART] == 0 and Settings().seconds(sizes)[BY_HEART] == 38 * 60
    with pytest.raises(InputError, match="found heart_steps and heart_core_minutes"):
        Course(Settings.model_validate(brief(data, heart_core_minutes=1)), data, lambda *_: None)


def test_the_card_names_the_network_and_tells_no_folder(data: Path, whole: Path) -> None:
    tensors, card = exported("accurate", whole, "mine")
    assert card.config["network"] == "lean" and card.config["looks"] == 3 and card.kind == "refined s2mnet"
    assert set(card.metrics["calibration"]) == {"6 views", "4 views", "2 views", "1 view"} and "conformal90" not in card.metrics
    assert str(data) not in json.dumps(card.trained)
    assert tensors["sigma_mm"].shape[0] == 7 and (tensors["sigma_mm"][1:] > 0).all()
    assert tensors["correction.6"].shape == (602, 200) and tensors["trust.1"].shape == (6, 5)
    assert (read_weights(whole / WEIGHTS)["trust.1"] == torch.eye(5)[0]).all()  # two pictures teach nothing, so the network's trust stands


def test_no_heart_serves_for_two_things(data: Path, tmp_path: Path) -> None:
    roles = roles_of(data / "samples", data / "val", None, STYLES, 0.6)
    assert [len(role.hearts) for role in (roles.learned, roles.held, roles.calibrated)] == [1, 2, 1]
    assert not roles.learned.hearts & roles.held.hearts and not roles.held.hearts & roles.calibrated.hearts
    held, rest = roles.held.samples(STYLES, 100), roles.calibrated.samples(STYLES, 100)
    assert [len(part["field"]) for part in (held, rest)] == [4, 2]
    assert not any(np.array_equal(one, other) for one in held["volumes"] for other in rest["volumes"])
    assert [shard.rows for shard in roles.held.shards(STYLES, 3)] == [2]
    with pytest.raises(InputError, match="both learned from and corrected on, found 2"):
        roles_of(data / "val", data / "val", None, STYLES, 0.6)
    (tmp_path / "flat").mkdir()
    for source in (data / "val" / "0011_00001.npz", data / "val" / "flat" / "0011_00001.npz"):
        target = tmp_path / source.relative_to(data / "val")
        target.with_name("other.npz").write_bytes(source.read_bytes())
    with pytest.raises(InputError, match="both corrected on and calibrated on, found 1"):
        roles_of(data / "samples", data / "val", tmp_path, ("flat",), 0.6)
    with pytest.raises(InputError, match="2 hearts at least, found 1"):
        roles_of(data / "samples", tmp_path, None, ("flat",), 0.6)


@pytest.mark.parametrize(
    ("others", "said"),
    [({"model": "accurate"}, "made of a lean one"), ({"model": "none"}, "must name installed"), ({"styles": ["speckle"]}, "found none")],
)
def test_what_will_not_do_is_said_before_anything_is_made(others: dict[str, object], said: str, data: Path, tmp_path: Path) -> None:
    with pytest.raises((InputError, ModelError), match=said):
        Course(Settings.model_validate(brief(data, **others)), tmp_path / "run", lambda *_: None)
    assert not (tmp_path / "run").exists()


def test_a_trial_counts_every_stage(data: Path) -> None:
    few = measure("accurate", Settings.model_validate(brief(data, steps=500, heart_steps=400)))
    lessons = {one["lesson"]: one for one in few["lessons"]}
    others = few["whole_s"] - few["before_s"] - sum(one["whole_s"] for one in lessons.values())  # no steps: gone through, and timed
    assert few["steps"] == 900 and lessons["second look"]["steps"] == 500 and lessons["by the heart"]["steps"] == 400
    assert (
        lessons["by the heart"]["whole_s"] == pytest.approx(400 * lessons["by the heart"]["seconds_per_step"], abs=0.1)
        and 0.5 < others < 200
    )


def test_a_piece_is_made_once(tmp_path: Path) -> None:
    made: list[int] = []

    def make() -> dict[str, torch.Tensor]:
        made.append(1)
        return {"x": torch.arange(3.0) / 7}

    assert all(torch.equal(Kept(tmp_path).once("x", make)["x"], torch.arange(3.0) / 7) for _ in range(2)) and len(made) == 1


def test_the_shipped_values_are_the_defaults() -> None:
    shipped = read_card(ROOT / "resources" / "weights" / WEIGHTS).config
    usual = Settings()
    assert {"weight": usual.weight, "steps": usual.gauss_steps, "second_weight": usual.second_weight, "looks": usual.looks}.items() <= (
        shipped.items()
    )
    heart = usual.by_heart(Path("glances"), Path("run"))
    assert heart.model_dump() == throughheart.Settings(
        data=Path("glances/train"), val=Path("glances/val"), begin=Path("run")
    ).model_dump() | {
        "core_minutes": 38,
        "seed": 1,
        "device": "cpu",
    }
    assert (heart.batch, heart.rate, heart.looks, heart.weight) == (4, 3e-4, 2, usual.second_weight) and heart.precision == "bfloat16"
    assert usual.course().core_minutes == 26 and (usual.refined, usual.trusted, usual.calibrated, usual.few) == (3000, 300, 1020, 255)

"""The lean network's course: to the end, gone on with where it was broken off, refused without samples, and read by the comparison."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from echo3d.anatomy.template import load_template
from echo3d.cli import main
from echo3d.errors import InputError
from echo3d.io.images import read_image
from echo3d.trainings import train
from echo3d.trial import measure
from training.evaluate import trained
from training.exports import exported, measured
from training.lean import Settings, run
from training.samples import heart_samples, write_shard
from training.slices import heart_slices
from training.styles import drawer, style_shard
from training.unpack import unpack

STYLES = ("binary", "flat")
BRIEF = {
    "styles": STYLES,
    "encoder_steps": 2,
    "truth_steps": 2,
    "pictures_steps": 2,
    "trust_steps": 2,
    "samples": 2,
    "principal": 5,
    "threads": 1,
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with samples, validation samples and label slices of very few hearts."""
    out = tmp_path_factory.mktemp("course")
    for number, name in enumerate(("samples", "val")):
        (out / name).mkdir()
        samples, record = heart_samples((7, number), probes=1, labels_only=True)
        write_shard(out / name, "0007_00000", samples, [record])
        for style in STYLES:
            style_shard(out / name / "0007_00000.npz", style, drawer(style), 1)
    (out / "slices").mkdir()
    rows = [row for k in range(4) for row in heart_slices((8, k), hands=2)]
    np.savez(out / "slices" / "0.npz", **{key: np.stack([row[key] for row in rows]) for key in rows[0]})
    return out


def settings(place: Path, **others: object) -> Settings:
    folders = {"data": place / "samples", "slices": place / "slices", "val": place / "val"}
    return Settings.model_validate(BRIEF | folders | others)


def test_a_course_from_a_file_ends_with_a_network_that_can_be_compared(
    data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lean.json").write_text(settings(data).model_dump_json())
    out = tmp_path / "run"
    assert main(["train", "s2mnet", "--config", str(tmp_path / "lean.json"), "--out", str(out), "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert 0 < told["ed_mm"] < 30 and np.isfinite(told["ef_mae"])
    assert json.loads((out / "recipe.json").read_text())["styles"] == list(STYLES)
    words = ["evaluate", "style", str(out), "lean", "--data", str(data / "val"), "--out", str(tmp_path / "report"), "--json"]
    assert main(words) == 0
    matrix = json.loads(capfd.readouterr().out)["matrix"]
    assert set(matrix) == {"mixture", "lean"} and set(matrix["lean"]) == set(STYLES)
    assert matrix["mixture"]["flat"]["surface_mm"] > matrix["lean"]["flat"]["surface_mm"]  # two steps teach nothing


class EnoughError(Exception):
    """Raised where a test breaks a run off."""


def broken_off(data: Path, out: Path, at: tuple[str, ...], **others: object) -> None:
    """Run a course that is broken off at some of its steps, and gone on with each time; ``at`` are what progress says."""
    out.mkdir()
    for said in at:

        def stop(_: float, heard: str, /, wanted: str = said) -> None:
            if heard.startswith(wanted):
                raise EnoughError

        with pytest.raises(EnoughError):
            run(settings(data, **others), out, resume=True, progress=stop)
    run(settings(data, **others), out, resume=True)


def test_a_run_is_exported_with_what_its_validation_samples_say(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One validation patient gives an error for every point but no intervals; were one enough, each number of views would have some."""
    train("s2mnet", settings(data), tmp_path / "run")
    tensors, card = exported("s2mnet", tmp_path / "run", "mine")
    assert card.metrics["intervals"] == "none, 40 validation patients are needed" and "conformal90" not in card.metrics
    assert card.metrics["validation_patients"] == 1 and card.metrics["validation"]["points_mm"] > 0
    assert tensors["sigma_mm"].shape == (7, len(load_template().points)) and (tensors["sigma_mm"][1:] > 0).all()
    assert card.template_sha256 == load_template().sha256 and str(data) not in json.dumps(card.trained)
    monkeypatch.setattr("training.exports.ENOUGH", 1)
    metrics, _ = measured(trained(tmp_path / "run")[0], tmp_path / "run")
    assert set(metrics["conformal90"]) == set("123456") and metrics["intervals"].startswith("calibrated on the run's 1 own")
    assert metrics["conformal90"]["6"]["ef"]["bound"] > 0


def test_a_broken_course_takes_the_very_next_step_of_the_lesson_it_was_in(data: Path, tmp_path: Path) -> None:
    """Broken off in every lesson, between two checkpoints: weights and curves of a run that was left alone."""
    steps = {"encoder_steps": 3, "truth_steps": 3, "pictures_steps": 3, "trust_steps": 3, "note": 2, "measure": 1, "keep": 2}
    (tmp_path / "whole").mkdir()
    run(settings(data, **steps), tmp_path / "whole")
    broken_off(data, tmp_path / "parts", ("encoder, step 3", "true maps, step 1", "pictures, step 2", "trust, step 1"), **steps)
    one, other = (torch.load(tmp_path / name / "network.pt", weights_only=True)["network"] for name in ("whole", "parts"))
    assert all(torch.equal(one[key], other[key]) for key in one)
    timed = ("minutes", "core_minutes", "samples_per_s")
    logs = [[json.loads(line) for line in (tmp_path / name / "log.jsonl").read_text().splitlines()] for name in ("whole", "parts")]
    bare = [[{key: value for key, value in line.items() if key not in timed} for line in log] for log in logs]
    assert bare[0] == bare[1]
    assert [line["step"] for line in logs[0] if "step" in line] == [2, 3, 5, 6, 8, 9, 11, 12]
    for name in ("held_cells_pc", "ed_mm", "held_trusted", "samples_per_s"):
        assert any(name in line for line in logs[0])
    sheets = sorted(path.name for path in (tmp_path / "parts").glob("sheet_*.png"))
    assert {"sheet_000003.png", "sheet_000006.png", "sheet_000009.png"} <= set(sheets)
    picture = read_image(tmp_path / "parts" / "sheet_000009.png")
    assert picture.shape == (4 * 224 + 3 * 4, 6 * 224 + 5 * 4, 3) and (picture.max(axis=2) > picture.min(axis=2) + 30).any()


def test_a_trial_measures_every_lesson(data: Path) -> None:
    told = measure("s2mnet", settings(data, encoder_steps=400, truth_steps=300, pictures_steps=200, trust_steps=100))
    assert [one["lesson"] for one in told["lessons"]] == ["encoder", "true maps", "pictures", "trust"]
    assert [one["steps"] for one in told["lessons"]] == [400, 300, 200, 100] and told["steps"] == 1000
    assert told["whole_s"] == pytest.approx(told["before_s"] + sum(one["whole_s"] for one in told["lessons"]), rel=0.01)
    assert told["lessons"][1]["seconds_per_step"] > told["lessons"][3]["seconds_per_step"] > 0


def test_one_budget_is_shared_by_the_lessons() -> None:
    def steps(**words: object) -> list[int | None]:
        return [one.steps for one in Settings.model_validate(words).budgets(800).values()]

    assert steps() == [4000, 4000, 3000, 1500]
    assert steps(steps=125) == [40, 40, 30, 15]
    assert steps(epochs=2, trust_steps=0) == [200, 200, 150, 0]
    timed = Settings.model_validate({"minutes": 10}).budgets(800)
    assert sum(one.minutes or 0 for one in timed.values()) == pytest.approx(10)
    with pytest.raises(InputError, match="one budget"):
        steps(steps=8, minutes=1)


@pytest.mark.parametrize(("name", "said"), [("data", "must have samples in the styles"), ("slices", "must have label slices")])
def test_missing_samples_are_named(name: str, said: str, data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lean.json").write_text(settings(data, **{name: tmp_path / "none"}).model_dump_json())
    assert main(["train", "s2mnet", "--config", str(tmp_path / "lean.json"), "--out", str(tmp_path / "run")]) == 2
    error = capfd.readouterr().err
    assert said in error and error.count("\n") == 1 and str(tmp_path) not in error


def test_a_course_goes_on_from_shipped_weights(data: Path, tmp_path: Path) -> None:
    """Two small steps later the network still reads what the shipped one reads."""
    unpack("lean", tmp_path / "shipped")
    out = tmp_path / "run"
    out.mkdir()
    start = {"encoder": tmp_path / "shipped" / "encoder.pt", "base": tmp_path / "shipped" / "base.pt", "principal": 200}
    told = run(settings(data, **start), out)
    assert told["ed_mm"] < 6

"""Training as a command and as a job: what its settings are, what is made of them, and what is refused."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from echo3d.cli import main
from echo3d.errors import InputError
from echo3d.jobs.spec import JobSpec
from echo3d.jobs.store import make_job
from echo3d.trainings import RECIPES, duplicate, job_spec, read_settings, schema
from echo3d.trial import told as trial_lines


def test_every_kind_describes_its_settings(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--schema", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert set(told) == set(RECIPES)
    for kind, one in told.items():
        assert all(field["description"] for field in one["properties"].values()), kind
        numbers = [field for field in one["properties"].values() if field.get("type") in ("integer", "number")]
        assert all({"minimum", "exclusiveMinimum"} & set(field) for field in numbers), kind
    assert told["pointpwc"]["published"]["pairs"] == told["pointpwc"]["properties"]["pairs"]["published"] == 8
    assert told["cyclegan"]["published"]["epochs"] == 200
    assert main(["train", "pix2vox", "--schema"]) == 0
    assert json.loads(capfd.readouterr().out)["pix2vox"]["published"]["batch"] == 64


def test_published_values_are_within_their_own_bounds() -> None:
    for kind, one in schema().items():
        read = read_settings(kind, None)
        type(read).model_validate(read.model_dump() | {k: v for k, v in one["published"].items() if k not in ("minutes", "steps")})


def test_a_job_waits_for_the_device_of_its_settings(tmp_path: Path) -> None:
    settings = read_settings("pointpwc", None)
    assert job_spec("pointpwc", settings.model_copy(update={"device": "cuda:1"}), tmp_path).slot == "cuda:1"
    assert job_spec("pointpwc", {"device": "cpu"}, tmp_path).slot == "cpu"  # plain values, as a window without torch has them
    with pytest.raises(InputError, match="joined by"):
        job_spec("pointpwc", {"device": "tpu"}, tmp_path)


def test_a_job_finds_its_folders_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.toml").write_text('data = "samples"\nsteps = 3\n')
    read = read_settings("sliceplane", tmp_path / "own.toml").model_dump(mode="json")
    assert read["data"] == str(tmp_path / "samples") and read["val"] == str(tmp_path / "runs/val")
    spec = job_spec("cyclegan", {"data": "samples", "clips": "", "device": "cpu"}, tmp_path)
    assert spec.arguments["settings"] == {"data": str(tmp_path / "samples"), "clips": "", "device": "cpu"}


def test_a_training_is_duplicated_with_other_values(tmp_path: Path) -> None:
    spec = job_spec("pointpwc", read_settings("pointpwc", None), tmp_path)
    kind, settings = duplicate(spec, {"pairs": "2", "steps": 7, "device": "cpu", "minutes": "1.5"})
    values = settings.model_dump()
    assert kind == "pointpwc" and (values["pairs"], values["steps"], values["minutes"], values["device"]) == (2, 7, 1.5, "cpu")
    for changes, name in (({"pairs": 0}, "pairs"), ({"colour": "red"}, "colour"), ({"rate": "fast"}, "rate")):
        with pytest.raises(InputError, match=f"within its bounds, found '{name}'"):
            duplicate(spec, changes)
    with pytest.raises(InputError, match="must be a training"):
        duplicate(JobSpec("count", "Count", "echo3d.dataset.job:run"), {})


def test_a_run_is_deleted_with_its_job_after_asking(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, out = tmp_path / "jobs", tmp_path / "run"
    jobs.mkdir()
    out.mkdir()
    folder = make_job(jobs, job_spec("pointpwc", {"device": "cpu"}, out))
    words = ["jobs", "delete", folder.name, "--files", "--jobs-dir", str(jobs)]
    assert main([*words, "--yes"]) == 2
    assert "by hand" in capfd.readouterr().err and out.is_dir() and folder.is_dir()
    for name in ("config.json", "run.json"):
        (out / name).write_text("{}\n")
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert main(words) == 130 and main([*words, "--json"]) == 2
    assert out.is_dir() and folder.is_dir()
    capfd.readouterr()
    assert main([*words, "--yes", "--json"]) == 0
    assert json.loads(capfd.readouterr().out) == {"deleted": folder.name, "files": "run"}
    assert not out.exists() and not folder.exists()
    other = make_job(jobs, JobSpec("count", "Count", "echo3d.dataset.job:run"))
    assert main(["jobs", "delete", other.name, "--files", "--yes", "--jobs-dir", str(jobs)]) == 2


def test_a_trial_tells_time_and_memory_and_writes_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A few real steps of PointPWC-Net with one pair each; what follows for the whole is their product."""
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"pairs": 1, "epochs": 3, "epoch": 50, "device": "cpu", "threads": 1}))
    assert main(["train", "pointpwc", "--config", str(config), "--out", str(tmp_path / "run"), "--trial", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["steps"] == 150 and told["device"] == "cpu" and told["peak_gpu_mb"] == 0 and told["lessons"] == []
    assert 0.005 < told["seconds_per_step"] < 60 and told["samples_per_s"] == pytest.approx(1 / told["seconds_per_step"], rel=0.01)
    assert told["epoch_s"] == pytest.approx(50 * told["seconds_per_step"], rel=0.01, abs=0.1)
    assert told["whole_s"] == pytest.approx(told["before_s"] + 150 * told["seconds_per_step"], rel=0.01, abs=0.2)
    assert 200 < told["peak_mb"] < 20_000
    assert not (tmp_path / "run").exists() and [path.name for path in tmp_path.iterdir()] == ["config.json"]
    lines = trial_lines(told)
    assert "s a step" in lines[0] and "150 steps" in lines[2] and lines[3].startswith("an epoch")

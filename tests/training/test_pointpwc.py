"""Training PointPWC-Net as a user does: to the end, broken off and gone on with, refused, as a job."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from echo3d.cli import main
from echo3d.errors import StoppedError
from echo3d.io.images import read_png
from echo3d.io.weights import read_card, read_weights
from echo3d.jobs.registry import watch
from echo3d.jobs.spec import State
from echo3d.trainings import train
from training.clouds import CloudPairs, Pairs
from training.pointpwc import FILE, Run, Settings

Capture = pytest.CaptureFixture[str]
BRIEF = {"steps": 4, "pairs": 1, "held": 1}


def test_pairs_are_true_and_repeatable() -> None:
    """The way leads from the template onto the heart's surface; the same step draws the same."""
    pairs = CloudPairs(3, 500)
    one, same, other = pairs.draw(0, 1), pairs.draw(0, 1), pairs.draw(1, 1)
    assert torch.equal(one.source, same.source) and torch.equal(one.way, same.way) and not torch.equal(one.way, other.way)
    ends = one.source[0, :, :3] + one.way[0]
    apart = torch.cdist(ends, one.target[0, :, :3]).min(dim=1).values
    assert apart.median() < 0.6 < one.way.norm(dim=2).mean() + 0.6
    assert torch.allclose(one.target[..., 3:6].norm(dim=2), torch.ones(1), atol=1e-4)


def test_pairs_that_do_not_fit_are_halved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No GPU is filled here: the step raises what torch raises for two pairs; the log, the card and the sheet say what was done."""
    honest = Run.loss

    def hungry(run: Run, pairs: Pairs) -> torch.Tensor:
        if len(pairs.source) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return honest(run, pairs)

    monkeypatch.setattr(Run, "loss", hungry)
    train("pointpwc", Settings(**BRIEF | {"pairs": 2, "steps": 2, "held": 1}), tmp_path / "run")
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [line["batch"] for line in log if "why" in line] == [1] and log[-1]["step"] == 2 and log[-1]["samples_per_s"] > 0
    assert read_card(tmp_path / "run" / FILE).trained["pairs_seen"] == 2
    assert read_png(tmp_path / "run" / "sheet_000002.png").shape == (240, 4 * 240, 3)


def test_a_run_that_was_broken_off_ends_as_one_that_was_not(tmp_path: Path) -> None:
    def stop(_: float, said: str) -> None:
        if said.startswith("step 2,"):
            raise StoppedError("enough")

    whole = train("pointpwc", Settings(**BRIEF), tmp_path / "whole")
    with pytest.raises(StoppedError):
        train("pointpwc", Settings(**BRIEF), tmp_path / "parts", progress=stop)
    assert train("pointpwc", Settings(**BRIEF), tmp_path / "parts", resume=True) == whole
    one, other = (read_weights(tmp_path / name / FILE) for name in ("whole", "parts"))
    assert all(torch.equal(one[key], other[key]) for key in one)
    card = read_card(tmp_path / "whole" / FILE)
    assert card.trained["steps"] == 4 and np.isfinite(card.metrics["error_mm"])


def test_the_command_says_what_is_wrong(tmp_path: Path, capfd: Capture) -> None:
    def said(*words: str) -> str:
        assert main(["train", *words]) == 2
        error = capfd.readouterr().err
        assert error.count("\n") == 1 and str(tmp_path) not in error
        return error

    bad, full = tmp_path / "bad.toml", tmp_path / "full"
    bad.write_text("pairs = 0")
    full.mkdir()
    (full / "letter.txt").write_text("mine")
    assert "'pairs'" in said("pointpwc", "--config", str(bad), "--out", str(tmp_path / "new"))
    bad.write_text("pears = 2")
    assert "'pears'" in said("pointpwc", "--config", str(bad), "--out", str(tmp_path / "new"))
    bad.write_bytes(b"\xff\xfe")
    assert "JSON or TOML" in said("pointpwc", "--config", str(bad), "--out", str(tmp_path / "new"))
    assert "pointpwc" in said("alchemy", "--out", str(tmp_path / "new"))
    assert "--out DIR" in said("pointpwc")
    assert "new or empty" in said("pointpwc", "--out", str(full))
    assert "--resume" in said("pointpwc", "--out", str(full), "--resume")
    assert (full / "letter.txt").read_text() == "mine" and not (tmp_path / "new").exists()


def test_defaults_name_every_setting(capfd: Capture) -> None:
    assert main(["train", "pointpwc", "--defaults", "--json"]) == 0
    answer = json.loads(capfd.readouterr().out)
    assert set(answer) == set(Settings.model_fields) and all(one["meaning"] for one in answer.values())


def test_a_killed_job_goes_on(tmp_path: Path, capfd: Capture) -> None:
    """A real process is killed; Resume ends where an undisturbed run ends."""
    config, out, jobs = tmp_path / "config.json", tmp_path / "run", tmp_path / "jobs"
    config.write_text(json.dumps(BRIEF | {"steps": 6}))
    words = ["--jobs-dir", str(jobs), "--json"]
    assert main(["train", "pointpwc", "--config", str(config), "--out", str(out), "--job", *words]) == 0
    job = jobs / json.loads(capfd.readouterr().out)["job"]
    _wait(lambda: watch(job).done > 0)
    os.kill(watch(job).trail.runs[-1][0], signal.SIGKILL)
    _wait(lambda: watch(job).state is State.INTERRUPTED)
    assert main(["jobs", "resume", job.name, *words]) == 0
    _wait(lambda: watch(job).state is State.DONE)
    train("pointpwc", Settings(**BRIEF | {"steps": 6}), tmp_path / "straight")
    one, other = (read_weights(folder / FILE) for folder in (out, tmp_path / "straight"))
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_echo3d_starts_without_the_training_programs() -> None:
    code = "import sys, echo3d.cli; sys.exit(any(name.split('.')[0] in ('training', 'torch') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _wait(ready: object, seconds: float = 200.0) -> None:
    """Wait until something is so."""
    assert callable(ready)
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.1)

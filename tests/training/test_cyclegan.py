"""Training the style transfer as a user does: to the end, broken off and gone on with, from real clips, refused, as a job."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from echo3d.cli import main
from echo3d.core.sector import Fan
from echo3d.errors import InputError, StoppedError
from echo3d.io.images import read_png
from echo3d.io.video import write_mp4
from echo3d.io.weights import read_card, read_weights
from echo3d.jobs.registry import watch
from echo3d.jobs.spec import State
from echo3d.style.generator import Generator, GeneratorConfig
from echo3d.trainings import train
from training.cyclegan import FILE, STATE, Run, Settings
from training.judge import LV, judged, load_reader, true_shares
from training.samples import heart_samples, write_shard
from training.styledata import open_data

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of sixteen hearts: two that are drawn, eight times over, which is enough to tell domains apart."""
    folder = tmp_path_factory.mktemp("shards")
    drawn = [heart_samples((5, number), probes=1)[0] for number in range(2)]
    write_shard(folder, "0", [one for _ in range(8) for samples in drawn for one in samples], [{}] * 16)
    return folder


@pytest.fixture
def brief(shards: Path) -> dict[str, object]:
    return {"data": str(shards), "steps": 4, "epoch": 2, "held": 4, "width": 4, "blocks": 1, "threads": 1, "pool": 3}


def test_a_run_that_was_broken_off_ends_as_one_that_was_not(tmp_path: Path, brief: dict[str, object]) -> None:
    """To the bit: networks, moments of Adam, pools and average."""

    def stop(_: float, said: str) -> None:
        if said.startswith("step 2,"):
            raise StoppedError("enough")

    settings = Settings(**brief, average=0.9)
    whole = train("cyclegan", settings, tmp_path / "whole")
    with pytest.raises(StoppedError):
        train("cyclegan", settings, tmp_path / "parts", progress=stop)
    assert train("cyclegan", settings, tmp_path / "parts", resume=True) == whole
    one, other = (torch.load(tmp_path / name / STATE, weights_only=True) for name in ("whole", "parts"))
    for name in ("players", "average"):
        assert all(torch.equal(one[name][key], other[name][key]) for key in one[name])
    for name in ("pool_x", "pool_y"):
        assert len(one[name]) == 3 and all(torch.equal(a, b) for a, b in zip(one[name], other[name], strict=True))
    assert (tmp_path / "whole" / FILE).read_bytes() == (tmp_path / "parts" / FILE).read_bytes()
    card = read_card(tmp_path / "whole" / FILE)
    assert card.trained["steps"] == 4 and np.isfinite(card.metrics["lv_ratio"]) and str(tmp_path) not in json.dumps(card.trained)
    Generator(GeneratorConfig(**card.config["network"])).load_state_dict(read_weights(tmp_path / "whole" / FILE))
    assert read_png(tmp_path / "whole" / "sheet_000004.png").shape[0] == 6 * 112 + 5 * 2
    begun, *log = [json.loads(line) for line in (tmp_path / "whole" / "log.jsonl").read_text().splitlines()]
    assert begun["course"]["steps"] == 4 and [line["step"] for line in log] == [2, 4]
    assert {"cycle", "identity", "places", "areas", "judge_x", "lv_ratio_sd", "samples_per_s"} <= set(log[0])
    assert [line["step"] for line in map(json.loads, (tmp_path / "parts" / "log.jsonl").read_text().splitlines()[1:])] == [2, 4]


def test_the_guard_sees_a_heart_that_grows(shards: Path, brief: dict[str, object], tmp_path: Path) -> None:
    """The reader's own pictures pass; pictures of the same view drawn larger cost more, and their area reads larger."""
    data = open_data(Settings(**brief | {"held": 24}), tmp_path, lambda *_: None)
    y = data.y(np.random.default_rng(1), 24)
    assert y.labels is not None and y.views is not None
    truth = true_shares(y.labels, "cpu"), y.views
    larger = torch.nn.functional.interpolate(y.pictures, scale_factor=1.25, mode="bilinear")[:, :, :112, 14:126] * y.inside
    reader = load_reader("cpu")
    with torch.inference_mode():
        plain, grown = (judged(reader, pictures, y.inside, truth) for pictures in (y.pictures, larger))
    assert float(truth[0][:, LV].sum()) > 0 and len(plain.ratio) == len(grown.ratio) > 0
    assert abs(float(plain.ratio.mean()) - 1) < 0.1 and float(grown.ratio.mean()) > float(plain.ratio.mean()) + 0.15
    assert float(grown.areas) > 2 * float(plain.areas) and float(grown.places) > 2 * float(plain.places) > 0


def test_the_guard_costs_g_and_only_g(brief: dict[str, object], tmp_path: Path) -> None:
    run = Run(settings := Settings(**brief), tmp_path, open_data(Settings(**brief), tmp_path, lambda *_: None))
    x = run.placed(run.data.x(np.random.default_rng(0), 4))
    made = run.players.G(x.pictures, x.inside)
    torch.stack(list(run.guarded(made, x).values())).sum().backward()
    assert all(part.grad is not None and bool(part.grad.any()) for part in run.players.G.last.parameters())
    assert not any(part.requires_grad for part in run.reader.parameters()) and all(part.grad is None for part in run.players.F.parameters())
    plain = Run(settings.model_copy(update={"places": 0.0, "areas": 0.0}), tmp_path, run.data)
    assert plain.guarded(made, x) == {}


def test_real_clips_are_learned_from_and_an_earlier_run_gone_on_with(tmp_path: Path, brief: dict[str, object], capfd: Capture) -> None:
    folder = tmp_path / "clips"
    folder.mkdir()
    for number in range(3):
        frames = np.random.default_rng(number).rayleigh(70, (3, 120, 160)).clip(12, 255) * Fan(4.0, 80.0, 35.0, 108.0).mask(120, 160)
        write_mp4(folder / f"doe_{number}.mp4", frames.astype(np.uint8), frame_ms=40)
    (folder / "doe.txt").write_text("no picture")
    first = train("cyclegan", Settings(**brief), tmp_path / "first")
    real = Settings(**brief | {"clips": str(folder), "begin": str(tmp_path / "first"), "steps": 1, "loss": "squares"})
    assert train("cyclegan", real, tmp_path / "real")["lv_ratio"] != first["lv_ratio"]
    said = capfd.readouterr().out
    assert "File 1 is left out" in said and "doe" not in said
    card = read_card(tmp_path / "real" / FILE)
    assert card.trained["domains"]["patients"] == 3 and "doe" not in json.dumps(card.trained)
    with pytest.raises(InputError, match="networks of the same size"):
        train("cyclegan", real.model_copy(update={"width": 5}), tmp_path / "other")
    with pytest.raises(InputError, match="must lie in a folder"):
        train("cyclegan", real.model_copy(update={"clips": str(tmp_path / "nowhere")}), tmp_path / "none")
    with pytest.raises(InputError, match=r"shards of training\.samples"):
        train("cyclegan", real.model_copy(update={"data": str(folder)}), tmp_path / "empty")


def test_hearts_are_drawn_where_no_shards_are_given(tmp_path: Path) -> None:
    settings = Settings(hearts=9, steps=1, epoch=1, held=2, width=4, blocks=0, threads=1)
    train("cyclegan", settings, tmp_path / "run")
    assert sorted(path.name for path in (tmp_path / "run" / "samples").iterdir()) == ["00000.npz", "00008.npz"]


def test_budgets() -> None:
    assert Settings().most_steps() is None and Settings(preset="paper").most_steps() == 200 * 500
    assert Settings(epochs=3, epoch=7).most_steps() == 21 and Settings(preset="paper", minutes=1).most_steps() is None
    assert Settings(preset="paper").generator().blocks == 6 and Settings(preset="paper").generator().width == 64


def test_a_killed_job_goes_on(tmp_path: Path, brief: dict[str, object], capfd: Capture) -> None:
    """A real process is killed; Resume ends where an undisturbed run ends."""
    config, out, jobs = tmp_path / "config.json", tmp_path / "run", tmp_path / "jobs"
    config.write_text(json.dumps(brief | {"steps": 8}))
    words = ["--jobs-dir", str(jobs), "--json"]
    assert main(["train", "cyclegan", "--config", str(config), "--out", str(out), "--job", *words]) == 0
    job = jobs / json.loads(capfd.readouterr().out)["job"]
    _wait(lambda: watch(job).done > 0)
    os.kill(watch(job).trail.runs[-1][0], signal.SIGKILL)
    _wait(lambda: watch(job).state is State.INTERRUPTED)
    assert main(["jobs", "resume", job.name, *words]) == 0
    _wait(lambda: watch(job).state is State.DONE)
    train("cyclegan", Settings(**brief | {"steps": 8}), tmp_path / "straight")
    one, other = (read_weights(folder / FILE) for folder in (out, tmp_path / "straight"))
    assert all(torch.equal(one[key], other[key]) for key in one)


def _wait(ready: Callable[[], bool], seconds: float = 200.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.1)

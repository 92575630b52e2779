"""The lean network's course: to the end, gone on with where it was broken off, refused without samples, and read by the comparison."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from echo3d.cli import main
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


def test_a_broken_course_goes_on_with_the_lesson_it_was_in(data: Path, tmp_path: Path) -> None:
    class EnoughError(Exception):
        pass

    def stop(share: float, said: str, /) -> None:
        if said == "Done":
            raise EnoughError

    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for out in (whole, parts):
        out.mkdir()
    run(settings(data), whole)
    with pytest.raises(EnoughError):
        run(settings(data), parts, progress=stop)
    (parts / "network.pt").unlink()  # as if killed in the last lesson
    encoder = (parts / "encoder.pt").stat().st_mtime_ns
    run(settings(data), parts, resume=True)
    assert (parts / "encoder.pt").stat().st_mtime_ns == encoder
    one, other = (torch.load(out / "network.pt", weights_only=True)["network"] for out in (whole, parts))
    assert all(torch.equal(one[key], other[key]) for key in one)


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

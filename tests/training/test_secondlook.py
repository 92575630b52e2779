"""A second look learned as a user does: glances drawn, a run broken off and gone on with, weights that use it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from echo3d.errors import InputError, StoppedError
from echo3d.reconstruction.reconstruct import load_model, predict
from echo3d.trainings import read_settings, train
from training.glances import Looks, Shard, first_hearts, first_look, glances, redrawn
from training.refinement import with_second
from training.s2mnet import stored_pictures
from training.samples import heart_samples, write_shard
from training.secondlook import NETWORK, Settings, mean_encoder, read_glances
from training.styles import drawer, style_shard
from training.trustsigns import weighed

STYLES = ("binary", "flat")


@pytest.fixture(scope="module")
def shard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("second")
    samples, record = heart_samples((9, 0), probes=2, labels_only=True)
    write_shard(out, "0009_00000", samples, [record])
    for style in STYLES:
        style_shard(out / "0009_00000.npz", style, drawer(style), 1)
    return out / "0009_00000.npz"


@pytest.fixture(scope="module")
def folder(shard: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("glances")
    drawn = glances(first_look(load_model("accurate", "cpu")), Shard(0, shard), Looks(STYLES, seed=0), np.random.default_rng(3))
    np.savez(out / "one.npz", **drawn)  # type: ignore[arg-type]
    return out


def test_a_glance_is_the_slice_of_the_heart_that_was_made(shard: Path, folder: Path) -> None:
    """The slices are near the truth, as near as a first look comes; what is not shown has none."""
    with np.load(folder / "one.npz") as data:
        assert not data["slices"][~data["present"]].any()
        wall = (data["slices"][..., 0, :, :] / 255)[data["present"]]
        true = (data["labels"].reshape(-1, 6, 28, 4, 28, 4) == 1).mean(axis=(3, 5))[data["present"]]
    assert np.abs(wall - true).mean() < 0.4 * np.abs(np.roll(wall, 9, axis=2) - true).mean()
    model = first_look(load_model("accurate", "cpu"))
    with np.load(shard) as data, np.load(shard.parent / "binary" / shard.name) as drawn:
        part = {"echo": torch.from_numpy(drawn["echo"][:2]), "fans": torch.from_numpy(data["fans"][:2])}
    some = torch.zeros(2, 6, dtype=torch.bool)
    some[:, [0, 3]] = True
    shown = first_hearts(model, stored_pictures(part), some)["slices"]
    assert shown[:, [1, 2, 4, 5]].abs().max() == 0 and shown[:, [0, 3]].max() > 0.9


def test_hearts_are_made_anew_of_the_same_pictures(folder: Path, tmp_path: Path) -> None:
    model = first_look(load_model("accurate", "cpu"))
    drawn = redrawn(model, folder / "one.npz", tmp_path)
    with np.load(folder / "one.npz") as old, np.load(drawn) as new:
        assert set(old) == set(new)
        assert all(np.array_equal(old[key], new[key]) for key in ("pictures", "labels", "present", "truth"))
        # pictures are kept in 256 steps, so that hearts differ by little
        assert 0 < np.abs(new["heart"] - old["heart"]).max() < 0.3 * np.abs(old["heart"]).max()
    before = drawn.stat().st_mtime_ns
    redrawn(model, folder / "one.npz", tmp_path)
    assert drawn.stat().st_mtime_ns == before, "left alone where it is there"


def settings(folder: Path, **others: object) -> Settings:
    brief = {
        "data": folder,
        "val": folder,
        "steps": 3,
        "batch": 4,
        "precision": "float32",
        "keep": 1,
        "note": 1,
        "rise": 1,
        "device": "cpu",
    }
    return Settings.model_validate(brief | others)


def test_a_run_that_was_broken_off_ends_with_the_same_weights(folder: Path, tmp_path: Path) -> None:
    def broken(share: float, said: str, /) -> None:
        if share > 0.5:
            raise StoppedError("enough")

    whole = train("secondlook", settings(folder), tmp_path / "whole")
    with pytest.raises(StoppedError):
        train("secondlook", settings(folder), tmp_path / "part", progress=broken)
    assert train("secondlook", settings(folder), tmp_path / "part", resume=True)["steps"] == whole["steps"] == 3
    one, other = (torch.load(tmp_path / name / NETWORK, weights_only=True)["second"] for name in ("whole", "part"))
    assert all(torch.equal(one[key], other[key]) for key in one)
    assert 0 < whole["held_squares"] < 0.2


def test_weights_with_a_second_look_use_it(folder: Path, shard: Path, tmp_path: Path) -> None:
    """A pair of pictures is read otherwise once there is a second look, and no worse than the parts allow: finite, and near the first."""
    train("secondlook", settings(folder, steps=2, rate=1e-4), tmp_path / "run")
    again = torch.load(tmp_path / "run" / NETWORK, weights_only=True)["second"]
    model = first_look(load_model("accurate", "cpu"))
    twice = with_second(model, {f"second.{name}": value for name, value in again.items()}, 7.0)
    assert read_glances(folder)["view"].max() <= 5
    with np.load(shard) as data, np.load(shard.parent / "binary" / shard.name) as drawn:
        part = {"echo": torch.from_numpy(drawn["echo"][:2]), "fans": torch.from_numpy(data["fans"][:2])}
    pictures, present = stored_pictures(part), torch.ones(2, 6, dtype=torch.bool)
    first, second = (predict(one, pictures, present, [(0, 1)]).points for one in (model, twice))
    apart = (first - second).norm(dim=2).mean()
    assert 1e-3 < float(apart) < 3.0
    assert model.refiner is not None and twice.refiner is not None
    alone = predict(replace(twice, refiner=replace(twice.refiner, second=None)), pictures, present, [(0, 1)]).points
    assert torch.allclose(alone, first, atol=1e-3)


def test_signs_are_weighed_by_what_they_tell() -> None:
    generator = torch.Generator().manual_seed(0)
    genuine = torch.rand(4000, generator=generator) < 0.5
    known = torch.stack([genuine + torch.randn(4000, generator=generator), torch.randn(4000, generator=generator)], dim=1)
    weights = weighed([known], [genuine])[0]
    assert weights[0] == pytest.approx(1.0, abs=0.15) and weights[1] == pytest.approx(0.0, abs=0.1)
    assert weights[2] == pytest.approx(-0.5, abs=0.15)  # Bayes for two normal distributions a spread apart
    few = weighed([known, -known[:6], -known[:1000]], [genuine, genuine[:6], genuine[:1000]])
    assert few[1, 0] > 0.1 and few[2, 0] < -0.3, "a view of six pictures goes by what all views share, one of a thousand by itself"


def test_no_glances_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"training\.glances"):
        train("secondlook", settings(tmp_path), tmp_path / "run")
    assert read_settings("secondlook", None).model_dump()["batch"] == 48


def test_the_mean_of_runs_is_that_of_their_weights(tmp_path: Path) -> None:
    for name, value in (("one", 1.0), ("two", 2.0)):
        (tmp_path / name).mkdir()
        torch.save({"second": {"w": torch.full((3,), value)}}, tmp_path / name / NETWORK)
    assert mean_encoder([tmp_path / "one", tmp_path / "two"])["w"].tolist() == [1.5] * 3
    meanrun = [sys.executable, "-m", "training.meanrun", str(tmp_path / "one")]
    subprocess.run([*meanrun, str(tmp_path / "two"), "--out", str(tmp_path / "both")], check=True)
    assert torch.load(tmp_path / "both" / NETWORK, weights_only=True)["second"]["w"].tolist() == [1.5] * 3
    lost = subprocess.run([*meanrun, str(tmp_path), "--out", str(tmp_path / "none")], check=False, capture_output=True, text=True)
    assert lost.returncode == 2 and "finished runs of one kind" in lost.stderr and not (tmp_path / "none").exists()

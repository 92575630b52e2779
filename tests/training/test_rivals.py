"""Rivals trained as a user does: to the end, broken off and gone on with, opened again, and what they are shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from echo3d.anatomy.template import load_template
from echo3d.cli import main
from echo3d.errors import InputError, StoppedError
from echo3d.io.images import read_png
from echo3d.io.weights import read_weights
from echo3d.reconstruction.pix2vox import Pix2VoxConfig
from echo3d.reconstruction.s2mnet_paper import TINY
from echo3d.trainings import train
from training import s2mnet_paper, voxelnets
from training.contestants import open_contestant
from training.data import Shards
from training.occupancy import METRIC, iou, occupied
from training.rivals import FILE, Drawer, draw_views, open_rival, with_statistics
from training.samples import heart_samples, write_shard
from training.styles import drawer, style_shard

STYLES = ("binary", "flat")
SMALL = Pix2VoxConfig(
    picture=64,
    encoder=((1, 32, 1), (3, 16, 1), (1, 16, 1)),
    decoder=(72, 8, 8, 4, 4),
    merger=(5, 2, 1),
    refiner=(1, 2, 4, 8),
    hidden=16,
)
"""Answers with 32 voxels a side."""

BRIEF: dict[str, Any] = {"styles": STYLES, "steps": 2, "batch": 2, "held": 1, "statistics": 1, "rise": 1, "device": "cpu"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    out = tmp_path_factory.mktemp("rivals")
    for number, name in enumerate(("data", "val")):
        (out / name).mkdir()
        samples, record = heart_samples((9, number), probes=1, labels_only=True)
        write_shard(out / name, "0009_00000", samples, [record])
        for style in STYLES:
            style_shard(out / name / "0009_00000.npz", style, drawer(style), 1)
    return {name: out / name for name in ("data", "val")}


def voxel_settings(data: dict[str, Path], **others: object) -> voxelnets.Settings:
    return voxelnets.Settings.model_validate(BRIEF | data | {"network": SMALL, "filled": 2} | others)


def field_settings(data: dict[str, Path], **others: object) -> s2mnet_paper.Settings:
    return s2mnet_paper.Settings.model_validate(BRIEF | data | {"network": TINY} | others)


def test_a_voxel_network_from_a_file_can_be_compared(data: dict[str, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "fast.json").write_text(voxel_settings(data, name="Small").model_dump_json())
    out = tmp_path / "run"
    assert main(["train", "pix2vox", "--config", str(tmp_path / "fast.json"), "--out", str(out), "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert np.isfinite(told["held_entropy"]) and 0 <= told["held_iou"] <= 1
    recipe = json.loads((out / "recipe.json").read_text())
    assert recipe["name"] == "Small" and recipe["kind"] == "pix2vox" and recipe["budget"]["steps"] == 2 and recipe["parameters"] > 1e5
    said = open_rival(out)(torch.rand(1, 6, 2, 112, 112), torch.ones(1, 6, dtype=torch.bool))
    assert said.shape == (1, 32, 32, 32) and 0 <= said.min() <= said.max() <= 1
    assert str(data["val"]) not in (out / "network.json").read_text()
    contestant = open_contestant(str(out))
    assert contestant.voxels and contestant.parameters == recipe["parameters"]
    assert read_png(out / "sheet_000002.png").shape == (4 * 224 + 3 * 4, 6 * 224 + 5 * 4, 3)


def test_a_broken_run_ends_as_one_that_was_not(data: dict[str, Path], tmp_path: Path) -> None:
    def stop(_: float, said: str) -> None:
        if said.startswith("step 1,"):
            raise StoppedError("enough")

    settings = field_settings(data)
    whole = train("s2mnet-paper", settings, tmp_path / "whole")
    with pytest.raises(StoppedError):
        train("s2mnet-paper", settings, tmp_path / "parts", progress=stop)
    assert train("s2mnet-paper", settings, tmp_path / "parts", resume=True) == whole
    one, other = (read_weights(tmp_path / name / FILE) for name in ("whole", "parts"))
    assert all(torch.equal(one[key], other[key]) for key in one)
    assert (tmp_path / "parts" / "sheet_000002.png").read_bytes() == (tmp_path / "whole" / "sheet_000002.png").read_bytes()
    points = open_rival(tmp_path / "whole")(torch.rand(2, 6, 2, 112, 112), torch.ones(2, 6, dtype=torch.bool))
    assert points.shape == (2, *load_template().points.shape)


def test_it_starts_at_the_mean_of_what_it_learns(data: dict[str, Path]) -> None:
    """The paper's network starts at the samples' mean displacement, a voxel network at their share of filled voxels."""
    shards = Shards(data["data"], styles=STYLES)
    shards.refresh()
    field = s2mnet_paper.Field3D(field_settings(data), shards)
    said = field.network.eval()(torch.rand(1, 6, 2, 112, 112), torch.ones(1, 6, dtype=torch.bool)).points.detach()
    moved = (said[0] - field.network.template).mean(dim=0)
    assert torch.allclose(moved, torch.from_numpy(shards.parts[0]["field"]).float().mean(dim=(0, 1)), atol=0.5)
    voxels = voxelnets.Voxels(voxel_settings(data), shards)
    assert 0.01 < voxels.config.filled < 0.08


def test_what_is_shown(data: dict[str, Path]) -> None:
    """One sample is either phase; a voxel's truth is the heart that the field makes; the same draw is the same."""
    shards = Shards(data["data"], styles=STYLES)
    shards.refresh()
    shown = Drawer(shards, 1.0, any_views=True)
    one, same = (shown.draw(np.random.default_rng(4), 1) for _ in range(2))
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert {float(shown.draw(np.random.default_rng(seed), 1)["field"].sum()) for seed in range(6)} == {
        float(part.float().sum()) for part in torch.from_numpy(shards.parts[0]["field"])
    }
    truth = voxelnets.true_voxels(one["field"])
    heart = load_template().points + one["field"][0].double().numpy()
    assert iou(truth[0].numpy() > 0, occupied(heart, METRIC)) == 1


def test_single_views_are_as_many_as_asked_for() -> None:
    """A share of the samples shows one view alone; without it a tenth does."""
    shown = [draw_views(np.random.default_rng(1), 4000, single).sum(dim=1) for single in (0.0, 0.75, 1.0)]
    ones, sixes = ([float((number == count).float().mean()) for number in shown] for count in (1, 6))
    assert ones == pytest.approx([0.1, 0.775, 1.0], abs=0.02)
    assert sixes == pytest.approx([0.5, 0.125, 0.0], abs=0.02)


def test_batch_norms_know_the_batches_they_were_shown() -> None:
    class Norm(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.BatchNorm2d(1)
            self.weight = nn.Parameter(torch.ones(1))

        def forward(self, pictures: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
            return self.norm(pictures[present][:, :1])

    network, present = Norm(), torch.ones(1, 6, dtype=torch.bool)
    batches = [{"pictures": torch.full((1, 6, 2, 4, 4), value), "present": present} for value in (2.0, 4.0)]
    measured = with_statistics(network, batches)
    assert float(measured.get_buffer("norm.running_mean")) == 3.0 and not measured.training
    assert float(network.get_buffer("norm.running_mean")) == 0.0


def test_what_is_refused(data: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="samples in the styles"):
        train("pix2vox", voxel_settings(data | {"data": tmp_path / "none"}), tmp_path / "run")
    with pytest.raises(InputError, match=r"network\.safetensors"):
        open_rival(tmp_path)
    assert voxelnets.Settings().course(6400).whole() == 25_000  # published: 250 epochs of batches of 64

"""A data set is read by training as its own shards are: same keys, same raster, sides kept apart; and the encoder learns on it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from echo3d.core.structures import Structure
from echo3d.core.views import View
from echo3d.dataset.generate import generate
from echo3d.dataset.spec import DatasetSpec
from echo3d.errors import InputError
from echo3d.reconstruction.s2mnet import VIEWS, Encoder, S2MNetConfig
from tests.cohort.inline import Inline
from training.augment import look
from training.data import KEYS
from training.datasets import open_samples, read_dataset
from training.encoder import shares

SPEC = DatasetSpec(5, seed=21, stage="pseudo")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sets") / "set"
    generate(SPEC, out, Inline())
    return out


def test_keys_and_kinds_are_those_of_shards(folder: Path) -> None:
    shards = open_samples(folder)
    assert len(shards) == 8 and len(read_dataset(folder, "validation")) == 2 and shards.refresh() == 8
    batch = shards.pairs(np.random.default_rng(1), 3)
    assert tuple(batch) == KEYS
    assert batch["echo"].shape == batch["labels"].shape == (6, 6, 112, 112) and batch["echo"].dtype == torch.uint8
    assert batch["sectors"].shape == (6, 6, 9) and batch["fans"].shape == (6, 6, 2) and batch["volumes"].shape == (6, 4)
    assert batch["field"].dtype == torch.float16
    assert (batch["volumes"][1::2, 0] < batch["volumes"][::2, 0]).all(), "the second of a pair is end-systole"


def test_the_encoder_learns_on_it(folder: Path) -> None:
    torch.manual_seed(0)
    shards, rng = open_samples(folder), np.random.default_rng(0)
    encoder = Encoder(S2MNetConfig())
    optimiser = torch.optim.AdamW(encoder.parameters(), lr=3e-4)
    batch = shards.pairs(rng, 1)
    pictures = look(batch["echo"], batch["fans"], np.random.default_rng(4)).flatten(0, 1)
    truth = shares(batch["labels"].flatten(0, 1))
    losses = []
    for _ in range(8):
        loss = functional.cross_entropy(encoder(pictures, torch.arange(VIEWS).repeat(2)), truth)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0], losses


def test_another_raster_is_brought_onto_the_networks(folder: Path, tmp_path: Path) -> None:
    generate(replace(SPEC, count=1, stage="binary"), tmp_path / "plain", Inline())
    for name, other in (("fine", {"size": 224}), ("odd", {"size": 150, "pixel_mm": 1.25})):
        generate(replace(SPEC, count=1, stage="binary", **other), tmp_path / name, Inline())  # type: ignore[arg-type]
        plain, moved = (read_dataset(tmp_path / one).all() for one in ("plain", name))
        assert moved["labels"].shape == plain["labels"].shape and moved["labels"].dtype == torch.uint8
        assert (moved["labels"] == plain["labels"]).float().mean() > 0.97
        assert (moved["echo"].float() - plain["echo"].float()).abs().mean() < 10
        lv = [(one["labels"][0, View.A4C] == Structure.LV_CAVITY).nonzero().float().mean(dim=0) for one in (moved, plain)]
        assert torch.allclose(lv[0], lv[1], atol=0.5), "moved by less than half a pixel"


def test_what_training_cannot_use_is_refused(folder: Path, tmp_path: Path) -> None:
    about = json.loads((folder / "manifest.json").read_text())
    for change, said in (({"stage": "labels"}, "labels only"), ({"phases": ["ed"]}, "fewer"), ({"views": ["a4c"]}, "fewer")):
        (tmp_path / "manifest.json").write_text(json.dumps(about | change))
        with pytest.raises(InputError, match=said):
            read_dataset(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps(about))
    with pytest.raises(InputError, match="of each heart"):
        read_dataset(tmp_path)
    with pytest.raises(InputError, match="train or validation"):
        read_dataset(folder, "test")
    (tmp_path / "manifest.json").unlink()
    with pytest.raises(InputError, match="finished folder"):
        read_dataset(tmp_path)


def test_a_law_of_motion_can_be_left_out(folder: Path) -> None:
    laws = [heart["record"]["beat"]["family"] for heart in json.loads((folder / "manifest.json").read_text())["files"]]
    kept = sum(len(read_dataset(folder, side, without=laws[0])) for side in ("train", "validation"))
    assert kept == 2 * (len(laws) - laws.count(laws[0])) < 10

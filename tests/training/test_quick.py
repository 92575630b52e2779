"""The lean encoder taught by what becomes of the heart: it gets better, goes on where it was, and its weights leave others alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from echo3d.errors import InputError
from echo3d.io.weights import follow, read_card, read_weights, weights_path
from echo3d.reconstruction.reconstruct import QUICK, load_model
from echo3d.reconstruction.s2mnet import Encoder
from echo3d.trainings import train
from training.data import Shards
from training.evaluate import load_all
from training.glances import Looks, Shard, first_look, glances
from training.quick import NETWORK, Quick, Settings, slimmed
from training.quickweights import encoder_of, quick_pairs, quickened, trust_of
from training.samples import heart_samples, write_shard
from training.secondlook import NETWORK as SECOND
from training.styles import drawer, style_shard
from training.unpack import unpack


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Samples and glances of one heart through two probes."""
    out = tmp_path_factory.mktemp("quick")
    samples, record = heart_samples((9, 0), probes=2, labels_only=True)
    write_shard(out, "0009_00000", samples, [record])
    style_shard(out / "0009_00000.npz", "speckle", drawer("speckle"), 1)
    drawn = glances(
        first_look(load_model("accurate", "cpu")), Shard(0, out / "0009_00000.npz"), Looks(("speckle",), 0.0, 0), np.random.default_rng(3)
    )
    (out / "glances").mkdir()
    np.savez(out / "glances" / "one.npz", **drawn)  # type: ignore[arg-type]
    return out


def settings(folder: Path, **others: object) -> Settings:
    brief = {"data": folder / "glances", "val": folder / "glances", "steps": 12, "batch": 2, "device": "cpu", "rate": 1e-3}
    return Settings.model_validate(brief | {"precision": "float32", "keep": 1, "note": 1, "rise": 1} | others)


def test_it_learns_to_lead_and_goes_on_where_it_was(folder: Path, tmp_path: Path) -> None:
    work = Quick(settings(folder))
    with torch.inference_mode():
        before = work.validated(work.network)
    told = train("quick", settings(folder), tmp_path / "run")
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert log[-1]["points"] + log[-1]["volumes"] < 0.9 * (log[1]["points"] + log[1]["volumes"])
    assert told["held_points_mm"] < before["held_points_mm"]
    train("quick", settings(folder, begin=tmp_path / "run", steps=1), tmp_path / "more")
    further = json.loads((tmp_path / "more" / "log.jsonl").read_text().splitlines()[1])
    assert further["points"] < log[1]["points"]


def test_a_run_begins_as_the_shipped_look(folder: Path, tmp_path: Path) -> None:
    unpack("accurate", tmp_path)
    begun, shipped = Quick(settings(folder, begin=tmp_path)).network, read_weights(weights_path("lean"))
    assert all(torch.equal(value, shipped[f"{QUICK}encoder.{key}"].float()) for key, value in begun.state_dict().items())
    second, known = torch.load(tmp_path / SECOND, weights_only=True)["second"], read_weights(weights_path("accurate"))
    assert all(torch.equal(value, known[f"second.{key}"].float()) for key, value in second.items()) and second


def test_its_weights_answer_and_leave_the_network_alone(folder: Path, tmp_path: Path) -> None:
    train("quick", settings(folder, steps=1), tmp_path / "run")
    model = load_model("lean", "cpu")
    samples = load_all(folder, ("speckle",))
    made = quickened(model, tmp_path / "run", samples, (5.0, (1, 1)), 4)
    encoder = torch.load(tmp_path / "run" / NETWORK, weights_only=True)["quick"]
    assert {key.removeprefix("encoder.") for key in made if key.startswith("encoder.")} == set(encoder)
    rank = model.network.config.principal
    assert made["factor.6"].shape == (2 * (rank + 36), 2 * (rank + 36)) and made["correction.6"].shape == (2 + 3 * rank, rank)
    assert made["correction.1"].shape == (2, rank)


def test_its_trust_is_learned_from_what_it_sees(folder: Path, tmp_path: Path) -> None:
    train("quick", settings(folder), tmp_path / "run")
    model, shards = load_model("lean", "cpu"), Shards(folder, styles=("speckle",))
    shards.refresh()
    before = {key: value.clone() for key, value in model.network.state_dict().items()}
    made = trust_of(model.network, encoder_of(model, tmp_path / "run"), shards, (30, 5))
    assert {key.removeprefix("trust.") for key in made} == set(model.network.trust.state_dict())
    assert any(not torch.equal(made[f"trust.{key}"], value) for key, value in model.network.trust.state_dict().items())
    assert all(torch.equal(before[key], value) for key, value in model.network.state_dict().items())


def test_cards_that_refine_follow_the_network(tmp_path: Path) -> None:
    for name in ("accurate", "lean", "sliceplane"):
        shutil.copy(weights_path(name).with_suffix(".json"), tmp_path)
    assert follow(tmp_path, read_card(weights_path("lean")).sha256, "new") == ["accurate"]
    assert json.loads((tmp_path / "accurate.json").read_text())["config"]["network_sha256"] == "new"
    assert follow(tmp_path, "unknown", "newer") == []


def test_it_needs_glances_and_weights_that_refine(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="training.glances"):
        Quick(settings(folder, data=tmp_path))
    with pytest.raises(InputError, match="refined must name weights that refine, found lean"):
        Quick(settings(folder, refined="lean"))


def test_the_shipped_quick_look_brings_hearts_nearer(folder: Path) -> None:
    model = load_model("lean", "cpu")
    samples = load_all(folder, ("speckle",))
    before, after = quick_pairs(model, samples, torch.ones(len(samples["field"]), 6, dtype=torch.bool))
    work = Quick(settings(folder))
    truth = work.held["truth"].flatten(0, 1)
    off = [float(work.body.wrong(hearts, truth, samples["volumes"])[0]) for hearts in (before, after)]
    assert off[1] < 0.9 * off[0]
    tensors = read_weights(weights_path("lean"))
    assert {key for key in tensors if not key.startswith(QUICK)} == {*model.network.state_dict(), "sigma_mm"}


def test_a_slim_encoder_keeps_what_tells_most() -> None:
    model = load_model("lean", "cpu")
    known = dict(model.network.encoder.state_dict())
    silent = known["fine.3.second.weight"].clone()
    heard = torch.arange(32) % 4 < 2  # of each group of four the first two lead on
    silent[:, ~heard] = 0
    known["fine.3.second.weight"] = silent
    slim = slimmed(known, 0.5)
    assert torch.equal(slim["fine.3.first.weight"], known["fine.3.first.weight"][heard])
    assert torch.equal(slim["fine.3.second.weight"], silent[:, heard])
    Encoder(model.network.config, 0.5).load_state_dict(slim)
    assert all(torch.equal(slimmed(known, 1.0)[key], value) for key, value in known.items())

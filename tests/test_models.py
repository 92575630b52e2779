"""The user's own networks: made of a run, used by name, handed on in one file, and refused where they do not fit."""

from __future__ import annotations

import csv
import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from echo3d.cli import main
from echo3d.errors import InputError, ModelError
from echo3d.io.cards import read_card, weights_path
from echo3d.io.images import read_image
from echo3d.io.weights import read_weights, write_weights
from echo3d.jobs.registry import list_jobs
from echo3d.jobs.spec import JobSpec, State
from echo3d.jobs.store import make_job
from echo3d.models import add_model, export_run, list_models, remove_model
from echo3d.paths import user_jobs
from echo3d.pipeline import Request, demo_clips, run_reconstruct
from echo3d.reconstruction.reconstruct import load_model
from echo3d.settings import Settings, save_settings
from echo3d.trainings import JOB
from training.unpack import unpack


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the test a user of its own."""
    monkeypatch.setenv("ECHO3D_HOME", str(tmp_path / "home"))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return the folder of a run that ended with what the shipped lean network knows, and whose validation samples are gone."""
    out = tmp_path / "my run"
    unpack("lean", tmp_path / "shipped")
    out.mkdir()
    network = load_model("lean", "cpu").network
    state = {"network": network.state_dict(), "config": network.config.model_dump(), "samples": 8, "hearts": 4}
    torch.save(state, out / "network.pt")
    (out / "run.json").write_text(json.dumps({"kind": "s2mnet", "template_sha256": load_model("lean", "cpu").card.template_sha256}))
    settings = {"val": str(tmp_path / "gone"), "styles": ["binary"], "data": str(tmp_path / "gone"), "steps": 4}
    (out / "config.json").write_text(json.dumps(settings))
    lines = [{"course": {}}, {"step": 2, "points": 2.0}, {"step": 4, "points": 1.0, "ed_mm": 2.0, "es_mm": 3.0}]
    (out / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return out


def test_a_run_becomes_a_model_that_reconstructs_without_intervals(run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "add", str(run), "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["name"] == "my-run" and told["kind"] == "s2mnet" and told["intervals"] is False
    run_reconstruct(Request(demo_clips(), model="my-run", device="cpu"), tmp_path / "result")
    written = json.loads((tmp_path / "result" / "result.json").read_text())
    assert written["model"] == "my-run" and written["interval90"] == {} and 0.3 < written["ef"] < 0.8
    assert (tmp_path / "result" / "report.pdf").is_file()
    model, shipped = load_model("my-run", "cpu"), load_model("lean", "cpu")
    assert all(torch.equal(one, other) for one, other in zip(model.network.parameters(), shipped.network.parameters(), strict=True))
    assert np.allclose(model.sigma_mm, 2.5, atol=1e-3)  # what the log says of the mean point
    assert [(one.name, one.own) for one in list_models() if one.own] == [("my-run", True)]
    assert main(["models", "list"]) == 0
    assert "my-run" in capfd.readouterr().out
    assert main(["models", "remove", "my-run"]) == 0 and not [one for one in list_models() if one.own]
    with pytest.raises(ModelError, match="must name installed weights"):
        weights_path("my-run")


def test_an_exported_run_is_one_file_that_others_can_add(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "run.zip"
    names = export_run(run, out)
    assert names == ["config.json", "curves.csv", "curves.png", "log.jsonl", "my-run.json", "my-run.safetensors", "run.json"]
    with zipfile.ZipFile(out) as archive:
        assert str(tmp_path) not in archive.read("config.json").decode() + archive.read("my-run.json").decode()
        rows = list(csv.DictReader(archive.read("curves.csv").decode().splitlines()))
        (tmp_path / "curves.png").write_bytes(archive.read("curves.png"))
    assert [row["points"] for row in rows] == ["2.0", "1.0"] and len(read_image(tmp_path / "curves.png")) > 100
    assert add_model(out, name="theirs").name == "theirs"
    with pytest.raises(InputError, match="found it there"):
        export_run(run, out)


@pytest.fixture
def accurate(run: Path, tmp_path: Path) -> Path:
    """Return the folder of a run that ended with what the shipped accurate network knows, made of the user's own lean one, ``mine``."""
    out = tmp_path / "better"
    out.mkdir()
    base = add_model(run, name="mine")
    path = weights_path("accurate")
    config = {**read_card(path).config, "network": "mine", "network_sha256": base.sha256}
    card = replace(read_card(path), config=config, metrics={"intervals": "none"})
    write_weights(out / "accurate.safetensors", read_weights(path), card)
    (out / "run.json").write_text(json.dumps({"kind": "accurate", "template_sha256": base.template_sha256}))
    (out / "config.json").write_text(json.dumps({"model": "mine", "data": str(tmp_path)}))
    return out


def test_an_accurate_network_of_ones_own_refines_a_lean_one_of_ones_own(
    accurate: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "add", str(accurate), "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["kind"] == "refined s2mnet"
    model, shipped = load_model("better", "cpu"), load_model("accurate", "cpu")
    assert model.refiner is not None and shipped.refiner is not None and shipped.card.config["network"] == "lean"
    assert torch.equal(model.refiner.covariance[6], shipped.refiner.covariance[6])
    run_reconstruct(Request(demo_clips(), model="better", device="cpu"), tmp_path / "result")
    assert json.loads((tmp_path / "result" / "result.json").read_text())["model"] == "better"
    assert [one.lean for one in list_models() if one.own] == [False, True]
    assert main(["models", "remove", "mine"]) == 2
    assert capfd.readouterr().err.strip().endswith("found better made of mine; remove better first")
    for name in ("better", "mine"):
        remove_model(name)
    assert not [one for one in list_models() if one.own]


def test_a_network_that_refines_one_that_is_not_there_is_refused_until_it_is(accurate: Path, run: Path, tmp_path: Path) -> None:
    """It is known by its SHA-256: under another name it will do, and another network of its name will not."""
    export_run(accurate, tmp_path / "better.zip")
    remove_model("mine")
    with pytest.raises(ModelError, match="which was called mine; add it first"):
        add_model(tmp_path / "better.zip")
    assert not [one for one in list_models() if one.own]
    log = run / "log.jsonl"
    kept = log.read_text()
    log.write_text(kept.replace('"ed_mm": 2.0', '"ed_mm": 4.0'))  # other expected errors, so another file
    add_model(run, name="mine")
    with pytest.raises(ModelError, match="add it first"):
        add_model(accurate)
    log.write_text(kept)
    add_model(run, name="elsewhere")
    assert add_model(tmp_path / "better.zip").name == "better" and load_model("better", "cpu").refiner is not None
    weights_path("elsewhere").unlink()
    assert not next(one for one in list_models() if one.name == "better").computes_hearts


def test_a_model_in_use_stays(run: Path, tmp_path: Path) -> None:
    add_model(run, name="mine")
    save_settings(Settings(model="mine"))
    with pytest.raises(InputError, match="chosen in the window"):
        remove_model("mine")
    save_settings(Settings())
    wanted = {"kind": "accurate", "settings": {"model": "mine"}, "out": str(tmp_path / "later")}
    job = make_job(user_jobs(), JobSpec("train", "later", JOB, wanted))
    enqueued = [status for status in list_jobs(user_jobs()) if status.state is State.QUEUED]
    assert [status.name for status in enqueued] == [job.name]
    with pytest.raises(InputError, match=f"found {job.name} at it"):
        remove_model("mine")
    shutil.rmtree(job)
    remove_model("mine")


def test_another_template_is_refused_when_added_and_when_loaded(run: Path) -> None:
    about = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(about | {"template_sha256": "0" * 64}))
    with pytest.raises(ModelError, match="displaces another"):
        add_model(run)
    assert not [one for one in list_models() if one.own]
    (run / "run.json").write_text(json.dumps(about))
    add_model(run, name="mine")
    card = weights_path("mine").with_suffix(".json")
    card.write_text(card.read_text().replace(about["template_sha256"], "0" * 64))
    with pytest.raises(ModelError, match="another template"):
        load_model("mine", "cpu")
    assert not next(one for one in list_models() if one.own).computes_hearts


def test_what_is_no_model_is_refused_in_a_sentence(run: Path, tmp_path: Path) -> None:
    def said(source: Path, **words: str) -> str:
        with pytest.raises((InputError, ModelError)) as caught:
            add_model(source, **words)
        assert str(caught.value).count(";") == 1 and str(tmp_path) not in str(caught.value)
        return str(caught.value)

    assert "found lean taken" in said(run, name="lean")
    assert "use --name" in said(run, name="../mine")
    assert "run.json" in said(tmp_path)
    assert "found none" in said(tmp_path / "none.zip")
    (tmp_path / "text.zip").write_text("text")
    assert "BadZipFile" in said(tmp_path / "text.zip")
    other = tmp_path / "other"
    shutil.copytree(run, other)
    (other / "run.json").write_text(json.dumps({"kind": "pix2vox"}))
    assert "found one of pix2vox" in said(other)
    (run / "network.pt").unlink()
    assert "come to its end" in said(run)
    with pytest.raises(InputError, match="one's own"):
        remove_model("lean")

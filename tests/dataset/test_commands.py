"""The commands about data sets: one object, one sentence, the same bytes in front and as a job, and an estimate that was measured."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from echo3d.cli import main
from echo3d.core.views import View
from echo3d.dataset import estimate as estimating
from echo3d.dataset.files import packed
from echo3d.dataset.generate import generate
from echo3d.dataset.job import run
from echo3d.dataset.manifest import check_files
from echo3d.dataset.order import job_spec, words_of
from echo3d.dataset.sample import make_heart
from echo3d.dataset.spec import DatasetSpec, spec_from_json
from echo3d.errors import InputError
from echo3d.jobs import processes
from echo3d.jobs.registry import watch
from echo3d.jobs.spec import State
from echo3d.jobs.store import make_job
from echo3d.jobs.worker import Job
from tests.cohort.inline import Inline

Capture = pytest.CaptureFixture[str]
WORDS = [
    "dataset",
    "generate",
    "--count",
    "1",
    "--seed",
    "8",
    "--stage",
    "labels",
    "--phases",
    "ed",
    "--pose",
    "x=-5:5",
    "--probe",
    "tilt=2",
]
SPEC = DatasetSpec(1, seed=8, stage="labels", phases=("ed",), pose={"x": (-5, 5)}, probe={"tilt": (2, 2)})


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Work runs in this process, so that a command costs no new one."""
    monkeypatch.setattr("echo3d.cohort.executor.ProcessPoolExecutor", lambda *_, **__: Inline())
    monkeypatch.setattr("echo3d.dataset.job.open_executor", lambda **_: Inline())
    yield


@pytest.mark.usefixtures("here")
def test_in_front_and_as_a_job_it_is_the_same(tmp_path: Path, capfd: Capture) -> None:
    assert main([*WORDS, "--out", str(tmp_path / "front"), "--json"]) == 0
    answer = json.loads(capfd.readouterr().out)
    assert (answer["hearts"], answer["samples"], answer["out"]) == (1, 1, "front")
    folder = make_job(tmp_path, job_spec(SPEC, tmp_path / "job"))
    told = run(Job(folder, job_spec(SPEC, tmp_path / "job")))
    assert told == answer | {"out": "job"} and check_files(tmp_path / "job") == 1
    for name in ("manifest.json", "plan.json", "hearts/000000.npz"):
        assert (tmp_path / "front" / name).read_bytes() == (tmp_path / "job" / name).read_bytes()
    assert watch(folder).done == watch(folder).total == 1
    assert main([*WORDS, "--out", str(tmp_path / "front")]) == 0, "the same command again finds it done"
    assert main([*WORDS, "--hands", "2", "--out", str(tmp_path / "front")]) == 2
    assert "--force" in capfd.readouterr().err


def test_the_command_starts_a_job_and_returns(tmp_path: Path, capfd: Capture) -> None:
    assert main([*WORDS, "--out", str(tmp_path / "set"), "--workers", "1", "--job", "--jobs-dir", str(tmp_path / "jobs"), "--json"]) == 0
    folder = tmp_path / "jobs" / json.loads(capfd.readouterr().out)["job"]
    status = watch(folder)
    assert status.spec == job_spec(SPEC, tmp_path / "set", workers=1)
    assert status.state in (State.RUNNING, State.DONE)
    for pid, started in status.trail.runs:
        processes.end(processes.tree(pid, started), kill=True, wait_s=10)
    assert watch(folder).state in (State.INTERRUPTED, State.DONE)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--pose", "x=a:b"], "--pose must look like"),
        (["--pose", "weight=1"], "'weight'"),
        (["--probe", "half_angle=80"], "half_angle"),
        (["--views", "a9c"], "a view must be one of"),
        (["--phases", "noon"], "a phase must be one of"),
        (["--stage", "photo"], "an image stage"),
        (["--heart", "nowhere.vtp"], "found none of that name"),
        (["--workers", "0"], "at least one worker"),
        (["--workers", "0", "--job"], "at least one worker"),
        (["--job", "--scheduler", "tcp://127.0.0.1:1"], "this machine"),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is_written(tmp_path: Path, capfd: Capture, words: list[str], said: str) -> None:
    code = main([*WORDS, *words, "--out", str(tmp_path / "set"), "--jobs-dir", str(tmp_path / "jobs")])
    err = capfd.readouterr().err
    assert code == 2 and said in err and err.count("\n") == 1
    assert not (tmp_path / "set").exists() and not list(tmp_path.glob("jobs/*"))


def test_ctrl_c_says_that_hearts_stay(tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("echo3d.dataset.generate.generate", stop)
    assert main([*WORDS, "--out", str(tmp_path / "set"), "--workers", "1"]) == 130
    assert "the same command goes on from there" in capfd.readouterr().err


def test_the_estimate_is_measured_on_the_hearts_themselves(tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimating, "MOST_HEARTS", 1)
    made: list[DatasetSpec] = []
    monkeypatch.setattr(estimating, "make_heart", lambda spec, *rest: made.append(spec) or make_heart(spec, *rest))
    spec = replace(SPEC, count=10)
    found = estimating.estimate(spec, workers=4, out=tmp_path / "not" / "yet")
    assert [one.hands for one in made] == [1, 1] and made[1] == spec
    assert found.timed == 1 and found.workers == 4 and found.samples == 10
    assert found.bytes == 10 * len(packed(make_heart(spec, None, 0))), "to the byte, but for the length of records"
    assert found.seconds == pytest.approx(found.start_s + 3 * found.heart_s)
    assert found.heart_s > 0.02 and found.free_bytes is not None and found.fits
    assert not replace(found, free_bytes=100).fits
    assert main(["dataset", "estimate", *WORDS[2:], "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["fits"] is True


@pytest.mark.usefixtures("here")
def test_the_estimated_size_is_the_true_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimating, "MOST_HEARTS", 1)
    spec = replace(SPEC, count=2, stage="binary")
    found = estimating.estimate(spec, workers=1)
    assert generate(spec, tmp_path / "set", Inline())["bytes"] == pytest.approx(found.bytes, rel=0.01)


def test_a_jobs_arguments_bring_the_spec_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "truth.json").write_text("{}")
    arguments = job_spec(replace(SPEC, hearts=("truth.json", "template")), Path("set")).arguments
    assert json.loads(json.dumps(arguments)) == arguments
    assert spec_from_json(arguments["dataset"]).hearts == (str(tmp_path / "truth.json"), "template")
    assert arguments["out"] == str(tmp_path / "set")
    with pytest.raises(InputError):
        spec_from_json(arguments)


def test_the_words_of_a_spec_mean_that_spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[DatasetSpec] = []

    def measure(spec: DatasetSpec, **_: object) -> None:
        asked.append(spec)
        raise InputError("enough")

    monkeypatch.setattr(estimating, "estimate", measure)
    full = DatasetSpec(
        7, 3, ("template",), {"dcm": 1, "normal": 2}, ("piston",), "pseudo", 2, ("ed",), (View.A3C,), 64, 2.5, {"rz": (-5.5, 5)}
    )
    full = replace(full, probe=SPEC.probe, body="f:160:62.5")
    for spec in (DatasetSpec(4), full):
        assert main(["dataset", "estimate", *words_of(spec)]) == 2
        assert asked[-1] == spec

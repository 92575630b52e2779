"""Trainings as jobs, with real processes: killed and gone on with to the same weights, cancelled, short of memory, and in two processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from echo3d.cli import main
from echo3d.errors import InputError, ModelError
from echo3d.jobs import processes
from echo3d.jobs.launcher import cancel, start
from echo3d.jobs.queue import enqueue, resume
from echo3d.jobs.registry import watch
from echo3d.jobs.spec import JobSpec, State
from echo3d.jobs.store import EVENTS, log_tail, make_job, read_answer
from echo3d.ranks import processes_of, share_out, slurm_script
from tests.training.looprecipe import COMMAND, KIND, Settings, run

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 200.0


def job(out: Path, **settings: Any) -> JobSpec:
    wanted = {"kind": KIND, "settings": Settings(**settings).model_dump(mode="json"), "out": str(out)}
    return JobSpec("train", "Train a line", "tests.training.looprecipe:run_job", wanted, "cpu")


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "jobs"
    folder.mkdir()
    yield folder
    for one in folder.iterdir():
        if (one / EVENTS).exists():
            for pid, begun in watch(one).trail.runs:
                if pid != os.getpid():
                    processes.end(processes.tree(pid, begun), kill=True, wait_s=10)


def until(ready: Any) -> None:
    end = time.monotonic() + PATIENCE_S
    while not ready():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


def weights(out: Path) -> dict[str, torch.Tensor]:
    return torch.load(out / "weights.pt", weights_only=True)


def undisturbed(out: Path, **settings: Any) -> Path:
    out.mkdir()
    run(Settings(**settings), out)
    return out


def alike(one: Path, other: Path) -> bool:
    a, b = weights(one), weights(other)
    return set(a) == set(b) and all(torch.equal(a[key], b[key]) for key in a)


def lines(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def test_killed_twenty_times_it_ends_with_the_weights_of_an_undisturbed_run(jobs: Path, tmp_path: Path) -> None:
    """At random moments: while it starts, learns, notes, or writes its place."""
    settings = {"steps": 200, "pause": 0.01, "dropout": 0.2}
    folder = make_job(jobs, job(tmp_path / "killed", **settings))
    words = [sys.executable, "-m", "tests.training.killing", str(folder), "20", "4"]
    said = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, timeout=250, env=os.environ | {"OMP_NUM_THREADS": "1"})
    told = json.loads(said.stdout.splitlines()[-1])
    states, steps = told["states"], told["steps"]
    assert len(states) == 20 and set(states) <= {"queued", "interrupted"} and states.count("interrupted") > 10
    assert steps == sorted(steps) and len(set(steps)) > 4 and steps[-1] < 200  # several kills fell between steps, and it got further
    straight = undisturbed(tmp_path / "straight", **settings | {"pause": 0.0})
    assert alike(tmp_path / "killed", straight)
    bare = [[(line.get("step"), line.get("squares"), line.get("held")) for line in lines(out)] for out in (tmp_path / "killed", straight)]
    assert bare[0] == bare[1]  # no line is missing, none is there twice


def test_cancelled_and_resumed_from_the_queue_it_takes_the_very_next_step(jobs: Path, tmp_path: Path) -> None:
    settings = {"steps": 60, "pause": 0.05, "dropout": 0.2, "keep": 1000}
    folder = enqueue(jobs, job(tmp_path / "run", **settings), command=COMMAND)
    until(lambda: watch(folder).message.startswith("step "))
    assert cancel(folder).state is State.CANCELLED
    step = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["step"]
    assert 0 < step < 60  # nothing was kept on the way: the place was written when it was told to stop
    resume(folder, command=COMMAND)
    until(lambda: watch(folder).state is State.DONE)
    assert read_answer(folder) == {"steps": 60, "batch": 4, "out": "run"}
    assert alike(tmp_path / "run", undisturbed(tmp_path / "straight", **settings | {"pause": 0.0}))


def test_short_of_memory_it_goes_on_with_half_the_batch_and_says_so(jobs: Path, tmp_path: Path) -> None:
    folder = start(jobs, job(tmp_path / "run", steps=6, batch=8, fits=2, pause=0.6), command=COMMAND)
    until(lambda: not watch(folder).state.alive)
    status = watch(folder)
    assert (status.state, read_answer(folder)) == (State.DONE, {"steps": 6, "batch": 2, "out": "run"})
    assert "batch halved to 2 for lack of memory" in status.message
    assert any("batch halved to 4" in line for line in log_tail(folder, 40))
    assert [line["batch"] for line in lines(tmp_path / "run") if "why" in line] == [4, 2]


def test_a_failure_is_a_sentence_and_the_last_lines_stay(jobs: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = start(jobs, job(tmp_path / "run", batch=2, fits=0), command=COMMAND)
    until(lambda: not watch(folder).state.alive)
    assert watch(folder).state is State.FAILED and "make the batch or the network smaller" in watch(folder).sentence
    assert main(["jobs", "show", folder.name, "--jobs-dir", str(jobs), "--json"]) == 0
    shown = json.loads(capfd.readouterr().out)
    assert shown["sentence"] and any("batch halved to 1" in line for line in shown["log"])


def test_two_processes_learn_as_one_and_end_with_their_job(jobs: Path, tmp_path: Path) -> None:
    """Torchrun by the job, gloo: killed with -9 all its processes end; gone on with, it ends as one process with the double batch."""
    settings = {"steps": 40, "batch": 8, "keep": 2}
    folder = start(jobs, job(tmp_path / "both", **settings, processes=2, pause=0.1), command=COMMAND)
    until(lambda: watch(folder).message.startswith("step ") and (tmp_path / "both" / "checkpoint.pt").exists())
    pid, begun = watch(folder).trail.runs[-1]
    head, *below = processes.tree(pid, begun)
    assert len(below) >= 3  # torchrun and two that learn
    os.kill(head.pid, signal.SIGKILL)
    assert processes.wait_for(below, 20) == []
    assert watch(folder).state is State.INTERRUPTED
    resume_at(folder)
    until(lambda: not watch(folder).state.alive)
    assert (watch(folder).state, watch(folder).sentence) == (State.DONE, "")
    one, other = weights(undisturbed(tmp_path / "one", **settings)), weights(tmp_path / "both")
    assert max(float((one[key] - other[key]).abs().max()) for key in one) < 1e-4
    assert lines(tmp_path / "both")[0]["processes"] == 2


def resume_at(folder: Path) -> None:
    """Go on with a job at once."""
    resume(folder, command=COMMAND)
    until(lambda: watch(folder).state.alive or watch(folder).state is State.DONE)


def test_two_processes_are_cancelled_together(jobs: Path, tmp_path: Path) -> None:
    folder = start(jobs, job(tmp_path / "both", steps=5000, batch=8, keep=1000, processes=2, pause=0.1), command=COMMAND)
    until(lambda: watch(folder).message.startswith("step "))
    all_of_them = processes.tree(*watch(folder).trail.runs[-1])
    assert cancel(folder, grace_s=(60.0, 5.0)).state is State.CANCELLED
    assert processes.wait_for(all_of_them, 5) == [] and len(all_of_them) >= 4
    assert torch.load(tmp_path / "both" / "checkpoint.pt", weights_only=True)["step"] > 0  # the first wrote its place


def test_a_killed_process_of_several_is_said_and_leaves_none(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    names = {"run": "tests.training.looprecipe:run", "model": "tests.training.looprecipe:Settings"}
    settings = Settings(steps=5000, batch=8, processes=2, pause=0.05).model_dump(mode="json")
    before = set(psutil.Process().children(recursive=True))  # such as the resource tracker that an earlier test began
    killed: list[psutil.Process] = []

    def kill_one(_: float, said: str, /) -> None:
        if said.startswith("step ") and not killed:
            killed.extend(one for one in psutil.Process().children(recursive=True) if one not in before)
            killed[-1].kill()

    with pytest.raises(ModelError, match="ended from outside"):
        share_out(names | {"settings": settings, "out": str(out), "resume": False}, 2, kill_one)
    assert len(killed) >= 3 and processes.wait_for(killed, 5) == []
    wrong = settings | {"batch": 7}
    with pytest.raises(InputError, match="shared out evenly"):
        share_out(names | {"settings": wrong, "out": str(out), "resume": False}, 2, lambda *_: None)


def test_a_batch_script_goes_on_where_it_was(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    config, script = tmp_path / "fast.json", tmp_path / "fast.sh"
    config.write_text(json.dumps({"device": "cuda:0+cuda:1", "steps": 5}))
    words = ["train", "pix2vox", "--config", str(config), "--out", str(tmp_path / "run"), "--slurm", str(script), "--json"]
    assert main(words) == 0
    assert json.loads(capfd.readouterr().out) == {"script": "fast.sh", "processes": 2}
    text = script.read_text()
    assert "--gpus-per-node=2" in text and "--nproc-per-node 2" in text and "--resume" in text
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
    assert slurm_script("pix2vox", None, Path("run"), 1).count("--config") == 0
    with pytest.raises(InputError, match="one device"):
        processes_of({"device": "cuda:0+cuda:1"})

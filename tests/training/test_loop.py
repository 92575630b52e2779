"""The training loop: alone and in two processes alike, broken off and gone on with, short of memory, slow and fast."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from echo3d.errors import InputError, ModelError, StoppedError
from tests.training.loopwork import Line
from training.loop import LOG, STATE, Course, chosen, learn


def state_of(folder: Path) -> dict[str, Any]:
    return torch.load(folder / STATE, weights_only=True)


def lines_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / LOG).read_text().splitlines()]


def apart(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> float:
    assert set(one) == set(other)
    return max(float((one[key] - other[key]).abs().max()) for key in one)


def folders(tmp_path: Path, *names: str) -> list[Path]:
    for name in names:
        (tmp_path / name).mkdir()
    return [tmp_path / name for name in names]


def program(*words: str, launcher: tuple[str, ...] = ()) -> list[str]:
    return [sys.executable, *launcher, "-m", "tests.training.loopwork", *words]


def test_it_learns_and_says_how_fast(tmp_path: Path) -> None:
    loop = learn(Line(), Course(steps=300, batch=32, rate=1e-2, note=100), tmp_path)
    begun, *notes = lines_of(tmp_path)
    assert begun["course"]["batch"] == 32 and begun["processes"] == 1
    assert [note["step"] for note in notes] == [100, 200, 300] and all(note["samples_per_s"] > 0 for note in notes)
    assert notes[-1]["held"] < 0.7 < notes[0]["held"] and notes[-1]["squares"] < notes[0]["squares"]
    assert loop.samples == 9600


def test_a_resumed_run_takes_the_very_same_steps(tmp_path: Path) -> None:
    """Told to stop amid a run, between two checkpoints and two lines of the log; Dropout and draws go on as they would have."""
    course = Course(steps=9, batch=4, note=4, keep=4)

    def stop(_: float, said: str) -> None:
        if said.startswith("step 6,"):
            raise StoppedError("enough")

    straight, parts = folders(tmp_path, "straight", "parts")
    learn(Line(dropout=0.3), course, straight)
    with pytest.raises(StoppedError):
        learn(Line(dropout=0.3), course, parts, progress=stop)
    assert state_of(parts)["step"] == 6
    learn(Line(seed=5, dropout=0.3), course, parts, resume=True)
    one, other = state_of(straight), state_of(parts)
    assert one["rng"] == other["rng"] and torch.equal(one["torch"], other["torch"])
    assert apart(one["network"], other["network"]) == 0 == apart(one["average"], other["average"])
    alike = ("step", "squares", "held")
    assert [[note.get(key) for key in alike] for note in lines_of(straight)] == [
        [note.get(key) for key in alike] for note in lines_of(parts)
    ]


def test_a_killed_process_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    course = json.dumps({"steps": 60, "batch": 4, "keep": 1})
    straight, killed = folders(tmp_path, "straight", "killed")
    environment = os.environ | {"PAUSE": "0.05"}
    with subprocess.Popen(program(str(killed), course), env=environment) as process:
        wait_for(lambda: (killed / STATE).is_file() and state_of(killed)["step"] >= 3)
        process.send_signal(signal.SIGKILL)
    assert 3 <= state_of(killed)["step"] < 60
    subprocess.run(program(str(killed), course, "resume"), env=environment, check=True, timeout=250)
    subprocess.run(program(str(straight), course), env=environment, check=True, timeout=250)
    one, other = state_of(straight), state_of(killed)
    assert apart(one["network"], other["network"]) == 0 == apart(one["average"], other["average"])
    assert one["step"] == other["step"] == 60


def test_two_processes_learn_as_one_with_their_batches_together(tmp_path: Path) -> None:
    """Real processes under torchrun, by gloo: losses and weights of one process with the double batch."""
    alone, both = folders(tmp_path, "alone", "both")
    course = {"steps": 12, "batch": 8, "note": 3, "rate": 1e-2, "device": "cpu"}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launcher = ("-m", "torch.distributed.run", "--nproc-per-node=2", "--master-addr=127.0.0.1", f"--master-port={port}")
    words = program(str(both), json.dumps(course), launcher=launcher)
    subprocess.run(words, check=True, timeout=250, env=os.environ | {"OMP_NUM_THREADS": "1"})
    learn(Line(), Course(**course), alone)
    one, other = state_of(alone), state_of(both)
    assert apart(one["network"], other["network"]) < 1e-4 and apart(one["average"], other["average"]) < 1e-4
    assert lines_of(both)[0]["processes"] == 2 and one["samples"] == other["samples"] == 96
    notes = list(zip(lines_of(alone)[1:], lines_of(both)[1:], strict=True))
    assert len(notes) == 4
    for a, b in notes:
        assert a["held"] == pytest.approx(b["held"], abs=1e-4) and a["squares"] == pytest.approx(b["squares"], abs=1e-4)


class Hungry(Line):
    """Fits a memory of so many samples."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def terms(self, network: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        if len(batch["x"]) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().terms(network, batch)


def test_a_batch_that_does_not_fit_is_halved(tmp_path: Path) -> None:
    """No GPU is filled here: the work raises what torch raises, and the loop must go on with what fits."""
    loop = learn(Hungry(3), Course(steps=5, batch=16, device="cpu"), tmp_path)
    halved = [note["batch"] for note in lines_of(tmp_path) if "why" in note]
    assert halved == [8, 4, 2] and loop.samples == 10 and state_of(tmp_path)["batch"] == 2
    with pytest.raises(ModelError, match="smaller"):
        learn(Hungry(0), Course(steps=5, batch=2, device="cpu"), tmp_path)


def test_budgets_of_time_and_what_is_refused(tmp_path: Path) -> None:
    loop = learn(Line(), Course(core_minutes=0.02, batch=4, device="cpu"), tmp_path)
    assert 0.02 <= loop.core_minutes < 0.03 and loop.step > 3
    for wrong in ({}, {"steps": 4, "minutes": 2.0}, {"steps": 0}):
        with pytest.raises(InputError, match="one budget"):
            Course(**wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="auto, cpu"):
        chosen("tpu")
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="no GPU"):
            chosen("cuda")
        assert chosen("auto").type == "cpu"


def test_half_precision_only_where_asked(tmp_path: Path) -> None:
    kinds: list[torch.dtype] = []

    class Watched(Line):
        def terms(self, network: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
            answer = network(batch["x"])
            kinds.append(answer.dtype)
            return {"squares": (answer - batch["y"]).square().mean()}

    for precision in ("float32", "bfloat16"):
        learn(Watched(), Course(steps=1, precision=precision, device="cpu"), tmp_path)  # type: ignore[arg-type]
    assert kinds == [torch.float32, torch.bfloat16]


def wait_for(ready: object, seconds: float = 200.0) -> None:
    assert callable(ready)
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)

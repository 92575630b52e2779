"""A job that makes a data set is killed with -9 again and again, and what it makes in the end is what it would have made undisturbed."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from echo3d.dataset.folder import HEARTS, PLAN
from echo3d.dataset.generate import generate
from echo3d.dataset.job import start_dataset
from echo3d.dataset.spec import DatasetSpec
from echo3d.jobs import processes
from echo3d.jobs.launcher import resume
from echo3d.jobs.registry import watch
from echo3d.jobs.spec import State
from echo3d.jobs.store import read_answer
from tests.cohort.inline import Inline

SPEC = DatasetSpec(6, seed=5, stage="binary", phases=("ed",))
LIVES = 3
PATIENCE_S = 400.0


def hashes(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def hearts(folder: Path) -> int:
    return len(list((folder / HEARTS).glob("*.npz")))


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def kill(folder: Path) -> list[int]:
    """Kill the job's own process, and nothing but it; return the numbers of those that worked for it."""
    pid, started = watch(folder).trail.runs[-1]
    family = processes.tree(pid, started)
    os.kill(pid, signal.SIGKILL)
    until(lambda: not watch(folder).state.alive)
    return [process.pid for process in family[1:]]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_at_random_moments_and_resumed_it_is_the_same_bit_for_bit(tmp_path: Path) -> None:
    chance = random.Random(os.urandom(8))
    out, seen, orphans = tmp_path / "set", 0, []
    folder = start_dataset(SPEC, out, tmp_path / "jobs", workers=1)
    until((out / PLAN).exists)
    for life in range(LIVES):
        while life and hearts(out) == seen and watch(folder).state.alive:
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.8))
        if not watch(folder).state.alive:
            break
        before = hashes(out)
        orphans += kill(folder)
        assert watch(folder).state is State.INTERRUPTED, life
        after = hashes(out)
        assert all(after[name] == before[name] for name in before if not Path(name).name.startswith(".")), "what was written stays"
        seen = hearts(out)
        resume(folder)
    until(lambda: not watch(folder).state.alive)
    assert watch(folder).state is State.DONE and read_answer(folder) is not None
    assert orphans, "it was killed at least once"
    until(lambda: not any(psutil.pid_exists(pid) for pid in orphans))
    generate(SPEC, tmp_path / "undisturbed", Inline())
    assert hashes(out) == hashes(tmp_path / "undisturbed")

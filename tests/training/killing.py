"""Kill the process of a training job again and again: python -m tests.training.killing JOB KILLS SEED; prints how it then stood.

The processes are forked from this one, which has torch loaded, so that twenty of them start in a second.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import torch

import tests.training.looprecipe
from echo3d.jobs.registry import watch
from echo3d.jobs.spec import JobSpec, State
from echo3d.jobs.store import make_job
from echo3d.jobs.worker import run


def started(folder: Path) -> int:
    """Start the job's process and return its number."""
    if pid := os.fork():
        return pid
    os.setsid()
    with (folder / "log.txt").open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    os._exit(0 if run(folder, packages=("tests",), command=tests.training.looprecipe.COMMAND) else 1)


def usual_s() -> float:
    """Return how long it takes here from the start of a process to its end with a run of a step; loads what the processes share."""
    with tempfile.TemporaryDirectory() as made:
        for number in range(2):
            out = Path(made) / str(number)
            wanted = {"kind": "line", "settings": {"steps": 1}, "out": str(out)}
            folder = make_job(Path(made), JobSpec("train", "once", "tests.training.looprecipe:run_job", wanted))
            begun = time.monotonic()
            if number == 0:
                run(folder, packages=("tests",))
            else:
                os.waitpid(started(folder), 0)
        return time.monotonic() - begun


def main() -> None:
    folder, kills, chance = Path(sys.argv[1]), int(sys.argv[2]), random.Random(int(sys.argv[3]))
    longest = 2 * usual_s()
    states: list[str] = []
    steps: list[int] = []
    place = Path(watch(folder).spec.arguments["out"]) / "checkpoint.pt"  # type: ignore[union-attr]
    for _ in range(kills):
        pid = started(folder)
        time.sleep(chance.uniform(0.0, longest))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        states.append(watch(folder).state.value)
        steps.append(torch.load(place, weights_only=True)["step"] if place.exists() else 0)
    os.waitpid(started(folder), 0)
    assert watch(folder).state is State.DONE, watch(folder).sentence
    sys.stdout.write(json.dumps({"states": states, "steps": steps}) + "\n")


if __name__ == "__main__":
    main()

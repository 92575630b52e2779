"""What jobs of the tests do; run as ``python -m tests.jobs.targets FOLDER`` it is their process."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from echo3d.errors import InputError
from echo3d.jobs.worker import Job, run


def count(job: Job) -> dict[str, Any]:
    """Count to ``steps``, one file each, and go on behind what is there."""
    steps = job.arguments["steps"]
    job.progress(len(list(job.checkpoints.iterdir())), steps, "Counting")
    for k in range(steps):
        if not (job.checkpoints / str(k)).exists():
            time.sleep(job.arguments.get("step_s", 0.0))
            (job.checkpoints / str(k)).touch()
            job.say(f"{k} is there")
            job.progress(k + 1, steps, f"{k + 1} of {steps}")
    return {"counted": steps}


def deaf(job: Job) -> None:
    """Hear neither flag nor word, and have a child that does not either."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('child', flush=True); time.sleep(60)"
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    (job.checkpoints / "child").write_text(str(child.pid))
    with contextlib.suppress(Exception):
        job.progress(0, 1, "Deaf")
    while True:
        time.sleep(1)


def hard_of_hearing(job: Job) -> None:
    """Hear the word but not the flag."""
    (job.checkpoints / "there").touch()
    while True:
        time.sleep(0.1)


def wrong(_: Job) -> None:
    """Refuse the input."""
    raise InputError("three must be two, found three; take two")


def broken(_: Job) -> None:
    """Fail inside, with a name in the message."""
    raise ValueError("Doe, Jane")


def full(job: Job) -> None:
    """Fill the disk."""
    with (job.checkpoints / "much").open("wb") as stream:
        for k in range(1_000_000):
            stream.write(bytes(4096))
            job.progress(k, 1_000_000, "Writing")


if __name__ == "__main__":
    sys.exit(0 if run(Path(sys.argv[1]), packages=("tests",), command=[sys.executable, "-m", "tests.jobs.targets"]) else 1)

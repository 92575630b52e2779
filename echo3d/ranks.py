"""Several processes that learn together: started by torchrun, followed through files, and never left behind.

The process that wants the training writes an order into a folder of its own, starts ``torchrun`` with as many processes as devices, hears
from the first of them, and asks it to stop by a file. Each process ends when the one that started it is gone, killed or not.
"""

from __future__ import annotations

import json
import logging
import os
import pkgutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from echo3d.errors import Echo3dError, InputError, ModelError, StoppedError
from echo3d.jobs.devices import devices_in
from echo3d.jobs.launcher import environment, own_command
from echo3d.jobs.processes import end, identity, lives, tree, wait_for
from echo3d.progress import Progress

ORDER, SAID, STOP, ANSWER, FAILED = "order.json", "said.jsonl", "stop", "answer.json", "failed.json"
LOOK_S, GRACE_S = 0.2, 9.0
"""How often is looked, and how long the processes are given to write their place when they are to stop."""


def processes_of(settings: Mapping[str, Any]) -> int:
    """Return how many processes the plain values of settings ask for: one for each of several devices, or ``processes``.

    Raises
    ------
    InputError
        If the settings are of a kind that learns in one process.

    >>> processes_of({"device": "cuda:0+cuda:1", "processes": 1}), processes_of({"device": "cpu", "processes": 2})
    (2, 2)
    """
    device = str(settings.get("device", ""))
    count = len(devices_in(device)) if "+" in device else int(settings.get("processes", 1))
    if count > 1 and "processes" not in settings:
        raise InputError(f"this kind of network learns on one device, found {device[:40]}; name one of them")
    return count


def apart() -> bool:
    """Return whether this process is one of several that ``torchrun`` started."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def first() -> bool:
    """Return whether this process writes: it is alone or the first."""
    return int(os.environ.get("RANK", "0")) == 0


def share_out(order: Mapping[str, Any], count: int, progress: Progress) -> dict[str, Any]:
    """Train in several processes and return what the first of them answers.

    Parameters
    ----------
    order : ``run``, the function to call by its name, ``settings`` by ``Settings``'s name and plain values, ``out`` and ``resume``
    count : processes
    progress : hears of every step, and may raise to stop them

    Raises
    ------
    StoppedError
        If progress says so; the last checkpoint is written then.
    ModelError
        If a process failed or was killed.
    """
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        (place / ORDER).write_text(json.dumps(order), encoding="utf-8")
        process = subprocess.Popen(own_command("jobs", "torchrun", str(count), str(place)), stdin=subprocess.DEVNULL, env=environment())
        begun = identity(process.pid)
        try:
            _follow(process, place, progress)
        finally:
            _ended(process, begun, place)
        return _answer(place, process.returncode)


def _follow(process: subprocess.Popen[bytes], place: Path, progress: Progress) -> None:
    """Tell what the first process says, until all have ended."""
    offset, share, said = 0, 0.0, "Starting the processes"
    while process.poll() is None:
        for line in (lines := _said(place, offset)).splitlines():
            share, said = json.loads(line)
            progress(share, said)
        offset += len(lines.encode())
        if not lines:
            progress(share, said)
        time.sleep(LOOK_S)


def _said(place: Path, offset: int) -> str:
    """Return the whole lines behind an offset."""
    if not (place / SAID).is_file():
        return ""
    data = (place / SAID).read_bytes()[offset:]
    return data[: data.rfind(b"\n") + 1].decode()


def _ended(process: subprocess.Popen[bytes], begun: str | None, place: Path) -> None:
    """See that no process is left: first they are asked, then they are killed."""
    if process.poll() is None and begun is not None:
        (place / STOP).touch()
        all_of_them = tree(process.pid, begun)
        wait_for(all_of_them[:1], GRACE_S)
        end(list(dict.fromkeys([*all_of_them, *tree(process.pid, begun)])), kill=True, wait_s=GRACE_S)
    process.wait()


def _answer(place: Path, code: int) -> dict[str, Any]:
    if (place / ANSWER).is_file() and code == 0:
        answer: dict[str, Any] = json.loads((place / ANSWER).read_text(encoding="utf-8"))
        return answer
    if (place / FAILED).is_file():
        told = json.loads((place / FAILED).read_text(encoding="utf-8"))
        raise (InputError if told["kind"] == InputError.__name__ else ModelError)(told["sentence"])
    raise ModelError("all processes of a training must reach its end, found one that was ended from outside; resume it from the checkpoint")


def torchrun(count: int, place: Path) -> None:
    """Be torchrun for the order in a folder: start so many processes and wait for them."""
    follow_parent()
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import main

    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)  # it prints tracebacks; the processes say why themselves

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [f"--nproc-per-node={count}", "--master-addr=127.0.0.1", f"--master-port={port}", "--no-python"]
    try:
        main([*words, *own_command("jobs", "rank", str(place))])
    except ChildFailedError as exc:
        raise ModelError(
            f"all {count} processes must reach the end of the training, found one that did not; its last lines say why"
        ) from exc


def rank(place: Path) -> None:
    """Be one of the processes: train as the order in a folder says; the first tells how far it is and what came of it."""
    follow_parent()
    order = json.loads((place / ORDER).read_text(encoding="utf-8"))
    run, model = (pkgutil.resolve_name(order[name]) for name in ("run", "model"))

    def heard(share: float, said: str, /) -> None:
        if first():
            with (place / SAID).open("a", encoding="utf-8") as stream:
                stream.write(json.dumps([share, said]) + "\n")
            if (place / STOP).exists():
                raise StoppedError("the processes were asked to stop; what is written stays, and the training can be gone on with")

    try:
        answer = run(model.model_validate(order["settings"]), Path(order["out"]), resume=order["resume"], progress=heard)
    except StoppedError:
        raise
    except Echo3dError as exc:
        (place / FAILED).write_text(json.dumps({"sentence": str(exc), "kind": type(exc).__name__}), encoding="utf-8")
        raise
    if first():
        (place / ANSWER).write_text(json.dumps(answer), encoding="utf-8")


def follow_parent() -> None:
    """Make this process end when the one that started it is gone, killed or not."""
    parent = os.getppid()
    begun = identity(parent)
    if begun is not None:
        threading.Thread(target=_end_with, args=(parent, begun), name="follows its parent", daemon=True).start()


def _end_with(pid: int, begun: str) -> None:
    while lives(pid, begun):
        time.sleep(LOOK_S)
    end(psutil.Process().children(recursive=True), kill=True, wait_s=0.0)
    os._exit(1)


def slurm_script(kind: str, config: Path | None, out: Path, processes: int) -> str:
    """Return a batch script that trains on a SLURM cluster, and goes on with the same run when it is submitted again.

    Parameters
    ----------
    kind : what is trained
    config : file of settings, None for the defaults
    out : folder of the run
    processes : on each machine, one a GPU
    """
    words: Sequence[str] = ["train", kind, *(["--config", f'"{config}"'] if config else []), "--out", '"$out"']
    return f"""#!/bin/bash
#SBATCH --job-name=echo3d-{kind}
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node={processes}
#SBATCH --cpus-per-task={4 * processes}
#SBATCH --mem={16 * processes}G
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --output=echo3d-{kind}-%j.txt
# Set the partition and the account of your cluster above, and load its Python with echo3d here.
set -eu
out="{out}"
export OMP_NUM_THREADS=4
head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
again=""
if [ -f "$out/config.json" ]; then again="--resume"; fi
srun torchrun --nnodes "$SLURM_NNODES" --nproc-per-node {processes} --rdzv-backend c10d --rdzv-id "$SLURM_JOB_ID" \\
  --rdzv-endpoint "$head:$((20000 + SLURM_JOB_ID % 20000))" -m echo3d {" ".join(words)} $again
"""

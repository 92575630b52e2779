"""Jobs wait for their device: one at a time on each, the longest waiting first, and no two callers start one twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from echo3d.cli import main
from echo3d.errors import InputError
from echo3d.jobs import processes
from echo3d.jobs.devices import slot_of
from echo3d.jobs.launcher import cancel
from echo3d.jobs.queue import advance, enqueue, resume
from echo3d.jobs.registry import list_jobs, watch
from echo3d.jobs.spec import JobSpec, State, spec_from_json, spec_to_json
from echo3d.jobs.store import EVENTS, make_job, read_events
from tests.jobs.test_jobs import COMMAND, ROOT, ended, started, until

CALLER = f"""
import sys
from pathlib import Path
from echo3d.jobs.queue import advance
print("ready", flush=True)
sys.stdin.readline()
print(len(advance(Path(sys.argv[1]), command={COMMAND!r})), flush=True)
"""


def slotted(slot: str, steps: int = 1, step_s: float = 0.0) -> JobSpec:
    return JobSpec("count", f"on {slot}", "tests.jobs.targets:count", {"steps": steps, "step_s": step_s}, slot)


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    for folder in tmp_path.iterdir():
        if (folder / EVENTS).exists():
            for pid, begun in watch(folder).trail.runs:
                if pid != os.getpid():
                    processes.end(processes.tree(pid, begun), kill=True, wait_s=10)


def states(folders: list[Path]) -> list[State]:
    return [watch(folder).state for folder in folders]


def test_one_at_a_time_on_a_device_and_the_next_starts_by_itself(jobs: Path) -> None:
    first = enqueue(jobs, slotted("cpu", 40, 0.1), command=COMMAND)
    second = enqueue(jobs, slotted("cpu"), command=COMMAND)
    other = enqueue(jobs, slotted("cuda:3", 40, 0.1), command=COMMAND)
    third = enqueue(jobs, slotted("cpu"), command=COMMAND)
    assert states([first, second, other, third]) == [State.RUNNING, State.QUEUED, State.RUNNING, State.QUEUED]
    assert cancel(first).state is State.CANCELLED
    until(lambda: watch(third).state is State.DONE)  # nobody looked at the queue but the jobs themselves
    assert watch(second).state is State.DONE
    launched = [read_events(folder)[0][1].time for folder in (second, third)]
    assert launched == sorted(launched)
    cancel(other)


def test_a_job_without_a_slot_starts_at_once(jobs: Path) -> None:
    enqueue(jobs, slotted("cpu", 40, 0.1), command=COMMAND)
    free = enqueue(jobs, slotted(""), command=COMMAND)
    assert ended(free).state is State.DONE


def test_two_devices_wait_for_both_and_are_not_overtaken(jobs: Path) -> None:
    one = enqueue(jobs, slotted("cuda:0", 60, 0.1), command=COMMAND)
    both = enqueue(jobs, slotted("cuda:0+cuda:1", 60, 0.1), command=COMMAND)
    late = enqueue(jobs, slotted("cuda:1"), command=COMMAND)
    assert states([one, both, late]) == [State.RUNNING, State.QUEUED, State.QUEUED]
    cancel(one)
    until(lambda: watch(both).state is State.RUNNING)
    assert watch(late).state is State.QUEUED
    cancel(both)
    until(lambda: watch(late).state is State.DONE)


def test_many_callers_at_once_start_each_job_once(jobs: Path) -> None:
    folders = [make_job(jobs, slotted(f"cuda:{number}", 20, 0.1), queued=True) for number in range(4)]
    callers = [
        subprocess.Popen([sys.executable, "-c", CALLER, str(jobs)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True)
        for _ in range(3)
    ]
    for caller in callers:
        assert caller.stdout is not None and caller.stdout.readline() == "ready\n"
    for caller in callers:
        assert caller.stdin is not None
        caller.stdin.write("go\n")
        caller.stdin.flush()
    assert sum(int(caller.communicate()[0]) for caller in callers) == 4
    for folder in folders:
        assert ended(folder).state is State.DONE
        kinds = [event.kind for event in read_events(folder)[0]]
        assert kinds.count("launched") == kinds.count("started") == 1


def test_a_killed_job_holds_nothing_up(jobs: Path) -> None:
    first = enqueue(jobs, slotted("cpu", 100, 0.1), command=COMMAND)
    second = enqueue(jobs, slotted("cpu"), command=COMMAND)
    os.kill(started(first), signal.SIGKILL)
    until(lambda: watch(first).state is State.INTERRUPTED)
    assert watch(second).state is State.QUEUED
    assert advance(jobs, list_jobs(jobs), command=COMMAND) == [second]  # whoever looks next
    assert ended(second).state is State.DONE
    assert advance(jobs, list_jobs(jobs), command=COMMAND) == []


def test_one_that_fails_lets_the_next_start_and_a_system_that_goes_down_does_not(jobs: Path) -> None:
    deaf = enqueue(jobs, JobSpec("hardofhearing", "on cpu", "tests.jobs.targets:hard_of_hearing", {}, "cpu"), command=COMMAND)
    broken = enqueue(jobs, JobSpec("broken", "on cpu", "tests.jobs.targets:broken", {}, "cpu"), command=COMMAND)
    last = enqueue(jobs, slotted("cpu"), command=COMMAND)
    os.kill(started(deaf), signal.SIGTERM)
    until(lambda: watch(deaf).state is State.INTERRUPTED)
    assert states([broken, last]) == [State.QUEUED, State.QUEUED]
    assert advance(jobs, command=COMMAND) == [broken]
    until(lambda: watch(last).state is State.DONE)
    assert watch(broken).state is State.FAILED


def test_a_waiting_job_is_cancelled_and_put_back(jobs: Path) -> None:
    first = enqueue(jobs, slotted("cpu", 100, 0.1), command=COMMAND)
    second = enqueue(jobs, slotted("cpu"), command=COMMAND)
    assert cancel(second).state is State.CANCELLED
    with pytest.raises(InputError, match="at work already"):
        resume(first, command=COMMAND)
    resume(second, command=COMMAND)
    assert watch(second).state is State.QUEUED
    with pytest.raises(InputError, match="found it queued"):
        resume(second, command=COMMAND)
    cancel(first)
    until(lambda: watch(second).state is State.DONE)
    with pytest.raises(InputError, match="found it done"):
        resume(second, command=COMMAND)
    resume(first, command=COMMAND)
    until(lambda: watch(first).state is State.RUNNING and watch(first).done > 0)
    assert not any((jobs / ".queue.lock").read_bytes())
    cancel(first)


def test_slots_of_devices_and_what_is_refused() -> None:
    for device, slot in (("cpu", "cpu"), ("cuda", "cuda:0"), ("cuda:1+cuda:0", "cuda:0+cuda:1")):
        assert slot_of(device) == slot
    for wrong in ("tpu", "cpu+cpu", "cuda:", "cuda:0+", "cuda:0,cuda:1"):
        with pytest.raises(InputError, match="joined by"):
            slot_of(wrong)
    with pytest.raises(InputError, match="joined by"):
        slotted("gpu")
    spec = slotted("cuda:0+cuda:1")
    assert spec_from_json(spec_to_json(spec)) == spec
    assert "slot" not in spec_to_json(slotted(""))


def test_the_driver_is_asked_for_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No GPU is needed: a program of that name answers as NVIDIA's does."""
    program = tmp_path / "nvidia-smi"
    program.write_text('#!/bin/sh\necho "0, NVIDIA T4, 15360, 15000"\necho "1, NVIDIA T4, 15360, 8"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert (slot_of("auto"), slot_of("all")) == ("cuda:0", "cuda:0+cuda:1")
    program.write_text("#!/bin/sh\necho no devices were found\nexit 6\n")
    assert (slot_of("auto"), slot_of("all")) == ("cpu", "cpu")


def test_the_command_line_shows_the_queue_and_starts_what_may_start(jobs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def ask(*words: str) -> dict:
        assert main(["jobs", *words, "--jobs-dir", str(jobs), "--json"]) == 0
        return json.loads(capfd.readouterr().out)

    assert ask("queue") == {"slots": {}}
    first = enqueue(jobs, slotted("cpu", 100, 0.1), command=COMMAND)
    second = enqueue(jobs, slotted("cpu"), command=COMMAND)
    assert ask("queue") == {"slots": {"cpu": {"works": first.name, "waits": [second.name]}}}
    assert main(["jobs", "queue", "--jobs-dir", str(jobs)]) == 0
    assert f"1. {second.name}" in capfd.readouterr().out
    os.kill(started(first), signal.SIGKILL)
    until(lambda: watch(first).state is State.INTERRUPTED)
    ask("list")  # our own command line works on it now, and refuses a target of the tests
    assert "must lie in echo3d or training" in ended(second).sentence
    time.sleep(0.1)
    assert ask("queue") == {"slots": {}}

"""Jobs are processes of their own: they outlive who started them, end when told, and go on where they were killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from echo3d.cli import main
from echo3d.errors import InputError
from echo3d.jobs import processes
from echo3d.jobs.launcher import cancel, launch, resume, start
from echo3d.jobs.lock import held
from echo3d.jobs.registry import Status, Trail, find_job, list_jobs, state_of, watch
from echo3d.jobs.spec import JobSpec, State
from echo3d.jobs.store import EVENTS, LOCK, append, ask_cancel, log_tail, make_job, read_answer, read_events
from echo3d.jobs.worker import run
from tests.disks import disk

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "tests.jobs.targets"]
PATIENCE_S = 60.0

HOLDER = """
import sys
from pathlib import Path
from echo3d.jobs.lock import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def spec(name: str = "count", **arguments: object) -> JobSpec:
    return JobSpec(name.replace("_", ""), name, f"tests.jobs.targets:{name}", arguments)


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Path]:
    """A folder of jobs of which none outlives the test."""
    yield tmp_path
    for folder in tmp_path.iterdir():
        if (folder / EVENTS).exists():
            for pid, started in watch(folder).trail.runs:
                if pid != os.getpid():
                    processes.end(processes.tree(pid, started), kill=True, wait_s=10)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def ended(folder: Path) -> Status:
    until(lambda: not watch(folder).state.alive)
    return watch(folder)


def started(folder: Path) -> int:
    """Return the number of the job's process once its target runs."""
    until(lambda: any((folder / "checkpoints").iterdir()) or not watch(folder).state.alive)
    return watch(folder).trail.runs[-1][0]


def test_a_job_runs_tells_and_answers(jobs: Path) -> None:
    folder = start(jobs, spec(steps=5, step_s=0.05), command=COMMAND)
    status = ended(folder)
    assert (status.state, status.done, status.total, status.sentence) == (State.DONE, 5, 5, "")
    assert read_answer(folder) == {"counted": 5}
    assert any("4 is there" in line for line in log_tail(folder))
    assert not (folder / "spare").exists()
    with pytest.raises(InputError, match="done already"):
        resume(folder, command=COMMAND)


def test_a_job_survives_the_end_of_who_started_it(jobs: Path) -> None:
    code = f"""
import os, signal, sys
from pathlib import Path
from echo3d.jobs.launcher import start
from echo3d.jobs.spec import JobSpec
start(Path({str(jobs)!r}), JobSpec("count", "c", "tests.jobs.targets:count", {{"steps": 20, "step_s": 0.1}}), command={COMMAND!r})
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == -signal.SIGKILL
    (folder,) = (one for one in jobs.iterdir() if one.is_dir())
    assert watch(folder).state is State.RUNNING
    assert ended(folder).state is State.DONE


def test_a_killed_job_is_recognised_and_goes_on_where_it_was(jobs: Path) -> None:
    folder = start(jobs, spec(steps=12, step_s=0.1), command=COMMAND)
    os.kill(started(folder), signal.SIGKILL)
    status = ended(folder)
    assert status.state is State.INTERRUPTED and "without a word" in status.sentence
    before = {path.name: path.stat().st_mtime_ns for path in (folder / "checkpoints").iterdir()}
    assert 0 < len(before) < 12
    resume(folder, command=COMMAND)
    assert ended(folder).state is State.DONE
    assert all((folder / "checkpoints" / name).stat().st_mtime_ns == at for name, at in before.items())
    assert len(list((folder / "checkpoints").iterdir())) == 12


def test_of_many_resumes_at_once_one_wins(jobs: Path) -> None:
    folder = start(jobs, spec(steps=40, step_s=0.1), command=COMMAND)
    os.kill(started(folder), signal.SIGKILL)
    ended(folder)
    outcomes: list[str] = []

    def go_on() -> None:
        try:
            resume(folder, command=COMMAND)
            outcomes.append("resumed")
        except InputError as exc:
            outcomes.append(str(exc))

    threads = [threading.Thread(target=go_on) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("resumed") == 1
    assert all("at work already" in outcome for outcome in outcomes if outcome != "resumed")
    until(lambda: sum(event.kind == "started" for event in read_events(folder)[0]) == 2)
    with pytest.raises(InputError, match="at work already"):
        resume(folder, command=COMMAND)
    assert cancel(folder).state is State.CANCELLED


def test_a_second_process_on_one_job_is_refused(jobs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("echo3d.jobs.worker.LOCK_WAIT_S", 0.1)
    folder = make_job(jobs, spec(steps=1))
    command = [sys.executable, "-c", HOLDER, str(folder / LOCK)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(InputError, match="one process only"):
            run(folder, packages=("tests",))
        with pytest.raises(InputError, match="at work already"):
            launch(folder, command=COMMAND)
        holder.kill()
    with held(folder / LOCK) as mine:
        assert mine, "the lock of a killed process is free"
    assert run(folder, packages=("tests",)) and watch(folder).state is State.DONE


def test_the_flag_ends_a_job_that_asks(jobs: Path) -> None:
    folder = start(jobs, spec(steps=1000, step_s=0.05), command=COMMAND)
    started(folder)
    begun = time.monotonic()
    assert cancel(folder).state is State.CANCELLED
    assert time.monotonic() - begun < 9
    assert read_events(folder)[0][-1].kind == "cancelled"
    with pytest.raises(InputError, match="found it cancelled"):
        cancel(folder)


def test_the_word_ends_a_job_that_does_not_ask(jobs: Path) -> None:
    folder = start(jobs, spec("hard_of_hearing"), command=COMMAND)
    started(folder)
    assert cancel(folder, grace_s=(0.3, 20.0)).state is State.CANCELLED
    assert read_events(folder)[0][-1].kind == "cancelled"


def test_a_deaf_job_is_killed_with_its_children(jobs: Path) -> None:
    folder = start(jobs, spec("deaf"), command=COMMAND)
    until(lambda: (folder / "checkpoints/child").exists() and (folder / "checkpoints/child").read_text())
    child = int((folder / "checkpoints/child").read_text())
    assert psutil.pid_exists(child)
    assert cancel(folder, grace_s=(0.3, 0.5)).state is State.CANCELLED
    assert processes.identity(child) is None, "the child of a killed job lives on"


def test_a_flag_alone_shows_as_cancelling(jobs: Path) -> None:
    folder = start(jobs, spec("hard_of_hearing"), command=COMMAND)
    pid = started(folder)
    ask_cancel(folder)
    assert watch(folder).state is State.CANCELLING
    os.kill(pid, signal.SIGKILL)
    assert ended(folder).state is State.CANCELLED


def test_the_end_of_the_system_interrupts(jobs: Path) -> None:
    folder = start(jobs, spec("hard_of_hearing"), command=COMMAND)
    os.kill(started(folder), signal.SIGTERM)
    assert ended(folder).state is State.INTERRUPTED


def test_what_fails_says_why_and_names_nobody(jobs: Path) -> None:
    refused = ended(start(jobs, spec("wrong"), command=COMMAND))
    assert (refused.state, refused.sentence) == (State.FAILED, "three must be two, found three; take two")
    failed = ended(folder := start(jobs, spec("broken"), command=COMMAND))
    assert failed.state is State.FAILED and "ValueError" in failed.sentence
    log = "\n".join(log_tail(folder))
    assert "targets.py" in log and "Jane" not in log and "Traceback" not in log


def test_a_full_disk_is_said_and_nothing_is_lost(tmp_path: Path) -> None:
    with disk(tmp_path / "disk", "1m") as small:
        folder = start(small, spec("full"), command=COMMAND)
        status = ended(folder)
        assert status.state is State.FAILED and "make room and resume" in status.sentence
        much = folder / "checkpoints/much"
        assert much.stat().st_size > 500_000
        much.unlink()
        resume(folder, command=COMMAND)
        assert ended(folder).state is State.FAILED and much.stat().st_size > 500_000


def test_a_target_outside_the_product_is_not_called(jobs: Path) -> None:
    folder = make_job(jobs, JobSpec("evil", "evil", "os:abort"))
    assert not run(folder)
    assert "must lie in echo3d or training" in watch(folder).sentence
    with pytest.raises(InputError, match="module:function"):
        JobSpec("evil", "evil", "os.system('true')")


def test_a_reused_number_is_another_process(jobs: Path) -> None:
    folder = make_job(jobs, spec(steps=1))
    append(folder, "launched", pid=os.getpid(), started="a boot before:1")
    assert watch(folder).state is State.INTERRUPTED
    assert cancel(folder).state is State.CANCELLED, "and cancelling it does us no harm"
    append(folder, "launched", pid=os.getpid(), started=processes.identity(os.getpid()))
    assert watch(folder).state is State.CANCELLING


def test_a_process_that_nobody_collected_does_not_live() -> None:
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE)
    assert processes.identity(process.pid) is None
    process.wait()


@pytest.mark.parametrize("cut", [1, 20, 40, 60])
def test_a_torn_line_is_passed_over(jobs: Path, cut: int) -> None:
    folder = make_job(jobs, spec(steps=9))
    append(folder, "launched", pid=os.getpid(), started=processes.identity(os.getpid()))
    append(folder, "progress", done=3, total=9, message="three")
    append(folder, "progress", done=4, total=9, message="four")
    whole = (folder / EVENTS).read_bytes()
    (folder / EVENTS).write_bytes(whole[:-cut])
    first = watch(folder)
    assert (first.state, first.done) == (State.RUNNING, 3)
    append(folder, "progress", done=5, total=9, message="five")
    assert watch(folder, first).done == watch(folder).done == 5


def test_a_second_look_reads_only_what_is_new_and_says_the_same(jobs: Path) -> None:
    folder = make_job(jobs, spec(steps=9))
    append(folder, "launched", pid=os.getpid(), started=processes.identity(os.getpid()))
    status = watch(folder)
    for k in range(9):
        append(folder, "progress", done=k, total=9, message=str(k))
        status = watch(folder, status)
        again = watch(folder)
        assert (status.done, status.state, status.rate, status.trail) == (again.done, again.state, again.rate, again.trail)
    assert status.rate is not None and status.rate > 0 and status.remaining_s is not None


def test_what_is_done_is_done_whatever_it_said_last(jobs: Path) -> None:
    folder = make_job(jobs, spec(steps=9))
    append(folder, "launched", pid=os.getpid(), started=processes.identity(os.getpid()))
    append(folder, "progress", done=7, total=9, message="seven")
    append(folder, "done")
    assert (watch(folder).state, watch(folder).done) == (State.DONE, 9)


def test_every_state_follows_from_trail_process_and_flag() -> None:
    one = ((7, "a"),)
    cases = {
        (): (State.QUEUED, State.CANCELLED, None, None),
        one: (State.INTERRUPTED, State.CANCELLED, State.RUNNING, State.CANCELLING),
    }
    for runs, expected in cases.items():
        trail = Trail(runs=runs)
        found = [state_of(trail, alive=alive, cancel=flag) for alive in (False, True) for flag in (False, True)]
        assert all(want is None or want is got for want, got in zip(expected, found, strict=True))
    assert state_of(Trail(runs=one, outcome=State.DONE), alive=True, cancel=True) is State.DONE


def test_the_command_line_lists_shows_cancels_and_resumes(jobs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def ask(*words: str) -> tuple[int, dict]:
        code = main(["jobs", *words, "--jobs-dir", str(jobs), "--json"])
        return code, json.loads(capfd.readouterr().out)

    assert ask("list") == (0, {"jobs": []})
    folder = start(jobs, spec(steps=1000, step_s=0.05), command=COMMAND)
    started(folder)
    (jobs / "damaged").mkdir()
    (jobs / "damaged/spec.json").write_text("{")
    until(lambda: watch(folder).total)
    states = {job["name"]: job["state"] for job in ask("list")[1]["jobs"]}
    assert states == {folder.name: "running", "damaged": "failed"}
    code, shown = ask("show", folder.name[:8])
    assert code == 0 and shown["total"] == 1000 and shown["log"]
    assert ask("resume", folder.name)[0] == 2
    code, stopped = ask("cancel", folder.name)
    assert (code, stopped["state"]) == (0, "cancelled")
    for words in (("show", "nothing"), ("show", "damaged"), ("cancel", folder.name)):
        code, answer = ask(*words)
        assert code == 2 and answer["exit_code"] == 2 and answer["error"].count(";") == 1
    assert main(["jobs", "list", "--jobs-dir", str(jobs)]) == 0
    assert "cancelled" in capfd.readouterr().out
    with pytest.raises(InputError, match="found none"):
        find_job(jobs, "")
    assert [one.name for one in list_jobs(jobs)][0] in states


def test_our_own_command_line_is_the_process(jobs: Path) -> None:
    """The default command finds the code that started it, from any folder; a target outside the product is refused by it."""
    folder = start(jobs, spec(steps=1))
    status = ended(folder)
    assert status.state is State.FAILED and "must lie in echo3d or training" in status.sentence

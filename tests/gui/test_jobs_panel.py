"""The panel of jobs in the real window, with real processes: watched, stopped, gone on with, deleted."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QMessageBox

from echo3d.gui.jobs.corner import JobsCorner
from echo3d.jobs import processes
from echo3d.jobs.launcher import start
from echo3d.jobs.registry import watch
from echo3d.jobs.spec import JobSpec, State
from echo3d.jobs.store import append, make_job
from echo3d.paths import user_jobs

pytestmark = pytest.mark.gl
WAIT = 60_000
COMMAND = [sys.executable, "-m", "tests.jobs.targets"]


def job(name: str = "count", **arguments: object) -> JobSpec:
    return JobSpec(name, f"A job that is to {name}", f"tests.jobs.targets:{name}", arguments)


@pytest.fixture
def corner(window, qtbot, monkeypatch):
    """The window's jobs, run by the tests' own targets; none outlives the test."""
    root = str(Path(__file__).resolve().parents[2])
    monkeypatch.setenv("PYTHONPATH", root)
    monkeypatch.setattr("echo3d.jobs.launcher.worker_command", lambda: COMMAND)
    monkeypatch.setattr("echo3d.gui.jobs.watching.SOON_MS", 50)
    made = window.findChild(JobsCorner)
    window.run_command("show_jobs")
    qtbot.waitUntil(made.dock.isVisible)
    yield made
    for folder in user_jobs().iterdir():
        for pid, started in watch(folder).trail.runs:
            if pid != os.getpid():
                processes.end(processes.tree(pid, started), kill=True, wait_s=10)
    qtbot.waitUntil(lambda: not made.watch._busy, timeout=WAIT)


def row(corner, folder: Path):
    return next((one for one in corner.panel.model.rows if one.name == folder.name), None)


def is_in(corner, folder: Path, state: State) -> bool:
    shown = row(corner, folder)
    return shown is not None and shown.state is state


def press(qtbot, corner, name: str) -> None:
    assert corner.panel.buttons[name].isEnabled()
    qtbot.mouseClick(corner.panel.buttons[name], Qt.MouseButton.LeftButton)


def test_a_job_is_followed_cancelled_and_gone_on_with(corner, qtbot) -> None:
    folder = start(user_jobs(), job(steps=40, step_s=0.1))
    qtbot.waitUntil(lambda: is_in(corner, folder, State.RUNNING) and row(corner, folder).rate != "", timeout=WAIT)
    assert "1 job running" in corner.count.text() and corner.count.isVisible()
    qtbot.waitUntil(lambda: "is there" in corner.panel.log.toPlainText(), timeout=WAIT)
    press(qtbot, corner, "cancel")
    qtbot.waitUntil(lambda: is_in(corner, folder, State.CANCELLED), timeout=WAIT)
    before = row(corner, folder).share
    assert 0 < before < 1
    qtbot.waitUntil(lambda: corner.panel.buttons["resume"].isEnabled() and not corner.watch._busy, timeout=WAIT)
    press(qtbot, corner, "resume")
    qtbot.waitUntil(lambda: is_in(corner, folder, State.DONE), timeout=WAIT)
    assert row(corner, folder).share == 1 and corner.count.text() == "No jobs running"
    assert len(list((folder / "checkpoints").iterdir())) == 40
    assert not corner.panel.buttons["resume"].isEnabled()


def test_a_killed_job_is_shown_as_stopped(corner, qtbot) -> None:
    folder = start(user_jobs(), job(steps=1000, step_s=0.1))
    qtbot.waitUntil(lambda: is_in(corner, folder, State.RUNNING) and row(corner, folder).done != "", timeout=WAIT)
    os.kill(watch(folder).trail.runs[-1][0], signal.SIGKILL)
    qtbot.waitUntil(lambda: is_in(corner, folder, State.INTERRUPTED), timeout=WAIT)
    assert row(corner, folder).word == "Stopped"
    qtbot.waitUntil(lambda: "Resume goes on" in corner.panel.sentence.text(), timeout=WAIT)


def test_what_fails_is_one_sentence(corner, qtbot) -> None:
    folder = start(user_jobs(), job("wrong"))
    qtbot.waitUntil(lambda: is_in(corner, folder, State.FAILED), timeout=WAIT)
    qtbot.waitUntil(lambda: corner.panel.sentence.text() == "Three must be two, found three; take two", timeout=WAIT)


def test_a_job_is_deleted_after_asking(corner, qtbot, window) -> None:
    folder = make_job(user_jobs(), job(steps=1))
    append(folder, "failed", sentence="no")
    qtbot.waitUntil(lambda: is_in(corner, folder, State.FAILED), timeout=WAIT)
    press(qtbot, corner, "delete")
    box = window.findChild(QMessageBox)
    assert "cannot be undone" in box.text()
    sure = next(button for button in box.buttons() if button.text() == "Delete")
    qtbot.mouseClick(sure, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: row(corner, folder) is None, timeout=WAIT)
    assert not folder.exists()


def test_ten_jobs_on_show_hold_nothing_up(corner, qtbot) -> None:
    folders = [make_job(user_jobs(), job(steps=1000)) for _ in range(10)]
    for folder in folders:
        append(folder, "launched", pid=os.getpid(), started=processes.identity(os.getpid()))
    qtbot.waitUntil(lambda: len(corner.panel.model.rows) == 10, timeout=WAIT)
    spent, last, steps = [], [time.thread_time()], [0]

    def beat() -> None:
        now = time.thread_time()
        spent.append(1000 * (now - last[0]))
        last[0] = time.thread_time()

    def work() -> None:
        steps[0] += 1
        for folder in folders:
            append(folder, "progress", done=steps[0], total=1000, message=f"{steps[0]}")
        last[0] = time.thread_time()

    beats, works = QTimer(), QTimer()
    beats.timeout.connect(beat)
    works.timeout.connect(work)
    qtbot.wait(300)
    last[0] = time.thread_time()
    beats.start(0)
    works.start(100)
    qtbot.waitUntil(lambda: steps[0] >= 20, timeout=WAIT)
    beats.stop()
    works.stop()
    assert all(one.done.endswith("of 1000") for one in corner.panel.model.rows)
    assert max(spent) < 50, sorted(spent)[-5:]
    for folder in folders:
        append(folder, "cancelled")

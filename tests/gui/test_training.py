"""The training workspace in the real window, with real processes: from the form to a network of the Patient page, and its end."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QMenu, QMessageBox

from echo3d.gui.networks import TITLE
from echo3d.gui.training.samples_dialog import SamplesDialog
from echo3d.gui.training.schemas import schemas_file
from echo3d.jobs import processes
from echo3d.jobs.registry import watch
from echo3d.jobs.spec import JobSpec, State
from echo3d.jobs.store import append, make_job
from echo3d.paths import user_jobs, user_models
from tests.gui.watch import as_the_program

pytestmark = pytest.mark.gl
WAIT = 90_000
ROOT = str(Path(__file__).resolve().parents[2])
WORKER = "import sys; from pathlib import Path; from echo3d.jobs.worker import run; run(Path(sys.argv[1]))"
"""A job's process as ever, but for stepping back behind all others, which on a busy machine would make the tests wait."""


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A whole data set of very few hearts, made as the job makes it."""
    from training.sampleset import SetOrder, make_set

    out = tmp_path_factory.mktemp("hearts") / "few"
    make_set(SetOrder(3, ("binary",)), out)
    return out


@pytest.fixture
def page(window, qtbot, monkeypatch, tmp_path_factory):
    """The page, ready to be filled; none of its processes outlives the test. The first test alone asks for the recipes' schemas."""
    kept = tmp_path_factory.getbasetemp() / "schemas.json"
    if kept.is_file():
        shutil.copy(kept, schemas_file())
    monkeypatch.setenv("PYTHONPATH", ROOT)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr("echo3d.jobs.launcher.worker_command", lambda: [sys.executable, "-c", WORKER])
    monkeypatch.setattr("echo3d.gui.jobs.watching.SOON_MS", 100)
    window.run_command("show_training")
    qtbot.waitUntil(lambda: window.training.page.new.chosen is not None and window.training.page.new.name.text() != "", timeout=WAIT)
    if not kept.is_file():
        qtbot.waitUntil(schemas_file().is_file, timeout=WAIT)
        shutil.copy(schemas_file(), kept)
    yield window.training.page
    for folder in user_jobs().iterdir():
        if folder.name.startswith("."):
            continue
        for pid, started in watch(folder).trail.runs:
            if pid != os.getpid():
                processes.end(processes.tree(pid, started), kill=True, wait_s=10)
    qtbot.waitUntil(lambda: not window.jobs.watch._busy, timeout=WAIT)


def choose(page, qtbot, key: str, data: Path | None = None, **values: object) -> None:
    """Fill the form as a person does."""
    at = next(number for number, recipe in enumerate(page.new.recipes) if recipe.key == key)
    page.new.recipe.setCurrentIndex(at)
    page.new.recipe.activated.emit(at)
    if data is not None:
        page.new.data.data.show_path(str(data))
        qtbot.waitUntil(lambda: page.new.data.data.found is not None, timeout=WAIT)
    for name, value in values.items():
        editor = page.new.form.editors[name]
        editor.show_value(value)
        editor.edited.emit()
    qtbot.waitUntil(lambda: page.new.name.text().startswith(key), timeout=WAIT)
    assert page.new.why_not == ""


def budget(page, name: str, amount: int = 0) -> None:
    """Choose how long is learned; no name leaves it to the recipe's own fields."""
    page.new.budget.which.setCurrentIndex(page.new.budget.which.findData(name))
    page.new.budget.which.activated.emit(0)
    if not name:
        return
    page.new.budget.amounts[name].show_value(amount)
    page.new.budget.amounts[name].edited.emit()


def begin(page, qtbot) -> str:
    """Press Start; return the name of the job when its run is shown."""
    name = page.new.name.text()
    qtbot.waitUntil(page.new.start.isEnabled, timeout=WAIT)
    qtbot.mouseClick(page.new.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.lead is not None and page.lead.title == name, timeout=WAIT)
    return page.lead.name


def run(page, name: str):
    return next(one for one in page.sight.runs if one.name == name)


def press(page, qtbot, name: str) -> None:
    qtbot.waitUntil(page.buttons[name].isEnabled, timeout=WAIT)
    qtbot.mouseClick(page.buttons[name], Qt.MouseButton.LeftButton)


def test_the_empty_workspace_teaches_and_makes_a_data_set(page, qtbot, window) -> None:
    assert page.stack.currentWidget() is page.welcome and page.welcome.make.isVisible()
    assert page.new.why_not == "Choose a data set, or make one." and not page.new.start.isEnabled()
    assert "the form says what is missing" in page.new.start.toolTip()
    qtbot.mouseClick(page.welcome.make, Qt.MouseButton.LeftButton)
    dialog = page.findChild(SamplesDialog)
    dialog.hearts.setValue(2)
    for word, switch in dialog.styles.items():
        switch.setChecked(word == "binary")
    out = Path(dialog.out.text())
    qtbot.mouseClick(dialog.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "2 hearts" in page.welcome.doing.text(), timeout=WAIT)
    qtbot.waitUntil(lambda: page.new.data.data.path == str(out), timeout=WAIT)
    qtbot.waitUntil(lambda: page.new.data.data.found is not None, timeout=WAIT)
    assert "styles binary" in page.new.data.data.said.text() and page.new.why_not == ""
    assert not page.new.data.switches["speckle"].isEnabled() and page.new.data.switches["binary"].isChecked()
    assert page.new.form.editors["principal"].value() == 2  # as many as two hearts span
    assert "torch" not in sys.modules or "training.sampleset" in sys.modules  # this process itself may have made the other tests' hearts


def test_a_run_is_begun_followed_stopped_and_gone_on_with(page, qtbot, window, data) -> None:
    choose(page, qtbot, "plane", data, preset="lean", batch=2, note=1, threads=1)
    budget(page, "steps", 400)
    name = begin(page, qtbot)
    qtbot.waitUntil(lambda: page.curves.loss.points(name) >= 3 and page.curves.measured.points(name) >= 3, timeout=WAIT)
    assert run(page, name).state is State.RUNNING and "Running" in run(page, name).cells
    qtbot.waitUntil(lambda: run(page, name).trace.numbers.get("samples_per_s", 0) > 0 and run(page, name).newest != "", timeout=WAIT)
    qtbot.waitUntil(lambda: "started" in page.log.toPlainText(), timeout=WAIT)
    qtbot.waitUntil(lambda: page.sight.use is not None and page.sight.use.memory > 50e6, timeout=WAIT)
    assert page.new.start.text() == "Add to queue"
    press(page, qtbot, "cancel_run")
    qtbot.waitUntil(lambda: run(page, name).state is State.CANCELLED, timeout=WAIT)
    steps = run(page, name).trace.step
    assert 0 < steps < 400
    assert not page.buttons["use_run"].isEnabled() and "needs a run that is done" in page.buttons["use_run"].toolTip()
    press(page, qtbot, "resume_run")
    qtbot.waitUntil(lambda: run(page, name).state is State.RUNNING and run(page, name).trace.step > steps, timeout=WAIT)
    curve = run(page, name).trace.curves["points"][0]
    assert (curve[1:] > curve[:-1]).all()  # no step is drawn twice
    press(page, qtbot, "cancel_run")
    qtbot.waitUntil(lambda: run(page, name).state is State.CANCELLED, timeout=WAIT)


def test_a_run_is_duplicated_with_another_seed_and_waits_for_the_device(page, qtbot, window, data) -> None:
    choose(page, qtbot, "plane", data, preset="lean", batch=2, note=1, threads=1)
    budget(page, "steps", 5000)
    first = begin(page, qtbot)
    qtbot.waitUntil(lambda: run(page, first).state is State.RUNNING, timeout=WAIT)
    choose(page, qtbot, "pointpwc")
    page.table.choose([first])
    page.table.chosen.emit()
    press(page, qtbot, "duplicate_run")
    qtbot.waitUntil(lambda: page.new.chosen.key == "plane" and page.new.name.text() == "plane-2", timeout=WAIT)
    qtbot.waitUntil(lambda: page.new.data.data.found is not None, timeout=WAIT)
    page.new.form.editors["seed"].show_value(7)
    assert page.new.wish().settings == dict(run(page, first).settings) | {"seed": 7}
    second = begin(page, qtbot)
    qtbot.waitUntil(lambda: run(page, second).state is State.QUEUED, timeout=WAIT)
    page.table.choose([])
    page.table.choose([first])
    page.table.choose([first, second])  # in this order
    page.table.chosen.emit()
    shown = [[page.differences.table.item(at, place).text() for place in range(3)] for at in range(page.differences.table.rowCount())]
    assert ["seed", "0", "7"] in shown and len([line for line in shown if "," not in line[0]]) == 1
    page.table.choose([first])
    page.table.chosen.emit()
    press(page, qtbot, "cancel_run")
    qtbot.waitUntil(lambda: run(page, second).state is State.RUNNING, timeout=WAIT)  # its turn has come
    page.table.choose([second])
    page.table.chosen.emit()
    press(page, qtbot, "cancel_run")
    qtbot.waitUntil(lambda: run(page, second).state is State.CANCELLED, timeout=WAIT)


def test_a_lean_run_is_used_by_the_patient_page_exported_and_deleted(page, qtbot, window, data, tmp_path) -> None:
    brief = {"encoder_steps": 2, "truth_steps": 2, "pictures_steps": 2, "trust_steps": 2, "samples": 2, "threads": 1}
    choose(page, qtbot, "lean", data, **brief)
    budget(page, "")
    name = begin(page, qtbot)
    qtbot.waitUntil(lambda: run(page, name).state is State.DONE, timeout=3 * WAIT)
    assert "torch" not in _imported_by_the_window(), "the window must not import torch"
    title = run(page, name).title
    press(page, qtbot, "use_run")
    qtbot.waitUntil(lambda: window.settings.model == title, timeout=3 * WAIT)
    menu = next(one for one in window.findChildren(QMenu) if one.title() == TITLE)
    menu.aboutToShow.emit()
    assert [(action.text(), action.isChecked()) for action in menu.actions()] == [(title, True)]
    window.run_command("show_patient")
    window.run_command("open_demo")
    qtbot.waitUntil(lambda: window.session.result is not None or window.session.error != "", timeout=3 * WAIT)
    assert window.session.error == "" and window.session.result.model == title
    window.run_command("show_training")
    window.training.actions.export_to(run(page, name), tmp_path / "run.zip")
    qtbot.waitUntil((tmp_path / "run.zip").is_file, timeout=WAIT)
    out = run(page, name).out
    press(page, qtbot, "delete_run")
    box = window.findChild(QMessageBox)
    assert title in box.text() and "cannot be undone" in box.text()
    sure = next(button for button in box.buttons() if button.text() == "Delete")
    qtbot.mouseClick(sure, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: all(one.name != name for one in page.sight.runs) and not out.exists(), timeout=WAIT)


def _imported_by_the_window() -> set[str]:
    """Modules that importing and building the workspace brings along, in a process of its own that makes no hearts."""
    import subprocess

    code = "import sys, echo3d.gui.window, echo3d.gui.training.page, echo3d.gui.training.samples_dialog, echo3d.models; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return set(said.split())


def test_an_estimate_is_measured_and_a_batch_script_written(page, qtbot, window, tmp_path) -> None:
    choose(page, qtbot, "pointpwc", pairs=1, held=1, threads=1)
    budget(page, "steps", 30)
    qtbot.waitUntil(page.new.estimate.isEnabled, timeout=WAIT)
    qtbot.mouseClick(page.new.estimate, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.new.estimated.text().startswith("About"), timeout=3 * WAIT)
    assert "for 30 steps" in page.new.estimated.text() and "of memory" in page.new.estimated.text()
    assert not page.new.wish().out.exists()
    window.training.actions.slurm_to(page.new.wish(), tmp_path / "run.sh")
    qtbot.waitUntil((tmp_path / "run.sh").is_file, timeout=WAIT)
    assert "#SBATCH" in (tmp_path / "run.sh").read_text()
    assert json.loads((tmp_path / "run.json").read_text())["steps"] == 30


def test_the_jobs_panel_leads_to_the_run(page, qtbot, window, tmp_path) -> None:
    jobs = [invented(tmp_path / f"run-{number}", number) for number in range(2)]
    window.run_command("show_patient")
    window.run_command("show_jobs")
    panel = window.jobs.panel
    qtbot.waitUntil(lambda: len(panel.model.rows) == 2, timeout=WAIT)
    panel.choose(jobs[0].name)
    assert panel.buttons["show_run"].isVisible()
    qtbot.mouseClick(panel.buttons["show_run"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.place == "training" and page.lead is not None and page.lead.name == jobs[0].name, timeout=WAIT)


def invented(out: Path, number: int) -> Path:
    """A training whose process is this one, with a log that the test writes."""
    out.mkdir()
    (out / "config.json").write_text("{}")
    spec = JobSpec("train", "Train", "echo3d.trainings:run_job", {"kind": "sliceplane", "settings": {"seed": number}, "out": str(out)})
    folder = make_job(user_jobs(), spec)
    append(folder, "launched", pid=os.getpid(), started=processes.identity(os.getpid()))
    (folder / "log.txt").write_text("\n".join(f"line {line}" for line in range(300)))
    return folder


def test_ten_runs_on_show_hold_nothing_up(page, qtbot, window, tmp_path) -> None:
    outs = [tmp_path / f"run-{number}" for number in range(10)]
    folders = [invented(out, number) for number, out in enumerate(outs)]
    for out in outs:
        lines = [
            {"step": 10 * step, "points": 2.0 / step, "turn": 1.0, "six probe_mm": 9.0, "samples_per_s": 3.0} for step in range(1, 1000)
        ]
        (out / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    qtbot.waitUntil(lambda: len(page.sight.runs) == 10, timeout=WAIT)
    page.table.choose([folder.name for folder in folders])
    page.table.chosen.emit()
    qtbot.waitUntil(lambda: all(page.curves.loss.points(folder.name) for folder in folders), timeout=WAIT)
    spent, last, steps = [], [0.0], [1000]

    def beat() -> None:
        now = time.thread_time()
        spent.append(1000 * (now - last[0]))
        last[0] = time.thread_time()

    def work() -> None:
        steps[0] += 1
        for folder, out in zip(folders, outs, strict=True):
            append(folder, "progress", done=steps[0], total=2000, message=f"step {steps[0]}")
            with (out / "log.jsonl").open("a") as stream:
                stream.write(json.dumps({"step": 10 * steps[0], "points": 2.0 / steps[0], "turn": 1.0, "six probe_mm": 9.0}) + "\n")
        last[0] = time.thread_time()

    beats, works = QTimer(), QTimer()
    beats.timeout.connect(beat)
    works.timeout.connect(work)
    qtbot.wait(500)
    last[0] = time.thread_time()
    with as_the_program():
        beats.start(0)
        works.start(100)
        qtbot.waitUntil(lambda: steps[0] >= 1030, timeout=WAIT)
        beats.stop()
        works.stop()
    print(f"longest turns of the event loop, ms of the processor: {[round(one, 1) for one in sorted(spent)[-5:]]}")  # noqa: T201
    qtbot.waitUntil(lambda: run(page, folders[0].name).trace.step >= 10_200, timeout=WAIT)
    assert max(spent) < 50, sorted(spent)[-5:]
    for folder in folders:
        append(folder, "cancelled")


@pytest.mark.timeout(900)
def test_an_accurate_run_goes_through_its_stages_and_is_used(page, qtbot, window, data) -> None:
    """From the form to the Patient page; the stages are told on the way, and the curves name both lessons."""
    few = {"glances": 4, "measured": 2, "prior": 4, "refined": 2, "trusted": 2, "calibrated": 1, "few": 1, "batch": 4, "keep": 2, "note": 1}
    few |= {"heart_steps": 2, "heart_pairs": 1, "heart_looks": 1, "heart_held": 1}
    choose(page, qtbot, "accurate", data, **few)
    assert page.new.form.editors["model"].value() == "lean" and page.new.form.editors["heart_core_minutes"].value() is None
    assert page.new.form.editors["heart_core_minutes"].isVisible() and not page.new.form.editors["heart_rate"].isVisible()
    budget(page, "steps", 3)
    name = begin(page, qtbot)
    said: set[str] = set()

    def done() -> bool:
        said.add(run(page, name).status.message.partition(",")[0])
        return run(page, name).state is State.DONE

    qtbot.waitUntil(done, timeout=4 * WAIT)
    assert len(said & {"prior", "glances", "second look", "by the heart", "trust for 1 view", "calibration with 6 views"}) >= 1
    trace = run(page, name).trace
    assert trace.step == 5 and trace.measured[0] == "held_points_mm" and "held_squares" in trace.measured
    qtbot.waitUntil(lambda: page.curves.loss.marked == ["second look", "by the heart"], timeout=WAIT)
    assert trace.lessons == ((0, "second look"), (3, "by the heart"))
    title = run(page, name).title
    press(page, qtbot, "use_run")
    qtbot.waitUntil(lambda: window.settings.model == title, timeout=3 * WAIT)
    assert "none, 40" in json.loads((user_models() / f"{title}.json").read_text())["metrics"]["intervals"]
    window.shell.choose_network("lean")

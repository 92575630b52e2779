"""From the workspace to a data set: the dialog, the estimate, the real job, killed and gone on with; and what cannot be made is said."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
from functools import cache
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit

from echo3d.dataset.generate import generate
from echo3d.dataset.manifest import check_files
from echo3d.gui.jobs.corner import JobsCorner
from echo3d.jobs.registry import watch
from echo3d.jobs.spec import State
from echo3d.paths import user_jobs
from echo3d.positioning.bodies import own_body
from tests.cohort.inline import Inline
from tests.disks import disk

pytestmark = [pytest.mark.gl, pytest.mark.slow, pytest.mark.timeout(1800)]
WAIT = 400_000

the_body = cache(own_body)


@pytest.fixture
def dialog(window, qtbot, monkeypatch):
    """The dialog over the workspace, its order small."""
    monkeypatch.setattr("echo3d.gui.position.loading.own_body", the_body)
    window.show_position()
    qtbot.waitUntil(lambda: window.position.workspace.scene.body is not None, timeout=WAIT)
    window.run_command("generate_dataset")
    made = window.actions_of_position.dataset.dialog
    qtbot.waitUntil(lambda: made.order.out != "", timeout=WAIT)
    made.change(stage="labels", phases=("ed",), size="16", count="2", workers="1", body="")
    yield made
    flow, corner = window.actions_of_position.dataset, window.findChild(JobsCorner)
    if flow.dialog is not None:
        flow.dialog.close()
    for folder in user_jobs().iterdir():
        qtbot.waitUntil(lambda folder=folder: not watch(folder).state.alive, timeout=WAIT)
    qtbot.waitUntil(lambda: not corner.watch._busy, timeout=WAIT)
    qtbot.waitUntil(lambda: not any(thread.name.startswith("reaps") for thread in threading.enumerate()), timeout=WAIT)


def type_in(qtbot, field: QLineEdit, text: str) -> None:
    field.selectAll()
    qtbot.keyClicks(field, text)


def started(window, qtbot, dialog) -> JobsCorner:
    """Press Start and return the jobs, the new one chosen."""
    corner = window.findChild(JobsCorner)
    qtbot.mouseClick(dialog.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: corner.dock.isVisible() and corner.panel.row is not None, timeout=WAIT)
    assert window.actions_of_position.dataset.dialog is None
    return corner


def reaches(qtbot, corner: JobsCorner, state: State) -> None:
    qtbot.waitUntil(lambda: corner.panel.row is not None and corner.panel.row.state is state, timeout=WAIT)


def hashes(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_started_killed_and_resumed_it_is_the_same_bit_for_bit(dialog, window, qtbot, tmp_path) -> None:
    type_in(qtbot, dialog.pictures.fields["out"], str(tmp_path / "set"))
    type_in(qtbot, dialog.hearts.fields["count"], "3")
    qtbot.waitUntil(lambda: dialog.estimate.text().startswith("About"), timeout=WAIT)
    assert "3 samples" in dialog.estimate.text() and "are free" in dialog.estimate.text()
    spec = dialog.found.spec
    corner = started(window, qtbot, dialog)
    qtbot.waitUntil(lambda: any((tmp_path / "set").glob("hearts/0*.npz")), timeout=WAIT)
    os.kill(watch(user_jobs() / corner.panel.row.name).trail.runs[-1][0], signal.SIGKILL)
    reaches(qtbot, corner, State.INTERRUPTED)
    assert corner.panel.row.word == "Stopped" and corner.panel.row.out == str(tmp_path / "set")
    qtbot.mouseClick(corner.panel.buttons["resume"], Qt.MouseButton.LeftButton)
    reaches(qtbot, corner, State.DONE)
    assert corner.panel.row.done == "3 of 3"
    generate(spec, tmp_path / "undisturbed", Inline())
    assert hashes(tmp_path / "set") == hashes(tmp_path / "undisturbed")
    check_files(tmp_path / "set")


def test_what_will_not_do_is_said_beside_its_field(dialog, qtbot) -> None:
    assert dialog.start.isEnabled()
    type_in(qtbot, dialog.hearts.fields["count"], "many")
    assert "found many" in dialog.hearts.problems["count"].text() and dialog.hearts.problems["count"].isVisible()
    assert not dialog.start.isEnabled()
    type_in(qtbot, dialog.hearts.fields["count"], "2")
    assert dialog.start.isEnabled() and not dialog.hearts.problems["count"].isVisible()
    table = dialog.ranges.pose
    table.switches["x"].click()
    type_in(qtbot, table.ends["x"][0], "900")
    assert table.problem.text().startswith("Δx, left: both ends must be") and not dialog.start.isEnabled()
    table.switches["x"].click()
    assert dialog.start.isEnabled()


def test_a_folder_that_is_taken_is_refused_before_the_start(dialog, qtbot, tmp_path) -> None:
    (tmp_path / "notes.txt").touch()
    dialog.change(out=str(tmp_path))
    qtbot.waitUntil(lambda: "choose another folder" in dialog.estimate.text(), timeout=WAIT)
    assert not dialog.start.isEnabled()
    dialog.change(out=str(tmp_path / "new"))
    assert dialog.start.isEnabled()


def test_a_folder_that_cannot_be_written_is_one_sentence_in_the_panel(dialog, window, qtbot, tmp_path) -> None:
    (tmp_path / "file").touch()
    dialog.change(out=str(tmp_path / "file" / "set"))
    corner = started(window, qtbot, dialog)
    reaches(qtbot, corner, State.FAILED)
    assert corner.panel.row.sentence.startswith("the output folder must be writable, found not a directory")
    assert str(tmp_path) not in corner.panel.row.sentence


def test_a_full_disk_is_one_sentence_in_the_panel(dialog, window, qtbot, tmp_path) -> None:
    with disk(tmp_path / "small", "200k") as small:
        dialog.change(out=str(small / "set"), size="128", views=dialog.order.views)
        corner = started(window, qtbot, dialog)
        reaches(qtbot, corner, State.FAILED)
        assert corner.panel.row.sentence.startswith("the disk must have room for the data set, found it full")

"""Sessions in the real window: saved, opened, asked about, autosaved, and recovered after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMessageBox

from echo3d.core.structures import Structure
from echo3d.core.views import View
from echo3d.gui.session import autosave as autosaving
from echo3d.paths import resource
from echo3d.positioning.bodies import own_body
from echo3d.positioning.hearts import embedded_heart
from echo3d.positioning.poses import values_of
from echo3d.positioning.state import Clip, Picture, placement_json
from echo3d.saved import recovery
from echo3d.saved.store import read_session
from echo3d.session import Drawing, Stage
from tests.gui.test_position import agree, enter, settled
from tests.gui.test_window import WAIT, drop

pytestmark = pytest.mark.gl

the_body = cache(own_body)


@pytest.fixture(autouse=True)
def quick_bodies(monkeypatch) -> None:
    """The same body is built once for all tests."""
    monkeypatch.setattr("echo3d.gui.position.loading.own_body", the_body)
    monkeypatch.setattr("echo3d.saved.restore.own_body", the_body)


@pytest.fixture
def page(window, qtbot):
    """The workspace with the template heart in a body."""
    window.show_position()
    qtbot.waitUntil(lambda: window.position.workspace.scene.body is not None and settled(window.position), timeout=WAIT)
    return window.position


def title(window) -> str:
    return window.windowTitle().replace("[*]", "*" if window.isWindowModified() else "")


def save(window, qtbot, path: Path) -> Path:
    window.desk.save_to(path)
    qtbot.waitUntil(lambda: window.desk.path == path and not window.desk.modified, timeout=WAIT)
    return path


def opened(window, qtbot, path: Path) -> None:
    number = window.desk.restoring._ticket
    window.desk.open_path(path)
    qtbot.waitUntil(lambda: window.desk.restoring._ticket > number, timeout=WAIT)
    qtbot.waitUntil(lambda: not window.desk.restoring.busy, timeout=WAIT)


def question(window) -> QMessageBox:
    return next(box for box in window.findChildren(QMessageBox) if box.isVisible())


def test_nothing_is_unsaved_in_a_new_window(page, window) -> None:
    assert not window.desk.modified and title(window).startswith("echo3d –")
    window.show_patient()
    window.change(opacity=0.9)
    assert not window.desk.modified, "without a file looks are kept by the settings"


def test_both_workspaces_come_back(page, window, qtbot, tmp_path) -> None:
    enter(qtbot, page.pose.fields[0], "41.5")
    page.side.selected.emit(View.A2C)
    enter(qtbot, page.side.probe.fields["tilt"], "12")
    page.look_at(picture=Picture.PSEUDO, clip=Clip.CORONAL, skin=0.5, hidden=frozenset({Structure.LA_WALL}))
    window.run_command("keep_reference")
    window.run_command("look_left")
    qtbot.waitUntil(lambda: np.allclose(page.stage.viewport.scene.camera().towards, [1, 0, 0], atol=1e-7), timeout=WAIT)
    window.change(opacity=0.75, drawing=Drawing.GLASS, labels=True)
    path = save(window, qtbot, tmp_path / "one.echo3d")
    assert str(tmp_path) not in path.read_text(encoding="utf-8")
    before = page.workspace
    window.run_command("new_session")
    qtbot.waitUntil(lambda: not window.desk.restoring.busy and settled(page), timeout=WAIT)
    assert window.desk.path is None and page.workspace.picture is Picture.LABELS
    assert values_of(page.workspace.scene.placement.pose)[0] != 41.5
    window.show_patient()
    opened(window, qtbot, path)
    qtbot.waitUntil(lambda: settled(page), timeout=WAIT)
    after = page.workspace
    assert window.place == "position" and window.session.error == ""
    assert placement_json(after.scene.placement) == placement_json(before.scene.placement)
    assert after.scene.body.origin == before.scene.body.origin and after.scene.heart.origin == before.scene.heart.origin
    assert (after.picture, after.clip, after.skin, after.hidden) == (before.picture, before.clip, before.skin, before.hidden)
    assert values_of(after.reference) == values_of(before.reference)
    assert (window.session.opacity, window.session.drawing, window.session.labels) == (0.75, Drawing.GLASS, True)
    assert np.allclose(page.stage.viewport.scene.camera().towards, [1, 0, 0], atol=1e-6)
    agree(page)
    assert not window.desk.modified and page.undo.count() == 0
    assert title(window).startswith("one – echo3d –")


def test_undo_goes_on_after_saving_and_tells_what_is_unsaved(page, window, qtbot, tmp_path) -> None:
    enter(qtbot, page.pose.fields[0], "40")
    assert window.desk.modified and title(window).startswith("echo3d*")
    save(window, qtbot, tmp_path / "one.echo3d")
    assert page.undo.count() == 1 and not window.isWindowModified()
    page.undo.undo()
    assert title(window).startswith("one* –")
    page.undo.redo()
    assert title(window).startswith("one –")
    agree(page)
    window.change(opacity=0.11)
    assert window.desk.modified, "looks belong to a session with a file"


def test_unsaved_work_is_asked_about(page, window, qtbot, tmp_path, monkeypatch) -> None:
    asked = type(window.desk).ask_then
    monkeypatch.setattr(window.desk, "ask_then", asked.__get__(window.desk), raising=False)
    enter(qtbot, page.pose.fields[0], "40")
    path = tmp_path / "asked.echo3d"
    monkeypatch.setattr("echo3d.gui.session.desk.ask_save", lambda *_: path)
    for answer, stays in ((QMessageBox.StandardButton.Cancel, True), (QMessageBox.StandardButton.Save, False)):
        assert not window.close()
        question(window).button(answer).click()
        qtbot.waitUntil(lambda stays=stays: window.isVisible() is stays, timeout=WAIT)
        assert path.exists() is not stays
    assert values_of(read_session(path)[0].placement.pose)[0] == 40.0


def test_discarding_closes(page, window, qtbot) -> None:
    enter(qtbot, page.pose.fields[0], "40")
    assert not window.close()
    question(window).button(QMessageBox.StandardButton.Discard).click()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=WAIT)


def test_a_study_comes_back_with_its_corrections(window, qtbot, tmp_path) -> None:
    study = tmp_path / "data" / "study"
    study.mkdir(parents=True)
    for number, clip in enumerate(sorted(resource("demo").glob("*.dcm"))[:2]):
        (study / f"IM{number}.dcm").write_bytes(clip.read_bytes())
    window.open_paths([study])
    qtbot.waitUntil(lambda: window.session.study is not None, timeout=WAIT)
    assert not window.desk.modified
    view = next(iter(window.session.study.by_view()))
    window.change(ed={view: 2}, es={view: 9}, selected=view)
    assert window.desk.modified
    path = save(window, qtbot, tmp_path / "sessions.echo3d")
    content = path.read_text(encoding="utf-8")
    assert '"path": "data/study"' in content and str(tmp_path) not in content and window.session.study.pseudonym not in content
    for change, kept, said in ((lambda: None, True, ""), ((study / "IM1.dcm").unlink, False, "another content")):
        window.desk.new_session()
        qtbot.waitUntil(lambda: not window.desk.restoring.busy, timeout=WAIT)
        assert window.session.stage is Stage.EMPTY
        change()
        opened(window, qtbot, path)
        qtbot.waitUntil(lambda: window.session.study is not None, timeout=WAIT)
        assert window.session.ed == ({view: 2} if kept else {}) and window.session.selected is view
        assert said in window.session.error and bool(said) == bool(window.session.error)


def test_a_missing_heart_is_said_and_not_lost(page, window, qtbot, tmp_path) -> None:
    from echo3d.io.meshes import write_vtp

    file = tmp_path / "mine.vtp"
    write_vtp(file, embedded_heart().mesh)
    window.actions_of_position.open_heart_file(file)
    qtbot.waitUntil(lambda: page.workspace.scene.heart.path == file and settled(page), timeout=WAIT)
    enter(qtbot, page.pose.fields[1], "-7")
    path = save(window, qtbot, tmp_path / "one.echo3d")
    pose = values_of(page.workspace.scene.placement.pose)
    file.rename(tmp_path / "gone")
    opened(window, qtbot, path)
    assert "found no file mine.vtp" in window.session.error and str(tmp_path) not in window.session.error
    assert page.workspace.scene.heart.name == "Template heart" and page.workspace.scene.body is not None
    assert values_of(page.workspace.scene.placement.pose) == pose
    enter(qtbot, page.pose.fields[1], "-8")
    save(window, qtbot, path)
    assert read_session(path)[0].heart.file.name == "mine.vtp", "what was not found is still named"
    (tmp_path / "gone").rename(file)
    opened(window, qtbot, path)
    assert page.workspace.scene.heart.path.name == "mine.vtp" and window.session.error == ""
    assert values_of(page.workspace.scene.placement.pose)[1] == -8.0
    file.write_bytes(file.read_bytes() + b"\n")
    opened(window, qtbot, path)
    assert "another content" in window.session.error and page.workspace.scene.heart.path.name == "mine.vtp"


@pytest.mark.parametrize("content", ["", "{", '{"kind": "echo3d session", "schema": 99}', "[1]"])
def test_what_is_no_session_changes_nothing(page, window, qtbot, tmp_path, content) -> None:
    bad = tmp_path / "bad.echo3d"
    bad.write_text(content, encoding="utf-8")
    before = page.workspace.scene
    drop(window, [bad])
    qtbot.waitUntil(lambda: window.session.error != "", timeout=WAIT)
    assert window.header._error_bar.isVisible() and str(tmp_path) not in window.session.error
    assert page.workspace.scene is before and window.desk.path is None
    assert bad.read_text(encoding="utf-8") == content


def test_a_damaged_section_is_said_and_its_file_is_not_overwritten(page, window, qtbot, tmp_path) -> None:
    enter(qtbot, page.pose.fields[0], "33")
    path = save(window, qtbot, tmp_path / "one.echo3d")
    values = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(values | {"heart": {"kind": "file", "file": {"path": "/etc/passwd"}}}), encoding="utf-8")
    damaged = path.read_bytes()
    opened(window, qtbot, path)
    assert "left out" in window.session.error
    assert values_of(page.workspace.scene.placement.pose)[0] == 33.0 and page.workspace.scene.body is not None
    assert window.desk.path is None
    assert path.read_bytes() == damaged


def test_recent_sessions_are_listed(window, qtbot, tmp_path) -> None:
    save(window, qtbot, tmp_path / "one.echo3d")
    save(window, qtbot, tmp_path / "two.echo3d")
    (tmp_path / "one.echo3d").unlink()
    window.desk.recent.aboutToShow.emit()
    assert [(action.text(), action.isEnabled()) for action in window.desk.recent.actions()] == [
        ("two.echo3d", True),
        ("one.echo3d  (missing)", False),
    ]
    assert window.findChild(QAction, "open_session").isEnabled()


def test_autosave_keeps_unsaved_work_alone(page, window, qtbot, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(autosaving, "IDLE_S", 0.2)
    folder = recovery.recovery_folder()
    window.desk._autosave.check()
    assert list(folder.iterdir()) == []
    enter(qtbot, page.pose.fields[0], "40")
    qtbot.waitUntil(lambda: len(list(folder.glob("*.echo3d"))) == 1, timeout=WAIT)
    qtbot.waitUntil(lambda: not window.desk._autosave._writing, timeout=WAIT)
    assert recovery.orphans() == [], "this window lives"
    save(window, qtbot, tmp_path / "one.echo3d")
    qtbot.waitUntil(lambda: list(folder.iterdir()) == [], timeout=WAIT)
    enter(qtbot, page.pose.fields[0], "41")
    qtbot.waitUntil(lambda: len(list(folder.glob("*.echo3d"))) == 1, timeout=WAIT)
    window.desk._leaving = True  # as after Discard
    window.close()
    assert list(folder.iterdir()) == []


def test_a_full_disk_while_autosaving_is_a_sentence(page, window, qtbot, monkeypatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    enter(qtbot, page.pose.fields[0], "40")
    window.desk._autosave.write()
    qtbot.waitUntil(lambda: "no space left" in window.session.error, timeout=WAIT)
    assert window.desk.modified


CHILD = """
import json, sys
from PySide6.QtCore import QTimer
from echo3d.gui.app import application, open_first
app = application()
from echo3d.gui.window import MainWindow
from echo3d.positioning import state
from echo3d.positioning.poses import values_of, with_value
window = MainWindow()
window.show()
window.desk.offer_recovery()
print("looked", flush=True)
page, words = window.position, {"state": "", "moved": False}

def say(word):
    print(word, flush=True)

def work():
    if sys.argv[1] == "work":
        if page.workspace.scene.body is not None and not words["moved"]:
            words["moved"] = True
            page.edit("move", lambda s: state.posed(s, with_value(s.placement.pose, 0, 44.25)))
            page.edit("tilt", lambda s: state.with_probe(s, page.workspace.selected, "tilt", 9.5))
            say("moved " + json.dumps(state.placement_json(page.workspace.scene.placement)))
        if words["moved"] and window.desk._autosave._written is not None:
            say("kept")
    elif window.desk.bar.isVisible() and words["state"] == "":
        words["state"] = "asked"
        say("offered " + window.desk.bar.text.text())
        window.desk.bar.recover.click()
    elif words["state"] == "asked" and page.workspace.scene.body is not None and not window.desk.restoring.busy:
        say("back " + json.dumps(state.placement_json(page.workspace.scene.placement)))
        say("title " + window.windowTitle() + str(window.isWindowModified()))
        window.desk._leaving = True
        window.close()
        app.quit()

if sys.argv[1] == "work":
    window.show_position()
timer = QTimer()
timer.timeout.connect(work)
timer.start(100)
sys.exit(app.exec())
"""


def start(script: Path, word: str, home: Path) -> subprocess.Popen[str]:
    env = os.environ | {"ECHO3D_HOME": str(home)}
    return subprocess.Popen([sys.executable, str(script), word], env=env, stdout=subprocess.PIPE, text=True)


def heard(child: subprocess.Popen[str], word: str) -> str:
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith(word):
            return line.removeprefix(word).strip()
    raise AssertionError(f"the window ended before it said {word}")


@pytest.mark.slow
def test_killed_then_recovered(tmp_path) -> None:
    script, home = tmp_path / "child.py", tmp_path / "home"
    root = Path(__file__).resolve().parents[2]
    script.write_text(f"import sys\nsys.path.insert(0, {str(root)!r})\n" + textwrap.dedent(CHILD), encoding="utf-8")
    first = start(script, "work", home)
    moved = heard(first, "moved")
    heard(first, "kept")
    other = start(script, "look", home)  # a window beside a living one is offered nothing
    heard(other, "looked")
    time.sleep(1)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert other.poll() is None
    other.kill()
    said = other.communicate()[0]
    assert "offered" not in said
    assert len(list((home / "state" / "recovery").iterdir())) == 1
    second = start(script, "look", home)
    assert "ended unexpectedly" in heard(second, "offered")
    assert json.loads(heard(second, "back")) == json.loads(moved)
    assert heard(second, "title").endswith("True"), "what was recovered is unsaved"
    second.communicate(timeout=60)
    assert second.returncode == 0
    assert list((home / "state" / "recovery").iterdir()) == []

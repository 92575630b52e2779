"""Sessions in the real window: saved, opened, asked about, autosaved, and recovered after a kill."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QMessageBox

from echo3d.core.structures import Structure
from echo3d.core.views import View
from echo3d.positioning.bodies import own_body
from echo3d.positioning.hearts import embedded_heart
from echo3d.positioning.poses import values_of
from echo3d.positioning.state import Clip, Picture, placement_json
from echo3d.saved.store import read_session
from echo3d.session import Drawing
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
    window.desk.open_path(path)
    qtbot.waitUntil(lambda: window.desk.restoring.busy or bool(window.session.error), timeout=WAIT)
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
    qtbot.waitUntil(lambda: np.allclose(page.stage.viewport.scene.camera().towards, [1, 0, 0], atol=1e-3), timeout=WAIT)
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

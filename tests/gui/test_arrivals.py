"""Hearts and bodies that come into the workspace, best windows, and the heart compared with; model and view are equal after each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QFileDialog, QInputDialog, QToolButton

from echo3d.core.views import View
from echo3d.gui.position.actors import matrix_of
from echo3d.gui.position.preview_panel import window_text
from echo3d.io.meshes import write_vtp
from echo3d.positioning.bodies import default_pose
from echo3d.positioning.cohorts import Member
from echo3d.positioning.poses import values_of
from echo3d.positioning.windows import MOST_TILT
from tests.gui.test_position import agree, enter, page, settled  # noqa: F401
from tests.gui.test_window import WAIT

pytestmark = pytest.mark.gl


def rested(page) -> bool:  # noqa: F811
    return not page.arrivals.busy and page.workspace.doing == "" and settled(page)


def press(widget, text: str) -> None:
    next(button for button in widget.findChildren(QToolButton) if button.text() == text).click()


def test_it_opens_with_good_windows_and_nothing_to_undo(page) -> None:  # noqa: F811
    for view in View:
        preview = page.answer.previews[view]
        assert 1 - preview.window >= 0.85, view
        assert abs(page.workspace.scene.placement.probe(view).tilt) <= MOST_TILT
        assert window_text(preview)[0] == f"window {round(100 * (1 - preview.window))} %"
    assert page.undo.count() == 0
    agree(page)


def test_the_best_window_of_one_view_and_of_all_is_one_step_each(page, qtbot) -> None:  # noqa: F811
    press(page.pose, "Reset all")
    qtbot.waitUntil(lambda: rested(page), timeout=WAIT)
    assert page.answer.previews[View.PSAX_BASAL].window > 0.8
    page.side.selected.emit(View.PSAX_BASAL)
    press(page.side.probe, "Best window")
    qtbot.waitUntil(lambda: rested(page), timeout=WAIT)
    assert page.answer.previews[View.PSAX_BASAL].window < 0.1
    assert set(page.workspace.scene.placement.probes) == {View.PSAX_BASAL}
    assert page.undo.count() == 2
    agree(page)
    page.undo.undo()
    assert not page.workspace.scene.placement.probes
    agree(page)
    press(page.pose, "Best windows")
    qtbot.waitUntil(lambda: rested(page), timeout=WAIT)
    assert all(page.answer.previews[view].window <= 0.15 for view in View)
    assert page.undo.count() == 2
    agree(page)
    page.undo.undo()
    assert not page.workspace.scene.placement.probes


def test_it_is_told_who_moved_a_probe_and_reset_puts_it_back(page, window, qtbot) -> None:  # noqa: F811
    probe = page.side.probe
    page.side.selected.emit(View.PSAX_MID)
    assert probe._edited.text() == "set by search" and "best window" in probe._edited.toolTip()
    enter(qtbot, probe.fields["tilt"], "4")
    assert probe._edited.text() == "moved"
    page.undo.undo()
    assert probe._edited.text() == "set by search"
    press(probe, "Reset")
    assert probe._edited.text() == "as in Table 1" and View.PSAX_MID not in page.workspace.scene.placement.probes
    reset = next(button for button in probe.findChildren(QToolButton) if button.text() == "Reset")
    assert not reset.isEnabled() and "this probe stands as the table says" in reset.toolTip()
    page.side.selected.emit(View.PSAX_BASAL)
    assert reset.isEnabled() and "Not now" not in reset.toolTip()


def test_what_cannot_be_done_is_grey_and_says_why(page, window, qtbot) -> None:  # noqa: F811
    actions = {action.objectName(): action for action in window.shell.actions_shown()}
    best = next(button for button in page.side.probe.findChildren(QToolButton) if button.text() == "Best window")
    assert best.isEnabled() and actions["best_window"].isEnabled() and not actions["swap_reference"].isEnabled()
    window.run_command("no_body")
    for one in (best, actions["best_window"], actions["no_body"], actions["toggle_skin"]):
        assert not one.isEnabled() and "needs a body; open one with Ctrl+B" in one.toolTip()
    window.run_command("keep_reference")
    assert actions["swap_reference"].isEnabled()
    page.undo.undo()
    assert best.isEnabled() and "Not now" not in best.toolTip()
    window.run_command("show_patient")
    assert not actions["best_window"].isEnabled() and not actions["best_window"].isVisible()
    assert not actions["export_result"].isEnabled() and "appears when a study has been computed" in actions["export_result"].toolTip()


def test_a_search_without_a_body_is_a_sentence(page, window, qtbot) -> None:  # noqa: F811
    window.run_command("no_body")
    window.run_command("best_windows")
    assert "body" in window.session.error
    assert not page.arrivals.busy


def test_a_heart_that_moves_while_windows_are_looked_for_keeps_its_probes(page, window, qtbot) -> None:  # noqa: F811
    held = page.workspace.scene.placement.probes
    window.run_command("best_windows")
    enter(qtbot, page.pose.fields[0], "40")
    qtbot.waitUntil(lambda: rested(page), timeout=WAIT)
    assert page.workspace.scene.placement.probes is held
    assert page.undo.count() == 1
    agree(page)


def test_a_foreign_heart_and_its_windows_are_one_step(page, window, qtbot, tmp_path) -> None:  # noqa: F811
    heart, body = page.workspace.scene.heart, page.workspace.scene.body
    write_vtp(tmp_path / "other.vtp", type(heart.mesh)(heart.mesh.points + 200.0, heart.mesh.faces, heart.mesh.labels))
    window.run_command("keep_reference")
    window.actions_of_position.open_heart_file(tmp_path / "other.vtp")
    qtbot.waitUntil(lambda: page.workspace.scene.heart is not heart, timeout=WAIT)
    qtbot.waitUntil(lambda: rested(page), timeout=WAIT)
    scene = page.workspace.scene
    assert scene.heart.name == "other" and scene.body is not body and scene.body.skin is body.skin
    assert values_of(scene.placement.pose) == values_of(default_pose(scene.heart, scene.body))
    assert page.undo.count() == 1
    agree(page)
    ghost = page.stage.viewport.scene.ghost
    matrix = np.array([[ghost.whole.GetUserMatrix().GetElement(i, j) for j in range(4)] for i in range(4)])
    assert ghost.shown and np.allclose(matrix, matrix_of(page.workspace.reference, heart.pivot))
    assert page.workspace.ghost is heart
    page.undo.undo()
    assert page.workspace.scene.heart is heart and page.workspace.scene.body is body
    agree(page)


def test_a_kept_heart_is_compared_swapped_and_let_go(page, window, qtbot) -> None:  # noqa: F811
    start = page.workspace.scene.placement.pose
    press(page.pose, "Compare")
    enter(qtbot, page.pose.fields[0], str(round(values_of(start)[0] + 12.0, 1)))
    assert page.pose.compared.isVisibleTo(page.pose)
    assert page.pose._against[0].text() in ("+12.0", "+11.9", "+12.1")
    assert "12." in page.pose.compared.text or "11.9" in page.pose.compared.text
    moved = page.workspace.scene.placement.pose
    press(page.pose.compared, "Swap")
    assert page.workspace.scene.placement.pose is start and page.workspace.reference is moved
    agree(page)
    press(page.pose.compared, "Let go")
    assert page.workspace.reference is None and not page.pose.compared.isVisibleTo(page.pose)
    assert not page.stage.viewport.scene.ghost.shown


def test_a_heart_of_a_cohort_is_chosen(page, window, qtbot, tmp_path, monkeypatch) -> None:  # noqa: F811
    heart = page.workspace.scene.heart
    asked = []

    def chosen(folder: Path, number: int):
        asked.append((folder, number))
        return type(heart)("cohort, heart 1", {"kind": "cohort"}, heart.mesh, heart.labels, heart.landmarks, ours=True)

    monkeypatch.setattr("echo3d.gui.position.actions.members_of", lambda _: [Member(0, "", "0 · one"), Member(1, "", "1 · two")])
    monkeypatch.setattr("echo3d.gui.position.actions.heart_of_cohort", chosen)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    monkeypatch.setattr(QInputDialog, "getItem", lambda *_: ("1 · two", True))
    press(page.sources, "Cohort…")
    qtbot.waitUntil(lambda: page.workspace.scene.heart is not heart, timeout=WAIT)
    qtbot.waitUntil(lambda: rested(page), timeout=WAIT)
    assert asked == [(tmp_path, 1)]
    assert page.sources._heart.text() == "cohort, heart 1"
    assert page.workspace.scene.placement.pose.scale == 1.0
    agree(page)


def test_a_body_of_a_file_is_used_and_undone(page, window, qtbot, tmp_path, monkeypatch) -> None:  # noqa: F811
    import pyvista as pv

    from echo3d.core.body import BodyPart, part_surface

    body = page.workspace.scene.body
    points, faces = part_surface(body.mesh, BodyPart.SKIN)
    pv.PolyData.from_regular_faces(points.astype(np.float32), faces).save(tmp_path / "skin.ply")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(tmp_path / "skin.ply"), ""))
    window.run_command("open_body")
    qtbot.waitUntil(lambda: page.workspace.scene.body is not body or window.session.error != "", timeout=WAIT)
    assert window.session.error == ""
    qtbot.waitUntil(lambda: rested(page), timeout=WAIT)
    assert page.sources._body.text() == "skin"
    assert all(preview.probe.touches for preview in page.answer.previews.values())
    agree(page)
    page.undo.undo()
    assert page.workspace.scene.body is body
    agree(page)

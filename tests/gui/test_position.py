"""The positioning workspace in the real window: typing, dragging, undoing, copying; model and view are equal after each."""

from __future__ import annotations

import gc
import json
import weakref
from functools import cache

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QMouseEvent
from PySide6.QtWidgets import QApplication

from echo3d.core.structures import Structure
from echo3d.core.views import View
from echo3d.gui.position.actors import matrix_of
from echo3d.positioning.bodies import own_body
from echo3d.positioning.handles import Handle, lines
from echo3d.positioning.poses import values_of
from echo3d.positioning.previews import SETTLED
from echo3d.positioning.state import Clip, Picture
from echo3d.positioning.windows import best_holds
from tests.gui.test_window import WAIT, pixels

pytestmark = pytest.mark.gl

the_body = cache(own_body)


first_holds = {}


def quick_holds(scene, views, told=lambda _: True):
    """Look for windows once for the heart and body that every test begins with."""
    if scene.heart.is_template and scene.body is the_body("m", 175.0, 75.0) and len(views) == len(View) and not scene.placement.probes:
        if not first_holds:
            first_holds.update(best_holds(scene, views, told))
        return dict(first_holds)
    return best_holds(scene, views, told)


def settled(page) -> bool:
    return page.answer is not None and page.answer.request.settled and page.answer.request.number == page._number and not page.loop.busy


@pytest.fixture
def page(window, qtbot, monkeypatch):
    """The workspace with the template heart in a body, its pictures made."""
    monkeypatch.setattr("echo3d.gui.position.loading.own_body", the_body)
    monkeypatch.setattr("echo3d.gui.position.arrivals.best_holds", quick_holds)
    window.show_position()
    page = window.position
    qtbot.waitUntil(lambda: page.workspace.scene.body is not None, timeout=WAIT)
    qtbot.waitUntil(lambda: not page.arrivals.busy and settled(page), timeout=WAIT)
    return page


def agree(page) -> None:
    """Check that numbers, handles, scene and pictures show the state."""
    placement, heart = page.workspace.scene.placement, page.workspace.scene.heart
    for field, value in zip(page.pose.fields, values_of(placement.pose), strict=True):
        assert field.value() == pytest.approx(value, abs=0.5 * 10 ** -field.decimals())
    assert np.allclose(page.stage.viewport.overlay.state.centre, heart.pivot + placement.pose.translation)
    matrix = page.stage.viewport.scene.heart.whole.GetUserMatrix()
    shown = np.array([[matrix.GetElement(i, j) for j in range(4)] for i in range(4)])
    assert np.allclose(shown, matrix_of(placement.pose, heart.pivot))
    adjustment = placement.probe(page.workspace.selected)
    for key, field in page.side.probe.fields.items():
        assert field.value() == pytest.approx(getattr(adjustment, key), abs=0.06)


def enter(qtbot, field, text: str) -> None:
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, Qt.Key.Key_Return)


def mouse(page, kind: QEvent.Type, at, *, held: bool) -> None:
    spot = QPointF(*at)
    plotter = page.stage.viewport.canvas.plotter
    button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else Qt.MouseButton.LeftButton
    buttons = Qt.MouseButton.LeftButton if held else Qt.MouseButton.NoButton
    event = QMouseEvent(kind, spot, plotter.mapToGlobal(spot), button, buttons, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(plotter, event)


def drag(page, handle: Handle, by: tuple[float, float], steps: int = 5) -> None:
    view = page.stage.viewport
    camera = view.scene.camera()
    line = lines(camera, view.overlay.state.centre)[handle]
    start = camera.pixels(line[9 if handle.kind == "turn" else -1])  # of the ring a point between the arrows
    mouse(page, QEvent.Type.MouseMove, start, held=False)
    mouse(page, QEvent.Type.MouseButtonPress, start, held=True)
    for step in range(1, steps + 1):
        mouse(page, QEvent.Type.MouseMove, start + np.array(by) * step / steps, held=True)
    mouse(page, QEvent.Type.MouseButtonRelease, start + np.array(by), held=False)


def test_it_opens_with_a_heart_in_a_body(page, window) -> None:
    agree(page)
    assert set(page.answer.previews) == set(View)
    assert all(panel.state.preview is not None for panel in page.side.panels.values())
    picture = pixels(window.page.heart.heart.canvas.image())[..., :3].astype(int)
    assert picture.std() > 15
    assert window.page.heart.heart.canvas.surface.parent() is not window.page.heart.heart


def test_a_typed_number_moves_the_heart_and_is_undone(page, qtbot) -> None:
    before = values_of(page.workspace.scene.placement.pose)
    number = page._number
    enter(qtbot, page.pose.fields[0], "40")
    assert values_of(page.workspace.scene.placement.pose)[0] == 40.0
    agree(page)
    qtbot.waitUntil(lambda: settled(page) and page._number > number, timeout=WAIT)
    page.undo.undo()
    assert values_of(page.workspace.scene.placement.pose) == before
    agree(page)
    page.undo.redo()
    assert values_of(page.workspace.scene.placement.pose)[0] == 40.0
    agree(page)


@pytest.mark.parametrize(("handle", "by"), [(Handle.MOVE_X, (30, 0)), (Handle.TURN_Y, (0, 40)), (Handle.SIZE, (20, -20))])
def test_a_drag_is_one_step_of_undo(page, qtbot, handle, by) -> None:
    before, count = values_of(page.workspace.scene.placement.pose), page.undo.count()
    scale = page.stage.viewport.scene.camera().mm_per_pixel
    drag(page, handle, by)
    after = values_of(page.workspace.scene.placement.pose)
    assert page.undo.count() == count + 1
    if handle is Handle.MOVE_X:
        assert after[0] - before[0] == pytest.approx(30 * scale, rel=1e-3)
        assert after[1:] == before[1:]
    elif handle is Handle.SIZE:
        assert after[6] > 1.1 * before[6]
    else:
        assert np.abs(np.subtract(after[3:6], before[3:6])).max() > 5
    agree(page)
    qtbot.waitUntil(lambda: settled(page), timeout=WAIT)
    assert page.answer.request.scene is page.workspace.scene
    page.undo.undo()
    assert values_of(page.workspace.scene.placement.pose) == before
    agree(page)


def test_escape_gives_the_heart_back(page, qtbot) -> None:
    before, view = values_of(page.workspace.scene.placement.pose), page.stage.viewport
    start = view.scene.camera().pixels(view.overlay.state.centre)
    mouse(page, QEvent.Type.MouseButtonPress, start, held=True)
    mouse(page, QEvent.Type.MouseMove, start + 50, held=True)
    assert values_of(page.workspace.scene.placement.pose) != before
    page.setFocus()
    qtbot.keyClick(page, Qt.Key.Key_Escape)
    assert values_of(page.workspace.scene.placement.pose) == before
    assert page.undo.count() == 0
    agree(page)


def test_nudges_are_merged(page, qtbot) -> None:
    before = values_of(page.workspace.scene.placement.pose)
    page.setFocus()
    for _ in range(3):
        qtbot.keyClick(page, Qt.Key.Key_Right)
    qtbot.keyClick(page, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ShiftModifier)
    after = values_of(page.workspace.scene.placement.pose)
    assert after[0] == pytest.approx(before[0] + 3) and after[3] == pytest.approx(before[3] + 10)
    assert page.undo.count() == 2
    agree(page)


def test_copy_and_paste(page, window, qtbot) -> None:
    window.run_command("copy_pose")
    copied = json.loads(QGuiApplication.clipboard().text())
    before = values_of(page.workspace.scene.placement.pose)
    window.run_command("mirror_pose")
    assert values_of(page.workspace.scene.placement.pose) != before
    window.run_command("paste_pose")
    assert values_of(page.workspace.scene.placement.pose) == pytest.approx(before)
    agree(page)
    QGuiApplication.clipboard().setText(json.dumps(copied | {"scale": 99}))
    window.run_command("paste_pose")
    assert "pose" in window.session.error
    assert values_of(page.workspace.scene.placement.pose) == pytest.approx(before)


def test_a_probe_is_adjusted_and_reset(page, window, qtbot) -> None:
    window.run_command("reset_probes")
    page.side.selected.emit(View.A2C)
    enter(qtbot, page.side.probe.fields["tilt"], "12")
    assert page.workspace.scene.placement.probe(View.A2C).tilt == 12.0
    qtbot.waitUntil(lambda: settled(page), timeout=WAIT)
    agree(page)
    tilted = page.answer.previews[View.A2C].probe.sector.axis
    window.run_command("reset_probe")
    qtbot.waitUntil(lambda: settled(page), timeout=WAIT)
    assert page.answer.previews[View.A2C].probe.sector.axis @ tilted == pytest.approx(np.cos(np.radians(12)), abs=1e-6)
    agree(page)


def test_pictures_switch_and_enlarge(page, window, qtbot) -> None:
    seen = []
    for name in ("picture_binary", "picture_pseudo", "picture_echo", "picture_labels"):
        window.run_command(name)
        qtbot.waitUntil(lambda: settled(page), timeout=WAIT)
        seen.append(page.answer.previews[View.A4C].pixels)
    assert page.workspace.picture is Picture.LABELS
    assert all(np.abs(one.astype(int) - two).mean() > 1 for one, two in zip(seen, seen[1:], strict=False))
    page.side.enlarged.emit(View.PSAX_MID)
    qtbot.waitUntil(lambda: settled(page), timeout=WAIT)
    assert page.answer.previews[View.PSAX_MID].piece.labels.shape[0] > SETTLED
    assert [view for view, panel in page.side.panels.items() if panel.isVisible()] == [View.PSAX_MID]


def test_pointing_joins_picture_and_scene(page, qtbot) -> None:
    panel = page.side.panels[View.A4C]
    area = panel.picture_area()
    fan = page.answer.previews[View.A4C].probe.sector
    target = next(
        at
        for at in (QPoint(int(area.center().x()), int(area.top() + k)) for k in range(10, int(area.height())))
        if panel.label_at(*panel.plane_mm(QPointF(at)))
    )
    spot, none = QPointF(target), Qt.MouseButton.NoButton
    event = QMouseEvent(QEvent.Type.MouseMove, spot, panel.mapToGlobal(spot), none, none, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(panel, event)
    depth, lateral = panel.plane_mm(QPointF(target))
    assert np.allclose(page.stage.viewport.scene._spot.GetPosition(), fan.world(np.array([depth, lateral])), atol=1e-6)
    assert Structure(panel.label_at(depth, lateral)).title in page.stage.viewport.overlay.state.pointed
    centre = page.stage.viewport.scene.camera().pixels(page.stage.viewport.overlay.state.centre)
    hit = page.stage.viewport.hit(*centre)
    page._pointed_in_scene(hit)
    assert page.side.panels[View.A2C].state.spot is hit.point
    assert page.stage.viewport.overlay.state.pointed == Structure(hit.structure).title


def test_hiding_and_cutting_change_the_scene(page, qtbot) -> None:
    canvas = page.stage.viewport.canvas
    pictures = [pixels(canvas.image())[..., :3].astype(int)]
    page.shows.skin_wanted.emit(0.0)
    page.shows.part_toggled.emit(frozenset(page.workspace.parts), False)
    pictures.append(pixels(canvas.image())[..., :3].astype(int))
    page.shows.toggled.emit(frozenset({Structure.LV_MYOCARDIUM, Structure.RV_MYOCARDIUM}), False)
    pictures.append(pixels(canvas.image())[..., :3].astype(int))
    page.shows.opacity_wanted.emit(frozenset({Structure.LA_WALL, Structure.RA_WALL}), 0.3)
    pictures.append(pixels(canvas.image())[..., :3].astype(int))
    page.stage.clip_wanted.emit(Clip.CORONAL)
    qtbot.waitUntil(lambda: settled(page), timeout=WAIT)
    assert page.answer.sheet is not None and page.answer.sheet[..., 3].any()
    pictures.append(pixels(canvas.image())[..., :3].astype(int))
    assert all(np.abs(one - two).mean() > 0.3 for one, two in zip(pictures, pictures[1:], strict=False))


def test_a_heart_outside_is_said(page, qtbot) -> None:
    enter(qtbot, page.pose.fields[1], "-120")
    qtbot.waitUntil(lambda: settled(page), timeout=WAIT)
    assert "out of the body" in page.stage.viewport.overlay.state.warning
    page.undo.undo()
    qtbot.waitUntil(lambda: settled(page), timeout=WAIT)
    assert page.stage.viewport.overlay.state.warning == ""


def test_switching_keeps_both_workspaces_and_their_keys(page, window) -> None:
    window.show_patient()
    assert window.undo_group.activeStack() is window.undo
    assert window.page.heart.heart.canvas.active == 0
    assert window.page.heart.heart.isAncestorOf(window.page.heart.heart.canvas.surface)
    enabled = {action.text() for action in window._placed["position"] if action.isEnabled()}
    assert not enabled
    window.show_position()
    assert page.stage.viewport.isAncestorOf(page.stage.viewport.canvas.surface)
    assert not any(action.isEnabled() for action in window._placed["patient"])
    agree(page)


def test_nothing_of_it_is_left_behind(qtbot, tmp_path, monkeypatch, qapp) -> None:
    from echo3d.engine.client import EngineClient
    from echo3d.gui.window import MainWindow

    monkeypatch.setattr("echo3d.gui.position.loading.own_body", the_body)
    left = []
    for number in range(2):
        window = MainWindow(EngineClient(log=tmp_path / f"engine{number}.log"))
        window.show()
        window.show_position()
        qtbot.waitUntil(lambda w=window: w.position.workspace.scene.body is not None and settled(w.position), timeout=WAIT)
        left += [
            weakref.ref(part)
            for part in (window.position.stage.viewport.scene, window.position.loop, window.position.stage.viewport.canvas)
        ]
        left.append(weakref.ref(window.position.stage.viewport.scene.heart))
        window.close()
        window.deleteLater()
        del window
        for _ in range(5):
            qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
            qapp.processEvents()
        gc.collect()
    assert [ref() for ref in left if ref() is not None] == []


def test_the_camera_turns_to_a_views_plane(page, window, qtbot) -> None:
    window.run_command("look_view")
    fan = page.answer.previews[View.A4C].probe.sector
    qtbot.waitUntil(lambda: np.allclose(page.stage.viewport.scene.camera().towards, -fan.normal, atol=1e-3), timeout=WAIT)
    assert np.allclose(page.stage.viewport.scene.camera().right, fan.lateral, atol=1e-3)
    window.run_command("look_head")
    qtbot.waitUntil(lambda: np.allclose(page.stage.viewport.scene.camera().towards, [0, 0, 1], atol=1e-3), timeout=WAIT)


def test_files_are_dropped_and_saved(page, window, qtbot, tmp_path) -> None:
    from echo3d.gui.position.overlay import OverlayState
    from echo3d.io.images import read_png
    from tests.gui.test_window import drop

    assert isinstance(page.stage.viewport.overlay.state, OverlayState)
    saving = window.actions_of_position.saving
    saving.picture(tmp_path / "scene.png")
    saving.mesh(tmp_path / "heart.stl")
    saving.views(tmp_path / "views")
    for name in ("scene.png", "heart.stl", "views/sectors.json"):
        qtbot.waitUntil(lambda name=name: (tmp_path / name).is_file() and (tmp_path / name).stat().st_size > 0, timeout=WAIT)
    assert read_png(tmp_path / "scene.png").std() > 10
    pose = tmp_path / "pose.json"
    pose.write_text(json.dumps({"translation": [1, 2, 3], "rotation": [4, 5, 6]}), encoding="utf-8")
    drop(window, [pose])
    assert values_of(page.workspace.scene.placement.pose) == (1, 2, 3, 4, 5, 6, 1)
    agree(page)
    bad = tmp_path / "bad.vtp"
    bad.write_text("nothing", encoding="utf-8")
    drop(window, [bad])
    qtbot.waitUntil(lambda: window.session.error != "", timeout=WAIT)
    assert str(tmp_path) not in window.session.error
    assert page.workspace.doing == ""


def test_the_table_is_edited_and_undone(page, window, qtbot) -> None:
    from echo3d.gui.position.table_dialog import TableDialog
    from echo3d.slicing.standard import TABLE_1

    window.run_command("edit_table")
    dialog = page.findChild(TableDialog)
    enter(qtbot, dialog.fields["shares", 2], "0.80")
    assert page.workspace.scene.placement.table.shares == (0.25, 0.60, 0.80)
    page.undo.undo()
    assert page.workspace.scene.placement.table == TABLE_1
    assert dialog.fields["shares", 2].value() == pytest.approx(0.70)
    dialog.close()


@pytest.mark.parametrize("suffix", [".gif", ".mp4"])
def test_the_beat_is_filmed(page, window, qtbot, tmp_path, suffix) -> None:
    from PIL import Image

    from echo3d.io.video import read_video

    target = tmp_path / f"beat{suffix}"
    beat = page.beat
    beat._made.update(dict.fromkeys(range(1, len(beat)), beat.nearest(0)))  # the moments themselves are tested elsewhere
    window.actions_of_position.saving.film(target)
    said = f"The beat was saved as {target.name}."
    qtbot.waitUntil(lambda: any(notice.sentence == said for notice in window.shell.toasts.notices.past), timeout=WAIT)
    assert page.workspace.doing == ""
    if suffix == ".mp4":
        assert read_video(target).pictures.count == len(beat)
    else:
        with Image.open(target) as film:
            assert film.n_frames >= 1 and film.size[0] > 100

"""When scenes are drawn: together, in the loop's own time, lightly while they move and in full when they rest."""

from __future__ import annotations

import numpy as np
import pytest
import pyvista as pv
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtOpenGLWidgets import QOpenGLWidget
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from echo3d.core.body import BONES, BodyPart
from echo3d.gui.canvas import PATIENT, POSITION, Canvas
from echo3d.gui.heart_scene import point_normals
from echo3d.gui.pacing import Grain, Pacer
from echo3d.gui.position.light import light_faces
from echo3d.positioning.hearts import embedded_heart
from echo3d.positioning.state import Clip
from tests.gui.test_position import mouse, page  # noqa: F401
from tests.gui.test_window import WAIT, pixels

QUICK, SLOW = 0.005, 0.05


@pytest.fixture
def drawing(qapp):
    """A pacer, and what it had drawn: whether each time was light."""
    drawn: list[bool] = []

    def draw() -> None:
        drawn.append(pacer.light)
        pacer.finished()

    pacer = Pacer(draw, lightens=True)
    yield pacer, drawn
    pacer.stop()


def test_many_wishes_are_one_drawing(drawing, qtbot) -> None:
    pacer, drawn = drawing
    for _ in range(20):
        pacer.ask()
    assert drawn == [], "nothing is drawn within the event that wishes it"
    qtbot.waitUntil(lambda: drawn == [False], timeout=WAIT)
    qtbot.wait(50)
    assert drawn == [False]


def test_what_moves_is_light_and_in_full_at_rest(drawing, qtbot) -> None:
    pacer, drawn = drawing
    said = []
    pacer.lightened.connect(said.append)
    for count in range(3):
        pacer.move()
        qtbot.waitUntil(lambda count=count: len(drawn) > count, timeout=WAIT)
    assert drawn == [True] * 3 and said == [True]
    qtbot.waitUntil(lambda: drawn[-1] is False, timeout=WAIT)
    assert drawn == [True, True, True, False] and said == [True, False]


def test_what_is_held_stays_light(drawing, qtbot) -> None:
    pacer, drawn = drawing
    pacer.hold(True)
    pacer.move()
    qtbot.wait(400)
    assert drawn == [True]
    pacer.hold(False)
    qtbot.waitUntil(lambda: drawn == [True, False], timeout=WAIT)


def test_a_graphics_card_draws_all_in_full(qapp, qtbot) -> None:
    drawn: list[bool] = []
    pacer = Pacer(lambda: (drawn.append(pacer.light), pacer.finished()), lightens=False)
    pacer.move()
    qtbot.waitUntil(lambda: drawn == [False], timeout=WAIT)
    pacer.stop()


def test_a_long_drawing_waits_until_the_scene_rests(drawing, qtbot) -> None:
    pacer, drawn = drawing
    pacer.full_cost = 0.2
    pacer.ask()
    qtbot.waitUntil(lambda: drawn == [True, False], timeout=WAIT)


def test_pixels_follow_the_time_that_they_take() -> None:
    grain = Grain()
    first = grain.share
    for seconds in (SLOW, QUICK) * 12:
        grain.took(seconds)
    assert grain.share == first, "what swings changes nothing"
    for _ in range(30):
        grain.took(QUICK)
    assert grain.share == 1.0
    for _ in range(60):
        grain.took(SLOW)
    assert grain.share == 0.5


def test_a_light_heart_keeps_its_shape() -> None:
    mesh = embedded_heart().mesh
    faces = mesh.faces[mesh.labels == 1]
    fewer, _ = light_faces(mesh.points, faces, 6.0)
    assert len(fewer) < 0.65 * len(faces)
    assert np.isin(fewer, faces).all(), "its points are those of the heart, and move with them"
    whole, light = (
        np.cross(mesh.points[f[:, 1]] - mesh.points[f[:, 0]], mesh.points[f[:, 2]] - mesh.points[f[:, 0]]) / 2 for f in (faces, fewer)
    )
    assert np.linalg.norm(light, axis=1).sum() == pytest.approx(np.linalg.norm(whole, axis=1).sum(), rel=0.1)
    seen = np.abs(point_normals(mesh.points, fewer)[np.unique(fewer)]).sum(axis=1)
    assert (seen > 0.9).all()


def test_what_comes_second_is_drawn_when_it_is_asked_for_again(drawing, qtbot) -> None:
    pacer, drawn = drawing
    pacer.ask()
    qtbot.waitUntil(lambda: drawn == [False], timeout=WAIT)
    pacer.cost = 0.4
    pacer.ask(behind=True)
    qtbot.wait(300)
    assert drawn == [False], "it leaves twice its own time to the pictures"
    pacer.cost = 0.0
    pacer.ask(behind=True)
    assert pacer._due.remainingTime() <= 1, "the pause is over: at once, not after the patience as well"
    qtbot.waitUntil(lambda: drawn == [False, False], timeout=WAIT)


# -- the window ---------------------------------------------------------------------------------------------------------------------------


def press(widget: QWidget, kind: QEvent.Type, x: float, y: float) -> None:
    spot, button = QPointF(x, y), Qt.MouseButton.LeftButton
    moved = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else button
    held = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else button
    QApplication.sendEvent(widget, QMouseEvent(kind, spot, widget.mapToGlobal(spot), moved, held, Qt.KeyboardModifier.NoModifier))


def turned(page, qtbot) -> float:  # noqa: F811
    """Turn the camera by 150 pixels with the mouse over what is seen, and return by how many degrees it turned."""
    view = page.stage.viewport
    before, surface = view.scene.camera().towards, view.canvas.surface
    press(surface, QEvent.Type.MouseButtonPress, 60, 60)
    for step in range(1, 31):
        press(surface, QEvent.Type.MouseMove, 60 + 5 * step, 60)
        qtbot.wait(5)
    press(surface, QEvent.Type.MouseButtonRelease, 210, 60)
    return float(np.degrees(np.arccos(before @ view.scene.camera().towards)))


@pytest.mark.gl
def test_the_mouse_turns_as_far_at_any_number_of_pixels(page, qtbot) -> None:  # noqa: F811
    pacer = page.stage.viewport.canvas.pacer
    if not page.stage.viewport.canvas.software:
        pytest.skip("a graphics card draws here, at all pixels")
    angles = []
    for share in (1.0, 0.5):
        pacer.grain.took, pacer.grain.share = (lambda _: None), share
        qtbot.waitUntil(lambda: not pacer.light and not pacer.waiting, timeout=WAIT)
        angles.append(turned(page, qtbot))
        qtbot.waitUntil(lambda: not pacer.light, timeout=WAIT)
    assert angles[0] > 20
    assert angles[1] == pytest.approx(angles[0], abs=1.5)


@pytest.mark.gl
def test_the_mouse_turns_what_is_seen(shown_truth, qtbot) -> None:
    canvas = shown_truth.page.heart.heart.canvas
    before = [canvas.renderer(number).camera.position for number in (PATIENT, POSITION)]
    press(canvas.surface, QEvent.Type.MouseButtonPress, 100, 100)
    for x in (130, 160):
        press(canvas.surface, QEvent.Type.MouseMove, x, 100)
    press(canvas.surface, QEvent.Type.MouseButtonRelease, 160, 100)
    assert canvas.renderer(PATIENT).camera.position != before[0]
    assert canvas.renderer(POSITION).camera.position == before[1]


@pytest.mark.gl
def test_nothing_is_drawn_within_an_event_of_the_mouse(page, qtbot) -> None:  # noqa: F811
    view, drawn = page.stage.viewport, []
    qtbot.waitUntil(lambda: not view.canvas.pacer.light and not view.canvas.pacer.waiting, timeout=WAIT)
    view.canvas.plotter.ren_win.AddObserver("EndEvent", lambda *_: drawn.append(1))
    press(view.canvas.surface, QEvent.Type.MouseButtonPress, 60, 60)
    for step in range(20):
        press(view.canvas.surface, QEvent.Type.MouseMove, 60 + step, 60)
    assert drawn == []
    qtbot.waitUntil(lambda: drawn != [], timeout=WAIT)
    qtbot.wait(400)
    assert view.canvas.pacer.light is view.canvas.software, "a camera that is held may go on"
    press(view.canvas.surface, QEvent.Type.MouseButtonRelease, 80, 60)
    qtbot.waitUntil(lambda: not view.canvas.pacer.light, timeout=WAIT)


@pytest.mark.gl
def test_no_widget_of_the_window_is_drawn_by_opengl(window) -> None:
    if not window.page.heart.heart.canvas.software:
        pytest.skip("a graphics card draws here")
    assert window.findChildren(QOpenGLWidget) == []


@pytest.mark.gl
def test_a_dragged_scene_is_light_stands_right_and_comes_back(page, qtbot) -> None:  # noqa: F811
    view, scene = page.stage.viewport, page.stage.viewport.scene
    if not view.canvas.software:
        pytest.skip("a graphics card draws here, all in full")
    full = pixels(view.canvas.image())[..., :3].astype(int)
    start = scene.camera().pixels(view.overlay.state.centre)
    mouse(page, QEvent.Type.MouseButtonPress, start, held=True)
    for step in range(1, 6):
        mouse(page, QEvent.Type.MouseMove, start + [6 * step, 0], held=True)
        qtbot.wait(30)
    qtbot.waitUntil(lambda: view.canvas.pacer.light, timeout=WAIT)
    skin = scene._parts[BodyPart.SKIN]
    assert skin.light.GetVisibility() and not skin.whole.GetVisibility()
    assert scene.heart.light.GetVisibility() and not scene.heart.whole.GetVisibility()
    whole, light = (
        [[actor.GetUserMatrix().GetElement(i, j) for j in range(4)] for i in range(4)] for actor in (scene.heart.whole, scene.heart.light)
    )
    assert whole == light
    cells = [actor.GetMapper().GetInputDataObject(0, 0).GetNumberOfCells() for actor in (scene.heart.whole, scene.heart.light)]
    assert 0 < cells[1] < 0.5 * cells[0]
    mouse(page, QEvent.Type.MouseButtonRelease, start + [30, 0], held=False)
    qtbot.waitUntil(lambda: not view.canvas.pacer.light, timeout=WAIT)
    assert skin.whole.GetVisibility() and not skin.light.GetVisibility()
    page.undo.undo()
    assert np.abs(pixels(view.canvas.image())[..., :3].astype(int) - full).mean() < 0.5


@pytest.mark.gl
def test_backs_that_are_left_out_are_not_missed(page, qtbot) -> None:  # noqa: F811
    scene, canvas = page.stage.viewport.scene, page.stage.viewport.canvas
    looks = [twin.whole.GetProperty() for twin in (scene.heart, *(scene._parts[part] for part in BONES))]
    assert all(look.GetBackfaceCulling() for look in looks)
    left_out = pixels(canvas.image()).astype(int)
    for look in looks:
        look.SetBackfaceCulling(False)
    assert (np.abs(pixels(canvas.image()).astype(int) - left_out).max(axis=2) > 8).mean() < 1e-3
    page.stage.clip_wanted.emit(Clip.CORONAL)
    assert not any(look.GetBackfaceCulling() for look in looks), "what is cut open is seen from within"


@pytest.mark.gl
def test_the_light_heart_beats(page, qtbot) -> None:  # noqa: F811
    scene = page.stage.viewport.scene
    if not scene.canvas.software:
        pytest.skip("a graphics card draws here, all in full")
    page.fill_beat()
    qtbot.waitUntil(lambda: page.beat.moment(len(page.beat) // 3) is not None, timeout=WAIT)
    scene._lighten(True)
    points = page.beat.moment(len(page.beat) // 3).points
    scene.move_points(points)
    shown = scene.heart.light.GetMapper().GetInputDataObject(0, 0)
    assert np.allclose(np.array([shown.GetPoint(k) for k in range(0, len(points), 500)]), points[::500], atol=1e-3)
    scene._lighten(False)
    shown = scene.heart.whole.GetMapper().GetInputDataObject(0, 0)
    assert np.allclose(np.array([shown.GetPoint(k) for k in range(0, len(points), 500)]), points[::500], atol=1e-3)


@pytest.mark.gl
def test_a_plotter_that_is_shown_draws_as_well(qapp, qtbot) -> None:
    host = QWidget()
    layout = QVBoxLayout(host)
    canvas = Canvas(host, software=False)
    canvas.host(PATIENT, layout)
    host.resize(300, 300)
    host.show()
    qtbot.waitExposed(host)
    drawn = []
    canvas.pacer.drawn.connect(lambda: drawn.append(1))
    canvas.renderer(PATIENT).add_actor(pv.Actor(mapper=pv.DataSetMapper(pv.Sphere())), render=False)
    canvas.renderer(PATIENT).reset_camera()
    canvas.update(PATIENT, moving=True)
    qtbot.waitUntil(lambda: drawn != [], timeout=WAIT)
    assert canvas.surface is canvas.plotter and not canvas.pacer.light
    assert pixels(canvas.image())[..., :3].std() > 10
    before = canvas.renderer(PATIENT).camera.position
    count = len(drawn)
    press(canvas.plotter, QEvent.Type.MouseButtonPress, 60, 60)
    press(canvas.plotter, QEvent.Type.MouseMove, 120, 60)
    press(canvas.plotter, QEvent.Type.MouseButtonRelease, 120, 60)
    qtbot.waitUntil(lambda: len(drawn) > count, timeout=WAIT)
    assert canvas.renderer(PATIENT).camera.position != before
    canvas.close()
    host.close()
    host.deleteLater()

"""The real window: opening, dropping, playing, showing a result, closing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QImage

from echo3d.core.structures import Structure
from echo3d.core.views import View
from echo3d.gui.commands import COMMANDS, PLACES
from echo3d.gui.header import NOTICE
from echo3d.paths import resource
from echo3d.session import Stage, opening

pytestmark = pytest.mark.gl

WAIT = 90_000


def pixels(image: QImage) -> np.ndarray:
    """Return (H, W, 4) uint8."""
    turned = image.convertToFormat(QImage.Format.Format_RGBA8888)
    return np.frombuffer(turned.constBits(), np.uint8).reshape(turned.height(), turned.bytesPerLine() // 4, 4)[:, : turned.width()].copy()


def drop(window, paths: list[Path], where: QPoint | None = None) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    spot = QPointF(where or QPoint(300, 300))
    window.dropEvent(QDropEvent(spot, Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier))


def test_starts_without_torch() -> None:
    code = (
        "import sys\n"
        "from echo3d.gui.app import application\n"
        "app = application()\n"
        "from echo3d.gui.window import MainWindow\n"
        "w = MainWindow(); w.show()\n"
        "for _ in range(50): app.processEvents()\n"
        "from echo3d.paths import resource\n"
        "from echo3d.gui.study_flow import load\n"
        "from echo3d.session import Session, opening\n"
        "load(opening(Session(), (resource('demo'),)))\n"
        "import time\n"
        "from echo3d.positioning.state import Picture\n"
        "w.show_position(); w.position.look_at(picture=Picture.ECHO)\n"
        "until = time.monotonic() + 120\n"
        "while w.position.answer is None and time.monotonic() < until: app.processEvents()\n"
        "assert w.position.answer is not None\n"
        "w.close()\n"
        "bad = [m for m in ('torch', 'geomloss', 'pykeops', 'monai') if m in sys.modules]\n"
        "sys.exit(f'imported {bad}' if bad else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr


def test_says_research_use(window) -> None:
    assert NOTICE in window.windowTitle()
    assert "RESEARCH USE" in NOTICE


def test_every_command_can_be_done(window) -> None:
    for command in COMMANDS:
        assert callable(getattr(window.owner_of(command.name, command.place), command.name)), command.name
    for place in PLACES:
        keys = [key for command in COMMANDS if command.place in ("", place) for key in command.keys]
        assert len(keys) == len(set(keys)), place


def test_a_dropped_zip_plays(window, qtbot, tmp_path) -> None:
    archive = tmp_path / "study.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for clip in resource("demo").glob("*.dcm"):
            file.write(clip, clip.name)
    drop(window, [archive])
    assert window.session.stage is Stage.READING
    qtbot.waitUntil(lambda: window.session.study is not None, timeout=WAIT)
    assert set(window.session.study.by_view()) == set(View)
    qtbot.waitUntil(lambda: all(window.page._frames.frame(view, 20) is not None for view in View), timeout=WAIT)
    panel = window.page.views.grid.panels[View.A4C]
    first, index = pixels(panel.grab().toImage()), panel.state.index
    qtbot.waitUntil(lambda: panel.state.index not in (index, index + 1), timeout=WAIT)
    assert np.abs(pixels(panel.grab().toImage()).astype(int) - first).mean() > 0.2
    assert window.settings.recent == (str(archive),)


@pytest.mark.parametrize("name", ["nothing.dcm", "empty"])
def test_a_bad_drop_is_a_sentence(window, qtbot, tmp_path, name) -> None:
    path = tmp_path / name
    path.mkdir() if name == "empty" else path.write_text("Jane Doe")
    drop(window, [path])
    qtbot.waitUntil(lambda: window.session.stage is Stage.FAILED, timeout=WAIT)
    assert window.session.error and "\n" not in window.session.error
    assert str(tmp_path) not in window.session.error and "Jane" not in window.session.error
    assert window.header._error_bar.isVisible()
    window.header.dismissed.emit()
    assert not window.header._error_bar.isVisible()


def test_a_later_study_wins(window) -> None:
    window.dispatch(lambda session: opening(session, (Path("old"),)))
    old = window.session.ticket
    window.dispatch(lambda session: opening(session, (Path("new"),)))
    window.flow._change(old, lambda session: replace(session, error="too late"))
    assert window.session.error == ""


def test_the_heart_is_drawn_and_moves(shown_truth, qtbot) -> None:
    window, heart = shown_truth, shown_truth.page.heart.heart

    def wait_until_shown() -> None:
        qtbot.waitUntil(lambda: heart._shown == (id(window.page._hearts), window.page._heart_number), timeout=WAIT)

    window.go_ed()
    wait_until_shown()
    ed = pixels(window.page.heart.heart.canvas.image())[..., :3].astype(int)
    assert ed.std() > 20
    first = heart._shown
    window.go_es()
    wait_until_shown()
    assert heart._shown != first
    es = pixels(window.page.heart.heart.canvas.image())[..., :3].astype(int)
    assert np.abs(ed - es).mean() > 1


def test_numbers_and_their_frames(shown_truth) -> None:
    window = shown_truth
    function = window.session.result.function
    metrics = window.page.heart.results._metrics
    assert metrics["ef"]._value.text() == f"{100 * function.ef:.0f}"
    assert metrics["edv_ml"]._value.text() == f"{function.edv_ml:.0f}"
    metrics["esv_ml"].pressed.emit("es")
    assert {panel.state.badge for panel in window.page.views.grid.panels.values()} == {"ES"}
    metrics["edv_ml"].pressed.emit("ed")
    assert {panel.state.badge for panel in window.page.views.grid.panels.values()} == {"ED"}


def test_a_view_that_looks_like_another_says_so_in_its_panel(shown_truth) -> None:
    window, panels = shown_truth, shown_truth.page.views.grid.panels
    assert not any(panel.state.strange for panel in panels.values())
    plain = pixels(panels[View.PSAX_MID].grab().toImage())
    trust = {view: 0.05 if view is View.PSAX_MID else 0.9 for view in View}
    result = window.session.result
    doubted = replace(result, ed=replace(result.ed, view_trust=trust), es=replace(result.es, view_trust=trust))
    window.dispatch(lambda session: replace(session, result=doubted))
    assert [view for view, panel in panels.items() if panel.state.strange] == [View.PSAX_MID]
    assert (pixels(panels[View.PSAX_MID].grab().toImage()) != plain)[-30:].any()


def test_uncalibrated_volumes_are_withheld(shown_truth) -> None:
    window = shown_truth
    window.dispatch(lambda session: replace(session, result=replace(session.result, calibrated=False)))
    metrics = window.page.heart.results._metrics
    assert metrics["edv_ml"]._value.text() == "–"
    assert metrics["ef"]._value.text() != "–"


def test_overlay_switches_change_the_picture(shown_truth, qtbot) -> None:
    window = shown_truth
    panel = window.page.views.grid.panels[View.A4C]
    qtbot.waitUntil(lambda: window.page._overlays.overlay(View.A4C, 0) is not None, timeout=WAIT)
    window.go_ed()
    full = pixels(panel.grab().toImage()).astype(int)
    window.toggle_fill()
    window.toggle_outlines()
    bare = pixels(panel.grab().toImage()).astype(int)
    assert np.abs(full - bare).mean() > 0.5
    spread = bare[40:-40, 20:-40, :3]
    assert np.abs(spread.max(axis=2) - spread.min(axis=2)).max() == 0, "the bare echo picture is grey"


def test_hiding_a_structure_and_every_drawing(shown_truth, qtbot) -> None:
    window = shown_truth
    window.go_ed()
    pictures = []
    for name in ("draw_cut", "draw_glass", "draw_solid"):
        window.run_command(name)
        hearts = window.page._hearts
        qtbot.waitUntil(lambda hearts=hearts: window.page.heart.heart._frames is hearts, timeout=WAIT)
        pictures.append(pixels(window.page.heart.heart.canvas.image())[..., :3].astype(int))
    window.page.heart.structures.toggled.emit(frozenset({Structure.RV_MYOCARDIUM}), False)
    assert Structure.RV_MYOCARDIUM in window.session.hidden
    assert np.abs(pictures[0] - pictures[1]).mean() > 2
    assert np.abs(pictures[1] - pictures[2]).mean() > 2


def test_stepping_and_seeking(shown_truth) -> None:
    window = shown_truth
    window.go_ed()
    assert window.page.leading_frame() == 0
    window.step_forward()
    assert window.page.leading_frame() == 1
    window.step_back()
    window.step_back()
    assert window.page.leading_frame() == len(window.session.study.by_view()[View.A4C].frames) - 1
    window.page.views.transport.sought.emit(7)
    assert window.page.leading_frame() == 7
    assert not window.session.playing


def test_layout_and_choices_are_remembered(window, qtbot) -> None:
    from echo3d.settings import load_settings

    window.change(opacity=0.8, outlines=False)
    window.close()
    assert load_settings().overlay_opacity == 0.8
    assert load_settings().show_outlines is False


@pytest.mark.slow
def test_the_embedded_patient_end_to_end(window, qtbot) -> None:
    window.open_demo()
    qtbot.waitUntil(lambda: window.session.stage in (Stage.DONE, Stage.FAILED), timeout=WAIT)
    assert window.session.error == ""
    result = window.session.result
    assert 0.05 < result.function.ef < 0.85
    assert window.header._title.text() == "Demo patient"
    window.pause()
    window.page.views.transport.sought.emit(3)
    window.set_ed()
    assert window.session.stage is Stage.COMPUTING
    qtbot.waitUntil(lambda: window.session.stage in (Stage.DONE, Stage.FAILED), timeout=WAIT)
    assert window.session.result.ed_frame[View.A4C] == 3
    window.undo.undo()
    qtbot.waitUntil(lambda: window.session.stage in (Stage.DONE, Stage.FAILED), timeout=WAIT)
    assert window.session.result.ed_frame[View.A4C] == result.ed_frame[View.A4C]


def test_a_lost_engine_is_a_sentence_and_the_window_goes_on(window, qtbot) -> None:
    window.open_demo()
    qtbot.waitUntil(lambda: window.session.stage is Stage.COMPUTING and window.engine.pid is not None, timeout=WAIT)
    os.kill(window.engine.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: window.session.stage is Stage.FAILED, timeout=WAIT)
    assert "signal 9" in window.session.error
    assert window.session.study is not None
    window.compute_again()
    assert window.session.stage is Stage.COMPUTING
    qtbot.waitUntil(lambda: window.engine.pid is not None, timeout=WAIT)


def test_a_file_dropped_on_an_empty_panel_becomes_that_view(window, qtbot, tmp_path) -> None:
    only = tmp_path / "one.dcm"
    only.write_bytes((resource("demo") / "a4c.dcm").read_bytes())
    other = tmp_path / "unknown.dcm"
    other.write_bytes((resource("demo") / "psax_mid.dcm").read_bytes())
    drop(window, [only])
    qtbot.waitUntil(lambda: window.session.study is not None, timeout=WAIT)
    panel = window.page.views.grid.panels[View.PSAX_APICAL]
    drop(window, [other], panel.mapTo(window, panel.rect().center()))
    qtbot.waitUntil(lambda: window.session.study is not None, timeout=WAIT)
    assert set(window.session.study.by_view()) == {View.A4C, View.PSAX_APICAL}

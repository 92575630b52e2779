"""Tried as a new user would, with mouse and keyboard alone: a heart put into a body, a probe held otherwise, a data set made."""

from __future__ import annotations

import json
import threading
from functools import cache

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QGuiApplication

from echo3d.core.views import View
from echo3d.dataset.manifest import check_files
from echo3d.jobs.registry import watch
from echo3d.jobs.spec import State
from echo3d.paths import user_jobs
from echo3d.positioning.bodies import own_body
from echo3d.positioning.handles import Handle, lines
from echo3d.positioning.poses import values_of
from tests.gui.hand import Hand
from tests.gui.test_window import WAIT

pytestmark = [pytest.mark.gl, pytest.mark.slow, pytest.mark.timeout(1800)]
LONG = 400_000

the_body = cache(own_body)


@pytest.fixture
def hand(qtbot) -> Hand:
    return Hand(qtbot)


@pytest.fixture
def ended(qtbot):
    """No job outlives the test."""
    yield
    for folder in user_jobs().iterdir():
        qtbot.waitUntil(lambda folder=folder: not watch(folder).state.alive, timeout=LONG)
    qtbot.waitUntil(lambda: not any(thread.name.startswith("reaps") for thread in threading.enumerate()), timeout=WAIT)


def at_rest(page) -> bool:
    known = page.answer is not None and page.answer.request.settled and page.answer.request.number == page._number
    return known and not page.loop.busy and not page.arrivals.busy and page.workspace.doing == ""


def on_screen(hand: Hand, page, handle: Handle) -> tuple[int, int]:
    """Return where the end of a handle stands on the screen."""
    view = page.stage.viewport
    at = view.scene.camera().pixels(lines(view.scene.camera(), view.overlay.state.centre)[handle][-1])
    return hand.place(view.canvas.surface, QPoint(round(at[0]), round(at[1])))


def placed(window, hand: Hand, qtbot) -> None:
    """Go to the workspace and wait for the heart in its body."""
    hand.hold(window)
    hand.press(window.header, "Position")
    page = window.position
    qtbot.waitUntil(lambda: page.workspace.scene.body is not None and at_rest(page), timeout=WAIT)


def test_from_the_start_to_a_data_set(window, hand, qtbot, tmp_path, monkeypatch, ended) -> None:
    monkeypatch.setattr("echo3d.gui.position.loading.own_body", the_body)
    page = window.position
    placed(window, hand, qtbot)
    assert "Drag the arrows" in window.shell.status.hovered.text()

    hand.turn_to(page.tabs, "Heart, body")
    hand.click(page.sources.group)
    hand.keys("Down", "Return")
    hand.press(page.sources, "Draw")
    qtbot.waitUntil(lambda: page.workspace.scene.heart.name.startswith("Dilated"), timeout=WAIT)
    qtbot.waitUntil(lambda: at_rest(page), timeout=WAIT)

    before = values_of(page.workspace.scene.placement.pose)
    hand.drag(on_screen(hand, page, Handle.MOVE_X), (30, 0))
    qtbot.waitUntil(lambda: at_rest(page), timeout=WAIT)
    after = values_of(page.workspace.scene.placement.pose)
    assert after[0] > before[0] + 5 and after[1:] == before[1:]
    hand.keys("ctrl+z")
    assert values_of(page.workspace.scene.placement.pose) == before
    hand.keys("ctrl+shift+z")
    assert values_of(page.workspace.scene.placement.pose) == after
    hand.keys("ctrl+z")

    hand.click(page.side.panels[View.A2C])
    assert page.workspace.selected is View.A2C
    held = page.workspace.scene.placement.probe(View.A2C).tilt
    hand.enter(page.side.probe.fields["tilt"], "6.5")
    assert page.workspace.scene.placement.probe(View.A2C).tilt == 6.5 != held
    assert page.side.probe._edited.text() == "moved"
    hand.press(page.side.probe, "Reset")
    assert page.side.probe._edited.text() == "as in Table 1"

    hand.press(window.header, "Data set…")
    made = generated(window, hand, qtbot, tmp_path / "set")
    assert made["count"] == check_files(tmp_path / "set") == 2


def generated(window, hand: Hand, qtbot, out) -> dict:
    """Fill the dialog, start it, watch the job until it is done; return its spec as the manifest has it."""
    dialog = window.actions_of_position.dataset.dialog
    qtbot.waitUntil(lambda: dialog.order.out != "", timeout=WAIT)
    hand.hold(dialog)
    hand.enter(dialog.hearts.fields["count"], "2")
    hand.enter(dialog.pictures.fields["size"], "16")
    hand.enter(dialog.pictures.fields["workers"], "1")
    hand.enter(dialog.pictures.fields["out"], str(out))
    qtbot.waitUntil(lambda: dialog.estimate.text().startswith("About"), timeout=LONG)
    assert not dialog.found.problems
    hand.press(dialog, "Start")
    jobs = window.jobs
    qtbot.waitUntil(lambda: jobs.dock.isVisible() and jobs.panel.row is not None, timeout=LONG)
    qtbot.waitUntil(lambda: jobs.panel.row.state is State.DONE, timeout=LONG)
    assert any(n.kind == "done" and "Open folder" in n.sentence for n in window.shell.toasts.notices.past)
    hand.hold(window)
    hand.press(jobs.panel, "Copy path")
    assert QGuiApplication.clipboard().text() == str(out)
    return json.loads((out / "manifest.json").read_text(encoding="utf-8"))["spec"]


def test_a_number_a_nudge_and_the_palette_by_keyboard(window, hand, qtbot, monkeypatch) -> None:
    monkeypatch.setattr("echo3d.gui.position.loading.own_body", the_body)
    placed(window, hand, qtbot)
    page = window.position
    start = values_of(page.workspace.scene.placement.pose)
    hand.enter(page.pose.fields[2], str(round(start[2]) + 7))
    assert values_of(page.workspace.scene.placement.pose)[2] == round(start[2]) + 7
    hand.keys("ctrl+k")
    hand.type("anatomical")
    hand.keys("Return")
    assert np.allclose(values_of(page.workspace.scene.placement.pose), start)
    hand.click(page.stage.viewport.canvas.surface, QPoint(8, 8))
    count = page.undo.count()
    hand.keys("shift+Right")
    assert values_of(page.workspace.scene.placement.pose)[0] == pytest.approx(start[0] + 10)
    assert page.undo.count() == count + 1

"""Live pictures in the trained style: made by the real inference process, newest first, and a sentence when that is killed."""

from __future__ import annotations

import os
import signal
import sys

import numpy as np
import pytest

from echo3d.core.views import View
from echo3d.positioning.state import Picture
from tests.gui.test_position import page, settled  # noqa: F401 - the fixture
from tests.gui.test_window import WAIT

pytestmark = pytest.mark.gl


def test_pictures_come_from_the_inference_process(page, window, qtbot) -> None:  # noqa: F811
    window.run_command("picture_pseudo")
    qtbot.waitUntil(lambda: settled(page), timeout=WAIT)
    plain = page.answer.previews[View.A4C]
    window.run_command("picture_cyclegan")
    assert page.side._choices[Picture.CYCLEGAN].isChecked()
    qtbot.waitUntil(lambda: settled(page), timeout=WAIT)
    made = page.answer.previews[View.A4C]
    assert page.answer.request.picture is Picture.CYCLEGAN and window.engine.pid is not None and "torch" not in sys.modules
    assert np.abs(made.pixels[..., 0].astype(int) - plain.pixels[..., 0]).mean() > 3
    assert made.pixels[made.piece.inside, 0].any() and not made.pixels[~made.piece.inside].any()
    for turn in range(6):  # faster than they can be made: the last one is shown
        page.pose.entered.emit(0, float(turn))
    qtbot.waitUntil(lambda: settled(page), timeout=WAIT)
    assert page.answer.request.scene is page.workspace.scene and page.answer.request.picture is Picture.CYCLEGAN


def test_a_killed_process_is_a_sentence_and_comes_back(page, window, qtbot) -> None:  # noqa: F811
    window.run_command("picture_cyclegan")
    qtbot.waitUntil(lambda: settled(page), timeout=WAIT)
    first, said = window.engine.pid, []
    page.said.connect(said.append)
    os.kill(first, signal.SIGSTOP)
    page.pose.entered.emit(0, 3.0)
    qtbot.waitUntil(lambda: bool(window.engine._child.pending), timeout=WAIT)  # slices are cut first
    os.kill(first, signal.SIGKILL)
    qtbot.waitUntil(lambda: bool(said), timeout=WAIT)
    assert "inference process" in said[0] and said[0].count(".") <= 1
    page.pose.entered.emit(0, 4.0)
    qtbot.waitUntil(lambda: settled(page) and page.answer.request.scene is page.workspace.scene, timeout=WAIT)
    assert window.engine.pid not in (None, first)


def test_a_window_that_is_closed_waits_for_no_picture(page, window, qtbot) -> None:  # noqa: F811
    """The process has not even started when the window closes; the fixture finds no thread and no process left."""
    window.run_command("picture_cyclegan")
    qtbot.waitUntil(lambda: page.loop.busy, timeout=WAIT)

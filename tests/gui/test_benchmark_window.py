"""How long the event loop is held in the patient's workspace: a measurement, no limit. Run with -s to see it.

On a machine that is busy with other work only the times of the processor (cpu) say something.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from echo3d.session import Drawing
from tests.gui.test_window import WAIT
from tests.gui.watch import Watch, as_the_program, print_figures

pytestmark = [pytest.mark.gl, pytest.mark.slow]

SECONDS, FIRST_MS = 5.0, 700


@pytest.fixture
def watch(shown_truth) -> Iterator[Watch]:
    """The watch over the workspace."""
    made, window = Watch(), shown_truth
    canvas = window.page.heart.heart.canvas
    made.part(canvas.plotter, "pixels", "heart drawn")
    made.part(window.page, "tick", "moment shown")
    canvas.pacer.drawn.connect(lambda: made.frames.append(time.perf_counter()))
    with as_the_program():
        yield made


@pytest.mark.parametrize("drawing", [Drawing.CUT, Drawing.GLASS])
def test_playing(shown_truth, watch, qtbot, record_property, drawing) -> None:
    window = shown_truth
    window.change(drawing=drawing)
    hearts = window.page._hearts
    qtbot.waitUntil(lambda: window.page.heart.heart._frames is hearts and len(hearts._made) == len(hearts), timeout=WAIT)
    window.change(playing=True)
    qtbot.wait(FIRST_MS)
    with watch.watching():
        qtbot.wait(int(1000 * SECONDS))
    window.change(playing=False)
    print_figures(f"play_{drawing.name.lower()}", watch.figures(SECONDS), record_property, window.page.heart.heart.renderer_name)
    assert watch.frames


def test_turning_the_heart(shown_truth, watch, qtbot, record_property) -> None:
    window = shown_truth
    surface = window.page.heart.heart.canvas.surface
    began = time.perf_counter()

    def send(kind: QEvent.Type, at: np.ndarray) -> None:
        spot, left = QPointF(*at), Qt.MouseButton.LeftButton
        button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else left
        QApplication.sendEvent(surface, QMouseEvent(kind, spot, surface.mapToGlobal(spot), button, left, Qt.KeyboardModifier.NoModifier))

    def move() -> None:
        turn = np.pi * (time.perf_counter() - began)
        send(QEvent.Type.MouseMove, np.array([150 - 60 * np.cos(turn), 150 + 20 * np.sin(turn)]))

    hand = QTimer()
    hand.setTimerType(Qt.TimerType.PreciseTimer)
    hand.timeout.connect(move)
    send(QEvent.Type.MouseButtonPress, np.array([90.0, 150.0]))
    hand.start(8)
    qtbot.wait(FIRST_MS)
    with watch.watching():
        qtbot.wait(int(1000 * SECONDS))
    hand.stop()
    send(QEvent.Type.MouseButtonRelease, np.array([90.0, 150.0]))
    print_figures("turn", watch.figures(SECONDS), record_property, window.page.heart.heart.renderer_name)
    assert watch.frames

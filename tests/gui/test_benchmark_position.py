"""How fast the six pictures follow the hand, and how long the event loop is held: a measurement, no limit. Run with -s to see it.

On a machine that is busy with other work only the times of the processor (cpu) say something.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt, QTimer

from tests.gui.test_position import mouse, page  # noqa: F401
from tests.gui.test_window import WAIT
from tests.gui.watch import Watch, as_the_program, print_figures

pytestmark = [pytest.mark.gl, pytest.mark.slow]

SECONDS = 10.0
FIRST_S = 1.0
"""Left out: what is made once."""


@pytest.fixture
def watch(page) -> Iterator[Watch]:  # noqa: F811
    """The watch over the workspace."""
    made, view = Watch(), page.stage.viewport
    made.pictures(page.loop, list(page.side.panels.values())[-1])
    made.part(view.canvas.plotter, "pixels", "scene drawn")
    made.part(page, "dispatch", "state shown")
    made.part(page.loop, "_shown", "pictures shown")
    view.canvas.pacer.drawn.connect(lambda: made.frames.append(time.perf_counter()))
    with as_the_program():
        yield made


def measured(qtbot, watch: Watch, hand: Callable[[float], None] | None) -> dict[str, float | str]:
    """Let a hand move 125 times a second, given the seconds since it began, and return what was measured."""
    began, timer = time.perf_counter(), QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    if hand is not None:
        timer.timeout.connect(lambda: hand(time.perf_counter() - began))
        timer.start(8)
    qtbot.wait(int(1000 * FIRST_S))
    with watch.watching():
        qtbot.wait(int(1000 * SECONDS))
    timer.stop()
    return watch.figures(SECONDS)


def test_dragging_for_ten_seconds(page, watch, qtbot, record_property) -> None:  # noqa: F811
    view = page.stage.viewport
    start = view.scene.camera().pixels(view.overlay.state.centre)

    def move(seconds: float) -> None:
        turn = np.pi * seconds
        mouse(page, QEvent.Type.MouseMove, start + 40 * np.array([np.sin(turn), 1 - np.cos(turn)]), held=True)

    mouse(page, QEvent.Type.MouseButtonPress, start, held=True)
    figures = measured(qtbot, watch, move)
    mouse(page, QEvent.Type.MouseButtonRelease, start, held=False)
    qtbot.waitUntil(lambda: not page.loop.busy, timeout=WAIT)
    print_figures("drag", figures, record_property, view.canvas.renderer_name)
    assert watch.latency and watch.frames


def test_turning_the_camera_for_ten_seconds(page, watch, qtbot, record_property) -> None:  # noqa: F811
    view, start = page.stage.viewport, np.array([60.0, 80.0])
    before = view.scene.camera().towards

    def move(seconds: float) -> None:
        turn = np.pi * seconds
        mouse(page, QEvent.Type.MouseMove, start + 60 * np.array([1 - np.cos(turn), 0.3 * np.sin(turn)]), held=True)

    mouse(page, QEvent.Type.MouseButtonPress, start, held=True)
    figures = measured(qtbot, watch, move)
    mouse(page, QEvent.Type.MouseButtonRelease, start, held=False)
    print_figures("camera", figures, record_property, view.canvas.renderer_name)
    assert watch.frames and not np.allclose(view.scene.camera().towards, before)


def test_playing_for_ten_seconds(page, watch, qtbot, record_property) -> None:  # noqa: F811
    page.fill_beat()
    qtbot.waitUntil(lambda: page.beat.complete, timeout=WAIT)
    page.play(True)
    figures = measured(qtbot, watch, None)
    page.play(False)
    qtbot.waitUntil(lambda: not page.loop.busy, timeout=WAIT)
    print_figures("beat", figures, record_property, page.stage.viewport.canvas.renderer_name)
    assert watch.latency and watch.frames


def test_a_frame_alone(page, record_property) -> None:  # noqa: F811
    canvas, costs = page.stage.viewport.canvas, {}
    if canvas.picture is None:
        pytest.skip("a graphics card draws here")
    for light, share in ((False, 1.0), (True, 0.65), (True, 0.5)):
        page.stage.viewport.scene._lighten(light)
        times = []
        for _ in range(26):
            began = time.process_time()
            canvas.plotter.pixels(canvas.surface.size(), share)
            times.append(1000 * (time.process_time() - began))
        costs[f"{'moving' if light else 'full'} at {share}"] = round(min(times[1:]), 1)
        record_property(f"frame_{light}_{share}", costs[f"{'moving' if light else 'full'} at {share}"])
    page.stage.viewport.scene._lighten(False)
    print(f"\nprocessor time of a frame, best of 25, ms: {costs}, {canvas.surface.width()} x {canvas.surface.height()} pixels")  # noqa: T201
    assert costs["moving at 0.5"] < costs["full at 1.0"]

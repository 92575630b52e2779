"""How fast the six pictures follow a drag, and how long the event loop is held: a measurement, no limit. Run with -s to see it.

On a machine that is busy with other work only the times of the processor (cpu) say something.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt, QTimer

from tests.gui.test_position import mouse, page  # noqa: F401
from tests.gui.test_window import WAIT

pytestmark = [pytest.mark.gl, pytest.mark.slow]

SECONDS = 10.0
FIRST_S = 1.0
"""Left out: what is made once."""


class Watch:
    """Takes the times of a drag."""

    def __init__(self, shown) -> None:
        self.asked: dict[int, float] = {}
        self.latency: list[float] = []
        self.frames: list[float] = []
        self.gaps: list[float] = []
        self.work: list[float] = []
        self.made: list[float] = []
        self._shown = shown
        self._last, self._worked = time.perf_counter(), time.thread_time()

    def answered(self, answer) -> None:
        self._shown(answer)
        self.latency.append(1000 * (time.perf_counter() - self.asked[answer.request.number]))

    def beat(self) -> None:
        now, worked = time.perf_counter(), time.thread_time()
        self.gaps.append(1000 * (now - self._last))
        self.work.append(1000 * (worked - self._worked))
        self._last, self._worked = now, worked

    def timed(self, answer):
        """Wrap the making of pictures, to take the processor time of its thread."""

        def made(request):
            began = time.thread_time()
            result = answer(request)
            self.made.append(1000 * (time.thread_time() - began))
            return result

        return made


def test_dragging_for_ten_seconds(page, window, qtbot, record_property) -> None:  # noqa: F811
    view, watch = page.stage.viewport, Watch(page.loop._shown)
    page.loop._shown = watch.answered
    ask = page.loop.ask
    page.loop.ask = lambda request: (watch.asked.__setitem__(request.number, time.perf_counter()), ask(request))
    page.loop._previewer.answer = watch.timed(page.loop._previewer.answer)
    start = view.scene.camera().pixels(view.overlay.state.centre)
    mouse(page, QEvent.Type.MouseButtonPress, start, held=True)
    began = time.perf_counter()

    def move() -> None:
        turn = 2 * np.pi * (time.perf_counter() - began) / 2
        mouse(page, QEvent.Type.MouseMove, start + 40 * np.array([np.sin(turn), 1 - np.cos(turn)]), held=True)

    hand, loop = QTimer(), QTimer()
    for timer, call, ms in ((hand, move, 8), (loop, watch.beat, 0)):
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.timeout.connect(call)
        timer.start(ms)
    drawn = view.canvas.plotter.frameSwapped.connect(lambda: watch.frames.append(time.perf_counter()))
    qtbot.wait(int(1000 * FIRST_S))
    for times in (watch.latency, watch.frames, watch.gaps, watch.work, watch.made):
        times.clear()
    qtbot.wait(int(1000 * SECONDS))
    hand.stop()
    loop.stop()
    view.canvas.plotter.frameSwapped.disconnect(drawn)
    mouse(page, QEvent.Type.MouseButtonRelease, start, held=False)
    qtbot.waitUntil(lambda: not page.loop.busy, timeout=WAIT)
    figures = {
        "latency_median_ms": np.median(watch.latency),
        "latency_p95_ms": np.percentile(watch.latency, 95),
        "pictures_per_s": len(watch.latency) / SECONDS,
        "frames_per_s": len(watch.frames) / SECONDS,
        "loop_p99_ms": np.percentile(watch.gaps, 99),
        "loop_longest_ms": max(watch.gaps),
        "six_pictures_cpu_median_ms": np.median(watch.made),
        "six_pictures_cpu_p95_ms": np.percentile(watch.made, 95),
        "loop_longest_cpu_ms": max(watch.work),
    }
    for name, value in figures.items():
        record_property(name, round(float(value), 1))
    print({name: round(float(value), 1) for name, value in figures.items()}, view.canvas.renderer_name)  # noqa: T201
    assert watch.latency

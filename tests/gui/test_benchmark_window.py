"""How long the event loop is held: a measurement, no limit. Run with -s to see it."""

from __future__ import annotations

import time

import pytest
from PySide6.QtCore import Qt, QTimer

pytestmark = [pytest.mark.gl, pytest.mark.slow]


def test_event_loop_holds(shown_truth, qtbot, record_property) -> None:
    window, gaps, last = shown_truth, [], [time.perf_counter()]

    def beat() -> None:
        now = time.perf_counter()
        gaps.append(1000 * (now - last[0]))
        last[0] = now

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(beat)
    window.change(playing=True)
    qtbot.wait(500)
    last[0] = time.perf_counter()
    timer.start(0)
    qtbot.wait(3000)
    timer.stop()
    gaps.sort()
    figures = {"longest_ms": gaps[-1], "p99_ms": gaps[int(0.99 * len(gaps))], "median_ms": gaps[len(gaps) // 2]}
    for name, value in figures.items():
        record_property(name, round(value, 1))
    print({name: round(value, 1) for name, value in figures.items()}, window.page.heart.heart.renderer_name)  # noqa: T201
    assert gaps

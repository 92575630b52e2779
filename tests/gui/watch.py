"""Takes times in the real window: how late pictures are, how often they come, and what holds the event loop for how long."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps

import numpy as np
from PySide6.QtCore import QEvent, QObject, Qt, QTimer

from echo3d.gui.app import smooth_interpreter


@contextmanager
def as_the_program() -> Iterator[None]:
    """Have Python's threads and its garbage collector behave as they do in the program."""
    interval = sys.getswitchinterval()
    smooth_interpreter()
    try:
        yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(interval)


class Watch(QObject):
    """Times of one action.

    A hold is the time from one turn of the event loop to the next; its cause is the part, of those that :meth:`part` wraps, that took
    most of it. Wall times count what other programs do to the machine, processor times (of the Qt thread) do not.
    """

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[int, float] = {}
        self.latency: list[float] = []
        self.painted: list[float] = []
        self.frames: list[float] = []
        self.made: list[float] = []
        self.holds: list[tuple[float, float, str]] = []
        self._parts: Counter[str] = Counter()
        self._to_paint: float | None = None
        self._last, self._worked = time.perf_counter(), time.thread_time()
        self._loop = QTimer()
        self._loop.setTimerType(Qt.TimerType.PreciseTimer)
        self._loop.timeout.connect(self._turn)

    def part(self, owner: object, name: str, cause: str) -> None:
        """Take the time of a function that the Qt thread calls."""
        inner = getattr(owner, name)

        @wraps(inner)
        def timed(*args: object, **kwargs: object) -> object:
            began, before = time.perf_counter(), sum(self._parts.values())
            try:
                return inner(*args, **kwargs)
            finally:
                within = sum(self._parts.values()) - before
                self._parts[cause] += 1000 * (time.perf_counter() - began) - within

        setattr(owner, name, timed)

    def thread(self, owner: object, name: str) -> None:
        """Take the processor time of a function that another thread calls."""
        inner = getattr(owner, name)

        def timed(*args: object) -> object:
            began = time.thread_time()
            try:
                return inner(*args)
            finally:
                self.made.append(1000 * (time.thread_time() - began))

        setattr(owner, name, timed)

    def pictures(self, loop: object, last_panel: QObject) -> None:
        """Take the times from each request for the six pictures to its answer, and until the last of them is painted."""
        ask, shown = loop.ask, loop._shown
        last_panel.installEventFilter(self)

        def asked(request: object) -> None:
            self.asked[request.number] = time.perf_counter()
            ask(request)

        def answered(answer: object) -> None:
            shown(answer)
            began = self.asked[answer.request.number]
            self.latency.append(1000 * (time.perf_counter() - began))
            self._to_paint = began

        loop.ask, loop._shown = asked, answered
        self.thread(loop._previewer, "answer")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Note when a panel is painted."""
        if event.type() == QEvent.Type.Paint and self._to_paint is not None:
            self.painted.append(1000 * (time.perf_counter() - self._to_paint))
            self._to_paint = None
        return False

    def _turn(self) -> None:
        now, worked = time.perf_counter(), time.thread_time()
        parts = self._parts.most_common(1)
        hold = 1000 * (now - self._last)
        self.holds.append((hold, 1000 * (worked - self._worked), parts[0][0] if parts and parts[0][1] > hold / 3 else "other"))
        self._parts.clear()
        self._last, self._worked = now, worked

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Take times from here on; what was taken before is forgotten."""
        for times in (self.latency, self.painted, self.frames, self.made, self.holds):
            times.clear()
        self._parts.clear()
        self._last, self._worked = time.perf_counter(), time.thread_time()
        self._loop.start(0)
        try:
            yield
        finally:
            self._loop.stop()

    def figures(self, seconds: float) -> dict[str, float | str]:
        """Return what was measured in that time."""
        holds = np.array([hold[:2] for hold in self.holds]) if self.holds else np.zeros((1, 2))
        longest: dict[str, float] = {}
        for wall, _, cause in self.holds:
            longest[cause] = max(longest.get(cause, 0.0), round(wall, 1))
        pictures = {} if not self.latency else self._of_pictures(seconds)
        return pictures | {
            "frames_per_s": round(len(self.frames) / seconds, 1),
            "hold_p99_ms": round(float(np.percentile(holds[:, 0], 99)), 1),
            "hold_longest_ms": round(float(holds[:, 0].max()), 1),
            "hold_longest_cpu_ms": round(float(holds[:, 1].max()), 1),
            "holds_over_50_ms": int((holds[:, 0] > 50).sum()),
            "longest_by_cause_ms": ", ".join(f"{cause} {wall}" for cause, wall in sorted(longest.items(), key=lambda one: -one[1])),
        }

    def _of_pictures(self, seconds: float) -> dict[str, float | str]:
        return {
            "latency_median_ms": _at(self.latency, 50),
            "latency_p95_ms": _at(self.latency, 95),
            "painted_median_ms": _at(self.painted, 50),
            "painted_p95_ms": _at(self.painted, 95),
            "pictures_per_s": round(len(self.latency) / seconds, 1),
            "pictures_cpu_median_ms": _at(self.made, 50),
        }


def _at(times: list[float], share: float) -> float:
    return round(float(np.percentile(times, share)), 1) if times else float("nan")


def print_figures(action: str, figures: dict[str, float | str], record: Callable[[str, object], None], renderer: str) -> None:
    """Print and record what was measured, with the load of the machine."""
    for name, value in figures.items():
        record(f"{action}_{name}", value)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg()[:2])
    said = "\n".join(f"  {name:<24} {value}" for name, value in figures.items())
    print(f"\n{action}: {renderer}, load {load}\n{said}")  # noqa: T201

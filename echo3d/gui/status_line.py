"""The line at the foot of the window: what is pointed at, what runs, memory and processor on demand, what was said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import psutil
from PySide6.QtCore import QObject, QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import QSizePolicy, QStatusBar, QToolButton

from echo3d.gui.icons import icon
from echo3d.gui.widgets import label, text_button

_EVERY_MS = 1000
_LOAD = "Memory"


@dataclass(frozen=True, slots=True)
class Load:
    """What the program takes of the machine.

    Parameters
    ----------
    window, engine : resident memory of the two processes, bytes; None where the process does not run
    processor : share of one core that both take, 1 is a whole core
    """

    window: int
    engine: int | None
    processor: float

    def __str__(self) -> str:
        engine = "" if self.engine is None else f"  ·  engine {_size(self.engine)}"
        return f"window {_size(self.window)}{engine}  ·  CPU {100 * self.processor:.0f} %"


def _size(count: int) -> str:
    """Return bytes as shown.

    >>> _size(300 * 2**20), _size(1536 * 2**20)
    ('300 MB', '1.5 GB')
    """
    return f"{count / 2**20:.0f} MB" if count < 2**30 else f"{count / 2**30:.1f} GB"


class Meter:
    """Measures what this process and the inference process take.

    Parameters
    ----------
    engine : returns the id of the inference process, None where none runs
    """

    def __init__(self, engine: Callable[[], int | None]) -> None:
        self._engine = engine
        self._own = psutil.Process()
        self._other: psutil.Process | None = None

    def measure(self) -> Load:
        """Return what both take since the last measurement."""
        other = self._found(self._engine())
        used, memory = self._own.cpu_percent(None), None
        if other is not None:
            try:
                used, memory = used + other.cpu_percent(None), other.memory_info().rss
            except psutil.Error:
                self._other = None
        return Load(self._own.memory_info().rss, memory, used / 100)

    def _found(self, pid: int | None) -> psutil.Process | None:
        if pid is None:
            self._other = None
        elif self._other is None or self._other.pid != pid:
            try:
                self._other = psutil.Process(pid)
            except psutil.Error:
                self._other = None
        return self._other


class StatusLine(QObject):
    """Fills a window's status bar.

    Parameters
    ----------
    bar : the status bar
    meter : measures memory and processor
    """

    command = Signal(str)

    def __init__(self, bar: QStatusBar, meter: Meter) -> None:
        super().__init__(bar)
        self._meter, self._running = meter, dict[str, str]()
        self._pointed = self._hint = ""
        bar.setSizeGripEnabled(False)
        bar.setContentsMargins(8, 0, 8, 0)
        self.hovered, self.running = label("", "muted"), label("", "muted")
        self.hovered.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # a long hint makes no window wider
        self.load = self._switch(_LOAD, "Memory and processor (Ctrl+Shift+M)", "toggle_load")
        self.load.setCheckable(True)
        self.bell = self._switch("", "Notifications (Ctrl+Shift+N)", "show_notices")
        self.bell.setIcon(icon("bell"))
        self.bell.setIconSize(QSize(14, 14))
        bar.addWidget(self.hovered, 1)
        bar.messageChanged.connect(lambda text: self.hovered.setVisible(not text))
        for part in (self.running, self.load, self.bell):
            bar.addPermanentWidget(part)
        self._clock = QTimer(self)
        self._clock.setInterval(_EVERY_MS)
        self._clock.timeout.connect(self._measure)

    def _switch(self, text: str, tip: str, name: str) -> QToolButton:
        made = text_button(text, tip, lambda: self.command.emit(name), kind="status")
        made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        return made

    def point_at(self, text: str) -> None:
        """Show what is pointed at, or what can be done where nothing is."""
        self._pointed = text
        self.hovered.setText(text or self._hint)

    def show_hint(self, text: str) -> None:
        """Show what can be done while nothing is pointed at."""
        self._hint = text
        self.point_at(self._pointed)

    def run(self, what: Mapping[str, str]) -> None:
        """Show what runs: per source a sentence, empty where it rests; sources that are not named stay."""
        self._running |= what
        self.running.setText("  ·  ".join(sentence for sentence in self._running.values() if sentence))

    def toggle_load(self) -> None:
        """Show memory and processor once a second, or stop to."""
        on = not self._clock.isActive()
        self.load.setChecked(on)
        if on:
            self._clock.start()
            self._measure()
        else:
            self._clock.stop()
            self.load.setText(_LOAD)

    def _measure(self) -> None:
        self.load.setText(str(self._meter.measure()))

    def show_unseen(self, count: int) -> None:
        """Show how many warnings and errors the list has not shown yet."""
        self.bell.setText(str(count) if count else "")
        self.bell.setAccessibleName(f"Notifications, {count} not seen" if count else "Notifications")

    def stop(self) -> None:
        """End the clock."""
        self._clock.stop()

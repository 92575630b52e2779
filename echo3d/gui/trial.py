"""The window tried by the self-test: it opens the embedded patient, waits for its heart, writes down what was seen, and closes."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QGuiApplication

from echo3d.gui.window import MainWindow
from echo3d.session import Stage

OPTION = "--trial"
LOOK_MS, REST_MS = 50, 1000


class Trial(QObject):
    """Watches the window until its study is done or has failed.

    Parameters
    ----------
    window : the window, already shown; the trial lives as long
    report : JSON file to write; a picture of the screen is written beside it
    """

    def __init__(self, window: MainWindow, report: Path) -> None:
        super().__init__(window)
        self._window, self._report, self._shown_at, self._shown_s = window, report, 0.0, 0.0
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._look)
        QTimer.singleShot(0, self._shown)

    def _shown(self) -> None:
        """Remember when the window first came to rest, and what it cost of the processor until then."""
        self._shown_at, self._shown_s = time.time(), time.process_time()
        self._timer.start()

    def _look(self) -> None:
        if self._window.session.stage in (Stage.DONE, Stage.FAILED):
            self._timer.stop()
            self._ended_at = time.time()
            QTimer.singleShot(REST_MS, self._end)

    def _end(self) -> None:
        """Write down what was seen and close."""
        QGuiApplication.primaryScreen().grabWindow(0).save(str(self._report.with_suffix(".png")))
        told = {
            "stage": self._window.session.stage.value,
            "torch": "torch" in sys.modules,
            "shown_at": self._shown_at,
            "ended_at": self._ended_at,
            "shown_processor_s": self._shown_s,
        }
        self._report.write_text(json.dumps(told) + "\n", encoding="utf-8")
        self._window.close()

"""Thirty windows one after the other leave no thread, timer, widget or VTK object behind, and take no more memory."""

from __future__ import annotations

import gc
import threading
import warnings

import psutil
import pytest
from PySide6.QtCore import QEvent, QTimer
from PySide6.QtWidgets import QApplication
from vtkmodules.vtkCommonCore import vtkObject

from echo3d.engine.client import EngineClient

pytestmark = [pytest.mark.gl, pytest.mark.slow]
CYCLES, WARM = 30, 8
GROWTH_MB = 60


def counted() -> dict[str, int]:
    gc.collect()
    found = gc.get_objects()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch warns when its old names, which are objects as well, are asked what they are
        return _counted(found)


def _counted(found: list[object]) -> dict[str, int]:
    return {
        "threads": threading.active_count(),
        "widgets": len(QApplication.allWidgets()),
        "timers": sum(isinstance(one, QTimer) for one in found),
        "vtk": sum(isinstance(one, vtkObject) for one in found),
    }


def test_nothing_grows(qapp, tmp_path) -> None:
    from echo3d.gui.window import MainWindow

    history, memory = [], []
    for number in range(CYCLES):
        window = MainWindow(EngineClient(log=tmp_path / f"{number}.log"))
        window.show()
        for name in ("show_palette", "show_log", "theme_light", "theme_dark"):
            window.run_command(name)
            qapp.processEvents()
        window.close()
        window.deleteLater()
        del window
        for _ in range(5):
            qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
            qapp.processEvents()
        history.append(counted())
        memory.append(psutil.Process().memory_info().rss / 2**20)
    assert all(history[-1][name] <= history[WARM][name] for name in history[-1]), (history[WARM], history[-1])
    assert memory[-1] - memory[WARM] < GROWTH_MB, memory

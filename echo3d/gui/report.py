"""The system report: what a person who helps needs to know, and nothing of a patient."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

import psutil
from PySide6.QtCore import QProcess, QProcessEnvironment, qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QWidget

import echo3d
from echo3d.frozen import environment, is_frozen, worker_command
from echo3d.gui.dialogs import mono_text, plain_dialog, press
from echo3d.gui.graphics import Graphics
from echo3d.gui.log_window import as_text
from echo3d.gui.widgets import column, row
from echo3d.logs import Line
from echo3d.settings import Settings

_LIBRARIES = (
    "PySide6",
    "vtk",
    "pyvista",
    "pyvistaqt",
    "pyqtgraph",
    "numpy",
    "scipy",
    "torch",
    "pydicom",
    "opencv-python",
    "pillow",
    "av",
    "pydantic",
)
_INSTEAD = {"opencv-python": "not there, as in the package; Pillow and SciPy do its work"}
_PRIVATE = {"recent"}
"""Settings that hold paths."""
_LOG_LINES = 60


def system_report(graphics: Graphics, settings: Settings, lines: Sequence[Line]) -> str:
    """Return the report.

    Parameters
    ----------
    graphics : the window's OpenGL
    settings : the user's choices; those that hold paths are counted, not shown
    lines : of the log; the last of them are shown
    """
    parts = {
        "Versions": [f"echo3d {echo3d.__version__}", *_versions()],
        "Machine": _machine(),
        "Graphics": [f"vendor: {graphics.vendor}", f"renderer: {graphics.renderer}", f"OpenGL {graphics.version}"],
        "Screens": _screens(),
        "Settings": _settings(settings),
        "Log": [as_text(line) for line in lines[-_LOG_LINES:]] or ["no lines"],
    }
    body = "\n\n".join("\n".join([title, *(f"  {line}" for line in told)]) for title, told in parts.items())
    return f"echo3d system report, {time.strftime('%Y-%m-%d %H:%M %z')}\n\n{body}\n"


def _versions() -> list[str]:
    told = [f"Python {platform.python_version()}, Qt {qVersion()}"]
    return told + [f"{name} {_version(name)}" for name in _LIBRARIES]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return _INSTEAD.get(name, "not found")


def _machine() -> list[str]:
    memory = psutil.virtual_memory()
    return [
        f"{platform.system()} {platform.release()}, {platform.machine()}, {'packaged' if is_frozen() else 'installed'}",
        f"{os.cpu_count()} cores, {memory.total / 2**30:.1f} GiB memory, {memory.available / 2**30:.1f} GiB free",
        f"this process: {psutil.Process().memory_info().rss / 2**20:.0f} MiB",
    ]


def _screens() -> list[str]:
    told = []
    for screen in QGuiApplication.screens():
        size = screen.size()
        told.append(f"{size.width()} × {size.height()} at {screen.devicePixelRatio():g}×, {screen.refreshRate():.0f} Hz")
    return [f"platform {QGuiApplication.platformName()}", *told]


def _settings(settings: Settings) -> list[str]:
    """Return the choices; of those that hold paths only how many there are."""
    told = []
    for name, value in settings.model_dump().items():
        shown = f"{len(value)} kept" if name in _PRIVATE else value
        told.append(f"{name}: {shown}")
    return told


def show_report(parent: QWidget, report: str) -> QDialog:
    """Open the system report, and add what ``echo3d doctor`` says."""
    dialog = plain_dialog(parent, "System report")
    text = mono_text(report + "\nAsking echo3d doctor …\n", "System report")
    text.setMinimumSize(680, 460)
    copy = press("Copy", lambda: QGuiApplication.clipboard().setText(text.toPlainText()), kind="primary")
    dialog.setLayout(column(text, row(1, copy, press("Close", dialog.accept)), margins=(16, 16, 16, 16), spacing=12))
    doctor = QProcess(dialog)
    doctor.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
    doctor.readyReadStandardOutput.connect(
        lambda: text.appendPlainText(bytes(doctor.readAllStandardOutput().data()).decode(errors="replace").rstrip())
    )
    dialog.finished.connect(lambda _: _end(doctor))
    known = QProcessEnvironment()
    for name, value in environment().items():
        known.insert(name, value)
    doctor.setProcessEnvironment(known)
    program, *words = worker_command("doctor")
    doctor.start(program, words)
    dialog.open()
    return dialog


def _end(process: QProcess) -> None:
    """End a process that may still run."""
    process.kill()
    process.waitForFinished(3000)

"""The windows that open over the main one: keys, report, about."""

from __future__ import annotations

import sys

from PySide6.QtCore import QProcess, Qt
from PySide6.QtGui import QGuiApplication, QKeySequence
from PySide6.QtWidgets import QDialog, QGridLayout, QPlainTextEdit, QPushButton, QWidget

import echo3d
from echo3d.gui.commands import COMMANDS
from echo3d.gui.header import NOTICE
from echo3d.gui.position.nudge import SHEET
from echo3d.gui.theme import ACCENT
from echo3d.gui.widgets import column, label, row

ABOUT = f"""<h3>echo3d {echo3d.__version__}</h3>
<p>From the 2D views of an echo study to a beating 3D four-chamber heart.</p>
<p><b>{NOTICE}</b></p>
<p>Method after the S2MNet paper. Heart shapes derived from the cohort of Rodero et al., PLoS Computational Biology 2021, CC BY 4.0.
The demo patient is synthetic. Licence: Apache-2.0; credits of the data in NOTICE.</p>
<p>Built with Qt for Python (LGPL), VTK, PyVista, NumPy, SciPy, PyTorch, pydicom, OpenCV, PyAV and pyqtgraph.</p>"""


def show_keys(parent: QWidget, place: str) -> QDialog:
    """Open the sheet of keyboard shortcuts of a workspace, made from the table of commands."""
    dialog = _dialog(parent, "Keyboard shortcuts")
    grid = QGridLayout()
    grid.setHorizontalSpacing(26)
    grid.setVerticalSpacing(7)
    known = [(_native(command.keys), command.title) for command in COMMANDS if command.keys and command.place in ("", place)]
    known += SHEET if place == "position" else ()
    half = (len(known) + 1) // 2
    for number, (keys, title) in enumerate(known):
        line, side = number % half, 2 * (number // half)
        shown = label(keys)
        shown.setStyleSheet(f"color: {ACCENT}; font-weight: 600;")
        grid.addWidget(shown, line, side)
        grid.addWidget(label(title), line, side + 1)
    dialog.setLayout(column(grid, margins=(24, 20, 24, 20)))
    dialog.open()
    return dialog


def _native(keys: tuple[str, ...]) -> str:
    """Return shortcuts as this machine writes them."""
    return " or ".join(QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText) for key in keys)


def show_about(parent: QWidget) -> QDialog:
    """Open the page on the program, its licence and its credits."""
    dialog = _dialog(parent, "About echo3d")
    text = label(ABOUT, wrap=True)
    text.setTextFormat(Qt.TextFormat.RichText)
    text.setMinimumWidth(460)
    dialog.setLayout(column(text, margins=(24, 18, 24, 20)))
    dialog.open()
    return dialog


def show_report(parent: QWidget, renderer: str) -> QDialog:
    """Open the system report: this window's OpenGL, then what ``echo3d doctor`` says."""
    dialog = _dialog(parent, "System report")
    text = QPlainTextEdit(f"echo3d {echo3d.__version__}\nOpenGL of this window: {renderer}\n\nAsking echo3d doctor …\n")
    text.setReadOnly(True)
    text.setStyleSheet("font-family: 'DejaVu Sans Mono', Menlo, Consolas, monospace;")
    text.setMinimumSize(680, 460)
    copy = QPushButton("Copy")
    copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(text.toPlainText()))
    close = QPushButton("Close")
    close.clicked.connect(dialog.accept)
    dialog.setLayout(column(text, row(1, copy, close), margins=(16, 16, 16, 16), spacing=12))
    doctor = QProcess(dialog)
    doctor.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
    doctor.readyReadStandardOutput.connect(
        lambda: text.appendPlainText(bytes(doctor.readAllStandardOutput().data()).decode(errors="replace").rstrip())
    )
    dialog.finished.connect(lambda _: _end(doctor))
    frozen = getattr(sys, "frozen", False)
    doctor.start(sys.executable, ["doctor"] if frozen else ["-m", "echo3d", "doctor"])
    dialog.open()
    return dialog


def _end(process: QProcess) -> None:
    """End a process that may still run."""
    process.kill()
    process.waitForFinished(3000)


def _dialog(parent: QWidget, title: str) -> QDialog:
    dialog = QDialog(parent)
    dialog.setWindowTitle(title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return dialog

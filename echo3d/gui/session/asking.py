"""What is asked about a session: whether to save it, and where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from echo3d.saved.store import SUFFIX

FILTER = f"echo3d sessions (*{SUFFIX})"


def ask_unsaved(parent: QWidget, name: str, save: Callable[[], None], discard: Callable[[], None]) -> QMessageBox:
    """Ask whether changes are to be saved; the window goes on meanwhile.

    Parameters
    ----------
    parent : the window
    name : of the session
    save, discard : what the answers do; Cancel does nothing
    """
    buttons = QMessageBox.StandardButton
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Unsaved changes")
    box.setText(f"Save the changes of {name}?")
    box.setInformativeText("Without saving, the pose, the probes, the views given to files and the chosen frames are lost.")
    box.setStandardButtons(buttons.Save | buttons.Discard | buttons.Cancel)
    box.setDefaultButton(buttons.Save)

    def answered(_: int) -> None:
        answer = box.standardButton(box.clickedButton())
        if answer == buttons.Save:
            save()
        elif answer == buttons.Discard:
            discard()

    box.finished.connect(answered)
    box.open()
    return box


def ask_open(parent: QWidget) -> Path | None:
    """Return the session to open, None where none was chosen."""
    name, _ = QFileDialog.getOpenFileName(parent, "Open a session", "", f"{FILTER};;All files (*)")
    return Path(name) if name else None


def ask_save(parent: QWidget, name: str) -> Path | None:
    """Return where to save a session, None where nothing was chosen; the suffix is added where it is missing."""
    chosen, _ = QFileDialog.getSaveFileName(parent, "Save the session", name, FILTER)
    if not chosen:
        return None
    path = Path(chosen)
    return path if path.suffix.lower() == SUFFIX else path.with_name(path.name + SUFFIX)

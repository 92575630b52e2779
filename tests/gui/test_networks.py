"""The user's own networks in the real window: listed, computed with, and removed by keyboard after asking, unless they are needed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMessageBox
from safetensors.numpy import load_file, save_file

from echo3d.gui.networks_dialog import EMPTY, NetworksDialog
from echo3d.io.cards import read_card, weights_path
from echo3d.paths import user_models
from echo3d.settings import load_settings

pytestmark = pytest.mark.gl
WAIT = 30_000


def install(name: str, shipped: str, **config: Any) -> str:
    """Put shipped weights among the user's own under another name, of other expected errors; return their SHA-256. Needs no torch."""
    card, path = read_card(weights_path(shipped)), user_models() / f"{name}.safetensors"
    save_file(load_file(weights_path(shipped)) | {"sigma_mm": np.full((7, 4), 2, np.float16)}, path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    own = replace(card, name=name, sha256=sha256, config={**card.config, **config})
    path.with_suffix(".json").write_text(json.dumps(asdict(own)))
    return sha256


@pytest.fixture
def dialog(window, qtbot):
    """Return what opens the dialog by its keys, filled."""
    made: list[NetworksDialog] = []

    def opened(count: int) -> NetworksDialog:
        action = window.findChild(QAction, "manage_networks")
        assert action.isEnabled() and action.shortcut().toString() == "Ctrl+Shift+U"
        action.trigger()
        made.append(window.findChild(NetworksDialog))
        qtbot.waitUntil(lambda: made[-1].table.rowCount() == count, timeout=WAIT)
        return made[-1]

    yield opened
    for one in made:
        one.close()


def answered(dialog: NetworksDialog, qtbot, text: str) -> None:
    box = dialog.findChild(QMessageBox)
    assert "card are deleted" in box.text()
    qtbot.mouseClick(next(button for button in box.buttons() if text in button.text()), Qt.MouseButton.LeftButton)


def test_networks_are_removed_by_keyboard_after_asking_unless_needed(window, qtbot, dialog) -> None:
    sha256 = install("mine", "lean")
    install("better", "accurate", network="mine", network_sha256=sha256)
    shown = dialog(2)
    assert [line.cells[:2] for line in shown.lines] == [("better", "accurate, of mine"), ("mine", "lean")]
    assert shown.chosen.name == "better" and shown.remove.isEnabled()
    qtbot.mouseClick(shown.used, Qt.MouseButton.LeftButton)
    assert load_settings().model == "better"
    qtbot.waitUntil(lambda: not shown.remove.isEnabled(), timeout=WAIT)
    assert shown.said.text().startswith("A model that hearts are computed with must stay, found better")
    qtbot.keyClick(shown.table, Qt.Key.Key_Down)
    assert shown.chosen.name == "mine" and "remove better first" in shown.said.text() and not shown.remove.isEnabled()
    qtbot.keyClick(shown.table, Qt.Key.Key_Delete)
    assert shown.findChild(QMessageBox) is None
    window.shell.choose_network("lean")
    shown.read()
    qtbot.waitUntil(lambda: not shown.lines[0].stays, timeout=WAIT)
    qtbot.keyClick(shown.table, Qt.Key.Key_Up)
    qtbot.keyClick(shown.table, Qt.Key.Key_Delete)
    answered(shown, qtbot, "Cancel")
    qtbot.waitUntil(lambda: shown.findChild(QMessageBox) is None, timeout=WAIT)
    assert weights_path("better").is_file()
    qtbot.keyClick(shown.table, Qt.Key.Key_Delete)
    answered(shown, qtbot, "Remove")
    qtbot.waitUntil(lambda: shown.table.rowCount() == 1, timeout=WAIT)
    assert shown.chosen.name == "mine" and shown.remove.isEnabled()
    qtbot.mouseClick(shown.remove, Qt.MouseButton.LeftButton)
    answered(shown, qtbot, "Remove")
    qtbot.waitUntil(lambda: shown.table.rowCount() == 0, timeout=WAIT)
    assert shown.said.text() == EMPTY and not shown.remove.isEnabled() and not list(user_models().glob("*"))


def test_a_network_that_refines_one_that_is_gone_says_so(window, qtbot, dialog) -> None:
    install("better", "accurate", network="mine", network_sha256="0" * 64)
    shown = dialog(1)
    assert not shown.used.isEnabled() and shown.remove.isEnabled() and "which was called mine; add it first" in shown.said.text()

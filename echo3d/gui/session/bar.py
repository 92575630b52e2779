"""The strip that offers what a crash left."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtWidgets import QFrame, QLabel, QWidget

from echo3d.gui import theme
from echo3d.gui.icons import pixmap
from echo3d.gui.widgets import label, row, text_button
from echo3d.saved.recovery import Orphan


class RecoveryBar(QFrame):
    """Offers the newest autosaved session; says which of Recover, Discard and Later is wished for."""

    recover_wanted = Signal(object)
    discard_wanted = Signal(object)
    later_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("header")
        self._offered: Orphan | None = None
        sign = QLabel()
        sign.setPixmap(pixmap("reset", theme.ACCENT, 16))
        self.text = label("")
        self.recover = text_button("Recover", "Open what was autosaved", lambda: self._wish(self.recover_wanted), kind="primary")
        self.discard = text_button("Discard", "Delete what was autosaved", lambda: self._wish(self.discard_wanted), kind="small")
        self.later = text_button("Later", "Ask again at the next start", self.later_wanted.emit, kind="small")
        self.setLayout(row(sign, self.text, 1, self.recover, self.discard, self.later, margins=(14, 6, 14, 6), spacing=8))
        self.hide()

    def _wish(self, signal: SignalInstance) -> None:
        if self._offered is not None:
            signal.emit(self._offered)

    def show_orphans(self, orphans: Sequence[Orphan]) -> None:
        """Offer the newest of them; hide where there is none."""
        self._offered = orphans[0] if orphans else None
        self.setVisible(bool(orphans))
        if orphans:
            more = {1: "", 2: " One older session waits."}.get(len(orphans), f" {len(orphans) - 1} older sessions wait.")
            self.text.setText(f"echo3d ended unexpectedly with unsaved work, kept at {orphans[0].at}.{more}")

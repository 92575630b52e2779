"""What the heart is compared with: another heart, or its own in another pose, and by how much the two differ."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from echo3d.gui.widgets import card, column, command_button, label, row
from echo3d.positioning.compare import Comparison, comparison_lines
from echo3d.positioning.state import Workspace


class ComparePanel(QWidget):
    """Shows a comparison, or nothing; the differences of the seven numbers stand beside the numbers."""

    command = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = label("", "", wrap=True)
        self._lines = label("", "muted", wrap=True)
        swap = command_button("Swap", "Go to the heart compared with (Shift+G)", "swap_reference", self.command)
        leave = command_button("Let go", "Compare with nothing (G)", "keep_reference", self.command)
        inside = column(label("COMPARED WITH", "section"), self._title, self._lines, row(swap, leave, 1, spacing=4), margins=(10, 8, 10, 8))
        outside = QVBoxLayout(self)
        outside.setContentsMargins(0, 0, 0, 0)
        outside.addWidget(card(inside))
        self.setVisible(False)

    @property
    def text(self) -> str:
        """What is said of the two hearts."""
        return self._lines.text()

    def show_comparison(self, workspace: Workspace, comparison: Comparison | None) -> None:
        """Show how the heart stands against the other one."""
        self.setVisible(comparison is not None)
        ghost = workspace.ghost or workspace.scene.heart
        if comparison is not None and ghost is not None:
            self._title.setText(ghost.name + (" (this heart)" if ghost is workspace.scene.heart else ""))
            self._lines.setText("\n".join(comparison_lines(comparison)))

"""The seven numbers of the pose, and what can be done with a pose as a whole."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QWidget

from echo3d.gui.position.compare_panel import ComparePanel
from echo3d.gui.position.fields import NumberField
from echo3d.gui.widgets import button, column, command_button, label, row, section
from echo3d.positioning.compare import Comparison, comparison_of
from echo3d.positioning.poses import FIELDS, FORMULA, PIVOT, values_of
from echo3d.positioning.state import Workspace

_NAMES = (
    "Translation to the patient's left",
    "Translation to the back",
    "Translation to the head",
    "Rotation about x",
    "Rotation about y",
    "Rotation about z",
    "Scale",
)
_WORDS = ("left", "back", "head", "about x", "about y", "about z", "scale")


class PosePanel(QWidget):
    """Shows the pose; says which number is wished for."""

    entered = Signal(int, float)
    reset_wanted = Signal(int)
    followed = Signal(bool)
    command = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        self.fields, self._against = [], []
        for number, field in enumerate(FIELDS):
            made = NumberField(_NAMES[number], field.unit, (field.low, field.high), field.step, field.digits)
            made.entered.connect(lambda value, n=number: self.entered.emit(n, value))
            made.setMinimumWidth(80)
            against = label("", "faint")
            grid.addWidget(label(f"{field.symbol}, {_WORDS[number]}"), number, 0)
            grid.addWidget(made, number, 1)
            grid.addWidget(against, number, 2)
            grid.addWidget(button("reset", f"{field.symbol} as it is by default", partial(self.reset_wanted.emit, number)), number, 3)
            self.fields.append(made)
            self._against.append(against)
        grid.setColumnStretch(1, 1)
        self._follows = QCheckBox("Probes follow the heart")
        self._follows.setToolTip("Otherwise the probes stay where they are on the skin while the heart moves")
        self._follows.toggled.connect(self.followed)
        whole = row(*(self._command(*parts) for parts in _WHOLE), 1, spacing=4)
        text = row(*(self._command(*parts) for parts in _TEXT), 1, spacing=4)
        head = label("POSE OF THE HEART", "section")
        formula = label(f"{FORMULA}\n{PIVOT}.", "faint", wrap=True)
        formula.setToolTip("Order of rotations and pivot are our choice; the paper gives neither")
        self.compared = ComparePanel()
        self.compared.command.connect(self.command)
        probes = row(*(self._command(*parts) for parts in _PROBES), 1, spacing=4)
        parts = (head, grid, whole, text, formula, self.compared, section("SIX PROBES", above=8), self._follows, probes)
        self.setLayout(column(*parts, spacing=8))

    def _command(self, text: str, tip: str, name: str) -> QWidget:
        return command_button(text, tip, name, self.command)

    def show_workspace(self, workspace: Workspace) -> None:
        """Show the pose, and how far it is from the one it is compared with."""
        placement = workspace.scene.placement
        for field, value in zip(self.fields, values_of(placement.pose), strict=True):
            field.show_value(value)
            field.setEnabled(workspace.scene.heart is not None)
        comparison = comparison_of(workspace)
        for against, text in zip(self._against, compared(comparison), strict=True):
            against.setText(text)
        self.compared.show_comparison(workspace, comparison)
        self._follows.blockSignals(True)
        self._follows.setChecked(placement.follows)
        self._follows.blockSignals(False)


def compared(comparison: Comparison | None) -> list[str]:
    """Return per number how far it is from that of the pose compared with, as text; empty ones where there is none.

    >>> compared(Comparison((3.0, 0.0, 0.0, 0.0, -4.0, 0.0, 1.0), 3.0, 4.0))[:5]
    ['+3.0', '+0.0', '+0.0', '+0.0', '-4.0']
    """
    if comparison is None:
        return [""] * len(FIELDS)
    return [*(f"{way:+.1f}" for way in comparison.ways[:6]), f"×{comparison.ways[6]:.3f}"]


_WHOLE = (
    ("Default", "Anatomical default: where the heart stands in this body (Home)", "reset_pose"),
    ("Mirror", "Mirror place and turn to the other side of the body; the heart itself is not mirrored", "mirror_pose"),
    ("Compare", "Keep this heart in this pose as a ghost to compare with, or let it go (G)", "keep_reference"),
)
_TEXT = (
    ("Copy", "Copy pose and probes as JSON (Ctrl+C)", "copy_pose"),
    ("Paste", "Paste a pose as JSON (Ctrl+V)", "paste_pose"),
    ("Swap", "Go to the heart and pose that are compared with, and keep these instead (Shift+G)", "swap_reference"),
)
_PROBES = (
    (
        "Best windows",
        "Slide all six probes to where fewest beams are stopped, planes within 12° of the views' own (Shift+W)",
        "best_windows",
    ),
    ("Aim", "Aim the six probes at the heart as it stands now (A)", "aim_probes"),
    ("Reset all", "All six probes as Table 1 has them (Shift+R)", "reset_probes"),
)

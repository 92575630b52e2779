"""The seven numbers of the pose, and what can be done with a pose as a whole."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QWidget

from echo3d.core.pose import Pose
from echo3d.gui.position.fields import NumberField
from echo3d.gui.widgets import button, column, label, row, text_button
from echo3d.positioning.poses import FIELDS, FORMULA, PIVOT, differences, values_of
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
            against = label("", "faint")
            against.setMinimumWidth(52)
            grid.addWidget(label(field.symbol), number, 0)
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
        probes = row(self._follows, 1, self._command("Aim", "Aim the six probes at the heart as it stands now", "aim_probes"))
        self.setLayout(column(head, grid, whole, text, probes, formula, spacing=8))

    def _command(self, text: str, tip: str, name: str) -> QWidget:
        return text_button(text, tip, lambda: self.command.emit(name), kind="small")

    def show_workspace(self, workspace: Workspace) -> None:
        """Show the pose, and how far it is from the one it is compared with."""
        placement = workspace.scene.placement
        for field, value in zip(self.fields, values_of(placement.pose), strict=True):
            field.show_value(value)
            field.setEnabled(workspace.scene.heart is not None)
        for against, text in zip(self._against, compared(placement.pose, workspace.reference), strict=True):
            against.setText(text)
        self._follows.blockSignals(True)
        self._follows.setChecked(placement.follows)
        self._follows.blockSignals(False)


def compared(pose: Pose, reference: Pose | None) -> list[str]:
    """Return per number how far it is from that of another pose, as text; empty ones where there is none.

    >>> import numpy as np
    >>> compared(Pose(np.array([3.0, 0, 0]), np.zeros(3)), Pose(np.zeros(3), np.zeros(3)))[0]
    '+3.0'
    """
    if reference is None:
        return [""] * len(FIELDS)
    ways = differences(pose, reference)
    return [*(f"{way:+.1f}" for way in ways[:6]), f"×{ways[6]:.3f}"]


_WHOLE = (
    ("Default", "Anatomical default: where the heart stands in this body (Home)", "reset_pose"),
    ("Mirror", "Mirror place and turn to the other side of the body; the heart itself is not mirrored", "mirror_pose"),
    ("Compare", "Keep this pose as a ghost to compare with, or let it go", "keep_reference"),
)
_TEXT = (
    ("Copy", "Copy pose and probes as JSON (Ctrl+C)", "copy_pose"),
    ("Paste", "Paste a pose as JSON (Ctrl+V)", "paste_pose"),
    ("Swap", "Go to the pose that is compared with, and keep this one instead", "swap_reference"),
)

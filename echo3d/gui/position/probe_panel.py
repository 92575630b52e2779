"""How the selected view's probe is held."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QLabel, QToolButton, QWidget

from echo3d.gui.position.fields import NumberField
from echo3d.gui.position.preview_panel import SHORT
from echo3d.gui.widgets import column, command_button, label, row
from echo3d.positioning.probes import PROBE_FIELDS, STANDARD
from echo3d.positioning.state import Workspace, hold_of
from echo3d.slicing.standard import TABLE_1

_TIPS = {
    "tilt": "Out of the plane",
    "rotate": "About the central beam",
    "angulate": "Within the plane, towards the picture's right",
    "slide_lateral": "Over the skin, towards the picture's right",
    "slide_elevation": "Over the skin, out of the plane",
    "press": "Deeper into the skin, or off it where negative",
    "depth": "Length of the beams; 0 for the one that holds the heart",
    "half_angle": "Half the opening of the fan",
}
_BUTTONS = (
    ("Best window", "Slide this probe to where fewest beams are stopped, its plane within 12° of the view's own (W)", "best_window"),
    ("Reset", "This probe as Table 1 has it (R)", "reset_probe"),
)
_HOLDS = {
    "table": ("as in Table 1", "Where the table of the six views has this probe"),
    "search": ("set by search", "The search for the best window moved this probe; Reset (R) holds it as the table has it"),
    "moved": ("moved", "Moved from where the table has it; Reset (R) holds it as the table has it"),
}
"""What is said of how a probe came to be held."""
LEVELS = (("Table 1", 0.0), ("Between", 0.5), ("Clinical heights", 1.0))
"""Presets of the short-axis planes."""


class ProbePanel(QWidget):
    """Shows one probe's adjustment; says what is wished for."""

    entered = Signal(str, object)
    level_wanted = Signal(float)
    command = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = label("", "section")
        self.fields: dict[str, NumberField] = {}
        grid = self._grid()
        self.flip = QCheckBox("Flip marker")
        self.flip.toggled.connect(lambda on: self.entered.emit("flipped", on))
        self._level = QComboBox()
        for title, level in LEVELS:
            self._level.addItem(title, level)
        self._level.setToolTip(
            "Heights of the short-axis planes: Table 1 of the paper, or where sonographers cut (0.80, 0.50, 0.22 of the LV)"
        )
        self._level.activated.connect(lambda at: self.level_wanted.emit(LEVELS[at][1]))
        self._edited = QLabel()
        self._edited.setObjectName("faint")
        head = row(self._title, self._edited, 1, *(self._button(*parts) for parts in _BUTTONS), spacing=6)
        table = command_button("Table…", "The numbers of Table 1, to be changed", "edit_table", self.command)
        last = row(self.flip, 1, label("Short axis", "muted"), self._level, table, spacing=6)
        self.setLayout(column(head, grid, last, spacing=6))

    def _button(self, text: str, tip: str, name: str) -> QToolButton:
        return command_button(text, tip, name, self.command)

    def _grid(self) -> QGridLayout:
        """Return the numbers in two columns."""
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        for number, field in enumerate(PROBE_FIELDS):
            made = NumberField(f"{field.title}: {_TIPS[field.key]}", field.unit, (field.low, field.high), 1.0, 1)
            made.entered.connect(lambda value, key=field.key: self.entered.emit(key, value))
            if field.key == "depth":
                made.setSpecialValueText("auto")
            line, side = number // 2, 2 * (number % 2)
            grid.addWidget(label(field.title, "muted"), line, side)
            grid.addWidget(made, line, side + 1)
            self.fields[field.key] = made
        for side in (1, 3):
            grid.setColumnStretch(side, 1)
        return grid

    def show_workspace(self, workspace: Workspace) -> None:
        """Show the selected view's probe."""
        placement, view = workspace.scene.placement, workspace.selected
        adjustment = placement.probe(view)
        self._title.setText(f"PROBE {SHORT[view].upper()}")
        words, tip = _HOLDS[hold_of(workspace, view)]
        self._edited.setText("as in your table" if adjustment == STANDARD and placement.table != TABLE_1 else words)
        self._edited.setToolTip(tip)
        for key, field in self.fields.items():
            field.show_value(getattr(adjustment, key))
        self.flip.blockSignals(True)
        self.flip.setChecked(adjustment.flipped)
        self.flip.blockSignals(False)
        nearest = min(range(len(LEVELS)), key=lambda at: abs(LEVELS[at][1] - placement.level))
        self._level.setCurrentIndex(nearest)

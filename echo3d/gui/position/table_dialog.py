"""Table 1 of the paper as numbers that can be changed: where the six probes stand on the mean heart."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QGridLayout, QWidget

from echo3d.gui.position.fields import NumberField
from echo3d.gui.widgets import column, label, row, text_button
from echo3d.slicing.standard import TABLE_1, ViewTable

SOURCE = (
    "Table 1 of the S2MNet paper, in mm on the mean heart centred at its centroid; x to the patient's left, y to the back, z to the head. "
    "Each heart carries these points along in the frame of its own left ventricle. The paper calls the shared point of the apical views "
    "the apex; it lies outside the heart and is the probe."
)
_ROWS = (("Apical probe", "probe", "mm"), ("Short-axis line ends at", "end", "mm"), ("Share of the way: basal, mid, apical", "shares", ""))


class TableDialog(QDialog):
    """Shows a table of views; says which numbers are wished for."""

    changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Where the six views stand")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._table = TABLE_1
        self.fields: dict[tuple[str, int], NumberField] = {}
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        for at, title in enumerate(("x, left", "y, back", "z, head"), 1):
            grid.addWidget(label(title, "muted"), 0, at, Qt.AlignmentFlag.AlignRight)
        for line, (title, name, unit) in enumerate(_ROWS, 1):
            grid.addWidget(label(title, "muted"), line, 0)
            for at in range(3):
                span, step, digits = ((-300.0, 300.0), 1.0, 2) if unit else ((0.0, 1.0), 0.01, 2)
                field = NumberField(f"{title}, number {at + 1}", unit, span, step, digits)
                field.entered.connect(lambda value, name=name, at=at: self._entered(name, at, value))
                grid.addWidget(field, line, at + 1)
                self.fields[name, at] = field
        words = label(SOURCE, "faint", wrap=True)
        words.setMinimumWidth(520)
        buttons = row(
            text_button("Table 1", "The paper's numbers again", lambda: self.changed.emit(TABLE_1), kind="small"),
            1,
            text_button("Close", "", self.close, kind="small"),
        )
        self.setLayout(column(grid, words, buttons, margins=(18, 16, 18, 16), spacing=12))

    def show_table(self, table: ViewTable) -> None:
        """Show the numbers of a table."""
        self._table = table
        for (name, at), field in self.fields.items():
            field.show_value(getattr(table, name)[at])

    def _entered(self, name: str, at: int, value: float) -> None:
        numbers = {key: list(getattr(self._table, key)) for key in ("probe", "end", "shares")}
        numbers[name][at] = value
        self.changed.emit(ViewTable(*(tuple(numbers[key]) for key in ("probe", "end", "shares"))))

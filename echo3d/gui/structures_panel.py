"""The list of structures: what is drawn in the heart and on the pictures."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QTreeWidget, QTreeWidgetItem, QWidget

from echo3d.core.structures import BLOOD, VALVES, Structure, colour

GROUPS: tuple[tuple[str, tuple[Structure, ...]], ...] = (
    ("Walls", (Structure.LV_MYOCARDIUM, Structure.RV_MYOCARDIUM, Structure.LA_WALL, Structure.RA_WALL)),
    ("Great arteries", (Structure.AORTA, Structure.PULMONARY_ARTERY)),
    ("Valves", VALVES),
    ("Veins and appendage", tuple(s for s in Structure if Structure.LA_APPENDAGE <= s <= Structure.INFERIOR_VENA_CAVA_BORDER)),
    ("Blood", BLOOD),
)


class StructuresPanel(QTreeWidget):
    """A tree of tick boxes, one per structure."""

    toggled = Signal(object, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setHeaderHidden(True)
        self.setIndentation(14)
        self.setFixedWidth(214)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._items: dict[Structure, QTreeWidgetItem] = {}
        for title, structures in GROUPS:
            group = QTreeWidgetItem(self, [title])
            group.setFlags(group.flags() | Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsAutoTristate)
            for structure in structures:
                self._items[structure] = structure_item(group, structure)
            group.setExpanded(title != "Veins and appendage")
        self.itemChanged.connect(self._changed)

    def show_hidden(self, hidden: frozenset[Structure]) -> None:
        """Show which structures are drawn."""
        self.blockSignals(True)
        for structure, item in self._items.items():
            item.setCheckState(0, Qt.CheckState.Unchecked if structure in hidden else Qt.CheckState.Checked)
        self.blockSignals(False)

    def _changed(self, item: QTreeWidgetItem, column: int) -> None:
        value = item.data(0, Qt.ItemDataRole.UserRole)
        if value is not None:
            self.toggled.emit(frozenset({Structure(value)}), item.checkState(0) == Qt.CheckState.Checked)


def structure_item(group: QTreeWidgetItem, structure: Structure) -> QTreeWidgetItem:
    """Return the line of one structure with a spot of its colour."""
    item = QTreeWidgetItem(group, [structure.title])
    item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
    item.setData(0, Qt.ItemDataRole.UserRole, int(structure))
    item.setIcon(0, _spot(QColor(*colour(structure))))
    return item


def _spot(tint: QColor) -> QIcon:
    picture = QPixmap(24, 24)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(tint)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawEllipse(3, 3, 18, 18)
    painter.end()
    return QIcon(picture)

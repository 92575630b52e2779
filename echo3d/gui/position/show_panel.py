"""What is drawn in the scene: structures of the heart with colour, tick and opacity, parts of the body, fans."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QSlider, QTreeWidget, QTreeWidgetItem, QWidget

from echo3d.core.body import BONES, LUNGS, BodyPart
from echo3d.core.structures import Structure
from echo3d.gui.structures_panel import GROUPS, structure_item
from echo3d.gui.widgets import column, label, row, section
from echo3d.positioning.state import Workspace

_BODY = (
    ("Skin", frozenset({BodyPart.SKIN})),
    ("Ribs, sternum, collar bones", frozenset(set(BONES) - {BodyPart.SPINE})),
    ("Spine", frozenset({BodyPart.SPINE})),
    ("Lungs", frozenset(LUNGS)),
)


class ShowPanel(QWidget):
    """Shows what is drawn; says what is wished for."""

    toggled = Signal(object, bool)
    opacity_wanted = Signal(object, float)
    part_toggled = Signal(object, bool)
    skin_wanted = Signal(float)
    fans_toggled = Signal(bool)
    marks_toggled = Signal(bool)
    handles_toggled = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tree = QTreeWidget()
        self.tree.setHeaderHidden(True)
        self.tree.setIndentation(14)
        self.tree.setSelectionMode(QTreeWidget.SelectionMode.ExtendedSelection)
        self._items: dict[Structure, QTreeWidgetItem] = {}
        self._groups: list[tuple[QTreeWidgetItem, frozenset[Structure]]] = []
        for title, structures in GROUPS:
            group = QTreeWidgetItem(self.tree, [title])
            group.setFlags(group.flags() | Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsAutoTristate)
            for structure in structures:
                item = self._items[structure] = structure_item(group, structure)
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsSelectable)
            self._groups.append((group, frozenset(structures)))
            group.setExpanded(title not in ("Veins and appendage", "Great arteries"))
        self.tree.itemChanged.connect(self._changed)
        self.tree.itemSelectionChanged.connect(self._chosen)
        self._opacity = _slider()
        self._opacity.setToolTip("Opacity of the structures chosen in the list; of all where none is")
        self._opacity.valueChanged.connect(lambda value: self.opacity_wanted.emit(self.chosen, value / 100))
        self._skin = _slider()
        self._skin.valueChanged.connect(lambda value: self.skin_wanted.emit(value / 100))
        self._parts = {}
        for title, parts in _BODY:
            box = QCheckBox(title)
            box.toggled.connect(lambda on, parts=parts: self.part_toggled.emit(parts, on))
            self._parts[box] = parts
        self._fans, self._marks = QCheckBox("Fans and probes"), QCheckBox("Landmarks (end-diastole)")
        self._handles = QCheckBox("Handles on the heart")
        self._handles.setChecked(True)
        self._fans.toggled.connect(self.fans_toggled)
        self._marks.toggled.connect(self.marks_toggled)
        self._handles.toggled.connect(self.handles_toggled)
        self._workspace = Workspace()
        self.setLayout(self._layout())

    def _layout(self):  # type: ignore[no-untyped-def]
        opacity = row(label("Opacity", "muted"), self._opacity)
        skin = row(label("Skin", "muted"), self._skin)
        layout = column(
            label("HEART", "section"),
            self.tree,
            opacity,
            section("BODY", above=8),
            *self._parts,
            skin,
            section("SCENE", above=8),
            self._fans,
            self._marks,
            self._handles,
            spacing=6,
        )
        layout.setStretch(1, 1)
        return layout

    @property
    def chosen(self) -> frozenset[Structure]:
        """The structures chosen in the list, all where none is."""
        found: set[Structure] = set()
        for item in self.tree.selectedItems():
            value = item.data(0, Qt.ItemDataRole.UserRole)
            found |= {Structure(value)} if value is not None else next(s for group, s in self._groups if group is item)
        return frozenset(found or self._items)

    def show_workspace(self, workspace: Workspace) -> None:
        """Show what is drawn."""
        self._workspace = workspace
        heart = workspace.scene.heart
        there = set(heart.structures) if heart is not None else set()
        for widget in (self.tree, self._fans, self._marks, self._skin, *self._parts):
            widget.blockSignals(True)
        for structure, item in self._items.items():
            item.setCheckState(0, Qt.CheckState.Unchecked if structure in workspace.hidden else Qt.CheckState.Checked)
            item.setHidden(structure not in there)
        for box, parts in self._parts.items():
            box.setChecked(bool(parts & workspace.parts))
            box.setEnabled(workspace.scene.body is not None)
        self._fans.setChecked(workspace.fans)
        self._marks.setChecked(workspace.marks)
        self._skin.setValue(round(100 * workspace.skin))
        for widget in (self.tree, self._fans, self._marks, self._skin, *self._parts):
            widget.blockSignals(False)
        self._chosen()

    def _chosen(self) -> None:
        """Show the opacity of what is chosen."""
        values = {self._workspace.opacities.get(structure, 1.0) for structure in self.chosen}
        self._opacity.blockSignals(True)
        self._opacity.setValue(round(100 * max(values, default=1.0)))
        self._opacity.blockSignals(False)

    def _changed(self, item: QTreeWidgetItem, column_: int) -> None:
        value = item.data(0, Qt.ItemDataRole.UserRole)
        if value is not None:
            self.toggled.emit(frozenset({Structure(value)}), item.checkState(0) == Qt.CheckState.Checked)


def _slider() -> QSlider:
    made = QSlider(Qt.Orientation.Horizontal)
    made.setRange(0, 100)
    return made

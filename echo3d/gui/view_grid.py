"""The six view panels in two rows; one of them can fill the place of all."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QPoint, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from echo3d.core.views import View
from echo3d.gui.view_panel import PanelState, ViewPanel

COLUMNS = 3


class ViewGrid(QWidget):
    """Holds a panel per view: apical views above, short axes below."""

    selected = Signal(object)
    menu_wanted = Signal(object, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        self.panels = {view: ViewPanel(view, self) for view in View}
        self._alone: View | None = None
        for view, panel in self.panels.items():
            layout.addWidget(panel, view // COLUMNS, view % COLUMNS)
            panel.selected.connect(self.selected)
            panel.enlarged.connect(self._enlarge)
            panel.menu_wanted.connect(self.menu_wanted)
        for column in range(COLUMNS):
            layout.setColumnStretch(column, 1)
        for row in range(2):
            layout.setRowStretch(row, 1)

    def show_states(self, states: Mapping[View, PanelState]) -> None:
        """Show the given states; panels of other views stay as they are."""
        for view, state in states.items():
            self.panels[view].show_state(state)

    def view_under(self, point: QPoint) -> View | None:
        """Return the view of the panel under a point of this widget."""
        for view, panel in self.panels.items():
            if panel.isVisible() and panel.geometry().contains(point):
                return view
        return None

    def _enlarge(self, view: View) -> None:
        """Show one panel alone, or all again."""
        self._alone = None if self._alone is view else view
        layout = self.layout()
        for other, panel in self.panels.items():
            panel.setVisible(self._alone in (None, other))
        if isinstance(layout, QGridLayout):
            for column in range(COLUMNS):
                layout.setColumnStretch(column, 1 if self._alone is None or column == view % COLUMNS else 0)
            for row in range(2):
                layout.setRowStretch(row, 1 if self._alone is None or row == view // COLUMNS else 0)

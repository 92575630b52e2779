"""The right of the workspace: what the pictures show, the six of them, and the selected probe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from numpy.typing import NDArray
from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QToolButton, QWidget

from echo3d.core.views import View
from echo3d.gui.position.preview_panel import PreviewPanel, PreviewState
from echo3d.gui.position.probe_panel import ProbePanel
from echo3d.gui.widgets import card, column, label, row, text_button
from echo3d.positioning.previews import Preview
from echo3d.positioning.state import Picture, Workspace

_TIPS = {
    Picture.LABELS: "The structures in colours",
    Picture.BINARY: "Tissue white, all else black: the paper's slice",
    Picture.PSEUDO: "The paper's pseudo image: noise, blur and grey levels of an echo",
    Picture.ECHO: "Speckle, beam and shadows of ribs and lung, by the convolution model",
    Picture.CYCLEGAN: "The pseudo image as a network trained on echo pictures would show it: the paper's style transfer",
}


class PreviewsSide(QWidget):
    """Shows the six pictures; says what is wished for."""

    selected = Signal(object)
    enlarged = Signal(object)
    pointed = Signal(object, object)
    picture_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.panels = {view: PreviewPanel(view) for view in View}
        self.probe = ProbePanel()
        self._choices = {picture: self._choice(picture) for picture in Picture}
        self._grid = QGridLayout()
        self._grid.setSpacing(6)
        self._across = 0
        self._arrange(2)
        for panel in self.panels.values():
            panel.selected.connect(self.selected)
            panel.enlarged.connect(self.enlarged)
            panel.pointed.connect(self.pointed)
        head = row(label("SIX VIEWS", "section"), 1, *self._choices.values(), margins=(4, 0, 0, 0), spacing=4)
        layout = column(head, self._grid, card(column(self.probe, margins=(10, 8, 10, 8))), spacing=8)
        layout.setStretch(1, 1)
        self.setLayout(layout)

    def _arrange(self, across: int) -> None:
        """Put so many pictures side by side."""
        if across != self._across:
            self._across = across
            for number, panel in enumerate(self.panels.values()):
                self._grid.addWidget(panel, number // across, number % across)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put three pictures side by side where three below each other would be too flat."""
        super().resizeEvent(event)
        room = self._grid.geometry()
        self._arrange(3 if room.width() > room.height() else 2)

    def _choice(self, picture: Picture) -> QToolButton:
        made = text_button(picture.value, _TIPS[picture], lambda: self.picture_wanted.emit(picture))
        made.setCheckable(True)
        return made

    def show_workspace(self, workspace: Workspace) -> None:
        """Show what is chosen, and how the selected probe is held."""
        for picture, choice in self._choices.items():
            choice.setChecked(picture is workspace.picture)
        for view, panel in self.panels.items():
            panel.setVisible(not workspace.enlarged or view is workspace.selected)
            if panel.state.selected is not (view is workspace.selected):
                panel.show_state(replace(panel.state, selected=view is workspace.selected))
        self.probe.show_workspace(workspace)

    def show_previews(self, previews: Mapping[View, Preview], *, settled: bool) -> None:
        """Show new pictures; a draft keeps the acoustic window of the last full one."""
        for view, panel in self.panels.items():
            panel.show_state(replace(panel.state, preview=previews.get(view), settled=settled))

    def show_spot(self, point: NDArray | None) -> None:
        """Show a point of the scene on the pictures whose plane holds it."""
        for panel in self.panels.values():
            if panel.state.spot is not point:
                panel.show_state(PreviewState(panel.state.preview, panel.state.selected, panel.state.settled, point))

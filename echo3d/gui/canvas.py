"""The one OpenGL surface of the window, shared by the workspaces: each has a renderer of its own, and one of them is drawn."""

from __future__ import annotations

from typing import Any

import pyvista as pv
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QLayout, QWidget

from echo3d.gui import theme
from echo3d.gui.graphics import graphics, is_software
from echo3d.gui.pacing import Pacer
from echo3d.gui.surface import Picture, Plotter

PATIENT, POSITION, TRAINING = 0, 1, 2
"""Numbers of the workspaces; the first two have a renderer of that number, the third has none."""
_LIGHTS = (((0.5, 0.7, 1.2), 0.78, "#fff6ea"), ((-1.1, 0.1, 0.8), 0.34, "#dce9ff"), ((0.2, -1.0, -0.4), 0.28, "#ffffff"))
"""Key, fill and rim light: where from (camera axes), how strong, which colour."""


class Canvas:
    """Holds the OpenGL surface and one renderer per workspace, of which one is drawn.

    Parameters
    ----------
    parent : the widget that it stands in first
    software : whether the processor draws; None finds out

    Attributes
    ----------
    plotter : pyvista's, with the renderers and the mouse's events
    surface : the widget that is seen, which is the plotter where a graphics card draws
    pacer : when it is drawn
    """

    def __init__(self, parent: QWidget, *, software: bool | None = None) -> None:
        self.graphics = graphics()
        self.renderer_name = self.graphics.renderer
        self.software = is_software(self.renderer_name) if software is None else software
        self.plotter = Plotter(None if self.software else parent, samples=0 if self.software else 4)
        self.picture = Picture(self.plotter, parent) if self.software else None
        self.surface: QWidget = self.picture or self.plotter
        self.pacer = Pacer(self._draw, lightens=self.software, parent=parent)
        self.plotter.moved.connect(self.pacer.move)
        self.plotter.held.connect(self.pacer.hold)
        if self.picture is not None:
            self.picture.resized.connect(self.pacer.ask)
        else:
            self.plotter.frameSwapped.connect(self.pacer.finished)
        self.plotter.setAcceptDrops(False)
        self.plotter.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.plotter.iren.clear_key_event_callbacks()
        self.tint()
        self.active = PATIENT
        self._hosts: dict[int, QLayout] = {}
        for number in (PATIENT, POSITION):
            self._light(number)
        self.use(PATIENT)

    def tint(self) -> None:
        """Give both renderers the ground and the axes' letters the colour of the theme that is shown."""
        letters = pv.Color(theme.MUTED).float_rgb
        for number in (PATIENT, POSITION):
            renderer = self.renderer(number)
            renderer.set_background(theme.SCENE_LOW, top=theme.SCENE_HIGH)
            if renderer.axes_enabled:
                for axis in "XYZ":
                    caption = getattr(renderer.axes_actor, f"Get{axis}AxisCaptionActor2D")()
                    caption.GetCaptionTextProperty().SetColor(*letters)
        self.pacer.ask()

    def renderer(self, number: int) -> Any:
        """Return a workspace's renderer (``pyvista.Renderer``)."""
        return self.plotter.renderers[number]

    def _light(self, number: int) -> None:
        for position, strength, tint in _LIGHTS[: 2 if self.software else 3]:
            light = pv.Light(position=position, focal_point=(0, 0, 0), color=tint, intensity=strength, light_type="camera light")
            self.renderer(number).add_light(light)

    def host(self, number: int, layout: QLayout) -> None:
        """Remember where the surface stands while a workspace is shown."""
        self._hosts[number] = layout
        if number == self.active:
            layout.addWidget(self.surface)

    def use(self, number: int) -> None:
        """Draw one workspace's renderer, where that workspace has its place for it."""
        self.active = number
        if number not in (PATIENT, POSITION):
            return
        for other in (PATIENT, POSITION):
            renderer = self.renderer(other)
            renderer.SetDraw(other == number)
            renderer.SetViewport(*((0, 0, 1, 1) if other == number else (0, 0, 0, 0)))  # pyvista's mouse turns what lies under it
            renderer.SetInteractive(other == number)
            if renderer.axes_enabled:
                renderer.axes_widget.SetEnabled(other == number)
        self.plotter.subplot(0, number)
        if number in self._hosts:
            self._hosts[number].addWidget(self.surface)
        self.pacer.ask()

    def update(self, number: int, *, moving: bool = False, behind: bool = False) -> None:
        """Have the surface drawn soon, if it shows that workspace; lightly for a while where the scene moves."""
        if number == self.active:
            (self.pacer.move if moving else self.pacer.ask)(behind=behind)

    def _draw(self) -> None:
        if self.picture is None:
            self.plotter.update()
            return
        if self.picture.isVisible():
            self.picture.show_image(self.plotter.pixels(self.picture.size(), self.pacer.grain.share if self.pacer.light else 1.0))
        self.pacer.finished()

    def image(self) -> QImage:
        """Return the scene as it is now, drawn in full."""
        self.pacer.settle()
        return self.plotter.grabFramebuffer() if self.picture is None else self.plotter.pixels(self.surface.size(), 1.0)

    def draw_now(self) -> None:
        """Show the scene as it is now, drawn in full; for a picture of the widget that is kept."""
        if self.picture is not None:
            self.picture.show_image(self.image())
            self.pacer.finished()

    def close(self) -> None:
        """Free everything of OpenGL; the last thing before the window goes."""
        self.pacer.stop()
        self.plotter.close()
        if self.picture is not None:
            self.plotter.deleteLater()

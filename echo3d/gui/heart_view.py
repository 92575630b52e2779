"""The heart in 3D: one OpenGL view per window, drawn only when something changed."""

from __future__ import annotations

import numpy as np
import pyvista as pv
from numpy.typing import NDArray
from PySide6.QtCore import QEvent
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget
from vtkmodules.vtkCommonDataModel import vtkPlane
from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

from echo3d.core.sector import Sector
from echo3d.gui import theme
from echo3d.gui.canvas import PATIENT, Canvas
from echo3d.gui.coloured import coloured_actor
from echo3d.gui.heart_frames import HeartFrames, Look
from echo3d.gui.heart_scene import fan_outline
from echo3d.session import Drawing

_OPENING = 22.0
"""Degrees of the camera's opening; small, so that the heart is hardly distorted."""


class HeartView(QWidget):
    """Shows one heart of a beat at a time."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas = Canvas(self)
        self.plotter = self.canvas.plotter
        self.renderer = self.canvas.renderer(PATIENT)
        self.renderer_name = self.canvas.renderer_name
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.canvas.host(PATIENT, layout)
        self._walls, self._cut, self._blood, self._fan = coloured_actor(), coloured_actor(flat=True), coloured_actor(), _line_actor()
        for actor in (self._blood, self._walls, self._cut, self._fan):
            self.renderer.add_actor(actor, render=False, reset_camera=False, pickable=False)
        self._blood.GetProperty().SetBackfaceCulling(True)
        self.renderer.add_axes(xlabel="L", ylabel="P", zlabel="H", line_width=3, color=theme.MUTED, viewport=(0, 0, 0.2, 0.24))
        self._frames: HeartFrames | None = None
        self._shown: tuple[int, int] | None = None
        self._playing = False
        if self.canvas.software:
            self._lighten(False)
            self.canvas.pacer.lightened.connect(self._lighten)
        self.clear()

    def clear(self) -> None:
        """Show nothing."""
        self._frames, self._shown = None, None
        for actor in (self._walls, self._cut, self._blood, self._fan):
            actor.SetVisibility(False)
        self.canvas.update(PATIENT)

    def show_frames(self, frames: HeartFrames, *, fan: Sector | None) -> None:
        """Show hearts made for a look; the first of them must be made."""
        look = frames.look
        self._frames, self._shown = frames, None
        self._clip(look)
        glass = look.drawing is Drawing.GLASS
        self._walls.GetProperty().SetOpacity(0.24 if glass else 1.0)
        self._walls.GetProperty().SetBackfaceCulling(look.drawing is not Drawing.CUT)  # the backs of closed surfaces are not seen
        self._cut.SetVisibility(look.drawing is Drawing.CUT)
        self._blood.SetVisibility(glass)
        self._walls.SetVisibility(True)
        self._fan.SetVisibility(fan is not None and look.drawing is Drawing.CUT)
        if fan is not None:
            self._fan.GetMapper().SetInputDataObject(fan_outline(fan))

    def _clip(self, look: Look) -> None:
        mapper = self._walls.GetMapper()
        mapper.RemoveAllClippingPlanes()
        if look.drawing is Drawing.CUT:
            plane = vtkPlane()
            plane.SetOrigin(*look.plane.origin)
            plane.SetNormal(*(-look.front))
            mapper.AddClippingPlane(plane)

    def show_number(self, number: int) -> None:
        """Show one heart of the beat, as soon as the machine can draw it."""
        if self._frames is None or (id(self._frames), number) == self._shown:
            return
        frame = self._frames.frame(number)
        if frame is None:
            return
        self._shown = (id(self._frames), number)
        for actor, mesh in ((self._walls, frame.walls), (self._cut, frame.cut), (self._blood, frame.blood)):
            actor.GetMapper().SetInputDataObject(mesh)
        self.canvas.update(PATIENT, moving=self._playing)

    def show_playing(self, playing: bool) -> None:
        """Take note of whether hearts follow each other; those of a running beat are drawn lightly."""
        self._playing = playing

    def _lighten(self, light: bool) -> None:
        """Smooth the edges of a picture that stands; one that moves is drawn faster without."""
        self.renderer.SetUseFXAA(not light)

    def look_along(self, look: Look, points: NDArray, up: NDArray) -> None:
        """Place the camera on the side that is cut away, a little to one side, so that depth is seen and the heart fills the view."""
        seen = points[(points - look.plane.origin) @ look.front <= 0] if look.drawing is Drawing.CUT else points
        centre = (seen.min(axis=0) + seen.max(axis=0)) / 2
        radius = 1.04 * float(np.linalg.norm(seen - centre, axis=1).max())
        across = np.cross(up, look.front)
        direction = look.front - 0.3 * across / max(float(np.linalg.norm(across)), 1e-6) + 0.12 * up
        camera = self.renderer.camera
        camera.focal_point = tuple(centre)
        camera.position = tuple(centre + radius / np.sin(np.radians(_OPENING / 2)) * direction / np.linalg.norm(direction))
        camera.up = tuple(up)
        camera.view_angle = _OPENING
        reach = 2 * radius
        low, high = centre - reach, centre + reach
        self.renderer.ResetCameraClippingRange(low[0], high[0], low[1], high[1], low[2], high[2])
        self.canvas.update(PATIENT)

    def changeEvent(self, event: QEvent) -> None:
        """Give the scene the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and hasattr(self, "_fan"):
            self.canvas.tint()
            self._fan.GetProperty().SetColor(*pv.Color(theme.ACCENT).float_rgb)

    def look_from(self, focus: NDArray, position: NDArray, up: NDArray) -> None:
        """Look at a point (3,) from another."""
        camera = self.renderer.camera
        camera.focal_point, camera.position, camera.up = tuple(focus), tuple(position), tuple(up)
        self.renderer.ResetCameraClippingRange()
        self.canvas.update(PATIENT)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the heart whole in a narrow view."""
        super().resizeEvent(event)
        self.renderer.camera.SetUseHorizontalViewAngle(self.width() < self.height())

    def picture(self, *, scale: int = 2) -> NDArray[np.uint8]:
        """Return what is shown as (H, W, 4) uint8 on a transparent ground."""
        return np.asarray(self.plotter.screenshot(None, transparent_background=True, return_img=True, scale=scale))

    def close_view(self) -> None:
        """Free everything of OpenGL; the last thing before the window goes."""
        self._frames = None
        self.canvas.close()


def _line_actor() -> vtkActor:
    """Return an actor for the outline of the fan."""
    mapper = vtkPolyDataMapper()
    mapper.SetInputDataObject(pv.PolyData())
    mapper.ScalarVisibilityOff()
    actor = vtkActor()
    actor.SetMapper(mapper)
    actor.GetProperty().SetColor(*pv.Color(theme.ACCENT).float_rgb)
    actor.GetProperty().SetOpacity(0.5)
    actor.GetProperty().SetLineWidth(1.6)
    actor.GetProperty().LightingOff()
    return actor

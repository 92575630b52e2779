"""Where both scenes are looked at from, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from echo3d.saved.content import CameraView

if TYPE_CHECKING:
    from echo3d.gui.heart_view import HeartView
    from echo3d.gui.position.viewport import Viewport
    from echo3d.gui.window import MainWindow


def cameras_of(window: MainWindow) -> dict[str, CameraView]:
    """Return the cameras of the scenes that show something."""
    found = {}
    if window.session.result is not None:
        found["patient"] = _patient(window.page.heart.heart)
    if window.position.workspace.scene.heart is not None:
        found["position"] = _position(window.position.stage.viewport)
    return found


def _patient(view: HeartView) -> CameraView:
    camera = view.renderer.camera
    focus = np.array(camera.GetFocalPoint())
    away = np.array(camera.GetPosition()) - focus
    distance = max(float(np.linalg.norm(away)), 1.0)
    return _view(focus, away / distance, np.array(camera.GetViewUp()), distance)


def _position(view: Viewport) -> CameraView:
    camera = view.scene.camera()
    return _view(camera.focus, camera.towards, camera.up, camera.mm_per_pixel * camera.height / 2)


def _view(focus: np.ndarray, towards: np.ndarray, up: np.ndarray, size: float) -> CameraView:
    one, two, three = (tuple(float(value) for value in vector) for vector in (focus, towards, up))
    return CameraView.model_validate({"focus": one, "towards": two, "up": three, "size": float(size)})


def look_position(view: Viewport, camera: CameraView) -> None:
    """Look at the positioning workspace as a session says."""
    view.look(np.array(camera.focus), np.array(camera.towards), np.array(camera.up), camera.size, smooth=False)


def look_patient(view: HeartView, camera: CameraView) -> None:
    """Look at the patient's heart as a session says."""
    focus = np.array(camera.focus)
    view.look_from(focus, focus + camera.size * np.array(camera.towards), np.array(camera.up))

"""The scene with its handles: the mouse takes hold of a handle where there is one, else it turns the camera."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEasingCurve, QEvent, QObject, QPointF, Qt, QTimer, QVariantAnimation, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget

from echo3d.core.pose import Pose
from echo3d.core.structures import Structure
from echo3d.gui.canvas import POSITION, Canvas
from echo3d.gui.position.overlay import Overlay
from echo3d.gui.position.scene import PositionScene
from echo3d.positioning.handles import Grip, Handle, dragged, under
from echo3d.positioning.picking import Hit, first_hit
from echo3d.positioning.poses import FIELDS, differences

_TURN_MS = 260
_HOVER_MS = 40


class Viewport(QWidget):
    """Holds the scene; says what the hand does to the heart.

    Parameters
    ----------
    canvas : the OpenGL surface
    """

    dragging = Signal(object)
    dropped = Signal(object, object)
    pointed = Signal(object)

    def __init__(self, canvas: Canvas, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas = canvas
        self.scene = PositionScene(canvas)
        host = QWidget()
        self._place = QVBoxLayout(host)
        self._place.setContentsMargins(0, 0, 0, 0)
        self.overlay = Overlay(self)
        layout = QStackedLayout(self)
        layout.setStackingMode(QStackedLayout.StackingMode.StackAll)
        layout.addWidget(host)
        layout.addWidget(self.overlay)
        layout.setCurrentWidget(self.overlay)
        canvas.host(POSITION, self._place)
        canvas.plotter.installEventFilter(self)
        canvas.plotter.setMouseTracking(True)
        canvas.pacer.drawn.connect(self._drawn)
        self._grip: Grip | None = None
        self._pose: Pose | None = None
        self._pivot: NDArray[np.float64] | None = None
        self._turning: QVariantAnimation | None = None
        self._hover = QTimer(self)
        self._hover.setSingleShot(True)
        self._hover.setInterval(_HOVER_MS)
        self._hover.timeout.connect(self._point)
        self._pointer = QPointF()

    # -- what is shown ----------------------------------------------------------------------------------------------------------------

    def show_pose(self, pose: Pose | None, pivot: NDArray | None) -> None:
        """Stand the handles where the heart is."""
        self._pose = pose
        self._pivot = pivot
        centre = None if pose is None or pivot is None else pivot + pose.translation
        self.overlay.show_state(replace(self.overlay.state, centre=centre))

    def say(self, *, warning: str | None = None, doing: str | None = None, pointed: str | None = None) -> None:
        """Show words over the scene; what is not given stays."""
        given = {"warning": warning, "doing": doing, "pointed": pointed}
        kept = {name: text for name, text in given.items() if text is not None}
        if any(getattr(self.overlay.state, name) != text for name, text in kept.items()):
            self.overlay.show_state(replace(self.overlay.state, **kept))  # type: ignore[arg-type]

    def show_handles(self, shown: bool) -> None:
        """Show or hide the handles."""
        self.overlay.show_state(replace(self.overlay.state, handles=shown))

    def refresh(self, *, moving: bool = False, behind: bool = False) -> None:
        """Have the scene drawn soon; lightly for a while where something moves."""
        self.scene.refresh(moving=moving, behind=behind)

    def _drawn(self) -> None:
        """Paint the overlay for the camera that the scene was drawn with."""
        if self.canvas.active != POSITION:
            return
        camera = self.scene.camera()
        old = self.overlay.state.camera
        if old is None or not _same(old, camera):
            self.overlay.show_state(replace(self.overlay.state, camera=camera))

    def changeEvent(self, event: QEvent) -> None:
        """Give the scene the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and hasattr(self, "scene"):
            self.scene.tint()

    # -- the mouse --------------------------------------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the mouse where it holds a handle; leave it to the camera elsewhere."""
        if self.canvas.active != POSITION or not isinstance(event, QMouseEvent):
            if event.type() == QEvent.Type.Leave:
                self.pointed.emit(None)
            return False
        kind, at = event.type(), event.position()
        if kind == QEvent.Type.MouseButtonPress and event.button() == Qt.MouseButton.LeftButton:
            return self._take(at)
        if kind == QEvent.Type.MouseMove:
            return self._move(at, event)
        if kind == QEvent.Type.MouseButtonRelease and self._grip is not None and event.button() == Qt.MouseButton.LeftButton:
            return self._let_go()
        return False

    def _handle_at(self, at: QPointF) -> Handle | None:
        state = self.overlay.state
        if state.centre is None or not state.handles:
            return None
        return under(self.scene.camera(), state.centre, at.x(), at.y())

    def _take(self, at: QPointF) -> bool:
        handle, state = self._handle_at(at), self.overlay.state
        if handle is None or self._pose is None or state.centre is None:
            return False
        self._grip = Grip(handle, self.scene.camera(), self._pose, state.centre, np.array([at.x(), at.y()]))
        self.overlay.show_state(replace(state, held=handle))
        self.canvas.pacer.hold(True)
        return True

    def _move(self, at: QPointF, event: QMouseEvent) -> bool:
        if self._grip is not None:
            snap = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            pose = dragged(self._grip, at.x(), at.y(), snap=snap)
            self.overlay.show_state(replace(self.overlay.state, reading=reading(self._grip, pose)))
            self.dragging.emit(pose)
            return True
        if not event.buttons():
            held = self._handle_at(at)
            if held is not self.overlay.state.held:
                self.overlay.show_state(replace(self.overlay.state, held=held))
            self._pointer = at
            if not self._hover.isActive():
                self._hover.start()
        return False

    def _let_go(self) -> bool:
        grip, self._grip = self._grip, None
        self.canvas.pacer.hold(False)
        self.overlay.show_state(replace(self.overlay.state, held=None, reading=""))
        if grip is not None and self._pose is not None:
            self.dropped.emit(grip.pose, self._pose)
        return True

    @property
    def holding(self) -> bool:
        """Whether a handle is being dragged."""
        return self._grip is not None

    def cancel(self) -> Pose | None:
        """Let go of a handle and return the pose from before, None where none is held."""
        grip, self._grip = self._grip, None
        self.canvas.pacer.hold(False)
        self.overlay.show_state(replace(self.overlay.state, held=None, reading=""))
        self.refresh()
        return None if grip is None else grip.pose

    def _point(self) -> None:
        """Find the part of the heart under the pointer."""
        if self._pose is None or self._pivot is None or self._grip is not None or self.overlay.state.held is not None:
            self.pointed.emit(None)
            return
        self.pointed.emit(self.hit(self._pointer.x(), self._pointer.y()))

    def hit(self, x: float, y: float) -> Hit | None:
        """Return the point of the drawn heart under a pixel, or None."""
        if self._pose is None or self._pivot is None:
            return None
        return first_hit(self.scene.camera(), self.scene.drawn, (self._pose, self._pivot), (x, y), self.scene.cut_plane)

    # -- the camera -------------------------------------------------------------------------------------------------------------------

    def look(self, focus: NDArray, towards: NDArray, up: NDArray, half_height: float, *, smooth: bool = True) -> None:
        """Turn the camera to a side, in a quarter of a second."""
        self.stop_turning()
        if not smooth or not self.isVisible():
            self.scene.look(focus, towards, up, half_height)
            return
        now = self.scene.camera()
        start = (now.focus, now.towards, now.up, now.mm_per_pixel * now.height / 2)
        goal = (focus, towards, up, half_height)
        turning = self._turning = QVariantAnimation(self)
        turning.setDuration(_TURN_MS)
        turning.setStartValue(0.0)
        turning.setEndValue(1.0)
        turning.setEasingCurve(QEasingCurve.Type.InOutCubic)
        turning.valueChanged.connect(lambda share: self.scene.look(*_between(start, goal, float(share)), moving=True))
        turning.start()

    def stop_turning(self) -> None:
        """Leave the camera where it is."""
        if self._turning is not None:
            self._turning.stop()
            self._turning.deleteLater()
            self._turning = None

    def close_view(self) -> None:
        """End timers and let the mouse go; before the OpenGL surface is closed."""
        self.stop_turning()
        self._hover.stop()
        self.canvas.plotter.removeEventFilter(self)


def reading(grip: Grip, pose: Pose) -> str:
    """Return what a drag has done so far, such as "Δx +12.0 mm"."""
    ways = differences(pose, grip.pose)
    if grip.handle.kind == "size":
        return f"s × {ways[6]:.3f}"
    if grip.handle.kind == "turn":
        axis = "xyz"[grip.handle.value[1]]
        matrix = pose.matrix @ grip.pose.matrix.T
        one, two = np.roll(np.eye(3)[grip.handle.value[1]], 1), np.roll(np.eye(3)[grip.handle.value[1]], 2)
        return f"about {axis} {np.degrees(np.arctan2(two @ matrix @ one, one @ matrix @ one)):+.1f}°"
    said = [f"{field.symbol} {way:+.1f}" for field, way in zip(FIELDS[:3], ways[:3], strict=True) if abs(way) > 0.05]
    return ("  ".join(said) or "0.0") + " mm"


def structure_name(value: int) -> str:
    """Return the name of a structure, or an empty one."""
    return Structure(value).title if value and value in set(Structure) else ""


def _same(one: object, other: object) -> bool:
    fields = ("focus", "right", "up", "mm_per_pixel", "width", "height")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in fields)


def _between(start: tuple, goal: tuple, share: float) -> tuple[NDArray, NDArray, NDArray, float]:
    """Return the camera at a share of the way; the direction goes along the sphere."""
    focus = (1 - share) * start[0] + share * goal[0]
    towards = _arc(start[1], goal[1], goal[2], share)
    up = (1 - share) * start[2] + share * goal[2]
    up = up - (up @ towards) * towards
    if np.linalg.norm(up) < 1e-3:
        up = goal[2] - (goal[2] @ towards) * towards
    length = float(np.linalg.norm(up))
    up = up / length if length > 1e-6 else goal[2]
    return focus, towards, up, float((1 - share) * start[3] + share * goal[3])


def _arc(one: NDArray, two: NDArray, across: NDArray, share: float) -> NDArray[np.float64]:
    angle = float(np.arccos(np.clip(one @ two, -1, 1)))
    if angle < 1e-6:
        return np.asarray(two, float)
    side = two - (two @ one) * one
    length = float(np.linalg.norm(side))
    side = side / length if length > 1e-6 else across
    return np.cos(share * angle) * one + np.sin(share * angle) * side

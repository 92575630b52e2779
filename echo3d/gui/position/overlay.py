"""What is painted over the scene: handles, letters of the patient's sides, scale bar, warnings; painted by hand, clear to the mouse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QWidget

from echo3d.gui import theme
from echo3d.positioning.handles import RING, Camera, Handle, lines

_LETTERS = (("L", "R"), ("P", "A"), ("H", "F"))
"""The patient's sides towards plus and minus of x, y and z."""
_BARS = (1, 2, 5, 10, 20, 50, 100, 200, 500)


@dataclass(frozen=True, slots=True, eq=False)
class OverlayState:
    """What the overlay shows.

    Parameters
    ----------
    camera : how the scene is seen, None before it is
    centre : (3,) mm of the heart, None where there is none
    held : the handle under the pointer or in the hand, or None
    handles : whether they are shown
    reading : what the hand has done so far, beside the handles
    warning : a sentence, or empty
    doing : what is being made, or empty
    pointed : name of the structure under the pointer, or empty
    """

    camera: Camera | None = None
    centre: NDArray[np.float64] | None = None
    held: Handle | None = None
    handles: bool = True
    reading: str = ""
    warning: str = ""
    doing: str = ""
    pointed: str = ""


class Overlay(QWidget):
    """Paints over the scene."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.state = OverlayState()
        self._marks = QPixmap()
        self._marks_of: tuple[object, ...] = ()
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)

    def show_state(self, state: OverlayState) -> None:
        """Show another state."""
        self.state = state
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint everything."""
        state = self.state
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if state.camera is not None:
            painter.drawPixmap(0, 0, self._kept(state.camera))
            if state.centre is not None and state.handles:
                self._paint_handles(painter, state.camera, state.centre)
        self._paint_words(painter)
        painter.end()

    def _kept(self, camera: Camera) -> QPixmap:
        """Return letters, axes and bar as a picture, which stays as it is while the camera rests and a hand moves the heart."""
        of = (self.size(), self.devicePixelRatioF(), theme.tokens(), camera.right.tobytes(), camera.up.tobytes(), camera.mm_per_pixel)
        if of != self._marks_of:
            ratio = self.devicePixelRatioF()
            self._marks, self._marks_of = QPixmap(self.size() * ratio), of
            self._marks.setDevicePixelRatio(ratio)
            self._marks.fill(Qt.GlobalColor.transparent)
            painter = QPainter(self._marks)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for paint in (self._paint_edges, self._paint_marker, self._paint_bar):
                paint(painter, camera)
            painter.end()
        return self._marks

    def _paint_handles(self, painter: QPainter, camera: Camera, centre: NDArray) -> None:
        found = lines(camera, centre)
        for handle in (Handle.TURN_X, Handle.TURN_Y, Handle.TURN_Z):
            self._paint_ring(painter, camera, handle, found[handle], centre)
        for handle in (Handle.MOVE_X, Handle.MOVE_Y, Handle.MOVE_Z):
            self._paint_arrow(painter, camera.pixels(found[handle]), self._tint(handle), thick=self.state.held is handle)
        at = camera.pixels(found[Handle.SIZE])[0]
        middle = camera.pixels(centre)
        painter.setPen(QPen(_clear(theme.TEXT, 60), 1, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(*middle), QPointF(*at))
        painter.setPen(QPen(QColor(theme.BASE), 1))
        painter.setBrush(self._tint(Handle.SIZE))
        painter.drawRect(QRectF(at[0] - 6, at[1] - 6, 12, 12))
        painter.setBrush(self._tint(Handle.MOVE))
        painter.drawEllipse(QPointF(*middle), 7, 7)
        if self.state.reading:
            self._paint_chip(painter, QPointF(middle[0] + 18, middle[1] + 104), self.state.reading, QColor(theme.TEXT))

    def _tint(self, handle: Handle) -> QColor:
        if self.state.held is handle:
            return QColor(theme.HELD)
        return _clear(theme.TEXT if handle.kind in ("free", "size") else _axis(handle.value[1]), 225)

    def _paint_ring(self, painter: QPainter, camera: Camera, handle: Handle, line: NDArray, centre: NDArray) -> None:
        near = (line - centre) @ camera.towards > -0.02 * RING * camera.mm_per_pixel
        pixels = camera.pixels(line)
        tint = self._tint(handle)
        faint = QColor(tint)
        faint.setAlpha(55)
        width = 4.0 if self.state.held is handle else 2.4
        for part, pen in ((~near, QPen(faint, 1.4)), (near, QPen(tint, width))):
            painter.setPen(pen)
            for run in _runs(part):
                painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in pixels[run].tolist()]))

    def _paint_arrow(self, painter: QPainter, ends: NDArray, tint: QColor, *, thick: bool) -> None:
        way = ends[1] - ends[0]
        length = float(np.linalg.norm(way))
        if length < 14:
            return
        along = way / length
        across = np.array([-along[1], along[0]])
        neck = ends[1] - 12 * along
        painter.setPen(QPen(tint, 4.4 if thick else 3.0, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
        painter.drawLine(QPointF(*ends[0]), QPointF(*neck))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tint)
        painter.drawPolygon(QPolygonF([QPointF(*ends[1]), QPointF(*(neck + 6 * across)), QPointF(*(neck - 6 * across))]))

    def _paint_edges(self, painter: QPainter, camera: Camera) -> None:
        """Paint the letter of the patient's side at each edge."""
        painter.setFont(theme.sized(13, bold=True))
        painter.setPen(QColor(theme.MUTED))
        width, height = self.width(), self.height()
        places: list[tuple[NDArray, float, float]] = [
            (camera.right, width - 26, height / 2 - 10),
            (-camera.right, 6, height / 2 - 10),
            (camera.up, width / 2 - 10, 6),
            (-camera.up, width / 2 - 10, height - 26),
        ]
        for direction, x, y in places:
            axis = int(np.argmax(np.abs(direction)))
            letter = _LETTERS[axis][0 if direction[axis] > 0 else 1]
            painter.drawText(QRectF(x, y, 20, 20), Qt.AlignmentFlag.AlignCenter, letter)

    def _paint_marker(self, painter: QPainter, camera: Camera) -> None:
        """Paint the three axes of the patient with letters at both ends, those behind first."""
        middle = np.array([58.0, self.height() - 58.0])
        turned = np.stack([camera.right, -camera.up, camera.towards]) @ np.eye(3)
        arms = sorted(((sign * turned[2, k], k, sign) for k in range(3) for sign in (1, -1)), key=lambda arm: arm[0])
        painter.setFont(theme.sized(11, bold=True))
        for depth, axis, sign in arms:
            tip = middle + 34 * sign * turned[:2, axis]
            tint = _clear(_axis(axis), 255 if depth > -0.2 else 110)
            painter.setPen(QPen(tint, 2.4 if sign > 0 else 1.0))
            painter.drawLine(QPointF(*middle), QPointF(*tip))
            at = middle + 45 * sign * turned[:2, axis]
            if abs(depth) < 0.93:
                painter.drawText(QRectF(at[0] - 9, at[1] - 9, 18, 18), Qt.AlignmentFlag.AlignCenter, _LETTERS[axis][0 if sign > 0 else 1])

    def _paint_bar(self, painter: QPainter, camera: Camera) -> None:
        """Paint a bar of a round length; the camera is parallel, so that it holds at every depth."""
        length = next((mm for mm in _BARS if mm / camera.mm_per_pixel > 70), _BARS[-1])
        wide = length / camera.mm_per_pixel
        right, y = self.width() - 18.0, self.height() - 22.0
        painter.setPen(QPen(QColor(theme.TEXT), 1.6))
        for one, two in (((right - wide, y), (right, y)), ((right - wide, y - 4), (right - wide, y + 4)), ((right, y - 4), (right, y + 4))):
            painter.drawLine(QPointF(*one), QPointF(*two))
        painter.setFont(theme.sized(11))
        text = f"{length} mm" if length < 10 else f"{length // 10} cm"
        painter.drawText(QRectF(right - wide, y - 22, wide, 16), Qt.AlignmentFlag.AlignCenter, text)

    def _paint_words(self, painter: QPainter) -> None:
        y = 10.0
        for text, tint in ((self.state.warning, QColor(theme.WARN)), (self.state.doing, QColor(theme.MUTED))):
            if text:
                self._paint_chip(painter, QPointF(10, y), text, tint)
                y += 28
        if self.state.pointed:
            self._paint_chip(painter, QPointF(118, self.height() - 32.0), self.state.pointed, QColor(theme.TEXT))

    def _paint_chip(self, painter: QPainter, at: QPointF, text: str, tint: QColor) -> None:
        painter.setFont(theme.sized(12))
        room = max(self.width() - at.x() - 10.0, 80.0)
        flags = int(Qt.AlignmentFlag.AlignLeft.value | Qt.AlignmentFlag.AlignVCenter.value | Qt.TextFlag.TextWordWrap.value)
        size = painter.fontMetrics().boundingRect(0, 0, int(room - 18), 200, flags, text).size()
        box = QRectF(at.x(), at.y(), size.width() + 18.0, size.height() + 8.0)
        painter.setPen(QPen(QColor(theme.BORDER), 1))
        painter.setBrush(_clear(theme.SURFACE, 225))
        painter.drawRoundedRect(box, 6, 6)
        painter.setPen(tint)
        painter.drawText(box.adjusted(9, 4, -9, -4), flags, text)


def _axis(number: int) -> str:
    """Return the colour of x, y or z."""
    return (theme.AXIS_X, theme.AXIS_Y, theme.AXIS_Z)[number]


def _clear(colour: str, alpha: int) -> QColor:
    """Return a colour that lets through what lies under it."""
    made = QColor(colour)
    made.setAlpha(alpha)
    return made


def _runs(part: NDArray[np.bool_]) -> list[slice]:
    """Return the stretches of a closed line that belong to a part, each with the point after it.

    >>> _runs(np.array([True, True, False, True]))
    [slice(0, 3, None), slice(3, 4, None)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], part, [False]]).astype(int)))
    return [slice(int(a), min(int(b) + 1, len(part))) for a, b in edges.reshape(-1, 2)]

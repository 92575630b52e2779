"""One of the six live pictures, painted by hand: fan, depth scale, name, acoustic window, and the point under the pointer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from echo3d.core.structures import Structure
from echo3d.core.views import View
from echo3d.gui import theme
from echo3d.positioning.previews import Preview

_PAD = 8
_NEAR_MM = 4.0
SHORT = dict(zip(View, ("A4C", "A2C", "A3C", "SAX basal", "SAX mid", "SAX apical"), strict=True))
"""What a view is called where there is little room."""


@dataclass(frozen=True, slots=True, eq=False)
class PreviewState:
    """What a panel shows.

    Parameters
    ----------
    preview : the picture, or None
    selected : whether its probe is the one that is adjusted
    settled : whether the picture is of full quality
    spot : (3,) mm, a point of the scene to be shown where the plane holds it, or None
    """

    preview: Preview | None = None
    selected: bool = False
    settled: bool = True
    spot: NDArray[np.float64] | None = None


class PreviewPanel(QWidget):
    """Shows one view; a click selects it, a double click enlarges it, the pointer is told as a point in space.

    Parameters
    ----------
    view : which of the six
    """

    selected = Signal(object)
    enlarged = Signal(object)
    pointed = Signal(object, object)

    def __init__(self, view: View, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = view
        self.state = PreviewState()
        self._here = ""
        self._over = QPixmap()
        self._over_of: tuple[object, ...] = ()
        self.setMinimumSize(96, 96)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setAccessibleName(view.title)

    def show_state(self, state: PreviewState) -> None:
        """Show another state."""
        self.state = state
        self.update()

    # -- geometry ---------------------------------------------------------------------------------------------------------------------

    def picture_area(self) -> QRectF:
        """Return where the fan's box lies, with true proportions."""
        room = QRectF(self.rect()).adjusted(_PAD, 28, -_PAD - 20, -25)
        height, width = self._extent()
        scale = min(room.width() / width, room.height() / height)
        return QRectF(room.center().x() - width * scale / 2, room.center().y() - height * scale / 2, width * scale, height * scale)

    def _extent(self) -> tuple[float, float]:
        """Return depth and breadth of the fan, mm."""
        if self.state.preview is None:
            return 160.0, 200.0
        fan = self.state.preview.probe.sector
        return fan.depth, 2 * fan.depth * float(np.sin(np.radians(min(fan.half_angle, 90.0))))

    def plane_mm(self, at: QPointF) -> tuple[float, float] | None:
        """Return (depth, lateral) mm under a pixel of the panel, None outside the fan."""
        if self.state.preview is None:
            return None
        area, (height, _) = self.picture_area(), self._extent()
        scale = height / area.height()
        depth, lateral = (at.y() - area.top()) * scale, (at.x() - area.center().x()) * scale
        fan = self.state.preview.probe.sector
        inside = 0 < np.hypot(depth, lateral) <= fan.depth and abs(np.degrees(np.arctan2(lateral, depth))) <= fan.half_angle
        return (depth, lateral) if inside else None

    def label_at(self, depth: float, lateral: float) -> int:
        """Return the structure under (depth, lateral) mm."""
        if self.state.preview is None:
            return 0
        piece = self.state.preview.piece
        rows, columns = piece.labels.shape
        line, side = int(depth / piece.pixel_mm), int(lateral / piece.pixel_mm + columns / 2)
        return int(piece.labels[line, side]) if 0 <= line < rows and 0 <= side < columns else 0

    # -- the mouse --------------------------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Select this view."""
        self.selected.emit(self.view)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Enlarge this view, or show all six again."""
        self.enlarged.emit(self.view)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tell the point of the scene under the pointer."""
        at = self.plane_mm(event.position())
        if at is None or self.state.preview is None:
            self._tell("", None)
            return
        value = self.label_at(*at)
        name = Structure(value).title if value else "outside the heart"
        self._tell(f"{name} · {at[0] / 10:.1f} cm deep", self.state.preview.probe.sector.world(np.array(at)))

    def leaveEvent(self, event: QEvent) -> None:
        """Tell no point."""
        self._tell("", None)

    def _tell(self, text: str, point: NDArray[np.float64] | None) -> None:
        if text or self._here:
            self._here = text
            self.pointed.emit(point, text)
            self.update()

    # -- painting ---------------------------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the panel."""
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(theme.BASE))
        tint = theme.view_tint(self.view)
        painter.setPen(QPen(tint if self.state.selected else QColor(theme.BORDER), 1.6 if self.state.selected else 1.2))
        painter.setBrush(QColor(theme.SURFACE))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.75, 0.75, -0.75, -0.75), 8, 8)
        if self.state.preview is not None:
            area = self.picture_area()
            self._paint_picture(painter, area, self.state.preview)
            self._paint_spot(painter, area)
        painter.drawPixmap(0, 0, self._kept(tint))
        painter.end()

    def _kept(self, tint: QColor) -> QPixmap:
        """Return depth scale and words as a picture, which stays as it is while a hand moves and only the fan's content changes."""
        preview = self.state.preview
        look = self.size(), self.devicePixelRatioF(), theme.tokens()
        of = (*look, self._extent(), self._here, self.state.settled, preview is None, window_text(preview))
        if of != self._over_of:
            self._over, self._over_of = self._painted_over(tint), of
        return self._over

    def _painted_over(self, tint: QColor) -> QPixmap:
        ratio = self.devicePixelRatioF()
        made = QPixmap(self.size() * ratio)
        made.setDevicePixelRatio(ratio)
        made.fill(Qt.GlobalColor.transparent)
        painter = QPainter(made)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing)
        if self.state.preview is not None:
            self._paint_scale(painter, self.picture_area())
        self._paint_words(painter, tint)
        painter.end()
        return made

    def _paint_picture(self, painter: QPainter, area: QRectF, preview: Preview) -> None:
        pixels, pixel_mm = preview.pixels, preview.piece.pixel_mm
        rows, columns = pixels.shape[:2]
        height, width = (extent / pixel_mm for extent in self._extent())
        source = QRectF(columns / 2 - width / 2, 0, width, height)
        image = QImage(pixels.data, columns, rows, pixels.strides[0], QImage.Format.Format_RGBA8888)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
        painter.drawImage(area, image, source)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.view_tint(self.view))
        painter.drawEllipse(QPointF(area.center().x() + 12, area.top() + 4), 3.2, 3.2)

    def _paint_scale(self, painter: QPainter, area: QRectF) -> None:
        """Paint ticks at every centimetre of depth, numbered at every fifth."""
        per_mm = area.height() / self._extent()[0]
        right = self.width() - _PAD
        heights = [(number, area.top() + 10 * number * per_mm) for number in range(int(self._extent()[0] / 10) + 1)]
        for tint, long, numbers in ((theme.FAINT, 4, [at for at in heights if at[0] % 5]), (theme.MUTED, 7, heights[::5])):
            painter.setPen(QPen(QColor(tint), 1))
            painter.drawLines([QLineF(right - long, y, right, y) for _, y in numbers])
        painter.setFont(theme.sized(10))
        flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for number, y in heights[5::5]:
            painter.drawText(QRectF(right - 32, y - 7, 22, 14), flags, str(number))

    def _paint_spot(self, painter: QPainter, area: QRectF) -> None:
        """Paint a point of the scene where the plane holds it; fainter the farther it lies from the plane."""
        if self.state.spot is None or self.state.preview is None:
            return
        depth, lateral, off = self.state.preview.probe.sector.plane(self.state.spot)
        if abs(off) > 3 * _NEAR_MM or not 0 <= depth <= self._extent()[0]:
            return
        per_mm = area.height() / self._extent()[0]
        at = QPointF(area.center().x() + lateral * per_mm, area.top() + depth * per_mm)
        tint = QColor(Qt.GlobalColor.white)
        tint.setAlphaF(1.0 if abs(off) <= _NEAR_MM else 0.35)
        painter.setPen(QPen(tint, 1.4))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(at, 4.5, 4.5)
        for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            painter.drawLine(at + QPointF(6 * x, 6 * y), at + QPointF(10 * x, 10 * y))

    def _paint_words(self, painter: QPainter, tint: QColor) -> None:
        """Paint the view's name above; below what is under the pointer, else the fan and its acoustic window."""
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tint)
        painter.drawEllipse(QPointF(_PAD + 5, 16), 4, 4)
        painter.setFont(theme.sized(12, bold=True))
        painter.setPen(QColor(theme.TEXT))
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        room = self.width() - 2 * _PAD - 14
        metrics = painter.fontMetrics()
        full = self.view.title if metrics.horizontalAdvance(self.view.title) <= room else SHORT[self.view]
        title = metrics.elidedText(full, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRectF(_PAD + 14, 7, room, 18), left, title)
        below = QRectF(_PAD, self.height() - 21, self.width() - 2 * _PAD, 16)
        painter.setFont(theme.sized(11))
        if self._here:
            painter.setPen(QColor(theme.TEXT))
            painter.drawText(below, left, painter.fontMetrics().elidedText(self._here, Qt.TextElideMode.ElideRight, int(below.width())))
        elif self.state.preview is not None:
            self._paint_below(painter, below, self.state.preview)

    def _paint_below(self, painter: QPainter, below: QRectF, preview: Preview) -> None:
        fan, (text, tint) = preview.probe.sector, window_text(preview)
        painter.setPen(QColor(theme.FAINT))
        size, right = f"{fan.depth:.0f} mm · {2 * fan.half_angle:.0f}°", text if self.state.settled else "…"
        if painter.fontMetrics().horizontalAdvance(f"{size}  {text}") <= below.width():
            painter.drawText(below, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, size)
        painter.setPen(QColor(tint))
        painter.drawText(below, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, right)


def window_text(preview: Preview | None) -> tuple[str, str]:
    """Return what to say of a probe's acoustic window, and the colour to say it in."""
    if preview is None:
        return "", theme.MUTED
    if preview.probe.touches is False:
        return "off the skin", theme.ERROR
    if preview.window is None:
        return "", theme.MUTED
    open_share = round(100 * (1 - preview.window))
    return f"window {open_share} %", theme.ED if open_share >= 80 else theme.WARN if open_share >= 30 else theme.ERROR

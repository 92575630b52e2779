"""One echo view: the cine with depth scale, phase badge, calibration and overlay, painted by hand."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QTransform
from PySide6.QtWidgets import QSizePolicy, QWidget

from echo3d.core.images import EchoClip
from echo3d.core.structures import BLOOD, Structure, colour
from echo3d.core.views import View
from echo3d.gui import theme
from echo3d.gui.frames import Crop
from echo3d.gui.icons import pixmap
from echo3d.gui.overlays import Overlay
from echo3d.gui.tokens import DARK, Tokens

PAD = 10


@dataclass(frozen=True, slots=True, eq=False)
class PanelState:
    """What a panel shows.

    Parameters
    ----------
    clip : the clip, None where there is none
    crop : the part that is shown
    pixels : the frame, None while it is not decoded
    index : number of the frame
    badge : "ED", "ES" or ""
    overlay : sections, or None
    visible : structures drawn
    opacity : of the fill; 0 for none
    outlines, names : whether they are drawn
    selected : whether this panel leads
    hint : what an empty panel says
    strange : whether the pictures hardly look like this view
    """

    clip: EchoClip | None = None
    crop: Crop | None = None
    pixels: NDArray[np.uint8] | None = None
    index: int = 0
    badge: str = ""
    overlay: Overlay | None = None
    visible: frozenset[Structure] = field(default_factory=frozenset)
    opacity: float = 0.35
    outlines: bool = True
    names: bool = False
    selected: bool = False
    hint: str = ""
    strange: bool = False


class ViewPanel(QWidget):
    """Shows one view; a click selects it, a double click enlarges it.

    Parameters
    ----------
    view : which of the six
    """

    selected = Signal(object)
    enlarged = Signal(object)
    menu_wanted = Signal(object, object)

    def __init__(self, view: View, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = view
        self.state = PanelState()
        self.setMinimumSize(150, 130)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(view.title)

    @property
    def _ink(self) -> Tokens:
        """The colours to write with: an echo picture stays on black in every theme, as its grey levels are read on black."""
        return DARK if self.state.clip else theme.tokens()

    def show_state(self, state: PanelState) -> None:
        """Show another state."""
        self.state = state
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Select this view; the right button opens its menu."""
        self.selected.emit(self.view)
        if event.button() == Qt.MouseButton.RightButton:
            self.menu_wanted.emit(self.view, event.globalPosition().toPoint())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Enlarge this view, or show all six again."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.enlarged.emit(self.view)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the panel."""
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.rect(), QColor(theme.BASE))
        frame = QRectF(self.rect()).adjusted(0.75, 0.75, -0.75, -0.75)
        painter.setPen(QPen(QColor(theme.ACCENT if self.state.selected and self.state.clip else theme.BORDER), 1.5))
        painter.setBrush(QColor(self._ink.plate if self.state.clip else self._ink.surface))
        painter.drawRoundedRect(frame, 8, 8)
        if self.state.clip is None:
            self._paint_empty(painter)
        else:
            area = self.picture_area()
            self._paint_picture(painter, area)
            self._paint_scale(painter, area)
            self._paint_corners(painter)
        self._paint_title(painter)
        painter.end()

    def picture_area(self) -> QRectF:
        """Return where the picture lies, with true proportions."""
        state, room = self.state, QRectF(self.rect()).adjusted(PAD, 30, -PAD - 22, -26)
        if state.crop is None or state.clip is None:
            return room
        row_mm, column_mm = state.clip.pixel_mm or (1.0, 1.0)
        height, width = state.crop.height * row_mm, state.crop.width * column_mm
        scale = min(room.width() / width, room.height() / height)
        size = (width * scale, height * scale)
        return QRectF(room.center().x() - size[0] / 2 + 6, room.top() + (room.height() - size[1]) / 2, *size)

    def _to_area(self, area: QRectF) -> QTransform:
        """Return the transform from pixels of the clip to the panel."""
        crop = self.state.crop or Crop(0, 0, 1, 1)
        move = QTransform.fromTranslate(area.left(), area.top())
        return (
            QTransform.fromTranslate(-crop.left, -crop.top)
            * QTransform.fromScale(area.width() / crop.width, area.height() / crop.height)
            * move
        )

    def _paint_picture(self, painter: QPainter, area: QRectF) -> None:
        pixels = self.state.pixels
        if pixels is None:
            return
        height, width = pixels.shape
        painter.drawImage(area, QImage(pixels.data, width, height, pixels.strides[0], QImage.Format.Format_Grayscale8))
        if self.state.overlay is not None:
            self._paint_overlay(painter, area, self.state.overlay)

    def _paint_overlay(self, painter: QPainter, area: QRectF, overlay: Overlay) -> None:
        transform = self._to_area(area)
        painter.save()
        painter.setClipRect(area)
        for structure, path in overlay.paths.items():
            if structure not in self.state.visible:
                continue
            tint = QColor(*colour(structure))
            fill = QColor(tint)
            fill.setAlphaF(self.state.opacity * (0.6 if structure in BLOOD else 1.0))
            painter.setBrush(fill if self.state.opacity > 0 else Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(tint.lighter(135), 1.3) if self.state.outlines else Qt.PenStyle.NoPen)
            painter.drawPath(transform.map(path))
        painter.restore()
        if self.state.names:
            self._paint_names(painter, overlay, transform)

    def _paint_names(self, painter: QPainter, overlay: Overlay, transform: QTransform) -> None:
        painter.setFont(theme.sized(11, bold=True))
        for text, x, y in overlay.names:
            spot = transform.map(QPointF(x, y))
            box = QRectF(spot.x() - 20, spot.y() - 9, 40, 18)
            for shift, tint in ((1.0, QColor(0, 0, 0, 190)), (0.0, QColor(Qt.GlobalColor.white))):
                painter.setPen(tint)
                painter.drawText(box.translated(shift, shift), Qt.AlignmentFlag.AlignCenter, text)

    def _paint_scale(self, painter: QPainter, area: QRectF) -> None:
        """Paint ticks at every centimetre of depth, numbered at every fifth."""
        state = self.state
        if state.clip is None or state.clip.pixel_mm is None or state.crop is None:
            return
        per_mm = area.height() / (state.crop.height * state.clip.pixel_mm[0])
        zero = area.top() + (state.clip.fan.apex_row - state.crop.top) * state.clip.pixel_mm[0] * per_mm
        right = self.width() - PAD
        painter.setFont(theme.sized(10))
        for number in range(0, 41):
            y = zero + 10 * number * per_mm
            if y < area.top() - 1 or y > area.bottom() + 1:
                continue
            long = number % 5 == 0
            painter.setPen(QPen(QColor(self._ink.muted if long else self._ink.faint), 1))
            painter.drawLine(QPointF(right - (7 if long else 4), y), QPointF(right, y))
            if long and number:
                box = QRectF(right - 32, y - 7, 22, 14)
                painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(number))

    def _paint_title(self, painter: QPainter) -> None:
        painter.setFont(theme.sized(12, bold=True))
        painter.setPen(QColor(self._ink.text if self.state.clip else self._ink.muted))
        room = self.width() - 2 * PAD - (36 if self.state.badge else 0)
        title = painter.fontMetrics().elidedText(self.view.title, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRectF(PAD, 7, room, 18), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, title)
        if self.state.badge:
            tint = QColor(self._ink.ed if self.state.badge == "ED" else self._ink.es)
            box = QRectF(self.width() - PAD - 30, 7, 30, 18)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tint)
            painter.drawRoundedRect(box, 5, 5)
            painter.setPen(QColor(self._ink.on_mark))
            painter.setFont(theme.sized(11, bold=True))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self.state.badge)

    def _paint_corners(self, painter: QPainter) -> None:
        clip = self.state.clip
        if clip is None:
            return
        box = QRectF(PAD, self.height() - 24, self.width() - 2 * PAD, 16)
        painter.setFont(theme.sized(10))
        if clip.pixel_mm is None:
            painter.setPen(QColor(self._ink.warn))
            painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, "uncalibrated")
        else:
            painter.setPen(QColor(self._ink.faint))
            painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, f"{clip.pixel_mm[0]:.2f} mm/px")
        painter.setPen(QColor(self._ink.faint))
        text = f"{self.state.index + 1} / {len(clip.frames)}"
        painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
        if doubt := "another view?" if self.state.strange else "stand-in view" if clip.source.stand_in else "":
            painter.setPen(QColor(self._ink.warn))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, doubt)

    def _paint_empty(self, painter: QPainter) -> None:
        middle = QRectF(self.rect()).center()
        painter.drawPixmap(QPointF(middle.x() - 11, middle.y() - 28), pixmap("drop", theme.FAINT, 22))
        painter.setPen(QColor(self._ink.faint))
        painter.setFont(QFont(theme.sized(11)))
        painter.drawText(
            QRectF(12, middle.y() + 2, self.width() - 24, 40), Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, self.state.hint
        )

"""What the scenes are drawn on: the plotter itself where a graphics card draws, otherwise a picture of what was drawn out of sight.

Qt puts a window that holds a ``QOpenGLWidget`` together by OpenGL. Without a graphics card each repaint of any widget, such as six small
pictures, then takes some 8 ms more than painting it; and a picture can be drawn at a share of its pixels, to be stretched.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent, QImage, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QShowEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget
from pyvistaqt import QtInteractor
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkUnsignedCharArray


class Plotter(QtInteractor):
    """The plotter of pyvista, which asks to be drawn where VTK's own draws at once, within the event of the mouse.

    Parameters
    ----------
    parent : the widget that it stands in, None for one that is never shown
    samples : per pixel, against steps at edges
    """

    moved = Signal()
    """The mouse or the wheel moved the camera."""
    held = Signal(bool)
    """A button of the mouse was pressed, or the last one let go."""
    share = 1.0
    """Pixels drawn for each pixel shown, along one side; other than 1 only where it is never shown."""
    _painting = False

    def __init__(self, parent: QWidget | None, samples: int) -> None:
        super().__init__(parent, auto_update=False, multi_samples=samples, lighting="none", shape=(1, 2), border=False)
        self.iren.interactor.EnableRenderOff()
        self.iren.add_observer("RenderEvent", self._asked)

    def _asked(self, *_: object) -> None:
        if not self._painting:
            self.moved.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the camera."""
        super().mousePressEvent(event)
        self.held.emit(True)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let the camera go."""
        super().mouseReleaseEvent(event)
        self.held.emit(event.buttons() != Qt.MouseButton.NoButton)

    def devicePixelRatioF(self) -> float:
        """Return the pixels drawn for each of the widget's, along one side; what counts for the mouse and for all that is drawn."""
        return float(super().devicePixelRatioF()) * (1.0 if self._painting else self.share)

    def paintGL(self) -> None:
        """Draw, because Qt wants to show or grab it."""
        window = self.ren_win
        interactor = None if window is None else window.GetInteractor()
        if interactor is None:
            return
        self._painting = True
        interactor.EnableRenderOn()
        try:
            super().paintGL()
        finally:
            interactor.EnableRenderOff()
            self._painting = False

    def pixels(self, size: QSize, share: float) -> QImage:
        """Return the scene drawn out of sight for a widget of a size, at a share of its pixels.

        Raises
        ------
        ValueError
            If the size is empty.
        """
        if size.isEmpty():
            raise ValueError(f"a picture must have a pixel at least, found {size.width()} x {size.height()}")
        if self.context() is None:
            self.grabFramebuffer()  # Qt's own way to make the context of a widget that is never shown
        self._fit(size, share)
        self.ren_win.Render()
        width, height = self.ren_win.GetSize()
        read = vtkUnsignedCharArray()
        self.ren_win.GetRGBACharPixelData(0, 0, width - 1, height - 1, 0, read)
        rows = np.ascontiguousarray(vtk_to_numpy(read).reshape(height, 4 * width)[::-1])
        image = QImage(rows.data, width, height, 4 * width, QImage.Format.Format_RGBX8888)
        return image.convertToFormat(QImage.Format.Format_RGB32)  # a copy, and what Qt paints fastest

    def _fit(self, size: QSize, share: float) -> None:
        self.share = share
        self.resize(size)
        ratio = self.devicePixelRatioF()
        wanted = max(1, round(size.width() * ratio)), max(1, round(size.height() * ratio))
        before = tuple(self.ren_win.GetSize())
        if before != wanted:
            interactor = self.iren.interactor
            at = [round(place * now / old) for place, now, old in zip(interactor.GetEventPosition(), wanted, before, strict=True)]
            for _ in range(2):  # where the mouse is and was: in pixels that are drawn, of which there are now more or fewer
                interactor.SetEventPosition(*at)
            self.ren_win.SetDPI(round(72 * ratio))
            interactor.UpdateSize(*wanted)
            interactor.InvokeEvent("ConfigureEvent")


class Picture(QWidget):
    """Shows what a plotter out of sight has drawn, and hands it the mouse.

    Parameters
    ----------
    plotter : drawn out of sight
    """

    resized = Signal()

    def __init__(self, plotter: Plotter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plotter = plotter
        self._image: QImage | None = None
        self.setMouseTracking(True)

    def show_image(self, image: QImage) -> None:
        """Show another picture, stretched over the widget."""
        self._image = image
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the picture."""
        if self._image is not None:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._image.width() < self.width())
            painter.drawImage(self.rect(), self._image)
            painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Have it drawn at the new size."""
        self._plotter.resize(event.size())
        self.resized.emit()

    def showEvent(self, event: QShowEvent) -> None:
        """Have drawn what changed in the meantime."""
        self.resized.emit()

    def sizeHint(self) -> QSize:
        """Return the size of a plotter that is shown."""
        return QSize(400, 400)

    # -- the mouse --------------------------------------------------------------------------------------------------------------------

    def _hand_on(self, event: QEvent) -> None:
        QApplication.sendEvent(self._plotter, event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Hand it on."""
        self._hand_on(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Hand it on."""
        self._hand_on(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Hand it on."""
        self._hand_on(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Hand it on."""
        self._hand_on(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Hand it on."""
        self._hand_on(event)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Hand it on."""
        self._hand_on(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Hand it on."""
        self._hand_on(event)

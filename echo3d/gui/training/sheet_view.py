"""Pictures that a run draws of its answers: the newest, and the earlier ones to step through."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from echo3d.gui import theme
from echo3d.gui.tasks import Tasks
from echo3d.gui.training.recipes import SHEETS
from echo3d.gui.training.rows import Run
from echo3d.gui.widgets import button, column, label, row

EMPTY = "A picture of what the network answers appears with a run's first measurement."


class Sheet(QWidget):
    """One picture as large as there is room for."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.image = QImage()
        self.said = EMPTY
        self.setMinimumSize(120, 120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        """Return a modest size."""
        return QSize(360, 300)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the picture, or what is said in its place."""
        painter = QPainter(self)
        if self.image.isNull():
            painter.setPen(theme.MUTED)
            area = QRectF(self.rect()).adjusted(24, 0, -24, 0)
            painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap), self.said)
        else:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            size = self.image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
            place = QRectF((self.width() - size.width()) / 2, (self.height() - size.height()) / 2, size.width(), size.height())
            painter.drawImage(place, self.image)
        painter.end()


class SheetView(QWidget):
    """The sheets of the run that leads.

    Parameters
    ----------
    tasks : threads that read pictures
    """

    def __init__(self, tasks: Tasks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self.sheet = Sheet()
        self._run, self._files, self._at = "", tuple[Path, ...](), -1
        self._shown: Path | None = None
        self.before = button("previous", "The picture before", lambda: self._step(-1))
        self.after = button("next", "The picture after", lambda: self._step(1))
        self.place = label("", "muted")
        self.told = label("", "faint", wrap=True)
        self._bar = QWidget()
        self._bar.setLayout(row(self.before, self.after, self.place, 1, spacing=4))
        self.setLayout(column(self.sheet, self.told, self._bar, spacing=4, margins=(10, 10, 10, 8)))
        self._show()

    def show_run(self, run: Run | None) -> None:
        """Show the sheets of a run; the newest where none before it was asked for."""
        name, files = ("", ()) if run is None else (run.name, run.sheets)
        self.told.setText("" if run is None else SHEETS.get(run.kind, ""))
        self.told.setVisible(bool(files) and bool(self.told.text()))
        if (name, files) == (self._run, self._files):
            return
        newest = name != self._run or self._at >= len(self._files) - 1
        self._run, self._files = name, files
        self._at = len(files) - 1 if newest else min(self._at, len(files) - 1)
        self._show()

    def _step(self, by: int) -> None:
        self._at = min(max(self._at + by, 0), len(self._files) - 1)
        self._show()

    def _show(self) -> None:
        file = self._files[self._at] if self._files else None
        self._bar.setVisible(file is not None)
        if file is None:
            self._shown = None
            self.sheet.image = QImage()
            self.sheet.update()
            return
        step = file.stem.rpartition("_")[2].lstrip("0") or "0"
        self.place.setText(f"step {step}  ·  {self._at + 1} of {len(self._files)}")
        self.before.setEnabled(self._at > 0)
        self.after.setEnabled(self._at < len(self._files) - 1)
        self._tasks.run(lambda: QImage(str(file)), lambda image: self._ready(file, image), lambda _: None)

    def _ready(self, file: Path, image: QImage) -> None:
        if self._files and self._files[self._at] == file:
            self._shown, self.sheet.image = file, image
            self.sheet.update()

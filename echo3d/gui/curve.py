"""The LV's volume over the beat, with end-diastole, end-systole and the moment that is shown."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QFrame, QWidget

from echo3d.core.result import StudyResult
from echo3d.gui import theme
from echo3d.gui.cycle import beat_cycle
from echo3d.gui.widgets import column, label, row


class VolumeCurve(QFrame):
    """Shows the curve; a click goes to that moment."""

    sought = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.plot = pg.PlotWidget()
        self._prepare()
        self._line = self.plot.plot([], [])
        self._marks, self._spot = pg.ScatterPlotItem(size=11), pg.ScatterPlotItem(size=9)
        self._cursor = pg.InfiniteLine(angle=90)
        self._names = [pg.TextItem(name, anchor=(0.5, 1.35)) for name in ("ED", "ES")]
        for item in (self._marks, self._cursor, self._spot, *self._names):
            self.plot.addItem(item)
        self._value = label("", "muted")
        head = row(label("LEFT VENTRICLE, VOLUME OVER THE BEAT", "section"), 1, self._value)
        self.setLayout(column(head, self.plot, margins=(12, 8, 10, 6), spacing=2))
        self._times = self._volumes = np.zeros(0)
        self._unit = "ml"
        self._es = 0
        self._tint()
        self.show_result(None)

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and hasattr(self, "_es"):
            self._tint()

    def _tint(self) -> None:
        """Draw everything in the theme's colours."""
        self.plot.setBackground(theme.SURFACE)
        self._line.setPen(pg.mkPen(theme.ACCENT, width=2.2))
        self._marks.setPen(pg.mkPen(theme.SURFACE, width=2))
        self._cursor.setPen(pg.mkPen(theme.TEXT, width=1))
        self._spot.setPen(pg.mkPen(theme.BASE, width=1))
        self._spot.setBrush(pg.mkBrush(theme.TEXT))
        item = self.plot.getPlotItem()
        for side in ("left", "bottom"):
            item.getAxis(side).setPen(pg.mkPen(theme.BORDER))
            item.getAxis(side).setTextPen(pg.mkPen(theme.MUTED))
        self.plot.setLabel("bottom", "time from end-diastole, ms", color=theme.FAINT, **{"font-size": "10px"})
        if len(self._times):
            self._place_marks(self._es)

    def _prepare(self) -> None:
        item = self.plot.getPlotItem()
        self.plot.setAcceptDrops(False)
        self.plot.viewport().setAcceptDrops(False)
        item.hideButtons()
        item.setMenuEnabled(False)
        self.plot.setMouseEnabled(False, False)
        self.plot.showGrid(x=False, y=True, alpha=0.12)
        self.plot.setFrameShape(QFrame.Shape.NoFrame)
        for side in ("left", "bottom"):
            axis = item.getAxis(side)
            axis.setStyle(tickFont=theme.sized(10), tickLength=-4)
            axis.enableAutoSIPrefix(False)
        item.getAxis("left").setWidth(42)
        self.plot.scene().sigMouseClicked.connect(self._clicked)

    def show_result(self, result: StudyResult | None) -> None:
        """Show a result's curve, or nothing."""
        for item in (self._cursor, self._spot, self._marks, *self._names):
            item.setVisible(result is not None)
        for side in ("left", "bottom"):
            self.plot.getPlotItem().getAxis(side).setVisible(result is not None)
        if result is None:
            self._times = self._volumes = np.zeros(0)
            self._line.setData([], [])
            self._value.setText("")
            return
        cycle = beat_cycle(result.beat)
        scale = 1.0 if result.calibrated else 100.0 / float(result.beat.lv_ml[0])
        self._unit = "ml" if result.calibrated else "% of ED"
        self._times = np.append(cycle.times_ms, cycle.loop_ms)
        self._volumes = np.append(result.beat.lv_ml, result.beat.lv_ml[0]) * scale
        self._line.setData(self._times, self._volumes)
        self._place_marks(int(np.argmin(result.beat.lv_ml)))
        low, high = float(self._volumes.min()), float(self._volumes.max())
        margin = max(0.18 * (high - low), 2.0)
        self.plot.setXRange(0, float(self._times[-1]), padding=0.01)
        self.plot.setYRange(max(low - margin, 0), high + 1.4 * margin, padding=0)

    def _place_marks(self, es: int) -> None:
        self._es = es
        spots = [(0, theme.ED), (es, theme.ES)]
        self._marks.setData([{"pos": (self._times[i], self._volumes[i]), "brush": pg.mkBrush(tint)} for i, tint in spots])
        for name, (i, _) in zip(self._names, spots, strict=True):
            name.setPos(max(self._times[i], 0.02 * self._times[-1]), self._volumes[i])
            name.setFont(theme.sized(10, bold=True))
            name.setColor(QColor(theme.ED if i == 0 else theme.ES))

    def show_time(self, ms: float) -> None:
        """Move the cursor to a time of the beat."""
        if len(self._times):
            volume = float(np.interp(ms, self._times, self._volumes))
            self._cursor.setValue(ms)
            self._spot.setData([ms], [volume])
            self._value.setText(f"{ms:.0f} ms  ·  {volume:.0f} {self._unit}")

    def _clicked(self, event: object) -> None:
        where = event.scenePos()  # type: ignore[attr-defined]
        if len(self._times) and event.button() == Qt.MouseButton.LeftButton:  # type: ignore[attr-defined]
            ms = self.plot.getPlotItem().vb.mapSceneToView(where).x()
            self.sought.emit(float(np.clip(ms, 0, self._times[-1])))

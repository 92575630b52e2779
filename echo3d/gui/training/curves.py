"""Curves of several runs over their steps: the loss above, what is measured on held back samples below."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtWidgets import QComboBox, QFrame, QSplitter, QWidget

from echo3d.gui import theme
from echo3d.gui.training.rows import Run
from echo3d.gui.widgets import column, label, row, text_button
from echo3d.runs import Curve, Trace, title_of

POINTS = 900
"""Points that a plot draws of all its curves together, so that the processor can paint it at once."""
_SETTLE_MS = 120
_APART_MS = 40
"""Between the painting of the two plots, so that keys and clicks have their turn."""
_MARKED, _WIDE = 24, 300
"""A curve of at most so many points shows each; curves of at most so many together are drawn wide."""


def thinned(curve: Curve, most: int) -> Curve:
    """Return a curve of at most so many points: of each stretch of steps the lowest and the highest value.

    >>> steps = np.arange(1000.0)
    >>> thinned(np.stack([steps, steps % 7]), 100).shape, thinned(np.stack([steps, steps]), 2000).shape
    ((2, 100), (2, 1000))
    """
    count = curve.shape[1]
    stretches = max(1, most // 2)
    if count <= 2 * stretches:
        return curve
    edges = np.linspace(0, count, stretches + 1).astype(int)
    picked = [sorted({low + int(np.argmin(curve[1, low:high])), low + int(np.argmax(curve[1, low:high]))}) for low, high in pairwise(edges)]
    return curve[:, [at for stretch in picked for at in stretch]]


class CurvePlot(QFrame):
    """One curve of each run; which one is chosen above it.

    Parameters
    ----------
    title : of the plot
    names : returns the curves of a run that may be chosen, the first being the usual one
    empty : what is said while there is none
    """

    def __init__(self, title: str, names: Callable[[Trace], list[str]], empty: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._names, self._runs = names, tuple[tuple[Run, str], ...]()
        self.chosen = QComboBox()
        self.chosen.setToolTip("Which curve is shown")
        self.chosen.setMinimumWidth(150)
        self.chosen.activated.connect(lambda _: self._draw())
        self.log = text_button("log", "Logarithmic scale", self._scale, kind="small")
        self.log.setCheckable(True)
        self.whole = text_button(
            "Fit", "Show all of the curves again, after zooming with the wheel or moving", self.show_whole, kind="small"
        )
        self._zoomed = QTimer(self)
        self._zoomed.setSingleShot(True)
        self._zoomed.setInterval(_SETTLE_MS)
        self._zoomed.timeout.connect(self._zoom)
        self.plot = pg.PlotWidget()
        self._prepare()
        self._lines: dict[str, pg.PlotDataItem] = {}
        self._marks: list[pg.InfiniteLine] = []
        self.empty = label(empty, "muted", wrap=True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        head = row(label(title, "section"), 1, self.chosen, self.log, self.whole, spacing=6)
        body = column(head, self.plot, self.empty, margins=(12, 8, 10, 6), spacing=4)
        body.setStretch(1, 1)
        body.setStretch(2, 1)
        self.setLayout(body)
        self._tint()
        self.show_runs(())

    def _prepare(self) -> None:
        item = self.plot.getPlotItem()
        item.hideButtons()
        item.setMenuEnabled(False)
        self.plot.setAcceptDrops(False)
        self.plot.viewport().setAcceptDrops(False)
        self.plot.setFrameShape(QFrame.Shape.NoFrame)
        self.plot.showGrid(x=False, y=True, alpha=0.12)
        self.plot.setMinimumHeight(90)
        for side in ("left", "bottom"):
            axis = item.getAxis(side)
            axis.setStyle(tickFont=theme.sized(10), tickLength=-4)
            axis.enableAutoSIPrefix(False)
        item.getAxis("left").setWidth(52)
        item.getViewBox().sigXRangeChanged.connect(lambda *_: self._zoomed.start())

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and hasattr(self, "_tinted") and self._tinted is not theme.tokens():
            self._tint()
            self._draw()

    def _tint(self) -> None:
        self._tinted = theme.tokens()
        self.plot.setBackground(theme.SURFACE)
        for side in ("left", "bottom"):
            axis = self.plot.getPlotItem().getAxis(side)
            axis.setPen(pg.mkPen(theme.BORDER))
            axis.setTextPen(pg.mkPen(theme.MUTED))
        self.plot.setLabel("bottom", "step", color=theme.FAINT, **{"font-size": "10px"})

    def _scale(self) -> None:
        self.plot.setLogMode(x=False, y=self.log.isChecked())
        self.show_whole()

    def show_whole(self) -> None:
        """Show all of the curves."""
        self.plot.getPlotItem().enableAutoRange()

    def show_runs(self, runs: Sequence[tuple[Run, str]]) -> None:
        """Show runs, each with its colour; only what has changed is drawn again."""
        same = [(run.name, tint, run.trace) for run, tint in runs] == [(run.name, tint, run.trace) for run, tint in self._runs]
        self._runs = tuple(runs)
        if same and runs:
            return
        self._offer()
        self._draw()

    def _offer(self) -> None:
        """Offer the curves that any of the runs has; the one that was chosen stays so while there is one."""
        names = list(dict.fromkeys(name for run, _ in self._runs for name in self._names(run.trace)))
        if names != [self.chosen.itemData(at) for at in range(self.chosen.count())]:
            before = self.chosen.currentData()
            self.chosen.clear()
            for name in names:
                self.chosen.addItem(title_of(name), name)
            self.chosen.setCurrentIndex(names.index(before) if before in names else 0)

    def _draw(self) -> None:
        name = self.chosen.currentData()
        shown = {run.name: (run.trace.curves[name], tint) for run, tint in self._runs if name in run.trace.curves}
        for gone in self._lines.keys() - shown.keys():
            self.plot.removeItem(self._lines.pop(gone))
        width = 2 if sum(curve.shape[1] for curve, _ in shown.values()) <= _WIDE else 1  # wide lines take long to paint
        for key, (curve, tint) in shown.items():
            if key not in self._lines:
                self._lines[key] = self.plot.plot([], [], antialias=True)
            self._lines[key].setPen(pg.mkPen(tint, width=width))
            few = curve.shape[1] <= _MARKED
            kept = thinned(self._seen(curve[:, curve[1] > 0] if self.log.isChecked() else curve), POINTS // max(1, len(shown)))
            brush = pg.mkBrush(tint)
            self._lines[key].setData(*kept, symbol="o" if few else None, symbolSize=5, symbolBrush=brush, symbolPen=None)
        self._mark_lessons()
        self.plot.setVisible(bool(shown))
        self.empty.setVisible(not shown)
        for part in (self.chosen, self.log, self.whole):
            part.setVisible(bool(shown))

    def _mark_lessons(self) -> None:
        """Say where each lesson begins, where there are several of a single run."""
        for gone in self._marks:
            self.plot.removeItem(gone)
        lessons = self._runs[0][0].trace.lessons if len(self._runs) == 1 else ()
        self._marks = [lesson_mark(number, *one) for number, one in enumerate(lessons)] if len(lessons) > 1 else []
        for mark in self._marks:
            self.plot.addItem(mark, ignoreBounds=True)

    @property
    def marked(self) -> list[str]:
        """The lessons that are named in the plot."""
        return [mark.label.format for mark in self._marks]

    def _zoom(self) -> None:
        """Draw what is seen now as finely as there is room for."""
        if not self.plot.getPlotItem().getViewBox().autoRangeEnabled()[0]:
            self._draw()

    def _seen(self, curve: Curve) -> Curve:
        """Return the part of a curve that is seen, with a point on either side."""
        box = self.plot.getPlotItem().getViewBox()
        if box.autoRangeEnabled()[0] or not curve.shape[1]:
            return curve
        low, high = np.searchsorted(curve[0], box.viewRange()[0])
        return curve[:, max(0, low - 1) : high + 1]

    def points(self, run: str) -> int:
        """Return how many points of a run are drawn."""
        line = self._lines.get(run)
        return 0 if line is None or line.xData is None else int(np.size(line.xData))


def loss_plot() -> CurvePlot:
    """Return the plot of the loss."""
    return CurvePlot("LOSS", lambda trace: trace.losses, "The loss appears with the first line of a run's log.")


def measured_plot() -> CurvePlot:
    """Return the plot of what is measured on held back samples."""
    empty = "What is measured on held back samples appears with a run's first measurement."
    return CurvePlot("VALIDATION", lambda trace: trace.measured, empty)


class Curves(QWidget):
    """Both plots, with the runs' names in their colours above them."""

    def __init__(self, loss: CurvePlot, measured: CurvePlot, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.loss, self.measured = loss, measured
        self._tinted: list[tuple[Run, str]] = []
        self._next = QTimer(self)
        self._next.setSingleShot(True)
        self._next.setInterval(_APART_MS)
        self._next.timeout.connect(lambda: self.measured.show_runs(self._tinted))
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(8)
        for plot in (self.loss, self.measured):
            self.splitter.addWidget(plot)
        self.legend = label("", "")
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.legend.setWordWrap(True)
        self.setLayout(column(self.legend, self.splitter, spacing=6))
        self.layout().setStretch(1, 1)  # type: ignore[call-arg, union-attr]

    def show_runs(self, runs: Sequence[Run]) -> None:
        """Show runs over each other."""
        tinted = [(run, tint_of(number)) for number, run in enumerate(runs)]
        self.legend.setText("&nbsp;&nbsp;&nbsp; ".join(f'<span style="color:{tint}">●</span> {_html(run.title)}' for run, tint in tinted))
        self.loss.show_runs(tinted)
        self._tinted = tinted
        self._next.start()


def lesson_mark(number: int, step: int, name: str) -> pg.InfiniteLine:
    """Return the line that says where a lesson begins; names of neighbours stand at different heights."""
    words = {"position": 0.94 - 0.12 * (number % 2), "color": theme.MUTED, "anchors": [(0, 0.5), (0, 0.5)], "movable": False}
    return pg.InfiniteLine(step, angle=90, pen=pg.mkPen(theme.BORDER, style=Qt.PenStyle.DashLine), label=name, labelOpts=words)


def tint_of(number: int) -> str:
    """Return the colour of the run of that number among those shown."""
    views = theme.tokens().views
    return str(views[number % len(views)])


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")

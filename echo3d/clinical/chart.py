"""The volume-time curve of the report, drawn with lines and text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from reportlab.pdfgen.canvas import Canvas

from echo3d.clinical.shown import Shown, moves
from echo3d.clinical.typeset import ACCENT, LINE, SOFT, Type, write
from echo3d.core.result import StudyResult

Box = tuple[float, float, float, float]


def draw_curve(canvas: Canvas, box: Box, result: StudyResult, numbers: Shown) -> None:
    """Draw LV volume over one beat into a box (left, low, width, height), points.

    In ml where volumes are shown, else in per cent of the largest; a sentence stands in its place where there is no curve to trust.
    """
    left, low, width, height = box
    sized = numbers.edv_ml is not None
    write(canvas, (left, low + height + 10), f"LV volume over one beat, {'ml' if sized else '% of the largest'}", Type(8.5, bold=True))
    if not moves(result) or not result.trusted:
        reason = "no curve: the clips do not move" if result.trusted else "no curve: the pictures are not trusted"
        canvas.setFont("Helvetica-Oblique", 8.5)
        canvas.setFillColor(SOFT)
        canvas.drawCentredString(left + width / 2, low + height / 2, reason)
        return
    values = result.beat.lv_ml if sized else 100 * result.beat.lv_ml / result.beat.lv_ml.max()
    times = np.append(result.beat.times_ms, result.beat.times_ms[-1] + result.beat.times_ms[1])
    frame = Frame(box, float(times[-1]), nice_top(1.06 * float(values.max())))
    _axes(canvas, frame)
    _line(canvas, frame, times, np.append(values, values[0]))
    for name, index in (("ED", 0), ("ES", int(np.argmin(values)))):
        _mark(canvas, frame, (float(times[index]), float(values[index])), name)


@dataclass(frozen=True, slots=True)
class Frame:
    """The axes: from zero to ``right`` (ms) and ``top`` over a box."""

    box: Box
    right: float
    top: float

    def place(self, time: float, value: float) -> tuple[float, float]:
        """Return the point of the page for a time and a value."""
        left, low, width, height = self.box
        return left + 22 + (width - 22) * time / self.right, low + height * value / self.top


def nice_top(value: float) -> float:
    """Return a round number not below ``value``, for the upper end of an axis.

    >>> nice_top(131.0), nice_top(100.0), nice_top(17.0)
    (150.0, 100.0, 20.0)
    """
    step = 10.0 ** np.floor(np.log10(max(value, 1e-6)))
    return float(next(step * factor for factor in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * factor >= value - 1e-9))


def _axes(canvas: Canvas, frame: Frame) -> None:
    """Draw grid lines with their values, and the names of the axes."""
    canvas.setLineWidth(0.5)
    for share in np.linspace(0, 1, 6):
        x, y = frame.place(0, share * frame.top)
        canvas.setStrokeColor(LINE)
        canvas.line(x, y, frame.place(frame.right, 0)[0], y)
        write(canvas, (x - 4, y - 2.5), f"{share * frame.top:g}", Type(6.5, colour=SOFT, align="right"))
    step = next(s for s in (100, 200, 250, 500, 1000, 2000, 5000, 10**9) if frame.right / s <= 6)
    for time in np.arange(0, frame.right + 1, step):
        x, y = frame.place(float(time), 0)
        write(canvas, (x, y - 9), f"{time:g}", Type(6.5, colour=SOFT, align="centre"))
    right, y = frame.place(frame.right, 0)
    write(canvas, (right, y - 18), "ms", Type(6.5, colour=SOFT, align="right"))


def _line(canvas: Canvas, frame: Frame, times: NDArray, values: NDArray) -> None:
    """Draw the curve."""
    path = canvas.beginPath()
    path.moveTo(*frame.place(float(times[0]), float(values[0])))
    for time, value in zip(times[1:], values[1:], strict=True):
        path.lineTo(*frame.place(float(time), float(value)))
    canvas.setStrokeColor(ACCENT)
    canvas.setLineWidth(1.6)
    canvas.setLineJoin(1)
    canvas.drawPath(path)


def _mark(canvas: Canvas, frame: Frame, at: tuple[float, float], name: str) -> None:
    """Draw a dot and its name on the curve."""
    x, y = frame.place(*at)
    canvas.setFillColor(ACCENT)
    canvas.circle(x, y, 2.6, stroke=0, fill=1)
    write(canvas, (x + 5, y - 9 if name == "ES" else y + 2), name, Type(7.5, bold=True))

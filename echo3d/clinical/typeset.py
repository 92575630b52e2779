"""One line of text on a page: what the report and its chart share."""

from __future__ import annotations

from dataclasses import dataclass

from reportlab.lib.colors import Color, HexColor
from reportlab.pdfgen.canvas import Canvas

INK, SOFT, LINE = HexColor("#1b2733"), HexColor("#66727e"), HexColor("#d5dbe1")
ALARM, ACCENT, PANEL = HexColor("#a8361f"), HexColor("#c94a42"), HexColor("#f4f6f8")


@dataclass(frozen=True, slots=True)
class Type:
    """How a line is set: points, weight, colour, and which of its ends ("left", "right", "centre") the place means."""

    size: float = 8.5
    bold: bool = False
    colour: Color = INK
    align: str = "left"


def write(canvas: Canvas, place: tuple[float, float], text: str, look: Type) -> None:
    """Draw one line of text with its base at ``place``, points from the lower left of the page."""
    canvas.setFont("Helvetica-Bold" if look.bold else "Helvetica", look.size)
    canvas.setFillColor(look.colour)
    {"left": canvas.drawString, "right": canvas.drawRightString, "centre": canvas.drawCentredString}[look.align](*place, text)

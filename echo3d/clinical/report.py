"""The one-page report: numbers with their intervals, the beating heart at its two ends, the pictures it was made from, and all warnings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from reportlab.lib.colors import Color, black, white
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph

from echo3d import __version__
from echo3d.clinical.chart import draw_curve
from echo3d.clinical.render import chamber_camera, front_camera, render_heart
from echo3d.clinical.shown import NOTICE, Shown, interval_name, shown
from echo3d.clinical.typeset import ACCENT, ALARM, INK, LINE, PANEL, SOFT, Type, write
from echo3d.clinical.volume import muscle_mass_g
from echo3d.core.mesh import Template
from echo3d.core.result import StudyResult
from echo3d.core.views import View

WIDTH, HEIGHT = A4
MARGIN = 36.0
INNER = WIDTH - 2 * MARGIN
WITHHELD = "withheld"

_HEART_PIXELS = 300
_THUMB_PIXELS = 320
_METHOD = "Volumes inside the closed 3D chamber surfaces (divergence theorem); not validated against a clinical reference."
_CREDIT = "Heart shapes learned from Rodero et al. 2021 and the shape model of Marciniak et al. (CC BY 4.0)."


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """What the drawing functions share: the canvas, the result, and the numbers that may be shown."""

    canvas: Canvas
    result: StudyResult
    template: Template
    numbers: Shown


def write_report(path: Path, result: StudyResult, template: Template, overlays: Mapping[tuple[View, str], NDArray[np.uint8]]) -> None:
    """Write the report as a PDF of one A4 page.

    Parameters
    ----------
    path : file to make
    result : the study's result
    template : its faces and cavities
    overlays : per view and phase ("ed", "es") the picture with the section laid over it, (H, W, 3) uint8
    """
    canvas = Canvas(str(path), pagesize=A4)
    canvas.setTitle("echo3d heart report")
    canvas.setSubject(NOTICE)
    page = Page(canvas, result, template, shown(result))
    top = _header(page, HEIGHT - MARGIN)
    top = _function(page, top - 14)
    top = _hearts(page, top - 20)
    top = _views(page, top - 20, overlays)
    _notes(page, top - 20)
    _footer(page)
    canvas.save()


def _header(page: Page, top: float) -> float:
    """Draw title, pseudonym and notice; return the lower edge."""
    canvas = page.canvas
    write(canvas, (MARGIN, top - 16), "Heart from 2D echo views", Type(17, bold=True))
    write(canvas, (WIDTH - MARGIN, top - 8), f"Patient {page.result.pseudonym}", Type(9.5, bold=True, align="right"))
    write(canvas, (WIDTH - MARGIN, top - 20), f"{date.today().isoformat()}  -  echo3d {__version__}", Type(8, colour=SOFT, align="right"))
    canvas.setFillColor(ALARM)
    canvas.roundRect(MARGIN, top - 46, INNER, 17, 3, stroke=0, fill=1)
    write(canvas, (WIDTH / 2, top - 41), NOTICE, Type(9.5, bold=True, colour=white, align="centre"))
    return top - 46


def _function(page: Page, top: float) -> float:
    """Draw the EF, the table of function, the chambers and the curve; return the lower edge."""
    left, middle, height = MARGIN, MARGIN + 0.50 * INNER, 184.0
    page.canvas.setFillColor(PANEL)
    page.canvas.roundRect(left, top - height, INNER, height, 5, stroke=0, fill=1)
    _big_ef(page, left + 12, top - 14)
    _table(page.canvas, (left + 12, top - 68), _function_rows(page), (70, 78, 92))
    _table(page.canvas, (left + 12, top - 138), _chamber_rows(page), (34, 51, 51, 51, 51))
    draw_curve(page.canvas, (middle + 18, top - height + 24, 0.5 * INNER - 30, height - 46), page.result, page.numbers)
    return top - height


def _big_ef(page: Page, left: float, top: float) -> None:
    """Draw the ejection fraction large, with its interval."""
    numbers = page.numbers
    text = WITHHELD if numbers.ef is None else f"{100 * numbers.ef:.0f} %"
    write(page.canvas, (left, top - 9), "LV ejection fraction", Type(8.5, colour=SOFT))
    write(page.canvas, (left, top - 38), text, Type(28 if numbers.ef is not None else 20, bold=True, colour=ACCENT))
    if "ef" in numbers.interval90:
        low, high = numbers.interval90["ef"]
        write(page.canvas, (left + 88, top - 29), f"90 % interval {100 * low:.0f} to {100 * high:.0f} %", Type(8.5, colour=SOFT))
    if numbers.doubts:
        write(page.canvas, (left + 88, top - 9), "doubtful, see below", Type(8.5, bold=True, colour=ALARM))
    count = len(page.result.clips)
    write(page.canvas, (left + 88, top - 40), f"3D surfaces from {count} view{'s' * (count > 1)}", Type(8.5, colour=SOFT))


def _function_rows(page: Page) -> list[tuple[str, ...]]:
    """Return the table of volumes with intervals."""
    numbers = page.numbers
    rows: list[tuple[str, ...]] = [("", "value", "90 % interval")]
    for title, name in (("LV EDV", "edv_ml"), ("LV ESV", "esv_ml"), ("Stroke volume", "sv_ml")):
        value, pair = getattr(numbers, name), numbers.interval90.get(name)
        shown_pair = "" if pair is None else f"{pair[0]:.0f} to {pair[1]:.0f} ml"
        rows.append((title, WITHHELD if value is None else f"{value:.0f} ml", shown_pair))
    return rows


def _chamber_rows(page: Page) -> list[tuple[str, ...]]:
    """Return the table of all chambers."""
    volumes = page.numbers.volumes_ml
    rows: list[tuple[str, ...]] = [("ml", "LV", "RV", "LA", "RA")]
    for phase in ("ed", "es"):
        rows.append((phase.upper(), *("-" if volumes is None else _with_half(page, key, phase) for key in ("lv", "rv", "la", "ra"))))
    return rows


def _with_half(page: Page, chamber: str, phase: str) -> str:
    """Return a chamber's volume, ml, and half its 90 % interval where there is one."""
    volumes, pair = page.numbers.volumes_ml or {}, page.numbers.interval90.get(interval_name(chamber, phase))
    value = f"{volumes[chamber][phase]:.0f}"
    return value if pair is None else f"{value} ± {(pair[1] - pair[0]) / 2:.0f}"


def _hearts(page: Page, top: float) -> float:
    """Draw the heart at both phases from the front and cut open; return the lower edge."""
    result, template, side = page.result, page.template, (INNER - 3 * 8) / 4
    front, inside = front_camera(result.ed.points, _HEART_PIXELS), chamber_camera(template, result.ed.points, _HEART_PIXELS)
    shots = (
        ("End-diastole", result.ed, front, False),
        ("End-systole", result.es, front, False),
        ("End-diastole, open", result.ed, inside, True),
        ("End-systole, open", result.es, inside, True),
    )
    for k, (title, heart, camera, cut) in enumerate(shots):
        left = MARGIN + k * (side + 8)
        look = Type(8.5, bold=True) if result.trusted else Type(8.5, bold=True, colour=ALARM)
        write(page.canvas, (left, top - 8), title if result.trusted else f"{title}: not trusted", look)
        picture = render_heart(template, heart.points, camera, cut=cut)
        _picture(page.canvas, picture, (left, top - 12 - side, side, side))
    return top - 12 - side


def _views(page: Page, top: float, overlays: Mapping[tuple[View, str], NDArray[np.uint8]]) -> float:
    """Draw the pictures of both phases with the section laid over them, one above the other, or side by side where there are few."""
    clips, gap = page.result.clips, 5.0
    beside = len(clips) <= 2
    across, largest = (2 * len(clips), 170.0) if beside else (len(clips), 100.0)
    side = min((INNER - (across - 1) * gap) / across, largest)
    for k, view in enumerate(clips):
        for row, phase in enumerate(("ed", "es")):
            left = MARGIN + (2 * k + row if beside else k) * (side + gap)
            low = top - 12 - side - (0.0 if beside else row * (side + gap))
            if beside or row == 0:
                write(page.canvas, (left, top - 8), view.title, Type(7.5, bold=True))
            _view_picture(page, view, phase, (left, low, side, side), overlays[view, phase])
    return top - 12 - side - (0.0 if beside else side + gap)


def _view_picture(page: Page, view: View, phase: str, box: tuple[float, float, float, float], picture: NDArray[np.uint8]) -> None:
    """Draw one picture, cropped to its fan, with phase and frame in its corner."""
    cropped = _cropped(picture, page.result.clips[view].fan.mask(*picture.shape[:2]))
    _picture(page.canvas, cropped, box, frame=True)
    frame = (page.result.ed_frame if phase == "ed" else page.result.es_frame)[view]
    write(page.canvas, (box[0] + 4, box[1] + 4), f"{phase.upper()}  frame {frame}", Type(6.0, colour=Color(1, 1, 1, 0.85)))


def _notes(page: Page, top: float) -> None:
    """Draw the warnings as long as they fit; the rest is counted."""
    write(page.canvas, (MARGIN, top - 8), "What to keep in mind", Type(8.5, bold=True))
    style = ParagraphStyle("note", fontName="Helvetica", fontSize=7.5, leading=9.5, textColor=INK, leftIndent=8, firstLineIndent=-8)
    notes = [*page.result.warnings, _METHOD]
    low, top = MARGIN + 20, top - 13
    for k, note in enumerate(notes):
        paragraph = Paragraph(f"- {_escaped(note)}", style)
        _, height = paragraph.wrap(INNER, HEIGHT)
        left_over = len(notes) - k
        if top - height < low + (10 if left_over > 1 else 0):
            write(page.canvas, (MARGIN, top - 8), f"- {left_over} more in result.json", Type(7.5))
            return
        paragraph.drawOn(page.canvas, MARGIN, top - height)
        top -= height + 1


def _footer(page: Page) -> None:
    """Draw the model line and the notice once more."""
    page.canvas.setStrokeColor(LINE)
    page.canvas.line(MARGIN, MARGIN + 12, WIDTH - MARGIN, MARGIN + 12)
    mass = f"LV muscle {muscle_mass_g(page.template, page.result.ed.points):.0f} g at ED.  " if page.numbers.volumes_ml else ""
    write(page.canvas, (MARGIN, MARGIN + 3), f"Model: {page.result.model}.  {mass}{_CREDIT}", Type(6.5, colour=SOFT))
    write(page.canvas, (WIDTH - MARGIN, MARGIN + 3), "Research use only", Type(6.5, bold=True, colour=ALARM, align="right"))


def _table(canvas: Canvas, corner: tuple[float, float], rows: list[tuple[str, ...]], widths: tuple[float, ...]) -> None:
    """Draw rows of text below ``corner``; the first is the header, the first column stands left, the others right."""
    left, top = corner
    for k, row in enumerate(rows):
        base, at = top - 4 - 13.5 * k, left
        for column, (cell, width) in enumerate(zip(row, widths, strict=True)):
            place = (at if column == 0 else at + width, base)
            plain = k == 0 or cell in (WITHHELD, "-")
            look = (7.5, SOFT) if plain else (9.0, INK)
            write(
                canvas, place, cell, Type(look[0], colour=look[1], bold=column == 1 and not plain, align="left" if column == 0 else "right")
            )
            at += width
        canvas.setStrokeColor(LINE)
        canvas.line(left, base - 3.5, left + sum(widths), base - 3.5)


def _picture(canvas: Canvas, picture: NDArray[np.uint8], box: tuple[float, float, float, float], *, frame: bool = False) -> None:
    """Draw an RGB picture into a box (left, low, width, height), its shape kept."""
    left, low, width, height = box
    if frame:
        canvas.setFillColor(black)
        canvas.roundRect(left, low, width, height, 3, stroke=0, fill=1)
    image = Image.fromarray(picture)
    image.thumbnail((_THUMB_PIXELS, _THUMB_PIXELS))
    store = BytesIO()
    image.save(store, "JPEG", quality=90)
    canvas.drawImage(ImageReader(store), left, low, width, height, preserveAspectRatio=True, anchor="c")


def _cropped(picture: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the part of a picture that holds the fan."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        return picture
    return np.ascontiguousarray(picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

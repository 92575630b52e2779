"""A scanner's whole screen round an echo picture, to try out what reads real ones: text, depth ticks, grey bar, focus mark and ECG."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from echo3d.core.sector import Fan
from echo3d.errors import ShapeError
from echo3d.style.glyphs import scaled_bitmap, text_bitmap
from echo3d.style.marks import dotted, ecg_wave, inked

Picture = NDArray[np.float32]
Box = tuple[int, int, int, int]
"""Top, left, bottom and right in pixels, the last two excluded."""

SCREENS = ((640, 480), (800, 600), (1024, 768))
"""Width and height of the screens drawn, as most machines export them."""
MARGIN = 8.0
"""Pixels round the fan that stay free of ink: a block of JPEG, which spreads what lies in it."""
_FOCUS = 5
"""Pixels by which the focus mark points from the ruler towards the picture."""
_LINE = 1.6
"""Distance of two lines of text, in heights of letters."""


@dataclass(frozen=True, slots=True)
class ScreenDraw:
    """How a machine lays out its screen.

    Parameters
    ----------
    seed : of the figures in the text
    width, height : of the screen, pixels
    picture : side of the square picture, pixels
    top, shift : rows above the picture, and columns by which it lies right of the middle
    letters : height of letters, pixels
    ink, trace_ink, background : grey values, 0-1
    ticks : side of the depth ticks, -1 left or 1 right; the grey bar stands on the other one
    beats : shown of the ECG
    """

    seed: int
    width: int
    height: int
    picture: int
    top: int
    shift: int
    letters: float
    ink: float
    trace_ink: float
    background: float
    ticks: int
    beats: float


@dataclass(frozen=True, slots=True)
class Shown:
    """What the screen tells of its picture.

    Parameters
    ----------
    title : name of the view
    pixel_mm : side of a pixel, mm
    frame_ms : length of a frame, ms
    heart_rate : beats per minute
    """

    title: str
    pixel_mm: float
    frame_ms: float
    heart_rate: float


@dataclass(frozen=True, slots=True, eq=False)
class Screen:
    """A screen and where its parts lie.

    Parameters
    ----------
    frame : (H, W) float32 in [0, 1]
    fan : in pixels of the frame
    picture : the square of the picture
    trace : the strip of the ECG
    """

    frame: Picture
    fan: Fan
    picture: Box
    trace: Box


def draw_screen(rng: np.random.Generator) -> ScreenDraw:
    """Return the layout of a machine.

    >>> draw_screen(np.random.default_rng(1)) == draw_screen(np.random.default_rng(1))
    True
    """
    width, height = SCREENS[rng.integers(len(SCREENS))]
    return ScreenDraw(
        seed=int(rng.integers(2**31)),
        width=width,
        height=height,
        picture=2 * round(height * rng.uniform(0.34, 0.38)),
        top=round(height * rng.uniform(0.03, 0.08)),
        shift=round(height * rng.uniform(-0.07, 0.07)),
        letters=float(height * rng.uniform(0.015, 0.022)),
        ink=float(rng.uniform(0.55, 1.0)),
        trace_ink=float(rng.uniform(0.5, 1.0)),
        background=float(rng.uniform(0.02, 0.06) if rng.random() < 0.3 else 0.0),
        ticks=int(rng.choice((-1, 1))),
        beats=float(rng.uniform(1.2, 4.0)),
    )


def screen_layout(picture: Picture, fan: Fan, draw: ScreenDraw, *, shown: Shown, beat: float = 0.0) -> Screen:
    """Return the screen that shows a picture; no ink lies on its fan.

    Parameters
    ----------
    picture : (P, P) float32 in [0, 1], P as ``draw.picture`` says
    fan : in pixels of the picture
    draw : see :func:`draw_screen`
    shown : what the text says
    beat : moment of the picture, in beats from the R wave; the marker on the ECG stands there

    Raises
    ------
    ShapeError
        If the picture has another size than the layout has room for.
    """
    if picture.shape != (draw.picture, draw.picture):
        side = draw.picture
        raise ShapeError(f"a picture on this screen must have shape {(side, side)}, found {picture.shape}; draw it at that size")
    box, trace = _picture_box(draw), _trace_box(draw)
    placed = Fan(fan.apex_row + box[0], fan.apex_column + box[1], fan.half_angle, fan.radius, fan.tilt)
    frame, area = _surroundings(placed, draw, shown).copy(), (slice(box[0], box[2]), slice(box[1], box[3]))
    frame[area] = np.where(placed.mask(*frame.shape)[area], picture, frame[area])
    column = trace[1] + (beat % draw.beats) / draw.beats * (trace[3] - trace[1])
    frame[trace[0] : trace[2], int(column) : int(column) + 2] = draw.trace_ink
    return Screen(frame, placed, box, trace)


def _picture_box(draw: ScreenDraw) -> Box:
    left = (draw.width - draw.picture) // 2 + draw.shift
    return draw.top, left, draw.top + draw.picture, left + draw.picture


def _trace_box(draw: ScreenDraw) -> Box:
    """Return the strip between the picture's foot and the screen's."""
    gap = round(MARGIN) + 4
    return draw.top + draw.picture + gap, draw.width // 12, draw.height - gap, draw.width - draw.width // 6


@lru_cache(maxsize=8)
def _surroundings(fan: Fan, draw: ScreenDraw, shown: Shown) -> Picture:
    """Return everything but picture and marker, (H, W), read-only."""
    frame = np.full((draw.height, draw.width), draw.background, np.float32)
    frame = _texts(frame, fan, draw, shown)
    frame = _ruler(frame, fan, draw, shown.pixel_mm)
    frame = _bar(frame, draw)
    frame = _ecg(frame, draw)
    frame[_grown(fan).mask(*frame.shape) & _near(draw)] = draw.background
    frame.flags.writeable = False
    return frame


def _grown(fan: Fan) -> Fan:
    """Return the fan with ``MARGIN`` pixels more on all sides."""
    back = MARGIN / np.sin(np.radians(fan.half_angle))
    turn = np.radians(fan.tilt)
    row, column = fan.apex_row - back * np.cos(turn), fan.apex_column - back * np.sin(turn)
    return Fan(float(row), float(column), fan.half_angle, float(fan.radius + back + MARGIN), fan.tilt)


def _near(draw: ScreenDraw) -> NDArray[np.bool_]:
    """Return (H, W) the picture's square with ``MARGIN`` pixels more on all sides: a wide fan may be cut off there."""
    top, left, bottom, right = _picture_box(draw)
    reach, mask = round(MARGIN), np.zeros((draw.height, draw.width), np.bool_)
    mask[max(top - reach, 0) : bottom + reach, max(left - reach, 0) : right + reach] = True
    return mask


def _texts(frame: Picture, fan: Fan, draw: ScreenDraw, shown: Shown) -> Picture:
    """Return the frame with lines in its upper corners and at the end of the ECG."""
    rng = np.random.default_rng(draw.seed)
    depth = f"DEPTH {fan.radius * shown.pixel_mm / 10:.0f}CM"
    left = [
        "SYNTHETIC",
        shown.title,
        f"FR {1000 / shown.frame_ms:.0f}HZ",
        depth,
        f"GN {rng.integers(30, 80)}",
        f"DR {rng.integers(50, 71)}",
    ]
    right = [f"MI {rng.uniform(0.5, 1.6):.1f}", f"TIS {rng.uniform(0.2, 1.5):.1f}", "HPEN" if rng.random() < 0.5 else "HGEN"]
    edge, step = round(draw.letters), _LINE * draw.letters
    for number, line in enumerate(left):
        frame = _written(frame, line, (edge + number * step, edge), draw)
    for number, line in enumerate(right):
        frame = _written(frame, line, (edge + number * step, draw.width - 9 * draw.letters), draw)
    trace = _trace_box(draw)
    return _written(frame, f"HR {shown.heart_rate:.0f} BPM", (trace[0], trace[3] + edge), draw)


def _written(frame: Picture, line: str, corner: tuple[float, float], draw: ScreenDraw) -> Picture:
    """Return the frame with a line of text."""
    return inked(frame, scaled_bitmap(text_bitmap(line), draw.letters), (int(corner[0]), int(corner[1])), draw.ink)


def _ruler(frame: Picture, fan: Fan, draw: ScreenDraw, pixel_mm: float) -> Picture:
    """Return the frame with a tick each centimetre beside the picture, a longer one with its number each five, and the focus mark."""
    box = _picture_box(draw)
    away = round(MARGIN) + _FOCUS
    column = box[3] + away if draw.ticks > 0 else box[1] - away
    for cm in range(int(fan.radius * pixel_mm / 10) + 1):
        row, length = fan.apex_row + 10 * cm / pixel_mm, 9 if cm % 5 == 0 else 4
        frame = dotted(frame, _bars(row, column, draw.ticks * length), draw.ink)
        if cm and cm % 5 == 0:
            aside = column + (14 if draw.ticks > 0 else -14 - 11 * draw.letters / 7)
            frame = _written(frame, f"{cm}", (row - draw.letters / 2, aside), draw)
    focus = fan.apex_row + np.random.default_rng(draw.seed).uniform(0.3, 0.7) * fan.radius
    for offset in range(-_FOCUS, _FOCUS + 1):
        frame = dotted(frame, _bars(focus + offset, column - draw.ticks, -draw.ticks * (_FOCUS - abs(offset))), draw.ink)
    return frame


def _bars(row: float, column: float, length: int) -> NDArray[np.float64]:
    """Return points of a horizontal line from (row, column), to the right where ``length`` is positive."""
    columns = column + np.arange(abs(length) + 1) * np.sign(length)
    return np.stack([np.full(len(columns), row), columns], axis=1)


def _bar(frame: Picture, draw: ScreenDraw) -> Picture:
    """Return the frame with the grey scale, white on top, beside the picture."""
    box, length, wide = _picture_box(draw), draw.height // 5, round(draw.letters)
    left = box[1] - 3 * wide if draw.ticks > 0 else box[3] + 2 * wide
    top = box[0] + draw.picture // 2
    result = frame.copy()
    result[top : top + length, left : left + wide] = np.linspace(1, 0, length, dtype=np.float32)[:, None]
    return result


def _ecg(frame: Picture, draw: ScreenDraw) -> Picture:
    """Return the frame with its ECG; the R wave of beat 0 stands at the strip's left end."""
    top, left, bottom, right = _trace_box(draw)
    columns = np.arange(left, right, 0.05)  # fine enough for the slope of the R wave
    wave = ecg_wave((columns - left) / (right - left) * draw.beats)
    rows = bottom - 1 - (wave + 0.3) / 1.3 * (bottom - 1 - top)
    return dotted(frame, np.stack([rows, columns], axis=1), draw.trace_ink)

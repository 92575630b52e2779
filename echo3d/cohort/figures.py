"""Small plots as pictures: histograms, curves, dots; drawn in PIL, so that a page needs no plotting library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]

INK, SOFT, LINE = (34, 40, 49), (110, 118, 129), (216, 220, 226)
COLOURS = ((52, 102, 175), (201, 74, 66), (226, 148, 58), (120, 94, 170), (60, 150, 120), (150, 110, 80), (90, 90, 100), (200, 110, 160))
"""Colours of groups, in their order."""

_GRAIN = 2


@dataclass(frozen=True, slots=True)
class Axes:
    """A plot's frame.

    Parameters
    ----------
    title : above the plot
    x, y : low and high end of what is shown
    x_title, y_title : names of the axes
    size : width and height in pixels
    """

    title: str
    x: tuple[float, float]
    y: tuple[float, float]
    x_title: str = ""
    y_title: str = ""
    size: tuple[int, int] = (380, 240)


def font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the built-in font at a size in pixels of the finished picture."""
    return ImageFont.load_default(size * _GRAIN)


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return round values within an interval.

    >>> ticks(0, 350)
    [0.0, 100.0, 200.0, 300.0]
    >>> ticks(-0.25, 0.0)
    [-0.25, -0.2, -0.15, -0.1, -0.05, 0.0]
    """
    raw = (high - low) / (most - 0.99)
    power = 10.0 ** np.floor(np.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * (1 - 1e-9))
    first = np.ceil(low / step - 1e-9) * step
    return [round(float(v), 10) + 0.0 for v in np.arange(first, high + step * 1e-6, step)]


@dataclass(frozen=True, slots=True, eq=False)
class Canvas:
    """A plot that is being drawn: its axes, its picture and its pen."""

    axes: Axes
    image: Image.Image
    pen: ImageDraw.ImageDraw

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the plotting area, in fine pixels."""
        width, height = self.axes.size
        return 46 * _GRAIN, 26 * _GRAIN, (width - 12) * _GRAIN, (height - 38) * _GRAIN

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return the fine pixel of a value."""
        left, top, right, bottom = self.box
        across = (x - self.axes.x[0]) / (self.axes.x[1] - self.axes.x[0])
        up = (y - self.axes.y[0]) / (self.axes.y[1] - self.axes.y[0])
        return left + across * (right - left), bottom - up * (bottom - top)

    def picture(self) -> Picture:
        """Return the finished picture, (H, W, 3) uint8."""
        return np.asarray(self.image.resize(self.axes.size, Image.Resampling.BOX).convert("RGB"))


def canvas(axes: Axes) -> Canvas:
    """Return a plot with its frame, grid and numbers drawn."""
    image = Image.new("RGB", (axes.size[0] * _GRAIN, axes.size[1] * _GRAIN), "white")
    plot = Canvas(axes, image, ImageDraw.Draw(image))
    left, top, right, bottom = plot.box
    for value in ticks(*axes.x):
        at = plot.place(value, axes.y[0])[0]
        plot.pen.line((at, top, at, bottom), fill=LINE, width=1)
        plot.pen.text((at, bottom + 4 * _GRAIN), f"{value:g}", fill=SOFT, font=font(10), anchor="mt")
    for value in ticks(*axes.y):
        at = plot.place(axes.x[0], value)[1]
        plot.pen.line((left, at, right, at), fill=LINE, width=1)
        plot.pen.text((left - 4 * _GRAIN, at), f"{value:g}", fill=SOFT, font=font(10), anchor="rm")
    plot.pen.text((left, 5 * _GRAIN), axes.title, fill=INK, font=font(13))
    plot.pen.text(((left + right) / 2, (axes.size[1] - 6) * _GRAIN), axes.x_title, fill=SOFT, font=font(10), anchor="mb")
    plot.pen.text((right, 8 * _GRAIN), axes.y_title, fill=SOFT, font=font(10), anchor="ra")
    return plot


def histogram(axes: Axes, groups: Mapping[str, NDArray], colours: Mapping[str, tuple[int, int, int]], bins: int = 28) -> Picture:
    """Return stacked bars of how many hearts of each group lie where; the y axis fits itself."""
    edges = np.linspace(*axes.x, bins + 1)
    counts = {name: np.histogram(np.clip(values, *axes.x), edges)[0] for name, values in groups.items()}
    top = float(max(np.sum(list(counts.values()), axis=0).max(), 1))
    plot = canvas(Axes(axes.title, axes.x, (0.0, 1.08 * top), axes.x_title, "hearts", axes.size))
    base = np.zeros(bins)
    for name, count in counts.items():
        for k in np.flatnonzero(count):
            (x0, y0), (x1, y1) = plot.place(edges[k], base[k]), plot.place(edges[k + 1], base[k] + count[k])
            plot.pen.rectangle((x0 + 1, y1, x1 - 1, y0), fill=colours[name])
        base = base + count
    return plot.picture()


def curves(axes: Axes, lines: Sequence[tuple[str, NDArray, NDArray]]) -> Picture:
    """Return named curves of x and y values in the colours' order, with their names at the top right."""
    plot = canvas(axes)
    for k, (name, x, y) in enumerate(lines):
        colour = COLOURS[k % len(COLOURS)]
        plot.pen.line([plot.place(float(a), float(b)) for a, b in zip(x, y, strict=True)], fill=colour, width=2 * _GRAIN, joint="curve")
        plot.pen.text((plot.box[2] - 4, plot.box[1] + (3 + 13 * k) * _GRAIN), name, fill=colour, font=font(11), anchor="ra")
    return plot.picture()


def dots(axes: Axes, groups: Mapping[str, tuple[NDArray, NDArray]], colours: Mapping[str, tuple[int, int, int]]) -> Picture:
    """Return one dot per heart."""
    plot = canvas(axes)
    for name, (x, y) in groups.items():
        for a, b in zip(x, y, strict=True):
            at = plot.place(float(a), float(b))
            plot.pen.ellipse((at[0] - 2 * _GRAIN, at[1] - 2 * _GRAIN, at[0] + 2 * _GRAIN, at[1] + 2 * _GRAIN), fill=colours[name])
    return plot.picture()


def sheet(rows: Sequence[tuple[str, Sequence[tuple[str, Picture]]]], margin: int = 96) -> Picture:
    """Return pictures of one size in rows, each row and picture with its name.

    Parameters
    ----------
    rows : name of the row, then name and (H, W, 3) picture of each cell
    margin : pixels for the rows' names
    """
    height, width = rows[0][1][0][1].shape[:2]
    columns = max(len(cells) for _, cells in rows)
    image = Image.new("RGB", (margin + columns * (width + 4), len(rows) * (height + 18)), "white")
    pen = ImageDraw.Draw(image)
    small = ImageFont.load_default(11)
    for i, (row, cells) in enumerate(rows):
        top = i * (height + 18)
        pen.multiline_text((4, top + height / 2), row, fill=INK, font=small, anchor="lm")
        for k, (name, picture) in enumerate(cells):
            left = margin + k * (width + 4)
            image.paste(Image.fromarray(picture), (left, top + 16))
            pen.text((left + width / 2, top + 2), name, fill=SOFT, font=small, anchor="mt")
    return np.asarray(image)

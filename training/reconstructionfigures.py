"""The paper's figures, drawn from what was measured: overlaps as boxes (Figure 3), best and worst heart (Figure 4), and Table 3 as dots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from echo3d.anatomy.template import load_template
from echo3d.clinical.render import Camera, render_surface
from echo3d.cohort.figures import COLOURS, INK, LINE, SOFT, Axes, Picture, dots, font, sheet, ticks
from echo3d.core.structures import TAGS
from training.heartmeasures import correlation
from training.occupancy import boundary
from training.published import TABLE3

RED, LIGHT, DARK = (214, 60, 52), (150, 200, 240), (34, 62, 150)
"""Target, template and prediction. *Source:* the colours of the paper's Figure 4."""

_ROW, _NAMES, _WIDTH, _GRAIN = 30, 190, 620, 2


def box_plot(title: str, values: Mapping[str, NDArray], ours: Sequence[str]) -> Picture:
    """Return lying boxes with whiskers of named values in [0, 1], best median first; ``ours`` in red.

    Boxes go from quartile to quartile, whiskers to the last value within 1.5 times their length, values beyond are dots.
    """
    order = sorted(values, key=lambda name: -float(np.median(values[name])))
    height = 56 + _ROW * len(order)
    image = Image.new("RGB", (_WIDTH * _GRAIN, height * _GRAIN), "white")
    pen = ImageDraw.Draw(image)
    pen.text((8 * _GRAIN, 6 * _GRAIN), title, fill=INK, font=font(13))
    for value in ticks(0, 1):
        x = _across(value)
        pen.line((x, 28 * _GRAIN, x, (height - 24) * _GRAIN), fill=LINE, width=1)
        pen.text((x, (height - 20) * _GRAIN), f"{value:g}", fill=SOFT, font=font(10), anchor="mt")
    for number, name in enumerate(order):
        _draw_box(pen, 28 + _ROW * (number + 0.5), (name, values[name]), RED if name in ours else COLOURS[0])
    return np.asarray(image.resize((_WIDTH, height), Image.Resampling.BOX))


def _across(value: float) -> float:
    return (_NAMES + value * (_WIDTH - _NAMES - 70)) * _GRAIN


def _draw_box(pen: ImageDraw.ImageDraw, middle: float, named: tuple[str, NDArray], colour: tuple[int, int, int]) -> None:
    """Draw one name with its box, whiskers, median and stray values at a height in pixels."""
    name, values = named
    y, half = middle * _GRAIN, 8 * _GRAIN
    low, median, high = (float(v) for v in np.quantile(values, (0.25, 0.5, 0.75)))
    near = values[(values >= low - 1.5 * (high - low)) & (values <= high + 1.5 * (high - low))]
    pen.text(((_NAMES - 8) * _GRAIN, y), name, fill=INK, font=font(11), anchor="rm")
    pen.line((_across(float(near.min())), y, _across(float(near.max())), y), fill=colour, width=_GRAIN)
    for end in (near.min(), near.max()):
        pen.line((_across(float(end)), y - half / 2, _across(float(end)), y + half / 2), fill=colour, width=_GRAIN)
    pen.rectangle((_across(low), y - half, _across(high), y + half), fill="white", outline=colour, width=_GRAIN)
    pen.line((_across(median), y - half, _across(median), y + half), fill=colour, width=2 * _GRAIN)
    for stray in values[(values < near.min()) | (values > near.max())]:
        x = _across(float(stray))
        pen.ellipse((x - _GRAIN, y - _GRAIN, x + _GRAIN, y + _GRAIN), fill=colour)
    pen.text(((_WIDTH - 8) * _GRAIN, y), f"{median:.3f}", fill=SOFT, font=font(11), anchor="rm")


def round_cameras(points: NDArray, size: int) -> list[tuple[str, Camera]]:
    """Return four cameras a quarter turn apart round a heart (N, 3), all of one scale: from the front, the left, behind and the right."""
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    mm = 2.08 * float(np.linalg.norm(points - centre, axis=1).max()) / size
    up = np.array([0.0, 0.0, 1.0])
    toward = {"front": (0.0, -1.0, 0.0), "left": (1.0, 0.0, 0.0), "behind": (0.0, 1.0, 0.0), "right": (-1.0, 0.0, 0.0)}
    return [(name, Camera(np.stack([np.cross(up, near), up, np.array(near)]), centre, mm, size)) for name, near in toward.items()]


def laid_over(hearts: Sequence[tuple[NDArray, tuple[int, int, int]]], camera: Camera) -> Picture:
    """Return two hearts (N, 3) in one picture, each in its colour: where both are seen their colours mix, elsewhere one shows alone."""
    faces = boundary(TAGS)
    one, other = (render_surface(np.asarray(points, dtype=float), faces, _even(colour, len(faces)), camera) for points, colour in hearts)
    both = (one < 255).any(axis=2) & (other < 255).any(axis=2)
    mixed = (one.astype(np.uint16) + other) // 2
    return np.where(both[..., None], mixed, np.minimum(one, other)).astype(np.uint8)


def _even(colour: tuple[int, int, int], count: int) -> NDArray[np.float64]:
    return np.broadcast_to(np.array(colour, dtype=float), (count, 3))


def case_sheet(cases: Sequence[tuple[str, NDArray, NDArray]], size: int = 220) -> Picture:
    """Return Figure 4: for each case, four views of the template over the target, and of the prediction over the target.

    Parameters
    ----------
    cases : name, true points (N, 3) and predicted points (N, 3)
    """
    template, rows = load_template().points, []
    for name, truth, said in cases:
        cameras = round_cameras(np.concatenate([truth, said, template]), size)
        for other, heart, colour in (("template", template, LIGHT), ("prediction", said, DARK)):
            cells = [(view, laid_over([(truth, RED), (heart, colour)], camera)) for view, camera in cameras]
            rows.append((f"{name}\n{other}\non target", cells))
    return sheet(rows, 130)


def strain_plot(gls: NDArray, ef: Mapping[str, NDArray]) -> Picture:
    """Return EF against GLS: the paper's 14 patients, and test hearts by each answer.

    Parameters
    ----------
    gls : (P,) per cent, of the true hearts
    ef : fractions (P,) by the name of who said them; at most three are drawn
    """
    printed = np.array(TABLE3)
    groups = {"the paper": (printed[:, 0], 100 * printed[:, 1])} | {name: (gls, 100 * said) for name, said in list(ef.items())[:3]}
    drawn = dict(sorted(groups.items(), key=lambda item: item[0] == "the paper"))  # its few dots on top
    colours = dict(zip(groups, (COLOURS[0], COLOURS[1], COLOURS[2], COLOURS[4]), strict=False))
    axes = Axes("", (-34.0, 0.0), (0.0, 90.0), "GLS of the true heart (the paper: by clinicians), %", "EF, %", (640, 400))
    picture = Image.fromarray(dots(axes, drawn, colours))
    pen = ImageDraw.Draw(picture)
    for number, (name, (x, y)) in enumerate(groups.items()):
        pen.text(
            (60, 32 + 15 * number),
            f"{name}: r {correlation(x, y):.3f}, {len(x)} hearts",
            fill=colours[name],
            font=ImageFont.load_default(12),
        )
    return np.asarray(picture)

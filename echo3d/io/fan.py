"""The fan of an echo view found in its pixels: two straight sides that meet at the tip, and an arc.

Source: our choice. The standard objects store only a rectangle (PS3.3 C.8.5.5), so the sides are fitted to the outline of
the echo by sampling (RANSAC, Fischler and Bolles 1981): the best lines touch the outline in many rows and leave little outside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from echo3d.core.sector import Fan
from echo3d.io.dicom_regions import Rectangle
from echo3d.io.fan_evidence import Edge, echo_mask, edges, reaches

THRESHOLDS = (4, 9, 18, 36)
"""Grey values over the background that are tried; the one with the clearest sides wins."""

SLOPES = (np.tan(np.radians(8)), np.tan(np.radians(62)))
"""How far a side may lean, as columns per row."""

SAMPLES, KEPT = 700, 40

OUTSIDE = 2.5
"""What a row with echo outside a side costs, as rows that touch it: a shadow may hide echo, nothing makes it outside."""


@dataclass(frozen=True, slots=True)
class FoundFan:
    """A fan and whether the picture shows it clearly.

    Parameters
    ----------
    fan : in pixels
    clear : false where the fan is only an estimate from the rectangle
    """

    fan: Fan
    clear: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Lines:
    """Lines ``column = offset + slope * row``, best first, with their scores."""

    offset: NDArray[np.float64]
    slope: NDArray[np.float64]
    score: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Cone:
    """Two sides that meet: (offset, slope) of the left and the right one, and their score in rows."""

    left: tuple[float, float]
    right: tuple[float, float]
    score: float

    @property
    def apex(self) -> tuple[float, float]:
        """Row and column where the sides meet."""
        row = (self.left[0] - self.right[0]) / (self.right[1] - self.left[1])
        return row, self.left[0] + self.left[1] * row

    @property
    def angles(self) -> tuple[float, float]:
        """Degrees of the left and the right side against straight down."""
        return float(np.degrees(np.arctan(self.left[1]))), float(np.degrees(np.arctan(self.right[1])))


def find_fan(stack: NDArray[np.uint8], region: Rectangle | None = None, tip: tuple[float, float] | None = None) -> FoundFan:
    """Return the fan of a clip.

    Parameters
    ----------
    stack : (T, H, W) uint8, some frames spread over the clip
    region : the rectangle that the header gives for the two-dimensional picture, if any
    tip : (row, column) of the header's reference pixel, if any; believed where the pixels agree with it. Where it lies at
        the middle of the region's upper edge, the region is the box round a fan, and that fan is believed likewise: dark
        sides make the fan of the pixels too narrow.
    """
    best: tuple[float, _Cone, NDArray[np.bool_]] | None = None
    for threshold in THRESHOLDS:
        mask = echo_mask(stack, threshold, region)
        cone = _cone(mask, region)
        if cone is not None and (best is None or cone.score > 1.05 * best[0]):
            best = (cone.score, cone, mask)
    header = _header_fan(stack.shape[1:], region, tip)
    found = None if best is None else _with_arc(best[1], best[2], region, tip)
    if header is not None and (_agrees(header, found) if found is not None else _covers(header, stack, region)):
        return FoundFan(header, True)
    return FoundFan(rectangle_fan(stack.shape[1:], region), False) if found is None else FoundFan(found, True)


def rectangle_fan(shape: tuple[int, ...], region: Rectangle | None) -> Fan:
    """Return the fan whose bounding box is the region, or our own picture grid's 75 degrees where there is none.

    >>> fan = rectangle_fan((240, 320), Rectangle(10, 60, 210, 260))
    >>> fan.apex_column, round(fan.half_angle, 1), fan.radius
    (160.0, 30.0, 200.0)
    """
    if region is None:
        return Fan(0.0, shape[1] / 2, 37.5, float(shape[0]))
    depth, width = region.bottom - region.top, region.right - region.left
    half = float(np.degrees(np.arcsin(min(width / 2 / depth, 0.85))))
    return Fan(float(region.top), (region.left + region.right) / 2, half, float(depth))


def _tolerance(edge: Edge) -> float:
    """Return how near a row's outermost echo must be to touch a side, in pixels."""
    return max(1.2, float(np.ptp(edge.rows)) / 250)


def _touch(edge: Edge, offset: NDArray, slope: NDArray) -> NDArray[np.float64]:
    """Return per line how many rows touch it less what echo outside it costs."""
    gap = edge.side * (edge.columns - offset[:, None] - slope[:, None] * edge.rows) / np.sqrt(1 + slope[:, None] ** 2)
    tolerance = _tolerance(edge)
    touching = np.clip(1 - (gap / tolerance) ** 2, 0, None)
    return np.asarray((touching - OUTSIDE * (gap > 2 * tolerance)).sum(axis=1))


def _lines(edge: Edge) -> _Lines | None:
    """Return the best of many lines through two sampled points of one side."""
    if len(edge.rows) < 20:
        return None
    rng = np.random.default_rng(20240101)
    one, two = rng.integers(0, len(edge.rows), (2, SAMPLES))
    rise = edge.rows[two] - edge.rows[one]
    apart = np.abs(rise) >= max(8, 0.06 * np.ptp(edge.rows))
    slope = (edge.columns[two] - edge.columns[one])[apart] / rise[apart]
    offset = edge.columns[one][apart] - slope * edge.rows[one][apart]
    leaning = (edge.side * slope >= SLOPES[0]) & (edge.side * slope <= SLOPES[1])
    if not leaning.any():
        return None
    score = _touch(edge, offset[leaning], slope[leaning])
    order = np.argsort(-score)[:KEPT]
    return _Lines(offset[leaning][order], slope[leaning][order], score[order])


def _cone(mask: NDArray[np.bool_], region: Rectangle | None) -> _Cone | None:
    """Return the two sides that fit a mask best, None where there are none worth the name."""
    left, right = edges(mask, region)
    lines = _lines(left), _lines(right)
    if lines[0] is None or lines[1] is None:
        return None
    tilt = np.degrees(np.arctan(lines[0].slope))[:, None] + np.degrees(np.arctan(lines[1].slope))[None]
    score = lines[0].score[:, None] + lines[1].score[None] - 0.004 * np.abs(tilt) * mask.shape[0]
    row = (lines[0].offset[:, None] - lines[1].offset[None]) / (lines[1].slope[None] - lines[0].slope[:, None])
    score[(np.abs(tilt) > 40) | (row < -mask.shape[0]) | (row > 0.7 * mask.shape[0])] = -np.inf
    one, two = np.unravel_index(int(score.argmax()), score.shape)
    if score[one, two] < max(30, 0.12 * mask.shape[0]):
        return None
    sides = _refined(left, lines[0].offset[one], lines[0].slope[one]), _refined(right, lines[1].offset[two], lines[1].slope[two])
    return _Cone(*sides, float(score[one, two]))


def _refined(edge: Edge, offset: np.float64, slope: np.float64) -> tuple[float, float]:
    """Return the least-squares line through the rows that touch a line, twice over."""
    for _ in range(2):
        gap = (edge.columns - offset - slope * edge.rows) / np.hypot(1, slope)
        near = np.abs(gap) < 1.5 * _tolerance(edge)
        if near.sum() >= 8:
            slope, offset = np.polyfit(edge.rows[near], edge.columns[near], 1)
    return float(offset), float(slope)


def _with_arc(cone: _Cone, mask: NDArray[np.bool_], region: Rectangle | None, tip: tuple[float, float] | None) -> Fan:
    """Return the fan of a cone: its radius is the reach that most beams share.

    A tip close to the header's is the header's; a picture dark below two thirds of its region ends where the region does.
    """
    close = tip is not None and np.hypot(tip[0] - cone.apex[0], tip[1] - cone.apex[1]) <= 0.015 * sum(mask.shape)
    apex = tip if tip is not None and close else cone.apex
    low, high = cone.angles
    floor = (mask.shape[0] if region is None else region.bottom) - apex[0]
    radius = _radius(reaches(mask, apex, (low, high)), floor)
    if region is not None and radius < 0.7 * floor:
        radius = floor
    return Fan(float(apex[0]), float(apex[1]), (high - low) / 2, radius, (high + low) / 2)


def _header_fan(shape: tuple[int, ...], region: Rectangle | None, tip: tuple[float, float] | None) -> Fan | None:
    """Return the fan whose box is the region where the reference pixel says that the region is such a box."""
    if region is None or tip is None:
        return None
    fan = rectangle_fan(shape, region)
    return fan if max(abs(tip[0] - fan.apex_row), abs(tip[1] - fan.apex_column)) <= 2 else None


def _agrees(header: Fan, found: Fan) -> bool:
    """Whether the pixels' fan has the header's tip and arc and its width, or lacks a few degrees as dark sides make it.

    One side may lack up to 10 degrees, the better one 4: a box that is merely wide would leave as much on both.
    """
    tip = np.hypot(header.apex_row - found.apex_row, header.apex_column - found.apex_column) <= 0.015 * header.radius + 1
    missing = sorted(header.half_angle - found.half_angle + side * found.tilt for side in (-1, 1))
    wide = missing[0] >= -1 and missing[0] <= 4 and missing[1] <= 10
    return bool(tip and wide and abs(header.radius - found.radius) <= 0.02 * header.radius)


def _covers(header: Fan, stack: NDArray[np.uint8], region: Rectangle | None) -> bool:
    """Whether nearly all echo lies in the header's fan and ends at its arc, though its sides are too dark to be seen."""
    mask = echo_mask(stack, THRESHOLDS[1], region)
    if mask.mean() < 0.01 or mask[header.mask(*mask.shape)].sum() < 0.99 * mask.sum():
        return False
    reach = reaches(mask, (header.apex_row, header.apex_column), (-header.half_angle, header.half_angle))
    return abs(_radius(reach, 0.0) - header.radius) <= 0.02 * header.radius


def _radius(reach: NDArray[np.float64], fallback: float) -> float:
    """Return the reach that most beams share with few going beyond it, the fallback where fewer than a tenth agree."""
    candidates = reach[reach > 0]
    if not len(candidates):
        return float(fallback)
    tolerance = max(1.5, 0.006 * float(candidates.max()))
    gap = reach[None] - candidates[:, None]
    score = np.clip(1 - (gap / tolerance) ** 2, 0, None).sum(axis=1) - (gap > 2 * tolerance).sum(axis=1)
    best = int(score.argmax())
    if score[best] < 0.1 * len(reach):
        return float(max(fallback, np.quantile(candidates, 0.9)))
    return float(np.mean(candidates[np.abs(candidates - candidates[best]) < tolerance])) + 0.5

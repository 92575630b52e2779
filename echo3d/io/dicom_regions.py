"""Millimetres per pixel and the picture's rectangle from the ultrasound regions of a DICOM file."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom import Dataset

CENTIMETRE = 3
"""The only physical unit of a region that is a length. Source: PS3.3 C.8.5.5.1.15."""

SCREENS = ((640, 480), (720, 480), (720, 576), (768, 576), (800, 600), (1024, 768), (1280, 720), (1280, 1024), (1600, 1200), (1920, 1080))
"""Width and height of the screens that echo machines are built with."""

UNCALIBRATED = "The file states no usable pixel size: uncalibrated, volumes cannot be given in ml."


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A part of the picture in pixels; the last row and column are excluded."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the regions say about the picture as it is stored.

    Parameters
    ----------
    pixel_mm : (row, column) spacing in mm, or None
    region : the rectangle of the two-dimensional picture, or None
    tip : (row, column) of the region's reference pixel, or None
    warnings : one sentence each
    """

    pixel_mm: tuple[float, float] | None
    region: Rectangle | None = None
    tip: tuple[float, float] | None = None
    warnings: tuple[str, ...] = ()


def read_calibration(dataset: Dataset, height: int, width: int) -> Calibration:
    """Return the calibration of a stored picture of ``height`` rows and ``width`` columns.

    The region is the largest one of two-dimensional tissue (or tissue with colour flow). Its size is a length only
    where both units are centimetres. Where its rectangle does not fit the stored picture, the picture was made smaller
    (same proportions as a screen that the rectangle fits) or cropped, and is treated so.

    Source: PS3.3 C.8.5.5 (US Region Calibration), tags (0018,6011) and below; (0028,0030), (0018,1164).
    """
    region = _largest(dataset)
    if region is None:
        return _from_spacing(dataset)
    shrink, note = _shrink(region, height, width)
    if shrink is None:
        return Calibration(None, warnings=(note or UNCALIBRATED, UNCALIBRATED))
    rectangle = _rectangle(region, shrink, height, width)
    mm = _delta_mm(region, shrink)
    notes = [] if mm is None or note is None else [note.format(mm=mm[1])]
    return Calibration(mm, rectangle, _tip(region, shrink), tuple(notes if mm else [UNCALIBRATED]))


def _whole(item: Dataset, keyword: str) -> int | None:
    value = item.get(keyword)
    return None if value is None or value == "" else int(value)


def _bounds(item: Dataset) -> tuple[int, int, int, int] | None:
    """Return left, top, right, bottom of a region, the last two excluded."""
    words = ("RegionLocationMinX0", "RegionLocationMinY0", "RegionLocationMaxX1", "RegionLocationMaxY1")
    values = [_whole(item, word) for word in words]
    if any(value is None for value in values):
        return None
    left, top, right, bottom = (int(value or 0) for value in values)
    return (left, top, right + 1, bottom + 1) if right > left and bottom > top else None


def _largest(dataset: Dataset) -> Dataset | None:
    """Return the region of a two-dimensional picture with the largest area, high priority first."""
    best: tuple[int, int] | None = None
    chosen = None
    for item in dataset.get("SequenceOfUltrasoundRegions") or []:
        bounds = _bounds(item)
        if bounds is None or _whole(item, "RegionSpatialFormat") != 1 or _whole(item, "RegionDataType") not in (1, 2):
            continue
        area = (bounds[2] - bounds[0]) * (bounds[3] - bounds[1])
        rank = (area, 1 - ((_whole(item, "RegionFlags") or 0) & 1))
        if best is None or rank > best:
            best, chosen = rank, item
    return chosen


def _shrink(region: Dataset, height: int, width: int) -> tuple[float | None, str | None]:
    """Return the factor from region pixels to stored pixels with a sentence where it is not plainly one."""
    left, top, right, bottom = _bounds(region) or (0, 0, width, height)
    if right <= width + 2 and bottom <= height + 2:
        return 1.0, None
    for screen_width, screen_height in SCREENS:
        same_shape = abs(screen_width * height - screen_height * width) <= max(screen_width, screen_height)
        if same_shape and right <= screen_width + 2 and bottom <= screen_height + 2:
            text = f"The stored picture is {width} x {height} but its region tags describe {screen_width} x {screen_height}"
            return width / screen_width, f"{text}, so a pixel is taken as {{mm:.3f}} mm, {screen_width / width:.3g} times the tagged size."
    if (right <= width + 2 or bottom <= height + 2) and left < width and top < height:
        return 1.0, "The picture is smaller than its region tags describe and seems cropped; the tagged pixel size is used."
    return None, "The region tags do not fit the stored picture."


def _rectangle(region: Dataset, shrink: float, height: int, width: int) -> Rectangle:
    left, top, right, bottom = (round(value * shrink) for value in _bounds(region) or (0, 0, width, height))
    return Rectangle(max(top, 0), max(left, 0), min(bottom, height), min(right, width))


def _delta_mm(region: Dataset, shrink: float) -> tuple[float, float] | None:
    """Return (row, column) spacing in mm of stored pixels where both directions are lengths."""
    units = _whole(region, "PhysicalUnitsXDirection"), _whole(region, "PhysicalUnitsYDirection")
    across, down = (abs(float(region.get(word) or 0)) for word in ("PhysicalDeltaX", "PhysicalDeltaY"))
    return _plausible(10 * down / shrink, 10 * across / shrink) if units == (CENTIMETRE, CENTIMETRE) else None


def _plausible(row: float, column: float) -> tuple[float, float] | None:
    """Return the spacing unless it is outside what an echo picture can have (0.01 to 5 mm)."""
    return (row, column) if 0.01 <= row <= 5 and 0.01 <= column <= 5 else None


def _tip(region: Dataset, shrink: float) -> tuple[float, float] | None:
    """Return the reference pixel in the picture; the tags count it from the region's corner. Source: PS3.3 C.8.5.5.1.12."""
    across, down, bounds = _whole(region, "ReferencePixelX0"), _whole(region, "ReferencePixelY0"), _bounds(region)
    if across is None or down is None or bounds is None:
        return None
    return (bounds[1] + down) * shrink, (bounds[0] + across) * shrink


def _from_spacing(dataset: Dataset) -> Calibration:
    """Return the calibration of a file without regions: pixel spacing, then imager spacing."""
    for word in ("PixelSpacing", "ImagerPixelSpacing"):
        value = dataset.get(word)
        if value is not None and len(value) == 2 and _plausible(float(value[0]), float(value[1])):
            note = "The pixel size comes from the general spacing tag, not from ultrasound regions; check it against the depth scale."
            return Calibration((float(value[0]), float(value[1])), warnings=(note,))
    return Calibration(None, warnings=(UNCALIBRATED,))

"""The last step of every reader: from pictures and what is known of them to a clip."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from echo3d.core.images import EchoClip, Source
from echo3d.core.sector import Fan
from echo3d.core.views import View
from echo3d.io.dicom_regions import Calibration, Rectangle
from echo3d.io.dicom_time import Timing
from echo3d.io.fan import find_fan
from echo3d.io.frames import LazyFrames, Pictures, masked, spread

FAN_FRAMES = 12
"""Frames looked at to find the fan."""

COLOURED_SHARE = 0.005

COLOURED = "The clip holds colour (colour Doppler?), which hides tissue; a plain grey clip of this view gives a better heart."
NO_VIEW = "The view of this clip is not recognised; name it with --view, for example --view a4c=FILE."
NO_FAN = "The edges of the fan are not clear in the picture; its place is an estimate, please check it."


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What a reader found, before the fan is known.

    Parameters
    ----------
    pictures : the frames
    view : the view, or None
    source : label and how the view was recognised, with the reader's warnings
    calibration, timing : size and time
    """

    pictures: Pictures
    view: View | None
    source: Source
    calibration: Calibration
    timing: Timing | None


def build_clip(reading: Reading) -> EchoClip:
    """Find the fan, black out everything outside it, and add the warnings that the pixels call for."""
    pictures = reading.pictures
    plain = LazyFrames(pictures.count, pictures.grey)
    stack = np.stack([plain[index] for index in spread(pictures.count, FAN_FRAMES)])
    found = find_fan(stack, reading.calibration.region, reading.calibration.tip)
    mask = _kept(found.fan, pictures, reading.calibration.region)
    warnings = [*reading.source.warnings, *reading.calibration.warnings]
    warnings += [NO_FAN] * (not found.clear) + [COLOURED] * _coloured(pictures, mask) + [NO_VIEW] * (reading.view is None)
    return EchoClip(
        view=reading.view,
        frames=masked(plain, mask),
        pixel_mm=reading.calibration.pixel_mm,
        frame_ms=None if reading.timing is None else reading.timing.frame_ms,
        source=replace(reading.source, warnings=tuple(warnings)),
        fan=found.fan,
        r_waves_ms=() if reading.timing is None else reading.timing.r_waves_ms,
    )


def _kept(fan: Fan, pictures: Pictures, region: Rectangle | None) -> NDArray[np.bool_]:
    """Return the (H, W) mask of pixels within the fan and within the header's rectangle: what is shown."""
    mask = fan.mask(pictures.height, pictures.width)
    if region is not None:
        rows, columns = np.ogrid[: pictures.height, : pictures.width]
        mask &= (rows >= region.top) & (rows < region.bottom) & (columns >= region.left) & (columns < region.right)
    return mask


def _coloured(pictures: Pictures, mask: NDArray[np.bool_]) -> bool:
    """Whether the fan of the first or the middle frame is coloured."""
    return any(coloured(pictures, index, mask) for index in {0, pictures.count // 2})


def coloured(pictures: Pictures, index: int, mask: NDArray[np.bool_]) -> bool:
    """Return whether more than half a per cent of the fan (H, W) is clearly coloured in a frame, as colour Doppler makes it."""
    return bool(mask.any()) and float(pictures.tinted(index)[mask].mean()) > COLOURED_SHARE

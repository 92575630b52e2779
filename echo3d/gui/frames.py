"""Decoded frames of the open study, cropped to the fan and filled by a background thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from echo3d.core.images import EchoClip
from echo3d.core.sector import Fan
from echo3d.core.views import View

BUDGET = 200_000_000
"""Bytes that one clip may take; larger clips are shown at half, a third ... of their resolution."""


@dataclass(frozen=True, slots=True)
class Crop:
    """The part of a picture that is shown: rows and columns (whole pixels), and every how many pixels are kept."""

    top: int
    left: int
    height: int
    width: int
    stride: int = 1


def crop_of(fan: Fan, height: int, width: int, count: int) -> Crop:
    """Return the rectangle round the fan with a small margin, within the picture.

    >>> crop_of(Fan(0, 50, 30, 100), 100, 100, 1)
    Crop(top=0, left=0, height=100, width=100, stride=1)
    """
    left_edge, right_edge = (np.radians(fan.tilt + side * fan.half_angle) for side in (-1, 1))
    margin = 0.03 * fan.radius
    reach = fan.radius * max(np.cos(left_edge), np.cos(right_edge), np.cos(np.radians(fan.tilt)))
    top = int(np.clip(fan.apex_row - margin, 0, height - 2))
    bottom = int(np.clip(fan.apex_row + reach + margin, top + 2, height))
    left = int(np.clip(fan.apex_column + fan.radius * np.sin(left_edge) - margin, 0, width - 2))
    right = int(np.clip(fan.apex_column + fan.radius * np.sin(right_edge) + margin, left + 2, width))
    stride = int(np.ceil(np.sqrt(count * (bottom - top) * (right - left) / BUDGET)))
    return Crop(top, left, bottom - top, right - left, max(stride, 1))


class FrameStore:
    """The frames of each view's clip as far as they are decoded; filled by one thread, read by another.

    Parameters
    ----------
    clips : the clip shown for each view
    """

    def __init__(self, clips: Mapping[View, EchoClip]) -> None:
        self.clips = dict(clips)
        self.crops: dict[View, Crop] = {}
        self._frames: dict[View, list[NDArray[np.uint8] | None]] = {view: [None] * len(clip.frames) for view, clip in clips.items()}
        self.stopped = False

    def fill(self, ready: Callable[[], None]) -> None:
        """Decode the first frame of every view, say ``ready``, then decode the rest."""
        for view in self.clips:
            self._decode(view, 0)
        ready()
        for view, frames in self._frames.items():
            for index in range(1, len(frames)):
                self._decode(view, index)
        ready()

    def _decode(self, view: View, index: int) -> None:
        if self.stopped:
            return
        clip = self.clips[view]
        picture = np.asarray(clip.frames[index])
        crop = self.crops.setdefault(view, crop_of(clip.fan, picture.shape[0], picture.shape[1], len(clip.frames)))
        part = picture[crop.top : crop.top + crop.height : crop.stride, crop.left : crop.left + crop.width : crop.stride]
        self._frames[view][index] = np.ascontiguousarray(part)

    def frame(self, view: View, index: int) -> NDArray[np.uint8] | None:
        """Return a frame, or the nearest earlier one that is decoded, or None."""
        frames = self._frames.get(view, [])
        for position in range(min(index, len(frames) - 1), -1, -1):
            if frames[position] is not None:
                return frames[position]
        return None

"""Grey frames decoded when asked for, with a small memory of the last ones."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from echo3d.core.images import Frames
from echo3d.io._cv import channel_range, luminance

CACHE_BYTES = 32_000_000
"""What one clip may keep decoded: a beat of 60 frames at 800 x 600."""

TINT = 60
"""Grey values that the channels of a colour lie apart; a grey picture's stay closer, also after compression. Our choice."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """The undecoded frames of a clip.

    Parameters
    ----------
    count, height, width : frames, rows, columns
    grey : index to (H, W) uint8
    colour : index to (H, W) or (H, W, 3) uint8, as shown on the screen of the machine
    tint : index to (H, W) bool, where a frame is clearly coloured; None where ``colour`` tells it of every frame
    """

    count: int
    height: int
    width: int
    grey: Callable[[int], NDArray[np.uint8]]
    colour: Callable[[int], NDArray[np.uint8]]
    tint: Callable[[int], NDArray[np.bool_]] | None = None

    def tinted(self, index: int) -> NDArray[np.bool_]:
        """Return where a frame is clearly coloured, (H, W)."""
        return tinted(self.colour(index)) if self.tint is None else self.tint(index)


class LazyFrames:
    """Frames by index through a decoder; the last decoded ones are kept. Safe to use from several threads."""

    def __init__(self, count: int, decode: Callable[[int], NDArray[np.uint8]]) -> None:
        self._count = count
        self._decode = decode
        self._kept: OrderedDict[int, NDArray[np.uint8]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        """Return the number of frames."""
        return self._count

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        """Return one frame as a read-only (H, W) uint8 array; negative indices count from the end."""
        position = index + self._count if index < 0 else index
        if not 0 <= position < self._count:
            raise IndexError(f"the clip has {self._count} frames, asked for {index}")
        with self._lock:
            if position in self._kept:
                self._kept.move_to_end(position)
                return self._kept[position]
        frame = self._decode(position)
        frame.flags.writeable = False
        self._keep(position, frame)
        return frame

    def _keep(self, position: int, frame: NDArray[np.uint8]) -> None:
        with self._lock:
            self._kept[position] = frame
            while len(self._kept) > max(1, CACHE_BYTES // max(1, frame.nbytes)):
                self._kept.popitem(last=False)


def masked(frames: Frames, mask: NDArray[np.bool_]) -> LazyFrames:
    """Return the frames with everything outside the mask black: no text, no trace, no name burned in."""
    return LazyFrames(len(frames), lambda index: np.where(mask, frames[index], np.uint8(0)))


def to_grey(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the luminance of a grey or RGB picture (ITU-R 601); equal channels give their value.

    >>> to_grey(np.full((1, 1, 3), 77, np.uint8))
    array([[77]], dtype=uint8)
    """
    if picture.ndim == 2:
        return np.ascontiguousarray(picture)
    return luminance(picture)


def tinted(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return where a grey or RGB picture is clearly coloured: its channels lie more than ``TINT`` apart.

    >>> tinted(np.array([[[10, 10, 10], [200, 90, 90]]], np.uint8))
    array([[False,  True]])
    """
    if picture.ndim == 2:
        return np.zeros(picture.shape, bool)
    return np.asarray(channel_range(picture) > TINT)


def spread(count: int, wanted: int) -> list[int]:
    """Return at most ``wanted`` frame numbers spread evenly over a clip.

    >>> spread(30, 4)
    [0, 10, 19, 29]
    """
    return sorted({int(i) for i in np.linspace(0, count - 1, min(count, wanted)).round()})

"""Short films as GIF, which every slide and page shows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from echo3d.errors import InputError

_LEAST_MS = 20
"""Browsers show frames that last less as if they lasted 100 ms."""


def write_gif(path: Path, frames: Sequence[NDArray[np.uint8]], *, frame_ms: float) -> None:
    """Write frames (T, H, W, 3) uint8 as a GIF that repeats for ever; each has a palette of its own.

    Raises
    ------
    InputError
        If there is no frame.
    """
    if len(frames) == 0:
        raise InputError("A film needs at least one frame, found none; give the frames of a beat.")
    pictures = [Image.fromarray(np.ascontiguousarray(frame)).quantize(colors=255, method=Image.Quantize.FASTOCTREE) for frame in frames]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=max(round(frame_ms), _LEAST_MS), loop=0, disposal=1)

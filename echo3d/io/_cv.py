"""Pictures decoded, encoded and cleaned by OpenCV where it is installed, otherwise by Pillow and SciPy with the same answers.

The package goes without OpenCV, which is a tenth of its size; from sources it is there and faster. Nothing else of echo3d imports it.
"""

from __future__ import annotations

import os
from functools import cache
from types import ModuleType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["stored", "grey", "colour"]
_QT_VARIABLES = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")


@cache
def opencv() -> ModuleType | None:
    """Return OpenCV, None where it is not installed; use none of its windows.

    Its wheels carry their own Qt and point two Qt variables at it when imported, which would mislead PySide6; they are put back.

    Source: our choice, because of opencv-python issue 736.
    """
    before = {name: os.environ.get(name) for name in _QT_VARIABLES}
    try:
        import cv2
    except ImportError:
        return None
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    return cv2


def decode(data: bytes, kind: Kind = "stored") -> NDArray[np.uint8] | None:
    """Return a PNG or JPEG of 8 bits as (H, W) or (H, W, 3) RGB uint8, as it lies in the file, without alpha; None where it is damaged.

    Parameters
    ----------
    data : the whole file
    kind : "grey" gives (H, W), a JPEG's luminance as stored, a PNG's within one grey value; "colour" (H, W, 3); "stored" what the file has
    """
    cv2 = opencv()
    if cv2 is None:
        from echo3d.io import _plain

        return _plain.decode(data, kind)
    colour = {"stored": cv2.IMREAD_UNCHANGED, "grey": cv2.IMREAD_GRAYSCALE, "colour": cv2.IMREAD_COLOR_RGB}[kind]
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), colour if kind == "stored" else colour | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        return None
    if picture is None or picture.dtype != np.uint8:
        return None
    if kind == "stored" and picture.ndim == 3:
        picture = picture[..., 2::-1]
    return np.ascontiguousarray(picture)


def encode_jpeg(picture: NDArray[np.uint8], quality: int) -> bytes | None:
    """Return a grey (H, W) picture as JPEG of a quality of 0 to 100; None where it has no such size."""
    cv2 = opencv()
    if cv2 is None:
        from echo3d.io import _plain

        return _plain.encode_jpeg(picture, quality)
    return _encoded(cv2, ".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])


def encode_png(picture: NDArray[np.uint8]) -> bytes | None:
    """Return a (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA picture as PNG; None where it has no such size."""
    cv2 = opencv()
    if cv2 is None:
        from echo3d.io import _plain

        return _plain.encode_png(picture)
    order = picture if picture.ndim == 2 else picture[..., [2, 1, 0, *range(3, picture.shape[2])]]
    return _encoded(cv2, ".png", order, [])


def _encoded(cv2: ModuleType, ending: str, picture: NDArray[np.uint8], options: list[int]) -> bytes | None:
    try:
        done, data = cv2.imencode(ending, np.ascontiguousarray(picture), options)
    except cv2.error:
        return None
    return bytes(data) if done else None


def luminance(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the luminance of a (H, W, 3) RGB picture as (H, W). Source: ITU-R BT.601, weights in 1/32768."""
    cv2 = opencv()
    if cv2 is None:
        from echo3d.io import _plain

        return _plain.luminance(picture)
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def channel_range(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return how far the channels of a (H, W, 3) picture lie apart, (H, W) grey values."""
    cv2 = opencv()
    if cv2 is None:
        from echo3d.io import _plain

        return _plain.channel_range(picture)
    red, green, blue = cv2.split(np.ascontiguousarray(picture))
    return np.asarray(cv2.subtract(cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)), dtype=np.uint8)


def solid(mask: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    """Return a (H, W) mask without gaps, then without parts, that are narrower than a square of ``size`` pixels (odd).

    That is closed and then opened; beyond the border nothing is set.
    """
    cv2 = opencv()
    if cv2 is None:
        from echo3d.io import _plain

        return _plain.solid(mask, size)
    square = np.ones((size, size), np.uint8)
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, square, borderValue=0)
    return np.asarray(cv2.morphologyEx(closed, cv2.MORPH_OPEN, square, borderValue=0)) > 0


def widened(mask: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    """Return a (H, W) mask and all within a square of ``size`` pixels (odd) around its pixels."""
    cv2 = opencv()
    if cv2 is None:
        from echo3d.io import _plain

        return _plain.widened(mask, size)
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((size, size), np.uint8))) > 0


def parts(mask: NDArray[np.bool_]) -> tuple[int, NDArray[np.int32]]:
    """Return how many numbers there are, and the number of each pixel's part: 0 outside the mask; parts hang together by pixels' sides.

    The parts are numbered in no given order.
    """
    cv2 = opencv()
    if cv2 is None:
        from echo3d.io import _plain

        return _plain.parts(mask)
    count, numbers = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    return int(count), np.asarray(numbers, dtype=np.int32)

"""What ``_cv`` does where there is no OpenCV, by Pillow and SciPy: the same functions with the same answers."""

from __future__ import annotations

import zlib
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from scipy import ndimage

from echo3d.io._cv import Kind
from echo3d.io.limits import check_picture

_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, zlib.error)
"""What Pillow raises for files that are not as they should be."""

_WEIGHTS, _HALF, _SHIFT = np.array([9798, 19235, 3735], np.float32), 1 << 14, 15
"""Red, green and blue in 1/32768; the sums of products with 8 bits are exact in 32-bit floats."""

_PNG_EFFORT = 3
"""Of 9; more takes twice as long for a tenth of the size."""


def decode(data: bytes, kind: Kind = "stored") -> NDArray[np.uint8] | None:
    """Return a picture as :func:`echo3d.io._cv.decode` does.

    Raises
    ------
    InputError
        If the picture is larger than any of an ultrasound machine; a header may promise more than memory holds.
    """
    try:
        picture = _opened(data)
    except _DAMAGED:
        return None
    check_picture(picture.height, picture.width, 1)
    try:
        return _pixels(picture, kind)
    except _DAMAGED:
        return None


def _opened(data: bytes) -> ImageFile:
    """Return the file with its header read; other formats are not tried."""
    return PngImageFile(BytesIO(data)) if data[:4] == b"\x89PNG" else JpegImageFile(BytesIO(data))


def _pixels(picture: ImageFile, kind: Kind) -> NDArray[np.uint8]:
    """Decode; the luminance of a JPEG is asked of its decoder, so that no colour is made of it first."""
    grey = picture.mode in ("1", "L") if kind == "stored" else kind == "grey"
    if kind == "grey":
        picture.draft("L", picture.size)
        if picture.mode not in ("1", "L"):
            return luminance(np.asarray(picture.convert("RGB")))
    mode = "L" if grey else "RGB"
    return np.array(picture if picture.mode == mode else picture.convert(mode))


def encode_jpeg(picture: NDArray[np.uint8], quality: int) -> bytes | None:
    """Return a grey picture as :func:`echo3d.io._cv.encode_jpeg` does."""
    return _encoded(picture, "JPEG", quality=quality)


def encode_png(picture: NDArray[np.uint8]) -> bytes | None:
    """Return a picture as :func:`echo3d.io._cv.encode_png` does; the pixels are the same, the bytes are not."""
    return _encoded(picture, "PNG", compress_level=_PNG_EFFORT)


def _encoded(picture: NDArray[np.uint8], kind: str, **options: int) -> bytes | None:
    data = BytesIO()
    try:
        Image.fromarray(np.ascontiguousarray(picture)).save(data, kind, **options)
    except (OSError, ValueError):
        return None
    return data.getvalue()


def luminance(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the luminance of a (H, W, 3) RGB picture as (H, W)."""
    sums = picture.reshape(-1, 3).astype(np.float32) @ _WEIGHTS
    return (sums.astype(np.int32) + _HALF >> _SHIFT).astype(np.uint8).reshape(picture.shape[:2])


def channel_range(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return how far the channels of a (H, W, 3) picture lie apart, (H, W)."""
    red, green, blue = picture[..., 0], picture[..., 1], picture[..., 2]
    return np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)


def solid(mask: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    """Return a mask closed, then opened by a square of ``size`` pixels (odd)."""
    return _grown(_shrunk(_shrunk(_grown(mask.view(np.uint8), size), size), size), size) > 0


def widened(mask: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    """Return a mask grown by a square of ``size`` pixels (odd)."""
    return _grown(mask.view(np.uint8), size) > 0


def _grown(mask: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    return np.asarray(ndimage.maximum_filter(mask, size, mode="constant", cval=0))


def _shrunk(mask: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    return np.asarray(ndimage.minimum_filter(mask, size, mode="constant", cval=0))


def parts(mask: NDArray[np.bool_]) -> tuple[int, NDArray[np.int32]]:
    """Return the connected parts as :func:`echo3d.io._cv.parts` does."""
    numbers, count = ndimage.label(mask)
    return int(count) + 1, np.asarray(numbers, dtype=np.int32)

"""Which compressed DICOM pictures and videos this installation can decode."""

from __future__ import annotations

import av
from pydicom.pixels import get_decoder
from pydicom.uid import (
    JPEG2000,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

_SYNTAXES = {
    "JPEG Baseline": JPEGBaseline8Bit,
    "JPEG Lossless": JPEGLosslessSV1,
    "JPEG-LS": JPEGLSLossless,
    "JPEG 2000": JPEG2000,
    "JPEG 2000 Lossless": JPEG2000Lossless,
    "HTJ2K": HTJ2KLossless,
    "RLE": RLELossless,
}
RARE = frozenset({"HTJ2K"})
"""Compressions that no echo file has been seen with; their lack is said but does no harm."""

_VIDEOS = {"H.264": "h264", "HEVC": "hevc", "MPEG-2": "mpeg2video"}


def decodable() -> dict[str, bool]:
    """Return per compression whether it can be decoded here.

    *Source:* the transfer syntaxes met in echo files, reference platform.md C5.
    """
    pictures = {name: get_decoder(syntax).is_available for name, syntax in _SYNTAXES.items()}
    return pictures | {name: codec in av.codecs_available for name, codec in _VIDEOS.items()}

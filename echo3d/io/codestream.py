"""What a compressed picture says about itself before it is decoded."""

from __future__ import annotations

_FRAME_MARKERS = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
"""Start-of-frame markers of JPEG (ITU-T T.81 table B.1) and JPEG-LS (T.87)."""

_J2K_START = b"\xff\x4f\xff\x51"


def picture_size(data: bytes) -> tuple[int, int] | None:
    """Return (rows, columns) as a JPEG, JPEG-LS or JPEG 2000 stream states them, None for anything else.

    >>> picture_size(bytes.fromhex("ffd8 ffc0 000b 08 0010 0020 01"))
    (16, 32)
    >>> picture_size(b"RLE") is None
    True
    """
    if data[:4] == _J2K_START:
        width, height, left, top = (int.from_bytes(data[at : at + 4], "big") for at in (8, 12, 16, 20))
        return height - top, width - left
    for marker, at, _ in _segments(data):
        if marker in _FRAME_MARKERS:
            return int.from_bytes(data[at + 3 : at + 5], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
    return None


def has_rgb_marker(data: bytes) -> bool:
    """Whether a JPEG stream says by its Adobe marker that its three channels are red, green and blue.

    >>> has_rgb_marker(bytes.fromhex("ffd8 ffee 000e") + b"Adobe" + bytes(7))
    True
    """
    adobe = [data[at + 2 : at + 14] for marker, at, _ in _segments(data) if marker == 0xEE]
    return any(body[:5] == b"Adobe" and body[11:] == b"\0" for body in adobe)


def components(data: bytes) -> int:
    """Return the number of channels of a JPEG stream, 0 where there is no frame header."""
    for marker, at, _ in _segments(data):
        if marker in _FRAME_MARKERS:
            return data[at + 7] if at + 7 < len(data) else 0
    return 0


def _segments(data: bytes) -> list[tuple[int, int, int]]:
    """Return (marker, position of its length field, length) of the segments before the first scan."""
    found: list[tuple[int, int, int]] = []
    at = 2
    while data[:2] == b"\xff\xd8" and at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        if data[at + 1] == 0xFF:
            at += 1
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        found.append((data[at + 1], at + 2, length))
        at += 2 + max(length, 2)
    return found

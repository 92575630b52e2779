"""PNG and JPEG pictures, single and as numbered sequences."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from echo3d.errors import InputError
from echo3d.io._cv import decode, encode_png
from echo3d.io.codestream import picture_size
from echo3d.io.frames import Pictures, to_grey
from echo3d.io.limits import check_file_size, check_picture

_PNG = b"\x89PNG\r\n\x1a\n"


def read_image(path: Path) -> NDArray[np.uint8]:
    """Return a PNG or JPEG as (H, W) or (H, W, 3) uint8 RGB; an alpha channel is dropped.

    Raises
    ------
    InputError
        If the file cannot be read or decoded, is too large, or has more than 8 bits.
    """
    try:
        check_file_size(path.stat().st_size)
        data = path.read_bytes()
    except OSError as exc:
        raise InputError("The picture may not be read by this user; change its permissions or copy it.") from exc
    size = _size(data)
    if size is None:
        raise InputError("The file is no PNG or JPEG picture; export it again.")
    check_picture(*size, 1)
    return _decode(data)


def _size(data: bytes) -> tuple[int, int] | None:
    if data[:8] == _PNG and len(data) >= 24:
        return int.from_bytes(data[20:24], "big"), int.from_bytes(data[16:20], "big")
    return picture_size(data)


def _decode(data: bytes) -> NDArray[np.uint8]:
    bits = data[24] if data[:8] == _PNG and len(data) > 24 else 8
    if bits == 16:
        raise InputError(f"An ultrasound picture has 8 bits per sample, this one has {bits}; export it with 8 bits.")
    picture = decode(data)
    if picture is None:
        raise InputError("The picture is damaged or cut short; export it again.")
    return picture


def read_png(path: Path) -> NDArray[np.uint8]:
    """Return a PNG as :func:`read_image` does."""
    return read_image(path)


def write_png(path: Path, picture: NDArray[np.uint8]) -> None:
    """Write a (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA uint8 picture as PNG.

    Raises
    ------
    InputError
        If the array is no such picture.
    """
    if picture.dtype != np.uint8 or picture.ndim not in (2, 3) or (picture.ndim == 3 and picture.shape[2] not in (3, 4)):
        raise InputError(f"A PNG needs uint8 (H, W), (H, W, 3) or (H, W, 4), found {picture.dtype} {picture.shape}; convert it first.")
    data = encode_png(picture)
    if data is None:
        raise InputError("The picture could not be written as PNG; its sides must be above zero.")
    path.write_bytes(data)


def sequences(paths: Iterable[Path]) -> list[list[Path]]:
    """Group numbered pictures of one folder and name into sequences, in the order of their numbers.

    >>> [[p.name for p in group] for group in sequences([Path("a4c_10.png"), Path("a4c_9.png"), Path("still.png")])]
    [['a4c_9.png', 'a4c_10.png'], ['still.png']]
    """
    groups: dict[tuple[Path, str, str], list[tuple[int, Path]]] = defaultdict(list)
    for path in paths:
        match = re.fullmatch(r"(.*?)(\d+)", path.stem)
        name, number = (match[1], int(match[2])) if match else (path.stem, 0)
        groups[path.parent, name, path.suffix.lower()].append((number, path))
    return [[path for _, path in sorted(group)] for group in groups.values()]


def read_sequence(paths: list[Path]) -> Pictures:
    """Return pictures of equal size as frames; they are decoded when asked for.

    Raises
    ------
    InputError
        If one cannot be read or the sizes differ.
    """
    first = read_image(paths[0])
    height, width = first.shape[:2]
    check_picture(height, width, len(paths))
    data = [path.read_bytes() for path in paths]
    sizes = {_size(content) for content in data}
    if len(sizes) > 1:
        raise InputError(f"The pictures of a sequence must be of equal size, found {len(sizes)} sizes; put them into folders of their own.")
    return Pictures(len(paths), height, width, lambda index: to_grey(_decode(data[index])), lambda index: _decode(data[index]))

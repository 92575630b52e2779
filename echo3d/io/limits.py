"""What a file may claim before anything of it is decoded."""

from __future__ import annotations

from echo3d.errors import InputError

MAX_FRAME_PIXELS = 20_000_000
"""Pixels of one frame; the largest ultrasound screens have 2 million."""

MAX_FRAMES = 5_000
"""Frames of one clip; one minute at 80 frames per second."""

MAX_FILE_BYTES = 2_000_000_000
"""Bytes of one file."""

MAX_VIDEO_BYTES = 400_000_000
"""Bytes of the decoded grey frames that a video may hold in memory."""

MAX_RATIO = 10_000
"""Pixels per stored byte; a black picture in JPEG 2000 reaches some thousands."""


def check_picture(height: int, width: int, count: int) -> None:
    """Refuse pictures of no size or of a size that no ultrasound machine makes.

    Raises
    ------
    InputError
        If a side, the number of frames or the number of pixels is out of range.

    >>> check_picture(600, 800, 60)
    """
    if height < 1 or width < 1:
        raise InputError(f"A picture needs rows and columns, the file says {height} x {width}; export the clip again.")
    if height * width > MAX_FRAME_PIXELS:
        limit, found = MAX_FRAME_PIXELS // 10**6, round(height * width / 1e6)
        raise InputError(f"A frame may have at most {limit} million pixels, the file says {found} million; export the clip smaller.")
    if not 1 <= count <= MAX_FRAMES:
        raise InputError(f"A clip needs 1 to {MAX_FRAMES} frames, the file says {count}; export a clip of one or a few beats.")


def check_stored(pixels: int, stored: int) -> None:
    """Refuse a header that promises more pixels than so few bytes can hold.

    Raises
    ------
    InputError
        If there are more than ``MAX_RATIO`` pixels per byte.

    >>> check_stored(1000, 500)
    """
    if pixels > MAX_RATIO * max(stored, 1):
        raise InputError(f"The header promises {pixels} pixels but the file holds {stored} bytes of picture; export the clip again.")


def check_file_size(size: int) -> None:
    """Refuse empty files and files over the limit.

    Raises
    ------
    InputError
        If the file is empty or larger than ``MAX_FILE_BYTES``.
    """
    if size == 0:
        raise InputError("The file is empty; export the clip again.")
    if size > MAX_FILE_BYTES:
        raise InputError(f"A file may have at most {MAX_FILE_BYTES // 10**9} GB, this one has {size / 1e9:.1f} GB; export single clips.")

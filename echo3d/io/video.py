"""Video files through PyAV: MP4, AVI and the streams inside DICOM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from echo3d.errors import InputError
from echo3d.io.frames import Pictures, tinted, to_grey
from echo3d.io.limits import MAX_FRAMES, MAX_VIDEO_BYTES, check_file_size, check_picture

_DAMAGED = "The video cannot be decoded; it is damaged, cut short or not a video, export it again as MP4 or AVI."


@dataclass(frozen=True, slots=True, eq=False)
class Video:
    """A decoded video.

    Parameters
    ----------
    pictures : its frames
    frame_ms : (T,) start time of each frame in ms, or None where the file gives none
    cut : whether frames were left out because the video is too long
    """

    pictures: Pictures
    frame_ms: NDArray[np.float64] | None
    cut: bool


def read_video(path: Path) -> Video:
    """Return the video of a file.

    Raises
    ------
    InputError
        If it cannot be read or decoded or its pictures are too large.
    """
    try:
        check_file_size(path.stat().st_size)
        data = path.read_bytes()
    except OSError as exc:
        raise InputError("The video file may not be read by this user; change its permissions or copy it.") from exc
    return decode_video(data)


def decode_video(data: bytes) -> Video:
    """Return the video of a byte stream; frames beyond the memory limit are left out.

    Raises
    ------
    InputError
        If nothing can be decoded or the pictures are too large.
    """
    try:
        with av.open(BytesIO(data)) as container:
            return _decode(container)
    except (av.FFmpegError, ValueError, IndexError, MemoryError, OSError) as exc:
        raise InputError(_DAMAGED) from exc


def _decode(container: av.container.InputContainer) -> Video:
    stream = container.streams.video[0]
    height, width = stream.codec_context.height, stream.codec_context.width
    check_picture(height, width, 1)
    room = min(MAX_FRAMES, MAX_VIDEO_BYTES // (height * width))
    greys: list[NDArray[np.uint8]] = []
    times: list[float | None] = []
    tints: list[NDArray[np.uint8] | None] = []
    sample: NDArray[np.uint8] | None = None
    cut = False
    for frame in container.decode(stream):
        if len(greys) >= room:
            cut = True
            break
        picture = frame.to_ndarray(format="rgb24")
        sample = picture if sample is None else sample
        greys.append(to_grey(picture))
        tint = tinted(picture)
        tints.append(np.packbits(tint) if tint.any() else None)
        times.append(None if frame.time is None else 1000 * frame.time)
    if sample is None or any(grey.shape != greys[0].shape for grey in greys):
        raise InputError(_DAMAGED)
    return Video(_pictures(greys, sample, tints), _times(times, stream.average_rate), cut)


def _pictures(greys: list[NDArray[np.uint8]], sample: NDArray[np.uint8], tints: list[NDArray[np.uint8] | None]) -> Pictures:
    """Return the frames; colour is kept of the first one, and of all where they are coloured, a bit a pixel."""
    height, width = greys[0].shape

    def tint(index: int) -> NDArray[np.bool_]:
        bits = tints[index]
        flat = np.zeros(height * width, bool) if bits is None else np.unpackbits(bits, count=height * width).astype(bool)
        return flat.reshape(height, width)

    return Pictures(
        len(greys), height, width, lambda index: greys[index].copy(), lambda index: sample if index == 0 else greys[index], tint
    )


def _times(times: list[float | None], rate: Fraction | None) -> NDArray[np.float64] | None:
    """Return the stamped times, else those of the stated rate (AVI stamps no frames), else None."""
    known = np.array([np.nan if time is None else time for time in times], dtype=np.float64)
    if not np.isnan(known).any() and (len(known) == 1 or np.diff(known).min() > 0):
        return known - known[0]
    return np.arange(len(known), dtype=np.float64) * (1000 / float(rate)) if rate and 1 <= rate <= 1000 else None


def write_mp4(path: Path, frames: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], *, frame_ms: float) -> None:
    """Write frames (T, H, W) or (T, H, W, 3) uint8 as an MP4 that plays everywhere; odd sides lose one pixel.

    Raises
    ------
    InputError
        If there is no frame.
    """
    if len(frames) == 0:
        raise InputError("A video needs at least one frame, found none; give the frames of a clip.")
    height, width = (side // 2 * 2 for side in frames[0].shape[:2])
    rate = Fraction(1000 / frame_ms).limit_denominator(1000)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(_encoder(), rate=rate)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = width, height, "yuv420p", 4_000_000
        for frame in frames:
            picture = np.ascontiguousarray(frame[:height, :width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="gray" if picture.ndim == 2 else "rgb24")))
        container.mux(stream.encode(None))


def _encoder() -> str:
    """Return H.264 where the decoder library carries it, the older MPEG-4 otherwise."""
    return "libx264" if "libx264" in av.codecs_available else "mpeg4"

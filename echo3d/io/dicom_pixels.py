"""The pixels of a DICOM file, frame by frame, in the grey that the machine showed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.encaps import generate_frames
from pydicom.pixels import apply_color_lut, get_decoder
from pydicom.uid import UID, JPEGBaseline8Bit, MPEGTransferSyntaxes

from echo3d.errors import InputError
from echo3d.io._cv import Kind, decode
from echo3d.io.codestream import components, has_rgb_marker, picture_size
from echo3d.io.dicom_open import BROKEN, quiet
from echo3d.io.frames import Pictures, to_grey
from echo3d.io.limits import check_picture, check_stored
from echo3d.io.video import decode_video

_CUT_SHORT = "The file is cut short: its header promises {promised}, it holds {found}; copy or export it again."
_UNDECODABLE = "A frame of the file cannot be decoded; it is damaged or uses a compression that is not supported, export it again."


def open_pictures(dataset: Dataset) -> Pictures:
    """Check the header against the stored bytes and return the frames, none of them decoded yet.

    Raises
    ------
    InputError
        If there is no picture, no frame, more than 8 bits, a size out of range, or less data than promised.

    Source: PS3.3 C.7.6.3 (Image Pixel), C.7.6.6 (Multi-frame), PS3.5 annex A (transfer syntaxes).
    """
    count, height, width = _header(dataset)
    syntax = UID(dataset.file_meta.TransferSyntaxUID)
    stored = dataset.get("PixelData") or b""
    check_stored(count * height * width, len(stored))
    if syntax in MPEGTransferSyntaxes:
        return decode_video(b"".join(generate_frames(stored, number_of_frames=1))).pictures
    if not syntax.is_encapsulated:
        _check_native_length(dataset, len(stored))
        return _native(dataset, count, height, width)
    return _encapsulated(dataset, _fragments(dataset, stored, count), syntax)


def _header(dataset: Dataset) -> tuple[int, int, int]:
    """Return frames, rows and columns after checking what the header says."""
    if "PixelData" not in dataset or not dataset.get("Rows") or not dataset.get("Columns"):
        raise InputError("The file holds no picture, or it is cut short before it; give an ultrasound image or clip.")
    bits = int(dataset.get("BitsAllocated") or 0)
    if bits != 8:
        raise InputError(f"An ultrasound picture has 8 bits per sample, this file has {bits}; give the clip as the machine exported it.")
    count = int(1 if dataset.get("NumberOfFrames") is None else dataset.NumberOfFrames)
    height, width = int(dataset.Rows), int(dataset.Columns)
    check_picture(height, width, count)
    return count, height, width


def _check_native_length(dataset: Dataset, stored: int) -> None:
    samples = int(dataset.get("SamplesPerPixel") or 1)
    count = int(dataset.get("NumberOfFrames") or 1)
    needed = count * int(dataset.Rows) * int(dataset.Columns) * samples
    needed = needed * 2 // 3 if dataset.get("PhotometricInterpretation") == "YBR_FULL_422" else needed
    if stored < needed:
        raise InputError(_CUT_SHORT.format(promised=f"{needed} bytes of picture", found=stored))


def _fragments(dataset: Dataset, stored: bytes, count: int) -> list[bytes]:
    """Return the encoded frames; each checked to be as large as the header says. Source: PS3.5 A.4."""
    offsets = dataset.get("ExtendedOffsetTable"), dataset.get("ExtendedOffsetTableLengths")
    extended = (offsets[0], offsets[1]) if offsets[0] and offsets[1] else None
    try:
        frames = list(generate_frames(stored, number_of_frames=count, extended_offsets=extended))
    except BROKEN as exc:
        raise InputError("The picture data are damaged or cut short; copy or export the file again.") from exc
    if len(frames) < count:
        raise InputError(_CUT_SHORT.format(promised=f"{count} frames", found=len(frames)))
    said = (int(dataset.Rows), int(dataset.Columns))
    for frame in frames:
        found = picture_size(frame)
        if found not in (None, said):
            raise InputError(f"The frames must be as large as the header says, {said}, one is {found}; export the clip again.")
    return frames


def _native(dataset: Dataset, count: int, height: int, width: int) -> Pictures:
    show = _shown(dataset)
    return Pictures(count, height, width, lambda index: to_grey(show(index)), show)


def _encapsulated(dataset: Dataset, frames: list[bytes], syntax: UID) -> Pictures:
    """Return the frames; JPEG Baseline goes straight to the JPEG library, ten times as fast as pydicom's own way."""
    if syntax != JPEGBaseline8Bit or not _plain_jpeg(dataset, frames[0]):
        return _native(dataset, len(frames), int(dataset.Rows), int(dataset.Columns))
    grey, colour = partial(_jpeg, frames, "grey"), partial(_jpeg, frames, "colour")
    return Pictures(len(frames), int(dataset.Rows), int(dataset.Columns), grey, colour)


def _plain_jpeg(dataset: Dataset, frame: bytes) -> bool:
    """Whether the JPEG library reads the same colours from the stream as the DICOM header names."""
    kind = str(dataset.get("PhotometricInterpretation"))
    if kind == "MONOCHROME2":
        return components(frame) == 1
    return components(frame) == 3 and (kind == "RGB" if has_rgb_marker(frame) else kind in ("YBR_FULL", "YBR_FULL_422"))


def _jpeg(frames: list[bytes], kind: Kind, index: int) -> NDArray[np.uint8]:
    picture = decode(frames[index], kind)
    if picture is None:
        raise InputError(_UNDECODABLE)
    return picture


def _shown(dataset: Dataset) -> Callable[[int], NDArray[np.uint8]]:
    """Return the function from index to the picture as the machine showed it."""
    kind = str(dataset.get("PhotometricInterpretation"))
    if kind == "PALETTE COLOR":
        table = _palette(dataset)
        return lambda index: table[_decoded(dataset, index)]
    if kind == "MONOCHROME1":
        return lambda index: np.asarray(255 - _full_range(dataset, _decoded(dataset, index)), dtype=np.uint8)
    return lambda index: _full_range(dataset, _decoded(dataset, index))


def _decoded(dataset: Dataset, index: int) -> NDArray[np.uint8]:
    """Return one frame through pydicom: (H, W), or (H, W, 3) as RGB."""
    try:
        with quiet():
            decoder = get_decoder(dataset.file_meta.TransferSyntaxUID)
            return np.asarray(decoder.as_array(dataset, index=index)[0])
    except BROKEN as exc:
        raise InputError(_UNDECODABLE) from exc


def _full_range(dataset: Dataset, picture: NDArray) -> NDArray[np.uint8]:
    """Return stored values as 0 to 255, also where they are signed or use fewer than 8 bits."""
    bits = int(dataset.get("BitsStored") or 8)
    values = picture.astype(np.int32) + (2 ** (bits - 1) if dataset.get("PixelRepresentation") else 0)
    return (values * 255 // (2**bits - 1)).astype(np.uint8)


def _palette(dataset: Dataset) -> NDArray[np.uint8]:
    """Return the (256, 3) colour table; tables of 16 bits that hold 8-bit values exist. Source: PS3.3 C.7.6.3.1.5."""
    try:
        with quiet():
            table = apply_color_lut(np.arange(256, dtype=np.uint8)[None], dataset)[0]
    except BROKEN as exc:
        raise InputError("The colour table of the file is damaged or missing; export the clip again.") from exc
    return (table >> 8 if table.max() > 255 else table).astype(np.uint8)

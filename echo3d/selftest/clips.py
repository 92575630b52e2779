"""Small echo clips in every transfer syntax that is read, encoded by the libraries that are there; for the self-test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    HEVCMP51,
    JPEG2000,
    MPEG2MPML,
    MPEG4HP41,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
    UltrasoundMultiFrameImageStorage,
)
from scipy import ndimage

from echo3d.core.sector import Fan
from echo3d.errors import ModelError
from echo3d.io._cv import encode_jpeg

Frames = NDArray[np.uint8]
FRAMES, HEIGHT, WIDTH = 4, 96, 128
_JPEG_START, _JPEG_EXTENDED = b"\xff\xc0", b"\xff\xc1"


@dataclass(frozen=True, slots=True)
class Syntax:
    """One transfer syntax of the self-test.

    Parameters
    ----------
    name : for people
    uid : of the transfer syntax
    encode : makes the stored bytes of frames (T, H, W), already encapsulated where that is called for
    error : largest mean difference of grey values that decoding may show, 0 for none at all
    """

    name: str
    uid: UID
    encode: Callable[[Frames], bytes]
    error: float = 0.0


def speckle() -> Frames:
    """Return (T, H, W) frames of smoothed noise within a fan on black."""
    rng = np.random.default_rng(7)
    noise = rng.rayleigh(70, (FRAMES, HEIGHT, WIDTH)).astype(np.float32)
    smooth = np.stack([ndimage.gaussian_filter(frame, 1.4, radius=2, mode="mirror") for frame in noise])
    return (smooth.clip(12, 255) * Fan(0.0, WIDTH / 2, 35.0, HEIGHT - 4.0).mask(HEIGHT, WIDTH)).astype(np.uint8)


def write_clip(path: Path, frames: Frames, syntax: Syntax) -> None:
    """Write frames (T, H, W) as an ultrasound clip of nobody.

    Raises
    ------
    ModelError
        If an encoder refuses.
    """
    clip = Dataset()
    clip.SOPClassUID, clip.SOPInstanceUID = UltrasoundMultiFrameImageStorage, "1.2.826.0.1.3680043.8.498.1"
    clip.PatientName = clip.PatientID = "self-test"
    clip.Modality, clip.FrameTime = "US", "40.0"
    clip.NumberOfFrames, clip.Rows, clip.Columns = frames.shape
    clip.SamplesPerPixel, clip.PhotometricInterpretation = 1, "MONOCHROME2"
    clip.BitsAllocated, clip.BitsStored, clip.HighBit, clip.PixelRepresentation = 8, 8, 7, 0
    clip.PixelData = syntax.encode(frames)
    clip["PixelData"].VR = "OB" if syntax.uid.is_encapsulated else "OW"
    clip.file_meta = FileMetaDataset()
    clip.file_meta.MediaStorageSOPClassUID, clip.file_meta.MediaStorageSOPInstanceUID = clip.SOPClassUID, clip.SOPInstanceUID
    clip.file_meta.TransferSyntaxUID = syntax.uid
    dcmwrite(path, clip, enforce_file_format=True)


def _native(frames: Frames) -> bytes:
    return frames.tobytes()


def _swapped(frames: Frames) -> bytes:
    """Return words of 16 bits, their bytes swapped. Source: PS3.5 8.1.1."""
    return frames.reshape(-1, 2)[:, ::-1].tobytes()


def _each(encode: Callable[[Frames], bytes]) -> Callable[[Frames], bytes]:
    """Return what encapsulates frames that are encoded one by one."""
    return lambda frames: encapsulate([encode(frame) for frame in frames])


def _jpeg(frame: Frames) -> bytes:
    data = encode_jpeg(frame, 95)
    if data is None:
        raise ModelError("a frame must be packed as JPEG for the self-test, found that the encoder refuses; install echo3d again")
    return data


def _jpeg_extended(frame: Frames) -> bytes:
    """Return an extended sequential stream; each baseline stream is one. Source: ISO 10918-1, B.2.2 (SOF0, SOF1)."""
    return _jpeg(frame).replace(_JPEG_START, _JPEG_EXTENDED, 1)


def _jpeg_2000(frame: Frames, ratios: list[float] | None = None) -> bytes:
    from openjpeg.utils import encode_array

    return bytes(encode_array(frame, photometric_interpretation=2, codec_format=0, compression_ratios=ratios))


def _jpeg_ls(frame: Frames, error: int = 0) -> bytes:
    import jpeg_ls

    return bytes(jpeg_ls.encode_array(frame, lossy_error=error))


def _rle(frames: Frames) -> bytes:
    """Let pydicom itself compress."""
    with TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.dcm"
        write_clip(plain, frames, SYNTAXES[0])
        clip = dcmread(plain)
    clip.compress(RLELossless, encoding_plugin="pydicom")
    return bytes(clip.PixelData)


def _gdcm(frames: Frames, name: str) -> bytes:
    """Let GDCM compress losslessly, in the process of that name of its own list."""
    import gdcm

    with TemporaryDirectory() as folder:
        plain, packed = Path(folder) / "plain.dcm", Path(folder) / "packed.dcm"
        write_clip(plain, frames, SYNTAXES[0])
        reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
        reader.SetFileName(str(plain))
        if reader.Read():
            change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, name)))
            change.SetInput(reader.GetImage())
            if change.Change():
                writer.SetFile(reader.GetFile())
                writer.SetFileName(str(packed))
                writer.SetImage(change.GetOutput())
                if writer.Write():
                    return bytes(dcmread(packed).PixelData)
    raise ModelError(f"GDCM must compress a clip as {name} for the self-test, found that it refuses; install echo3d again")


def _video(frames: Frames, codec: str, container: str) -> bytes:
    """Return one stream of video as a single fragment. Source: PS3.5 8.2.5 to 8.2.10."""
    sink = BytesIO()
    with av.open(sink, "w", format=container) as out:
        stream = out.add_stream(codec, rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = frames.shape[2], frames.shape[1], "yuv420p", 4_000_000
        stream.options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
        for frame in frames:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="gray")))
        out.mux(stream.encode(None))
    return encapsulate([sink.getvalue()], has_bot=False)


SYNTAXES: tuple[Syntax, ...] = (
    Syntax("Explicit VR little endian", ExplicitVRLittleEndian, _native),
    Syntax("Implicit VR little endian", ImplicitVRLittleEndian, _native),
    Syntax("Explicit VR big endian", ExplicitVRBigEndian, _swapped),
    Syntax("Deflated", DeflatedExplicitVRLittleEndian, _native),
    Syntax("RLE", RLELossless, _rle),
    Syntax("JPEG Baseline", JPEGBaseline8Bit, _each(_jpeg), 3.0),
    Syntax("JPEG Extended", JPEGExtended12Bit, _each(_jpeg_extended), 3.0),
    Syntax("JPEG Lossless", JPEGLossless, lambda frames: _gdcm(frames, "JPEGLosslessProcess14")),
    Syntax("JPEG Lossless SV1", JPEGLosslessSV1, lambda frames: _gdcm(frames, "JPEGLosslessProcess14_1")),
    Syntax("JPEG-LS", JPEGLSLossless, _each(_jpeg_ls)),
    Syntax("JPEG-LS near lossless", JPEGLSNearLossless, _each(lambda frame: _jpeg_ls(frame, 2)), 2.0),
    Syntax("JPEG 2000 lossless", JPEG2000Lossless, _each(_jpeg_2000)),
    Syntax("JPEG 2000", JPEG2000, _each(lambda frame: _jpeg_2000(frame, [4.0])), 3.0),
    Syntax("MPEG-2", MPEG2MPML, lambda frames: _video(frames, "mpeg2video", "mpeg"), 6.0),
    Syntax("H.264", MPEG4HP41, lambda frames: _video(frames, "libx264", "mpegts"), 6.0),
    Syntax("HEVC", HEVCMP51, lambda frames: _video(frames, "libx265", "mpegts"), 6.0),
)
"""What echo machines write, and what archives make of it. Source: reference platform.md C5."""

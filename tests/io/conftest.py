"""DICOM files made from arrays, in every transfer syntax that echo machines use."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
    UltrasoundMultiFrameImageStorage,
    generate_uid,
)

from echo3d.core.sector import Fan
from echo3d.io._cv import opencv

cv2 = opencv()

Make = Callable[..., Path]


def echo_frames(count: int, height: int, width: int, fan: Fan, seed: int = 0) -> NDArray[np.uint8]:
    """Return (T, H, W) uint8 smoothed speckle within a fan on black."""
    rng = np.random.default_rng(seed)
    noise = rng.rayleigh(70, (count, height, width)).astype(np.float32)
    smooth = np.stack([cv2.GaussianBlur(frame, (3, 3), 0.7) for frame in noise])
    return (smooth.clip(12, 255) * fan.mask(height, width)).astype(np.uint8)


@pytest.fixture
def fan() -> Fan:
    return Fan(0.0, 80.0, 35.0, 115.0)


@pytest.fixture
def frames(fan: Fan) -> NDArray[np.uint8]:
    return echo_frames(4, 120, 160, fan)


def base_dataset(pixels: NDArray[np.uint8]) -> Dataset:
    """Return a data set for (T, H, W) or (T, H, W, 3) uint8 pixels, without pixel data."""
    dataset = Dataset()
    dataset.SOPClassUID = UltrasoundMultiFrameImageStorage
    dataset.SOPInstanceUID = generate_uid()
    dataset.StudyInstanceUID = "1.2.3"
    dataset.PatientName, dataset.PatientID, dataset.Modality = "DOE^JANE", "MRN4711", "US"
    dataset.NumberOfFrames, dataset.Rows, dataset.Columns = pixels.shape[:3]
    dataset.SamplesPerPixel = 3 if pixels.ndim == 4 else 1
    dataset.PhotometricInterpretation = "RGB" if pixels.ndim == 4 else "MONOCHROME2"
    if pixels.ndim == 4:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 8, 8, 7, 0
    dataset.FrameTime = "40.0"
    return dataset


def save(dataset: Dataset, path: Path, syntax: UID) -> None:
    """Write a data set whose PixelData is already in the given syntax."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = syntax
    if "PixelData" in dataset:
        dataset["PixelData"].VR = "OB" if syntax.is_encapsulated else "OW"
    dcmwrite(path, dataset, enforce_file_format=True)


def gdcm_lossless(path: Path) -> None:
    """Change a native file to JPEG Lossless in place."""
    gdcm = pytest.importorskip("gdcm")
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFile(reader.GetFile())
    writer.SetFileName(str(path))
    writer.SetImage(change.GetOutput())
    assert writer.Write()


def encoded(pixels: NDArray[np.uint8], syntax: UID) -> list[bytes]:
    """Return the frames compressed."""
    if syntax == JPEGBaseline8Bit:
        order = pixels if pixels.ndim == 3 else pixels[..., ::-1]
        return [bytes(cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 95])[1]) for frame in order]
    if syntax == JPEG2000Lossless:
        openjpeg = pytest.importorskip("openjpeg.utils")
        return [openjpeg.encode_array(frame, photometric_interpretation=1 if frame.ndim == 3 else 2, codec_format=0) for frame in pixels]
    jpeg_ls = pytest.importorskip("jpeg_ls")
    return [bytes(jpeg_ls.encode_array(frame)) for frame in pixels]


def make(
    path: Path, pixels: NDArray[np.uint8], *, syntax: UID = ExplicitVRLittleEndian, change: Callable[[Dataset], None] | None = None
) -> Path:
    """Write pixels as a DICOM file; ``change`` may alter the data set just before."""
    dataset = base_dataset(pixels)
    if syntax in (JPEGBaseline8Bit, JPEG2000Lossless, JPEGLSLossless):
        dataset.PixelData = encapsulate(encoded(pixels, syntax))
        if pixels.ndim == 4:
            dataset.PhotometricInterpretation = {JPEGBaseline8Bit: "YBR_FULL_422", JPEG2000Lossless: "RGB"}.get(syntax, "RGB")
    else:
        dataset.PixelData = pixels.tobytes()
    if change is not None:
        change(dataset)
    if syntax in (RLELossless, JPEGLosslessSV1):
        save(dataset, path, ExplicitVRLittleEndian)
        if syntax == JPEGLosslessSV1:
            gdcm_lossless(path)
        else:
            again = dcmread(path)
            again.compress(RLELossless, encoding_plugin="pydicom")
            again.save_as(path)
        return path
    if syntax == ExplicitVRBigEndian and len(dataset.PixelData) % 2 == 0:
        dataset.PixelData = np.frombuffer(dataset.PixelData, np.uint8).reshape(-1, 2)[:, ::-1].tobytes()
    save(dataset, path, syntax)
    return path


@pytest.fixture
def make_dicom(tmp_path: Path) -> Make:
    """Return ``make`` bound to the test's own folder: ``make_dicom(name, pixels, syntax=..., change=...)``."""
    return lambda name, pixels, **more: make(tmp_path / name, pixels, **more)


SYNTAXES = {
    "explicit": ExplicitVRLittleEndian,
    "implicit": ImplicitVRLittleEndian,
    "big endian": ExplicitVRBigEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
    "rle": RLELossless,
    "jpeg 2000": JPEG2000Lossless,
    "jpeg-ls": JPEGLSLossless,
    "jpeg lossless": JPEGLosslessSV1,
}


@pytest.fixture(params=list(SYNTAXES))
def lossless_syntax(request: pytest.FixtureRequest) -> UID:
    return SYNTAXES[request.param]


def deflate_bomb(size: int) -> bytes:
    """Return a raw deflate stream of zeros."""
    compress = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    sink = BytesIO()
    for _ in range(size >> 20):
        sink.write(compress.compress(bytes(1 << 20)))
    sink.write(compress.flush())
    return sink.getvalue()

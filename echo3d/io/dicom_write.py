"""Write a synthetic echo clip as a small, de-identified DICOM ultrasound file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import JPEGBaseline8Bit, UltrasoundMultiFrameImageStorage, generate_uid

from echo3d.core.sector import Fan
from echo3d.core.views import DICOM_CODES, View
from echo3d.errors import InputError
from echo3d.io._cv import encode_jpeg

QUALITY = 75
"""JPEG quality; speckle of 320 x 320 pixels takes about 20 kB per frame."""

_DESCRIPTIONS = {
    View.A4C: "A4C apical four chamber",
    View.A2C: "A2C apical two chamber",
    View.A3C: "A3C apical long axis",
    View.PSAX_BASAL: "PSAX basal",
    View.PSAX_MID: "PSAX mid",
    View.PSAX_APICAL: "PSAX apical",
}

_EMPTY = (
    "StudyDate",
    "StudyTime",
    "ContentDate",
    "ContentTime",
    "AccessionNumber",
    "ReferringPhysicianName",
    "PatientBirthDate",
    "PatientSex",
)
"""Elements that must be there and may be empty (type 2)."""

_MEANINGS = {
    View.A4C: "Apical four chamber",
    View.A2C: "Apical two chamber",
    View.A3C: "Apical long axis",
    View.PSAX_BASAL: "Parasternal short axis at the mitral valve level",
    View.PSAX_MID: "Parasternal short axis at the papillary muscle level",
}


@dataclass(frozen=True, slots=True)
class Trace:
    """Where an ECG stands in the picture.

    Parameters
    ----------
    top, left, bottom, right : pixels, the last two excluded
    column_ms : time from a column to the next, ms
    """

    top: int
    left: int
    bottom: int
    right: int
    column_ms: float


@dataclass(frozen=True, slots=True)
class ClipHeader:
    """What a written clip says about itself.

    Parameters
    ----------
    view : the view
    pseudonym : stands for name and number of the patient; clips of one pseudonym share their study
    pixel_mm : side of the square pixel, mm
    frame_ms : length of a frame, ms
    fan : the fan in pixels, its central beam straight down
    r_waves_ms : times of R waves from the first frame, ms
    trace : the ECG in the picture, if any
    """

    view: View
    pseudonym: str
    pixel_mm: float
    frame_ms: float
    fan: Fan
    r_waves_ms: tuple[float, ...] = (0.0,)
    trace: Trace | None = None


def write_echo_dicom(path: Path, frames: NDArray[np.uint8], header: ClipHeader) -> None:
    """Write grey frames (T, H, W) uint8 as an Ultrasound Multi-frame file in JPEG Baseline.

    Raises
    ------
    InputError
        If the frames are not of type uint8 and shape (T, H, W) with at least one frame.

    Source: PS3.3 A.7 (US Multi-frame IOD), C.8.5.5 (regions), C.7.6.5 (cine), PS3.16 CID 12226 (view).
    """
    if frames.dtype != np.uint8 or frames.ndim != 3 or not all(frames.shape):
        found = f"{frames.dtype} {frames.shape}"
        raise InputError(f"A written clip needs uint8 frames (T, H, W), found {found}; scale the grey values to 0-255 first.")
    dataset = Dataset()
    for part in (_identity(header), _cine(len(frames), header), _view(header.view), _regions(frames, header), _pixels(frames)):
        dataset.update(part)
    dataset.file_meta = _meta(str(dataset.SOPInstanceUID))
    dataset.save_as(path, enforce_file_format=True)


def _meta(instance: str) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UltrasoundMultiFrameImageStorage
    meta.MediaStorageSOPInstanceUID = instance
    meta.TransferSyntaxUID = JPEGBaseline8Bit
    return meta


def _uid(*parts: str) -> str:
    """Return an identifier that is the same for the same words."""
    return str(generate_uid(entropy_srcs=["echo3d", *parts]))


def _identity(header: ClipHeader) -> Dataset:
    """Return the patient, study, series and equipment modules without a patient."""
    part = Dataset()
    part.SpecificCharacterSet = "ISO_IR 192"
    part.ImageType = ["DERIVED", "PRIMARY", "TTE", "0001"]
    part.SOPClassUID = UltrasoundMultiFrameImageStorage
    part.SOPInstanceUID = _uid(header.pseudonym, header.view.key, "instance")
    for word in _EMPTY:
        setattr(part, word, "")
    part.Modality = "US"
    part.Manufacturer = part.ManufacturerModelName = "echo3d"
    part.StudyDescription = "Synthetic echocardiogram, research use only"
    part.PatientName = part.PatientID = header.pseudonym
    part.PatientIdentityRemoved = "YES"
    part.DeidentificationMethod = "Synthetic: no patient behind these pictures"
    part.StudyInstanceUID = _uid(header.pseudonym, "study")
    part.SeriesInstanceUID = _uid(header.pseudonym, header.view.key, "series")
    part.StudyID = "1"
    part.SeriesNumber = part.InstanceNumber = int(header.view) + 1
    part.PatientOrientation = ""
    return part


def _cine(count: int, header: ClipHeader) -> Dataset:
    part = Dataset()
    part.NumberOfFrames = count
    part.FrameTime = f"{header.frame_ms:.6g}"
    part.FrameIncrementPointer = Tag("FrameTime")
    part.CineRate = max(1, round(1000 / header.frame_ms))
    part.RWaveTimeVector = list(header.r_waves_ms)
    beats = np.diff(header.r_waves_ms) if len(header.r_waves_ms) > 1 else np.array([count * header.frame_ms])
    part.HeartRate = round(60_000 / float(beats.mean()))
    return part


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def _view(view: View) -> Dataset:
    """Return the view code where one exists, and the description that every view has."""
    part = Dataset()
    part.SeriesDescription = _DESCRIPTIONS[view]
    if view in DICOM_CODES:
        code = _code(DICOM_CODES[view], "SCT", _MEANINGS[view])
        code.ViewModifierCodeSequence = Sequence()
        part.ViewCodeSequence = Sequence([code])
    return part


def _regions(frames: NDArray[np.uint8], header: ClipHeader) -> Dataset:
    """Return a two-dimensional tissue region round the fan, its reference pixel at the tip, and the ECG's region where there is one."""
    _, height, width = frames.shape
    fan, delta_cm = header.fan, header.pixel_mm / 10
    reach = fan.radius * np.sin(np.radians(fan.half_angle))
    left, top = max(0, round(fan.apex_column - reach)), max(0, round(fan.apex_row))
    right, bottom = min(width, round(fan.apex_column + reach)), min(height, round(fan.apex_row + fan.radius))
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = 1, 1, 0
    item.RegionLocationMinX0, item.RegionLocationMinY0 = left, top
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = right - 1, bottom - 1
    item.ReferencePixelX0, item.ReferencePixelY0 = round(fan.apex_column) - left, round(fan.apex_row) - top
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = 3
    item.ReferencePixelPhysicalValueX = item.ReferencePixelPhysicalValueY = 0.0
    item.PhysicalDeltaX = item.PhysicalDeltaY = delta_cm
    part = Dataset()
    part.SequenceOfUltrasoundRegions = Sequence([item] if header.trace is None else [item, _trace_region(header.trace)])
    part.TransducerType = "SECTOR_PHASED"
    return part


def _trace_region(trace: Trace) -> Dataset:
    """Return the region of an ECG: a waveform over seconds. Source: PS3.3 C.8.5.5.1.1 (format 4), .2 (type AH), .15 (unit 4)."""
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = 4, 10, 0
    item.RegionLocationMinX0, item.RegionLocationMinY0 = trace.left, trace.top
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = trace.right - 1, trace.bottom - 1
    item.PhysicalUnitsXDirection, item.PhysicalUnitsYDirection = 4, 0
    item.PhysicalDeltaX, item.PhysicalDeltaY = trace.column_ms / 1000, 0.0
    return item


def _pixels(frames: NDArray[np.uint8]) -> Dataset:
    encoded = [_jpeg(frame) for frame in frames]
    part = Dataset()
    part.SamplesPerPixel, part.PhotometricInterpretation = 1, "MONOCHROME2"
    part.Rows, part.Columns = frames.shape[1:]
    part.BitsAllocated, part.BitsStored, part.HighBit, part.PixelRepresentation = 8, 8, 7, 0
    part.UltrasoundColorDataPresent = 0
    part.BurnedInAnnotation = "NO"
    part.LossyImageCompression = "01"
    part.LossyImageCompressionRatio = f"{frames.nbytes / sum(map(len, encoded)):.3g}"
    part.LossyImageCompressionMethod = "ISO_10918_1"
    part.PixelData = encapsulate(encoded)
    part["PixelData"].VR = "OB"
    return part


def _jpeg(frame: NDArray[np.uint8]) -> bytes:
    data = encode_jpeg(frame, QUALITY)
    if data is None:
        raise InputError("A frame could not be compressed as JPEG; its sides must be below 65500 pixels.")
    return data

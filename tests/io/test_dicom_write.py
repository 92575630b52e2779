"""What is written comes back, is small, and names nobody."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import JPEGBaseline8Bit

from echo3d.core.sector import Fan
from echo3d.core.views import DICOM_CODES, View
from echo3d.errors import InputError
from echo3d.io._cv import opencv
from echo3d.io.dicom import read_dicom
from echo3d.io.dicom_write import ClipHeader, write_echo_dicom

cv2 = opencv()

FAN = Fan(0.0, 160.0, 37.5, 262.0)


def cine(count: int = 25) -> np.ndarray:
    rng = np.random.default_rng(1)
    noise = rng.rayleigh(60, (count, 320, 320)).astype(np.float32)
    smooth = np.stack([cv2.GaussianBlur(frame, (0, 0), 1.5) for frame in noise])
    return (smooth.clip(0, 255) * FAN.mask(320, 320)).astype(np.uint8)


@pytest.mark.parametrize("view", View)
def test_round_trip(tmp_path, view):
    frames = cine(5)
    write_echo_dicom(tmp_path / "clip.dcm", frames, ClipHeader(view, "demo", 0.5, 33.25, FAN, (0.0, 800.0)))
    clip, _ = read_dicom(tmp_path / "clip.dcm")
    assert clip.view is view
    assert clip.source.recognised_by == ("view code" if view in DICOM_CODES else "description")
    assert clip.source.warnings == ()
    assert clip.pixel_mm == pytest.approx((0.5, 0.5))
    np.testing.assert_allclose(clip.frame_ms, np.arange(5) * 33.25)
    assert clip.r_waves_ms == (0.0, 800.0)
    assert (clip.fan.apex_row, clip.fan.apex_column) == (0, 160)
    assert abs(clip.fan.half_angle - 37.5) < 0.5 and abs(clip.fan.radius - 262) < 2
    inside = Fan(0.0, 160.0, 36.0, 255.0).mask(320, 320)
    assert np.abs(clip.frames[3].astype(int) - frames[3])[inside].mean() < 4


def test_header(tmp_path):
    write_echo_dicom(tmp_path / "clip.dcm", cine(4), ClipHeader(View.A4C, "demo", 0.5, 40.0, FAN))
    dataset = dcmread(tmp_path / "clip.dcm")
    region = dataset.SequenceOfUltrasoundRegions[0]
    assert dataset.file_meta.TransferSyntaxUID == JPEGBaseline8Bit
    assert dataset.SOPClassUID.name == "Ultrasound Multi-frame Image Storage"
    assert (dataset.TransducerType, region.RegionSpatialFormat, region.RegionDataType) == ("SECTOR_PHASED", 1, 1)
    assert region.PhysicalDeltaX == region.PhysicalDeltaY == 0.05
    assert region.RegionLocationMinX0 + region.ReferencePixelX0 == 160
    assert region.RegionLocationMinY0 + region.ReferencePixelY0 == 0
    assert dataset.FrameIncrementPointer == 0x00181063 and dataset.FrameTime == 40
    assert dataset.HeartRate == 375
    assert dataset.PatientIdentityRemoved == "YES" and dataset.PatientName == "demo" and dataset.PatientBirthDate == ""


def test_six_cines_stay_small(tmp_path):
    frames = cine()
    for view in View:
        write_echo_dicom(tmp_path / f"{view.key}.dcm", frames, ClipHeader(view, "demo", 0.5, 33.0, FAN))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 4_000_000


def test_views_share_a_study_and_the_same_input_gives_the_same_file(tmp_path):
    for name, view in (("a", View.A4C), ("b", View.A4C), ("c", View.A2C)):
        write_echo_dicom(tmp_path / name, cine(2), ClipHeader(view, "demo", 0.5, 33.0, FAN))
    one, three = dcmread(tmp_path / "a"), dcmread(tmp_path / "c")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert one.StudyInstanceUID == three.StudyInstanceUID and one.SOPInstanceUID != three.SOPInstanceUID


@pytest.mark.parametrize("frames", [np.zeros((2, 8, 8)), np.zeros((8, 8), np.uint8), np.zeros((0, 8, 8), np.uint8)])
def test_wrong_frames(tmp_path, frames):
    with pytest.raises(InputError, match="uint8"):
        write_echo_dicom(tmp_path / "a.dcm", frames, ClipHeader(View.A4C, "demo", 0.5, 33.0, FAN))

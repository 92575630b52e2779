"""Every rule of calibration has its own little header."""

from __future__ import annotations

import pytest
from pydicom import Dataset
from pydicom.sequence import Sequence

from echo3d.io.dicom_regions import UNCALIBRATED, Rectangle, read_calibration


def region(left=10, top=5, right=89, bottom=84, delta=(0.05, 0.04), **tags) -> Dataset:
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = 1, 1, 0
    item.RegionLocationMinX0, item.RegionLocationMinY0, item.RegionLocationMaxX1, item.RegionLocationMaxY1 = left, top, right, bottom
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = 3
    item.PhysicalDeltaX, item.PhysicalDeltaY = delta
    for name, value in tags.items():
        setattr(item, name, value)
    return item


def dataset(*regions: Dataset) -> Dataset:
    whole = Dataset()
    whole.SequenceOfUltrasoundRegions = Sequence(regions)
    return whole


def test_row_and_column_spacing_are_kept_apart():
    found = read_calibration(dataset(region()), 100, 100)
    assert found.pixel_mm == pytest.approx((0.4, 0.5))
    assert found.region == Rectangle(5, 10, 85, 90)
    assert found.warnings == ()


def test_the_largest_tissue_region_counts():
    trace = region(0, 0, 99, 99, delta=(9, 9), RegionSpatialFormat=4, RegionDataType=10)
    spectrum = region(0, 0, 99, 99, delta=(9, 9), RegionDataType=3)
    small = region(0, 0, 20, 20, delta=(0.2, 0.2))
    flow = region(10, 10, 89, 89, delta=(0.03, 0.03), RegionDataType=2)
    assert read_calibration(dataset(trace, spectrum, small, flow), 100, 100).pixel_mm == pytest.approx((0.3, 0.3))


def test_high_priority_wins_between_equals():
    low = region(delta=(0.2, 0.2), RegionFlags=1)
    assert read_calibration(dataset(low, region()), 100, 100).pixel_mm == pytest.approx((0.4, 0.5))


@pytest.mark.parametrize("units", [(3, 4), (4, 3), (0, 0), (7, 7)])
def test_only_centimetres_both_ways_are_a_length(units):
    item = region(PhysicalUnitsXDirection=units[0], PhysicalUnitsYDirection=units[1])
    found = read_calibration(dataset(item), 100, 100)
    assert found.pixel_mm is None
    assert found.warnings == (UNCALIBRATED,)
    assert found.region is not None


def test_zero_and_absurd_deltas_are_no_calibration():
    for delta in ((0.0, 0.0), (100.0, 100.0), (1e-9, 1e-9)):
        assert read_calibration(dataset(region(delta=delta)), 100, 100).pixel_mm is None


def test_negative_delta_is_a_direction():
    assert read_calibration(dataset(region(delta=(0.05, -0.04))), 100, 100).pixel_mm == pytest.approx((0.4, 0.5))


def test_reference_pixel_counts_from_the_region():
    found = read_calibration(dataset(region(ReferencePixelX0=40, ReferencePixelY0=-7)), 100, 100)
    assert found.tip == (-2, 50)


def test_half_size_picture_doubles_the_pixel():
    found = read_calibration(dataset(region(84, 31, 595, 414, delta=(0.05, 0.05), ReferencePixelX0=256, ReferencePixelY0=0)), 240, 320)
    assert found.pixel_mm == pytest.approx((1.0, 1.0))
    assert found.region == Rectangle(16, 42, 208, 298)
    assert found.tip == (15.5, 170)
    assert "640 x 480" in found.warnings[0] and "1.000 mm" in found.warnings[0]


def test_cropped_picture_keeps_the_pixel():
    found = read_calibration(dataset(region(120, 60, 800, 518, delta=(0.026, 0.026))), 350, 800)
    assert found.pixel_mm == pytest.approx((0.26, 0.26))
    assert found.region == Rectangle(60, 120, 350, 800)
    assert "cropped" in found.warnings[0]


def test_region_that_fits_no_screen_is_not_believed():
    found = read_calibration(dataset(region(0, 0, 5000, 5000)), 100, 100)
    assert found.pixel_mm is None
    assert UNCALIBRATED in found.warnings


def test_spacing_tags_are_the_fallback():
    whole = Dataset()
    whole.PixelSpacing = [0.3, 0.2]
    found = read_calibration(whole, 100, 100)
    assert found.pixel_mm == (0.3, 0.2)
    assert "spacing" in found.warnings[0]
    whole = Dataset()
    whole.ImagerPixelSpacing = [0.5, 0.5]
    assert read_calibration(whole, 100, 100).pixel_mm == (0.5, 0.5)


def test_nothing_is_uncalibrated():
    found = read_calibration(Dataset(), 100, 100)
    assert found.pixel_mm is None and found.warnings == (UNCALIBRATED,)


def test_locations_beyond_sixteen_bits_are_read():
    assert read_calibration(dataset(region(0, 0, 70_000, 70_000)), 100, 100).pixel_mm is None

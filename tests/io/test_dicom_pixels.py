"""Every transfer syntax and colour space gives the grey that the machine showed."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import MPEG4HP41, ExplicitVRLittleEndian, JPEGBaseline8Bit

from echo3d.errors import InputError
from echo3d.io._cv import opencv
from echo3d.io.dicom_open import open_dicom
from echo3d.io.dicom_pixels import open_pictures
from echo3d.io.video import write_mp4

cv2 = opencv()


def pictures(path):
    return open_pictures(open_dicom(path))


def test_lossless_grey_is_exact(make_dicom, frames, lossless_syntax):
    opened = pictures(make_dicom("a.dcm", frames, syntax=lossless_syntax))
    assert (opened.count, opened.height, opened.width) == frames.shape
    for index in range(len(frames)):
        np.testing.assert_array_equal(opened.grey(index), frames[index])


def test_lossless_colour_is_exact(make_dicom, lossless_syntax):
    rgb = np.random.default_rng(3).integers(0, 256, (2, 48, 64, 3), dtype=np.uint8)
    opened = pictures(make_dicom("a.dcm", rgb, syntax=lossless_syntax))
    np.testing.assert_array_equal(opened.colour(1), rgb[1])
    luminance = rgb[1] @ np.array([0.299, 0.587, 0.114])
    assert np.abs(opened.grey(1) - luminance).max() <= 1


def test_jpeg_baseline_grey_is_near(make_dicom, frames):
    opened = pictures(make_dicom("a.dcm", frames, syntax=JPEGBaseline8Bit))
    assert np.abs(opened.grey(2).astype(int) - frames[2]).mean() < 3


def test_jpeg_baseline_fast_path_equals_pydicom(make_dicom, frames):
    path = make_dicom("a.dcm", np.repeat(frames[..., None], 3, axis=-1), syntax=JPEGBaseline8Bit)
    dataset = open_dicom(path)
    fast, slow = open_pictures(dataset), dataset.pixel_array
    for index in range(len(frames)):
        assert np.abs(fast.grey(index).astype(int) - slow[index].mean(axis=-1)).max() <= 2


def test_jpeg_in_rgb_is_not_read_as_ybr(make_dicom):
    """A stream whose channels are red, green, blue, with an Adobe marker that says so, as OpenCV cannot write it."""
    image = pytest.importorskip("PIL.Image")
    rgb = np.zeros((1, 32, 32, 3), np.uint8)
    rgb[..., 0] = 200

    def as_rgb(dataset: Dataset) -> None:
        from io import BytesIO

        sink = BytesIO()
        image.fromarray(rgb[0]).save(sink, "JPEG", quality=95, keep_rgb=True)
        dataset.PixelData = encapsulate([sink.getvalue()])
        dataset.PhotometricInterpretation = "RGB"

    opened = pictures(make_dicom("a.dcm", rgb, syntax=JPEGBaseline8Bit, change=as_rgb))
    assert np.abs(opened.colour(0).astype(int) - [200, 0, 0]).max() <= 3
    assert np.abs(opened.grey(0).astype(int) - 60).max() <= 3


def test_palette_goes_through_its_table(make_dicom, frames):
    def with_table(dataset: Dataset) -> None:
        dataset.PhotometricInterpretation = "PALETTE COLOR"
        for colour, table in (("Red", np.arange(256)[::-1]), ("Green", np.arange(256)[::-1]), ("Blue", np.arange(256)[::-1])):
            setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
            setattr(dataset, f"{colour}PaletteColorLookupTableData", (table << 8).astype("<u2").tobytes())

    opened = pictures(make_dicom("a.dcm", frames, change=with_table))
    np.testing.assert_array_equal(opened.grey(1), 255 - frames[1])


def test_palette_with_eight_bit_values_in_sixteen_bit_entries(make_dicom, frames):
    def with_table(dataset: Dataset) -> None:
        dataset.PhotometricInterpretation = "PALETTE COLOR"
        for colour in ("Red", "Green", "Blue"):
            setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
            setattr(dataset, f"{colour}PaletteColorLookupTableData", np.arange(256).astype("<u2").tobytes())

    np.testing.assert_array_equal(pictures(make_dicom("a.dcm", frames, change=with_table)).grey(0), frames[0])


def test_monochrome1_is_inverted(make_dicom, frames):
    opened = pictures(make_dicom("a.dcm", frames, change=lambda d: setattr(d, "PhotometricInterpretation", "MONOCHROME1")))
    np.testing.assert_array_equal(opened.grey(0), 255 - frames[0])


def test_fewer_bits_fill_the_range(make_dicom):
    def seven_bits(dataset: Dataset) -> None:
        dataset.BitsStored, dataset.HighBit = 7, 6

    opened = pictures(make_dicom("a.dcm", np.full((1, 8, 8), 127, np.uint8), change=seven_bits))
    assert (opened.grey(0) == 255).all()


def test_native_ybr_full_and_422(make_dicom, frames):
    luminance = frames[:1]
    full = np.stack([luminance, np.full_like(luminance, 128), np.full_like(luminance, 128)], axis=-1)

    def ybr(dataset: Dataset) -> None:
        dataset.PhotometricInterpretation = "YBR_FULL"

    assert np.abs(pictures(make_dicom("a.dcm", full, change=ybr)).grey(0).astype(int) - luminance[0]).max() <= 1

    def ybr_422(dataset: Dataset) -> None:
        dataset.PhotometricInterpretation = "YBR_FULL_422"
        pairs = luminance.reshape(-1, 2)
        dataset.PixelData = np.column_stack([pairs, np.full((len(pairs), 2), 128, np.uint8)]).tobytes()

    assert np.abs(pictures(make_dicom("b.dcm", full, change=ybr_422)).grey(0).astype(int) - luminance[0]).max() <= 1


def test_planar_rgb(make_dicom):
    rgb = np.random.default_rng(0).integers(0, 256, (2, 10, 12, 3), dtype=np.uint8)

    def planar(dataset: Dataset) -> None:
        dataset.PlanarConfiguration = 1
        dataset.PixelData = rgb.transpose(0, 3, 1, 2).tobytes()

    np.testing.assert_array_equal(pictures(make_dicom("a.dcm", rgb, change=planar)).colour(1), rgb[1])


def test_single_frame_without_a_frame_count(make_dicom, frames):
    opened = pictures(make_dicom("a.dcm", frames[:1], change=lambda d: d.__delattr__("NumberOfFrames")))
    assert opened.count == 1
    np.testing.assert_array_equal(opened.grey(0), frames[0])


def test_h264_stream(make_dicom, frames, tmp_path):
    write_mp4(tmp_path / "v.mp4", frames, frame_ms=40)

    def as_video(dataset: Dataset) -> None:
        data = (tmp_path / "v.mp4").read_bytes()
        dataset.PixelData = encapsulate([data])
        dataset.PhotometricInterpretation = "YBR_PARTIAL_420"

    opened = pictures(make_dicom("a.dcm", frames, syntax=MPEG4HP41, change=as_video))
    assert opened.count == len(frames)
    assert np.abs(opened.grey(1).astype(int) - frames[1]).mean() < 12


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda d: setattr(d, "NumberOfFrames", 0), "frames"),
        (lambda d: d.__delattr__("PixelData"), "no picture"),
        (lambda d: (setattr(d, "Rows", 10_000), setattr(d, "Columns", 10_000)), "million pixels"),
        (lambda d: setattr(d, "NumberOfFrames", 900), "cut short"),
        (lambda d: setattr(d, "NumberOfFrames", 100_000), "frames"),
        (lambda d: setattr(d, "BitsAllocated", 16), "8 bits"),
    ],
)
def test_headers_that_cannot_be_true(make_dicom, frames, change, word):
    path = make_dicom("a.dcm", frames, syntax=ExplicitVRLittleEndian, change=change)
    with pytest.raises(InputError, match=word):
        pictures(path)


def test_header_far_larger_than_the_compressed_data(make_dicom, frames):
    def huge(dataset: Dataset) -> None:
        dataset.Rows, dataset.Columns, dataset.NumberOfFrames = 4000, 4000, 4000

    with pytest.raises(InputError, match="promises"):
        pictures(make_dicom("a.dcm", frames[:1, :16, :16], syntax=JPEGBaseline8Bit, change=huge))


def test_stream_larger_than_the_header(make_dicom, frames):
    with pytest.raises(InputError, match="as large as the header says"):
        pictures(make_dicom("a.dcm", frames, syntax=JPEGBaseline8Bit, change=lambda d: setattr(d, "Rows", 60)))


def test_damaged_frame(make_dicom, frames):
    def damaged(dataset: Dataset) -> None:
        good = bytes(cv2.imencode(".png", frames[0])[1])
        dataset.PixelData = encapsulate([good] * len(frames))

    with pytest.raises(InputError, match="decoded"):
        pictures(make_dicom("a.dcm", frames, syntax=JPEGBaseline8Bit, change=damaged)).grey(0)

"""OpenCV is imported in one place, which puts the Qt variables back; where it is not installed, the answers are the same."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.encaps import generate_frames

from echo3d.errors import InputError
from echo3d.io import _cv, _plain
from echo3d.io._cv import opencv
from echo3d.io.fan_evidence import echo_mask
from echo3d.paths import resource

cv2 = opencv()

ROOT = Path(__file__).resolve().parents[2]
DAMAGES = 60


def test_qt_variables_survive_the_import():
    code = (
        "import os, echo3d.io._cv as cv; found = cv.opencv(); "
        "print(os.environ.get('QT_QPA_PLATFORM_PLUGIN_PATH'), os.environ.get('QT_QPA_FONTDIR'), hasattr(found, 'imdecode'))"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QT_QPA")} | {"QT_QPA_FONTDIR": "mine"}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=environment, check=True)
    assert run.stdout.split() == ["None", "mine", "True"]


def test_no_other_module_imports_it():
    importing = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "echo3d").rglob("*.py")
        if re.search(r"^\s*(import cv2|from cv2)", path.read_text(encoding="utf-8"), re.M)
    }
    assert importing == {"echo3d/io/_cv.py"}


def test_one_opencv_is_installed():
    names = {dist.name.lower() for dist in importlib.metadata.distributions() if dist.name.lower().startswith("opencv")}
    assert names == {"opencv-python"}


@pytest.fixture(scope="module")
def clips() -> list[list[bytes]]:
    """The stored frames of the embedded patient's clips."""
    datasets = [dcmread(path) for path in sorted(resource("demo").glob("*.dcm"))]
    found = [list(generate_frames(one.PixelData, number_of_frames=int(one.NumberOfFrames))) for one in datasets]
    assert len(found) == 6 and all(len(frames) > 5 for frames in found)
    return found


def coloured() -> np.ndarray:
    """Return a smooth (97, 131, 3) picture of many colours; its sides are no multiples of a JPEG's blocks."""
    noise = np.random.default_rng(1).integers(0, 256, (97, 131, 3), dtype=np.uint8)
    return np.ascontiguousarray(cv2.GaussianBlur(noise, (9, 9), 2.5) // 2 + noise // 3)


def stored(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    data = BytesIO()
    picture.save(data, kind, **options)
    return data.getvalue()


def files() -> dict[str, bytes]:
    """Return a picture in every kind of PNG and JPEG of 8 bits that people export."""
    picture = Image.fromarray(coloured())
    turned = Image.Exif()
    turned[0x0112] = 6
    ways = {"4:4:4": "444", "4:2:2": "422", "4:2:0": "420", "4:1:1": "411"}
    jpegs = {
        name: bytes(
            cv2.imencode(".jpg", coloured(), [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, getattr(cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{way}")])[1]
        )
        for name, way in ways.items()
    }
    pngs = {
        "RGB": stored(picture),
        "RGBA": stored(Image.merge("RGBA", (*picture.split(), picture.convert("L")))),
        "grey": stored(picture.convert("L")),
        "grey and alpha": stored(Image.merge("LA", (picture.convert("L"), picture.split()[0]))),
        "two values": stored(picture.convert("1")),
        "palette": stored(picture.quantize(200)),
        "palette of 4 bits": stored(picture.quantize(16)),
        "palette with a transparent colour": stored(picture.quantize(16), transparency=3),
        "a transparent grey": stored(picture.convert("L"), transparency=7),
        "a transparent colour": stored(picture, transparency=tuple(int(one) for one in coloured()[0, 0])),
    }
    return {
        **jpegs,
        **pngs,
        "grey JPEG": stored(picture.convert("L"), "JPEG", quality=80),
        "progressive": stored(picture, "JPEG", progressive=True),
        "RGB in a JPEG": stored(picture, "JPEG", keep_rgb=True),
        "turned by its EXIF": stored(picture, "JPEG", exif=turned),
    }


@pytest.mark.parametrize("kind", ["stored", "grey", "colour"])
def test_both_ways_decode_the_same(kind):
    for name, data in files().items():
        by_opencv, plain = _cv.decode(data, kind), _plain.decode(data, kind)
        assert plain.shape[:2] == (97, 131) and plain.ndim == {"grey": 2, "colour": 3}.get(kind, plain.ndim), name
        assert plain.flags.writeable and plain.flags.c_contiguous and by_opencv.flags.writeable
        weighed = kind == "grey" and data[:4] == b"\x89PNG"  # libpng rounds otherwise; nobody asks for a PNG's luminance this way
        assert np.abs(plain.astype(int) - by_opencv).max() <= weighed, name


def test_both_ways_decode_the_embedded_patient_the_same(clips):
    for frames in clips:
        for data in frames[:3]:
            for kind in ("grey", "colour"):
                np.testing.assert_array_equal(_plain.decode(data, kind), _cv.decode(data, kind))


@pytest.mark.parametrize("name", ["4:2:2", "RGB", "palette", "grey JPEG"])
def test_what_is_cut_short_is_refused_both_ways(name):
    data = files()[name]
    for length in (0, 1, 4, 30, len(data) // 3, len(data) // 2, len(data) * 9 // 10):
        assert _cv.decode(data[:length]) is None and _plain.decode(data[:length]) is None, length


@pytest.mark.parametrize("name", ["4:2:0", "RGB", "palette", "progressive"])
def test_what_is_damaged_is_refused_or_read_the_same(name):
    """Pillow refuses some damaged JPEG streams of which OpenCV makes something; never does it read something else."""
    data, rng = files()[name], np.random.default_rng(3)
    refused = 0
    for _ in range(DAMAGES):
        bad = bytearray(data)
        start = int(rng.integers(4, len(bad) - 20))
        bad[start : start + 8] = bytes(rng.integers(0, 256, 8, dtype=np.uint8))
        try:
            plain = _plain.decode(bytes(bad), "colour")
        except InputError:  # the header was hit and promises a picture of no size
            continue
        by_opencv = _cv.decode(bytes(bad), "colour")
        refused += plain is None
        if plain is not None and by_opencv is not None:
            np.testing.assert_array_equal(plain, by_opencv)
        assert plain is None or by_opencv is not None, start
    assert refused or name == "progressive"


def test_a_header_that_promises_too_much_is_refused_before_decoding():
    data = bytearray(files()["RGB"])
    data[16:24] = (30_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
    with pytest.raises(InputError, match="900 million"):
        _plain.decode(bytes(data), "stored")


def test_both_ways_encode_the_same(clips):
    frame = _cv.decode(clips[0][0], "grey")
    np.testing.assert_array_equal(*(_cv.decode(way.encode_jpeg(frame, 90)) for way in (_cv, _plain)))
    rgba = np.dstack([coloured(), coloured()[..., :1]])
    for picture in (frame, coloured(), rgba):
        by_opencv, plain = (Image.open(BytesIO(way.encode_png(picture))) for way in (_cv, _plain))
        np.testing.assert_array_equal(np.asarray(plain), picture)
        np.testing.assert_array_equal(np.asarray(by_opencv), picture)
    for way in (_cv, _plain):
        assert way.encode_png(np.zeros((0, 5), np.uint8)) is None and way.encode_jpeg(np.zeros((1, 70_000), np.uint8), 90) is None


def test_both_ways_weigh_colours_the_same():
    every = np.random.default_rng(2).integers(0, 256, (700, 901, 3), dtype=np.uint8)
    for picture in (every, coloured(), every[::2, ::-1], np.full((3, 3, 3), 255, np.uint8)):
        np.testing.assert_array_equal(_plain.luminance(picture), _cv.luminance(picture))
        np.testing.assert_array_equal(_plain.channel_range(picture), _cv.channel_range(picture))


def masks(clips) -> list[np.ndarray]:
    """Return masks of real echo and of noise, some of which run over the border."""
    echo = [_cv.decode(frames[0], "grey") > 30 for frames in clips]
    noise = np.random.default_rng(4).random((90, 121)).astype(np.float32)
    return [*echo, *(cv2.GaussianBlur(noise, (0, 0), width) > 0.5 for width in (1.0, 2.0, 4.0)), np.ones((20, 30), bool)]


@pytest.mark.parametrize("size", [5, 7, 13])
def test_both_ways_clean_masks_the_same(clips, size):
    for mask in masks(clips):
        np.testing.assert_array_equal(_plain.solid(mask, size), _cv.solid(mask, size))
        np.testing.assert_array_equal(_plain.widened(mask, size), _cv.widened(mask, size))


def test_both_ways_find_the_same_parts(clips):
    for mask in masks(clips):
        (count, numbers), (plain_count, plain) = _cv.parts(mask), _plain.parts(mask)
        assert count == plain_count and numbers.dtype == plain.dtype
        pairs = np.unique(np.stack([numbers.ravel(), plain.ravel()]), axis=1)
        assert pairs.shape[1] == count - (0 if not mask.all() else 1), "one number for one"
        assert [0, 0] in pairs.T.tolist() or mask.all()


def test_both_ways_see_the_same_echo(clips, monkeypatch):
    for frames in clips:
        stack = np.stack([_cv.decode(data, "grey") for data in frames[:8]])
        monkeypatch.setattr(_cv, "opencv", opencv)
        by_opencv = echo_mask(stack, 12, None)
        monkeypatch.setattr(_cv, "opencv", lambda: None)
        np.testing.assert_array_equal(echo_mask(stack, 12, None), by_opencv)
        assert by_opencv.mean() > 0.1


WITHOUT = """
import sys
sys.modules["cv2"] = None
from pathlib import Path
import numpy as np
from echo3d.io._cv import opencv
from echo3d.io.dicom import read_dicom
from echo3d.io.images import read_image, write_png
from echo3d.paths import resource
from echo3d.selftest.clips import SYNTAXES, speckle, write_clip
from echo3d.io.dicom_open import open_dicom
from echo3d.io.dicom_pixels import open_pictures
assert opencv() is None
folder, frames = Path(sys.argv[1]), speckle()
write_png(folder / "a.png", frames[0])
assert np.array_equal(read_image(folder / "a.png"), frames[0])
for syntax in SYNTAXES:
    write_clip(folder / "a.dcm", frames, syntax)
    pictures = open_pictures(open_dicom(folder / "a.dcm"))
    off = max(np.abs(pictures.grey(i).astype(float) - frames[i]).mean() for i in range(len(frames)))
    assert off <= syntax.error, (syntax.name, off)
print(len(SYNTAXES), read_dicom(sorted(resource("demo").glob("*.dcm"))[0])[0].view)
"""


def test_the_reader_works_where_opencv_cannot_be_imported(tmp_path):
    done = subprocess.run([sys.executable, "-c", WITHOUT, str(tmp_path)], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) >= 16 and "None" not in done.stdout


PLUGIN = """
import echo3d.io._cv as seam

def pytest_collection_finish(session):
    seam.opencv = lambda: None
"""


def test_tests_of_reading_pass_without_opencv(tmp_path):
    """The tests make their pictures with OpenCV, echo3d reads them without."""
    (tmp_path / "without_opencv.py").write_text(PLUGIN, encoding="utf-8")
    names = ("dicom_pixels", "dicom_write", "images", "fan", "fuzz", "frames", "studies")
    places = [str(path) for name in names if (path := ROOT / "tests" / "io" / f"test_{name}.py").is_file()]
    paths = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "without_opencv", *places],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": paths},
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert len(places) >= 5 and int(re.search(r"(\d+) passed", done.stdout)[1]) >= 100

"""How fast a clip opens, beside pydicom's own way; run with ``pytest tests/benchmarks/test_open_clip.py --benchmark-enable``."""

from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pytest_benchmark.fixture import BenchmarkFixture

from echo3d.core.sector import Fan
from echo3d.core.views import View
from echo3d.io._cv import opencv
from echo3d.io.dicom import read_dicom
from echo3d.io.dicom_write import ClipHeader, write_echo_dicom

cv2 = opencv()


@pytest.fixture(scope="module")
def clip_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 frames of 800 x 600, JPEG Baseline in YBR 4:2:2, as echo machines store it."""
    path = tmp_path_factory.mktemp("clip") / "a4c.dcm"
    fan = Fan(10.0, 400.0, 40.0, 560.0)
    rng = np.random.default_rng(0)
    noise = rng.rayleigh(60, (60, 600, 800)).astype(np.float32)
    frames = np.stack([cv2.GaussianBlur(frame, (0, 0), 1.5) for frame in noise]).clip(0, 255).astype(np.uint8) * fan.mask(600, 800)
    write_echo_dicom(path, frames, ClipHeader(View.A4C, "benchmark", 0.3, 16.7, fan))
    dataset = dcmread(path)
    flags = [cv2.IMWRITE_JPEG_QUALITY, 85, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422]
    dataset.PixelData = encapsulate([bytes(cv2.imencode(".jpg", np.repeat(f[..., None], 3, axis=-1), flags)[1]) for f in frames])
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PlanarConfiguration = 3, "YBR_FULL_422", 0
    dataset.save_as(path)
    return path


@pytest.mark.benchmark(group="clip")
def test_open(benchmark: BenchmarkFixture, clip_path: Path) -> None:
    """Header, fan and calibration; nothing but what the fan needs is decoded. To reach: 1 s."""
    assert len(benchmark(lambda: read_dicom(clip_path)[0].frames)) == 60


@pytest.mark.benchmark(group="clip")
def test_first_frame(benchmark: BenchmarkFixture, clip_path: Path) -> None:
    """One frame of a clip that is open, never the same one's memory. To reach: 0.15 s."""
    frame = benchmark.pedantic(lambda clip: clip.frames[30], setup=lambda: ((read_dicom(clip_path)[0],), {}), rounds=5)
    assert frame is None or frame.shape == (600, 800)


@pytest.mark.benchmark(group="clip")
def test_every_frame(benchmark: BenchmarkFixture, clip_path: Path) -> None:
    def every() -> int:
        frames = read_dicom(clip_path)[0].frames
        return sum(int(frames[index][0, 0]) for index in range(60))

    assert benchmark(every) == 0


@pytest.mark.benchmark(group="clip")
def test_pydicom_pixel_array(benchmark: BenchmarkFixture, clip_path: Path) -> None:
    """The same clip the plain way."""
    assert benchmark.pedantic(lambda: dcmread(clip_path).pixel_array.shape, rounds=1) == (60, 600, 800, 3)

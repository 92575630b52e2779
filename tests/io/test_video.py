"""Videos in and out."""

from __future__ import annotations

import numpy as np
import pytest

from echo3d.errors import InputError
from echo3d.io import video
from echo3d.io.video import read_video, write_mp4


def ramp(count: int = 6) -> np.ndarray:
    return np.stack([np.full((48, 65), 20 + 30 * number, np.uint8) for number in range(count)])


@pytest.mark.parametrize("name", ["a.mp4", "a.avi"])
def test_round_trip(tmp_path, name):
    write_mp4(tmp_path / name, ramp(), frame_ms=40)
    found = read_video(tmp_path / name)
    assert (found.pictures.count, found.pictures.height, found.pictures.width) == (6, 48, 64)
    np.testing.assert_allclose(found.frame_ms, np.arange(6) * 40, atol=0.5)
    for number in range(6):
        assert abs(float(found.pictures.grey(number).mean()) - (20 + 30 * number)) < 3


def test_colour_comes_back(tmp_path):
    frames = np.zeros((3, 32, 32, 3), np.uint8)
    frames[..., 0] = 220
    write_mp4(tmp_path / "a.mp4", frames, frame_ms=40)
    assert read_video(tmp_path / "a.mp4").pictures.colour(0)[16, 16, 0] > 180


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6])
def test_cut_short(tmp_path, share):
    write_mp4(tmp_path / "a.mp4", ramp(), frame_ms=40)
    data = (tmp_path / "a.mp4").read_bytes()
    (tmp_path / "a.mp4").write_bytes(data[: int(share * len(data))])
    with pytest.raises(InputError):
        read_video(tmp_path / "a.mp4")


def test_long_video_is_cut(tmp_path, monkeypatch):
    write_mp4(tmp_path / "a.mp4", ramp(), frame_ms=40)
    monkeypatch.setattr(video, "MAX_VIDEO_BYTES", 4 * 48 * 64)
    found = read_video(tmp_path / "a.mp4")
    assert found.cut and found.pictures.count == 4


def test_no_frames(tmp_path):
    with pytest.raises(InputError, match="at least one frame"):
        write_mp4(tmp_path / "a.mp4", [], frame_ms=40)

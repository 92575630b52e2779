"""Pictures and sequences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from echo3d.errors import InputError
from echo3d.io._cv import opencv
from echo3d.io.images import read_image, read_sequence, sequences, write_png

cv2 = opencv()

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(7, 9), (7, 9, 3)])
def test_png_round_trip(tmp_path, shape):
    picture = RNG.integers(0, 256, shape, dtype=np.uint8)
    write_png(tmp_path / "a.png", picture)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), picture)


def test_alpha_is_written_and_dropped_on_reading(tmp_path):
    picture = RNG.integers(0, 256, (5, 6, 4), dtype=np.uint8)
    write_png(tmp_path / "a.png", picture)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), picture[..., :3])


def test_jpeg(tmp_path):
    cv2.imwrite(str(tmp_path / "a.jpg"), np.full((16, 16), 99, np.uint8))
    assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - 99).max() <= 1


def test_sixteen_bits_are_refused(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((4, 4), np.uint16))
    with pytest.raises(InputError, match="8 bits"):
        read_image(tmp_path / "a.png")


def test_huge_header(tmp_path):
    write_png(tmp_path / "a.png", np.zeros((4, 4), np.uint8))
    data = bytearray((tmp_path / "a.png").read_bytes())
    data[16:24] = (10_000).to_bytes(4, "big") * 2
    (tmp_path / "a.png").write_bytes(bytes(data))
    with pytest.raises(InputError, match="100 million"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("picture", [np.zeros((4, 4)), np.zeros((4, 4, 2), np.uint8), np.zeros(4, np.uint8)])
def test_what_is_no_picture_is_not_written(tmp_path, picture):
    with pytest.raises(InputError, match="PNG needs"):
        write_png(tmp_path / "a.png", picture)


def test_groups():
    paths = [Path(name) for name in ("x/f2.png", "x/f10.png", "x/f1.png", "y/f1.png", "x/g1.png", "x/f3.jpg")]
    groups = [[path.as_posix() for path in group] for group in sequences(paths)]
    assert groups == [["x/f1.png", "x/f2.png", "x/f10.png"], ["y/f1.png"], ["x/g1.png"], ["x/f3.jpg"]]


def test_unequal_sizes(tmp_path):
    write_png(tmp_path / "1.png", np.zeros((4, 4), np.uint8))
    write_png(tmp_path / "2.png", np.zeros((4, 5), np.uint8))
    with pytest.raises(InputError, match="equal size"):
        read_sequence([tmp_path / "1.png", tmp_path / "2.png"])

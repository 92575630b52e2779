"""Lazy frames decode once, keep few, and are read-only."""

from __future__ import annotations

import numpy as np
import pytest

from echo3d.io import frames as module
from echo3d.io.frames import LazyFrames, masked, spread, to_grey


def test_decoded_once_and_forgotten_in_order(monkeypatch):
    monkeypatch.setattr(module, "CACHE_BYTES", 200)
    calls: list[int] = []

    def decode(index: int) -> np.ndarray:
        calls.append(index)
        return np.full((10, 10), index, np.uint8)

    frames = LazyFrames(5, decode)
    for index in (0, 1, 0, 2, 0, 1, -1):
        assert frames[index][0, 0] == index % 5
    assert calls == [0, 1, 2, 1, 4]


def test_outside_and_read_only():
    frames = LazyFrames(2, lambda index: np.zeros((2, 2), np.uint8))
    with pytest.raises(IndexError):
        frames[2]
    with pytest.raises(ValueError, match="read-only"):
        frames[0][0, 0] = 1


def test_masked():
    mask = np.array([[True, False]])
    np.testing.assert_array_equal(masked(np.full((1, 1, 2), 9, np.uint8), mask)[0], [[9, 0]])


def test_grey_of_grey_is_exact():
    values = np.arange(256, dtype=np.uint8)[None]
    np.testing.assert_array_equal(to_grey(np.repeat(values[..., None], 3, axis=-1)), values)


def test_spread():
    assert spread(3, 12) == [0, 1, 2]
    assert spread(60, 2) == [0, 59]
    assert spread(1, 5) == [0]

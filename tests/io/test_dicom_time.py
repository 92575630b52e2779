"""Frame times: the pointer decides, lesser tags follow, the guess is said aloud."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.tag import Tag

from echo3d.io.dicom_time import ASSUMED, read_timing


def header(**tags) -> Dataset:
    dataset = Dataset()
    for name, value in tags.items():
        setattr(dataset, name, value)
    return dataset


def test_constant_frame_time():
    timing = read_timing(header(FrameTime="33.5", FrameIncrementPointer=Tag("FrameTime")), 3)
    np.testing.assert_allclose(timing.frame_ms, [0, 33.5, 67])
    assert timing.warnings == ()


def test_the_pointer_chooses_between_both():
    both = {"FrameTime": "40", "FrameTimeVector": ["0", "30", "50"]}
    np.testing.assert_allclose(read_timing(header(**both, FrameIncrementPointer=Tag("FrameTime")), 3).frame_ms, [0, 40, 80])
    np.testing.assert_allclose(read_timing(header(**both, FrameIncrementPointer=Tag("FrameTimeVector")), 3).frame_ms, [0, 30, 80])


def test_vector_of_another_length_is_not_used():
    timing = read_timing(header(FrameTimeVector=["0", "30"], CineRate=25, FrameIncrementPointer=Tag("FrameTimeVector")), 3)
    np.testing.assert_allclose(timing.frame_ms, [0, 40, 80])


@pytest.mark.parametrize(
    ("tags", "step"),
    [
        ({"CineRate": 50, "RecommendedDisplayFrameRate": 10}, 20),
        ({"RecommendedDisplayFrameRate": 10, "ActualFrameDuration": 25}, 100),
        ({"ActualFrameDuration": 25}, 25),
        ({"EffectiveDuration": 0.2}, 50),
        ({"FrameTime": "0", "CineRate": 50}, 20),
    ],
)
def test_lesser_tags_in_their_order(tags, step):
    timing = read_timing(header(**tags), 4)
    np.testing.assert_allclose(timing.frame_ms, np.arange(4) * step)
    assert timing.warnings == ()


def test_nothing_is_thirty_frames_per_second_and_said():
    timing = read_timing(Dataset(), 31)
    assert timing.frame_ms[-1] == pytest.approx(1000)
    assert timing.warnings == (ASSUMED,)


def test_single_frame_needs_no_time():
    timing = read_timing(Dataset(), 1)
    assert list(timing.frame_ms) == [0] and timing.warnings == ()


def test_r_waves():
    assert read_timing(header(FrameTime="40", RWaveTimeVector=[12.5, 900.0]), 2).r_waves_ms == (12.5, 900.0)
    assert read_timing(header(FrameTime="40", RWaveTimeVector=12.5), 2).r_waves_ms == (12.5,)

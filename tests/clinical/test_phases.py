"""Beats of synthetic clips whose period is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from echo3d.clinical.phases import ASSUMED_FRAME_MS, BeatWindow, beat_window, mean_frame_ms, r_wave_frames, recurrence
from echo3d.core.images import EchoClip, Source
from echo3d.core.sector import Fan
from echo3d.core.views import View


def pulsating(count: int, period: float, *, noise: float = 0.0) -> NDArray[np.uint8]:
    """Return a bright ring that shrinks and grows, the same after ``period`` frames."""
    rows, columns = np.mgrid[:96, :96] - 48.0
    distance = np.hypot(rows, columns)
    radius = 26 + 9 * np.cos(2 * np.pi * np.arange(count) / period)[:, None, None]
    grain = np.random.default_rng(5).normal(scale=noise, size=(count, 96, 96)) if noise else 0.0
    return np.clip(200 * np.exp(-(((distance - radius) / 5) ** 2)) + grain, 0, 255).astype(np.uint8)


def clip_of(frames: NDArray[np.uint8], frame_ms: float | None = 40.0, r_waves: tuple[float, ...] = ()) -> EchoClip:
    times = None if frame_ms is None else np.arange(len(frames)) * frame_ms
    return EchoClip(View.A4C, frames, (0.5, 0.5), times, Source("clip.dcm", "user"), Fan(0, 48, 45, 96), r_waves)


@pytest.mark.parametrize("noise", [0.0, 25.0])
@pytest.mark.parametrize("period", [18, 25])
def test_the_period_is_found_in_the_pictures(period: int, noise: float) -> None:
    assert recurrence(pulsating(60, period, noise=noise), 40.0) == pytest.approx(period, abs=1)


def test_a_single_beat_is_the_whole_clip() -> None:
    assert recurrence(pulsating(25, 25), 40.0) == 25.0


def test_a_still_and_a_short_clip_are_their_own_beat() -> None:
    assert recurrence(pulsating(1, 25), 40.0) == 1.0
    assert recurrence(pulsating(6, 25), 40.0) == 6.0
    assert recurrence(np.zeros((50, 96, 96), np.uint8), 40.0) == 50.0


def test_a_long_clip_in_which_nothing_comes_back_is_cut_into_seconds() -> None:
    assert recurrence(np.zeros((100, 96, 96), np.uint8), 40.0) == 25.0


def test_r_waves_give_start_and_length() -> None:
    window = beat_window(clip_of(pulsating(60, 20), r_waves=(200.0, 1000.0, 1800.0)))
    assert (window.start, window.length, window.known_start) == (5, 20.0, True)


def test_the_users_frame_wins() -> None:
    assert beat_window(clip_of(pulsating(60, 20), r_waves=(200.0, 1000.0)), ed_frame=9).start == 9


def test_an_r_wave_without_a_whole_beat_after_it_is_passed_over() -> None:
    window = beat_window(clip_of(pulsating(30, 20), r_waves=(0.0, 800.0)))
    assert (window.start, window.length) == (0, 20.0)


def test_without_r_waves_the_start_is_not_known() -> None:
    window = beat_window(clip_of(pulsating(60, 20)))
    assert not window.known_start
    assert window.length == pytest.approx(20, abs=1)


def test_frames_stay_within_the_clip() -> None:
    for window in (BeatWindow(0, 25.0, 25, 40.0, True), BeatWindow(20, 25.0, 30, 40.0, True), BeatWindow(0, 1.0, 1, 40.0, False)):
        frames = [window.frame(share) for share in np.arange(25) / 25]
        assert min(frames) >= 0
        assert max(frames) < window.count
    assert [BeatWindow(0, 25.0, 25, 40.0, True).frame(k / 25) for k in range(25)] == list(range(25))


def test_times_come_from_the_file_or_are_assumed() -> None:
    assert mean_frame_ms(clip_of(pulsating(4, 20))) == 40.0
    assert mean_frame_ms(clip_of(pulsating(4, 20), None)) == ASSUMED_FRAME_MS
    assert r_wave_frames(clip_of(pulsating(4, 20), r_waves=(40.0, 4000.0))) == [1.0]

import numpy as np
import pytest

from echo3d.core.images import EchoClip, Source
from echo3d.core.result import Beat
from echo3d.core.sector import Fan
from echo3d.core.views import View
from echo3d.gui.cycle import beat_cycle, clip_cycle, frame_at, free_cycle, phase_at, time_of


def clip(count: int = 50, step: float = 40.0, waves: tuple[float, ...] = ()) -> EchoClip:
    frames = np.zeros((count, 2, 2), np.uint8)
    return EchoClip(View.A4C, frames, None, np.arange(count) * step, Source("a", "user"), Fan(0, 1, 40, 2), waves)


def test_free_cycle_is_the_whole_recording() -> None:
    cycle = free_cycle(clip())
    assert cycle.loop_ms == 2000.0
    assert [frame_at(cycle, ms) for ms in (0, 39.9, 40, 1999, 2000)] == [0, 0, 1, 49, 0]


def test_unknown_times_are_taken_as_thirty_per_second() -> None:
    unknown = EchoClip(None, np.zeros((30, 2, 2), np.uint8), None, None, Source("a", "user"), Fan(0, 1, 40, 2))
    assert free_cycle(unknown).loop_ms == pytest.approx(999.0)


def test_a_single_frame_works() -> None:
    cycle = clip_cycle(clip(1), 0, 0, 900.0)
    assert frame_at(cycle, 12345.6) == 0
    assert 0 <= phase_at(cycle, 5.0) < 2


def test_ed_and_es_frames_are_hit_exactly() -> None:
    cycle = clip_cycle(clip(), 5, 14, 1000.0)
    assert frame_at(cycle, time_of(cycle, 0.0)) == 5
    assert frame_at(cycle, time_of(cycle, 1.0)) == 14


def test_es_before_ed_wraps_round_the_loop() -> None:
    cycle = clip_cycle(clip(25), 20, 5, 1000.0)
    assert cycle.systole_ms == pytest.approx(400.0)
    assert frame_at(cycle, time_of(cycle, 1.0)) == 5


def test_r_waves_give_the_beat() -> None:
    assert clip_cycle(clip(waves=(100.0, 900.0, 1700.0)), 0, 5, 1234.0).beat_ms == 800.0


@pytest.mark.parametrize("phase", [0.0, 0.3, 0.999, 1.0, 1.5, 1.99])
def test_phase_and_time_are_inverse(phase: float) -> None:
    cycle = clip_cycle(clip(), 5, 14, 1000.0)
    assert phase_at(cycle, time_of(cycle, phase)) == pytest.approx(phase)


def test_the_beat_s_smallest_volume_is_end_systole() -> None:
    beat = Beat(np.zeros((4, 1, 3), np.float32), np.array([0.0, 200, 400, 600]), np.array([100.0, 60, 40, 80]))
    cycle = beat_cycle(beat)
    assert (cycle.systole_ms, cycle.beat_ms) == (400.0, 800.0)
    assert frame_at(cycle, time_of(cycle, 1.0)) == 2

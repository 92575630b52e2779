"""The display stage: speckle reduction, edge enhancement, grey map, persistence."""

from dataclasses import replace

import numpy as np
import pytest

from echo3d.core.structures import Structure
from echo3d.errors import ShapeError
from echo3d.style.display import displayed, persisted
from echo3d.style.draws import SpeckleDraw
from echo3d.style.polar import PolarGrid
from echo3d.style.speckle import envelope

FAN = PolarGrid(400, 120, 40.0, 160.0)
PLAIN = SpeckleDraw(2, range_db=60.0, white_db=20.0)


def test_speckle_reduction_leaves_the_mean_and_lowers_the_grain() -> None:
    amplitude = envelope(np.full((400, 120), Structure.LV_MYOCARDIUM, np.uint8), FAN, PLAIN)
    raw, half, full = (displayed(amplitude, FAN, replace(PLAIN, smooth=share))[20:-20, 5:-5] for share in (0.0, 0.5, 1.0))
    assert full.mean() == pytest.approx(raw.mean(), abs=0.005)
    assert full.std() < half.std() < 0.95 * raw.std()


def test_edges_are_enhanced_by_the_drawn_strength() -> None:
    step = np.full((400, 120), 0.1, np.float32)
    step[200:] = 1.0
    raw, sharp = (displayed(step, FAN, replace(PLAIN, edge=edge)) for edge in (0.0, 0.8))
    assert sharp[100, 50] == raw[100, 50] and sharp[300, 50] == raw[300, 50], "nothing happens away from borders"
    assert sharp[200, 50] - sharp[199, 50] == pytest.approx((1 + 0.8 * 6 / 7) * (raw[200, 50] - raw[199, 50]), rel=0.01)


def test_the_curve_darkens_what_is_dark_and_brightens_what_is_bright() -> None:
    dark, bright = (np.full((400, 120), 10 ** (level / 20), np.float32) for level in (-25.0, 5.0))
    hard = replace(PLAIN, curve=1.0)
    assert displayed(dark, FAN, hard)[0, 0] == pytest.approx(3 * 0.25**2 - 2 * 0.25**3, abs=1e-5)
    assert displayed(bright, FAN, hard)[0, 0] == pytest.approx(3 * 0.75**2 - 2 * 0.75**3, abs=1e-5)


def test_persistence_settles_on_what_stays_and_keeps_its_input() -> None:
    frames = np.zeros((12, 4, 4), np.uint8)
    frames[1:] = 200
    kept = frames.copy()
    shown = persisted(frames, 0.5)
    np.testing.assert_array_equal(frames, kept)
    assert shown.dtype == np.uint8 and shown[:4, 0, 0].tolist() == [0, 100, 150, 175] and shown[-1, 0, 0] == 200
    np.testing.assert_array_equal(persisted(frames, 0.0), frames)


def test_persistence_of_noise_lowers_it_as_a_running_mean_does() -> None:
    frames = np.random.default_rng(0).normal(size=(400, 8, 8))
    assert persisted(frames, 0.5)[50:].var() == pytest.approx(frames.var() * (1 - 0.5) / (1 + 0.5), rel=0.03)


def test_persistence_of_one_picture_or_of_everything_is_refused() -> None:
    with pytest.raises(ShapeError, match="share of 0 to 1"):
        persisted(np.zeros((4, 4)), 0.3)
    with pytest.raises(ShapeError, match="share of 0 to 1"):
        persisted(np.zeros((2, 4, 4)), 1.0)

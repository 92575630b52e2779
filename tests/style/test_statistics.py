"""Speckle statistics against theory."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from echo3d.core.sector import Fan
from echo3d.core.structures import Structure
from echo3d.errors import ShapeError
from echo3d.style.beam import beam_width_deg
from echo3d.style.display import compressed, displayed
from echo3d.style.draws import SpeckleDraw
from echo3d.style.polar import PolarGrid
from echo3d.style.speckle import envelope
from echo3d.style.statistics import RAYLEIGH_DB, RAYLEIGH_SNR, along_beams, correlation_length, first_order, undisplayed

FINE = PolarGrid(800, 400, 40.0, 160.0)
DRAW = SpeckleDraw(1, axial_mm=0.7, lateral_deg=1.2, focus_mm=80.0)
DEPTHS = (45.0, 80.0, 130.0)


def speckle(depth: float, seeds: int = 6, draw: SpeckleDraw = DRAW, fan: PolarGrid = FINE) -> NDArray[np.float32]:
    """Return fully developed speckle of 20 mm around a depth: (seeds, S, L)."""
    muscle = np.full((fan.samples, fan.lines), Structure.LV_MYOCARDIUM, np.uint8)
    rows = slice(round((depth - 10) / fan.step_mm), round((depth + 10) / fan.step_mm))
    return np.stack([envelope(muscle, fan, replace(draw, seed=seed))[rows, 30:-30] for seed in range(seeds)])


@pytest.mark.parametrize("depth", DEPTHS)
def test_speckle_is_fully_developed_at_every_depth(depth: float) -> None:
    found = first_order(speckle(depth))
    assert found.snr == pytest.approx(RAYLEIGH_SNR, abs=0.05)
    assert found.sigma == pytest.approx(np.sqrt(0.5), rel=0.02)
    assert found.distance < 0.015


@pytest.mark.parametrize("depth", DEPTHS)
def test_correlation_lengths_are_those_of_pulse_and_beam(depth: float) -> None:
    parts = speckle(depth)
    axial = np.mean([correlation_length(part, 0) for part in parts]) * FINE.step_mm
    lateral = np.mean([correlation_length(part, 1) for part in parts]) * FINE.line_deg
    assert axial == pytest.approx(0.7, rel=0.07)
    assert lateral == pytest.approx(float(beam_width_deg(np.array([depth]), DRAW)[0]), rel=0.1)


def test_what_is_no_speckle_is_told_apart() -> None:
    rng = np.random.default_rng(0)
    coherent = np.abs(3.0 + rng.normal(size=4000) + 1j * rng.normal(size=4000))
    assert first_order(coherent).distance > 0.15 and first_order(coherent).snr > 2.5
    few = np.abs(rng.normal(size=4000) + 1j * rng.normal(size=4000)) * rng.gamma(0.5, size=4000)
    assert first_order(few).distance > 0.15 and first_order(few).snr < 1.5


@pytest.mark.parametrize("range_db", [50.0, 70.0])
def test_a_compressed_picture_gives_range_and_statistics_back(range_db: float) -> None:
    amplitude = speckle(80.0, seeds=4)
    grey = np.rint(255 * compressed(amplitude, range_db=range_db, white_db=20.0)) / 255
    back, taken = undisplayed(grey)
    assert taken == pytest.approx(range_db, rel=0.03)
    assert first_order(back).snr == pytest.approx(RAYLEIGH_SNR, abs=0.06)
    assert first_order(back).distance < 0.02
    known, _ = undisplayed(grey, range_db=range_db)
    assert correlation_length(known[0], 0) == pytest.approx(correlation_length(amplitude[0], 0), rel=0.05)


def test_a_filtered_display_looks_as_if_its_range_were_larger() -> None:
    part = PolarGrid(400, 160, 40.0, 160.0)
    muscle = np.full((400, 160), Structure.LV_MYOCARDIUM, np.uint8)
    draw = SpeckleDraw(3, range_db=60.0)
    plain, smooth = (displayed(envelope(muscle, part, draw), part, replace(draw, smooth=share))[50:, 20:-20] for share in (0.0, 1.0))
    assert undisplayed(plain)[1] == pytest.approx(60, rel=0.04)
    assert undisplayed(smooth)[1] > 66


def test_the_scatter_of_rayleigh_speckle_in_decibels() -> None:
    rng = np.random.default_rng(1)
    levels = 20 * np.log10(np.abs(rng.normal(size=200_000) + 1j * rng.normal(size=200_000)))
    assert pytest.approx(5.57, abs=0.005) == RAYLEIGH_DB and levels.std() == pytest.approx(RAYLEIGH_DB, rel=0.01)


def test_a_picture_is_read_along_its_beams() -> None:
    fan = Fan(apex_row=2.0, apex_column=60.0, half_angle=40.0, radius=100.0)
    rows, columns = np.mgrid[:110, :120] + 0.5
    seen, apart = along_beams(np.hypot(rows - 2.0, columns - 60.0), fan, lines=80)
    assert seen.shape == (100, 80) and apart == 1.0
    np.testing.assert_allclose(seen[10:90], (np.arange(10, 90) + 0.5)[:, None].repeat(80, 1), atol=0.05)


def test_regions_that_say_nothing_are_refused() -> None:
    with pytest.raises(ShapeError, match="take a larger one"):
        first_order(np.ones(100))
    with pytest.raises(ShapeError, match="12 samples"):
        correlation_length(np.ones((4, 40)), 0)
    with pytest.raises(ShapeError, match="same amplitude everywhere"):
        correlation_length(np.ones((40, 40)), 0)
    with pytest.raises(ShapeError, match="one grey value"):
        undisplayed(np.ones((4, 4)))

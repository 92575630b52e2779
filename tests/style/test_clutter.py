"""What a scanner adds and sets: haze, side lobes, reverberation, depth gain, gain, dynamic range; each by its own figure."""

from dataclasses import replace

import numpy as np
import pytest

from echo3d.core.structures import Structure
from echo3d.style.beam import beam_blur
from echo3d.style.display import displayed
from echo3d.style.draws import SpeckleDraw
from echo3d.style.polar import PolarGrid
from echo3d.style.speckle import envelope

FAN = PolarGrid(480, 160, 40.0, 160.0)
MUSCLE = np.full((480, 160), Structure.LV_MYOCARDIUM, np.uint8)
BLOOD = np.full((480, 160), Structure.LV_CAVITY, np.uint8)
SILENT = SpeckleDraw(5, blood_db=-120.0)


def test_haze_has_its_level_at_the_probe_and_falls_to_1_e_within_its_depth() -> None:
    power = np.square(envelope(BLOOD, FAN, replace(SILENT, haze_db=-6.0, haze_mm=20.0))).mean(axis=1)
    for depth in (5.0, 25.0, 45.0):
        row = round(depth / FAN.step_mm)
        level = 10 * np.log10(power[row - 6 : row + 6].mean())
        assert level == pytest.approx(-6 - 20 * np.log10(np.e) * depth / 20, abs=0.6)


def test_a_bright_point_leaks_into_the_side_lobes_by_the_drawn_level() -> None:
    point = np.zeros((480, 160), np.complex64)
    point[240, 80] = 1
    for level in (-24.0, -34.0):
        profile = np.abs(beam_blur(point, FAN, SpeckleDraw(1, lateral_deg=1.2, sidelobe_db=level))[240])
        beside = 20 * np.log10(profile[80 - 8] / profile.max())
        assert beside == pytest.approx(level - 20 * np.log10(np.exp(4 * np.log(2) * (4.0 / 6.0) ** 2)), abs=1.0)
    clean = np.abs(beam_blur(point, FAN, SpeckleDraw(1, lateral_deg=1.2))[240])
    assert clean[80 - 8] < 2e-3 * clean.max()


def test_reverberation_repeats_the_near_field_deeper() -> None:
    labels = BLOOD.copy()
    labels[: round(10 / FAN.step_mm)] = Structure.LV_MYOCARDIUM
    power = np.square(envelope(labels, FAN, replace(SILENT, reverb_db=-12.0, reverb_mm=30.0))).mean(axis=1)
    again = power[round(32 / FAN.step_mm) : round(38 / FAN.step_mm)].mean()
    assert 10 * np.log10(again) == pytest.approx(-12 - 20 * np.log10(np.e) * 5 / 40, abs=1.0)
    assert power[round(45 / FAN.step_mm) :].max() < 1e-3 * again


def test_depth_gain_errs_as_drawn_at_each_depth() -> None:
    draw = SpeckleDraw(3, tgc_db=(0.0, 6.0, -6.0))
    power = np.square(envelope(MUSCLE, FAN, draw)).mean(axis=1)
    for depth, level in ((40.0, 3.0), (80.0, 6.0), (120.0, 0.0)):
        row = round(depth / FAN.step_mm)
        assert 10 * np.log10(power[row - 6 : row + 6].mean()) == pytest.approx(level, abs=0.9)


def test_gain_moves_every_grey_value_alike() -> None:
    steps = np.full((480, 160), 0.1, np.float32)
    dark, bright = (displayed(steps, FAN, SpeckleDraw(1, white_db=white, range_db=60.0)) for white in (20.0, 14.0))
    assert bright[0, 0] - dark[0, 0] == pytest.approx(6 / 60, abs=1e-5)


@pytest.mark.parametrize("range_db", [50.0, 70.0])
def test_the_dynamic_range_is_what_lies_between_black_and_white(range_db: float) -> None:
    levels = np.linspace(25, -60, 480)
    grey = displayed(
        (10 ** (levels / 20))[:, None].repeat(160, 1).astype(np.float32), FAN, SpeckleDraw(1, range_db=range_db, white_db=20.0)
    )
    shown = levels[(grey[:, 0] > 0) & (grey[:, 0] < 1)]
    assert shown.max() == pytest.approx(20, abs=0.3) and shown.min() == pytest.approx(20 - range_db, abs=0.3)


def test_texture_of_the_tissue_varies_by_the_drawn_decibels() -> None:
    flat = [
        20 * np.log10(envelope(MUSCLE, FAN, SpeckleDraw(4, texture_db=level)) / envelope(MUSCLE, FAN, SpeckleDraw(4)))
        for level in (0.0, 4.0)
    ]
    assert np.abs(flat[0]).max() < 1e-3 and 2.5 < np.median(np.abs(flat[1])) / 0.6745 < 5.0

"""What a scene tells: fibres against the beam, lung and bone, speckle that hangs on the tissue; and what the presets draw."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from echo3d.core.structures import Structure
from echo3d.errors import ShapeError
from echo3d.style.draws import SpeckleDraw, draw_speckle
from echo3d.style.noise import SLAB_MM, tissue_noise, tissue_places
from echo3d.style.polar import PolarGrid
from echo3d.style.presets import IMAGING, OF_THE_MACHINE, PROCESSING
from echo3d.style.scene import Scene
from echo3d.style.shadows import FRONT_DB, LINE_DB
from echo3d.style.speckle import envelope

FAN = PolarGrid(480, 160, 40.0, 160.0)
MUSCLE = np.full((480, 160), Structure.LV_MYOCARDIUM, np.uint8)
NOTHING = np.zeros((480, 160), np.uint8)


def at_rest(fan: PolarGrid, shift: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> NDArray:
    """Return (S, L, 3) the rest places of tissue that has moved by a shift (depth, lateral, elevation)."""
    plane = fan.plane_mm()
    return np.concatenate([plane, np.zeros((*plane.shape[:2], 1))], axis=-1) - np.array(shift)


def column(fan: PolarGrid) -> tuple[NDArray[np.uint8], NDArray, NDArray]:
    """Return a wall of 24 mm along the beam beside blood, its distance from the blood, and the depths; the wall lies 80-120 mm deep."""
    mm = fan.plane_mm()
    aside = mm[..., 1]
    wall = (mm[..., 0] > 70) & (mm[..., 0] < 130)
    labels = np.select([wall & (np.abs(aside) < 12), wall & (aside <= -12)], [Structure.LV_MYOCARDIUM, Structure.LV_CAVITY], 0)
    return labels.astype(np.uint8), aside + 12, mm[..., 0]


@pytest.mark.parametrize(("long_axis", "inner", "middle"), [(0.0, 0.25, 1.0), (1.0, 0.75, 0.0)])
def test_fibres_along_the_beam_send_less_back(long_axis: float, inner: float, middle: float) -> None:
    """In a short axis the middle fibres run along a wall that runs along the beam; in a long axis those at 60 degrees do most."""
    labels, inside, depth = column(FAN)
    scene, draw = Scene(long_axis=long_axis), SpeckleDraw(3)
    loss = 20 * np.log10(envelope(labels, FAN, replace(draw, fibre_db=8.0), scene=scene) / envelope(labels, FAN, draw, scene=scene))
    level = (depth > 85) & (depth < 115)
    assert np.median(loss[level & (inside > 0.5) & (inside < 2)]) == pytest.approx(-8 * inner, abs=2.5)
    assert np.median(loss[level & (inside > 10) & (inside < 14)]) == pytest.approx(-8 * middle, abs=1.5)


def test_walls_across_the_beam_keep_their_fibres() -> None:
    labels = np.zeros((480, 160), np.uint8)
    labels[200:240] = Structure.LV_MYOCARDIUM
    draw = SpeckleDraw(3)
    loss = 20 * np.log10(envelope(labels, FAN, replace(draw, fibre_db=8.0)) / envelope(labels, FAN, draw))
    assert np.abs(np.median(loss[205:235])) < 0.5


def test_lung_repeats_its_front_at_equal_distances_and_bone_does_not() -> None:
    stop = np.full(FAN.lines, 30.0)
    silent = SpeckleDraw(1, outside_db=-120.0, pericardium_db=-120.0, axial_mm=0.5)
    bone, lung = (envelope(NOTHING, FAN, silent, scene=Scene(stop, np.full(FAN.lines, air))).mean(axis=1) for air in (False, True))
    rows = [round(depth / FAN.step_mm - 0.5) for depth in (30.0, 60.0, 90.0, 120.0)]
    peaks = 20 * np.log10([lung[row - 3 : row + 4].max() for row in rows])
    assert np.diff(peaks)[1:] == pytest.approx([-LINE_DB, -LINE_DB], abs=2.0)
    assert peaks[1] < peaks[0] - LINE_DB / 2 and peaks[1] > FRONT_DB - 2 * LINE_DB
    between = lung[rows[1] + 20 : rows[2] - 20].max()
    assert lung[rows[1] - 3 : rows[1] + 4].max() > 5 * between > 5 * 3 * bone[rows[1] + 20 : rows[2] - 20].max()
    assert bone[rows[1] - 3 : rows[1] + 4].max() < 0.02


def test_drawn_lung_repeats_the_chest_wall_within_the_shadow_of_the_fans_edge() -> None:
    draw = SpeckleDraw(1, outside_db=-120.0, pericardium_db=-120.0, chest_mm=25.0, shadow_deg=(15.0, 0.0), shadow_db=20.0, axial_mm=0.5)
    dark, lined = (envelope(NOTHING, FAN, replace(draw, lung_db=level)) for level in (-200.0, -4.0))
    rows = [round(depth / FAN.step_mm - 0.5) for depth in (25.0, 50.0, 75.0, 100.0)]
    peaks = 20 * np.log10([lined[row - 3 : row + 4, 5:15].max(axis=0).mean() for row in rows])
    assert np.diff(peaks)[1:] == pytest.approx([-LINE_DB, -LINE_DB], abs=2.0)
    assert dark.max() < 0.01 and lined[:, 60:].max() < 0.02 * lined[rows[0], 10]


def test_shadows_have_a_half_shadow() -> None:
    stop = np.where(np.arange(FAN.lines) < 80, 30.0, np.inf)
    parts = [20 * np.log10(envelope(MUSCLE, FAN, SpeckleDraw(2), scene=Scene(where)) + 1e-9) for where in (stop, None)]
    loss = np.median((parts[0] - parts[1])[200:], axis=0)
    assert np.all(loss[:70] < -50) and np.all(np.abs(loss[92:]) < 0.1)
    assert -9 < loss[80] < -3, "half the probe sees past the edge"


def test_beams_that_pass_the_heart_by_have_their_own_level() -> None:
    labels = NOTHING.copy()
    labels[200:300, 80:] = Structure.LV_MYOCARDIUM
    plain, dark = (np.square(envelope(labels, FAN, SpeckleDraw(3, side_db=level))) for level in (0.0, -12.0))
    assert 10 * np.log10(dark[100:, 10:50].mean() / plain[100:, 10:50].mean()) == pytest.approx(-12, abs=0.7)
    assert 10 * np.log10(dark[340:, 110:].mean() / plain[340:, 110:].mean()) == pytest.approx(0, abs=0.3)


def test_no_tissue_is_seen_through_lung() -> None:
    labels = NOTHING.copy()
    labels[200:300] = Structure.LV_MYOCARDIUM
    scene = Scene(np.full(FAN.lines, 30.0), np.ones(FAN.lines, bool))
    quiet = SpeckleDraw(1, outside_db=-60.0)
    heart, none = (np.square(envelope(seen, FAN, quiet, scene=scene)).mean(axis=1) for seen in (labels, NOTHING))
    np.testing.assert_allclose(heart[110:400], none[110:400], rtol=0.02)


def test_speckle_moves_with_the_tissue() -> None:
    draw, moved = SpeckleDraw(6), (3 * FAN.step_mm, 0.0, 0.0)
    rest = at_rest(FAN)
    first = envelope(MUSCLE, FAN, draw, scene=Scene(rest_mm=rest))
    # Moved along each beam by three samples, in polar terms.
    deeper = rest.copy()
    deeper[..., :2] *= ((FAN.radii() - moved[0]) / FAN.radii())[:, None, None]
    second = envelope(MUSCLE, FAN, draw, scene=Scene(rest_mm=deeper))
    core = (slice(150, 400), slice(10, 150))
    assert np.corrcoef(first[150:400, 10:150].ravel(), second[153:403, 10:150].ravel())[0, 1] > 0.95
    assert np.corrcoef(first[core].ravel(), second[core].ravel())[0, 1] < 0.4


@pytest.mark.parametrize(("lift", "low", "high"), [(0.0, 0.999, 1.0), (0.25 * SLAB_MM, 0.7, 0.98), (2 * SLAB_MM, -0.1, 0.1)])
def test_tissue_that_leaves_the_plane_takes_its_speckle_along(lift: float, low: float, high: float) -> None:
    draw = SpeckleDraw(6)
    pair = [envelope(MUSCLE, FAN, draw, scene=Scene(rest_mm=at_rest(FAN, (0, 0, up)))) for up in (0.0, lift)]
    assert low <= np.corrcoef(pair[0].ravel(), pair[1].ravel())[0, 1] <= high + 1e-6


@pytest.mark.parametrize("shift", [(0.0, 0.0, 0.0), (0.17, 0.4, 1.1)])
def test_noise_of_the_tissue_is_white_and_gaussian_of_unit_power_wherever_it_lies(shift: tuple[float, float, float]) -> None:
    noise = tissue_noise(tissue_places(at_rest(FAN, shift), FAN), 11)
    assert noise.shape == (480, 160) and noise.dtype == np.complex64
    assert np.square(np.abs(noise)).mean() == pytest.approx(1, abs=0.02)
    amplitude = np.abs(noise)
    assert amplitude.mean() / amplitude.std() == pytest.approx(1.913, abs=0.03)
    assert abs(np.mean(noise[:-2] * noise[2:].conj())) < 0.03 and abs(np.mean(noise[:, :-2] * noise[:, 2:].conj())) < 0.03


def test_speckle_on_tissue_is_fully_developed() -> None:
    parts = [
        envelope(MUSCLE, FAN, SpeckleDraw(seed), scene=Scene(rest_mm=at_rest(FAN, (0.1, 0.3, 0.8))))[20:-20, 10:-10] for seed in range(4)
    ]
    amplitude = np.concatenate(parts)
    assert amplitude.mean() / amplitude.std() == pytest.approx(1.91, abs=0.05)


def test_scenes_of_another_fan_or_without_sense_are_refused() -> None:
    with pytest.raises(ShapeError, match="a point for each sample"):
        envelope(MUSCLE, FAN, SpeckleDraw(1), scene=Scene(rest_mm=np.zeros((3, 3, 3))))
    with pytest.raises(ShapeError, match="one depth for each beam"):
        envelope(MUSCLE, FAN, SpeckleDraw(1), scene=Scene(np.zeros(160), np.zeros(3, bool)))
    with pytest.raises(ShapeError, match="share of 0 to 1"):
        Scene(long_axis=1.5)
    with pytest.raises(ShapeError, match="give both"):
        Scene(lung=np.zeros(160, bool))


def test_fat_lies_upon_the_heart_and_the_surroundings_fade_behind_it() -> None:
    labels = NOTHING.copy()
    labels[100:200] = Structure.LV_MYOCARDIUM
    draw = SpeckleDraw(2, outside_db=-10.0, pericardium_db=-10.0)
    plain, fat, faded = (
        np.square(envelope(labels, FAN, replace(draw, **more))).mean(axis=1)
        for more in ({}, {"fat_mm": 8.0, "fat_db": 3.0}, {"tail_db_per_cm": 4.0})
    )
    step = FAN.step_mm
    assert 10 * np.log10(fat[210:216].mean() / plain[210:216].mean()) > 8
    assert 10 * np.log10(fat[300:340].mean() / plain[300:340].mean()) == pytest.approx(0, abs=0.3)
    assert 10 * np.log10(faded[290:310].mean() / plain[290:310].mean()) == pytest.approx(-0.4 * 100 * step, abs=1.5)


def test_the_pericardium_is_bright_where_the_beam_meets_it_square() -> None:
    mm = FAN.plane_mm()
    radius, turn = np.hypot(mm[..., 0] - 80, mm[..., 1]), np.abs(np.degrees(np.arctan2(mm[..., 1], mm[..., 0] - 80)))
    labels = np.where(radius < 35, Structure.LV_MYOCARDIUM, 0).astype(np.uint8)
    draw = SpeckleDraw(2, outside_db=-20.0, pericardium_db=0.0)
    power = np.square(envelope(labels, FAN, draw))
    rim = (radius > 35.5) & (radius < 37.2)
    far, side = power[rim & (turn < 20)].mean(), power[rim & (turn > 80) & (turn < 100)].mean()
    assert far > 4 * side


def test_one_machine_keeps_its_settings_and_presets_stay_in_their_ranges() -> None:
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(60):
        machine = draw_speckle(rng)
        seen |= {machine.imaging, machine.processing}
        for name, (low, high) in PROCESSING[machine.processing].items():
            assert low <= getattr(machine, name) <= high
        assert IMAGING[machine.imaging]["haze_db"][0] <= machine.haze_db <= IMAGING[machine.imaging]["haze_db"][1]
        other = draw_speckle(rng, like=machine)
        assert all(getattr(other, name) == getattr(machine, name) for name in OF_THE_MACHINE)
        assert other.seed != machine.seed and other.imaging == machine.imaging
    assert seen == {*IMAGING, *PROCESSING}


def test_harmonics_are_narrower_and_cleaner_and_noisier_at_depth() -> None:
    rng = np.random.default_rng(1)
    draws = [draw_speckle(rng) for _ in range(300)]
    kinds = {name: [draw for draw in draws if draw.imaging == name] for name in IMAGING}
    for name, sign in (("lateral_deg", -1), ("sidelobe_db", -1), ("haze_db", -1), ("noise_db", 1)):
        first, second = (np.mean([getattr(draw, name) for draw in kinds[kind]]) for kind in ("fundamental", "harmonic"))
        assert sign * (second - first) > 0
    assert len(kinds["harmonic"]) > len(kinds["fundamental"]) > 60

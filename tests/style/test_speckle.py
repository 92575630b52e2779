"""Physics of the speckle picture with exact answers."""

import json
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from echo3d.core.sector import PictureGrid
from echo3d.core.structures import Structure
from echo3d.errors import ShapeError
from echo3d.style.beam import beam_blur, beam_width_deg, pulse_blur
from echo3d.style.draws import SpeckleDraw, draw_speckle
from echo3d.style.polar import PolarGrid
from echo3d.style.scene import Scene
from echo3d.style.speckle import envelope, speckle_image

FAN = PolarGrid(480, 160, 40.0, 160.0)
GRID = PictureGrid(112, 112, 1.6)
MUSCLE = np.full((480, 160), Structure.LV_MYOCARDIUM, np.uint8)


def ring(fan: PolarGrid) -> NDArray[np.uint8]:
    """Return a short axis: a ring of muscle of 10 mm around blood, 80 mm below the probe."""
    mm = fan.plane_mm()
    radius = np.hypot(mm[..., 0] - 80, mm[..., 1])
    return np.select([radius < 25, radius < 35], [Structure.LV_CAVITY, Structure.LV_MYOCARDIUM], 0).astype(np.uint8)


def inner(seed: int, **changes: Any) -> NDArray[np.float32]:
    """Return the amplitude of homogeneous muscle, away from the fan's edges."""
    return envelope(MUSCLE, FAN, replace(SpeckleDraw(seed), **changes))[20:-20, 10:-10]


def test_fully_developed_speckle_has_the_known_signal_to_noise_ratio() -> None:
    """Mean over standard deviation of a Rayleigh amplitude is sqrt(pi / (4 - pi)) = 1.913."""
    amplitude = np.concatenate([inner(seed) for seed in range(4)])
    assert amplitude.mean() / amplitude.std() == pytest.approx(1.91, abs=0.05)


def test_the_amplitude_is_rayleigh_distributed_with_unit_mean_square() -> None:
    amplitude = np.sort(np.concatenate([inner(seed) for seed in range(4)]).ravel())
    assert np.square(amplitude).mean() == pytest.approx(1.0, abs=0.03)
    expected = 1 - np.exp(-np.square(amplitude))
    assert np.abs(expected - np.linspace(0, 1, amplitude.size)).max() < 0.02


@pytest.mark.parametrize("level", [-20.0, -30.0])
def test_blood_is_darker_than_muscle_by_the_drawn_level(level: float) -> None:
    labels = MUSCLE.copy()
    labels[:, 80:] = Structure.LV_CAVITY
    power = np.square(envelope(labels, FAN, SpeckleDraw(3, blood_db=level)))
    ratio = 10 * np.log10(power[:, 90:150].mean() / power[:, 10:70].mean())
    assert ratio == pytest.approx(level, abs=0.5)


@pytest.mark.parametrize("depth", [40.0, 80.0, 120.0])
def test_a_point_is_seen_as_wide_as_the_beam(depth: float) -> None:
    fan = PolarGrid(160, 801, 40.0, 160.0)
    draw = SpeckleDraw(1)
    point = np.zeros((160, 801), np.complex64)
    point[int(depth), 400] = 1
    profile = np.abs(beam_blur(point, fan, draw)[int(depth)])
    width = np.count_nonzero(profile >= profile.max() / 2) * fan.line_deg
    assert width == pytest.approx(float(beam_width_deg(np.array([depth + 0.5]), draw)[0]), abs=2 * fan.line_deg)


def test_a_point_is_seen_as_long_as_the_pulse() -> None:
    fan = PolarGrid(4000, 2, 40.0, 160.0)
    point = np.zeros((4000, 2), np.complex64)
    point[2000] = 1
    profile = np.abs(pulse_blur(point, fan, SpeckleDraw(1, axial_mm=0.7)))[:, 0]
    assert np.count_nonzero(profile >= profile.max() / 2) * fan.step_mm == pytest.approx(0.7, abs=2 * fan.step_mm)


def test_speckle_grows_wider_with_depth() -> None:
    amplitude = np.concatenate([inner(seed) for seed in range(6)], axis=1) - np.sqrt(np.pi) / 2
    lag = [
        (amplitude[rows, :-1] * amplitude[rows, 1:]).mean() / np.square(amplitude[rows]).mean()
        for rows in (slice(180, 280), slice(340, 440))
    ]
    radius = [20 + 230, 20 + 390]
    length = [r * FAN.step_mm * np.radians(FAN.line_deg) / np.sqrt(-np.log(c)) for r, c in zip(radius, lag, strict=True)]
    assert length[1] > 1.4 * length[0]


def test_walls_along_the_beam_drop_out() -> None:
    draw = SpeckleDraw(2, dropout_db=12.0)
    labels = ring(FAN)
    clean = envelope(labels, FAN, replace(draw, dropout_db=0.0))
    loss = 20 * np.log10(envelope(labels, FAN, draw) / clean)
    mm = FAN.plane_mm()
    wall = np.abs(np.hypot(mm[..., 0] - 80, mm[..., 1]) - 30) < 2
    turn = np.abs(np.degrees(np.arctan2(mm[..., 1], mm[..., 0] - 80)))
    assert np.median(loss[wall & (turn > 75) & (turn < 100)]) < -8
    assert np.median(loss[wall & (turn < 15)]) > -3


def test_only_borders_across_the_beam_mirror() -> None:
    labels = ring(FAN)
    plain, bright = (envelope(labels, FAN, SpeckleDraw(4, specular_db=level)) for level in (-200.0, 15.0))
    mm = FAN.plane_mm()
    border = np.abs(np.hypot(mm[..., 0] - 80, mm[..., 1]) - 25) < 1
    turn = np.abs(np.degrees(np.arctan2(mm[..., 1], mm[..., 0] - 80)))
    far, side, near = ((turn < 15), (turn > 80) & (turn < 95), (turn > 165))
    gain = [np.square(bright[border & part]).mean() / np.square(plain[border & part]).mean() for part in (far, side, near)]
    assert gain[0] > 5 and gain[1] < 1.5 and gain[0] > 2 * gain[2]


def test_shadows_lie_where_and_as_deep_as_drawn() -> None:
    draw = SpeckleDraw(2, shadow_deg=(12.0, 0.0), shadow_db=20.0)
    power = np.square(envelope(MUSCLE, FAN, draw))
    left, middle = power[:, 3:12].mean(), power[:, 60:100].mean()
    assert 10 * np.log10(left / middle) == pytest.approx(-20, abs=2.5)


def test_noise_at_full_depth_has_the_drawn_level() -> None:
    draw = SpeckleDraw(2, noise_db=-20.0, outside_db=-120.0, pericardium_db=-120.0)
    power = np.square(envelope(np.zeros_like(MUSCLE), FAN, draw))
    assert 10 * np.log10(power[-10:].mean()) == pytest.approx(-20, abs=1)
    assert power[:100].mean() < 0.05 * power[-100:].mean()


def test_the_same_draw_gives_the_same_picture() -> None:
    draw = draw_speckle(np.random.default_rng(8))
    again = SpeckleDraw(**json.loads(json.dumps(asdict(draw))))
    assert again == draw
    np.testing.assert_array_equal(speckle_image(ring(FAN), FAN, GRID, draw), speckle_image(ring(FAN), FAN, GRID, again))


def test_in_a_cine_the_muscle_stands_still_and_the_blood_flickers() -> None:
    labels = ring(FAN)
    first, second = (envelope(labels, FAN, SpeckleDraw(5, frame=frame)) for frame in (0, 1))
    muscle, blood = labels == Structure.LV_MYOCARDIUM, labels == Structure.LV_CAVITY
    assert np.corrcoef(first[muscle], second[muscle])[0, 1] > 0.98
    core = blood & np.roll(blood, 40, axis=0) & np.roll(blood, -40, axis=0)
    assert abs(np.corrcoef(first[core], second[core])[0, 1]) < 0.3


def test_pictures_are_zero_outside_the_fan_and_dark_in_the_cavity() -> None:
    rng = np.random.default_rng(11)
    mm = GRID.plane_mm()
    radius = np.hypot(mm[..., 0] - 80, mm[..., 1])
    inside = GRID.inside(FAN.half_angle, FAN.depth)
    contrast = []
    for _ in range(12):
        picture = speckle_image(ring(FAN), FAN, GRID, draw_speckle(rng))
        assert picture.shape == (112, 112) and picture.dtype == np.float32
        assert picture.min() >= 0 and picture.max() <= 1
        assert not picture[~inside].any()
        contrast.append(picture[np.abs(radius - 30) < 3].mean() - picture[radius < 20].mean())
    assert min(contrast) > 0.02 and np.mean(contrast) > 0.12


def test_behind_bone_it_is_dark_and_before_it_nothing_changes() -> None:
    draw = SpeckleDraw(2)
    stop = np.full(FAN.lines, np.inf)
    stop[60:100] = 50.0
    plain, shadowed = envelope(MUSCLE, FAN, draw), envelope(MUSCLE, FAN, draw, scene=Scene(shadow_mm=stop))
    row = round(50.0 / FAN.step_mm)
    np.testing.assert_allclose(shadowed[: row - 12], plain[: row - 12], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(shadowed[:, :36], plain[:, :36], rtol=1e-4, atol=1e-4)
    loss = 10 * np.log10(np.square(shadowed[row + 60 :, 70:90]).mean() / np.square(plain[row + 60 :, 70:90]).mean())
    assert loss == pytest.approx(-60, abs=1.5)
    front = np.square(shadowed[row - 4 : row + 4, 70:90]).max(axis=0).mean()
    assert front > 5 * np.square(plain[row - 4 : row + 4, 70:90]).mean()


def test_the_front_of_bone_fades_where_the_beam_grazes_it() -> None:
    draw = SpeckleDraw(1, blood_db=-100.0, outside_db=-100.0)
    nothing = np.zeros((FAN.samples, FAN.lines), np.uint8)
    square, grazed = np.full(FAN.lines, 50.0), 50.0 * (1 + np.arange(FAN.lines) * np.radians(FAN.line_deg))
    grazed = np.minimum(grazed, FAN.depth - 2)
    fronts = [envelope(nothing, FAN, draw, scene=Scene(shadow_mm=stop)).max(axis=0)[4:12].mean() for stop in (square, grazed)]
    assert fronts[1] < 0.75 * fronts[0], "45 degrees halve the echo"


def test_a_shadow_does_not_hide_the_noise() -> None:
    draw = SpeckleDraw(2, noise_db=-20.0)
    shadowed = envelope(MUSCLE, FAN, draw, scene=Scene(shadow_mm=np.full(FAN.lines, 30.0)))
    assert 10 * np.log10(np.square(shadowed[-10:]).mean()) == pytest.approx(-20, abs=1)


def test_no_shadow_is_the_same_picture_as_before() -> None:
    draw = draw_speckle(np.random.default_rng(3))
    free = speckle_image(ring(FAN), FAN, GRID, draw, scene=Scene(shadow_mm=np.full(FAN.lines, np.inf)))
    np.testing.assert_array_equal(free, speckle_image(ring(FAN), FAN, GRID, draw))


def test_shadows_of_another_fan_are_refused() -> None:
    with pytest.raises(ShapeError, match="one depth for each beam"):
        envelope(MUSCLE, FAN, SpeckleDraw(1), scene=Scene(shadow_mm=np.zeros(3)))


def test_labels_off_the_fan_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"must have shape \(480, 160\), found \(160, 480\)"):
        speckle_image(MUSCLE.T, FAN, GRID, SpeckleDraw(1))

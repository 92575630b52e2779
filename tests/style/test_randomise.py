"""Each effect of the domain randomisation does its own thing, inside the fan, and can be repeated."""

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.fft import dctn

from echo3d.core.sector import PictureGrid
from echo3d.errors import InputError, ShapeError
from echo3d.style.jpeg import LUMINANCE, jpeg_loss
from echo3d.style.randomise import (
    EFFECTS,
    Randomisation,
    draw_randomisation,
    narrowed,
    randomisation_from_json,
    randomisation_to_json,
    randomised,
)
from echo3d.style.scanner import polar

COUNT, SIZE = 12, 112
INSIDE = np.broadcast_to(PictureGrid(SIZE, SIZE, 1.6).inside(38.0, 160.0), (COUNT, SIZE, SIZE))
RADIUS, ANGLE = polar((SIZE, SIZE))


def pictures(size: int = SIZE) -> NDArray[np.float32]:
    """Return smooth tissue with speckle and a few bright walls, black outside the fan."""
    rng = np.random.default_rng(0)
    grey = rng.rayleigh(0.15, (COUNT, size, size)).astype(np.float32)
    grey[:, size // 2 : size // 2 + 3] += 0.6
    return np.clip(grey, 0, 1) * PictureGrid(size, size, 1.6 * 112 / size).inside(38.0, 160.0)


def only(seed: int = 3, **values: object) -> Randomisation:
    """Return a draw in which nothing happens but what is named, alike for all pictures."""
    still = draw_randomisation(np.random.default_rng(seed), COUNT, 0)
    full = {name: np.broadcast_to(np.asarray(value, np.float32), getattr(still, name).shape) for name, value in values.items()}
    return replace(still, **full)


def certain(name: str) -> Randomisation:
    """Return a draw in which one effect happens to every picture, with numbers as they are drawn at double strength."""
    strong = draw_randomisation(np.random.default_rng(8), 60 * COUNT, 2.0)
    values = getattr(strong, name).reshape(60 * COUNT, -1)
    neutral = np.broadcast_to(np.asarray(EFFECTS[name].neutral, np.float32), EFFECTS[name].shape).ravel()
    there = (~np.isnan(neutral) & (values != neutral)).any(axis=1)
    rows = np.flatnonzero(there)[:COUNT]
    return only(**{name: getattr(strong, name)[rows]})


@pytest.mark.parametrize("name", EFFECTS)
def test_each_effect_changes_the_fan_and_nothing_else(name: str) -> None:
    before = pictures()
    outside = np.where(INSIDE, before, np.float32(0.25))  # what lies there must come back, whatever it is
    after = randomised(outside, INSIDE, certain(name))
    changed = after != outside
    assert not (changed & ~INSIDE).any()
    assert changed.any(axis=(1, 2)).sum() >= COUNT / 2  # a text or a hole may lie beside the fan
    assert after.dtype == np.float32 and after.min() >= 0 and after.max() <= 1


def test_strength_zero_changes_nothing() -> None:
    before = pictures()
    np.testing.assert_array_equal(randomised(before, INSIDE, draw_randomisation(np.random.default_rng(1), COUNT, 0)), before)


def test_the_same_draw_gives_the_same_picture_alone_or_among_others() -> None:
    before, draw = pictures(), draw_randomisation(np.random.default_rng(2), COUNT, 2.0)
    after = randomised(before, INSIDE, draw)
    np.testing.assert_array_equal(randomised(before, INSIDE, draw), after)
    alone = np.concatenate([randomised(before[at : at + 1], INSIDE[at : at + 1], draw.rows(slice(at, at + 1))) for at in range(COUNT)])
    np.testing.assert_allclose(alone, after, atol=1e-6)
    assert (randomised(before, INSIDE, replace(draw, seed=draw.seed + 1)) != after).any()


def test_pictures_given_are_not_written_to() -> None:
    before = pictures()
    kept = before.copy()
    randomised(before, INSIDE, draw_randomisation(np.random.default_rng(2), COUNT, 2.0))
    np.testing.assert_array_equal(before, kept)


def test_json_and_back() -> None:
    draw = draw_randomisation(np.random.default_rng(4), COUNT)
    back = randomisation_from_json(json.loads(json.dumps(randomisation_to_json(draw))))
    np.testing.assert_array_equal(randomised(pictures(), INSIDE, back), randomised(pictures(), INSIDE, draw))


def test_chances_and_ranges_are_those_of_the_table() -> None:
    draw = draw_randomisation(np.random.default_rng(5), 4000)
    for name, effect in EFFECTS.items():
        values = getattr(draw, name)
        neutral = np.broadcast_to(np.asarray(effect.neutral, np.float32), effect.shape)
        low, high = (np.minimum(effect.low, effect.neutral), np.maximum(effect.high, effect.neutral))
        assert (values >= np.where(np.isnan(low), effect.low, low) - 1e-6).all(), name
        assert (values <= np.where(np.isnan(high), effect.high, high) + 1e-6).all(), name
        differs = ~np.isnan(neutral) & (values != neutral)
        there = differs.reshape(*values.shape[: 1 + effect.parts], -1).any(axis=-1)
        np.testing.assert_allclose(there.mean(axis=0), np.broadcast_to(effect.chance, there.shape[1:]), atol=0.03, err_msg=name)


def test_strength_moves_chances_and_levels() -> None:
    half, full = (draw_randomisation(np.random.default_rng(6), 4000, strength) for strength in (0.5, 1.0))
    assert (half.haze[:, 0] > 0).mean() == pytest.approx(0.5 * (full.haze[:, 0] > 0).mean(), abs=0.03)
    assert half.noise.max() == pytest.approx(0.03, abs=1e-3) and full.noise.max() == pytest.approx(0.06, abs=1e-3)


def test_gain_and_depth_gain() -> None:
    before = pictures()
    np.testing.assert_allclose(randomised(before, INSIDE, only(display=(1, 1, 0, 0.7))), 0.7 * before, atol=1e-6)
    np.testing.assert_allclose(randomised(before, INSIDE, only(display=(2, 1, 0, 1))), before**2, atol=1e-6)
    after = randomised(before, INSIDE, only(depth_gain=(1, 1, 1, 0.5, 0.5, 0.5)))
    near, far = INSIDE & (RADIUS < 0.4), INSIDE & (RADIUS > 0.6)
    np.testing.assert_allclose(after[near], before[near], atol=1e-6)
    np.testing.assert_allclose(after[far], 0.5 * before[far], atol=1e-6)


def test_a_wedge_darkens_its_beams_only() -> None:
    before = pictures()
    wedge = [[1.0, 15.0, 4.0, 0.1], [0.0, 0.0, 5.0, 0.0]]
    after = randomised(before, INSIDE, only(shadow=wedge))
    beam, away = INSIDE & (np.abs(ANGLE - 15) < 1) & (RADIUS > 0.2), INSIDE & ((np.abs(ANGLE - 15) > 16) | (RADIUS < 0.1))
    assert after[beam].mean() < 0.1 * before[beam].mean()
    np.testing.assert_allclose(after[away], before[away], atol=1e-6)


def test_a_ghost_lies_at_equal_depth_to_either_side() -> None:
    before = np.zeros((COUNT, SIZE, SIZE), np.float32)
    spot = (np.abs(RADIUS - 0.6) < 0.03) & (np.abs(ANGLE) < 3)
    before[:, spot] = 1.0
    after = randomised(before, INSIDE, only(ghost=(0.3, 20.0, 0.0)))
    fresh = (after[0] > 0.2) & ~spot
    assert np.abs(RADIUS[fresh] - 0.6).max() < 0.05
    assert np.abs(np.abs(ANGLE[fresh]) - 20).max() < 5 and (ANGLE[fresh] > 0).any() and (ANGLE[fresh] < 0).any()
    assert after[0][fresh].max() == pytest.approx(0.3, abs=1e-6)


def test_the_blur_is_as_wide_as_drawn_along_and_across() -> None:
    before = np.zeros((COUNT, SIZE, SIZE), np.float32)
    before[:, 60, 56] = 1.0
    after = randomised(before, INSIDE, only(blur=(0.8, 1.4)))[0]
    assert after.sum() == pytest.approx(1, abs=1e-4)
    for axis, middle, sigma in ((1, 60, 0.8), (0, 56, 1.4)):
        profile = after.sum(axis=axis)
        assert np.sqrt((profile * np.square(np.arange(SIZE) - middle)).sum()) == pytest.approx(sigma, abs=0.02)


def test_noise_is_as_strong_as_drawn_and_differs_between_pictures() -> None:
    before = np.where(INSIDE, np.float32(0.5), 0)
    change = (randomised(before, INSIDE, only(noise=0.05)) - before)[:, INSIDE[0]]
    np.testing.assert_allclose(change.std(axis=1), 0.05, rtol=0.05)
    assert np.abs(np.corrcoef(change) - np.eye(COUNT)).max() < 0.1


def test_the_fan_is_cut_by_its_shares() -> None:
    draw = only(fan=(0.3, 0.1, 0.2))
    after, mask = randomised(pictures(), INSIDE, draw), narrowed(INSIDE, draw)[0]
    assert (ANGLE[mask].min(), ANGLE[mask].max()) == pytest.approx((-0.7 * 38, 0.9 * 38), abs=0.5)
    assert RADIUS[mask].max() == pytest.approx(0.8 * 160 / 179.2, abs=0.01)
    assert not after[0][~mask].any()
    np.testing.assert_array_equal(after[0][mask], pictures()[0][mask])


def test_a_hole_in_a_slope_is_filled_with_the_slope() -> None:
    rows, columns = np.mgrid[:SIZE, :SIZE] / SIZE
    slope = np.broadcast_to((0.3 + 0.4 * rows + 0.2 * columns).astype(np.float32), (COUNT, SIZE, SIZE))
    hole = only(hole=(0.15, 0.5, 0.45, 0.15))
    spotted = slope.copy()
    spotted[:, 60, 55:60] = 1.0
    after = randomised(spotted, INSIDE, hole)
    np.testing.assert_allclose(after[0][58:70, 52:64], slope[0][58:70, 52:64], atol=0.01)


def test_text_box_caliper_and_trace_show_their_grey() -> None:
    black = np.zeros((COUNT, SIZE, SIZE), np.float32)
    line, away = [0.8, 0.5, -0.2, 0.0625], [0.0, 0.5, 0.0, 0.05]
    for name, values, grey in (
        ("text", [line, away], 0.8),
        ("caliper", (0.7, 0.3, 0.0, 0.7, 0.1), 0.7),
        ("trace", (0.9, 0.8, 0.1, 2), 0.9),
        ("box", (0.1, 0.5, 0.4, 0.1, 0.6), 0.6),
    ):
        after = randomised(black, INSIDE, only(**{name: values}))
        assert after.max() == pytest.approx(grey, abs=1e-6), name
        assert (after > 0).any(axis=(1, 2)).all() and (after > 0).mean() < 0.05, name
    box = randomised(black, INSIDE, only(box=(0.1, 0.5, 0.4, 0.1, 0.6)))[0]
    assert (box > 0).sum() == 11 * 11


@pytest.mark.parametrize("shape", [(112, 112), (100, 91)])
def test_jpeg_keeps_what_its_steps_can_hold(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    grey = rng.random((3, *shape), np.float32)
    quality = np.array([30, 60, 95])
    after = jpeg_loss(grey, quality)
    error = np.sqrt(np.square(after - grey).mean(axis=(1, 2)))
    assert after.shape == grey.shape and error[0] > error[1] > error[2] > 0
    np.testing.assert_allclose(jpeg_loss(np.full((1, *shape), 128 / 255, np.float32), np.array([30])), 128 / 255, atol=1e-6)


def test_jpeg_coefficients_are_whole_steps() -> None:
    grey = 0.4 + 0.2 * np.random.default_rng(2).random((1, 16, 16), np.float32)
    after = jpeg_loss(grey, np.array([50]))[0]
    block = dctn(255 * after[8:, :8].astype(float) - 128, norm="ortho") / np.array(LUMINANCE)
    np.testing.assert_allclose(block, np.rint(block), atol=1e-3)
    wanted = np.rint(dctn(255 * grey[0, 8:, :8].astype(float) - 128, norm="ortho") / np.array(LUMINANCE))
    np.testing.assert_array_equal(np.rint(block), wanted)


def test_pictures_of_other_sizes() -> None:
    inside = np.broadcast_to(PictureGrid(224, 224, 0.8).inside(38.0, 160.0), (COUNT, 224, 224))
    after = randomised(pictures(224), inside, draw_randomisation(np.random.default_rng(7), COUNT, 2.0))
    assert after.shape == (COUNT, 224, 224) and not after[~inside].any()


def test_what_does_not_belong_together_is_refused() -> None:
    draw = draw_randomisation(np.random.default_rng(1), COUNT)
    with pytest.raises(ShapeError, match="one drawn row each"):
        randomised(pictures()[:3], INSIDE[:3], draw)
    with pytest.raises(ShapeError, match="noise must have shape"):
        replace(draw, noise=np.zeros(3))
    with pytest.raises(InputError, match="strength of at least 0"):
        draw_randomisation(np.random.default_rng(1), 3, -1.0)
    record = randomisation_to_json(draw)
    with pytest.raises(InputError, match="haze"):
        randomisation_from_json({name: value for name, value in record.items() if name != "haze"})
    with pytest.raises(InputError, match="draw it anew"):
        randomisation_from_json(record | {"haze": [[1.0]]})

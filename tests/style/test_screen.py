"""A screen shows its picture where it says, and nothing else there."""

import numpy as np
import pytest
from numpy.typing import NDArray

from echo3d.core.sector import Fan, PictureGrid
from echo3d.errors import ShapeError
from echo3d.style.screen import SCREENS, ScreenDraw, Shown, draw_screen, screen_layout

DRAWS = [draw_screen(np.random.default_rng(seed)) for seed in range(6)]


def picture_of(draw: ScreenDraw, half: float = 29.0) -> tuple[NDArray[np.float32], Fan]:
    """Return speckle of 0.2-0.3 in a fan as high as the picture, and that fan."""
    grid = PictureGrid(draw.picture, draw.picture, 160 / draw.picture)
    grey = np.random.default_rng(1).uniform(0.2, 0.3, (draw.picture, draw.picture)).astype(np.float32)
    return grey * grid.inside(half, 160.0), Fan(0.0, draw.picture / 2, half, float(draw.picture))


def shown_of(draw: ScreenDraw) -> Shown:
    return Shown("A4C", 160 / draw.picture, 20.0, 66.0)


@pytest.mark.parametrize("half", [29.0, 36.0])  # the wide one is cut off at the picture's sides
@pytest.mark.parametrize("draw", DRAWS)
def test_the_fan_holds_the_picture_and_no_ink(draw: ScreenDraw, half: float) -> None:
    picture, fan = picture_of(draw, half)
    screen = screen_layout(picture, fan, draw, shown=shown_of(draw), beat=0.4)
    assert screen.frame.shape == (draw.height, draw.width) and (draw.width, draw.height) in SCREENS
    assert screen.frame.dtype == np.float32 and screen.frame.min() >= 0 and screen.frame.max() <= 1
    top, left, bottom, right = screen.picture
    near = np.zeros(screen.frame.shape, bool)
    near[top - 8 : bottom + 8, left - 8 : right + 8] = True
    mask = screen.fan.mask(*screen.frame.shape) & np.pad(
        np.ones(picture.shape, bool), ((top, draw.height - bottom), (left, draw.width - right))
    )
    on_screen = np.zeros_like(screen.frame)
    on_screen[top:bottom, left:right] = picture
    np.testing.assert_array_equal(screen.frame[mask], on_screen[mask])
    rim = Fan(screen.fan.apex_row - 8, screen.fan.apex_column, half, fan.radius + 12).mask(*screen.frame.shape) & ~mask & near
    assert rim.any() and (screen.frame[rim] == np.float32(draw.background)).all()


@pytest.mark.parametrize("draw", DRAWS)
def test_text_ticks_bar_and_trace_stand_round_it(draw: ScreenDraw) -> None:
    picture, fan = picture_of(draw)
    frame = screen_layout(picture, fan, draw, shown=shown_of(draw)).frame
    top, left, bottom, right = screen_layout(picture, fan, draw, shown=shown_of(draw)).trace
    ink = frame > draw.background + 0.1
    assert ink[: draw.height // 4, : draw.width // 5].sum() > 100 and ink[: draw.height // 8, -draw.width // 6 :].sum() > 50
    assert ink[top:bottom, left:right].any(axis=0).all(), "the ECG has a point in every column"
    left = (draw.width - draw.picture) // 2 + draw.shift
    ruler = left + draw.picture + 13 if draw.ticks > 0 else left - 13
    ticks = np.flatnonzero(ink[draw.top : draw.top + draw.picture + 1, ruler])
    np.testing.assert_allclose(ticks, np.arange(17) * draw.picture / 16, atol=1)  # one each cm, from the probe to 16 cm


def test_the_marker_moves_with_the_beat_and_nothing_else_does() -> None:
    draw = DRAWS[0]
    picture, fan = picture_of(draw)
    one, two = (screen_layout(picture, fan, draw, shown=shown_of(draw), beat=beat) for beat in (0.2, 0.7))
    rows, columns = np.nonzero(one.frame != two.frame)
    top, left, bottom, right = one.trace
    assert rows.min() >= top and rows.max() < bottom and len(np.unique(columns)) == 4
    assert np.ptp(columns) == pytest.approx(0.5 / draw.beats * (right - left), abs=3)


def test_the_same_draw_gives_the_same_screen() -> None:
    draw = DRAWS[3]
    picture, fan = picture_of(draw)
    first, second = (screen_layout(picture, fan, draw, shown=shown_of(draw)).frame for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert (first != screen_layout(picture, fan, draw, shown=Shown("A2C", 0.5, 20.0, 90.0)).frame).any()


def test_a_picture_of_another_size_is_refused() -> None:
    with pytest.raises(ShapeError, match="found"):
        screen_layout(np.zeros((100, 100), np.float32), Fan(0, 50, 36, 100), DRAWS[0], shown=shown_of(DRAWS[0]))

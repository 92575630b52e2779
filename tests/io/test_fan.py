"""The fan is found among noise, text and a trace, and on the real clips where an eye puts it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from echo3d.core.sector import Fan
from echo3d.io._cv import opencv
from echo3d.io.dicom_regions import Rectangle
from echo3d.io.fan import find_fan

cv2 = opencv()

HEIGHT, WIDTH = 480, 640


def picture(fan: Fan, *, count: int = 6, seed: int = 0, background: float = 3.0, clutter: bool = True) -> np.ndarray:
    """Return (T, H, W) uint8: speckle with a dark cavity in a fan, noise everywhere, text, a ruler and a running trace."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    cavity = ((rows - fan.apex_row - 0.55 * fan.radius) / 110) ** 2 + ((columns - fan.apex_column) / 60) ** 2 < 1
    tissue = np.where(cavity, 8.0, 55.0) * fan.mask(HEIGHT, WIDTH)
    frames = []
    for number in range(count):
        speckle = cv2.GaussianBlur(rng.rayleigh(1.0, (HEIGHT, WIDTH)).astype(np.float32), (5, 5), 1.2)
        frame = tissue * speckle + np.abs(rng.normal(0, background, (HEIGHT, WIDTH)))
        frames.append(np.clip(frame, 0, 255).astype(np.uint8))
        if clutter:
            _annotate(frames[-1], number)
    return np.stack(frames)


def _annotate(frame: np.ndarray, number: int) -> None:
    for row, text in enumerate(("DOE JANE", "12 Hz", "16 cm", "MI 1.2")):
        cv2.putText(frame, text, (6, 30 + 26 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 230, 2)
    for tick in range(40, 460, 40):
        cv2.line(frame, (628, tick), (638, tick), 220, 2)
    times = np.arange(0, 60 * (number + 1))
    beat = HEIGHT - 16 - 14 * np.exp(-(((times % 150) - 40) ** 2) / 30)
    cv2.polylines(frame, [np.stack([times, beat], axis=1).astype(np.int32)], False, 200, 1)


FANS = [
    Fan(20.0, 320.0, 37.5, 420.0),
    Fan(5.5, 300.0, 45.0, 400.0),
    Fan(30.0, 340.0, 30.0, 410.0),
    Fan(-12.0, 320.0, 40.0, 450.0),
    Fan(20.0, 320.0, 40.0, 400.0, 6.0),
]


def check(found: Fan, fan: Fan) -> None:
    assert np.hypot(found.apex_row - fan.apex_row, found.apex_column - fan.apex_column) <= 2
    assert abs(found.half_angle - fan.half_angle) <= 1.5
    assert abs(found.tilt - fan.tilt) <= 1.5
    assert abs(found.radius - fan.radius) <= 4


@pytest.mark.parametrize("fan", FANS)
def test_among_noise_text_and_trace(fan):
    found = find_fan(picture(fan))
    assert found.clear
    check(found.fan, fan)


@pytest.mark.parametrize("fan", FANS[:3])
def test_more_noise_than_usual(fan):
    check(find_fan(picture(fan, background=8.0, seed=5)).fan, fan)


@pytest.mark.parametrize("fan", FANS[:3])
def test_still(fan):
    found = find_fan(picture(fan, count=1))
    assert found.clear
    check(found.fan, fan)


def test_tip_at_the_middle_of_the_upper_edge():
    fan = Fan(0.0, WIDTH / 2, 36.0, 470.0)
    check(find_fan(picture(fan, clutter=False), Rectangle(0, 0, HEIGHT, WIDTH), (0.0, WIDTH / 2)).fan, fan)


def test_dark_side_leaves_the_angle():
    """A wall of shadow along one side for the lower two thirds of the fan."""
    fan = FANS[0]
    stack = picture(fan)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    angle = np.degrees(np.arctan2(columns - fan.apex_column, rows - fan.apex_row))
    stack[:, (angle > 25) & (rows > 150) & (columns < 625) & (rows < 440)] = 1
    check(find_fan(stack).fan, fan)


def test_the_header_is_believed_where_the_pixels_agree():
    fan = Fan(20.0, 320.0, 37.5, 420.0)
    found = find_fan(picture(fan), None, (21.0, 319.0)).fan
    assert (found.apex_row, found.apex_column) == (21.0, 319.0)
    found = find_fan(picture(fan), None, (80.0, 319.0)).fan
    check(found, fan)


def test_a_frozen_clip_is_treated_as_a_still():
    check(find_fan(np.repeat(picture(FANS[0], count=1), 5, axis=0)).fan, FANS[0])


def test_dark_sides_leave_the_headers_fan():
    """Speckle that fades before both sides: the box round the fan with its tip says how wide it truly is."""
    fan = Fan(20.0, 320.0, 37.5, 420.0)
    narrow = picture(Fan(20.0, 320.0, 35.0, 420.0), clutter=False)
    box = Rectangle(20, 64, 440, 576)
    found = find_fan(narrow, box, (20.0, 320.0))
    assert found.clear and abs(found.fan.half_angle - fan.half_angle) < 0.2
    assert abs(find_fan(narrow, box).fan.half_angle - 35) < 1
    far_narrower = picture(Fan(20.0, 320.0, 30.0, 420.0), clutter=False)
    assert abs(find_fan(far_narrower, box, (20.0, 320.0)).fan.half_angle - 30) < 1


def test_nothing_to_see_gives_the_rectangle():
    found = find_fan(np.zeros((3, HEIGHT, WIDTH), np.uint8), Rectangle(10, 60, 210, 260))
    assert not found.clear
    assert found.fan == Fan(10.0, 160.0, pytest.approx(30.0), 200.0)


def test_text_alone_is_no_fan():
    blank = np.zeros((4, HEIGHT, WIDTH), np.uint8)
    for number, frame in enumerate(blank):
        _annotate(frame, number)
    assert not find_fan(blank).clear


def test_uniform_noise_is_no_fan():
    assert not find_fan(np.random.default_rng(0).integers(0, 256, (3, 200, 300), dtype=np.uint8)).clear


@pytest.mark.parametrize(
    ("name", "fan"),
    [
        ("echo/pydicom/examples_ybr_color.dcm", Fan(9.3, 169.3, 42.8, 192.5, 0.4)),
        ("echo/dcm4che/US-PAL-8-10x-echo.dcm", Fan(3.5, 300.5, 40.3, 351.0, 0.0)),
        ("echo/fiammante/Anonymized_EchoCardiography06.mp4", Fan(43.4, 511.0, 43.5, 507.5, 1.5)),
    ],
)
def test_real_clips(shared: Path, name: str, fan: Fan):
    """The expected values were read off pictures of the clips and agreed on by eye."""
    from echo3d.io.studies import load_study

    found = load_study([shared / "data" / name]).clips[0].fan
    assert np.hypot(found.apex_row - fan.apex_row, found.apex_column - fan.apex_column) <= 3
    assert abs(found.half_angle - fan.half_angle) <= 1
    assert abs(found.tilt - fan.tilt) <= 1
    assert abs(found.radius - fan.radius) <= 5

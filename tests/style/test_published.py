"""The published jitter and mask, constant by constant."""

import numpy as np
import pytest

from echo3d.core.views import View
from echo3d.errors import ShapeError
from echo3d.style import pseudo
from echo3d.style.published import Jitter, draw_published_jitter, jittered_labels, published_inside


def test_only_the_four_chamber_view_is_jittered_within_the_published_ranges() -> None:
    rng = np.random.default_rng(0)
    draws = [draw_published_jitter(rng, View.A4C) for _ in range(4000)]
    for name, low, high in (("rotation_deg", 10, 20), ("zoom", 1.1, 1.4), ("shift_rows", -5, 5), ("shift_columns", -20, 20)):
        values = [getattr(draw, name) for draw in draws]
        assert (min(values), max(values)) == pytest.approx((low, high), abs=0.01 * (high - low))
        assert low <= min(values) and max(values) <= high
    assert all(draw_published_jitter(rng, view) == Jitter() for view in View if view is not View.A4C)


def test_a_spot_lands_where_the_jitter_says() -> None:
    labels = np.zeros((224, 224), np.uint8)
    labels[110:114, 150:154] = 1  # 40 pixels right of the middle
    rows, columns = np.nonzero(jittered_labels(labels, Jitter(15.0, 1.2, 4.0, -10.0)))
    turn = np.radians(15.0)
    assert rows.mean() == pytest.approx(111.5 + 4 - 1.2 * 40 * np.sin(turn), abs=0.5)  # against the clock: the right side rises
    assert columns.mean() == pytest.approx(111.5 - 10 + 1.2 * 40 * np.cos(turn), abs=0.5)
    assert len(rows) == pytest.approx(16 * 1.2**2, abs=4)


def test_no_jitter_changes_nothing_and_half_the_size_moves_half_as_far() -> None:
    labels = np.random.default_rng(1).integers(0, 25, (224, 224)).astype(np.uint8)
    np.testing.assert_array_equal(jittered_labels(labels, Jitter()), labels)
    np.testing.assert_array_equal(jittered_labels(labels[::2, ::2], Jitter(shift_rows=4.0))[2:], labels[:-4:2, ::2])
    with pytest.raises(ShapeError, match="picture"):
        jittered_labels(labels[None], Jitter())


def test_the_mask_opens_six_sixteenths_of_pi() -> None:
    mask = published_inside()
    row = 100
    assert mask[row].sum() == pytest.approx(2 * 100.5 * np.tan(6 * np.pi / 32), abs=2)
    assert mask[1:, 112].all() and not mask[-1, 0] and mask.any(axis=0).all() and mask[1:].any(axis=1).all()


def test_the_constants_are_those_of_the_source() -> None:
    assert (pseudo.SPOT_BRIGHT_CHANCE, pseudo.SPOT_CENTRE, pseudo.SPOT_CENTRE_SD) == (0.5, (0, 100), 100)
    assert (pseudo.SPOT_AMPLITUDE, pseudo.SPOT_AMPLITUDE_SD, pseudo.MAXIMUM) == (0.3, 0.05, (230, 250))
    assert (pseudo.SPOT_VARIANCE_PER_ROW, pseudo.SPOT_VARIANCE, pseudo.SPOT_VARIANCE_SD) == (4, 4000, 500)
    assert pytest.approx(180 * 6 / 16) == pseudo.SECTOR_DEG and pseudo.SECTOR_RADIUS == 1

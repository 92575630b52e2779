"""Blood found between walls: sealed openings, a shared pool, an artery."""

from __future__ import annotations

import numpy as np
import pytest

from echo3d.anatomy.chambers import with_blood
from echo3d.anatomy.painting import divided_muscle, fill_pockets, with_papillaries
from echo3d.anatomy.seals import enclosed_pools, room_beside
from echo3d.core.foreign import Role
from echo3d.core.structures import Structure

S = Structure
SIDE = 100
X, Y, Z = np.mgrid[:SIDE, :SIDE, :SIDE]


def ball(x: float, radius: float) -> np.ndarray:
    return (X - x) ** 2 + (Y - 50) ** 2 + (Z - 50) ** 2 <= radius**2


def walls(mouth: float, vein: float) -> np.ndarray:
    """Two shells side by side along x with a round mouth between them and a hole to the outside in the second."""
    labels = np.zeros((SIDE, SIDE, SIDE), np.uint8)
    labels[ball(32, 20)] = S.LV_MYOCARDIUM
    labels[ball(66, 20) & (labels == 0)] = S.LA_WALL
    inside = ball(32, 15) | ball(66, 15)
    radius = np.hypot(Y - 50, Z - 50)
    passage = (X > 40) & (X < 60) & (radius <= mouth)
    opening = (X > 70) & (radius <= vein)
    labels[inside | passage | opening] = 0
    return labels


INSIDE = 4 / 3 * np.pi * 15**3


def filled(labels: np.ndarray) -> np.ndarray:
    return with_blood(labels, 1.0, np.zeros(labels.shape, bool))


@pytest.mark.parametrize(("mouth", "vein"), [(0, 0), (0, 3), (0, 7), (8, 0), (8, 4)])
def test_two_chambers_are_found_however_open_they_are(mouth: float, vein: float) -> None:
    labels = walls(mouth if mouth else -1, vein if vein else -1)
    found = filled(labels)
    for blood in (S.LV_CAVITY, S.LA_CAVITY):
        assert (found == blood).sum() == pytest.approx(INSIDE, rel=0.12), blood.title
    assert (found[labels > 0] == labels[labels > 0]).all()
    assert found[0].max() == 0 and found[-1].max() == 0
    assert np.argwhere(found == S.LV_CAVITY).mean(axis=0)[0] == pytest.approx(32, abs=2)


def test_blood_that_is_there_stays_as_it_is() -> None:
    labels = walls(-1, -1)
    labels[ball(32, 10)] = S.LV_CAVITY
    found = filled(labels)
    assert (found == S.LV_CAVITY).sum() == (labels == S.LV_CAVITY).sum()
    assert (found == S.LA_CAVITY).sum() == pytest.approx(INSIDE, rel=0.05)


def test_a_thin_barrier_parts_two_pools_and_costs_no_volume() -> None:
    labels = walls(8, -1)
    barrier = (np.abs(X - 49) < 1) & (np.hypot(Y - 50, Z - 50) <= 8) & (labels == 0)
    found = with_blood(labels, 1.0, barrier)
    assert set(np.unique(found[barrier]).tolist()) <= {int(S.LV_CAVITY), int(S.LA_CAVITY)}
    assert (found == S.LV_CAVITY).sum() + (found == S.LA_CAVITY).sum() >= 2 * INSIDE * 0.98


def test_a_solid_block_has_no_blood() -> None:
    labels = np.zeros((40, 40, 40), np.uint8)
    labels[10:30, 10:30, 10:30] = S.LV_MYOCARDIUM
    assert (filled(labels) == labels).all()


def test_an_open_tube_is_filled_to_its_ends() -> None:
    radius = np.hypot(Y - 50, Z - 50)
    labels = np.where((X >= 30) & (X < 70) & (radius <= 12) & (radius > 9), S.AORTA, 0).astype(np.uint8)
    labels[(X >= 28) & (X < 30) & (radius <= 12)] = S.AORTIC_VALVE
    found = filled(labels)
    assert (found == S.AORTA_LUMEN).sum() == pytest.approx(np.pi * 9**2 * 40, rel=0.1)
    assert not (found[75:] > 0).any()


def test_a_seal_as_wide_as_the_hole_closes_it() -> None:
    solid = walls(-1, 5) > 0
    region = (66, 50, 50)
    room = room_beside(solid, 8.0, 1.0)
    assert enclosed_pools(room, 1.0)[region] == 0
    assert enclosed_pools(room, 8.0)[region] > 0


def test_muscle_of_both_ventricles_is_shared_out() -> None:
    labels = np.zeros((SIDE, SIDE, SIDE), np.uint8)
    labels[(X >= 10) & (X < 90) & (Y >= 30) & (Y < 70) & (Z >= 30) & (Z < 70)] = Role.VENTRICLES
    labels[(X >= 20) & (X < 45) & (Y >= 38) & (Y < 62) & (Z >= 38) & (Z < 62)] = S.LV_CAVITY
    labels[(X >= 57) & (X < 86) & (Y >= 34) & (Y < 66) & (Z >= 34) & (Z < 66)] = S.RV_CAVITY
    found = divided_muscle(labels)
    assert found[51, 50, 50] == found[55, 50, 50] == S.LV_MYOCARDIUM
    assert found[88, 50, 50] == found[70, 32, 50] == S.RV_MYOCARDIUM
    assert found[15, 50, 50] == S.LV_MYOCARDIUM
    assert not (found == Role.VENTRICLES).any()


def test_papillaries_belong_to_the_ventricle_they_stand_in() -> None:
    labels = np.zeros((40, 20, 20), np.uint8)
    labels[:20], labels[20:] = S.LV_CAVITY, S.RV_CAVITY
    mask = np.zeros(labels.shape, bool)
    mask[5:8, 5:8, 5:8] = mask[30:33, 5:8, 5:8] = True
    found = with_papillaries(labels, mask)
    assert set(found[5:8, 5:8, 5:8].ravel()) == {S.LV_MYOCARDIUM}
    assert set(found[30:33, 5:8, 5:8].ravel()) == {S.RV_MYOCARDIUM}


def test_a_gap_between_parts_takes_the_nearest_tissue() -> None:
    labels = np.zeros((20, 20, 20), np.uint8)
    labels[5:15, 5:15, 5:15] = S.LV_MYOCARDIUM
    labels[9:12, 9:12, 9:12] = 0
    assert fill_pockets(labels)[10, 10, 10] == S.LV_MYOCARDIUM
    assert fill_pockets(labels)[0, 0, 0] == 0

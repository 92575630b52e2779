"""Overlap of sections with what pictures show: exact on squares, near one where heart and plane are true, and the sheet of Figure 5."""

from __future__ import annotations

import numpy as np
import pytest

from echo3d.anatomy.template import load_template
from echo3d.core.structures import Structure
from echo3d.core.views import View
from training.overlayscore import LEAST_PIXELS, Seen, cut, means, overlap, scores, sector_of
from training.overlaysheet import GAP, LIGHT_BLUE, MASK_SHARE, ZOOM, masked, overlay_sheet
from training.samples import heart_samples


def square(left: int, value: int) -> np.ndarray:
    picture = np.zeros((20, 20), np.uint8)
    picture[4:14, left : left + 10] = value
    return picture


def test_shifted_squares_overlap_by_their_common_part() -> None:
    found = overlap(square(7, Structure.LV_CAVITY), square(5, Structure.LV_CAVITY))
    assert found == {"heart": 80 / 120, "lv": 80 / 120}
    assert overlap(square(5, Structure.RV_CAVITY), square(5, Structure.LV_CAVITY)) == {"heart": 1.0, "lv": 0.0}


def test_what_the_truth_hardly_shows_does_not_count() -> None:
    corner = np.zeros((20, 20), np.uint8)
    corner.flat[: LEAST_PIXELS - 1] = Structure.RA_CAVITY
    assert overlap(square(5, Structure.LV_CAVITY), corner) == {}
    assert means([{"heart": 0.5}, {"heart": 1.0, "lv": 0.25}]) == {"heart": 0.75, "lv": 0.25}


@pytest.fixture(scope="module")
def seen() -> Seen:
    """Return one drawn heart in both phases, found where it is but 6 mm too far to the left."""
    samples, _ = heart_samples((11, 0), probes=1, labels_only=True)
    stacked = {key: np.stack([one[key] for one in samples]) for key in samples[0]}
    true = stacked["field"].astype(float) + load_template().points
    planes = stacked["sectors"].astype(float)
    found = planes + np.array([6.0] + 8 * [0.0])
    return Seen(
        echo=np.where(stacked["labels"] > 0, 180, 20).astype(np.uint8),
        labels=stacked["labels"],
        fans=stacked["fans"].astype(float),
        points={"true": true, "found": true},
        planes={"true": planes, "found": found, "alone": planes, "s2mnet": found},
    )


def test_the_true_heart_in_the_true_plane_shows_what_is_there(seen: Seen) -> None:
    table = {case: means(rows) for case, rows in scores(seen).items()}
    assert table["both true"]["heart"] > 0.97 and table["both true"]["lv"] > 0.93
    assert table["heart found"] == table["both true"] == table["plane alone"]
    assert table["plane found"] == table["heart and plane found"] == table["plane by S2MNet"]
    assert table["plane found"]["heart"] < 0.95 and table["plane found"]["lv"] < table["both true"]["lv"] - 0.05


def test_a_cut_lies_within_its_fan(seen: Seen) -> None:
    sector = sector_of(seen.planes["true"][0, 0], seen.fans[0, 0])
    assert (sector.half_angle, sector.depth) == tuple(seen.fans[0, 0])
    labels = cut(seen, 0, 0, ("true", "true"))
    assert labels.shape == seen.labels.shape[2:] and Structure.LV_CAVITY in labels


def test_the_sheet_has_a_column_a_view_and_light_blue_tissue(seen: Seen) -> None:
    sheet = overlay_sheet(seen, 0)
    side = 112 * ZOOM
    assert sheet.shape == (3 * side + 2 * GAP, len(View) * side + (len(View) - 1) * GAP, 3)
    labels = cut(seen, 0, 0, ("found", "found")).repeat(ZOOM, axis=0).repeat(ZOOM, axis=1)
    wall = sheet[side + GAP : 2 * side + GAP, :side][labels == Structure.LV_MYOCARDIUM].astype(float)
    assert np.median(wall[:, 2] - wall[:, 0]) > 30  # bluer than grey
    assert np.ptp(sheet[:side, :side].astype(int), axis=2).max() == 0  # the picture above stays grey


def test_the_mask_is_light_blue_in_its_share() -> None:
    painted = masked(np.ones((1, 2)), np.array([[Structure.LV_MYOCARDIUM, 0]]))
    assert painted[0, 1].tolist() == [255] * 3
    assert painted[0, 0].tolist() == np.rint(255 * (1 - MASK_SHARE) + np.array(LIGHT_BLUE) * MASK_SHARE).astype(int).tolist()

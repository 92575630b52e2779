"""Measures of hearts: exact for equal, scaled and turned ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from echo3d.anatomy.template import load_template
from echo3d.core.pose import rotation_matrix
from training.bars import BARS, judged
from training.heartmeasures import auroc, correlation, interval_table, plane_table, point_table, row_of, volume_table
from training.heavymeasures import Heart, Said, heart_figures
from training.occupancy import METRIC, occupied
from training.published import MSE_CASES_CM2, MSE_CM2, TABLE3


@pytest.fixture(scope="module")
def pair() -> torch.Tensor:
    """Return the template as end-diastole and, nine tenths of it, as end-systole, (2, N, 3) mm."""
    points = torch.from_numpy(np.array(load_template().points)).float()
    return torch.stack([points, 0.9 * points])


def volumes(points: torch.Tensor) -> torch.Tensor:
    template = load_template()
    return torch.tensor([list(template.volumes_ml(heart.double().numpy()).values()) for heart in points])


def test_equal_hearts_have_no_error(pair: torch.Tensor) -> None:
    table = point_table(pair, pair) | volume_table(pair, volumes(pair))
    assert not table["mse_cm2"].any() and not table["points_mm"].any()
    assert all(abs(table[f"{key}_pc"]).max() < 1e-3 for key in ("lv", "rv", "la", "ra"))
    assert table["ef"][0] == pytest.approx(1 - 0.729, abs=1e-5)
    heart = Heart(pair[0].numpy(), np.zeros((6, 112, 112), np.uint8), np.zeros((6, 2), np.float32))
    doubtful = np.where(occupied(pair[0].double().numpy()), 90, 30).astype(np.uint8)
    figures = heart_figures(heart, {"same": Said(pair[0].numpy()), "voxels": Said(voxels=doubtful)})
    assert figures["same"]["surface_mm"] < 1e-4 and figures["same"]["lv_endo_mm"] < 1e-4
    shares = [value for name, value in figures["same"].items() if name.startswith(("iou", "dice"))]
    assert len(shares) == 9 and set(shares) == {1.0}
    assert figures["voxels"] == {"iou": 1.0, "iou_own": 1.0, "dice_tissue": 1.0, "consent": 0.2}, "filled from 51 of 255 on"


def test_a_shift_and_a_scale_are_measured_as_what_they_are(pair: torch.Tensor) -> None:
    shifted = point_table(pair + torch.tensor([3.0, 0.0, 4.0]), pair)
    assert shifted["points_mm"] == pytest.approx(5.0, abs=1e-4)
    assert shifted["mse_cm2"] == pytest.approx(0.25 / 3, abs=1e-5)
    scaled = volume_table(1.1 * pair, volumes(pair))
    assert scaled["lv_pc"] == pytest.approx(33.1, abs=0.01) and abs(scaled["ef_points"][0]) < 1e-3
    assert 100 < scaled["lv_hull_pc"][0, 0] + 100 < 145, "the hull of a tenth of the points is near the closed surface"
    heart = Heart(pair[0].numpy(), np.zeros((6, 112, 112), np.uint8), np.zeros((6, 2), np.float32))
    moved = heart_figures(heart, {"moved": Said(1.1 * pair[0].numpy() + np.float32(3))})["moved"]
    assert moved["iou"] < 0.4 < moved["iou_own"], "size and place vanish on the own box"


def test_a_cut_at_the_true_plane_covers_the_labels(pair: torch.Tensor) -> None:
    from echo3d.clinical.overlay import section_labels
    from echo3d.core.sector import Sector
    from echo3d.reconstruction.raster import NETWORK_GRID

    points = pair[0].double().numpy()
    sector = Sector(points.mean(axis=0) + [0.0, 0, 90], np.array([0.0, 0, -1]), np.array([1.0, 0, 0]), 45.0, 170.0)
    labels = section_labels(load_template(), points, sector, NETWORK_GRID)
    plane = np.concatenate([sector.origin, sector.axis, sector.lateral])
    fans = np.tile(np.array([45.0, 170.0], np.float32), (6, 1))
    heart = Heart(points.astype(np.float32), np.stack([labels] * 6), fans)
    planes = np.tile(plane, (6, 1)).astype(np.float32)
    away = planes + np.float32([0, 12, 0, 0, 0, 0, 0, 0, 0])
    said = {name: Said(heart.points, planes=drawn) for name, drawn in (("true", planes), ("away", away))}
    figures = heart_figures(heart, said)
    assert figures["true"]["overlay_heart"] > 0.995 and figures["true"]["overlay_lv"] > 0.99
    assert figures["away"]["overlay_heart"] < 0.9


def test_planes_that_are_turned_and_moved() -> None:
    right = torch.cat([torch.tensor([10.0, 20, 30]), torch.eye(3)[1], torch.eye(3)[0]]).expand(2, 6, 9)
    turn = torch.from_numpy(rotation_matrix(np.array([0.0, 0.0, 10.0]))).float()
    said = torch.cat([right[..., :3] + torch.tensor([0.0, 0, 2]), right[..., 3:6] @ turn.T, right[..., 6:9] @ turn.T], dim=-1)
    table = plane_table(said, right, torch.full((2, 6), 100.0))
    assert table["probe_mm"] == pytest.approx(2.0, abs=1e-5) and table["offset_mm"] == pytest.approx(2.0, abs=1e-5)
    assert table["normal_deg"] == pytest.approx(0.0, abs=0.05), "turned within its own plane"
    assert table["beam_deg"] == pytest.approx(10.0, abs=0.05) and table["turn_deg"] == pytest.approx(10.0, abs=0.05)
    assert table["centre_mm"] == pytest.approx(np.hypot(2.0, 100 * np.sin(np.radians(5))), abs=1e-3)


def test_intervals_hold_what_lies_in_them() -> None:
    said = torch.tensor([[100.0, 100, 100, 100], [50, 50, 50, 50]]).repeat(2, 1)
    true = said.clone()
    true[:, 0] = torch.tensor([104.0, 50.0, 111.0, 44.0])
    half = {"edv_ml": 10.0, "esv_ml": 5.0, "sv_ml": 5.0, "ef": 0.05}
    found = interval_table(said, true, {name: {"slope": [0.0] * 4, "bound": bound} for name, bound in half.items()})
    assert found["covered_edv_ml"].tolist() == [100.0, 0.0] and found["covered_ef"].tolist() == [100.0, 0.0]
    assert found["covered_esv_ml"].tolist() == [100.0, 0.0] and found["covered_sv_ml"].tolist() == [100.0, 0.0]
    assert found["width_edv_ml"] == pytest.approx(20.0) and found["width_ef"] == pytest.approx(10.0)


def test_a_row_counts_the_patients_asked_for() -> None:
    table = {"ef_points": np.array([2.0, -4.0, 99.0]), "surface_mm": np.array([[1.0, 2.0], [np.nan, np.nan], [9.0, 9.0]])}
    row = row_of(table, np.array([True, True, False]), np.zeros(3))
    assert row == {"ef_points": 3.0, "ef_points_bias": -1.0, "surface_mm": 1.5}


def test_scores_that_part_and_scores_that_do_not() -> None:
    assert auroc(np.array([3.0, 4.0]), np.array([1.0, 2.0])) == 1.0
    assert auroc(np.array([1.0, 2.0]), np.array([3.0, 4.0])) == 0.0
    assert auroc(np.ones(5), np.ones(3)) == 0.5


def test_the_paper_s_pairs_give_the_correlation_that_was_recomputed() -> None:
    gls, ef = np.array(TABLE3).T
    assert len(gls) == 14 and round(correlation(gls, ef), 3) == -0.856
    assert MSE_CASES_CM2[0] < MSE_CM2[0] < MSE_CASES_CM2[1]


def test_bars_judge_networks_by_their_own_figures() -> None:
    def entry(kind: str, **row: float) -> dict:
        return {"kind": kind, "views": {"6": row}, "groups": {}, "trust": {}}

    entries = {
        "good": entry("network", points_mm=1.9, iou_median=0.62, ef_points_bias=-0.6),
        "bad": entry("network", points_mm=2.1, iou_median=0.56),
        "voxels": entry("rival", iou_median=0.55),
        "more voxels": entry("rival", iou_median=0.30),
    }
    found = {line["figure"]: line["networks"] for line in judged(entries)}
    assert found["Points, mm"] == {"good": {"value": 1.9, "met": True}, "bad": {"value": 2.1, "met": False}}
    lead = found["IoU on the metric grid, points above the best rival's median"]
    assert lead["good"]["value"] == pytest.approx(7.0) and lead["good"]["met"] and not lead["bad"]["met"]
    assert found["EF bias, points"]["good"]["met"] is False and found["EF bias, points"]["bad"]["met"] is None
    assert {bar.shown for bar in BARS} >= {"at most 2", "at least 0.9", "-0.5 to 0.5", "88 to 92", "at most -0.856"}


def test_the_metric_grid_holds_the_template() -> None:
    points = load_template().points
    assert (points.min(axis=0) > METRIC.low).all() and (points.max(axis=0) < METRIC.high).all()

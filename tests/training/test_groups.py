"""Errors by group: how far the left ventricle's volume is off, and to which side."""

from __future__ import annotations

import numpy as np
import torch

from echo3d.anatomy.template import load_template
from echo3d.io.weights import read_card, weights_path
from training.groups import covered, left_ventricle, planes_of


def test_a_heart_too_large_at_end_systole_alone_is_a_bias_there() -> None:
    template = load_template()
    centre = template.points.mean(axis=0)
    points = torch.from_numpy(np.stack([template.points, centre + 1.1 * (template.points - centre)])).float()
    true = template.volumes_ml(template.points)["lv"]
    row = left_ventricle(points, torch.full((2, 4), true))
    assert row["lv_ed_bias_pc"] == 0
    assert abs(row["lv_es_bias_pc"] - 33.1) < 0.05
    assert abs(row["lv_ml"] - 0.331 * true / 2) < 0.05


def test_planes_that_lie_aside_are_off_by_that() -> None:
    true = torch.tensor([0.0, 0, 0, 1, 0, 0, 0, 1, 0]).expand(2, 6, 9)
    planes = true + torch.tensor([3.0, 4.0, 0, 0, 0, 0, 0, 0, 0])
    assert planes_of(planes, true, torch.full((2, 6), 150.0)) == {"probe_mm": 5.0, "centre_mm": 5.0, "normal_deg": 0.0, "beam_deg": 0.0}


def test_true_hearts_lie_in_their_intervals_and_others_do_not() -> None:
    bounds = read_card(weights_path("lean")).metrics["conformal90"]["6"]
    template = load_template()
    points = torch.from_numpy(
        np.stack([template.points, template.points.mean(axis=0) + 0.9 * (template.points - template.points.mean(axis=0))])
    )
    points = points.float()
    true = torch.stack([torch.tensor([template.volumes_ml(one.numpy())[key] for key in ("lv", "rv", "la", "ra")]) for one in points])
    assert covered(points, true, bounds) == {"covered_pc": 100.0, "covered_least_pc": 100.0}
    assert covered(points, 3 * true, bounds)["covered_least_pc"] == 0.0

"""Errors by group: how far the left ventricle's volume is off, and to which side."""

from __future__ import annotations

import numpy as np
import torch

from echo3d.anatomy.template import load_template
from training.groups import left_ventricle


def test_a_heart_too_large_at_end_systole_alone_is_a_bias_there() -> None:
    template = load_template()
    centre = template.points.mean(axis=0)
    points = torch.from_numpy(np.stack([template.points, centre + 1.1 * (template.points - centre)])).float()
    true = template.volumes_ml(template.points)["lv"]
    row = left_ventricle(points, torch.full((2, 4), true))
    assert row["lv_ed_bias_pc"] == 0
    assert abs(row["lv_es_bias_pc"] - 33.1) < 0.05
    assert abs(row["lv_ml"] - 0.331 * true / 2) < 0.05

"""Principal fields: the raster carries them to the points, and coefficients are read back."""

from __future__ import annotations

import numpy as np
import torch

from echo3d.anatomy.template import load_template
from echo3d.reconstruction.s2mnet import VIEWS, S2MNet, S2MNetConfig, map_length
from training.basis import coefficients, fields_at_points, initialise


def test_smooth_fields_come_back_from_their_coefficients() -> None:
    rng = np.random.default_rng(0)
    points = load_template().points
    causes = rng.normal(0, 1, (60, 3))
    ways = np.stack([points * 0.05, np.roll(points, 1, axis=1) * 0.03, np.ones_like(points)])
    fields = np.tensordot(causes, ways, axes=1).astype(np.float32)
    network = S2MNet(S2MNetConfig(channels=(8, 16, 16, 24), token=8, width=16, rounds=1, principal=3, grid=8), len(points))
    initialise(network, fields, torch.rand(4, VIEWS, map_length(network.config)), rng.normal(size=(4, VIEWS, 9)).astype(np.float32))
    at_points = fields_at_points(network)
    found = coefficients(torch.from_numpy(fields), at_points)
    assert torch.allclose(found.std(dim=0), torch.ones(3), atol=0.05)
    carried = network.at_points(network.field(found)).flatten(1)
    assert (carried - torch.from_numpy(fields).flatten(1)).abs().max() < 0.1

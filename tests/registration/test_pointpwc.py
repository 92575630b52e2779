"""PointPWC-Net: its neighbours, its size, that it learns, and what the shipped weights do to a heart."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from echo3d.anatomy.template import load_template
from echo3d.core.structures import TAGS
from echo3d.errors import ModelError
from echo3d.registration.cloud import surface_cloud
from echo3d.registration.flow import flow_samples, load_flow
from echo3d.registration.neighbours import farthest, interpolated, nearest
from echo3d.registration.parts import template_parts
from echo3d.registration.pointpwc import LEAN, PAPER, PointPWC, PointPWCConfig
from echo3d.registration.shape import load_shape
from training.flowloss import chamfer, self_supervised, supervised

SMALL = PointPWCConfig(counts=(128, 48, 24, 12), widths=(12, 16, 24, 24), estimator=16, kernel=4, group=8, reach=8, near=6)


def test_neighbours_are_those_of_a_search_by_hand() -> None:
    rng = torch.Generator().manual_seed(1)
    a, b = torch.randn(2, 30, 3, generator=rng), torch.randn(2, 40, 3, generator=rng)
    expected = torch.stack([(x[:, None] - y[None]).norm(dim=2).argsort(dim=1)[:, :5] for x, y in zip(a, b, strict=True)])
    assert torch.equal(nearest(a, b, 5), expected)
    assert nearest(a, b[:, :3], 5).shape == (2, 30, 3)


def test_farthest_points_cover_a_cloud() -> None:
    points = torch.rand(1, 400, 3, generator=torch.Generator().manual_seed(2))
    rows = farthest(points, 40)[0]
    assert len(rows.unique()) == 40
    spread, random = (torch.cdist(points[0], points[0, chosen]).min(dim=1).values.max() for chosen in (rows, torch.arange(40)))
    assert spread < 0.75 * random


def test_what_lies_on_a_place_keeps_its_value() -> None:
    places = torch.randn(1, 20, 3, generator=torch.Generator().manual_seed(3))
    values = torch.arange(20.0)[None, :, None]
    assert torch.allclose(interpolated(values, places, places[:, 5:8]), values[:, 5:8], atol=1e-3)


def test_the_papers_size() -> None:
    """7.7 million parameters are published; ours also takes the normals."""
    count = sum(p.numel() for p in PointPWC(PAPER).parameters())
    assert abs(count / 7_719_340 - 1) < 0.03
    assert 2 * sum(p.numel() for p in PointPWC(LEAN).parameters()) < 16e6


def test_flows_are_of_every_level_and_start_at_its_points() -> None:
    torch.manual_seed(4)
    source, target = torch.randn(2, 128, 6), torch.randn(2, 100, 6)
    flows = PointPWC(SMALL).eval()(source, target)
    assert [flow.vectors.shape[1] for flow in flows] == [128, 48, 24]
    for flow in flows:
        assert torch.equal(flow.points, torch.stack([cloud[rows, :3] for cloud, rows in zip(source, flow.rows, strict=True)]))


def test_the_order_of_the_targets_points_does_not_matter() -> None:
    torch.manual_seed(5)
    network, source, target = PointPWC(SMALL).eval(), torch.randn(1, 128, 6), torch.randn(1, 48, 6)
    same = PointPWCConfig(**{**SMALL.model_dump(), "counts": (128, 48, 48, 12), "group": 8})
    network = PointPWC(same).eval()
    order = torch.cat([torch.zeros(1, dtype=torch.long), 1 + torch.randperm(47)])  # the first point is where the sampling starts
    with torch.inference_mode():
        one, other = (network(source, cloud)[0].vectors for cloud in (target, target[:, order]))
    assert torch.allclose(one, other, atol=1e-4)


@pytest.mark.parametrize("named", [True, False])
def test_it_learns_to_follow_a_stretch(named: bool) -> None:
    """With the true ways, and by the clouds alone; on clouds that it did not learn from."""
    torch.manual_seed(6)
    network = PointPWC(SMALL)
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    dice = torch.Generator().manual_seed(7)
    for _ in range(80):
        source, target, way = _stretched(4, dice)
        flows = network(source, target)
        loss = supervised(flows, way) if named else self_supervised(flows, target[..., :3])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    source, target, way = _stretched(32, torch.Generator().manual_seed(9))
    with torch.inference_mode():
        found = network(source, target)[0].vectors
    assert (found - way).norm(dim=2).mean() < 0.87 * way.norm(dim=2).mean()


def _stretched(count: int, dice: torch.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return clouds, the same stretched and sheared, and the way of each point."""
    source = torch.nn.functional.pad(2 * torch.randn(count, 128, 3, generator=dice), (0, 3))
    way = source[..., :3] @ (0.2 * torch.randn(count, 3, 3, generator=dice))
    return source, source + torch.nn.functional.pad(way, (0, 3)), way


def test_chamfer_sees_both_directions() -> None:
    few, many = torch.zeros(1, 1, 3), torch.tensor([[[0.0, 0, 0], [2, 0, 0]]])
    assert float(chamfer(few, many)) == float(chamfer(many, few)) == 4.0


def test_the_shipped_weights_bring_a_heart_they_never_saw_nearer() -> None:
    template = load_template()
    prior = load_shape(template.sha256)
    rng = np.random.default_rng(8)
    heart = template.points + prior.mean + np.tensordot(rng.normal(size=len(prior.modes)), prior.modes, axes=1)
    faces, tags = template_parts(template, [int(tag) for tag in TAGS])
    own, other = (surface_cloud(points, faces, tags) for points in (template.points, heart))
    flow = flow_samples(load_flow(template.sha256), own, other, passes=1)
    row = {tuple(place): k for k, place in enumerate(template.points)}
    true = heart - template.points
    truth = np.stack([true[row[tuple(place)]] for place in flow.places])
    error, way = (np.linalg.norm(part, axis=1).mean() for part in (flow.vectors - truth, truth))
    assert error < 0.5 * way


def test_weights_of_another_template_are_refused() -> None:
    with pytest.raises(ModelError, match="another one's"):
        load_flow("0" * 64)

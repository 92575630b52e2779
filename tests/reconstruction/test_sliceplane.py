"""The slice plane network: exact rotations, pictures asked alone, absent views, unknown names, presets."""

from __future__ import annotations

import math

import pytest
import torch

from echo3d.errors import InputError
from echo3d.reconstruction.s2mnet import CLASSES, VIEWS
from echo3d.reconstruction.sliceplane import PRESETS, UNKNOWN, SlicePlaneConfig, SlicePlaneNet, audible, middle, rotation, squared

SMALL = SlicePlaneConfig(channels=(8, 8), token=16, hidden=16, heads=2)


@pytest.fixture
def network() -> SlicePlaneNet:
    torch.manual_seed(3)
    made = SlicePlaneNet(SMALL).eval()
    made.mean[:, 3:] = torch.tensor([0.0, 0, 1, 1, 0, 0])
    return made


def looks(count: int = 2) -> torch.Tensor:
    return torch.rand(count, VIEWS, CLASSES - 1, 28, 28, generator=torch.Generator().manual_seed(1))


def everyone(count: int = 2) -> torch.Tensor:
    return torch.ones(count, VIEWS, dtype=torch.bool)


def test_a_rotation_and_its_two_vectors_are_one() -> None:
    turned, _ = torch.linalg.qr(torch.randn(20, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))
    turned[:, :, 2] *= torch.linalg.det(turned)[:, None]
    six = torch.cat([turned[..., 0], turned[..., 1]], dim=-1)
    torch.testing.assert_close(squared(six), six)
    torch.testing.assert_close(rotation(torch.cat([torch.zeros(20, 3), six], dim=-1)), turned)


def test_any_two_vectors_are_made_a_rotation() -> None:
    six = torch.tensor([[0.0, 0, 5, 3, 0, 4]])
    torch.testing.assert_close(squared(six), torch.tensor([[0.0, 0, 1, 1, 0, 0]]))
    many = squared(torch.randn(50, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))
    frames = rotation(torch.cat([torch.zeros(50, 3), many], dim=-1))
    torch.testing.assert_close(frames.transpose(1, 2) @ frames, torch.eye(3, dtype=torch.float64).expand(50, 3, 3))
    torch.testing.assert_close(torch.linalg.det(frames), torch.ones(50, dtype=torch.float64))


def test_the_two_vectors_have_no_jump_where_an_angle_has() -> None:
    """A turn just short of a half and just beyond it are neighbours; their angles in degrees are 359 apart."""
    ends = [math.radians(angle) for angle in (179.5, 180.5)]
    one, other = (squared(torch.tensor([math.cos(a), math.sin(a), 0, -math.sin(a), math.cos(a), 0])) for a in ends)
    assert float((one - other).norm()) < 0.03


def test_an_unsettled_network_answers_with_the_middle_of_its_mean_planes(network: SlicePlaneNet) -> None:
    for branch in (network.angle, network.position):
        torch.nn.init.zeros_(branch[-1].weight)
        torch.nn.init.zeros_(branch[-1].bias)
    network.mean[:, :3] = torch.tensor([1.0, 2, 3])
    planes = network(looks(), everyone())
    torch.testing.assert_close(planes, network.mean[:VIEWS].expand(2, -1, -1))
    torch.testing.assert_close(middle(planes)[0, 0], torch.tensor([1.0, 2, 83]))


def test_what_is_answered_is_the_way_from_the_plane_that_is_begun_with(network: SlicePlaneNet) -> None:
    start = torch.cat([torch.full((2, VIEWS, 3), 7.0), squared(torch.randn(2, VIEWS, 6))], dim=-1)
    other = network(looks(), everyone(), start=start)
    assert not torch.allclose(other, network(looks(), everyone()))
    for branch in (network.angle, network.position):
        torch.nn.init.zeros_(branch[-1].weight)
        torch.nn.init.zeros_(branch[-1].bias)
    torch.testing.assert_close(network(looks(), everyone(), start=2 * start - torch.cat([start[..., :3], 0 * start[..., 3:]], -1)), start)


def test_a_picture_asked_alone_does_not_hear_the_others(network: SlicePlaneNet) -> None:
    pictures, changed = looks(), looks()
    changed[:, 1:] = 0.5
    alone, other = (network(one, everyone(), together=False) for one in (pictures, changed))
    torch.testing.assert_close(alone[:, 0], other[:, 0])
    assert not torch.allclose(network(pictures, everyone())[:, 0], network(changed, everyone())[:, 0])


def test_alone_is_what_one_present_view_gives(network: SlicePlaneNet) -> None:
    present = torch.zeros(2, VIEWS, dtype=torch.bool)
    present[:, 3] = True
    torch.testing.assert_close(network(looks(), everyone(), together=False)[:, 3], network(looks(), present)[:, 3])


def test_absent_views_change_nothing(network: SlicePlaneNet) -> None:
    present = everyone()
    present[:, 4:] = False
    changed = looks()
    changed[:, 4:] = 7.0
    one, other = network(looks(), present), network(changed, present)
    torch.testing.assert_close(one, other)
    torch.testing.assert_close(one[:, 4:], network.mean[4:VIEWS].expand(2, -1, -1))


def test_views_without_a_name_may_stand_in_any_order(network: SlicePlaneNet) -> None:
    names = torch.full((2, VIEWS), UNKNOWN)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    straight = network(looks(), everyone(), views=names)
    torch.testing.assert_close(network(looks()[:, order], everyone(), views=names), straight[:, order])
    assert not torch.allclose(straight, network(looks(), everyone()))


def test_some_rows_may_speak_and_others_not() -> None:
    heard = audible(everyone(), torch.tensor([True, False]))
    assert heard[0].all() and torch.equal(heard[1], torch.eye(VIEWS, dtype=torch.bool))


@pytest.mark.parametrize("preset", ["lean-pictures", "paper"])
def test_presets_read_pictures(preset: str) -> None:
    torch.manual_seed(0)
    network = SlicePlaneNet(PRESETS[preset]).eval()
    network.mean[:, 3:] = torch.tensor([0.0, 0, 1, 1, 0, 0])
    with torch.inference_mode():
        planes = network(torch.rand(1, VIEWS, 2, 112, 112), everyone(1))
    assert planes.shape == (1, VIEWS, 9)
    torch.testing.assert_close(torch.linalg.det(rotation(planes)), torch.ones(1, VIEWS))


def test_the_paper_has_a_resnet_50_and_two_branches_of_three_layers() -> None:
    network = SlicePlaneNet(PRESETS["paper"])
    convolutions = sum(isinstance(part, torch.nn.Conv2d) and "downsample" not in name for name, part in network.trunk.named_modules())
    assert convolutions == 49  # and a layer behind them makes fifty
    for one, wide in ((network.angle, 6), (network.position, 3)):
        layers = [part for part in one if isinstance(part, torch.nn.Linear)]
        assert len(layers) == 3 and layers[-1].out_features == wide


def test_the_deep_trunk_refuses_structure_maps() -> None:
    with pytest.raises(InputError, match="reads pictures"):
        SlicePlaneNet(SlicePlaneConfig(trunk="resnet50"))

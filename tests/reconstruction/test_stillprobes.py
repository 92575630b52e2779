"""What is known of how probes are held: between two phases of a heart they stand still, but for one rigid motion of the heart's frame."""

from __future__ import annotations

import torch

from echo3d.reconstruction.planemoves import moved_planes, orthonormal, still_probes, turning


def seen_twice(count: int = 4) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Planes at one phase, those of the same probes at another, and noisy ones of that."""
    draws = torch.Generator().manual_seed(5)
    planes = orthonormal(torch.randn(count, 9, generator=draws) * torch.tensor([60.0] * 3 + [1.0] * 6))
    turn = torch.linalg.matrix_exp(-turning(torch.tensor([[0.05, -0.02, 0.04]])))[0]
    parts = planes.view(-1, 3, 3) @ turn.T
    parts[:, 0] += torch.tensor([4.0, -6.0, 3.0])
    after = parts.flatten(1)
    return planes, after, moved_planes(after, torch.randn(count, 6, generator=draws) * torch.tensor([1.0] * 3 + [0.01] * 3))


def test_probes_held_still_pull_at_nothing() -> None:
    planes, after, _ = seen_twice()
    normal, force, far = still_probes(planes, after)
    assert force.abs().max() < 1e-2 and far < 1e-4 and normal.shape == (48, 48)
    moves = torch.tensor([0.3, -0.2, 0.5])  # of the heart as a whole, which says nothing of its probes
    together = torch.cat([torch.zeros(24), torch.cat([moves, torch.zeros(3)]).repeat(4)])
    assert together @ normal @ together < 1e-4


def test_a_step_takes_planes_to_where_probes_are_still() -> None:
    planes, after, noisy = seen_twice()
    normal, force, far = still_probes(planes, noisy)
    moves = torch.linalg.solve(normal + 1e-3 * torch.eye(48), force)
    ends = moved_planes(planes, moves[:24].view(-1, 6)), moved_planes(noisy, moves[24:].view(-1, 6))
    assert still_probes(*ends)[2] < 1e-4 * far


def test_one_view_tells_nothing_of_stillness() -> None:
    planes, _, noisy = seen_twice(1)
    normal, force, _ = still_probes(planes, noisy)
    assert normal.abs().max() < 1e-2 and force.abs().max() < 1e-2


def test_a_turn_is_the_exponential_of_its_matrix() -> None:
    draws = torch.Generator().manual_seed(2)
    planes, moves = torch.randn(5, 9, generator=draws), torch.randn(5, 6, generator=draws)
    turns = torch.linalg.matrix_exp(-turning(moves[:, 3:]))
    wanted = torch.einsum("vij,vaj->vai", turns, planes[:, 3:].view(5, 2, 3))
    found = moved_planes(planes, moves)
    assert torch.allclose(found[:, 3:].view(5, 2, 3), wanted, atol=1e-5)
    assert torch.allclose(found[:, :3], planes[:, :3] + moves[:, :3])

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from echo3d.anatomy.template import load_label_volume, load_template
from echo3d.reconstruction.classes import class_table
from echo3d.reconstruction.planemoves import frames, moved_planes, moves_between, orthonormal
from echo3d.reconstruction.reconstruct import load_model
from echo3d.reconstruction.refine import Refiner, corrected, evidence, glimpse, precision_of, refined, signs, slices_of
from echo3d.reconstruction.secondlook import SecondEncoder
from echo3d.reconstruction.sight import sight
from echo3d.reconstruction.slicer import Slicer, template_slicer
from echo3d.slicing.standard import standard_sectors

VIEWS = 6


@pytest.fixture(scope="module")
def slicer() -> Slicer:
    network = load_model("lean", "cpu").network
    return template_slicer(network.principal, network.config.grid)


@pytest.fixture(scope="module")
def planes() -> torch.Tensor:
    sectors = standard_sectors(load_template(), load_template().points).values()
    return torch.from_numpy(np.stack([np.concatenate([s.origin, s.axis, s.lateral]) for s in sectors])).float()


def all_seen() -> torch.Tensor:
    return torch.ones(VIEWS, 112, 112)


def test_places_of_the_template_hold_their_own_structure(slicer: Slicer) -> None:
    volume = load_label_volume()
    inside = np.argwhere(volume.labels == 101)[::400]
    places = inside + volume.affine[:3, 3]
    shares, _ = slicer.look_up(torch.from_numpy(places).float())
    assert shares[:, class_table()[101] - 1].mean() > 0.8
    assert ((shares.sum(dim=1) > -1e-5) & (shares.sum(dim=1) < 1 + 1e-5)).all()


def test_the_inverse_of_a_field_is_its_inverse(slicer: Slicer) -> None:
    field = slicer.field(torch.linspace(-0.5, 0.5, slicer.rank))
    rest = torch.from_numpy(np.array(load_template().points[::50])).float()
    world = rest + slicer.displacement(field, rest)
    assert (slicer.rest_of(world, field, world, 30) - rest).norm(dim=1).max() < 0.05


def test_basis_is_the_field_of_each_coefficient(slicer: Slicer) -> None:
    rest = torch.from_numpy(np.array(load_template().points[::500])).float()
    basis = slicer.basis(rest)
    for number in (0, 7, 150):
        one = torch.zeros(slicer.rank)
        one[number] = 1.0
        alone = slicer.displacement(slicer.field(one) - slicer.field(torch.zeros(slicer.rank)), rest)
        assert torch.allclose(basis[:, :, number], alone, atol=1e-4)


def test_moves_between_planes_are_the_moves(planes: torch.Tensor) -> None:
    moves = torch.tensor([3.0, -2.0, 1.0, 0.2, -0.1, 0.15]).repeat(VIEWS, 1)
    after = moved_planes(planes, moves)
    assert torch.allclose(moves_between(planes, after), moves, atol=1e-5)
    assert torch.allclose(frames(after).transpose(1, 2) @ frames(after), torch.eye(3).expand(VIEWS, 3, 3), atol=1e-5)
    assert torch.allclose(orthonormal(after), after, atol=1e-5)


def test_evidence_is_the_slope_of_the_disagreement(slicer: Slicer, planes: torch.Tensor) -> None:
    truth = torch.zeros(slicer.rank)
    seen = sight(truth, planes, slices_of(slicer, truth, planes), all_seen())
    theta = torch.zeros(slicer.rank + 6 * VIEWS)
    theta[0], theta[slicer.rank + 2] = 0.3, 1.0

    def disagreement(at: torch.Tensor) -> float:
        coefficients, moved = at[: slicer.rank], moved_planes(planes, at[slicer.rank :].view(VIEWS, 6))
        view, place = seen.view, seen.place
        world = moved[view, :3] + place[:, :1] * moved[view, 3:6] + place[:, 1:] * moved[view, 6:9]
        shares, _ = slicer.look_up(slicer.rest_of(world, slicer.field(coefficients), world, 25))
        return float(((shares - seen.wanted) ** 2).sum()) / 2

    begun = glimpse(slicer, seen, theta, None)
    _, gradient = evidence(slicer, seen, begun)
    assert begun.misfit / 2 == pytest.approx(disagreement(theta), rel=1e-3)
    for number, step in ((0, 0.02), (slicer.rank + 2, 0.1)):
        nudge = torch.zeros_like(theta)
        nudge[number] = step
        slope = (disagreement(theta + nudge) - disagreement(theta - nudge)) / (2 * step)
        assert -float(gradient[number]) == pytest.approx(slope, rel=0.15)


def test_a_heart_and_its_planes_are_found_again(slicer: Slicer, planes: torch.Tensor) -> None:
    """A known heart seen in known planes: from a wrong guess the refinement comes back, as far as the slices can tell."""
    generator = torch.Generator().manual_seed(1)
    truth = torch.zeros(slicer.rank)
    truth[:12] = 1.2 * torch.randn(12, generator=generator)
    moves = torch.cat([torch.randn(VIEWS, 3, generator=generator), 0.03 * torch.randn(VIEWS, 3, generator=generator)], dim=1)
    guessed = sight(torch.zeros(slicer.rank), moved_planes(planes, moves), slices_of(slicer, truth, planes), all_seen())
    spread = torch.cat([torch.full((slicer.rank,), 0.5), torch.tensor([2.0, 2, 2, 0.06, 0.06, 0.06]).repeat(VIEWS)])
    ((found, back, _),) = refined(slicer, torch.diag(spread**-2), 200.0, [guessed], steps=6)
    points = torch.from_numpy(np.array(load_template().points)).float()
    true, start, end = (points + slicer.displacement(slicer.field(c), points) for c in (truth, guessed.coefficients, found))
    assert (start - true).norm(dim=1).mean() > 3
    assert (end - true).norm(dim=1).mean() < 0.4 * (start - true).norm(dim=1).mean()
    assert (back[:, :3] - planes[:, :3]).norm(dim=1).mean() < 0.75 * moves[:, :3].norm(dim=1).mean()


def test_a_hopeless_start_is_never_made_worse(slicer: Slicer, planes: torch.Tensor) -> None:
    """Pictures that fit no heart must not throw the answer away, however little the prior holds it."""
    generator = torch.Generator().manual_seed(5)
    maps = torch.softmax(4 * torch.randn(VIEWS, 9, 28, 28, generator=generator), dim=1)[:, 1:]
    seen = sight(torch.zeros(slicer.rank), planes, maps, all_seen())
    precision = 1e-3 * torch.eye(slicer.rank + 6 * VIEWS)
    ((found, back, _),) = refined(slicer, precision, 100.0, [seen], steps=6)
    moved = glimpse(slicer, sight(found, back, maps, all_seen()), torch.zeros(len(precision)), None).misfit
    assert moved <= glimpse(slicer, seen, torch.zeros(len(precision)), None).misfit * 1.001
    assert torch.isfinite(found).all() and torch.isfinite(back).all()


def test_the_truth_stays_where_it_is(slicer: Slicer, planes: torch.Tensor) -> None:
    truth = torch.full((slicer.rank,), 0.1)
    seen = sight(truth, planes, slices_of(slicer, truth, planes), all_seen())
    precision = torch.eye(2 * (slicer.rank + 6 * VIEWS))
    for found, back, _ in refined(slicer, precision, 100.0, [seen, seen], steps=2):
        assert (found - truth).abs().max() < 0.02
        assert (back - planes).abs().max() < 0.2


def test_precision_is_of_what_is_seen() -> None:
    rank, size = 3, 3 + 36
    spread = torch.arange(1.0, 2 * size + 1)
    both = precision_of(torch.diag(spread), rank, [1, 4], 2)
    assert both.shape == (2 * (rank + 12), 2 * (rank + 12))
    assert both[rank, rank] == pytest.approx(1 / float(spread[rank + 6]))
    alone = precision_of(torch.diag(spread), rank, [1, 4], 1)
    assert alone[0, 0] == pytest.approx(2 / float(spread[0] + spread[size]))
    assert math.isfinite(float(alone.sum()))


def test_a_correction_takes_a_known_error_away() -> None:
    """An error that hangs on the phase and on the other phase is learned from some pairs and taken from others."""
    from training.correction import fit_correction, usual_error

    generator = torch.Generator().manual_seed(3)
    truth = torch.randn(3000, 4, generator=generator)
    before = truth + torch.randn(3000, 4, generator=generator)
    other = truth.view(-1, 2, 4).flip(1).reshape(3000, 4)
    after = truth + 0.3 * other + torch.tensor([0.5, -0.5]).repeat(1500)[:, None]
    learned, new = slice(0, 2000), slice(2000, 3000)
    regressed = fit_correction(before[learned], after[learned], truth[learned])
    for matrix, left in ((regressed, 0.35), (usual_error(after[learned], truth[learned]), 0.9)):
        better = corrected(before[new], after[new], matrix) - truth[new]
        assert better.std() < left * (after - truth)[new].std()
        assert better[::2].mean().abs() < 0.03 and better[1::2].mean().abs() < 0.03


def test_a_second_encoder_begins_as_the_first(slicer: Slicer, planes: torch.Tensor) -> None:
    """Before it learned, the heart's slices change nothing; and they are heeded as soon as the last layer is."""
    network = load_model("lean", "cpu").network
    second = SecondEncoder(network.config)
    second.load_state_dict(network.encoder.state_dict() | {k: v for k, v in second.state_dict().items() if k.startswith("slice.")})
    second.eval()
    pictures = torch.rand(1, VIEWS, 2, 112, 112)
    slices = slices_of(slicer, torch.zeros(slicer.rank), planes)[None]
    with torch.inference_mode():
        first = network.structures(pictures, torch.ones(1, VIEWS, dtype=torch.bool))
        assert torch.allclose(second.looking(pictures, torch.arange(VIEWS))(slices), first, atol=1e-5)
    nn.init.normal_(second.slice[-1].weight, std=0.3)
    with torch.inference_mode():
        assert (second.looking(pictures, torch.arange(VIEWS))(slices) - first).abs().max() > 0.05


class Told(SecondEncoder):
    """One who knows what is to be seen, and notes what it was told of the heart."""

    def looking(self, pictures: torch.Tensor, views: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
        self.heard = list[torch.Tensor]()

        def look(slices: torch.Tensor) -> torch.Tensor:
            self.heard.append(slices)
            return self.known.expand_as(slices)

        return look


def test_a_second_look_moves_the_heart_on(slicer: Slicer, planes: torch.Tensor) -> None:
    """A first look that saw another heart is put right by a second that sees the true one; it is told the slices of the first's heart."""
    truth, other = torch.zeros(slicer.rank), torch.zeros(slicer.rank)
    truth[:6], other[:6] = 1.0, -1.0
    second = Told(load_model("lean", "cpu").network.config)
    second.known = slices_of(slicer, truth, planes)[None]
    spread = torch.cat([torch.full((slicer.rank,), 1.0), torch.tensor([1.0, 1, 1, 0.03, 0.03, 0.03]).repeat(VIEWS)]).repeat(2)
    refiner = Refiner(slicer, {VIEWS: torch.diag(spread**2)}, {}, 100.0, 5, second, 100.0, 8)
    seen = sight(torch.zeros(slicer.rank), planes, slices_of(slicer, other, planes), all_seen())
    pictures = torch.zeros(1, VIEWS, 2, 112, 112)
    (first,) = replace(refiner, second=None)([seen], range(VIEWS), pictures)
    (fit,) = refiner([seen], range(VIEWS), pictures)
    assert (first.coefficients[:6] - other[:6]).abs().mean() < 0.5 < (first.coefficients[:6] - truth[:6]).abs().mean()
    assert (fit.coefficients[:6] - truth[:6]).abs().mean() < 0.5
    assert len(second.heard) == 8
    assert torch.allclose(second.heard[0][0], slices_of(slicer, first.coefficients, first.planes), atol=1e-4)


def test_a_view_that_shows_another_is_told_by_its_signs(slicer: Slicer, planes: torch.Tensor) -> None:
    """Of six pictures one shows something else: it disagrees most, and weights on the signs make its trust the least."""
    maps = slices_of(slicer, torch.zeros(slicer.rank), planes)
    maps[2] = maps[4]
    seen = sight(torch.zeros(slicer.rank), planes, maps, all_seen())
    spread = torch.cat([torch.full((slicer.rank,), 0.5), torch.tensor([2.0, 2, 2, 0.06, 0.06, 0.06]).repeat(VIEWS)]).repeat(2)
    refiner = Refiner(slicer, {VIEWS: torch.diag(spread**2)}, {}, 20.0)
    (fit,) = refiner([seen], range(VIEWS), torch.zeros(1, VIEWS, 2, 112, 112))
    found = signs(slicer, refiner.covariance[VIEWS], seen, fit, range(VIEWS))
    assert found[:, 0].argmax() == 2 and found[2, 0] > found[[0, 1, 3, 4, 5], 0].max() + 0.5
    assert found[:, 2].argmax() == 2 and found[2, 2] > found[[0, 1, 3, 4, 5], 2].max() + 1, "it lies better in the plane of the fifth"
    trust = torch.full((VIEWS,), 3.0)
    assert torch.equal(refiner.trusted(seen, fit, range(VIEWS), trust), trust)
    heeding = replace(refiner, trust={VIEWS: torch.tensor([1.0, -2.0, 0.0, -4.0]).repeat(VIEWS, 1)})
    assert heeding.trusted(seen, fit, range(VIEWS), trust).argmin() == 2, "of weights from before the third sign"
    heeding = replace(refiner, trust={VIEWS: torch.tensor([1.0, 0.0, 0.0, -4.0, 0.0]).repeat(VIEWS, 1)})
    assert heeding.trusted(seen, fit, range(VIEWS), trust).argmin() == 2
    assert not signs(
        slicer,
        refiner.covariance[VIEWS],
        sight(seen.coefficients, planes[:1], maps[:1], all_seen()[:1]),
        fit._replace(theta=fit.theta[: slicer.rank + 6], planes=fit.planes[:1]),
        [0],
    )[:, 2].any()

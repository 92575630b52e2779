"""Moving an answer quickly: its tables read what the slicer reads, its heart comes as near as that of the slow way, its slope is right."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from echo3d.anatomy.template import load_template
from echo3d.reconstruction.hasten import SIZES, ByteRows, PackedConv, WideNorm, brisk, hastened, hastened_encoder
from echo3d.reconstruction.quick import QuickEncoder, QuickLook, QuickMover, maps_of, quick_mover
from echo3d.reconstruction.reconstruct import S2MModel, load_model, predict, trusting
from echo3d.reconstruction.refine import precision_of, refined, slices_of
from echo3d.reconstruction.s2mnet import map_length
from echo3d.reconstruction.sight import Fit, Sight, sight
from echo3d.slicing.standard import standard_sectors

VIEWS = 6


@pytest.fixture(scope="module")
def model() -> S2MModel:
    return load_model("accurate", "cpu")


@pytest.fixture(scope="module")
def mover(model: S2MModel) -> QuickMover:
    assert model.refiner is not None
    return quick_mover(model.refiner.slicer, model.refiner.covariance, 5.0, (2,))


@pytest.fixture(scope="module")
def seen(model: S2MModel, mover: QuickMover) -> list[tuple[torch.Tensor, Sight]]:
    """Hearts, and what is truly there in the standard views of them; the answers lie off by what a network's do."""
    sectors = standard_sectors(load_template(), load_template().points).values()
    planes = torch.from_numpy(np.stack([np.concatenate([s.origin, s.axis, s.lateral]) for s in sectors])).float()
    draws = torch.Generator().manual_seed(3)
    factor = torch.linalg.cholesky(mover.covariance[VIEWS])[: mover.slicer.rank, : mover.slicer.rank]
    found = []
    for _ in range(4):
        answer = 0.3 * torch.randn(mover.slicer.rank, generator=draws)
        truth = answer + factor @ torch.randn(mover.slicer.rank, generator=draws)
        found.append((truth, sight(answer, planes, slices_of(mover.slicer, truth, planes), torch.ones(VIEWS, 112, 112))))
    return found


def test_tables_hold_what_the_slicer_tells(mover: QuickMover) -> None:
    places = torch.from_numpy(np.array(load_template().points[::40])).float() + 0.3
    shares, slopes = mover.slicer.look_up(places)
    both = mover.shares.at(places)
    assert torch.allclose(both[:, : mover.slicer.kinds], shares, atol=1e-5)
    assert torch.allclose(both[:, mover.slicer.kinds :].view(-1, 3, mover.slicer.kinds).transpose(1, 2), slopes, atol=1e-5)
    basis = mover.basis.at(places).view(len(places), 3, -1)
    assert torch.allclose(basis, mover.slicer.basis(places)[..., : mover.modes], atol=1e-4)


def test_slopes_of_a_table_are_those_of_its_values(mover: QuickMover) -> None:
    places = torch.from_numpy(np.array(load_template().points[::97])).float()
    values, slopes = mover.basis.at(places), mover.basis.slopes(places)
    assert torch.equal(mover.basis.nearest(places[:1] - 1000.0), torch.tensor([0]))
    nodes, _ = mover.basis.corners(places)
    ahead, _ = mover.basis.corners(places + 0.02)
    same = (nodes == ahead).all(dim=1)  # no border of a raster's cell in between
    assert same.sum() > 50
    for axis in range(3):
        beside = places[same] + 0.02 * torch.eye(3)[axis]
        rise = (mover.basis.at(beside) - values[same]) / 0.02
        assert torch.allclose(rise, slopes[same][..., axis], atol=0.02 * float(slopes.abs().max()))


def test_a_heart_comes_as_near_as_by_the_slow_way(mover: QuickMover, model: S2MModel, seen: list[tuple[torch.Tensor, Sight]]) -> None:
    assert model.refiner is not None
    precision = precision_of(model.refiner.covariance[VIEWS], mover.slicer.rank, range(VIEWS), 1)
    off: dict[str, list[float]] = {"answer": [], "quick": [], "slow": []}
    for truth, one in seen:
        (slow,) = refined(mover.slicer, precision, mover.weight, [one], steps=sum(mover.steps))
        for name, heart in (
            ("answer", one.coefficients),
            ("quick", mover([one], range(VIEWS))[0].coefficients),
            ("slow", slow.coefficients),
        ):
            off[name].append(float((mover.slicer.field(heart) - mover.slicer.field(truth)).square().mean().sqrt()))
    answer, quick, slow_way = (float(np.mean(off[name])) for name in ("answer", "quick", "slow"))
    assert quick < 0.7 * answer
    assert quick < 1.15 * slow_way


def test_steps_go_on_from_where_others_ended(mover: QuickMover, seen: list[tuple[torch.Tensor, Sight]]) -> None:
    def off(fit: Fit, truth: torch.Tensor) -> float:
        return float((mover.slicer.field(fit.coefficients) - mover.slicer.field(truth)).square().mean().sqrt())

    found: list[list[float]] = []
    for truth, one in seen:
        (half,), (whole,) = (replace(mover, steps=(steps,))([one], range(VIEWS)) for steps in (1, 2))
        on = [mover.moved([one], [half], range(VIEWS), (mover.weight, 1), known)[0] for known in ((), [mover.rests(one, half)])]
        found.append([off(fit, truth) for fit in (half, whole, *on)])
        (still,) = mover.moved([one], [half], range(VIEWS), (mover.weight, 0))
        assert torch.allclose(still.coefficients, half.coefficients, atol=1e-4)
    before, together, anew, known = np.mean(found, axis=0)
    assert before > max(anew, known) and max(anew, known) < 1.03 * together


def test_rounds_without_steps_are_none_and_cells_chosen_anew_bring_hearts_nearer(
    mover: QuickMover, seen: list[tuple[torch.Tensor, Sight]]
) -> None:
    made = [quick_mover(mover.slicer, mover.covariance, mover.weight, steps) for steps in ((2, 0), (2,), (2, 2))]
    assert made[0].steps == made[1].steps == (2,), "a round of none would hide the last step's slope"
    found: list[list[float]] = []
    for truth, one in seen:
        fits = [steps([one], range(VIEWS))[0] for steps in made]
        assert torch.equal(fits[0].coefficients, fits[1].coefficients)
        wanted = mover.slicer.field(truth)
        found.append([float((mover.slicer.field(fit.coefficients) - wanted).square().mean().sqrt()) for fit in fits])
    once, _, anew = np.mean(found, axis=0)
    assert anew < once


def test_slices_are_those_of_the_slicer(mover: QuickMover, seen: list[tuple[torch.Tensor, Sight]]) -> None:
    truth, one = seen[2]
    heart = Fit(truth, one.planes, torch.zeros(0))
    shown, wanted = mover.slices(one, mover.rests(one, heart)), slices_of(mover.slicer, truth, one.planes)
    assert shown.shape == wanted.shape and (shown - wanted).abs().mean() < 3e-3
    few = replace(one, view=one.view[:50], cell=one.cell[:50], wanted=one.wanted[:50])
    assert not mover.slices(few, mover.rests(few, heart))[1:].any(), "where nothing was seen nothing is shown"


def test_points_are_those_of_the_network(mover: QuickMover, model: S2MModel, seen: list[tuple[torch.Tensor, Sight]]) -> None:
    heart = seen[0][0]
    with torch.inference_mode():
        wanted = (model.network.template + model.network.at_points(model.network.field(heart[None])))[0]
    assert (mover.points(heart) - wanted).norm(dim=1).max() < 0.2


def test_a_trust_of_its_own_leaves_all_else(model: S2MModel) -> None:
    other = {key: torch.zeros_like(value) for key, value in model.network.trust.state_dict().items()}
    twin = trusting(model.network, other)
    maps = torch.rand(1, VIEWS, map_length(model.network.config), generator=torch.Generator().manual_seed(2))
    present = torch.ones(1, VIEWS, dtype=torch.bool)
    with torch.inference_mode():
        own, changed = model.network.read(maps, present), twin.read(maps, present)
    assert torch.equal(own.fused, changed.fused) and not changed.trust.any() and own.trust.any()
    assert twin.gather is model.network.gather and trusting(model.network, {}) is model.network


def test_the_slope_is_that_of_the_last_step(mover: QuickMover, seen: list[tuple[torch.Tensor, Sight]]) -> None:
    once = replace(mover, steps=(1,))
    _, one = seen[0]
    wanted = one.wanted.clone().requires_grad_()
    once([replace(one, wanted=wanted)], range(VIEWS))[0].coefficients[3].backward()
    assert wanted.grad is not None
    cell, kind = divmod(int(wanted.grad.abs().argmax()), wanted.shape[1])
    more = one.wanted.clone()
    more[cell, kind] += 0.5
    rise = once([replace(one, wanted=more)], range(VIEWS))[0].coefficients[3] - once([one], range(VIEWS))[0].coefficients[3]
    assert float(rise) == pytest.approx(0.5 * float(wanted.grad[cell, kind]), rel=1e-2)


def test_an_encoder_begins_as_another_and_absent_views_show_nothing(model: S2MModel) -> None:
    encoder = QuickEncoder(model.network.config).eval()
    known = model.network.encoder.state_dict()
    encoder.load_state_dict({f"leading.{key}": known[f"classes.{key}"] for key in ("weight", "bias")} | known)
    pictures = torch.rand(1, VIEWS, 2, 112, 112, generator=torch.Generator().manual_seed(0))
    present = torch.tensor([[True, False, True, False, False, True]])
    with torch.inference_mode():
        maps, leading = maps_of(encoder, pictures, present)
        wanted = model.network.structures(pictures, present)
    assert torch.allclose(maps, wanted, atol=1e-5) and torch.allclose(leading, wanted, atol=1e-5)
    assert not maps[0, 1].any() and not leading[0, 3].any()
    with torch.inference_mode():
        hastened_maps, _ = maps_of(hastened_encoder(encoder), pictures, present)
    assert hastened_maps.dtype == torch.float32 and encoder.view.dtype == torch.float32
    assert (hastened_maps - maps).abs().mean() < 5e-3


def test_pairs_are_corrected_and_lone_phases_are_not(model: S2MModel, mover: QuickMover) -> None:
    encoder = QuickEncoder(model.network.config).eval()
    known = model.network.encoder.state_dict()
    encoder.load_state_dict({f"leading.{key}": known[f"classes.{key}"] for key in ("weight", "bias")} | known)
    shift = torch.zeros(2, mover.slicer.rank)
    shift[0, 0], shift[1, 1] = 2.0, -3.0
    lean, bare = (replace(model, refiner=None, quick=QuickLook(encoder, model.network, mover, known)) for known in ({VIEWS: shift}, {}))
    pictures = torch.rand(2, VIEWS, 2, 112, 112, generator=torch.Generator().manual_seed(1))
    present = torch.ones(2, VIEWS, dtype=torch.bool)
    pair, plain = (predict(one, pictures, present, [(0, 1)]) for one in (lean, bare))
    assert torch.allclose(pair.fused - plain.fused, shift, atol=1e-4)
    alone, also = (predict(one, pictures, present, [(0,), (1,)]) for one in (lean, bare))
    assert torch.equal(alone.fused, also.fused)
    assert alone.planes.isfinite().all() and pair.points.isfinite().all()
    frames, network = (predict(one, pictures, present).fused for one in (lean, replace(lean, quick=None)))
    assert torch.equal(frames, network), "a beat's frames are the network's"


def test_the_hastened_network_reads_the_same(model: S2MModel) -> None:
    maps = torch.rand(2, VIEWS, map_length(model.network.config), generator=torch.Generator().manual_seed(2))
    present = torch.ones(2, VIEWS, dtype=torch.bool)
    twin = hastened(model.network)
    assert twin.encoder is model.network.encoder and twin.principal is model.network.principal
    assert model.network.answer.weight.dtype == torch.float32
    with torch.inference_mode():
        slow, quick = model.network.read(maps, present), twin.read(maps, present)
    assert quick.fused.float().sub(slow.fused).norm() < 0.02 * slow.fused.norm()
    assert quick.planes.dtype == torch.float32 and quick.planes.sub(slow.planes).abs().max() < 0.5


@pytest.mark.parametrize("side", [7, 28])
def test_a_wide_norm_is_a_group_norm_of_any_raster(side: int) -> None:
    draws = torch.Generator().manual_seed(side)
    plain, wide = torch.nn.GroupNorm(8, 32), WideNorm(8, 32)
    for own in plain.parameters():
        own.data = 1 + torch.randn(own.shape, generator=draws)
    wide.load_state_dict(plain.state_dict())
    x = (3 + torch.randn(5, 32, side, side, generator=draws)).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        assert torch.allclose(wide(x), plain(x), atol=2e-5)
        assert wide(x.bfloat16()).dtype == torch.bfloat16


@pytest.mark.parametrize(("rows", "length"), [(160, 1568), (768, 966), (200, 768)])
def test_bytes_multiply_as_precisely_as_bfloat16_about(rows: int, length: int) -> None:
    draws = torch.Generator().manual_seed(rows)
    matrix, x = torch.randn(rows, length, generator=draws), torch.randn(3, length, generator=draws)
    matrix[1] = 0
    truth = x @ matrix.T
    found = ByteRows(matrix)(x.bfloat16()).float()
    assert found[:, 1].abs().max() == 0
    assert (found - truth).std() < 0.015 * truth.std()


def test_weights_that_refine_look_quickly_only_where_they_go_on_from_there(model: S2MModel) -> None:
    assert load_model("lean", "cpu").quick is not None
    assert model.refiner is not None
    assert (model.quick is not None) == model.refiner.begun


def test_a_packed_convolution_answers_the_same_whatever_the_size() -> None:
    if not brisk():
        pytest.skip("packed convolutions are used where the processor has instructions for bfloat16")
    plain = torch.nn.Conv2d(16, 24, 3, stride=2, padding=1).bfloat16().to(memory_format=torch.channels_last)
    packed = PackedConv(plain)
    with torch.inference_mode():
        for count in (6, 1, 12, 2, 3, 4, 6):
            x = torch.randn(count, 16, 28, 28).bfloat16().to(memory_format=torch.channels_last)
            assert torch.equal(packed(x), plain(x)) and torch.equal(copy.deepcopy(packed)(x), plain(x))
            assert len(packed.packed) <= SIZES

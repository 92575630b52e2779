"""The simulator in torch gives the NumPy path's pixels from the NumPy path's numbers, and its statistics from its own."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from echo3d.core.sector import PictureGrid
from echo3d.core.structures import Structure
from echo3d.errors import ShapeError
from echo3d.style.batched import Numbers, draw_numbers, envelope_batch, numbers_of, speckle_batch
from echo3d.style.draws import SpeckleDraw, draw_speckle
from echo3d.style.polar import PolarGrid
from echo3d.style.scene import Scene
from echo3d.style.speckle import envelope, speckle_image
from echo3d.style.statistics import correlation_length, first_order

GRID = PictureGrid(112, 112, 1.6)


def slices(fans: list[PolarGrid]) -> NDArray[np.uint8]:
    """Return slices with muscle, blood, a valve, an atrium and a vessel, 80 mm below the probe."""
    pictures = []
    for fan in fans:
        deep, aside = np.moveaxis(fan.plane_mm(), -1, 0)
        radius = np.hypot(deep - 75, aside)
        tags = [
            Structure.MITRAL_VALVE,
            Structure.LV_CAVITY,
            Structure.LV_MYOCARDIUM,
            Structure.LA_CAVITY,
            Structure.LA_WALL,
            Structure.AORTA,
        ]
        where = [(np.abs(deep - 95) < 1.5) & (np.abs(aside) < 15), radius < 25, radius < 35]
        where += [np.hypot(deep - 118, aside) < 14, np.hypot(deep - 118, aside) < 17, np.hypot(deep - 100, aside - 40) < 8]
        pictures.append(np.select(where, tags, 0))
    return np.stack(pictures).astype(np.uint8)


def fans_of(count: int, seed: int = 0) -> list[PolarGrid]:
    rng = np.random.default_rng(seed)
    return [PolarGrid(192, 80, rng.uniform(30, 45), rng.uniform(130, 200)) for _ in range(count)]


def looks(count: int, seed: int = 1) -> list[SpeckleDraw]:
    rng = np.random.default_rng(seed)
    return [replace(draw_speckle(rng), frame=at % 3) for at in range(count)]


def scenes_of(fans: list[PolarGrid]) -> list[Scene]:
    """Return scenes of every kind: nothing known, a plane along or across the axis, bone, lung."""
    bone = np.where(np.arange(80) < 20, 30.0, np.inf)
    kinds = [Scene(), Scene(long_axis=1.0), Scene(long_axis=0.0), Scene(bone), Scene(bone, np.arange(80) < 12, long_axis=0.7)]
    return [kinds[at % len(kinds)] for at in range(len(fans))]


def plain_and_batch(draws: list[SpeckleDraw], scenes: list[Scene], fans: list[PolarGrid]) -> tuple[NDArray, NDArray]:
    """Return pictures of both paths from the same random numbers."""
    labels = slices(fans)
    plain = [speckle_image(one, fan, GRID, draw, scene=scene) for one, fan, draw, scene in zip(labels, fans, draws, scenes, strict=True)]
    batch = speckle_batch(torch.from_numpy(labels), fans, GRID, draws, numbers=numbers_of(fans, draws), scenes=scenes)
    return np.stack(plain), batch.numpy()


def test_the_same_numbers_give_the_same_pixels() -> None:
    fans = fans_of(20)
    plain, batch = plain_and_batch(looks(20), scenes_of(fans), fans)
    assert batch.dtype == np.float32 and batch.shape == (20, 112, 112)
    np.testing.assert_allclose(batch, plain, atol=1e-4)
    np.testing.assert_array_equal(batch == 0, plain == 0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_gives_the_same_pixels() -> None:
    fans, draws = fans_of(20), looks(20)
    labels, scenes = torch.from_numpy(slices(fans)), scenes_of(fans)
    here = speckle_batch(labels, fans, GRID, draws, numbers=numbers_of(fans, draws), scenes=scenes)
    there = speckle_batch(labels.cuda(), fans, GRID, draws, numbers=numbers_of(fans, draws, "cuda"), scenes=scenes)
    assert there.is_cuda
    np.testing.assert_allclose(there.cpu().numpy(), here.numpy(), atol=1e-3)


def test_numbers_of_another_device_are_refused() -> None:
    fans = fans_of(1)
    with pytest.raises(ShapeError, match="labels' device"):
        envelope_batch(torch.zeros(1, 192, 80, dtype=torch.uint8, device="meta"), fans, looks(1), numbers=torch.Generator())


def test_a_clean_draw_gives_the_same_pixels() -> None:
    """Everything switched off: no texture, shadow, mirror, clutter, filter or fat."""
    fans = fans_of(3)
    plain, batch = plain_and_batch([SpeckleDraw(seed) for seed in range(3)], [Scene()] * 3, fans)
    np.testing.assert_allclose(batch, plain, atol=1e-4)


def test_fans_with_more_samples_than_pixels_and_fewer() -> None:
    for fan in (PolarGrid(640, 120, 37.0, 150.0), PolarGrid(60, 40, 37.0, 150.0)):
        draws = looks(2, seed=5)
        labels = slices([fan, fan])
        batch = speckle_batch(torch.from_numpy(labels), [fan, fan], GRID, draws, numbers=numbers_of([fan, fan], draws))
        np.testing.assert_allclose(batch[1], speckle_image(labels[1], fan, GRID, draws[1]), atol=1e-4)


def test_fully_developed_speckle_has_the_known_statistics_and_lengths() -> None:
    fan = PolarGrid(384, 160, 40.0, 160.0)
    draw = SpeckleDraw(1)
    even = torch.full((12, 384, 160), int(Structure.LV_MYOCARDIUM), dtype=torch.uint8)
    own = envelope_batch(even, [fan] * 12, [draw] * 12, numbers=torch.Generator().manual_seed(3)).numpy()
    plain = np.stack([envelope(even[0].numpy(), fan, replace(draw, seed=seed)) for seed in range(12)])
    window = (slice(None), slice(160, 230), slice(20, 140))
    for amplitude in (own, plain):
        found = first_order(amplitude[window])
        assert found.snr == pytest.approx(1.913, abs=0.05) and found.distance < 0.01
        assert np.square(amplitude[window]).mean() == pytest.approx(1, abs=0.05)
    for axis in (0, 1):
        mine, theirs = (np.mean([correlation_length(one[window[1:]], axis) for one in amplitude]) for amplitude in (own, plain))
        assert mine == pytest.approx(theirs, rel=0.05)


def test_own_numbers_give_the_same_grey_per_tissue_and_the_same_percentiles() -> None:
    """120 pictures of 30 looks by both paths; the bounds are twice what three seeds of one path differ by."""
    rng = np.random.default_rng(5)
    fans, draws = fans_of(30, seed=2) * 4, [replace(look, seed=int(rng.integers(2**31))) for look in looks(30, seed=3) * 4]
    labels = slices(fans)
    pictures = [speckle_image(one, fan, GRID, draw) for one, fan, draw in zip(labels, fans, draws, strict=True)]
    own = speckle_batch(torch.from_numpy(labels), fans, GRID, draws, numbers=torch.Generator().manual_seed(4)).numpy()
    mm = GRID.plane_mm()
    radius = np.hypot(mm[..., 0] - 75, mm[..., 1])
    for tissue in (radius < 20, (radius > 27) & (radius < 33), (radius > 40) & (np.abs(mm[..., 1]) < 0.4 * mm[..., 0])):
        theirs, mine = np.stack(pictures)[:, tissue], own[:, tissue]
        assert mine.mean() == pytest.approx(theirs.mean(), abs=0.02)
        np.testing.assert_allclose(np.percentile(mine, (10, 50, 90)), np.percentile(theirs, (10, 50, 90)), atol=0.06)
        pair = tissue[:, 1:] & tissue[:, :-1]
        steps = [np.abs(np.diff(some, axis=2))[:, pair].mean() for some in (np.stack(pictures), own)]
        assert steps[0] == pytest.approx(steps[1], abs=0.006)


def test_a_generator_repeats_itself_and_pictures_differ() -> None:
    fans, draws = fans_of(5), looks(5)
    labels = torch.from_numpy(slices(fans))
    first, again, other = (speckle_batch(labels, fans, GRID, draws, numbers=torch.Generator().manual_seed(seed)) for seed in (6, 6, 7))
    assert torch.equal(first, again) and not torch.equal(first, other)
    still = draw_numbers([fans[0]] * 4, torch.Generator().manual_seed(1)).still
    assert all(abs(torch.vdot(one.ravel(), two.ravel())) < 0.05 * one.numel() for one, two in pairwise(still))


def test_what_does_not_belong_together_is_refused() -> None:
    fans, draws = fans_of(2), looks(2)
    labels, numbers = torch.from_numpy(slices(fans)), torch.Generator()
    with pytest.raises(ShapeError, match="same samples and lines"):
        speckle_batch(labels, [fans[0], PolarGrid(100, 80, 40, 150)], GRID, draws, numbers=numbers)
    with pytest.raises(ShapeError, match="must have shape"):
        speckle_batch(labels[:, :-1], fans, GRID, draws, numbers=numbers)
    with pytest.raises(ShapeError, match="scene for each"):
        speckle_batch(labels, fans, GRID, draws, numbers=numbers, scenes=[Scene()])
    with pytest.raises(ShapeError, match="2 fans and 3 draws"):
        speckle_batch(labels, fans, GRID, looks(3), numbers=numbers)
    with pytest.raises(ShapeError, match="single pictures"):
        speckle_batch(labels, fans, GRID, draws, numbers=numbers, scenes=[Scene(rest_mm=fan_points(fans[0])), Scene()])


def fan_points(fan: PolarGrid) -> NDArray[np.float64]:
    return np.concatenate([fan.plane_mm(), np.zeros((fan.samples, fan.lines, 1))], axis=2)


def test_rows_of_numbers_are_those_pictures() -> None:
    numbers = draw_numbers(fans_of(3), torch.Generator().manual_seed(1))
    assert isinstance(numbers, Numbers)
    assert torch.equal(numbers.rows(slice(1, 3)).textures.chest, numbers.textures.chest[1:])

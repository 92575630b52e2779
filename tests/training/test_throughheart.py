"""A second look taught by what becomes of the heart: the step it learns through is the step in use, its slope is right, it gets better."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from echo3d.errors import InputError, StoppedError
from echo3d.reconstruction.reconstruct import load_model
from echo3d.reconstruction.refine import refined
from echo3d.trainings import train
from training.glances import Looks, Shard, first_look, glances
from training.samples import heart_samples, write_shard
from training.secondlook import NETWORK
from training.styles import drawer, style_shard
from training.throughheart import FullStanding, QuickStanding, Settings, ThroughHeart, relit, standing


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Glances of one heart through two probes, and a second look to begin with: the shipped one."""
    out = tmp_path_factory.mktemp("through")
    samples, record = heart_samples((9, 0), probes=2, labels_only=True)
    write_shard(out, "0009_00000", samples, [record])
    style_shard(out / "0009_00000.npz", "speckle", drawer("speckle"), 1)
    model = load_model("accurate", "cpu")
    drawn = glances(first_look(model), Shard(0, out / "0009_00000.npz"), Looks(("speckle",), 0.0, 0), np.random.default_rng(3))
    (out / "glances").mkdir()
    np.savez(out / "glances" / "one.npz", **drawn)  # type: ignore[arg-type]
    (out / "begin").mkdir()
    assert model.refiner is not None and model.refiner.second is not None
    torch.save({"second": model.refiner.second.state_dict()}, out / "begin" / NETWORK)
    return out


def settings(folder: Path, **others: object) -> Settings:
    brief = {"data": folder / "glances", "val": folder / "glances", "begin": folder / "begin", "steps": 3, "batch": 2, "device": "cpu"}
    return Settings.model_validate(brief | {"precision": "float32", "keep": 1, "note": 1, "rise": 1} | others)


def full(folder: Path) -> ThroughHeart:
    """A lesson whose hearts take full steps."""
    model = load_model("accurate", "cpu")
    assert model.refiner is not None
    return ThroughHeart(settings(folder), replace(model, refiner=replace(model.refiner, begun=False, mover=None)))


def quick(folder: Path) -> ThroughHeart:
    """A lesson whose hearts take quick steps."""
    return ThroughHeart(settings(folder, refined="lean", each=1))


def test_the_step_that_is_learned_through_is_the_step_in_use(folder: Path) -> None:
    work = full(folder)
    one = standing(work.refiner, work.held, 0)
    assert isinstance(one, FullStanding)
    slices = one.slices()
    true = work.held["shares"][0][:, one.views, 1:]
    again = [own.wanting(cells) for own, cells in zip(one.sights, true, strict=True)]
    near = [own.picked(places) for own, places in zip(one.sights, one.places, strict=True)]
    start = (one.theta.flatten(), near)
    used = refined(work.refiner.slicer, one.precision, 8.0, again, steps=1, start=start)
    learned, probes = one.stepped(true.flatten(0, 1), 8.0)
    assert torch.allclose(learned, torch.stack([fit.coefficients for fit in used]), atol=1e-3)
    assert torch.allclose(probes, torch.stack([fit.planes[:, :3] for fit in used]), atol=1e-3)
    assert (one.slices() - true).square().mean() < (slices - true).square().mean(), "towards what was wanted"


def test_the_quick_step_that_is_learned_through_is_the_step_in_use(folder: Path) -> None:
    work = ThroughHeart(settings(folder, refined="lean", each=2))
    one = standing(work.refiner, work.held, 0)
    assert isinstance(one, QuickStanding)
    pictures, encoder = work.held["pictures"][0][:, one.views], work.network.eval()
    used = work.refiner.mover.again(encoder, one.sights, one.fits, one.views, pictures, (8.0, 2, 2))
    for _ in range(2):
        with torch.inference_mode():
            logits = encoder(pictures.flatten(0, 1), torch.tensor(one.views * 2), one.slices().flatten(0, 1))
            learned, probes = one.stepped(torch.softmax(logits, dim=1)[:, 1:], 8.0)
    assert torch.allclose(learned, torch.stack([fit.coefficients for fit in used]), atol=1e-2)
    assert torch.allclose(probes, torch.stack([fit.planes[:, :3] for fit in used]), atol=1e-2)


@pytest.mark.parametrize("lesson", [full, quick])
def test_the_slope_of_a_step_is_that_of_the_shares(folder: Path, lesson: Callable[[Path], ThroughHeart]) -> None:
    work = lesson(folder)

    def heart(cells: torch.Tensor) -> torch.Tensor:
        one = standing(work.refiner, work.held, 0)
        one.slices()
        heart, probes = one.stepped(cells, 8.0)
        return heart.square().sum() + probes.square().sum()

    cells = work.held["shares"][0][:, work.held["present"][0, 0], 1:].flatten(0, 1).clone().requires_grad_()
    heart(cells).backward()
    assert cells.grad is not None
    shift = torch.randn(cells.shape, generator=torch.Generator().manual_seed(1))
    ahead, behind = (float(heart((cells + sign * 1e-2 * shift).detach())) for sign in (1, -1))
    assert (ahead - behind) / 2e-2 == pytest.approx(float((cells.grad * shift).sum()), rel=2e-2)


def test_slices_are_exact_whatever_the_precision_of_the_layers(folder: Path) -> None:
    work = quick(folder)
    batch = work.draw(np.random.default_rng(0), 2)
    whole = work.terms(work.network.eval(), batch)
    with torch.autocast("cpu", torch.bfloat16):
        coarse = work.terms(work.network, batch)
    assert float(coarse["points"].detach()) == pytest.approx(float(whole["points"].detach()), rel=0.02)


def test_no_more_looks_are_taken_than_asked_for(folder: Path) -> None:
    work = ThroughHeart(settings(folder, refined="lean", looks=3))
    rng = np.random.default_rng(0)
    assert {int(work.draw(rng, 2)["looks"][0]) for _ in range(20)} == {1, 2, 3}


def test_what_is_learned_makes_better_hearts_and_a_broken_run_ends_alike(folder: Path, tmp_path: Path) -> None:
    def broken(share: float, said: str, /) -> None:
        if share > 0.5:
            raise StoppedError("enough")

    brief = settings(folder, steps=12, rate=3e-4, keep=3)
    before = ThroughHeart(brief)
    begun = before.validated(before.network.eval())
    whole = train("throughheart", brief, tmp_path / "whole")
    assert whole["held_points_mm"] < begun["held_points_mm"]
    with pytest.raises(StoppedError):
        train("throughheart", brief, tmp_path / "part", progress=broken)
    assert train("throughheart", brief, tmp_path / "part", resume=True)["steps"] == whole["steps"] == 12
    one, other = (torch.load(tmp_path / name / NETWORK, weights_only=True)["second"] for name in ("whole", "part"))
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_relit_pictures_keep_their_fans() -> None:
    pictures = torch.rand(2, 2, 6, 2, 8, 8)
    pictures[..., 1, :, :] = (pictures[..., 1, :, :] > 0.5).float()
    changed = relit(pictures)
    assert torch.equal(changed[..., 1, :, :], pictures[..., 1, :, :]) and not changed[..., 0, :, :][pictures[..., 1, :, :] == 0].any()
    assert 0.01 < float((changed - pictures).abs().mean()) < 0.2


@pytest.mark.parametrize("lost", ["truth", "sectors"])
def test_glances_without_hearts_or_probes_are_a_sentence(folder: Path, tmp_path: Path, lost: str) -> None:
    with np.load(folder / "glances" / "one.npz") as data:
        np.savez(tmp_path / "old.npz", **{key: data[key] for key in data if key != lost})
    with pytest.raises(InputError, match=r"training\.glances"):
        train("throughheart", settings(folder, data=tmp_path), tmp_path / "run")

"""Training the slice plane network: a loss that is zero at the truth, errors that are what they say, a run gone on with."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from echo3d.cli import main
from echo3d.errors import InputError, StoppedError
from echo3d.io.images import read_png
from echo3d.reconstruction.s2mnet import VIEWS
from echo3d.reconstruction.sliceplane import PRESETS, UNKNOWN, SlicePlaneNet
from training.exports import exported
from training.planedata import WHOLE, counted, sample_bank, slice_planes
from training.samples import heart_samples, write_shard
from training.sliceplane import READ, TRUE, Settings, draw_company, plane_loss, plane_measures, run, set_mean
from training.slices import heart_slices
from training.styles import drawer, style_shard

PLANE = torch.tensor([10.0, 20, 30, 0, 0, 1, 1, 0, 0])
"""Looks along z, with x to the right; its normal, axis x lateral, is y."""


def turned(about: int, angle: float, shift: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> torch.Tensor:
    """Return ``PLANE`` turned about a world axis at its probe, and shifted."""
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    matrix = torch.eye(3)
    i, j = [k for k in range(3) if k != about]
    matrix[i, i], matrix[j, j], matrix[i, j], matrix[j, i] = c, c, -s, s
    return torch.cat([PLANE[:3] + torch.tensor(shift), matrix @ PLANE[3:6], matrix @ PLANE[6:9]])


def test_the_loss_is_zero_at_the_truth_and_only_there() -> None:
    true = torch.stack([PLANE, turned(0, 30.0)])[None]
    present = torch.ones(1, 2, dtype=torch.bool)
    wanted = true.clone().requires_grad_()
    exact = plane_loss(wanted, true, present)
    assert all(float(part.detach()) == 0 for part in exact.values())
    torch.stack(list(exact.values())).sum().backward()
    assert torch.isfinite(wanted.grad).all()
    shifted = torch.stack([turned(0, 0.0, (0.0, 0.0, 10.0)), turned(0, 30.0)])[None]
    assert {name: round(float(part), 6) for name, part in plane_loss(shifted, true, present).items()} == {"points": 0.5, "turn": 0.0}
    hidden = torch.tensor([[False, True]])
    assert all(float(part) == 0 for part in plane_loss(shifted, true, hidden).values())


def test_the_turn_of_the_loss_is_the_sine_of_half_the_angle() -> None:
    parts = plane_loss(turned(2, 60.0)[None, None], PLANE[None, None], torch.ones(1, 1, dtype=torch.bool))
    assert float(parts["turn"]) == pytest.approx(2 * math.sqrt(2) * math.sin(math.radians(30)), abs=1e-5)


def test_errors_are_what_they_say() -> None:
    along = plane_measures(turned(0, 0.0, (0.0, 3.0, 4.0))[None], PLANE[None])
    assert along == {"probe_mm": 5.0, "middle_mm": 5.0, "offset_mm": 3.0, "normal_deg": 0.0, "beam_deg": 0.0, "turn_deg": 0.0}
    about_beam = plane_measures(turned(2, 10.0)[None], PLANE[None])
    assert about_beam["beam_deg"] == pytest.approx(0, abs=0.05) and about_beam["middle_mm"] == pytest.approx(0, abs=1e-3)
    assert about_beam["normal_deg"] == pytest.approx(10, abs=0.01) == about_beam["turn_deg"]
    within = plane_measures(turned(1, 10.0)[None], PLANE[None])
    assert within["normal_deg"] == pytest.approx(0, abs=0.05) and within["beam_deg"] == pytest.approx(10, abs=0.01)
    assert within["middle_mm"] == pytest.approx(160 * math.sin(math.radians(5)), abs=1e-3) and within["offset_mm"] == pytest.approx(
        0, abs=1e-3
    )


def test_cells_are_counted_exactly_on_both_rasters() -> None:
    picture = np.zeros((1, 112, 112), np.uint8)
    picture[0, :2, :4] = 4
    assert int(counted(picture)[0, 3, 0, 0]) == WHOLE // 2
    half = np.zeros((1, 56, 56), np.uint8)
    half[0, 0, 1] = 8
    assert int(counted(half)[0, 7, 0, 0]) == WHOLE // 4 and int(counted(half).sum()) == WHOLE // 4


def test_company_is_alone_whole_or_in_part() -> None:
    torch.manual_seed(0)
    views, present, together = draw_company(3000)
    assert 0.3 < float(together.logical_not().float().mean()) < 0.37 and bool(present[~together].all())
    assert bool(present.any(dim=1).all()) and 0.25 < float((~present.all(dim=1)).float().mean()) < 0.33
    unnamed = (views == UNKNOWN).all(dim=1)
    assert 0.22 < float(unnamed.float().mean()) < 0.28 and torch.equal(views[~unnamed][0], torch.arange(VIEWS))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with samples, validation samples and label slices of very few hearts."""
    out = tmp_path_factory.mktemp("planes")
    for number, name in enumerate(("samples", "val")):
        (out / name).mkdir()
        samples, record = heart_samples((7, number), probes=1, labels_only=True)
        write_shard(out / name, "0007_00000", samples, [record])
        style_shard(out / name / "0007_00000.npz", "flat", drawer("flat"), 1)
    (out / "slices").mkdir()
    rows = heart_slices((8, 0), hands=2)
    np.savez(out / "slices" / "0.npz", **{key: np.stack([row[key] for row in rows]) for key in rows[0]})
    return out


def settings(place: Path, **others: object) -> Settings:
    folders = {"data": place / "samples", "slices": place / "slices", "val": place / "val"}
    return Settings.model_validate({"styles": ("flat",), "steps": 4, "batch": 4, "note": 4, "device": "cpu"} | folders | others)


def test_true_maps_and_planes_of_both_sources(data: Path) -> None:
    samples, slices = sample_bank(data / "samples", 1), slice_planes(data / "slices", 1)
    assert len(samples) == 2 and len(slices) == 4
    for bank in (samples, slices):
        assert int(bank.maps.flatten(3).sum(dim=(2, 3)).min()) > 0 and int(bank.maps.int().sum(dim=2).max()) <= WHOLE
        torch.testing.assert_close(bank.planes[..., 3:6].norm(dim=-1), torch.ones(len(bank), VIEWS))


def test_training_by_the_command(data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "planes.json").write_text(settings(data, slices=data / "slices").model_dump_json())
    out = tmp_path / "run"
    assert main(["train", "sliceplane", "--config", str(tmp_path / "planes.json"), "--out", str(out), "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert 0 < told["six probe_mm"] < 100 and 0 < told["alone turn_deg"] < 90
    state = torch.load(out / "network.pt", weights_only=True)
    SlicePlaneNet(PRESETS[state["preset"]]).load_state_dict(state["network"])
    (sheet,) = out.glob("sheet_*.png")
    assert read_png(sheet).shape == (4 * 224 + 3 * 4, 6 * 224 + 5 * 4, 3)
    tensors, card = exported("sliceplane", out, "mine")
    assert card.kind == "sliceplane" and card.config == PRESETS[state["preset"]].model_dump() and set(tensors) == set(state["network"])
    assert str(data) not in json.dumps(card.trained) and card.metrics["six probe_mm"] == pytest.approx(told["six probe_mm"], rel=0.01)


def test_a_broken_run_ends_as_one_that_was_not(data: Path, tmp_path: Path) -> None:
    def stop(_: float, said: str) -> None:
        if said.startswith("step 2,"):
            raise StoppedError("enough")

    for name in ("straight", "parts"):
        (tmp_path / name).mkdir()
    run(settings(data), tmp_path / "straight")
    with pytest.raises(StoppedError):
        run(settings(data), tmp_path / "parts", progress=stop)
    before = [(tmp_path / "parts" / name).stat().st_mtime_ns for name in (TRUE, READ)]
    run(settings(data), tmp_path / "parts", resume=True)
    assert [(tmp_path / "parts" / name).stat().st_mtime_ns for name in (TRUE, READ)] == before
    one, other = (torch.load(tmp_path / name / "network.pt", weights_only=True)["network"] for name in ("straight", "parts"))
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_pictures_are_learned_from_too(data: Path, tmp_path: Path) -> None:
    told = run(settings(data, preset="lean-pictures", steps=2, batch=2), tmp_path)
    assert 0 < told["six middle_mm"] < 100


def test_a_run_without_pictures_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"samples in the styles cyclegan"):
        run(settings(data, styles=("cyclegan",)), tmp_path)


def test_mean_planes_are_those_of_the_views() -> None:
    network = SlicePlaneNet(PRESETS["lean"])
    planes = torch.arange(VIEWS).float()[None, :, None].expand(3, -1, 9)
    set_mean(network, planes)
    assert network.mean[:, 0].tolist() == [0, 1, 2, 3, 4, 5, 2.5]

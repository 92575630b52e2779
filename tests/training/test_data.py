"""What a lesson draws: pairs of one heart and one hand, and never a spoiled picture where it is known to be bad."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from echo3d.reconstruction.s2mnet import VIEWS
from training.data import KEYS, MapBank, Shards, chance_of, slice_bank
from training.s2mnet import Lesson, draw_present


def bank(genuine: torch.Tensor) -> MapBank:
    times, samples = genuine.shape[:2]
    maps = torch.arange(times * samples * VIEWS).view(times, samples, VIEWS, 1).float()
    return MapBank(
        maps,
        2.0,
        genuine,
        torch.zeros(times, samples, VIEWS, 9),
        torch.zeros(samples, 1, 3),
        torch.arange(4.0 * samples).view(-1, 4),
        torch.ones(samples // 2),
    )


def test_pairs_are_two_phases_seen_by_one_hand() -> None:
    torch.manual_seed(1)
    lesson = Lesson(bank(torch.ones(3, 10, VIEWS, dtype=torch.bool)), torch.arange(10.0)[:, None], 0.0)
    maps, target, present = lesson.draw(50)
    index = (maps[:, 0, 0] * 2 / VIEWS).long()
    assert (index[1::2] - index[::2] == 1).all() and (index[::2] % 2 == 0).all()
    assert torch.equal(target.coefficients[:, 0].long(), index % 10)
    assert torch.equal(target.volumes[:, 0].long(), 4 * (index % 10))
    assert torch.equal(present[::2], present[1::2])


def test_half_of_the_spoiled_pictures_are_shown() -> None:
    torch.manual_seed(2)
    genuine = torch.rand(2, 40, VIEWS) < 0.6
    lesson = Lesson(bank(genuine), torch.zeros(40, 1), 0.0)
    _, target, present = lesson.draw(400)
    shown_bad = (present & ~target.genuine).any(dim=1).float().mean()
    assert 0.2 < shown_bad < 0.6
    assert present.any(dim=1).all()


def test_half_of_the_pairs_see_all_views_and_the_rest_one_to_five() -> None:
    torch.manual_seed(3)
    number = draw_present(2000).sum(dim=1)
    assert number.min() >= 1
    assert 0.45 < (number == VIEWS).float().mean() < 0.55
    assert set(number.tolist()) == {1, 2, 3, 4, 5, 6}


def test_a_law_is_left_out_of_both_kinds_of_shards(tmp_path: Path) -> None:
    records = [{"beat": {"family": name}} for name in ("shell", "piston", "shell")]
    arrays = {key: np.arange(12)[:, None] for key in KEYS}
    np.savez(tmp_path / "0.npz", records=np.array(json.dumps(records)), **arrays)
    shards = Shards(tmp_path, without="shell")
    assert shards.refresh() == 4
    assert shards.all(("field",))["field"].ravel().tolist() == [4, 5, 6, 7]
    (tmp_path / "slices").mkdir()
    rows = {"labels": np.zeros((4, 2, VIEWS, 56, 56), np.uint8), "sectors": np.zeros((4, 2, VIEWS, 9)), "volumes": np.zeros((4, 4))}
    law = np.array(["shell", "shell", "wringing", "wringing"])
    group = np.array(["normal"] * 4)
    np.savez(tmp_path / "slices" / "0.npz", law=law, group=group, field=np.arange(4.0)[:, None, None], **rows)
    assert slice_bank(tmp_path / "slices", without="shell").field.ravel().tolist() == [2, 3]
    assert len(slice_bank(tmp_path / "slices").field) == 4


def test_hearts_of_a_rare_shape_are_drawn_more_often() -> None:
    torch.manual_seed(4)
    chance = torch.from_numpy(chance_of(["hcm-concentric"] + ["normal"] * 9))
    rows = replace(bank(torch.ones(1, 20, VIEWS, dtype=torch.bool)), chance=chance).draw(3000)
    assert 0.22 < (rows < 2).float().mean() < 0.28  # 3 of 12


def test_both_kinds_of_shards_tell_how_often_their_hearts_are_drawn(tmp_path: Path) -> None:
    records = [{"group": "normal"}, {"group": "hcm-concentric"}]
    np.savez(tmp_path / "0.npz", records=np.array(json.dumps(records)), **{key: np.arange(8)[:, None] for key in KEYS})
    shards = Shards(tmp_path)
    shards.refresh()
    assert shards.all(("chance",))["chance"].tolist() == [1, 1, 1, 1, 3, 3, 3, 3]
    (tmp_path / "slices").mkdir()
    rows = {"labels": np.zeros((4, 2, VIEWS, 56, 56), np.uint8), "sectors": np.zeros((4, 2, VIEWS, 9)), "volumes": np.zeros((4, 4))}
    group = np.array(["hcm-concentric", "hcm-concentric", "rv", "rv"])
    np.savez(tmp_path / "slices" / "0.npz", law=np.array(["shell"] * 4), group=group, field=np.zeros((4, 1, 3)), **rows)
    assert slice_bank(tmp_path / "slices").chance.tolist() == [3, 1]

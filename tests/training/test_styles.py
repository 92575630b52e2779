"""Styles of training pictures: drawn from seed, shard and place alone, and shown pair by pair."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.data import Shards
from training.samples import heart_samples, write_shard
from training.styles import STYLES, UNSEEN, drawer, fan_insides, style_shard

PLAIN = ("binary", "pseudo", "speckle", *UNSEEN)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with one shard of one heart, two hands, in every style but the network's."""
    out = tmp_path_factory.mktemp("samples")
    samples, record = heart_samples((5, 2), probes=2, labels_only=True)
    write_shard(out, "0005_00000", samples, [record])
    for style in PLAIN:
        style_shard(out / "0005_00000.npz", style, drawer(style), 3)
    return out


def pictures(folder: Path, style: str) -> np.ndarray:
    with np.load(folder / style / "0005_00000.npz") as data:
        return np.array(data["echo"])


def test_samples_without_pictures_hold_what_the_styles_need(folder: Path) -> None:
    with np.load(folder / "0005_00000.npz") as data:
        assert "echo" not in data.files
        assert data["polar"].shape == (4, 6, 224, 88) and data["polar"].dtype == np.uint8
        long_axis = data["long_axis"]
    assert (long_axis[:, :3] > 0.95).all()  # the apical planes hold the LV's long axis
    assert (long_axis[:, 3:] < 0.6).all()


@pytest.mark.parametrize("style", PLAIN)
def test_pictures_fill_the_fan_and_nothing_else(folder: Path, style: str) -> None:
    drawn = pictures(folder, style)
    with np.load(folder / "0005_00000.npz") as data:
        inside = np.stack([fan_insides(fans) for fans in data["fans"]])
    assert drawn.shape == inside.shape and drawn.dtype == np.uint8
    assert not drawn[~inside].any()
    assert drawn[inside].std() > 10


@pytest.mark.parametrize("style", ["pseudo", "speckle", "textbook"])
def test_the_same_seed_draws_the_same_pictures_and_another_others(folder: Path, style: str, tmp_path: Path) -> None:
    for name, seed in (("same", 3), ("other", 4)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0005_00000.npz").write_bytes((folder / "0005_00000.npz").read_bytes())
        style_shard(tmp_path / name / "0005_00000.npz", style, drawer(style), seed)
    assert np.array_equal(pictures(tmp_path / "same", style), pictures(folder, style))
    assert not np.array_equal(pictures(tmp_path / "other", style), pictures(folder, style))


def test_a_pair_shows_one_style_and_each_style_is_shown(folder: Path) -> None:
    shards = Shards(folder, styles=("binary", "flat"))
    assert shards.refresh() == 4
    batch = shards.pairs(np.random.default_rng(1), 40)["echo"]
    binary = ((batch == 0) | (batch == 255)).flatten(1).all(dim=1)
    assert (binary[::2] == binary[1::2]).all()
    assert 0.2 < binary.float().mean() < 0.8


def test_every_look_at_all_samples_shows_another_style(folder: Path) -> None:
    shards = Shards(folder, styles=("binary", "flat"))
    shards.refresh()
    (part,) = shards.parts
    first, second = shards.whole(part, "echo", 0), shards.whole(part, "echo", 1)
    assert np.array_equal(first[:2], pictures(folder, "binary")[:2]) and np.array_equal(first[2:], pictures(folder, "flat")[2:])
    assert np.array_equal(second[:2], pictures(folder, "flat")[:2]) and np.array_equal(second[2:], pictures(folder, "binary")[2:])


def test_a_shard_without_pictures_in_a_style_is_left_out(folder: Path) -> None:
    missing = next(style for style in STYLES if style not in PLAIN)
    assert Shards(folder, styles=("binary", missing)).refresh() == 0

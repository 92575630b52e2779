"""Both domains of the style transfer: disjoint hearts, pseudo images with their labels, and real clips of a folder split by patient."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from echo3d.core.sector import Fan
from echo3d.errors import InputError
from echo3d.io.images import write_png
from echo3d.io.video import write_mp4
from training.clipdomain import read_domain
from training.domains import HELD_EVERY, echo_of, pseudo_of, read_slices
from training.samples import write_shard


def shard(folder: Path, name: str, hearts: int, first: int) -> None:
    """Write a shard whose hearts are told apart by the depth of their fans."""
    rows, columns = np.mgrid[:112, :112]
    ring = np.hypot(rows - 50, columns - 56)
    labels = np.where(ring < 15, 101, np.where(ring < 24, 1, 0)).astype(np.uint8)
    polar = np.ones((96, 40), np.uint8)
    samples = [
        {
            "labels": np.stack([labels, np.zeros_like(labels)]),
            "polar": np.stack([polar, polar]),
            "fans": np.full((2, 2), (40.0, 120.0 + first + heart), np.float32),
        }
        for heart in range(hearts)
        for _ in range(2)
    ]
    write_shard(folder, name, samples, [{} for _ in range(hearts)])


def test_hearts_are_dealt_out_once(tmp_path: Path) -> None:
    shard(tmp_path, "0", 10, 0)
    shard(tmp_path, "1", 14, 10)
    dealt = read_slices(tmp_path, 1000)
    hearts = [set((part.fans[:, 1] - 120).astype(int).tolist()) for part in (dealt.pseudo, dealt.echo, dealt.held)]
    assert set.union(*hearts) == set(range(24)) and sum(map(len, hearts)) == 24
    assert hearts[2] == {heart for heart in range(24) if heart % HELD_EVERY == HELD_EVERY - 1}
    assert len(dealt.pseudo) + len(dealt.echo) + len(dealt.held) == 48  # the empty view of each sample is left out
    assert len(read_slices(tmp_path, 1).pseudo.labels) < len(dealt.pseudo.labels)


def test_pictures_stay_in_their_fans_and_come_anew(tmp_path: Path) -> None:
    shard(tmp_path, "0", 16, 0)
    dealt, rows = read_slices(tmp_path, 1000), np.arange(3)
    for make in (pseudo_of, echo_of):
        one, same, other = (make(dealt.pseudo, rows, np.random.default_rng(seed)) for seed in (1, 1, 2))
        assert np.array_equal(one.pictures, same.pictures) and not np.array_equal(one.pictures, other.pictures)
        assert one.pictures.shape == (3, 1, 112, 112) and not bool((one.pictures * (1 - one.inside)).any())
        assert one.labels is not None and int(one.labels.max()) == 101
        assert 0.02 < float(one.pictures[one.inside > 0].mean()) < 0.9


def clip(seed: int, size: tuple[int, int] = (120, 160), count: int = 3) -> np.ndarray:
    """Return speckle (T, H, W) within a fan, on a screen with bright text beside it."""
    rng = np.random.default_rng(seed)
    fan = Fan(4.0, size[1] / 2, 35.0, 0.9 * size[0])
    frames = rng.rayleigh(70, (count, *size)).clip(12, 255) * fan.mask(*size)
    frames[:, 4:10, 2:16] = 255
    return frames.astype(np.uint8)


def test_real_clips_are_masked_and_split_by_patient(tmp_path: Path) -> None:
    for number in range(10):
        folder = tmp_path / f"Doe{number}"
        folder.mkdir()
        write_mp4(folder / "one.mp4", clip(number), frame_ms=40)
        write_png(folder / "still.png", clip(number, (150, 200))[0])
    domain = read_domain(tmp_path)
    assert domain.told["patients"] == 10 and domain.told["clips"] == 20
    (seen, seen_masks), (held, held_masks) = domain.seen, domain.held
    assert len(held) == 2 * 4 and len(seen) == 8 * 4 and seen.shape[1:] == (112, 112)
    for pictures, masks in ((seen, seen_masks), (held, held_masks)):
        assert not pictures[~masks].any() and pictures[masks].mean() > 30
        assert not masks[:, :10, :30].any()  # where the text stood
    assert any("2 sizes" in note for note in domain.notes) and not any("Doe" in note for note in domain.notes)


def test_one_patient_cannot_be_split(tmp_path: Path) -> None:
    write_mp4(tmp_path / "one.mp4", clip(1), frame_ms=40)
    domain = read_domain(tmp_path)
    assert np.array_equal(domain.seen[0], domain.held[0]) and any("one patient" in note for note in domain.notes)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="it is empty"):
        read_domain(tmp_path)

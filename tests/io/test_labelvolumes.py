"""Label volumes written and read back; bad ones refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from echo3d.core.field import LabelVolume
from echo3d.core.mesh import LANDMARKS
from echo3d.errors import InputError
from echo3d.io.labelvolumes import read_label_volume, write_label_volume

MARKS = {name: np.array([k, -k, 0.5]) for k, name in enumerate(LANDMARKS)}


def test_everything_comes_back(tmp_path: Path) -> None:
    labels = np.random.default_rng(0).integers(0, 107, (9, 8, 7)).astype(np.uint8)
    affine = np.diag([1.0, -2.0, 3.0, 1.0])
    write_label_volume(tmp_path / "heart.npz", LabelVolume(labels, affine), MARKS)
    volume, marks = read_label_volume(tmp_path / "heart.npz")
    assert np.array_equal(volume.labels, labels)
    assert np.array_equal(volume.affine, affine)
    assert {name: at.tolist() for name, at in marks.items()} == {name: at.tolist() for name, at in MARKS.items()}


def test_bad_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "heart.npz"
    write_label_volume(path, LabelVolume(np.zeros((2, 2, 2), np.uint8), np.zeros((4, 4))), MARKS)
    with pytest.raises(InputError, match="affine"):
        read_label_volume(path)
    write_label_volume(path, LabelVolume(np.zeros((2, 2, 2), np.uint8), np.eye(4)), {"lv": np.zeros(3)})
    with pytest.raises(InputError, match="landmark"):
        read_label_volume(path)
    write_label_volume(path, LabelVolume(np.zeros((2, 2, 2), np.uint8), np.eye(4)), MARKS)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(InputError, match="whole"):
        read_label_volume(path)
    np.savez(path, other=np.zeros(3))
    with pytest.raises(InputError, match="other arrays"):
        read_label_volume(path)
    np.save(tmp_path / "plain.npy", np.zeros(3))
    (tmp_path / "plain.npy").rename(path)
    with pytest.raises(InputError):
        read_label_volume(path)

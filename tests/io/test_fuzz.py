"""Files with random damage are read or refused with one sentence, never anything else."""

from __future__ import annotations

import random

import pytest
from pydicom.uid import JPEGBaseline8Bit

from echo3d.errors import InputError
from echo3d.io.studies import load_study


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Return the bytes with some overwritten, most of them in the header, and sometimes the end cut off."""
    changed = bytearray(data)
    end = rng.choice([400, 1200, len(changed)])
    for _ in range(rng.choice([1, 3, 10, 40])):
        changed[rng.randrange(132, min(end, len(changed)))] = rng.choice([0, 255, rng.randrange(256)])
    return bytes(changed[: rng.randrange(200, len(changed))] if rng.random() < 0.2 else changed)


def read_whole(path) -> None:
    frames = load_study([path]).clips[0].frames
    for index in (0, -1):
        assert frames[index].ndim == 2


@pytest.mark.parametrize("seed", range(3))
def test_random_damage(make_dicom, frames, lossless_syntax, tmp_path, seed):
    _try_many(make_dicom("whole.dcm", frames, syntax=lossless_syntax).read_bytes(), tmp_path / "a.dcm", seed)


def test_random_damage_of_jpeg(make_dicom, frames, tmp_path):
    _try_many(make_dicom("whole.dcm", frames, syntax=JPEGBaseline8Bit).read_bytes(), tmp_path / "a.dcm", 7)


def _try_many(data: bytes, path, seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(25):
        path.write_bytes(damaged(data, rng))
        try:
            read_whole(path)
        except InputError as exc:
            assert "\n" not in str(exc) and str(exc).endswith(".")

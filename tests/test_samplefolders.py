"""What a folder holds is told from the heads of its files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from echo3d.samplefolders import look_into, look_into_clips


def shard(folder: Path, rows: int, number: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / f"0001_{number:05d}.npz", field=np.zeros((rows, 3)), echo=np.zeros((rows, 2)))


def test_a_whole_data_set_is_told_with_its_styles(tmp_path: Path) -> None:
    for number, rows in enumerate((8, 4)):
        shard(tmp_path / "samples", rows, number)
        shard(tmp_path / "samples" / "speckle", rows, number)
    shard(tmp_path / "samples" / "pseudo", 8)  # the second shard has no such pictures yet
    shard(tmp_path / "slices", 6)
    shard(tmp_path / "val", 2)
    found = look_into(tmp_path)
    assert found.sentence == "12 samples in 2 shards; styles speckle; label slices of 6 phases of hearts; 2 samples held back."
    assert found.styles == ("speckle",) and found.samples == 12 and not found.problem
    assert found.parts == {name: tmp_path / word for name, word in (("data", "samples"), ("slices", "slices"), ("val", "val"))}


def test_a_folder_of_samples_finds_what_lies_beside_it(tmp_path: Path) -> None:
    shard(tmp_path / "samples", 8)
    shard(tmp_path / "val", 2)
    found = look_into(tmp_path / "samples")
    assert "no label slices beside them" in found.sentence and "no pictures of any style" in found.sentence
    assert set(found.parts) == {"data", "val"}


def test_what_will_not_do_is_said_in_a_sentence(tmp_path: Path) -> None:
    assert look_into(tmp_path).problem and "Make a data set" in look_into(tmp_path).sentence
    assert look_into(tmp_path / "nowhere").problem
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "broken.npz").write_bytes(b"no zip")
    assert "0 samples" in look_into(tmp_path).sentence
    assert look_into_clips(tmp_path / "samples").problem
    (tmp_path / "clip.dcm").write_bytes(b"")
    assert look_into_clips(tmp_path).sentence == "1 files of clips or pictures."

"""A data set in one folder: what is broken off goes on, and the readers of the recipes find all they need in it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from echo3d.cli import main
from echo3d.errors import InputError
from echo3d.samplefolders import look_into, records_in
from training.data import Shards, slice_bank
from training.sampleset import SAMPLES, SLICES, VAL, SetOrder, make_set

STYLES = ("binary", "pseudo")


class EnoughError(Exception):
    """Breaks the work off."""


def test_a_set_that_was_broken_off_goes_on_and_serves_the_recipes(tmp_path: Path) -> None:
    order, told = SetOrder(2, STYLES, seed=3), []

    def stop(done: int, total: int, what: str) -> None:
        if done == 2:
            raise EnoughError

    with pytest.raises(EnoughError):
        make_set(order, tmp_path / "set", stop)
    first = (tmp_path / "set" / SAMPLES / "0003_00000.npz").stat().st_mtime_ns
    answer = make_set(order, tmp_path / "set", lambda done, total, what: told.append((done, total)))
    assert answer == {"hearts": 2, "held": 2, "styles": list(STYLES)} and told[-1] == (6, 6)
    assert (tmp_path / "set" / SAMPLES / "0003_00000.npz").stat().st_mtime_ns == first
    found = look_into(tmp_path / "set")
    assert found.samples == 8 and found.slices == 4 and found.styles == STYLES and not found.problem
    shards = Shards(tmp_path / "set" / SAMPLES, styles=STYLES)
    assert shards.refresh() == 8 and shards.pairs(np.random.default_rng(1), 2)["echo"].shape == (4, 6, 112, 112)
    assert slice_bank(tmp_path / "set" / SLICES).field.shape[0] == 4
    held = Shards(tmp_path / "set" / VAL, styles=STYLES)
    held.refresh()
    assert not np.array_equal(held.parts[0]["field"][0], shards.parts[0]["field"][0])
    with pytest.raises(InputError, match="another data set"):
        make_set(SetOrder(3, STYLES, seed=3), tmp_path / "set")


def test_what_cannot_be_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least 2 hearts"):
        SetOrder(1)
    with pytest.raises(InputError, match="styles of pictures"):
        SetOrder(4, ("watercolour",))
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(InputError, match="new or empty"):
        make_set(SetOrder(2), tmp_path)


def test_the_hearts_of_a_data_set_are_drawn_anew_as_samples(tmp_path: Path) -> None:
    """What the Position page makes has no label slices; its hearts can have them, those of its validation side last."""
    out = tmp_path / "pictures"
    words = [
        "dataset",
        "generate",
        "--count",
        "4",
        "--hands",
        "1",
        "--workers",
        "1",
        "--stage",
        "labels",
        "--seed",
        "5",
        "--out",
        str(out),
        "--json",
    ]
    assert main(words) == 0
    said = look_into(out)
    assert said.problem and said.sentence.startswith("A data set of the Position page") and "under Which" in said.sentence
    known = records_in(out)
    make_set(SetOrder(2, ("binary",), cohort=out), tmp_path / "set")
    made = [record for name in (SAMPLES, VAL) for record in records_of(tmp_path / "set" / name)]
    assert len(known) == 4 and [record["modes"] for record in made] == [record["modes"] for record in known]
    assert look_into(tmp_path / "set").styles == ("binary",) and not look_into(tmp_path / "set").problem
    with pytest.raises(InputError, match="found 4"):
        make_set(SetOrder(3, ("binary",), cohort=out), tmp_path / "more")


def records_of(folder: Path) -> list[dict[str, object]]:
    with np.load(next(folder.glob("*.npz")), allow_pickle=False) as data:
        return list(json.loads(str(data["records"])))

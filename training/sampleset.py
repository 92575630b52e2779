"""Make a whole data set to train on in one folder, as a background job: samples, samples held back, label slices, pictures in styles.

The folder then holds ``samples`` and ``val`` (of ``training.samples``, with the styles of ``training.styles`` in them) and ``slices`` (of
``training.slices``). Hearts are drawn, or taken from a cohort or a data set that was generated. What is finished is kept: a job that was
broken off goes on with the shard it was at, and every shard depends on the seed and its number alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from echo3d.anatomy.cohort import Heart, build_heart, record_from_json, record_to_json, sound_heart
from echo3d.errors import InputError
from echo3d.samplefolders import records_in
from training.samples import samples_of, write_shard
from training.slices import slices_of
from training.styles import STYLES, UNSEEN, drawer, style_shard

if TYPE_CHECKING:
    from echo3d.jobs.worker import Job

SAMPLES, VAL, SLICES, ABOUT = "samples", "val", "slices", "about.json"
PER_SHARD = 4
"""Hearts of a shard, so that little is lost when a job is broken off."""
HELD = 5
"""One heart of so many is held back."""
HANDS = 8


@dataclass(frozen=True, slots=True)
class SetOrder:
    """What a data set is to hold.

    Parameters
    ----------
    hearts : to learn from; a fifth as many, two at least, are held back
    styles : of the pictures
    seed : of every draw
    cohort : folder of a generated cohort, or of a data set, whose hearts are taken, None to draw hearts

    Raises
    ------
    InputError
        If there are too few hearts or no known style.
    """

    hearts: int
    styles: tuple[str, ...] = STYLES
    seed: int = 1
    cohort: Path | None = None

    def __post_init__(self) -> None:
        if self.hearts < 2:
            raise InputError(f"a data set must have at least 2 hearts to learn from, found {self.hearts}; ask for more")
        unknown = [style for style in self.styles if style not in (*STYLES, *UNSEEN)]
        if unknown or not self.styles:
            known = ", ".join((*STYLES, *UNSEEN))
            raise InputError(f"styles of pictures must be some of {known}, found {unknown or 'none'}; choose among these")

    @property
    def held(self) -> int:
        """How many hearts are held back."""
        return max(2, self.hearts // HELD)


def run_job(job: Job) -> dict[str, Any]:
    """Make a data set as the job asks."""
    wanted = job.arguments
    cohort = wanted.get("cohort") or None
    order = SetOrder(int(wanted["hearts"]), tuple(wanted["styles"]), int(wanted.get("seed", 1)), None if cohort is None else Path(cohort))
    torch.set_num_threads(1)
    return make_set(order, Path(wanted["out"]), job.progress)


def make_set(order: SetOrder, out: Path, tell: Callable[[int, int, str], None] = lambda *_: None) -> dict[str, Any]:
    """Make a data set in a folder; return how many of what it holds.

    Parameters
    ----------
    order : what it is to hold
    out : its folder; one that was begun with the same order is gone on with
    tell : hears how many parts of how many are made, and of what

    Raises
    ------
    InputError
        If the folder holds something else, or the cohort has too few hearts.
    """
    _begin(order, out)
    hearts = _hearts_of(order)
    parts = list(_parts(order, out))
    for number, (what, make) in enumerate(parts):
        tell(number, len(parts), what)
        make(hearts)
    tell(len(parts), len(parts), "done")
    return {"hearts": order.hearts, "held": order.held, "styles": list(order.styles)}


def _begin(order: SetOrder, out: Path) -> None:
    """Refuse a folder of something else; write down what is made."""
    about = {
        "hearts": order.hearts,
        "styles": list(order.styles),
        "seed": order.seed,
        "from": "" if order.cohort is None else order.cohort.name,
    }
    known = out / ABOUT
    if known.is_file():
        if json.loads(known.read_bytes()) != about:
            raise InputError("the folder of a data set must be new, found another data set in it; choose another folder")
    elif out.exists() and any(out.iterdir()):
        raise InputError("the folder of a data set must be new or empty, found files in it; choose another folder")
    for name in (SAMPLES, VAL, SLICES):
        (out / name).mkdir(parents=True, exist_ok=True)
    known.write_text(json.dumps(about) + "\n", encoding="utf-8")


Hearts = Callable[[int], tuple[Heart, np.random.Generator]]


def _hearts_of(order: SetOrder) -> Hearts:
    """Return what builds the heart of a number, and the generator of what else is drawn for it."""
    if order.cohort is None:
        return lambda number: _drawn(order.seed, number)
    records = [record_from_json(record) for record in records_in(order.cohort)]
    if len(records) < order.hearts + order.held:
        raise InputError(
            f"a cohort or a data set must have the hearts that are asked for and those held back, {order.hearts + order.held}, "
            f"found {len(records)}; ask for fewer"
        )
    return lambda number: (build_heart(records[number]), np.random.default_rng((order.seed, number)))


def _drawn(seed: int, number: int) -> tuple[Heart, np.random.Generator]:
    rng = np.random.default_rng((seed, number))
    return sound_heart(rng), rng


def _parts(order: SetOrder, out: Path) -> Iterator[tuple[str, Callable[[Hearts], None]]]:
    """Yield the parts of a data set, each with a word on it and what makes it."""
    ranges = {SAMPLES: range(order.hearts), VAL: range(order.hearts, order.hearts + order.held)}
    for name, numbers in ranges.items():
        for start in range(numbers.start, numbers.stop, PER_SHARD):
            chosen, shard = range(start, min(start + PER_SHARD, numbers.stop)), f"{order.seed:04d}_{start:05d}"
            yield f"hearts {start + 1} to {chosen.stop}", _sampler(out, name, shard, chosen)
            for style in order.styles:
                yield f"pictures of hearts {start + 1} to {chosen.stop}, {style}", _styler(out / name / f"{shard}.npz", style, order.seed)


def _sampler(out: Path, name: str, shard: str, numbers: range) -> Callable[[Hearts], None]:
    """Return what makes one shard of samples, and the label slices of the same hearts where they are learned from."""

    def make(hearts: Hearts) -> None:
        if (out / name / f"{shard}.npz").is_file():
            return
        samples, slices, records = [], [], []
        for number in numbers:
            heart, rng = hearts(number)
            samples += samples_of(heart, rng, labels_only=True)
            slices += slices_of(heart, rng, HANDS) if name == SAMPLES else []
            records.append(record_to_json(heart.record))
        if slices:
            part = out / SLICES / f"{shard}.partial"
            with part.open("wb") as stream:
                np.savez(stream, **{key: np.stack([row[key] for row in slices]) for key in slices[0]})  # type: ignore[arg-type]
            part.replace(out / SLICES / f"{shard}.npz")
        write_shard(out / name, shard, samples, records)

    return make


def _styler(shard: Path, style: str, seed: int) -> Callable[[Hearts], None]:
    """Return what draws the pictures of a shard in one style."""

    def make(_: Hearts) -> None:
        style_shard(shard, style, drawer(style), seed)

    return make

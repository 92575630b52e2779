"""The data of a style transfer's run: shards that are given or drawn first, and real clips where a folder of them is given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from echo3d.errors import InputError
from echo3d.progress import Progress
from training.domains import Dealt, Draw, Drawn, echo_of, pseudo_domain, pseudo_of, read_slices, simulated_domain, stored_domain
from training.samples import heart_samples, write_shard
from training.template import CREDIT

if TYPE_CHECKING:
    from training.cyclesettings import Settings

DRAWN = "samples"
"""Folder of a run in which the hearts lie that it drew itself."""

HELD_SEED = 1_000
HEARTS_A_SHARD = 8


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """Both domains of a run.

    Parameters
    ----------
    x, y : draw pictures to learn from
    held_x, held_y : pictures that are never learned from
    told : what they are made of, plain JSON values without names or paths
    credits : of the data
    """

    x: Draw
    y: Draw
    held_x: Drawn
    held_y: Drawn
    told: dict[str, Any]
    credits: tuple[str, ...] = (CREDIT,)


def open_data(settings: Settings, out: Path, progress: Progress) -> Data:
    """Return the data of a run; hearts that it draws itself are drawn once.

    Raises
    ------
    InputError
        If a folder that is named holds nothing to learn from.
    """
    clips = _clips(Path(settings.clips)) if settings.clips else None
    folder = Path(settings.data) if settings.data else drawn_hearts(out / DRAWN, settings, progress)
    try:
        dealt = read_slices(folder, settings.limit)
    except (FileNotFoundError, KeyError, ValueError) as exc:
        raise InputError(
            "the setting data must name a folder of shards of training.samples, found none; leave it out to draw hearts"
        ) from exc
    rng = np.random.default_rng([settings.seed, HELD_SEED])
    held_x = pseudo_of(dealt.held, _spread(len(dealt.held), settings.held), rng)
    told = {"pseudo": len(dealt.pseudo), "held": len(held_x.pictures)}
    if clips is None:
        return _embedded(dealt, held_x, told, rng)
    seen, held_y, about = clips
    return Data(pseudo_domain(dealt.pseudo), seen, held_x, held_y, told | about)


def _embedded(dealt: Dealt, held_x: Drawn, told: dict[str, Any], rng: np.random.Generator) -> Data:
    """Return data whose echo pictures are simulated."""
    held_y = echo_of(dealt.held, _spread(len(dealt.held), 8) // 2, rng)
    told = told | {"simulated": len(dealt.echo)}
    return Data(pseudo_domain(dealt.pseudo), simulated_domain(dealt.echo), held_x, held_y, told)


def _spread(count: int, wanted: int) -> np.ndarray:
    """Return at most ``wanted`` rows spread evenly."""
    return np.unique(np.linspace(0, count - 1, min(count, wanted)).astype(int))


def drawn_hearts(folder: Path, settings: Settings, progress: Progress) -> Path:
    """Return the folder after drawing the hearts that are not in it yet, a few a shard, so that a run that is broken off loses little."""
    folder.mkdir(exist_ok=True)
    for first in range(0, settings.hearts, HEARTS_A_SHARD):
        name = f"{first:05d}"
        if not (folder / f"{name}.npz").exists():
            progress(0.0, f"Drawing hearts, {first} of {settings.hearts}")
            numbers = range(first, min(first + HEARTS_A_SHARD, settings.hearts))
            drawn = [heart_samples((settings.seed, 11, number), probes=1, labels_only=True) for number in numbers]
            write_shard(folder, name, [one for samples, _ in drawn for one in samples], [record for _, record in drawn])
    return folder


def _clips(folder: Path) -> tuple[Draw, Drawn, dict[str, Any]]:
    """Return the domain of real clips, held pictures, and what is to be said of them."""
    from training.clipdomain import read_domain

    domain = read_domain(folder)
    for sentence in domain.notes:
        print(sentence)
    held = stored_domain(*domain.held)(np.random.default_rng(HELD_SEED), 8)
    return stored_domain(*domain.seen), held, domain.told

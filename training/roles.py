"""Which samples serve for what: learning, correcting, calibrating; no heart serves for two of these.

Shards of one folder are shared out by hearts in the order of their names, so that a small data set can be shared out too. Hearts are told
by their records, because two data sets that were drawn with the same seed hold the same hearts under other names.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from echo3d.errors import InputError
from echo3d.samplefolders import rows_in, shards_in
from training.data import Shards
from training.glances import Shard


@dataclass(frozen=True, slots=True)
class Role:
    """Samples that serve for one thing.

    Parameters
    ----------
    folder : of their shards
    rows : which of its samples, counted through the shards that have pictures in every style
    hearts : their names
    """

    folder: Path
    rows: range
    hearts: frozenset[str]

    def samples(self, styles: tuple[str, ...], most: int) -> dict[str, Tensor]:
        """Return at most ``most`` of the samples, ED and ES in turn, their pictures in the styles in turn."""
        last = min(self.rows.stop, self.rows.start + most // 2 * 2)
        shards = Shards(self.folder, last, styles=styles)
        shards.refresh()
        return {key: value[self.rows.start : last] for key, value in shards.all().items()}

    def shards(self, styles: tuple[str, ...], most: int) -> list[Shard]:
        """Return the first shards, the last of them in part, with at most ``most`` of the samples; the role must begin its folder."""
        found, left = [], min(len(self.rows), most // 2 * 2)
        for number, path in enumerate(drawn_shards(self.folder, styles)):
            if left <= 0:
                break
            count = rows_in(path, "field")
            found.append(Shard(number, path, min(count, left)))
            left -= count
        return found


@dataclass(frozen=True, slots=True)
class Roles:
    """What the samples of a run serve for.

    Parameters
    ----------
    learned : the second look learns from them, and a network may have before
    held : nothing learned from them before; errors are measured on them and what is usual in these is taken away
    calibrated : figures and intervals are of them alone
    """

    learned: Role
    held: Role
    calibrated: Role


def roles_of(data: Path, val: Path, cal: Path | None, styles: tuple[str, ...], share: float) -> Roles:
    """Return what serves for what.

    Parameters
    ----------
    data, val, cal : folders of samples to learn from, to correct on and to calibrate on; a share of ``val`` is corrected on where there is
        no ``cal``, and the rest calibrated on
    styles : of the pictures
    share : of the hearts of ``val``

    Raises
    ------
    InputError
        If there are no samples in these styles, too few hearts to share out, or a heart would serve for two things.
    """
    learned, whole = role_of(data, styles), role_of(val, styles)
    held, calibrated = shared_out(val, styles, share) if cal is None else (whole, role_of(cal, styles))
    told = {"learned from": everything(data), "corrected on": held.hearts, "calibrated on": calibrated.hearts}
    for first, second in (("learned from", "corrected on"), ("learned from", "calibrated on"), ("corrected on", "calibrated on")):
        if both := told[first] & told[second]:
            raise InputError(
                f"no heart may be both {first} and {second}, found {len(both)} such in these folders; "
                "choose the parts of one data set, or one that was drawn with another seed"
            )
    return Roles(learned, held, calibrated)


def role_of(folder: Path, styles: tuple[str, ...]) -> Role:
    """Return a whole folder as one role."""
    hearts = hearts_in(folder, styles)
    return Role(folder, range(sum(count for _, count in hearts)), frozenset(name for name, _ in hearts))


def shared_out(folder: Path, styles: tuple[str, ...], share: float) -> tuple[Role, Role]:
    """Return two roles of a folder's hearts, the first with a share of them; each has one heart at least."""
    hearts = hearts_in(folder, styles)
    if len(hearts) < 2:
        raise InputError("samples held back must be of 2 hearts at least, found 1; make a data set of more hearts")
    cut = min(max(1, round(share * len(hearts))), len(hearts) - 1)
    names, counts = [name for name, _ in hearts], [count for _, count in hearts]
    edge, end = sum(counts[:cut]), sum(counts)
    return Role(folder, range(edge), frozenset(names[:cut])), Role(folder, range(edge, end), frozenset(names[cut:]))


def hearts_in(folder: Path, styles: tuple[str, ...]) -> list[tuple[str, int]]:
    """Return the name of each heart and how many samples it has, through the shards that have pictures in every style.

    Raises
    ------
    InputError
        If there are none.
    """
    found: list[tuple[str, int]] = []
    for path in drawn_shards(folder, styles):
        names = names_in(path)
        found += [(name, rows_in(path, "field") // len(names)) for name in names]
    if not found:
        raise InputError(
            f"a run must have samples in the styles {', '.join(styles)}, found none; make them with Make a data set… in the window, "
            "or with training.samples and training.styles, and name their folders as data and val"
        )
    return found


def drawn_shards(folder: Path, styles: Sequence[str]) -> list[Path]:
    """Return the shards of a folder that have pictures in every style, as ``training.data.Shards`` reads them."""
    return [path for path in shards_in(folder) if all((path.parent / style / path.name).is_file() for style in styles)]


def everything(folder: Path) -> frozenset[str]:
    """Return the names of all hearts of a folder, whatever pictures they have."""
    return frozenset(_chained(names_in(path) for path in shards_in(folder)))


def names_in(path: Path) -> list[str]:
    """Return a name for each heart of a shard, which follows from its record alone."""
    with np.load(path, allow_pickle=False) as data:
        records = json.loads(str(data["records"]))
    return [hashlib.blake2b(json.dumps(record, sort_keys=True).encode(), digest_size=12).hexdigest() for record in records]


def _chained(parts: Iterable[Iterable[str]]) -> list[str]:
    return [one for part in parts for one in part]

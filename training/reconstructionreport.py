"""Networks that reconstruct hearts, side by side with rivals and with guesses: the report of ``echo3d evaluate reconstruction``.

Points, volumes, EF, planes and intervals are measured on all patients of the test samples; surfaces, voxels, overlays and trust, which take
a good part of a second a heart, on some of them, evenly spread (``hearts``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echo3d.cohort.executor import open_executor
from echo3d.errors import InputError
from echo3d.progress import Progress, silent
from training.contestants import Answers, Contestant, Samples, answered, guesses, open_contestant, print_of, swapped, true_points
from training.evaluate import SUBSETS, cavity_faces, load_all
from training.groups import read_records
from training.heartmeasures import Table, by_patient, interval_table, plane_table, point_table, row_of, strains, volume_table
from training.heavymeasures import Figures, Heart, Said, all_figures
from training.kept import Kept
from training.losses import volumes_ml
from training.readingcost import reading_cost
from training.stylematrix import drawn_styles
from training.styles import STYLES
from training.trustcurves import trust_row

NUMBERS = (6, 4, 2, 1)
"""Numbers of views that networks are shown; see ``training.evaluate.SUBSETS``."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is evaluated.

    Parameters
    ----------
    networks : folders of runs or of rivals, or names of shipped weights; the first one is the one that is drawn
    data : folder of test samples with pictures of ``training.styles``, one pair of ED and ES a patient
    hearts : patients on whom surfaces, voxels, overlays and trust are measured
    workers : processes for these; as many as there are processors where not given
    command : what made the report
    keep : folder where what networks say is kept, so that a report that was broken off, or is written again, asks nothing twice
    """

    networks: tuple[str, ...]
    data: Path
    hearts: int = 40
    workers: int | None = None
    command: str = ""
    keep: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Test:
    """The test samples.

    Parameters
    ----------
    samples : of all patients, ED and ES in turn; the pictures of pair p are of style p, in turn
    records : a patient's each
    styles : of the pictures
    some : (H,) the patients on whom all is measured
    gls : (P,) per cent, of the true hearts
    """

    samples: Samples
    records: list[dict]
    styles: tuple[str, ...]
    some: NDArray[np.int64]
    gls: NDArray[np.float64]

    @property
    def rows(self) -> NDArray[np.int64]:
        """The samples (2 H,) of the patients on whom all is measured."""
        return np.stack([2 * self.some, 2 * self.some + 1], axis=1).ravel()

    def part(self) -> Samples:
        """Return the samples of the patients on whom all is measured."""
        return {key: values[self.rows] for key, values in self.samples.items()}


@dataclass(slots=True, eq=False)
class Measured:
    """What is known of a contestant.

    Parameters
    ----------
    contestant : who
    tables : its figures by number of views
    said : by number of views, to each of the samples ``Test.rows``
    extremes : rows of all samples with the least and the greatest mean squared error, and the points (N, 3) said of them
    trust, cost : see ``training.trustcurves`` and ``training.readingcost``
    """

    contestant: Contestant
    tables: dict[int, Table]
    said: dict[int, list[Said]]
    extremes: dict[int, NDArray[np.float32]]
    trust: dict[str, float]
    cost: dict[str, float]


def evaluate(request: Request, out: Path, *, progress: Progress = silent) -> dict[str, Any]:
    """Write the report into a folder and return its figures.

    Raises
    ------
    InputError
        If a network or the test samples cannot be read.
    """
    from training.reconstructionpage import write_report

    contestants = _contestants(request.networks)
    test = read_test(request)
    found = []
    for number, (name, one) in enumerate(contestants):
        progress(0.6 * number / len(contestants), f"{one.name} reads")
        found.append(_read(name, one, test, request.keep))
    _measure_heavily(found, test, request, progress)
    progress(0.95, "Drawing")
    return write_report(out, request, test, found)


def _read(name: str | None, one: Contestant, test: Test, keep: Path | None) -> Measured:
    """Return what a contestant says; ``name`` is what a network was asked for by."""
    if name is None or keep is None:
        return measured(one, test, {} if name is None else reading_cost(name))
    kept = Kept(keep / print_of(name))
    return measured(kept.contestant(one), test, kept.figures("cost", partial(reading_cost, name)))


def _contestants(networks: Sequence[str]) -> list[tuple[str | None, Contestant]]:
    """Return networks with the name they were asked for by, and guesses without."""
    named: list[tuple[str | None, Contestant]] = [(name, open_contestant(name)) for name in networks]
    names = [one.name for _, one in named]
    if len(set(names)) < len(names):
        raise InputError("networks to compare must have names of their own, found two alike; leave one out or name it in its recipe.json")
    first = next((one for _, one in named if not one.voxels), None)
    return named + [(None, one) for one in (*guesses(), *([swapped(first)] if first else []))]


def read_test(request: Request) -> Test:
    """Return the test samples that a request names.

    Raises
    ------
    InputError
        If there are none, or not one pair of samples a patient.
    """
    drawn = drawn_styles(request.data)
    styles = tuple(style for style in STYLES if style in drawn) or drawn
    samples, records = load_all(request.data, styles), read_records(request.data)
    if len(samples["field"]) != 2 * len(records):
        raise InputError(
            f"--data must hold one pair of samples per patient, found {len(samples['field'])} samples of {len(records)}; "
            "draw them with training.samples --probes 1"
        )
    some = np.unique(np.linspace(0, len(records) - 1, min(request.hearts, len(records))).round().astype(int))
    return Test(samples, records, styles, some, strains(true_points(samples)))


def measured(contestant: Contestant, test: Test, cost: Mapping[str, float]) -> Measured:
    """Return what a contestant says of the test samples, measured as far as it is cheap."""
    some = test.part()
    if contestant.voxels:
        answers = answered(contestant, some)
        return Measured(contestant, {6: {}}, {6: _said(answers, range(len(test.rows)))}, {}, {}, dict(cost))
    tables, said, extremes = dict[int, Table](), dict[int, list[Said]](), dict[int, NDArray]()
    for number in NUMBERS if contestant.kind != "guess" else NUMBERS[:1]:
        answers = answered(contestant, test.samples, SUBSETS[number])
        tables[number] = _cheap(contestant, answers, test, number)
        said[number] = _said(answers if contestant.shaped else Answers(), test.rows, brief=number != NUMBERS[0])
        extremes = extremes or _extremes(answers, tables[number])
    trust = trust_row(contestant, some) if contestant.kind == "network" else {}
    return Measured(contestant, tables, said, extremes, trust, dict(cost))


def _cheap(contestant: Contestant, answers: Answers, test: Test, number: int) -> Table:
    """Return the figures of an answer in points to all samples."""
    if answers.points is None:
        return {}
    truth = true_points(test.samples)
    table = point_table(answers.points, truth) | volume_table(answers.points, test.samples["volumes"])
    if answers.planes is not None and number == NUMBERS[0]:
        table |= plane_table(answers.planes, test.samples["sectors"], test.samples["fans"][..., 1])
    bounds = contestant.bounds.get(str(number))
    if not bounds:
        return table
    return table | interval_table(volumes_ml(answers.points, cavity_faces()), test.samples["volumes"], bounds)


def _extremes(answers: Answers, table: Table) -> dict[int, NDArray[np.float32]]:
    """Return the samples with the least and the greatest mean squared error, and what was said of them."""
    if answers.points is None:
        return {}
    error = table["mse_cm2"].ravel()
    return {int(row): answers.points[int(row)].numpy() for row in (error.argmin(), error.argmax())}


def _said(answers: Answers, rows: Sequence[int] | NDArray, *, brief: bool = False) -> list[Said]:
    """Return the rows of an answer on their own, as they go to other processes; see :class:`Said`."""
    points, voxels, planes = (None if part is None else part.numpy() for part in answers[:3])
    return [
        Said(
            None if points is None else points[row].copy(),
            None if voxels is None else voxels[row].copy(),
            None if planes is None else planes[row].copy(),
            brief,
        )
        for row in rows
    ]


def _measure_heavily(found: Sequence[Measured], test: Test, request: Request, progress: Progress) -> None:
    """Add what takes long to the tables, for the patients on whom all is measured."""
    truth, labels, fans = true_points(test.samples).numpy(), test.samples["labels"].numpy(), test.samples["fans"].numpy()
    hearts = [Heart(truth[row], labels[row], fans[row]) for row in test.rows]
    named = {f"{number} {one.contestant.name}": (one, number) for one in found for number in one.said}
    said = [{name: one.said[number][place] for name, (one, number) in named.items()} for place in range(len(hearts))]
    with open_executor(workers=request.workers) as executor:
        figures = all_figures(executor, hearts, said, lambda share: progress(0.6 + 0.35 * share, "Surfaces and voxels"))
    for name, (one, number) in named.items():
        one.tables[number] |= spread([row[name] for row in figures], test.rows, len(truth))


def spread(figures: Sequence[Figures], rows: NDArray, count: int) -> Table:
    """Return figures of some of ``count`` samples as a table of all patients, NaN elsewhere."""
    table: Table = {}
    for name in dict.fromkeys(key for row in figures for key in row):
        values = np.full(count, np.nan)
        values[rows] = [row.get(name, np.nan) for row in figures]
        table[name] = by_patient(values)
    return table


def entry_of(one: Measured, test: Test) -> dict[str, Any]:
    """Return what the report tells of a contestant, by number of views, by group and by law of motion."""
    everyone, six = np.ones(len(test.records), dtype=bool), one.tables[6]
    views = {str(number): row_of(table, everyone, test.gls) for number, table in one.tables.items()}
    entry: dict[str, Any] = {"kind": one.contestant.kind, "parameters": one.contestant.parameters, "cost": one.cost, "views": views}
    for title, key in (("groups", lambda r: r["group"]), ("laws", lambda r: r["beat"]["family"])):
        names = np.array([key(record) for record in test.records])
        rows = {str(name): names == name for name in np.unique(names)}
        entry[title] = {name: row_of(six, mask, test.gls) | {"patients": int(mask.sum())} for name, mask in rows.items()}
    return entry | {"trust": one.trust}

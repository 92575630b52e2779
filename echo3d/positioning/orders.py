"""A data set as a person asks for it: texts as they are typed, a sentence for each that will not do, and the spec that the others make."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from echo3d.anatomy.groups import MIXTURE
from echo3d.core.views import View
from echo3d.dataset.spec import PHASES, POSE_LIMITS, PROBE_LIMITS, SIDE_MM, DatasetSpec, Range
from echo3d.errors import InputError

MOST_WORKERS = 1024
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ends:
    """A range as it is typed, and whether it is asked for."""

    on: bool
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class Order:
    """What the dialog shows.

    Parameters
    ----------
    given : whether hearts are given; drawn otherwise
    hearts : cohort folders, records and meshes, or the word template
    shares : per group its share of drawn hearts as typed, any unit
    count, seed, hands, size, pixel_mm, workers : numbers as typed; pixel_mm and workers may be empty
    stage : what pictures show
    phases, views : asked for
    body : that every heart stands in, in the words of ``bodies.open_body``; empty for none
    pose, probe : ranges by name
    out : folder to make
    """

    given: bool = False
    hearts: tuple[str, ...] = ()
    shares: Mapping[str, str] = field(default_factory=lambda: {key: f"{100 * share:g}" for key, share in MIXTURE.items()})
    count: str = "20"
    seed: str = "0"
    hands: str = "1"
    stage: str = "echo"
    phases: tuple[str, ...] = PHASES
    views: tuple[View, ...] = tuple(View)
    size: str = "112"
    pixel_mm: str = ""
    body: str = ""
    pose: Mapping[str, Ends] = field(default_factory=dict)
    probe: Mapping[str, Ends] = field(default_factory=dict)
    workers: str = ""
    out: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """What an order means.

    Parameters
    ----------
    spec : of the data set, None while something will not do
    workers : processes, None for as many as there are processors
    out : folder to make
    problems : a sentence for each field that will not do, by the field's name; those of ranges are called pose.x or probe.tilt
    """

    spec: DatasetSpec | None
    workers: int | None
    out: Path
    problems: Mapping[str, str]


def checked(order: Order) -> Checked:
    """Return what an order means, with a sentence for each field that will not do.

    >>> found = checked(Order(count="0", out="set"))
    >>> found.spec is None, found.problems["count"]
    (True, 'Hearts must be a whole number from 1 to 1000000, found 0.')
    >>> checked(Order(count="3", out="set")).spec.count
    3
    """
    problems: dict[str, str] = {}

    def asked(name: str, read: Callable[[], T], instead: T) -> T:
        try:
            return read()
        except InputError as exc:
            problems[name] = str(exc)
            return instead

    count = asked("count", lambda: whole("Hearts", order.count, (1, 1_000_000)), 1)
    seed = asked("seed", lambda: whole("The seed", order.seed, (0, 2**31 - 1)), 0)
    hands = asked("hands", lambda: whole("Placements", order.hands, (1, 1000)), 1)
    size = asked("size", lambda: whole("Pixels", order.size, (16, 1024)), 112)
    pixel = asked("pixel_mm", lambda: number("A pixel", order.pixel_mm, (0.05, 10), unit="mm") if order.pixel_mm.strip() else 0.0, 0.0)
    workers = asked("workers", lambda: whole("Processes", order.workers, (1, MOST_WORKERS)) if order.workers.strip() else None, None)
    mixture = asked("shares", lambda: mixture_of(order.shares), MIXTURE) if not order.given else MIXTURE
    hearts = asked("hearts", lambda: hearts_of(order), order.hearts) if order.given else ()
    out = asked("out", lambda: folder_of(order.out), Path())
    if not order.phases:
        problems["phases"] = "At least one phase must be asked for, found none."
    if not order.views:
        problems["views"] = "At least one view must be asked for, found none."
    ranges = {}
    for what, ends, limits in (("pose", order.pose, POSE_LIMITS), ("probe", order.probe, PROBE_LIMITS)):
        on = [name for name in limits if name in ends and ends[name].on]
        ranges[what] = {name: asked(f"{what}.{name}", partial(range_of, ends[name], limits[name]), (0.0, 0.0)) for name in on}
    if problems:
        return Checked(None, workers, out, problems)
    spec = DatasetSpec(count, seed, hearts, mixture, stage=order.stage, hands=hands, phases=order.phases, views=order.views, size=size)
    return Checked(replace(spec, pixel_mm=pixel, pose=ranges["pose"], probe=ranges["probe"], body=order.body), workers, out, problems)


def whole(what: str, text: str, span: tuple[int, int]) -> int:
    """Return the whole number of a text.

    Raises
    ------
    InputError
        If it is none or out of its span.
    """
    try:
        found = int(text.strip())
    except ValueError:
        found = None
    if found is None or not span[0] <= found <= span[1]:
        raise InputError(f"{what} must be a whole number from {span[0]} to {span[1]}, found {_typed(text)}.")
    return found


def number(what: str, text: str, span: Range, *, unit: str = "") -> float:
    """Return the number of a text; a comma counts as a point.

    Raises
    ------
    InputError
        If it is none or out of its span.

    >>> number("A pixel", "0,8", (0.05, 10))
    0.8
    """
    try:
        found = float(text.strip().replace(",", "."))
    except ValueError:
        found = math.nan
    if not span[0] <= found <= span[1]:
        raise InputError(f"{what} must be a number from {span[0]:g} to {span[1]:g}{unit and ' '}{unit}, found {_typed(text)}.")
    return found


def range_of(ends: Ends, limits: Range) -> Range:
    """Return a typed range.

    Raises
    ------
    InputError
        If an end is no number, out of the limits, or the two are the wrong way round.

    >>> range_of(Ends(True, "-5", "5"), (-200, 200))
    (-5.0, 5.0)
    """
    low, high = number("Both ends", ends.low, limits), number("Both ends", ends.high, limits)
    if low > high:
        raise InputError(f"The first end must not be above the second, found {low:g} and {high:g}.")
    return low, high


def mixture_of(shares: Mapping[str, str]) -> dict[str, float]:
    """Return the groups that are asked for with their shares, summing to one.

    Raises
    ------
    InputError
        If a share is no number, or none is above 0.

    >>> mixture_of({"normal": "30", "dcm": "10", "rv": "0", "la": ""})
    {'normal': 0.75, 'dcm': 0.25}
    """
    found = {name: number("A share", text, (0, 1_000_000)) for name, text in shares.items() if text.strip()}
    total = sum(found.values())
    if total <= 0:
        raise InputError("At least one group must have a share above 0, found none.")
    return {name: share / total for name, share in found.items() if share > 0}


def hearts_of(order: Order) -> tuple[str, ...]:
    """Return the hearts that are given.

    Raises
    ------
    InputError
        If there is none, or one that stands still is asked for at end-systole.
    """
    if not order.hearts:
        raise InputError("At least one cohort or file must be given, found none; add one or draw hearts.")
    if "template" in order.hearts and "es" in order.phases:
        raise InputError("The template stands still and has no end-systole; ask for the phase ED alone, or give cohorts or records.")
    return order.hearts


def folder_of(text: str) -> Path:
    """Return the folder that a text names, from the user's home where it does not begin at a root.

    Raises
    ------
    InputError
        If it names none.
    """
    if not text.strip():
        raise InputError("The output must be a folder to make, found no name.")
    path = Path(text.strip()).expanduser()
    return path if path.is_absolute() else Path.home() / path


def pixel_words(order: Order) -> str:
    """Return how wide a pixel and a picture are.

    >>> pixel_words(Order(size="224"))
    '0.8 mm a pixel, pictures of 179.2 mm'
    """
    try:
        size = whole("Pixels", order.size, (16, 1024))
        pixel = number("A pixel", order.pixel_mm, (0.05, 10)) if order.pixel_mm.strip() else SIDE_MM / size
    except InputError:
        return ""
    return f"{pixel:.3g} mm a pixel, pictures of {pixel * size:.4g} mm"


def _typed(text: str) -> str:
    return text.strip()[:20] or "nothing"

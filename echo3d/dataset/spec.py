"""What a data set is made of: hearts, ranges for pose and probe, pictures, and a seed. Light enough for a window's dialog to import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from echo3d.anatomy.beat import FAMILIES, check_families
from echo3d.anatomy.groups import MIXTURE, check_mixture
from echo3d.core.sector import PictureGrid
from echo3d.core.views import View
from echo3d.errors import InputError

STAGES = ("labels", "binary", "pseudo", "echo", "cyclegan")
"""What a picture shows: nothing but labels, tissue in white, the paper's pseudo image, speckle, the pseudo image in the trained style."""

PHASES = ("ed", "es")

SIDE_MM = 112 * 1.6
"""What a picture is high and wide by default: the network's raster, of which ``size`` pixels make finer or coarser ones."""

Range = tuple[float, float]

POSE_LIMITS: dict[str, Range] = {
    "x": (-200, 200),
    "y": (-200, 200),
    "z": (-200, 200),
    "rx": (-180, 180),
    "ry": (-180, 180),
    "rz": (-180, 180),
    "scale": (0.2, 5),
}
"""The seven numbers of a pose (mm, degrees, factor) and how far they may go; what is not asked for stays as it is."""

PROBE_LIMITS: dict[str, Range] = {
    "tilt": (-60, 60),
    "rotate": (-180, 180),
    "angulate": (-60, 60),
    "slide_lateral": (-100, 100),
    "slide_elevation": (-100, 100),
    "standoff": (-60, 60),
    "depth": (40, 300),
    "half_angle": (10, 60),
    "level": (0, 1),
}
"""What a hand does with the probe, as in ``slicing.standard.SectorDraw`` (degrees, mm), and how far; the rest is a careful hand's."""


@dataclass(frozen=True, slots=True)
class DatasetSpec:
    """What is asked of a data set.

    Parameters
    ----------
    count : hearts; where hearts are given they come in turn, each time in other hands
    seed : of everything that is drawn; heart k depends on the seed and k alone
    hearts : cohort folders, records, meshes, label volumes or the word template; drawn where none is given
    mixture, families : groups' shares and laws of motion of drawn hearts
    stage : one of ``STAGES``; labels are always there
    hands : poses and sets of fans for each heart
    phases : of ``PHASES``
    views : views of each sample
    size : pixels of a side
    pixel_mm : side of a pixel, or 0 for the one with which a picture shows ``SIDE_MM``
    pose : ranges of ``POSE_LIMITS``' names; the pose moves the heart while the probes stay
    probe : ranges of ``PROBE_LIMITS``' names
    body : the body that every heart stands in, in the words of ``bodies.open_body``; empty for none, fans then stand by the heart alone

    Raises
    ------
    InputError
        If a number is out of range or a name is not known.

    >>> DatasetSpec(20, size=224).grid.pixel_mm
    0.8
    """

    count: int
    seed: int = 0
    hearts: tuple[str, ...] = ()
    mixture: Mapping[str, float] = field(default_factory=lambda: MIXTURE)
    families: tuple[str, ...] = FAMILIES
    stage: str = "echo"
    hands: int = 1
    phases: tuple[str, ...] = PHASES
    views: tuple[View, ...] = tuple(View)
    size: int = 112
    pixel_mm: float = 0.0
    pose: Mapping[str, Range] = field(default_factory=dict)
    probe: Mapping[str, Range] = field(default_factory=dict)
    body: str = ""

    def __post_init__(self) -> None:
        for name, low, high in (("count", 1, 1_000_000), ("seed", 0, 2**31 - 1), ("hands", 1, 1000), ("size", 16, 1024)):
            if not low <= getattr(self, name) <= high:
                raise InputError(f"{name} must lie between {low} and {high}, found {getattr(self, name)}; choose another")
        if self.pixel_mm and not 0.05 <= self.pixel_mm <= 10:
            raise InputError(f"a pixel must be 0.05 to 10 mm wide, found {self.pixel_mm:g}; choose another")
        _known("an image stage", (self.stage,), STAGES)
        _known("a phase", self.phases, PHASES)
        object.__setattr__(self, "phases", tuple(name for name in PHASES if name in self.phases))
        object.__setattr__(self, "views", tuple(view for view in View if view in self.views))
        if not self.views:
            raise InputError("a data set must have at least one view, found none; name some")
        object.__setattr__(self, "mixture", check_mixture(self.mixture))
        check_families(self.families)
        object.__setattr__(self, "pose", checked_ranges("the pose", self.pose, POSE_LIMITS))
        object.__setattr__(self, "probe", checked_ranges("the probe", self.probe, PROBE_LIMITS))

    @property
    def grid(self) -> PictureGrid:
        """The raster of every picture."""
        return PictureGrid(self.size, self.size, self.pixel_mm or SIDE_MM / self.size)

    @property
    def samples(self) -> int:
        """How many samples it has; one is all views of one phase in one hand."""
        return self.count * self.hands * len(self.phases)


def views_of(names: tuple[str, ...]) -> tuple[View, ...]:
    """Return the views of short names, all six where none is given.

    Raises
    ------
    InputError
        If a name is not known.

    >>> views_of(("a4c",))
    (<View.A4C: 0>,)
    """
    _known("a view", names or tuple(view.key for view in View), tuple(view.key for view in View))
    return tuple(view for view in View if not names or view.key in names)


def _known(what: str, names: tuple[str, ...], known: tuple[str, ...]) -> None:
    wrong = [name for name in names if name not in known]
    if wrong or not names:
        raise InputError(f"{what} must be one of {', '.join(known)}, found {wrong[0] if wrong else 'none'!r}; choose one of these")


def checked_ranges(what: str, ranges: Mapping[str, Range], limits: Mapping[str, Range]) -> dict[str, Range]:
    """Return the ranges in the limits' order, after checking names and numbers.

    Raises
    ------
    InputError
        If a name is not known, a range is the wrong way round, or reaches beyond its limits.

    >>> checked_ranges("the pose", {"rz": (-5, 5), "x": (1, 1)}, POSE_LIMITS)
    {'x': (1.0, 1.0), 'rz': (-5.0, 5.0)}
    """
    wrong = [name for name in ranges if name not in limits]
    if wrong:
        raise InputError(f"{what} must be given by {', '.join(limits)}, found {wrong[0][:40]!r}; choose one of these")
    for name, (low, high) in ranges.items():
        if not limits[name][0] <= low <= high <= limits[name][1]:
            least, most = limits[name]
            raise InputError(f"{name} of {what} must be a range within {least:g} to {most:g}, found {low:g} to {high:g}; choose another")
    return {name: (float(ranges[name][0]), float(ranges[name][1])) for name in limits if name in ranges}


def spec_to_json(spec: DatasetSpec) -> dict[str, Any]:
    """Return a spec as plain JSON values; hearts and body keep their paths, which belong into a job's folder but into no data set."""
    plain = asdict(spec)
    if not spec.body:  # so that a set without one says what it said before there were any
        del plain["body"]
    return plain | {
        "hearts": list(spec.hearts),
        "mixture": dict(spec.mixture),
        "families": list(spec.families),
        "phases": list(spec.phases),
        "views": [view.key for view in spec.views],
        "pose": {name: list(ends) for name, ends in spec.pose.items()},
        "probe": {name: list(ends) for name, ends in spec.probe.items()},
    }


def spec_from_json(values: Mapping[str, Any]) -> DatasetSpec:
    """Return the spec that :func:`spec_to_json` wrote.

    Raises
    ------
    InputError
        If it is something else.

    >>> spec = DatasetSpec(3, pose={"x": (-5, 5)}, views=(View.A4C,))
    >>> spec_from_json(spec_to_json(spec)) == spec
    True
    """
    try:
        unknown = set(values) - {one.name for one in fields(DatasetSpec)}
        if unknown:
            raise InputError(f"the spec of a data set must hold its own fields only, found {min(unknown)[:40]!r}; leave that out")
        plain: dict[str, Any] = dict(values)
        for name in ("hearts", "families", "phases"):
            if name in plain:
                plain[name] = tuple(map(str, plain[name]))
        if "views" in plain:
            plain["views"] = views_of(tuple(map(str, plain["views"])))
        for name in ("pose", "probe"):
            plain[name] = {key: (float(low), float(high)) for key, (low, high) in plain.get(name, {}).items()}
        return DatasetSpec(**plain)
    except (TypeError, ValueError, KeyError, AttributeError) as exc:
        raise InputError(f"the spec of a data set must hold the fields of DatasetSpec, found otherwise ({type(exc).__name__})") from exc


def absolute(hearts: tuple[str, ...]) -> tuple[str, ...]:
    """Return paths of hearts or a body from the root, so that a job in another folder finds them; words such as template stay."""
    return tuple(str(Path(name).absolute()) if Path(name).exists() else name for name in hearts)

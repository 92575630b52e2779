"""The hearts of a data set: drawn one by one, or given ones in turn, each as what can be cut and what is known of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from echo3d.anatomy.cohort import Heart, Wish, build_heart, record_from_json, record_to_json, sound_wish
from echo3d.anatomy.material import GRID_SIDE, load_material
from echo3d.anatomy.published import mean_landmarks
from echo3d.anatomy.template import field_grid, load_label_volume, load_template
from echo3d.cohort.generate import read_cohort
from echo3d.core.field import LabelVolume
from echo3d.core.structures import CHAMBER_KEYS
from echo3d.dataset.spec import DatasetSpec
from echo3d.errors import InputError
from echo3d.hearts import TEMPLATE, Source, open_heart
from echo3d.simulate import read_record
from echo3d.slicing.labelvolume import warp
from echo3d.slicing.standard import template_landmarks

if TYPE_CHECKING:
    from echo3d.anatomy.record import Body
    from echo3d.slicing.labelvolume import Labels


@dataclass(frozen=True, slots=True)
class Member:
    """One heart that is given.

    Parameters
    ----------
    path : file or cohort folder
    index : number in the cohort, None for a file
    sha256 : of the file, or of the cohort's records
    """

    path: str
    index: int | None
    sha256: str

    @property
    def name(self) -> str:
        """What tells it from the others, without its place on this machine."""
        name = Path(self.path).name
        return name if self.index is None else f"{name}#{self.index}"


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A heart at one phase.

    Parameters
    ----------
    labels : the structure at any point
    points : (N, 3) mm the template's points, None for a heart without correspondence
    volumes : (4,) ml of LV, RV, LA, RA; NaN where a chamber is missing
    """

    labels: Labels
    points: NDArray[np.float64] | None
    volumes: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PhasedHeart:
    """A heart at the phases asked for.

    Parameters
    ----------
    phases : by name
    landmarks : at end-diastole, (3,) mm by name; fans stand by them
    mean : landmarks of the mean heart that belong to them
    about : plain JSON values: where it comes from
    person : whose heart it is, None where that is not known
    keeps_size : whether it is as large in a body as by itself; the mean heart and one without a unit take the size that belongs there
    """

    phases: Mapping[str, Seen]
    landmarks: Mapping[str, NDArray[np.float64]]
    mean: Mapping[str, NDArray[np.float64]]
    about: dict[str, Any]
    person: Body | None = None
    keeps_size: bool = True


def members(spec: DatasetSpec) -> tuple[Member, ...]:
    """Return the hearts that are given, cohorts spread out; none where hearts are drawn.

    Raises
    ------
    InputError
        If one is not there, or is a mesh and end-systole is asked for.
    """
    return tuple(member for name in spec.hearts for member in _members(name, spec.phases))


def _members(name: str, phases: tuple[str, ...]) -> list[Member]:
    path = Path(name)
    if path.is_dir():
        _, lines = read_cohort(path)
        sha256 = _sha256(path / "records.jsonl")
        return [Member(name, k, sha256) for k in range(len(lines))]
    if path.suffix.lower() != ".json" and "es" in phases:
        raise InputError(
            f"a heart without a record has one phase only, found both asked for with {path.name!r}; ask for the phase ed, or give records"
        )
    if _is_template(name):
        return [Member(name, None, load_template().sha256)]
    return [Member(name, None, _sha256(path))]


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as exc:
        raise InputError(f"a heart must be a file, a cohort or the word template, found none of that name ({exc.strerror})") from exc


def heart_at(spec: DatasetSpec, given: Member | None, index: int) -> PhasedHeart:
    """Return heart ``index`` of a data set: the given one, or one drawn from seed and index as ``cohort generate`` draws its own.

    Raises
    ------
    InputError
        If no sound heart can be drawn or a given one cannot be made out.
    """
    if given is None:
        found = sound_wish(np.random.default_rng([spec.seed, index]), Wish(mixture=spec.mixture, families=spec.families))
        return _ours(found.heart, spec.phases, {"source": "drawn", "rejected": found.rejected})
    if given.index is not None:
        record = record_from_json(_lines(given.path)[given.index]["record"])
        return _ours(build_heart(record), spec.phases, {"source": given.name})
    if Path(given.path).suffix.lower() == ".json":
        return _ours(build_heart(read_record(Path(given.path))), spec.phases, {"source": given.name})
    return _template() if _is_template(given.path) else _foreign(given)


def _is_template(name: str) -> bool:
    return name == TEMPLATE and not Path(name).exists()


@lru_cache(maxsize=4)
def _lines(folder: str) -> tuple[dict[str, Any], ...]:
    return tuple(read_cohort(Path(folder))[1])


def _ours(heart: Heart, phases: tuple[str, ...], about: dict[str, Any]) -> PhasedHeart:
    """Return a heart that is the template seen through a displacement."""
    positions = {"ed": heart.ed, "es": heart.es}
    seen = {phase: _seen(positions[phase]) for phase in phases}
    marks = template_landmarks(load_template(), heart.ed[: load_material().count])
    told = about | {"group": heart.record.group, "record": record_to_json(heart.record)}
    return PhasedHeart(seen, marks, mean_landmarks(), told, heart.record.body)


def _template() -> PhasedHeart:
    """Return the shipped heart, which has one phase."""
    about = {"source": TEMPLATE, "group": None, "record": None}
    return PhasedHeart({"ed": _seen(load_material().rest)}, mean_landmarks(), mean_landmarks(), about, keeps_size=False)


def _seen(x: NDArray) -> Seen:
    """Return what all material positions ``x`` (M, 3) mm make."""
    template, count = load_template(), load_material().count
    rest = template.mesh.points
    labels = warp(load_label_volume(), field_grid(GRID_SIDE), x[count:], rest=rest, moved=x[: len(rest)])
    volumes = template.volumes_ml(x[:count])
    return Seen(labels, x[:count], np.array([volumes[key] for key in CHAMBER_KEYS]))


@lru_cache(maxsize=4)
def _foreign(given: Member) -> PhasedHeart:
    """Return a mesh or a label volume, which has one phase; it is made out once per process."""
    heart = open_heart(Source(Path(given.path)))
    about = {"source": given.name, "group": None, "record": None, "assumed": list(heart.assumed), "size_known": heart.size_known}
    return PhasedHeart(
        {"ed": Seen(heart.labels, None, _blood_ml(heart.labels))}, heart.landmarks, mean_landmarks(), about, keeps_size=heart.size_known
    )


def _blood_ml(labels: Labels) -> NDArray[np.float64]:
    """Return the blood of the four chambers by voxels, ml, NaN where there is none."""
    if not isinstance(labels, LabelVolume):
        return np.full(len(CHAMBER_KEYS), np.nan)
    found = np.bincount(labels.labels.ravel(), minlength=256) * labels.voxel_ml
    return np.array([found[tag] if found[tag] > 0 else np.nan for tag in CHAMBER_KEYS.values()])


def digest(given: tuple[Member, ...]) -> list[dict[str, str]]:
    """Return name and hash of each heart that is given, plain JSON values."""
    return [json.loads(line) for line in dict.fromkeys(json.dumps({"name": one.name, "sha256": one.sha256}) for one in given)]

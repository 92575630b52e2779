"""Hearts for the workspace: the embedded one, drawn ones and those of files, each with its surface, labels and beat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from echo3d.anatomy.groups import GROUPS, group_key
from echo3d.anatomy.template import load_label_volume, load_template
from echo3d.anatomy.timing import PHASES
from echo3d.core.mesh import HeartMesh
from echo3d.core.structures import Structure
from echo3d.errors import InputError
from echo3d.slicing.standard import template_landmarks

if TYPE_CHECKING:
    from echo3d.anatomy.beat import BeatDraw
    from echo3d.anatomy.cohort import Heart
    from echo3d.hearts import Source
    from echo3d.slicing.labelvolume import Labels


@dataclass(frozen=True, slots=True, eq=False)
class WorkHeart:
    """A heart of the workspace at end-diastole, mm, LPS.

    Parameters
    ----------
    name : shown to the user
    origin : what it is made from, plain JSON values
    mesh : its surface
    labels : the structure at any point
    landmarks : all of ``core.mesh.LANDMARKS``
    ours : whether faces and points are the template's
    beat : how it moves, or None for a heart that stands still
    ed : all material positions where they are known, else None
    facts : one sentence each on what was recognised or taken for granted
    keeps_size : whether it is as large in a body as by itself; the mean heart and one without a unit take the size that belongs there
    path : the file, or the cohort's folder, that it comes from
    """

    name: str
    origin: Mapping[str, object]
    mesh: HeartMesh
    labels: Labels
    landmarks: Mapping[str, NDArray[np.float64]]
    ours: bool = False
    beat: BeatDraw | None = None
    ed: NDArray[np.float64] | None = None
    facts: tuple[str, ...] = ()
    keeps_size: bool = True
    path: Path | None = None

    @property
    def is_template(self) -> bool:
        """Whether it is the embedded mean heart."""
        return self.origin.get("kind") == "template"

    @property
    def pivot(self) -> NDArray[np.float64]:
        """The point (3,) that a pose turns it about: its centre."""
        return self.landmarks["heart"]

    @property
    def structures(self) -> tuple[Structure, ...]:
        """The structures that it can show."""
        if self.ours:
            return _template_structures()
        return tuple(Structure(int(tag)) for tag in np.unique(self.mesh.labels) if tag in set(Structure) and tag)


@lru_cache(maxsize=1)
def _template_structures() -> tuple[Structure, ...]:
    """Return the structures of the template, looked up once: it is asked for at every movement of a hand."""
    return tuple(structure for structure in Structure if structure in load_template().sides)


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """A heart at one moment of its beat: its surface's points (N, 3) mm, and its labels."""

    points: NDArray[np.float64]
    labels: Labels


def embedded_heart() -> WorkHeart:
    """Return the template heart: the mean of nineteen adults, with a normal beat."""
    from echo3d.anatomy.beat import BeatDraw
    from echo3d.slicing.cut import voxel_space

    template = load_template()
    marks = template_landmarks(template, template.points)
    facts = ("the template: mean of 19 adult hearts from CT, end-diastole",)
    return WorkHeart(
        "Template heart",
        {"kind": "template"},
        template.mesh,
        voxel_space(load_label_volume()),
        marks,
        ours=True,
        beat=BeatDraw(),
        facts=facts,
        keeps_size=False,
    )


def drawn_heart(group: str, seed: int) -> WorkHeart:
    """Return a heart drawn from a group of the cohort; the same for the same group and seed.

    Raises
    ------
    InputError
        If there is no such group, or no sound heart comes out.
    """
    from echo3d.anatomy.cohort import sound_heart

    key = group_key(group)
    made = sound_heart(np.random.default_rng(seed), group=key)
    return from_positions(f"{GROUPS[key].title}, seed {seed}", {"kind": "drawn", "group": key, "seed": seed}, made)


def from_positions(name: str, origin: Mapping[str, object], heart: Heart) -> WorkHeart:
    """Return the heart of built material positions."""
    template = load_template()
    points = heart.ed[: len(template.points)]
    volumes = template.volumes_ml(points)
    facts = (f"EF {100 * heart.record.beat.ef:.0f} %, EDV {volumes['lv']:.0f} ml (as drawn)",)
    return WorkHeart(
        name,
        origin,
        template.heart(points),
        labels_at(heart.ed),
        template_landmarks(template, points),
        ours=True,
        beat=heart.record.beat,
        ed=heart.ed,
        facts=facts,
    )


def labels_at(x: NDArray) -> Labels:
    """Return the labels of the heart with material positions ``x`` (M, 3)."""
    from echo3d.anatomy.material import GRID_SIDE
    from echo3d.anatomy.template import field_grid
    from echo3d.slicing.cut import voxel_space
    from echo3d.slicing.labelvolume import warp

    template = load_template()
    rest, count = template.mesh.points, len(template.points)
    return voxel_space(warp(load_label_volume(), field_grid(GRID_SIDE), x[count:], rest=rest, moved=x[: len(rest)]))


def heart_of_file(source: Source) -> WorkHeart:
    """Return the heart of a file: a record such as truth.json, a label volume, or any mesh.

    Raises
    ------
    InputError
        If it cannot be made out.
    """
    from echo3d.anatomy.cohort import build_heart
    from echo3d.hearts import foreign, open_heart
    from echo3d.simulate import read_record
    from echo3d.slicing.cut import voxel_space

    path, suffix = source.path, source.path.suffix.lower()
    origin: dict[str, object] = {"kind": "file", "file": path.name}
    if not path.is_file():
        raise InputError("a heart must be a file that is there, found none; choose another")
    if suffix == ".json":
        return replace(from_positions(path.stem, origin, build_heart(read_record(path))), path=path)
    if suffix == ".npz":
        heart = open_heart(source)
        return WorkHeart(path.stem, origin, _of_labels(heart.labels), heart.labels, heart.landmarks, facts=heart.assumed, path=path)
    found = foreign(source)
    made = WorkHeart(path.stem, origin, found.mesh, voxel_space(found.volume), found.landmarks, facts=found.assumed, path=path)
    return replace(made, keeps_size=found.size_known)


def _of_labels(labels: Labels) -> HeartMesh:
    """Return a surface of a label volume, so that it can be shown."""
    from skimage.measure import marching_cubes

    from echo3d.core.field import LabelVolume
    from echo3d.slicing.cut import VoxelSpace

    labels = labels.heart if isinstance(labels, VoxelSpace) else labels
    if not isinstance(labels, LabelVolume):
        raise InputError("a heart without a surface must be a label volume, found another kind; give a mesh")
    points, faces, tags, count = [], [], [], 0
    for tag in np.unique(labels.labels):
        if 0 < tag < 100:
            p, f, _, _ = marching_cubes(np.pad(labels.labels == tag, 1).astype(np.float32), 0.5, step_size=2, allow_degenerate=False)
            points.append((p - 1) @ labels.affine[:3, :3].T + labels.affine[:3, 3])
            faces.append(f + count)
            tags.append(np.full(len(f), tag, np.uint8))
            count += len(p)
    return HeartMesh(np.concatenate(points), np.concatenate(faces), np.concatenate(tags))


def moment_of(heart: WorkHeart, number: int, phases: int = PHASES) -> Moment:
    """Return a heart at one of ``phases`` equal steps of its beat, counted from end-diastole.

    Raises
    ------
    InputError
        If the heart stands still.
    """
    from echo3d.anatomy.material import load_material
    from echo3d.anatomy.solve import heart_at
    from echo3d.anatomy.timing import moments

    if number % phases == 0:
        return Moment(heart.mesh.points, heart.labels)
    if heart.beat is None:
        raise InputError("a beat needs a heart of ours, found one of a file that stands still; open the embedded heart or draw one")
    ed = load_material().rest if heart.ed is None else heart.ed
    x = heart_at(ed, heart.beat, moments(heart.beat, phases)[number % phases])
    return Moment(x[: len(heart.mesh.points)], labels_at(x))


def end_systole(heart: WorkHeart, phases: int = PHASES) -> int:
    """Return the number of the moment that is end-systole; 0 for a heart that stands still."""
    from echo3d.anatomy.timing import on_frames

    return 0 if heart.beat is None else round(on_frames(heart.beat, phases).systole * phases)

"""Any heart that can be sliced, from whatever the user names: the template, a record, a mesh of ours or of others, a label volume."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from echo3d.core.mesh import HeartMesh
from echo3d.core.structures import BLOOD, TAGS, Structure
from echo3d.errors import InputError

if TYPE_CHECKING:
    from echo3d.anatomy.published import ForeignHeart, Reading
    from echo3d.anatomy.record import Body
    from echo3d.slicing.labelvolume import Labels

TEMPLATE = "template"
"""The word for the shipped template heart."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a heart comes from and how it is to be read.

    Parameters
    ----------
    path : "template", a record such as truth.json, a label volume .npz, or any mesh file
    order, units, axes : see :class:`echo3d.anatomy.published.Reading`; None recognises them
    mapping : file that says what the parts are
    array : name of the array with the tags
    """

    path: Path
    order: str | None = None
    units: str | None = None
    axes: str | None = None
    mapping: Path | None = None
    array: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SliceableHeart:
    """A heart ready for any number of fans, LPS mm.

    Parameters
    ----------
    labels : the structure at any point, ready for :func:`echo3d.slicing.cut.cut_views`
    landmarks : all of ``core.mesh.LANDMARKS``, (3,) mm
    missing : tags and bloods that it does not have
    assumed : one sentence each on what was recognised or taken for granted
    size_known : whether lengths and areas are true ones
    keeps_size : whether it is as large in a body as by itself; the mean heart and one without a unit take the size that belongs there
    person : whose it is, where that is known
    """

    labels: Labels
    landmarks: dict[str, NDArray[np.float64]]
    missing: tuple[Structure, ...] = ()
    assumed: tuple[str, ...] = field(default=())
    size_known: bool = True
    keeps_size: bool = True
    person: Body | None = None


def open_heart(source: Source) -> SliceableHeart:
    """Return the heart that the user names, voxelised or warped once.

    Raises
    ------
    InputError
        If there is none, or it cannot be made out.
    """
    suffix = source.path.suffix.lower()
    if str(source.path) == TEMPLATE and not source.path.exists():
        return _rebuilt(None)
    if suffix == ".json":
        return _rebuilt(source.path)
    if suffix == ".npz":
        return _stored(source.path)
    from echo3d.slicing.cut import voxel_space

    heart = foreign(source)
    return SliceableHeart(voxel_space(heart.volume), heart.landmarks, heart.missing, heart.assumed, heart.size_known, heart.size_known)


def foreign(source: Source) -> ForeignHeart:
    """Return the heart of a mesh file, ours or another's.

    Raises
    ------
    InputError
        If the file or its heart cannot be made out.
    """
    from echo3d.anatomy.published import foreign_heart, own_heart
    from echo3d.io.surfaces import read_surface

    reading = _reading(source)
    surface = read_surface(source.path, source.array)
    if surface.convention == "lps":
        own = own_heart(HeartMesh(surface.points, surface.faces, np.clip(surface.tags, 0, 255).astype(np.uint8)))
        if own is not None:
            return own
    return foreign_heart(surface, reading)


def _reading(source: Source) -> Reading:
    """Return how a foreign file is to be read; wrong options are refused before the file is opened."""
    from echo3d.anatomy.conventions import axes_from_letters
    from echo3d.anatomy.published import Reading, check_order
    from echo3d.io.mapping import read_mapping

    check_order(source.order)
    if source.axes is not None:
        axes_from_letters(source.axes)
    mapping = None if source.mapping is None else read_mapping(source.mapping)
    return Reading(source.order, mapping, source.units, source.axes)


def _rebuilt(record: Path | None) -> SliceableHeart:
    """Return the template, or the heart of a record at end-diastole, as the template's labels seen through its field."""
    from echo3d.anatomy.cohort import build_heart
    from echo3d.anatomy.material import GRID_SIDE, load_material
    from echo3d.anatomy.template import field_grid, load_label_volume, load_template
    from echo3d.simulate import read_record
    from echo3d.slicing.cut import voxel_space
    from echo3d.slicing.labelvolume import warp
    from echo3d.slicing.standard import template_landmarks

    template = load_template()
    heart = None if record is None else build_heart(read_record(record))
    x = load_material().rest if heart is None else heart.ed
    rest, count = template.mesh.points, len(template.points)
    labels = warp(load_label_volume(), field_grid(GRID_SIDE), x[count:], rest=rest, moved=x[: len(rest)])
    said = "the template heart" if record is None else "a heart rebuilt from its record, at end-diastole"
    return SliceableHeart(
        voxel_space(labels),
        template_landmarks(template, x[:count]),
        assumed=(f"{said}: mm, LPS",),
        keeps_size=heart is not None,
        person=None if heart is None else heart.record.body,
    )


def _stored(path: Path) -> SliceableHeart:
    """Return the heart of a label volume file."""
    from echo3d.io.labelvolumes import read_label_volume
    from echo3d.slicing.cut import voxel_space

    if not path.is_file():
        raise InputError("a heart must be a file or the word template, found none of that name; check it")
    volume, landmarks = read_label_volume(path)
    there = set(np.unique(volume.labels).tolist())
    missing = tuple(structure for structure in (*TAGS, *BLOOD) if structure not in there)
    return SliceableHeart(voxel_space(volume), landmarks, missing, ("a label volume of echo3d: mm, LPS",))

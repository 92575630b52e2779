"""Other people's hearts: the published cohort's files and any tagged surface, as a label volume that slices like ours.

The cohorts' files are numbered in their names (``..._007.vtk``), end-diastolic, in mm, walls and planes without blood.
*Source:* reference science.md E.1-E.7.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from echo3d.anatomy.conventions import axes_from_anatomy, axes_from_letters, heart_scale
from echo3d.anatomy.landmarks import find_landmarks
from echo3d.anatomy.painting import painted
from echo3d.anatomy.tagorders import ORDERS, roles_of
from echo3d.anatomy.template import load_template
from echo3d.anatomy.volume_landmarks import completed, volume_landmarks
from echo3d.anatomy.voxels import grid_around, used_points
from echo3d.core.field import LabelVolume
from echo3d.core.foreign import Role, TaggedSurface
from echo3d.core.mesh import HeartMesh, region_faces
from echo3d.core.structures import BLOOD, CHAMBER_KEYS, TAGS, Structure
from echo3d.errors import InputError

VOXEL_MM = 1.0


@dataclass(frozen=True, slots=True)
class Reading:
    """How a foreign file is to be read where its own signs do not do.

    Parameters
    ----------
    order : "published" or "heart-failure", or None to go by array and names
    mapping : part to structure or role, or None
    units : "m", "dm", "cm", "mm" or mm per file unit, or None to recognise it
    axes : three letters such as "LPS", or None to recognise them
    """

    order: str | None = None
    mapping: Mapping[str, int] | None = None
    units: str | None = None
    axes: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ForeignHeart:
    """A heart of another origin, in LPS and mm.

    Parameters
    ----------
    mesh : its tagged surface; labels are structures, or roles above 200
    volume : its labels on 1 mm voxels, chambers filled
    landmarks : all of ``core.mesh.LANDMARKS``, (3,) mm
    guessed : names of the landmarks that are the mean heart's, carried along
    size_known : whether the file told its unit
    assumed : one sentence each on parts, unit, axes and landmarks
    """

    mesh: HeartMesh
    volume: LabelVolume
    landmarks: dict[str, NDArray[np.float64]]
    guessed: tuple[str, ...]
    size_known: bool
    assumed: tuple[str, ...]

    @property
    def missing(self) -> tuple[Structure, ...]:
        """The tags and bloods that are not in it."""
        there = np.bincount(self.volume.labels.ravel(), minlength=256) > 0
        return tuple(structure for structure in (*TAGS, *BLOOD) if not there[structure])

    @property
    def volumes_ml(self) -> dict[str, float]:
        """The blood of each chamber that is there, in ml, by voxels."""
        count = np.bincount(self.volume.labels.ravel(), minlength=256) * self.volume.voxel_ml
        return {key: float(count[tag]) for key, tag in CHAMBER_KEYS.items() if count[tag] > 0}


def foreign_heart(surface: TaggedSurface, reading: Reading | None = None, *, voxel_mm: float = VOXEL_MM) -> ForeignHeart:
    """Return a heart from tagged triangles: parts named, unit and axes recognised, voxelised once, chambers filled, landmarks found.

    Parameters
    ----------
    surface : as :func:`echo3d.io.surfaces.read_surface` reads it
    reading : what the user says of it
    voxel_mm : side of a voxel

    Raises
    ------
    InputError
        If its parts, its unit or its left ventricle cannot be made out.
    """
    reading = reading or Reading()
    roles, parts_said = roles_of(surface, order=reading.order, mapping=reading.mapping)
    labels = np.zeros(len(surface.tags), np.uint8)
    for tag, role in roles.items():
        labels[surface.tags == tag] = role
    used, faces = used_points(surface.faces[labels > 0], len(surface.points))
    labels = labels[labels > 0]
    mean = mean_landmarks()
    scale = heart_scale(
        np.ptp(surface.points[used], axis=0),
        _kind(set(labels.tolist())),
        asked=reading.units,
        convention=surface.convention,
        mean_mm=float(np.linalg.norm(np.ptp(load_template().mesh.points, axis=0))),
    )
    points = surface.points[used] * scale.mm
    volume = painted(points, _by_role(faces, labels), grid_around(points, voxel_mm))
    found = volume_landmarks(volume)
    matrix, axes_said = axes_from_anatomy(found, mean, surface.convention)
    if reading.axes is not None:
        matrix, axes_said = axes_from_letters(reading.axes), f"axes {reading.axes.upper()}, as asked"
    found = {name: matrix @ at for name, at in found.items()}
    guessed = tuple(name for name in mean if name not in found)
    said = (parts_said, scale.reason, axes_said)
    return ForeignHeart(
        mesh=HeartMesh(points @ matrix.T, faces.astype(np.int32)[:, :: 1 if np.linalg.det(matrix) > 0 else -1], labels),
        volume=LabelVolume(volume.labels, np.block([[matrix, np.zeros((3, 1))], [np.zeros((1, 3)), np.ones((1, 1))]]) @ volume.affine),
        landmarks=completed(found, mean),
        guessed=guessed,
        size_known=scale.known,
        assumed=(*said, f"not found, so placed as in the mean heart: {', '.join(guessed)}") if guessed else said,
    )


def _by_role(faces: NDArray, roles: NDArray[np.uint8]) -> dict[int, NDArray]:
    """Return the triangles of each role; ordering them all once is several times as fast as looking for each role's."""
    ends = np.cumsum(np.bincount(roles, minlength=256))
    ordered = faces[np.argsort(roles, kind="stable")]
    return {role: ordered[end - count : end] for role, (end, count) in enumerate(zip(ends, np.diff(ends, prepend=0), strict=True)) if count}


def own_heart(mesh: HeartMesh, *, voxel_mm: float = VOXEL_MM) -> ForeignHeart | None:
    """Return the heart of a file of ours, whose surface has the template's triangles; None for any other surface.

    The template knows what lies on both sides of each triangle, so that every structure is voxelised inside its own closed surface.
    """
    template = load_template()
    if mesh.points.shape != template.mesh.points.shape or not np.array_equal(mesh.faces, template.mesh.faces):
        return None
    parts = {int(tag): region_faces(mesh.faces, template.sides, tag) for tag in np.unique(template.sides) if tag}
    volume = painted(mesh.points, parts, grid_around(mesh.points, voxel_mm))
    landmarks = find_landmarks(mesh.points, mesh.faces, template.sides)
    return ForeignHeart(mesh, volume, landmarks, (), True, ("a heart of echo3d: mm, LPS, every structure known",))


def mean_landmarks() -> dict[str, NDArray[np.float64]]:
    """Return the template's landmarks, LPS mm."""
    template = load_template()
    return {name: template.landmark(template.points, name) for name in template.landmarks}


def case_number(name: str) -> int | None:
    """Return the number that a cohort's file carries in its name.

    >>> case_number("full_heart_mesh_007.vtk"), case_number("12.vtk"), case_number("template.vtk")
    (7, 12, None)
    """
    found = re.search(r"(?:^|[_\-. ])(\d{1,6})(?=\.[^.]*$|$)", name)
    return int(found[1]) if found else None


def check_order(order: str | None) -> None:
    """Refuse an order of tags that is not known.

    Raises
    ------
    InputError
        With those that are.
    """
    if order is not None and order not in ORDERS:
        raise InputError(f"an order of tags must be one of {', '.join(ORDERS)}, found {order[:40]!r}; choose one of these")


def _kind(roles: set[int]) -> str:
    """Return how much of a heart there is: the key of ``conventions.SMALLEST_MM``."""
    both = Role.VENTRICLES in roles or bool(roles & {2, 102})
    atria = bool(roles & {3, 103}) and bool(roles & {4, 104})
    return "four chambers" if both and atria else "two ventricles" if both else "one ventricle"

"""Body meshes in files of any unit and axes, brought into LPS millimetres, with what was recognised."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from echo3d.core.arrays import frozen_array
from echo3d.core.body import BodyMesh, BodyPart
from echo3d.core.mesh import enclosed_ml
from echo3d.errors import InputError
from echo3d.io.gltf_read import read_glb
from echo3d.io.meshes import read_mesh
from echo3d.io.obj_read import read_obj

UNITS_MM = {"m": 1000.0, "dm": 100.0, "cm": 10.0, "mm": 1.0}
READABLE = (".glb", ".obj", ".ply", ".stl", ".vtk", ".vtp")
_SKIN_NAMES = ("body", "skin", "person", "torso")
_BINS = 24
_LARGEST_FILE = 500_000_000


@dataclass(frozen=True, slots=True, eq=False)
class BodyFile:
    """A body as read, with what was recognised of its file.

    Parameters
    ----------
    mesh : the skin in LPS mm
    part : name of the group or node that was taken for the skin, or ""
    unit : "m", "dm", "cm" or "mm"
    up, front : the file's axis that points to the head and the one the face looks along, such as "+y"
    winding : "outwards" or "inwards": how the file's triangles are wound; inwards ones are turned. A body is alike on both sides, so that
        inward winding may also mean left-handed axes; the shape does not tell
    affine : (4, 4) from the file's coordinates to LPS mm; it brings along whatever else lies in the same coordinates
    """

    mesh: BodyMesh
    part: str
    unit: str
    up: str
    front: str
    winding: str
    affine: NDArray[np.float64]

    def __post_init__(self) -> None:
        object.__setattr__(self, "affine", frozen_array(self.affine, np.float64, (4, 4), "affine"))

    @property
    def stated(self) -> str:
        """One sentence for the user."""
        named = f"part {self.part!r}, " if self.part else ""
        return (
            f"Read as a body: {named}unit {self.unit}, head towards {self.up}, face towards {self.front}, triangles wound {self.winding}."
        )


def read_body(path: Path) -> BodyFile:
    """Read the skin of a body and recognise unit and axes from its shape.

    Parameters
    ----------
    path : GLB, OBJ, PLY, STL, VTK or VTP file; a GLB node or OBJ group named body, skin, person or torso is taken where there is one,
        the whole file otherwise

    Raises
    ------
    InputError
        If the file cannot be read, or what it holds is not of the shape of a body.
    """
    if path.suffix.lower() not in READABLE:
        raise InputError(
            f"a body is read from one of {', '.join(READABLE)}, found {path.suffix.lower() or 'no suffix'}; convert it to one of these"
        )
    part, points, faces = _skin_of(path)
    used, corners = np.unique(faces, return_inverse=True)
    return recognised(points[used], corners.reshape(-1, 3), part=part)


def _skin_of(path: Path) -> tuple[str, NDArray, NDArray]:
    """Return name, points and faces of the skin in a file, in the file's coordinates."""
    suffix = path.suffix.lower()
    if suffix not in (".glb", ".obj"):
        mesh = read_mesh(path)
        return "", np.asarray(mesh.points), np.asarray(mesh.faces)
    if not path.is_file() or not 0 < path.stat().st_size <= _LARGEST_FILE:
        raise InputError(f"a body must be a file of 1 to {_LARGEST_FILE} bytes, found none such at the {suffix} path given; check the name")
    parts = read_glb(path) if suffix == ".glb" else read_obj(path)
    named = [name for name in parts if name.lower() in _SKIN_NAMES or name.lower().endswith(tuple(f"_{word}" for word in _SKIN_NAMES))]
    chosen = named[:1] or list(parts)
    starts = np.cumsum([0, *(len(parts[name][0]) for name in chosen)])
    faces = np.concatenate([parts[name][1] + start for name, start in zip(chosen, starts, strict=False)])
    return (chosen[0] if len(chosen) == 1 else ""), np.concatenate([parts[name][0] for name in chosen]), faces


def recognised(points: NDArray, faces: NDArray, *, part: str = "") -> BodyFile:
    """Return a body brought into LPS mm; unit and axes are recognised from its shape.

    A body is alike left and right and nowhere else; of the other two axes it is longer from head to foot; its narrower end is the head;
    feet point forward, and so does the chest against the neck. The unit is the one that makes it 10 to 100 cm deep.

    Parameters
    ----------
    points, faces : (N, 3) in any unit, (F, 3)
    part : name of the part, for the statement

    Raises
    ------
    InputError
        If a coordinate is not finite, or the shape is not that of a body.
    """
    if not np.isfinite(points).all() or len(faces) < 100:
        raise InputError(f"a body must hold 100 or more triangles with finite corners, found {len(faces)}; export it again")
    cloud = _area_cloud(points, faces)
    side = int(np.argmin([_asymmetry(cloud, axis) for axis in range(3)]))
    extent = np.ptp(cloud, axis=0)
    tall, deep = sorted((axis for axis in range(3) if axis != side), key=lambda axis: -extent[axis])
    if extent[tall] < 1.4 * extent[deep]:
        raise InputError(f"a body must be longer than deep, found {extent[tall]:.3g} by {extent[deep]:.3g}; give a body or a trunk")
    unit = _unit(float(extent[deep]), float(extent[tall]))
    up = _sign_up(cloud, tall, side)
    upright = np.stack([cloud[:, side], cloud[:, deep], cloud @ up], axis=1)
    front = _sign_front(upright, whole=bool(extent[tall] * UNITS_MM[unit] > 1250)) * np.eye(3)[deep]
    turn = np.stack([np.cross(up, front), -front, up])
    moved, wound, winding = _outwards(UNITS_MM[unit] * points @ turn.T, faces)
    affine = np.eye(4)
    affine[:3, :3] = UNITS_MM[unit] * turn
    skin = BodyMesh(moved, wound, np.full(len(wound), BodyPart.SKIN, np.uint8))
    return BodyFile(skin, part, unit, _named(up), _named(front), winding, affine)


def _area_cloud(points: NDArray, faces: NDArray, count: int = 20_000) -> NDArray[np.float64]:
    """Return points spread evenly over the surface, so that finely meshed hands and faces do not outweigh the trunk."""
    corners = points[faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    total = np.cumsum(area)
    if total[-1] <= 0:
        raise InputError("a body must have a surface, found triangles without area; export it again")
    at = (np.arange(count) + 0.5) / count * total[-1]
    face = corners[np.minimum(np.searchsorted(total, at), len(faces) - 1)]
    u, v = (np.arange(count) * 0.754877666 % 1)[:, None], (np.arange(count) * 0.569840291 % 1)[:, None]
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    return face[:, 0] + u * (face[:, 1] - face[:, 0]) + v * (face[:, 2] - face[:, 0])


def _asymmetry(cloud: NDArray, axis: int) -> float:
    """Return how much of the surface has no counterpart behind the middle plane of an axis, 0 to 2."""
    low, high = cloud.min(axis=0), cloud.max(axis=0)
    cells = np.minimum(((cloud - low) / np.maximum(high - low, 1e-12) * _BINS).astype(int), _BINS - 1)
    count = np.zeros((_BINS,) * 3)
    np.add.at(count, tuple(cells.T), 1.0)
    return float(np.abs(count - np.flip(count, axis)).sum() / len(cloud))


def _unit(deep: float, tall: float) -> str:
    """Return the unit in which a body of that depth and height is one of reasonable size."""
    for unit, factor in UNITS_MM.items():
        if 100 <= deep * factor < 1000 and 350 <= tall * factor <= 2300:
            return unit
    raise InputError(f"a body is 35 to 230 cm long in m, dm, cm or mm, found {tall:.4g} by {deep:.4g}; scale it to one of these units")


def _sign_up(cloud: NDArray, tall: int, side: int) -> NDArray[np.float64]:
    """Return the unit vector to the head: the end of the body that is narrower from side to side."""
    height = cloud[:, tall]
    low, high = height.min(), height.max()
    rim = 0.08 * (high - low)
    breadths = [float(np.ptp(np.quantile(cloud[part, side], (0.02, 0.98)))) for part in (height < low + rim, height > high - rim)]
    return (1.0 if breadths[1] < breadths[0] else -1.0) * np.eye(3)[tall]


def _sign_front(upright: NDArray, *, whole: bool) -> float:
    """Return the sign of the axis of depth that points forward.

    Parameters
    ----------
    upright : (P, 3) side, depth and height, the head above
    whole : whether the body has feet
    """
    side, depth, height = upright.T
    share = (height - height.min()) / (height.max() - height.min())
    if whole:
        foot, ankle = share < 0.025, (share > 0.05) & (share < 0.08)
        return _towards(depth[foot], depth[ankle])
    middle = np.abs(side - np.median(side)) < 0.1 * (height.max() - height.min())
    return _towards(*_chest_and_neck(share, depth, middle))


def _towards(one: NDArray, other: NDArray) -> float:
    """Return the sign of the way from the middle of the range of ``other`` to that of ``one``."""
    if min(len(one), len(other)) < 8:
        raise InputError("a body must be in one piece from end to end, found gaps where feet or chest should be; give the skin alone")
    ranges = [np.quantile(part, (0.02, 0.98)).mean() for part in (one, other)]
    return 1.0 if ranges[0] >= ranges[1] else -1.0


def _chest_and_neck(share: NDArray, depth: NDArray, middle: NDArray) -> tuple[NDArray, NDArray]:
    """Return the depths of the middle of the chest and of the neck of a trunk: the thinnest place of its upper 45 %."""
    levels = np.linspace(0.55, 0.99, 23)
    inside = [middle & (np.abs(share - level) < 0.015) for level in levels]
    thick = [np.ptp(np.quantile(depth[part], (0.02, 0.98))) if part.sum() > 8 else np.inf for part in inside]
    neck = int(np.argmin(thick))
    return depth[middle & (np.abs(share - (levels[neck] - 0.28)) < 0.05)], depth[inside[neck]]


def _outwards(points: NDArray, faces: NDArray) -> tuple[NDArray, NDArray, str]:
    """Return the surface with its triangles wound outwards, and how they were."""
    if enclosed_ml(points, faces) >= 0:
        return points, faces, "outwards"
    return points, np.ascontiguousarray(faces[:, ::-1]), "inwards"


def _named(axis: NDArray) -> str:
    """Return a signed axis by name.

    >>> _named(np.array([0.0, -1.0, 0.0]))
    '-y'
    """
    at = int(np.argmax(np.abs(axis)))
    return ("+" if axis[at] > 0 else "-") + "xyz"[at]

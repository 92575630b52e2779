"""A real heart's surfaces over one beat, as files of a folder: epicardium, LV and RV endocardium per phase."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from echo3d.core.arrays import unit
from echo3d.errors import InputError

SURFACES = ("LV_ENDOCARDIAL", "RV_ENDOCARDIAL", "EPICARDIAL")
_NAME = re.compile(r"(?P<surface>LV_ENDOCARDIAL|RV_ENDOCARDIAL|EPICARDIAL)_(?P<phase>\d{3})\.(vtk|vtp|ply|stl|obj)$")


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """An open surface: (P, 3) points in mm and (F, 3) faces, normals all to one side."""

    points: NDArray[np.float64]
    faces: NDArray[np.int64]

    def rims(self) -> list[NDArray[np.int64]]:
        """Return the directed boundary edges (K, 2) of each opening."""
        edges = np.concatenate([self.faces[:, [0, 1]], self.faces[:, [1, 2]], self.faces[:, [2, 0]]])
        there = {(int(a), int(b)) for a, b in edges}
        free = {a: b for a, b in there if (b, a) not in there}
        rims = []
        while free:
            start, at = next(iter(free.items()))
            ring = [(start, at)]
            del free[start]
            while at in free:
                following = free.pop(at)
                ring.append((at, following))
                at = following
            rims.append(np.array(ring))
        return rims

    def volume_ml(self) -> float:
        """Return the volume in ml with every opening closed by a fan about the middle of its rim.

        >>> tetra = np.array([[0.0, 0, 0], [10, 0, 0], [0, 10, 0], [0, 0, 10]])
        >>> open_one = Surface(tetra, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2]]))
        >>> round(open_one.volume_ml(), 6)
        0.166667
        """
        centre = self.points.mean(axis=0)
        total = _signed(self.points[self.faces] - centre)
        for rim in self.rims():
            middle = np.broadcast_to(self.points[rim[:, 0]].mean(axis=0), (len(rim), 3))
            total += _signed(np.stack([self.points[rim[:, 1]], self.points[rim[:, 0]], middle], axis=1) - centre)
        return abs(total) / 6000.0

    def samples(self, count: int) -> NDArray[np.float64]:
        """Return about ``count`` points spread over the surface's corners and triangles, (K, 3) mm."""
        both = np.concatenate([self.points[np.unique(self.faces)], self.points[self.faces].mean(axis=1)])
        return both[:: max(len(both) // count, 1)]


def _signed(corners: NDArray) -> float:
    return float(np.einsum("fi,fi->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])))


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The surfaces of a beat by phase; each phase maps the names of ``SURFACES`` to a surface."""

    phases: list[dict[str, Surface]]

    def from_diastole(self) -> Series:
        """Return the same beat with the phase of the largest LV first."""
        first = int(np.argmax(self.volumes_ml(SURFACES[0])))
        return Series([*self.phases[first:], *self.phases[:first]])

    def volumes_ml(self, name: str) -> NDArray[np.float64]:
        """Return the (T,) volumes inside one surface, ml."""
        return np.array([phase[name].volume_ml() for phase in self.phases])

    def frame(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return apex, base and RV centre (3,) mm of the first phase, found on the LV's opening."""
        lv, rv = self.phases[0]["LV_ENDOCARDIAL"], self.phases[0]["RV_ENDOCARDIAL"]
        rims = lv.rims()
        base = np.mean([lv.points[rim[:, 0]].mean(axis=0) for rim in rims], axis=0) if rims else lv.points.mean(axis=0)
        used = lv.points[np.unique(lv.faces)]
        return used[np.linalg.norm(used - base, axis=1).argmax()], base, rv.points[np.unique(rv.faces)].mean(axis=0)


def axes_of(apex: NDArray, base: NDArray, rv: NDArray) -> NDArray[np.float64]:
    """Return rows: LV axis (apex to base), direction to the RV, and their cross product; unit vectors."""
    axis = unit(base - apex)
    septal = unit((rv - apex) - ((rv - apex) @ axis) * axis)
    return np.stack([axis, septal, np.cross(axis, septal)])


def read_series(folder: Path) -> Series:
    """Read the surfaces ``*_LV_ENDOCARDIAL_000.vtk`` and so on of a folder, in the order of their numbers.

    Raises
    ------
    InputError
        If a phase lacks a surface, there are fewer than four phases, or a file cannot be read.
    """
    found: dict[int, dict[str, Path]] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        match = _NAME.search(path.name)
        if match:
            found.setdefault(int(match["phase"]), {})[match["surface"]] = path
    whole = all(set(names) == set(SURFACES) for names in found.values())
    if len(found) < 4 or not whole:
        state = f"{len(found)} phases" + ("" if whole else ", some incomplete")
        raise InputError(
            "a beat to compare with must be a folder of four or more phases, each with the surfaces "
            f"LV_ENDOCARDIAL_NNN, RV_ENDOCARDIAL_NNN and EPICARDIAL_NNN, found {state}; give another folder"
        )
    return Series([{name: _read(path) for name, path in found[phase].items()} for phase in sorted(found)])


def _read(path: Path) -> Surface:
    import pyvista as pv

    try:
        mesh = pv.read(path)
        mesh = mesh.triangulate().clean() if isinstance(mesh, pv.PolyData) and mesh.n_points else pv.PolyData()
    except (OSError, ValueError, RuntimeError) as exc:
        raise InputError(f"the surface {path.name} must be readable by VTK, found {type(exc).__name__}; export it again") from exc
    faces = np.asarray(mesh.faces).reshape(-1, 4)[:, 1:].astype(np.int64)
    if len(faces) == 0:
        raise InputError(f"the surface {path.name} must hold triangles, found none; export it again")
    return Surface(np.asarray(mesh.points, dtype=float), faces)

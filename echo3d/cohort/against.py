"""Our heart and beat held against a real one: a record is fitted to surfaces over a beat, and what is left is measured.

End-diastole is fitted first (place, shape, growth), then each law of motion at end-systole (strain, descent, regional motion, and a swing
of the whole heart that a scanner sees). Volumes are given, not fitted: EDV, EF and RV EF are those of the surfaces.
*Source:* our choice: Gauss-Newton on distances along our normals, with the widths of our own draws as prior.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from echo3d.anatomy.beat import FAMILIES, BeatDraw
from echo3d.anatomy.contours import longitudinal_strain
from echo3d.anatomy.growth import grown
from echo3d.anatomy.material import surface_material
from echo3d.anatomy.record import Growth, HeartRecord, rounded
from echo3d.anatomy.search import Search
from echo3d.anatomy.shape import load_modes, shaped
from echo3d.anatomy.solve import points_at
from echo3d.anatomy.template import load_template
from echo3d.anatomy.timing import Moment, moments, volume_share
from echo3d.cohort.series import SURFACES, Series, Surface, axes_of
from echo3d.core.mesh import region_faces
from echo3d.core.pose import rigid_between
from echo3d.core.structures import Structure
from echo3d.errors import InputError
from echo3d.progress import Progress, silent

_PAIRS = {
    "LV_ENDOCARDIAL": ((Structure.LV_CAVITY, Structure.LV_MYOCARDIUM),),
    "RV_ENDOCARDIAL": ((Structure.RV_CAVITY, Structure.RV_MYOCARDIUM), (Structure.RV_CAVITY, Structure.LV_MYOCARDIUM)),
    "EPICARDIAL": ((Structure.LV_MYOCARDIUM, Structure.BACKGROUND), (Structure.RV_MYOCARDIUM, Structure.BACKGROUND)),
}
"""The interfaces of the template that each surface shows."""

_SEEN_FROM = {
    "LV_ENDOCARDIAL": Structure.LV_CAVITY,
    "RV_ENDOCARDIAL": Structure.RV_CAVITY,
    "EPICARDIAL": Structure.BACKGROUND,
}
"""The region out of which the faces of a surface are wound."""

_NOISE_MM = 3.0
"""Distance that counts as much as one standard deviation of a drawn parameter."""


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A rigid place: positions x go to ``x @ rotation.T + shift``."""

    rotation: NDArray[np.float64]
    shift: NDArray[np.float64]

    def put(self, x: NDArray) -> NDArray[np.float64]:
        """Return positions (..., 3) at their place, mm."""
        return x @ self.rotation.T + self.shift


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """What came out of one law of motion.

    Parameters
    ----------
    record : the fitted heart
    swing : (6,) mm and degrees by which the heart as a whole moves from end-diastole to end-systole
    lv_ml, target_ml : (T,) LV volume, ours and the real heart's
    distance_mm : (T, 3) mean surface distance per phase and surface of ``SURFACES``, both ways averaged
    strain : our global longitudinal strain at end-systole
    """

    record: HeartRecord
    swing: NDArray[np.float64]
    lv_ml: NDArray[np.float64]
    target_ml: NDArray[np.float64]
    distance_mm: NDArray[np.float64]
    strain: float

    @property
    def rmse_ml(self) -> float:
        """Root mean square difference of the LV volume over the beat, ml."""
        return float(np.sqrt(np.mean((self.lv_ml - self.target_ml) ** 2)))

    def summary(self) -> dict[str, Any]:
        """Return the figures of the table."""
        return {
            "family": self.record.beat.family,
            "lv_rmse_ml": round(self.rmse_ml, 2),
            "distance_mm": round(float(self.distance_mm.mean()), 2),
            "distance_ed_mm": round(float(self.distance_mm[0].mean()), 2),
            "distance_worst_phase_mm": round(float(self.distance_mm.mean(axis=1).max()), 2),
            "by_surface_mm": {name: round(float(v), 2) for name, v in zip(SURFACES, self.distance_mm.mean(axis=0), strict=True)},
            "gls_percent": round(100 * self.strain, 1),
            "swing_mm": round(float(np.linalg.norm(self.swing[:3])), 1),
            "swing_degrees": round(float(np.linalg.norm(self.swing[3:])), 1),
        }


def fit_all(series: Series, families: tuple[str, ...] = FAMILIES, progress: Progress = silent) -> list[Fit]:
    """Return the fits of a real beat by each law of motion, the nearest first."""
    progress(0.0, "Fitting the heart at end-diastole")
    timing, edv_ml = fit_timing(series)
    record, place = fit_diastole(series, edv_ml)
    fits = []
    for k, family in enumerate(families):
        progress((k + 1) / (len(families) + 1), f"Fitting the beat: {family}")
        fits.append(fit_beat(series, record, place, replace(timing, family=family)))
    return sorted(fits, key=lambda fit: float(fit.distance_mm.mean()))


@lru_cache(maxsize=1)
def _own_faces() -> dict[str, NDArray[np.int64]]:
    """Return the template's faces that each surface shows."""
    template = load_template()
    result = {}
    for name, pairs in _PAIRS.items():
        match = np.zeros(len(template.sides), dtype=bool)
        for one, other in pairs:
            match |= (template.sides == one).any(axis=1) & (template.sides == other).any(axis=1)
        result[name] = region_faces(template.mesh.faces[match], template.sides[match], _SEEN_FROM[name]).astype(np.int64)
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """Points of the real surfaces, the own points next to them, and the own normals there."""

    rows: NDArray[np.int64]
    goal: NDArray[np.float64]
    normal: NDArray[np.float64]

    def misses(self, points: NDArray) -> NDArray[np.float64]:
        """Return the distances along the normals, and a fifth of those across, mm; far ones are held at 10 mm."""
        arm = points[self.rows] - self.goal
        along = np.einsum("ki,ki->k", arm, self.normal)
        across = arm - along[:, None] * self.normal
        return np.concatenate([np.clip(along, -10, 10), 0.2 * np.clip(across, -10, 10).ravel()])


def matched(points: NDArray, phase: dict[str, Surface], count: int = 350) -> Matches:
    """Return matches of some points of each real surface with the own surface of that name."""
    rows, goals, normals = [], [], []
    for name, faces in _own_faces().items():
        used = np.unique(faces)
        goal = phase[name].samples(count)
        nearest = used[cKDTree(points[used]).query(goal)[1]]
        rows.append(nearest)
        goals.append(goal)
        normals.append(_point_normals(points, faces)[nearest])
    return Matches(np.concatenate(rows), np.concatenate(goals), np.concatenate(normals))


def _point_normals(points: NDArray, faces: NDArray) -> NDArray[np.float64]:
    """Return unit normals (N, 3) of the points of some faces, which are all wound alike."""
    a, b, c = (points[faces[:, k]] for k in range(3))
    normal, total = np.cross(b - a, c - a), np.zeros_like(points)
    for k in range(3):
        np.add.at(total, faces[:, k], normal)
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-9)


def gauss_newton(
    build: Callable[[NDArray], NDArray], start: NDArray, match: Callable[[NDArray], Matches], rounds: int
) -> NDArray[np.float64]:
    """Return the parameters, in standard deviations of their prior, that bring the built points nearest to the matches.

    Parameters
    ----------
    build : points (N, 3) for parameters (P,)
    start : (P,) parameters
    match : new matches for points
    rounds : steps, each with new matches
    """
    value = start
    for _ in range(rounds):
        points = build(value)
        pairs = match(points)
        miss = pairs.misses(points) / _NOISE_MM
        step = 0.1
        slope = np.stack([(pairs.misses(build(value + step * one)) / _NOISE_MM - miss) / step for one in np.eye(len(value))], axis=1)
        move = np.linalg.solve(slope.T @ slope + np.eye(len(value)), -(slope.T @ miss) - value)
        value = value + np.clip(move, -1.5, 1.5)
    return value


_SHAPE = ("cavity", "wall", "rv", "length", "septal")
_SHAPE_WIDTH = np.array([0.25, 0.3, 0.3, 0.08, 0.2])
_PLACE_WIDTH = np.array([5.0, 5.0, 5.0, 0.15, 0.15, 0.15])


def fit_diastole(series: Series, edv_ml: float) -> tuple[HeartRecord, Placed]:
    """Return the record whose end-diastolic heart lies nearest to the first phase, and where it has to be put."""
    template, material = load_template(), surface_material()
    own = [template.landmark(template.points, name) for name in ("lv_apex_endo", "mitral", "rv")]
    there, here = axes_of(*series.frame()), axes_of(own[0], own[1], own[2])
    turn = there.T @ here
    first = Placed(turn, (series.frame()[0] + series.frame()[1]) / 2 - turn @ (own[0] + own[1]) / 2)
    modes = len(load_modes()[1])

    def read(value: NDArray) -> tuple[HeartRecord, Placed]:
        place, shape, growth = value[:6] * _PLACE_WIDTH, value[6:-5], value[-5:] * _SHAPE_WIDTH
        record = HeartRecord(
            modes=rounded(shape[:modes]),
            stretch=rounded(0.1 * shape[modes : modes + 3]),  # type: ignore[arg-type]
            shear=rounded(0.06 * shape[modes + 3 : modes + 6]),  # type: ignore[arg-type]
            polynomial=rounded(shape[modes + 6 :] * np.tile(np.repeat([1.6, 1.0], [6, 10]), 3)),
            growth=Growth(*rounded((1 + growth[0], 1 + growth[1], growth[2], 0.0, 0.0, growth[3], growth[4]))),
        )
        turned = Rotation.from_rotvec(place[3:]).as_matrix()
        pivot = first.put(template.landmark(template.points, "lv"))
        return record, Placed(turned @ first.rotation, turned @ (first.shift - pivot) + pivot + place[:3])

    def build(value: NDArray) -> NDArray[np.float64]:
        record, place = read(value)
        return place.put(grown(material, shaped(record, surfaces_only=True), record.growth))

    value = gauss_newton(build, np.zeros(6 + modes + 6 + 48 + 5), lambda points: matched(points, series.phases[0]), 7)
    record, place = read(value)
    return _with_volumes(record, edv_ml, series.volumes_ml(SURFACES[1])[0]), place


def _with_volumes(record: HeartRecord, lv_ml: float, rv_ml: float) -> HeartRecord:
    """Return the record with cavity and RV grown to hold what the real heart holds."""
    template, material = load_template(), surface_material()
    goal = np.array([lv_ml, rv_ml])
    x = shaped(record, surfaces_only=True)

    def misses(growth: Growth) -> NDArray[np.float64]:
        volumes = template.volumes_ml(grown(material, x, growth))
        return np.array([volumes["lv"], volumes["rv"]]) / goal - 1

    search: Search[Growth] = Search(misses, {"cavity": (0.4, 2.2), "rv": (-0.7, 1.6)})
    return replace(record, growth=search.met(record.growth))


def fit_timing(series: Series) -> tuple[BeatDraw, float]:
    """Return a beat with the times and ejection fractions of the real volume curves, and the LV's end-diastolic volume in ml.

    For every heart rate, end-systole and atrial share of a raster, the volumes that fit best follow by least squares.
    """
    lv, rv = (series.volumes_ml(name) for name in SURFACES[:2])
    phases, es = len(lv), int(np.argmin(lv))
    time = np.arange(phases) / phases
    best: tuple[float, BeatDraw, float] | None = None
    for rate, shift, kick in product(range(40, 116, 5), (-1, 0, 1), np.arange(0.02, 0.46, 0.04)):
        draw = BeatDraw(heart_rate=float(rate), systole=(es + shift) / phases, kick=float(kick))
        table = np.stack([np.ones(phases), -volume_share(draw, time)], axis=1)
        (edv, sv), *_ = np.linalg.lstsq(table, lv, rcond=None)
        miss = float(((table @ [edv, sv] - lv) ** 2).sum())
        if best is None or miss < best[0]:
            ef, rv_ef = (float(np.clip(v, 0.08, 0.8)) for v in (sv / edv, 1 - rv[es] / rv[0]))
            best = miss, replace(draw, ef=ef, rv_ef=rv_ef, gls=-0.325 * ef), float(edv)
    if best is None:
        raise InputError("a beat to compare with must have phases, found none; give another folder")
    return best[1], best[2]


_BEAT = ("gls", "tapse", "apical", "basal", "septal", "torsion")
_BEAT_WIDTH = np.array([0.03, 0.35, 0.12, 0.12, 0.25, 6.0])


def fit_beat(series: Series, record: HeartRecord, place: Placed, start: BeatDraw) -> Fit:
    """Return the fit of one law of motion at end-systole, measured over the whole beat."""
    es = round(start.systole * len(series.phases))
    material = surface_material()
    ed = grown(material, shaped(record, surfaces_only=True), record.growth)

    def read(value: NDArray) -> tuple[BeatDraw, NDArray[np.float64]]:
        drawn = zip(_BEAT, _BEAT_WIDTH, value, strict=False)
        changed: dict[str, Any] = {name: float(getattr(start, name) + width * v) for name, width, v in drawn}
        changed["gls"] = float(np.clip(changed["gls"], -0.27, -0.01))
        segments = tuple(float(v) for v in np.clip(1 + 0.15 * value[6:23], 0.2, 1.8))
        return replace(start, **changed, segments=segments), value[23:] * np.array([3.0, 3.0, 3.0, 4.0, 4.0, 4.0])

    def build(value: NDArray) -> NDArray[np.float64]:
        draw, swing = read(value)
        return _swung(place.put(points_at(ed, draw)), swing, 1.0)

    value = gauss_newton(build, np.zeros(29), lambda points: matched(points, series.phases[es]), 4)
    draw, swing = read(value)
    return _measured(series, replace(record, beat=draw), place.put(ed), swing, ed)


def _swung(points: NDArray, swing: NDArray, share: float) -> NDArray[np.float64]:
    """Return points moved and turned about their middle by a share of a swing (mm, degrees)."""
    middle = points.mean(axis=0)
    turn = Rotation.from_rotvec(share * np.radians(swing[3:])).as_matrix()
    return np.asarray((points - middle) @ turn.T + middle + share * swing[:3])


def _measured(series: Series, record: HeartRecord, placed: NDArray, swing: NDArray, ed: NDArray) -> Fit:
    """Return volumes and distances of a fitted record over all phases."""
    template = load_template()
    to_place = Placed(*rigid_between(ed, placed))
    volumes, distances, strain = [], [], 0.0
    for moment, phase in zip(moments(record.beat, len(series.phases)), series.phases, strict=True):
        points = ed if moment == Moment(0, 0, 0, 0, 0, 0) else points_at(ed, record.beat, moment)
        volumes.append(template.volumes_ml(points)["lv"])
        strain = min(strain, longitudinal_strain(ed, points))
        there = _swung(to_place.put(points), swing, moment.long)
        distances.append([_distance(there, _own_faces()[name], phase[name]) for name in SURFACES])
    return Fit(record, swing, np.array(volumes), series.volumes_ml(SURFACES[0]), np.array(distances), strain)


def _distance(points: NDArray, faces: NDArray, real: Surface) -> float:
    """Return the mean distance between two surfaces in mm, both ways averaged, over corners and triangle middles."""
    own = np.concatenate([points[np.unique(faces)], points[faces].mean(axis=1)])
    other = np.concatenate([real.points[np.unique(real.faces)], real.points[real.faces].mean(axis=1)])
    there, back = cKDTree(own).query(other)[0], cKDTree(other).query(own)[0]
    return float((there.mean() + back.mean()) / 2)

"""Whole drawn hearts: modes, affine, polynomial and local variation, remodelling, and a beat; all from one small record.

The generator is wider than the modes, because the span of a dozen hearts is what limits real shapes (reference feasibility.md).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echo3d.anatomy.beat import BeatDraw, at_target, draw_beat, solve_motion
from echo3d.anatomy.material import GRID_SIDE, Material, bullet_of, load_material
from echo3d.anatomy.template import field_grid, load_label_volume, load_template, read_arrays
from echo3d.core.field import sample_grid
from echo3d.core.pose import rigid_between, rotation_matrix
from echo3d.errors import InputError
from echo3d.paths import resource

PATHOLOGIES = ("none", "dcm", "hcm", "rv")


@dataclass(frozen=True, slots=True)
class HeartRecord:
    """Everything that was drawn for one heart; plain numbers, so that JSON keeps it.

    Parameters
    ----------
    modes : coefficients of the statistical modes, in standard deviations
    stretch, shear : log scale along and shear between the template's axes
    polynomial : coefficients (mm) of quadratic and cubic warps, 3 x 16 numbers row by row
    locals : per local warp centre index, reach mm, displacement x y z mm
    cavity, wall : scale of the LV's inner radius and of its wall volume
    chambers : relative growth of rv, la, ra about their centres
    beat : the motion
    """

    modes: tuple[float, ...]
    stretch: tuple[float, float, float]
    shear: tuple[float, float, float]
    polynomial: tuple[float, ...]
    locals: tuple[tuple[float, float, float, float, float], ...]
    cavity: float
    wall: float
    chambers: tuple[float, float, float]
    beat: BeatDraw = field(default_factory=BeatDraw)


@dataclass(frozen=True, slots=True, eq=False)
class Heart:
    """A built heart: all material positions (template points, then raster nodes) of both phases, mm."""

    record: HeartRecord
    ed: NDArray[np.float64]
    es: NDArray[np.float64]


@lru_cache(maxsize=1)
def load_modes() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean (M, 3) and modes (Q, M, 3) of the training hearts at all material positions; mm, one standard deviation each."""
    data, rest = read_arrays(resource("template/modes.npz")), load_material().rest
    index = field_grid(GRID_SIDE).index(rest)
    modes = np.stack([sample_grid(mode.astype(float), index) for mode in data["modes"]])
    return sample_grid(data["mean"].astype(float), index), modes


def draw_heart(rng: np.random.Generator, *, ef: float | None = None, pathology: str | None = None) -> HeartRecord:
    """Draw one heart.

    Parameters
    ----------
    rng : NumPy generator
    ef : ejection fraction; drawn to fit the pathology where not given
    pathology : "none", "dcm", "hcm", "rv" or None for a random mixture

    Raises
    ------
    InputError
        If the pathology is not known or the EF out of range.
    """
    kind = str(rng.choice(PATHOLOGIES, p=(0.55, 0.2, 0.15, 0.1))) if pathology is None else pathology
    if kind not in PATHOLOGIES:
        raise InputError(f"a pathology must be one of {', '.join(PATHOLOGIES)}, found {kind!r}; choose one of these")
    cavity, wall, chambers, fraction = _remodelling(rng, kind)
    size = rng.normal(0, 0.07)
    template = load_template()
    count = int(rng.integers(4, 9))
    return HeartRecord(
        modes=_floats(np.clip(rng.normal(0, 0.85, len(load_modes()[1])), -2, 2)),
        stretch=_floats(size + rng.normal(0, 0.045, 3)),
        shear=_floats(rng.normal(0, 0.045, 3)),
        polynomial=_floats(rng.normal(0, 1, 48) * np.tile(np.repeat([1.1, 0.65], [6, 10]), 3)),
        locals=tuple(
            _floats((rng.integers(len(template.points)), rng.uniform(16, 36), *rng.normal(0, 1.3, 3)))  # type: ignore[misc]
            for _ in range(count)
        ),
        cavity=cavity,
        wall=wall,
        chambers=chambers,
        beat=draw_beat(rng, fraction if ef is None else ef),
    )


def _floats(values: NDArray | tuple) -> tuple:
    return tuple(round(float(v), 5) for v in values)


def _remodelling(rng: np.random.Generator, kind: str) -> tuple[float, float, tuple[float, float, float], float]:
    """Return cavity scale, wall scale, chamber growth and EF typical of a kind. *Source:* science.md E.8, E.9 (ranges)."""
    ranges = {
        "none": ((0.86, 1.14), (0.8, 1.2), (-0.12, 0.12), (0.45, 0.75)),
        "dcm": ((1.08, 1.45), (0.9, 1.35), (-0.05, 0.25), (0.1, 0.48)),
        "hcm": ((0.72, 1.0), (1.2, 2.0), (-0.1, 0.2), (0.45, 0.78)),
        "rv": ((0.8, 1.05), (0.85, 1.2), (0.1, 0.35), (0.3, 0.68)),
    }
    cavity, wall, growth, fraction = ranges[kind]
    return (
        round(float(rng.uniform(*cavity)), 5),
        round(float(rng.uniform(*wall)), 5),
        (round(float(rng.uniform(*growth)), 5), round(float(rng.uniform(-0.15, 0.3)), 5), round(float(rng.uniform(-0.15, 0.3)), 5)),
        round(float(rng.uniform(*fraction)), 5),
    )


def build_heart(record: HeartRecord, *, share: float = 1.0) -> Heart:
    """Return the heart of a record, both phases aligned rigidly as one to the template at end-diastole.

    Parameters
    ----------
    record : what was drawn
    share : how far the end-systolic phase goes; 1 is the drawn EF
    """
    ed = end_diastole(record)
    return Heart(record, ed, at_target(solve_motion(ed, record.beat, share)))


def end_diastole(record: HeartRecord) -> NDArray[np.float64]:
    """Return all material positions (M, 3) at end-diastole, aligned rigidly to the template, mm."""
    material = load_material()
    mean, modes = load_modes()
    x = material.rest + mean + np.tensordot(np.array(record.modes), modes, axes=1)
    x = _affine(x, record)
    x = x + _polynomial(material, record) + _local(material, record)
    x = _remodelled(material, x, record)
    return aligned(material, x)


def aligned(material: Material, x: NDArray) -> NDArray[np.float64]:
    """Return positions moved rigidly so that the template's points lie nearest to the template."""
    rotation, shift = rigid_between(x[: material.count], material.rest[: material.count])
    return x @ rotation.T + shift


def _affine(x: NDArray, record: HeartRecord) -> NDArray[np.float64]:
    shear = np.eye(3)
    shear[0, 1], shear[0, 2], shear[1, 2] = record.shear
    frame = rotation_matrix(np.array([30.0, 0.0, 40.0]))
    return x @ (frame @ np.diag(np.exp(record.stretch)) @ shear @ frame.T).T


def _polynomial(material: Material, record: HeartRecord) -> NDArray[np.float64]:
    """Return the (M, 3) smooth warp of quadratic and cubic monomials of the rest position over 60 mm, mm."""
    u = material.rest / 60.0
    x, y, z = np.clip(u, -1.4, 1.4).T
    square = [x * x, y * y, z * z, x * y, x * z, y * z]
    cube = [x**3, y**3, z**3, x * x * y, x * x * z, y * y * x, y * y * z, z * z * x, z * z * y, x * y * z]
    return np.stack(square + cube, axis=1) @ np.array(record.polynomial).reshape(3, 16).T


def _local(material: Material, record: HeartRecord) -> NDArray[np.float64]:
    result = np.zeros_like(material.rest)
    for index, reach, *shift in record.locals:
        square = ((material.rest - material.rest[int(index)]) ** 2).sum(axis=1)
        result += np.exp(-square / (2 * reach**2))[:, None] * np.array(shift)
    return result


def _remodelled(material: Material, x: NDArray, record: HeartRecord) -> NDArray[np.float64]:
    """Return positions after growth of the LV's cavity and wall and of the other chambers."""
    template = load_template()
    bullet = bullet_of(template, x)
    height, radius, direction = bullet.split(x)
    inner = material.inner @ bullet.split(x[material.inner_points])[1]
    outer = np.maximum(material.outer @ bullet.split(x[material.outer_points])[1], inner + 2.0)
    still = np.exp(-((np.maximum(height - 0.9, 0) / 0.35) ** 2))
    cavity, wall = 1 + (record.cavity - 1) * still, 1 + (record.wall - 1) * still
    new_inner = inner * cavity
    thickness = (np.minimum(np.maximum(radius, inner), outer) - inner) * wall / np.maximum(cavity, 0.6) ** 0.5
    shift = new_inner + thickness - np.minimum(np.maximum(radius, inner), outer)
    beyond = np.maximum(radius - outer, 0)
    new_radius = np.where(radius <= inner, radius * cavity, radius + shift * np.exp(-beyond / 30.0))
    result = x + (new_radius - radius)[:, None] * direction
    for key, growth in zip(("rv", "la", "ra"), record.chambers, strict=True):
        result = result + growth * material.soft[key][:, None] * (x - template.landmark(x, key))
    return result


@lru_cache(maxsize=1)
def _nodes_in_heart() -> NDArray[np.bool_]:
    grid = field_grid(GRID_SIDE)
    return (load_label_volume().look_up(grid.nodes()) > 0).reshape(grid.side, grid.side, grid.side)


def smallest_jacobian(x: NDArray) -> float:
    """Return the smallest volume change of the map from the template to positions ``x`` (M, 3), over the heart; folds are negative."""
    grid, material = field_grid(GRID_SIDE), load_material()
    nodes = x[material.count :].reshape(grid.side, grid.side, grid.side, 3)
    step = (grid.high - grid.low) / (grid.side - 1)
    columns = [np.gradient(nodes, step[axis], axis=axis) for axis in range(3)]
    return float(np.linalg.det(np.stack(columns, axis=-1)[_nodes_in_heart()]).min())


def sound_heart(rng: np.random.Generator, *, ef: float | None = None, pathology: str | None = None) -> Heart:
    """Draw and build hearts until one has no fold in either phase and chambers of possible size.

    Raises
    ------
    InputError
        If twenty draws in a row fail.
    """
    for _ in range(20):
        heart = build_heart(draw_heart(rng, ef=ef, pathology=pathology))
        volumes = load_template().volumes_ml(heart.ed)
        possible = 45 <= volumes["lv"] <= 380 and volumes["rv"] >= 50 and volumes["la"] >= 18 and volumes["ra"] >= 22
        if possible and min(smallest_jacobian(heart.ed), smallest_jacobian(heart.es)) > 0.02:
            return heart
    raise InputError("no sound heart came out of twenty draws; choose another seed or a milder ejection fraction")


def record_to_json(record: HeartRecord) -> dict:
    """Return the record as plain JSON values."""
    return asdict(record)


def record_from_json(values: dict) -> HeartRecord:
    """Return the record that :func:`record_to_json` wrote.

    Raises
    ------
    InputError
        If a field is missing or unknown.
    """
    try:
        rest: dict[str, Any] = {key: _tuples(value) for key, value in values.items() if key != "beat"}
        return HeartRecord(**rest, beat=BeatDraw(**values["beat"]))
    except (TypeError, KeyError) as exc:
        raise InputError(f"a heart record must hold the fields of HeartRecord; {exc}; write it with echo3d simulate") from exc


def _tuples(value: object) -> object:
    return tuple(_tuples(item) for item in value) if isinstance(value, list | tuple) else value

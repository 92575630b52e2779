"""The skin of our own body: trunk, neck and the beginning of the arms, blended into one smooth closed surface."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from echo3d.anatomy.implicit import Field, Raster, closed_surface, cone, ellipsoid, raster_over, soft_cut, soft_meet, soft_union
from echo3d.anatomy.proportions import Build, at_level, section_power
from echo3d.anatomy.thorax import clavicle_path, shoulder, vertebra
from echo3d.anatomy.tubes import Surface

STEP_MM = 6.0
_NECK_TOP_MM, _TRUNK_END_MM = 96.0, -545.0


def skin(build: Build) -> Surface:
    """Return the skin from below the chin to the hips, closed at neck, arms and hips, alike on both sides.

    *Source:* the idea of blended distance fields is Quilez's; the shapes are ours, their measures those of ``build``.
    """
    half = _half_raster(build)
    field = soft_union(_trunk(build, half), _neck(build, half), 30.0 * build.size)
    field = soft_union(field, _arm(build, half), 26.0 * build.size)
    for part, blend in _reliefs(build, half):
        field = soft_union(field, part, blend * build.size)
    for part, blend in _hollows(build, half):
        field = soft_cut(field, part, blend * build.size)
    field = soft_meet(field, _between_ends(build, half), 14.0 * build.size)
    both = np.concatenate([field[:0:-1], field])
    whole = Raster((-half.low[0] - STEP_MM * (half.counts[0] - 1), *half.low[1:]), both.shape, STEP_MM)
    return closed_surface(both, whole)


def _half_raster(build: Build) -> Raster:
    """Return the raster of the left half, its first layer in the middle plane."""
    breadth = max(float(build.skin[:, 1].max()), shoulder(build)[0] + 140.0 * build.size) + 12.0
    depth = build.skin[:, 2:].max(axis=0) + (75.0 if build.record.sex == "f" else 34.0) * build.size
    low = np.array([0.0, -depth[0], _TRUNK_END_MM * build.size - 12.0])
    return raster_over(low, np.array([breadth, depth[1], _NECK_TOP_MM * build.size + 12.0]), STEP_MM)


def _trunk(build: Build, raster: Raster) -> Field:
    """Return about the distance to the trunk: a superellipse at every height."""
    x, y, z = raster.axes()
    rows = at_level(build.skin, z.ravel()).astype(np.float32)
    breadth, front, back = (rows[None, None, :, i] for i in range(3))
    power = np.interp(z.ravel() / build.size, [-560, -330, -140, 0], [section_power(v) for v in (-560, -330, -140, 0)])
    power = power.astype(np.float32)[None, None, :]
    depth = np.where(y < 0, front, back)
    side = np.exp(power * np.log(np.maximum(np.abs(x), 1e-3) / breadth))
    ahead = np.exp(power * np.log(np.maximum(np.abs(y), 1e-3) / depth))
    reach = np.exp(np.log(side + ahead) / power)
    trunk = (reach - 1) * np.minimum(breadth, np.minimum(front, back))
    return soft_meet(trunk, z - np.float32(16 * build.size) + 0 * trunk, 44.0 * build.size)


def _neck(build: Build, raster: Raster) -> Field:
    """Return the neck, an oval column that leans forward, and the slope of the trapezius down to the shoulder."""
    s = build.size
    radius = 58.0 * s * build.girth**0.6 * (1.0 if build.record.sex == "m" else 0.9)
    column = cone(raster, np.array([[0, 42 * s, -40 * s], [0, 12 * s, 140 * s]]), (radius * 1.08, radius))
    joint = shoulder(build)
    slope = cone(raster, np.array([[10 * s, 52 * s, 14 * s], joint + np.array([-14 * s, 12 * s, -10 * s])]), (38.0 * s, 44.0 * s))
    return soft_union(column, slope, 30.0 * s)


def _arm(build: Build, raster: Raster) -> Field:
    """Return shoulder and the upper half of the arm, held away from the chest."""
    s, joint = build.size, shoulder(build)
    thick = build.girth**0.7 * (1.0 if build.record.sex == "m" else 0.92)
    arm = cone(raster, np.array([joint, joint + np.array([112.0, 2.0, -136.0]) * s]), (55.0 * s * thick, 45.0 * s * thick))
    deltoid = ellipsoid(raster, joint + np.array([8.0, 0.0, -14.0]) * s, np.array([54.0, 56.0, 60.0]) * s * thick)
    cut = _plane(raster, joint + np.array([92.0, 0.0, -112.0]) * s, np.array([0.636, 0.0, -0.772]))
    return soft_meet(soft_union(arm, deltoid, 24.0 * s), cut, 12.0 * s)


def _plane(raster: Raster, point: NDArray, normal: NDArray) -> Field:
    """Return the distance to a half space whose outward normal is given."""
    x, y, z = ((axis - np.float32(c)) * np.float32(n) for axis, c, n in zip(raster.axes(), point, normal, strict=True))
    return x + y + z


def _reliefs(build: Build, raster: Raster) -> Iterator[tuple[Field, float]]:
    """Yield what stands out of the trunk: breast, collar bone, shoulder blade, buttock; with their blends."""
    s = build.size
    front, back = -at_level(build.skin, -112 * s)[1], at_level(build.skin, -110 * s)[2]
    if build.record.sex == "m":
        yield ellipsoid(raster, np.array([78 * s, front + 46 * s, -92 * s]), np.array([76, 46, 64]) * s), 44.0
    else:
        full = build.girth**0.9
        yield ellipsoid(raster, np.array([74 * s, front + 16 * s, -140 * s]), np.array([60, 56, 62]) * s * full), 26.0
    collar = clavicle_path(build)[[1, 10, 20, 30, 37]]
    sticks = [cone(raster, np.array(ends), (0.5 * build.tissue + 7.0 * s,) * 2) for ends in zip(collar[:-1], collar[1:], strict=True)]
    yield np.minimum.reduce(sticks), 24.0
    yield ellipsoid(raster, np.array([88 * s, back - 38 * s, -78 * s]), np.array([62, 38, 92]) * s), 52.0
    seat = at_level(build.skin, -505 * s)[2]
    yield ellipsoid(raster, np.array([78 * s, seat - 48 * s, -515 * s]), np.array([80, 62, 82]) * s), 34.0


def _hollows(build: Build, raster: Raster) -> Iterator[tuple[Field, float]]:
    """Yield what is sunk into the trunk: the notch over the sternum, the furrow of the spine, the line between the breasts, the navel."""
    s = build.size
    collar, chest = -float(at_level(build.skin, 0.0)[1]), -float(at_level(build.skin, -100 * s)[1])
    yield ellipsoid(raster, np.array([0, collar - 6 * s, 21 * s]), np.array([15, 22, 15]) * s), 14.0
    yield cone(raster, np.array([[0, collar - 42 * s, -40 * s], [0, chest - 25 * s, -120 * s]]), (19.0 * s, 17.0 * s)), 26.0
    levels = (-20.0, -140.0, -260.0, -380.0)
    spots = [np.array([0, at_level(build.skin, z * s)[2] + 22 * s, z * s]) for z in levels]
    for low, high in zip(spots[1:], spots[:-1], strict=True):
        yield cone(raster, np.array([low, high]), (21.0 * s, 21.0 * s)), 34.0
    belly = -float(at_level(build.skin, -360 * s)[1])
    yield ellipsoid(raster, np.array([0, belly - 1 * s, -360 * s]), np.array([7, 9, 9]) * s), 8.0


def _between_ends(build: Build, raster: Raster) -> Field:
    """Return the distance to the slab between the cut of the neck, which rises to the back, and that of the hips."""
    s = build.size
    top = _plane(raster, np.array([0, vertebra(build, 60 * s)[0], _NECK_TOP_MM * s]), np.array([0.0, -0.14, 0.99]))
    low = _plane(raster, np.array([0, 0, _TRUNK_END_MM * s]), np.array([0.0, 0.0, -1.0]))
    return np.maximum(top, low)

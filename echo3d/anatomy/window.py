"""The acoustic window of a probe: which of its beams bone and lung stop before they reach the heart.

A fan is flat, so all bones and lungs are cut once with its plane, and the beams are met with the outlines in that plane. This is exact for
the triangles and takes a few milliseconds; no voxels, no tree of boxes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from echo3d.core.arrays import frozen_array
from echo3d.core.body import BONES, LUNGS, BodyMesh, BodyPart, part_surface
from echo3d.core.mesh import HeartMesh
from echo3d.core.sector import Sector, sector_towards
from echo3d.errors import InputError

_SLIDE_MM = 6.0
_NO_SKIN = "a probe needs skin between itself and the heart, found none on its central beam; move the heart into the body"


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """What the beams of a fan meet.

    Parameters
    ----------
    angles : (L,) degrees against the central beam, positive towards the picture's right
    start_mm : (L,) depth at which a beam meets bone or lung; 0 where the probe stands in it, infinite where it meets none
    part : (L,) uint8, the ``BodyPart`` met there, 0 for none
    heart_mm : (L,) depth at which a beam meets the heart, infinite where it passes by
    """

    angles: NDArray[np.float64]
    start_mm: NDArray[np.float64]
    part: NDArray[np.uint8]
    heart_mm: NDArray[np.float64]

    @property
    def lung(self) -> NDArray[np.bool_]:
        """Which beams (L,) lung stops, before or behind the heart."""
        return np.isin(self.part, LUNGS)

    @property
    def blocked(self) -> NDArray[np.bool_]:
        """Which beams (L,) are stopped: those aimed at the heart that meet bone or lung before it."""
        return np.isfinite(self.heart_mm) & (self.start_mm < self.heart_mm)

    @property
    def share(self) -> float:
        """The share of the beams aimed at the heart that are stopped, 0 (open) to 1 (shut, or no beam aimed at the heart)."""
        aimed = np.isfinite(self.heart_mm)
        return float(self.blocked[aimed].mean()) if aimed.any() else 1.0

    def share_of(self, *parts: BodyPart) -> float:
        """Return the share of the beams aimed at the heart that some parts stop; 0 where no beam is aimed at it."""
        aimed = np.isfinite(self.heart_mm)
        return float((self.blocked & np.isin(self.part, parts))[aimed].mean()) if aimed.any() else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Obstacles:
    """The surfaces of bones and lungs of a body, ready to be cut.

    Parameters
    ----------
    points : (N, 3) mm
    faces : (F, 3), wound outwards
    parts : (F,) uint8 ``BodyPart``
    """

    points: NDArray[np.float64]
    faces: NDArray[np.int32]
    parts: NDArray[np.uint8]

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", frozen_array(self.points, np.float64, (None, 3), "points"))
        object.__setattr__(self, "faces", frozen_array(self.faces, np.int32, (None, 3), "faces"))
        object.__setattr__(self, "parts", frozen_array(self.parts, np.uint8, (len(self.faces),), "parts"))


def obstacles_of(body: BodyMesh) -> Obstacles:
    """Return bones and lungs of a body; one without them stops no beam."""
    kept = np.isin(body.labels, (*BONES, *LUNGS))
    used, faces = np.unique(body.faces[kept], return_inverse=True)
    return Obstacles(body.points[used], faces.reshape(-1, 3).astype(np.int32), body.labels[kept])


def beam_angles(sector: Sector, lines: int) -> NDArray[np.float64]:
    """Return (lines,) angles of the beams, degrees; each stands for the middle of its share of the fan, as in ``style.polar``.

    >>> beam_angles(Sector(np.zeros(3), np.array([0, 0, 1.0]), np.array([1.0, 0, 0]), 40, 150), 2)
    array([-20.,  20.])
    """
    return ((np.arange(lines) + 0.5) / lines * 2 - 1) * sector.half_angle


def acoustic_window(obstacles: Obstacles, heart: HeartMesh, sector: Sector, *, lines: int = 96) -> Window:
    """Return what the beams of a fan meet on their way.

    Parameters
    ----------
    obstacles : see :func:`obstacles_of`
    heart : in the body's frame
    sector : the fan, whose tip stands on or under the skin
    lines : beams
    """
    angles = beam_angles(sector, lines)
    start, face, leaves = first_hits(obstacles.points, obstacles.faces, sector, angles)
    part = np.where(face >= 0, obstacles.parts[face], 0) if len(obstacles.parts) else np.zeros(lines)
    heart_mm, _, _ = first_hits(heart.points, heart.faces, sector, angles)
    return Window(angles, np.where(leaves, 0.0, start), part.astype(np.uint8), heart_mm)


def first_hits(
    points: NDArray, faces: NDArray, sector: Sector, angles: NDArray
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return where the beams of a fan first meet a surface.

    Returns
    -------
    depth : (L,) mm along each beam, infinite where it meets nothing within the fan's depth
    face : (L,) the triangle met, -1 for none
    leaves : (L,) whether the beam comes out of the solid there, having begun within it
    """
    face, ends = _outline(points, faces, sector)
    turn = np.radians(angles)
    beam = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    way = ends[:, 1] - ends[:, 0]
    starts, stops, slope = (_cross(beam[:, None], v) for v in (ends[:, 0], ends[:, 1], way))
    meets = (starts <= 0) != (stops <= 0)
    depth = np.divide(_cross(ends[:, 0], way), slope, out=np.full(slope.shape, np.inf), where=meets)
    depth[~meets | (depth <= 0) | (depth > sector.depth)] = np.inf
    if depth.shape[1] == 0:
        return np.full(len(angles), np.inf), np.full(len(angles), -1), np.zeros(len(angles), bool)
    first = depth.argmin(axis=1)
    least = np.take_along_axis(depth, first[:, None], axis=1)[:, 0]
    met = np.isfinite(least)
    corners = points[faces[face[first]]]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    ahead = beam @ np.stack([sector.axis, sector.lateral])
    leaves = met & (np.einsum("li,li->l", normal, ahead) > 0)
    return least, np.where(met, face[first], -1), leaves


def _cross(one: NDArray, other: NDArray) -> NDArray[np.float64]:
    """Return the cross product of flat vectors (..., 2)."""
    return np.asarray(one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0])


def _outline(points: NDArray, faces: NDArray, sector: Sector) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return where the fan's plane cuts triangles: their numbers (K,) and the ends (K, 2, 2) of the cuts as (depth, lateral), mm."""
    seen = sector.plane(points)
    above = seen[:, 2] > 0
    first, second, third = (above.take(faces[:, i]) for i in range(3))
    cut = np.flatnonzero((first != second) | (first != third))
    corners = faces[cut]
    count = above[corners].sum(axis=1)
    near = (np.abs(seen[corners, :2]).min(axis=1) <= sector.depth).all(axis=1)
    cut, corners, count = cut[near], corners[near], count[near]
    # Each cut triangle has one corner alone on its side; it comes first.
    alone = np.argmax(above[corners] == (count == 1)[:, None], axis=1)
    order = (alone[:, None] + np.arange(3)) % 3
    at = seen[np.take_along_axis(corners, order, axis=1)]
    share = at[:, :1, 2] / (at[:, :1, 2] - at[:, 1:, 2])
    return cut, at[:, :1, :2] + share[..., None] * (at[:, 1:, :2] - at[:, :1, :2])


def on_skin(body: BodyMesh, sector: Sector, *, press_mm: float = 8.0) -> Sector:
    """Return the fan with its tip moved along its central beam to the skin, pressed in a little; it sees as deep into the body as before.

    Parameters
    ----------
    body : with a closed skin
    sector : a fan whose middle depth lies within the body
    press_mm : how deep a hand presses the probe in

    Raises
    ------
    InputError
        If no skin lies before the middle of the fan.
    """
    placed = _on_surface(part_surface(body, BodyPart.SKIN), sector, press_mm)
    if placed is None:
        raise InputError(_NO_SKIN)
    return placed


def _on_surface(skin: tuple[NDArray, NDArray], sector: Sector, press_mm: float) -> Sector | None:
    """Return the fan with its tip on the skin, or None where its central beam meets none, as at the rim of an open one."""
    inner = sector.origin + 0.5 * sector.depth * sector.axis
    back = Sector(inner, -sector.axis, -sector.lateral, sector.half_angle, 500.0)
    out, _, _ = first_hits(*skin, back, np.zeros(1))
    if not np.isfinite(out[0]):
        return None
    origin = inner - (float(out[0]) - press_mm) * sector.axis
    deeper = float((sector.origin - origin) @ sector.axis)
    return replace(sector, origin=origin, depth=float(np.clip(sector.depth + deeper, 10.0, 500.0)))


def best_window(
    body: BodyMesh, heart: HeartMesh, sector: Sector, *, reach_mm: float = 30.0, press_mm: float = 8.0
) -> tuple[Sector, Window]:
    """Return the fan after a hand has slid the probe over the skin to where fewest beams are stopped, and its window.

    The hand keeps aiming at the same place, halfway down the fan, and turns the picture as little as it can; of equally open places it
    takes the nearest.

    Parameters
    ----------
    body, heart : where the probe stands and what it looks for, in one frame
    sector : the fan to begin with
    reach_mm : how far to each side, in steps of 6 mm
    press_mm : how deep the probe is pressed in

    Raises
    ------
    InputError
        If no skin lies before the middle of the fan, wherever the probe is slid to.
    """
    obstacles, skin = obstacles_of(body), part_surface(body, BodyPart.SKIN)
    target = sector.origin + 0.5 * sector.depth * sector.axis
    ways = np.arange(-reach_mm, reach_mm + 1e-6, _SLIDE_MM)
    slides = [(a, b) for a in ways for b in ways if np.hypot(a, b) <= reach_mm]
    best, least = None, np.inf
    for a, b in sorted(slides, key=lambda slide: float(np.hypot(*slide))):
        origin = sector.origin + a * sector.lateral + b * sector.normal
        aimed = sector_towards(origin, target, sector.lateral, sector.half_angle, sector.depth)
        fan = _on_surface(skin, aimed, press_mm)
        if fan is None:
            continue
        share = acoustic_window(obstacles, heart, fan, lines=48).share
        if share < least - 1e-9:
            best, least = fan, share
        if least == 0:
            break
    if best is None:
        raise InputError(_NO_SKIN)
    return best, acoustic_window(obstacles, heart, best)

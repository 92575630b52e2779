"""A heart as a shaded picture, drawn in NumPy: needs no OpenGL, so a report looks the same on every machine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from echo3d.clinical.overlay import palette, section_labels
from echo3d.core.arrays import unit
from echo3d.core.mesh import Template
from echo3d.core.sector import PictureGrid, Sector
from echo3d.core.structures import Structure

_FIRST_BLOOD = int(Structure.LV_CAVITY)
_LIGHT = unit(np.array([-0.35, 0.45, 1.0]))
_GRAIN = 2
_BATCH = 2000
"""Triangles drawn at once; keeps the memory small."""


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """An orthographic camera: ``axes`` (3, 3) rows point right, up and towards the viewer; ``centre`` (3,) lies mid-picture, mm."""

    axes: NDArray[np.float64]
    centre: NDArray[np.float64]
    mm: float
    size: int

    def screen(self, points: NDArray) -> NDArray[np.float64]:
        """Return (column, row, nearness) of world points (..., 3): pixels, pixels and mm."""
        seen = (points - self.centre) @ self.axes.T
        half = self.size / 2
        return np.stack([half + seen[..., 0] / self.mm, half - seen[..., 1] / self.mm, seen[..., 2]], axis=-1)


def front_camera(points: NDArray, size: int) -> Camera:
    """Return the camera that sees a heart (N, 3) from the patient's front, a little from the left and above."""
    return _camera(points, np.array([0.35, -1.0, 0.22]), np.array([0.0, 0.0, 1.0]), size)


def chamber_camera(template: Template, points: NDArray, size: int) -> Camera:
    """Return the camera that faces the four-chamber plane: apex, mitral and tricuspid valve, apex downwards."""
    apex, mitral, tricuspid = (template.landmark(points, name) for name in ("lv_apex_epi", "mitral", "tricuspid"))
    toward = np.cross(mitral - apex, tricuspid - apex)
    camera = _camera(points, toward * np.sign(-toward[1] or 1.0), (mitral + tricuspid) / 2 - apex, size)
    return Camera(camera.axes, camera.centre + camera.axes[2] * float((apex - camera.centre) @ camera.axes[2]), camera.mm, size)


def render_heart(template: Template, points: NDArray, camera: Camera, *, cut: bool = False) -> NDArray[np.uint8]:
    """Return the heart on white, (size, size, 3) uint8.

    Parameters
    ----------
    template : faces and labels
    points : (N, 3) material points, mm
    camera : who looks; see :func:`front_camera` and :func:`chamber_camera`
    cut : whether all that lies before the camera's centre is cut away, so that the chambers are seen from inside

    *Source:* z-buffer over all pixels of every triangle, Lambert shading; our choice, because a report must not depend on a display.
    """
    fine = Camera(camera.axes, camera.centre, camera.mm / _GRAIN, camera.size * _GRAIN)
    shown = np.flatnonzero(_is_tissue(template.sides).sum(axis=1) == 1)
    nearest, face, weights = _visible(fine.screen(points), template.mesh.faces[shown], fine.size, 0.0 if cut else np.inf)
    picture = _shade(template, points, fine, (shown[face], weights))
    picture[~np.isfinite(nearest)] = 255.0
    if cut:
        picture = _with_section(picture, template, points, fine)
    blocks = picture.reshape(camera.size, _GRAIN, camera.size, _GRAIN, 3)
    return np.rint(blocks.mean(axis=(1, 3))).astype(np.uint8)


def render_surface(points: NDArray, faces: NDArray, tint: NDArray, camera: Camera) -> NDArray[np.uint8]:
    """Return any triangles on white, (size, size, 3) uint8, each lit by how far it faces the viewer.

    Parameters
    ----------
    points : (N, 3) mm
    faces : (F, 3)
    tint : (F, 3) colours, 0 to 255
    camera : who looks
    """
    fine = Camera(camera.axes, camera.centre, camera.mm / _GRAIN, camera.size * _GRAIN)
    nearest, face, _ = _visible(fine.screen(points), faces, fine.size, np.inf)
    corners = points[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) @ camera.axes.T
    facing = np.abs(normals @ _LIGHT) / np.maximum(np.linalg.norm(normals, axis=1), 1e-12)
    picture = np.clip(tint * (0.35 + 0.72 * facing[:, None]), 0, 255)[face]
    picture[~np.isfinite(nearest)] = 255.0
    return np.rint(picture.reshape(camera.size, _GRAIN, camera.size, _GRAIN, 3).mean(axis=(1, 3))).astype(np.uint8)


def _camera(points: NDArray, toward: NDArray, up: NDArray, size: int) -> Camera:
    """Return the camera on the side ``toward`` with ``up`` upwards that holds all points and a small margin."""
    near = unit(toward)
    right = unit(np.cross(up, near))
    axes = np.stack([right, np.cross(near, right), near])
    seen = points @ axes.T
    low, high = seen.min(axis=0), seen.max(axis=0)
    return Camera(axes, (low + high) / 2 @ axes, float((high - low)[:2].max()) * 1.04 / size, size)


def _is_tissue(sides: NDArray) -> NDArray[np.bool_]:
    """Return which sides of faces are wall rather than blood or outside."""
    return (sides > 0) & (sides < _FIRST_BLOOD)


def _visible(screen: NDArray, faces: NDArray, size: int, front: float) -> tuple[NDArray, NDArray, NDArray]:
    """Return per pixel the nearness (-inf where nothing lies), the face seen and its corner weights; all nearer than ``front`` is cut."""
    nearest = np.full(size * size, -np.inf)
    face, weight = np.zeros(size * size, np.int64), np.zeros((size * size, 3))
    for start in range(0, len(faces), _BATCH):
        which, pixel, weights, near = _fragments(screen[faces[start : start + _BATCH]], size, front)
        before = nearest.copy()
        np.maximum.at(nearest, pixel, near)
        top = (near == nearest[pixel]) & (near > before[pixel])
        face[pixel[top]], weight[pixel[top]] = which[top] + start, weights[top]
    return nearest.reshape(size, size), face.reshape(size, size), weight.reshape(size, size, 3)


def _fragments(corners: NDArray, size: int, front: float) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Return triangle, pixel, corner weights and nearness wherever one of (F, 3, 3) triangles covers a pixel behind ``front``."""
    which, column, row = _candidates(corners[..., :2], size)
    weights = _barycentric(corners[..., :2], which, np.stack([column, row]) + 0.5)
    kept = np.flatnonzero(weights.min(axis=0) >= 0)
    which, weights, pixel = which[kept], weights[:, kept].T, (row * size + column)[kept]
    near = (weights * corners[which, :, 2]).sum(axis=1)
    behind = near <= front
    return which[behind], pixel[behind], weights[behind], near[behind]


def _candidates(corners: NDArray, size: int) -> tuple[NDArray, NDArray, NDArray]:
    """Return triangle, column and row of every pixel in the box of every (F, 3, 2) triangle."""
    low = np.clip(np.ceil(corners.min(axis=1) - 0.5), 0, size).astype(np.int64)
    span = np.clip(np.ceil(corners.max(axis=1) - 0.5), low, size).astype(np.int64) - low
    counts = span[:, 0] * span[:, 1]
    which = np.repeat(np.arange(len(corners)), counts)
    rank = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    row, column = np.divmod(rank, np.maximum(span[which, 0], 1))
    return which, column + low[which, 0], row + low[which, 1]


def _barycentric(corners: NDArray, which: NDArray, places: NDArray) -> NDArray[np.float64]:
    """Return (3, K) weights of places (2, K) in the triangles ``which`` of (F, 3, 2); negative outside and in triangles without area."""
    a, ab, ac = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    scale = np.divide(1.0, area, out=np.full(len(area), np.nan), where=area != 0)
    slopes = np.stack([ac[:, 1], -ac[:, 0], -ab[:, 1], ab[:, 0]]) * scale
    across, down = places - a.T[:, which]
    v = slopes[0, which] * across + slopes[1, which] * down
    w = slopes[2, which] * across + slopes[3, which] * down
    return np.nan_to_num(np.stack([1 - v - w, v, w]), nan=-1.0)


def _shade(template: Template, points: NDArray, camera: Camera, seen: tuple[NDArray, NDArray]) -> NDArray[np.float64]:
    """Return the (size, size, 3) colours of the faces seen, lit from above the viewer's left shoulder."""
    face, weights = seen
    corners = template.mesh.faces[face]
    normals = np.einsum("hwk,hwkc->hwc", weights, _point_normals(template, points)[corners]) @ camera.axes.T
    length = np.maximum(np.linalg.norm(normals, axis=-1), 1e-9)
    facing = np.abs(normals @ _LIGHT) / length
    tint, _ = palette()
    shine = 60.0 * facing[..., None] ** 24
    return np.clip(tint[template.mesh.labels[face]] * (0.35 + 0.72 * facing[..., None]) + shine, 0, 255)


def _point_normals(template: Template, points: NDArray) -> NDArray[np.float64]:
    """Return (N, 3) area-weighted normals of the walls' surfaces, out of the tissue."""
    tissue = _is_tissue(template.sides)
    outward = tissue[:, 0].astype(float) - tissue[:, 1]
    corners = points[template.mesh.faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) * outward[:, None]
    total = np.zeros((len(points), 3))
    for k in range(3):
        np.add.at(total, template.mesh.faces[:, k], normal)
    return total


def _with_section(picture: NDArray, template: Template, points: NDArray, camera: Camera) -> NDArray[np.float64]:
    """Return the picture with the walls' cut surface painted in; blood stays open."""
    reach = camera.size * camera.mm
    tip = camera.centre + camera.axes[1] * reach
    sector = Sector(tip, -camera.axes[1], camera.axes[0], 80.0, min(3 * reach, 500.0))
    labels = section_labels(template, points, sector, PictureGrid(int(1.5 * camera.size), camera.size, camera.mm))[-camera.size :]
    wall = (labels > 0) & (labels < _FIRST_BLOOD)
    tint, _ = palette()
    painted = picture.copy()
    painted[wall] = np.clip(0.72 * tint[labels[wall]] + 62.0, 0, 255)
    return painted

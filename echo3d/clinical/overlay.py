"""Where a picture's plane cuts the heart: outlines, a label picture, and the picture with both laid over it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from echo3d.core.images import EchoImage
from echo3d.core.mesh import Template
from echo3d.core.sector import PictureGrid, Sector
from echo3d.core.structures import Structure, colour

Outlines = dict[Structure, list[NDArray[np.float64]]]


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    """The crossing of a surface with a plane: one segment per crossed face.

    ``nodes`` (K, 2) are crossing points in (depth, lateral) mm, ``segments`` (S, 2) index them, ``sides`` (S, 2) are the structures
    behind and in front of the face; all segments run the same way round the region behind.
    """

    nodes: NDArray[np.float64]
    segments: NDArray[np.int64]
    sides: NDArray[np.uint8]


def section_outlines(template: Template, points: NDArray, sector: Sector) -> Outlines:
    """Return the closed outlines of every structure where the sector's plane cuts the heart.

    Parameters
    ----------
    template : its faces and the structures on their two sides
    points : (N, 3) material points of the heart, mm, in the sector's frame
    sector : the fan; outlines are not clipped at its border

    Returns
    -------
    dict
        Per structure a list of closed polylines, (M, 2) float64 as (depth, lateral) in mm, first point equal to the last.

    *Source:* crossing of each triangle with the plane; neighbouring triangles share the crossing of their edge, so nothing is matched
    by distance.
    """
    cut = _cut(template, points, sector)
    return {s: [cut.nodes[loop] for loop in _loops(_outline_of(cut, s))] for s in _structures(cut)}


def section_labels(template: Template, points: NDArray, sector: Sector, grid: PictureGrid) -> NDArray[np.uint8]:
    """Return the (H, W) uint8 structure under every pixel of the sector's picture; 0 outside the heart and outside the fan.

    *Source:* even-odd rule along scan lines, per structure, so that a fold of the surface spoils no more than itself.
    """
    cut = _cut(template, points, sector)
    pixels = cut.nodes / grid.pixel_mm + [0.0, grid.width / 2]
    return np.where(grid.inside(sector.half_angle, sector.depth), _fill(cut, pixels, (grid.height, grid.width)), 0).astype(np.uint8)


def image_labels(template: Template, points: NDArray, sector: Sector, image: EchoImage) -> NDArray[np.uint8]:
    """Return the (H, W) uint8 structure under every pixel of an echo picture that shows the sector."""
    cut = _cut(template, points, sector)
    shape = (image.pixels.shape[0], image.pixels.shape[1])
    return np.where(image.fan.mask(*shape), _fill(cut, to_pixels(cut.nodes, sector, image), shape), 0).astype(np.uint8)


def image_outlines(template: Template, points: NDArray, sector: Sector, image: EchoImage) -> Outlines:
    """Return the outlines of :func:`section_outlines` as (row, column) in pixels of an echo picture, whole numbers at pixel corners."""
    outlines = section_outlines(template, points, sector)
    return {s: [to_pixels(line, sector, image) for line in lines] for s, lines in outlines.items()}


def to_pixels(plane_mm: NDArray, sector: Sector, image: EchoImage) -> NDArray[np.float64]:
    """Return (row, column) in pixels of (..., 2) plane coordinates (depth, lateral) in mm.

    An uncalibrated picture is taken to be as deep as the sector.
    """
    fan = image.fan
    row_mm, column_mm = image.pixel_mm or (sector.depth / fan.radius,) * 2
    turn = np.radians(fan.tilt)
    depth, lateral = plane_mm[..., 0], plane_mm[..., 1]
    down = np.cos(turn) * depth - np.sin(turn) * lateral
    right = np.sin(turn) * depth + np.cos(turn) * lateral
    return np.stack([down / row_mm + fan.apex_row, right / column_mm + fan.apex_column], axis=-1)


def draw_overlay(image: NDArray, labels: NDArray) -> NDArray[np.uint8]:
    """Return the grey picture with the structures tinted and outlined, (H, W, 3) uint8.

    Parameters
    ----------
    image : (H, W) float in [0, 1]
    labels : (H, W) uint8 structure values

    >>> draw_overlay(np.full((4, 4), 0.5), np.zeros((4, 4), np.uint8))[0, 0]
    array([128, 128, 128], dtype=uint8)
    """
    grey = np.repeat(np.clip(image, 0, 1)[..., None] * 255.0, 3, axis=2)
    tint, opacity = palette()
    share = np.where(_borders(labels), 0.85, opacity[labels])[..., None]
    return np.rint(grey * (1 - share) + tint[labels] * share).astype(np.uint8)


def palette() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (256, 3) colours and (256,) opacities by structure value; blood is fainter than tissue."""
    tint, opacity = np.zeros((256, 3)), np.zeros(256)
    for structure in Structure:
        tint[structure] = colour(structure)
        opacity[structure] = 0.22 if structure >= Structure.LV_CAVITY else 0.38
    opacity[Structure.BACKGROUND] = 0.0
    return tint, opacity


def _borders(labels: NDArray) -> NDArray[np.bool_]:
    """Return the labelled pixels whose right or lower neighbour differs, or that lie against the background."""
    edge = np.zeros(labels.shape, bool)
    down, across = labels[:-1] != labels[1:], labels[:, :-1] != labels[:, 1:]
    edge[:-1] |= down
    edge[:, :-1] |= across
    edge[1:] |= down & (labels[:-1] == 0)
    edge[:, 1:] |= across & (labels[:, :-1] == 0)
    return edge & (labels > 0)


def _structures(cut: _Cut) -> list[Structure]:
    """Return the structures met by the cut, tissue first, without the background."""
    return [Structure(int(value)) for value in np.unique(cut.sides) if value]


def _cut(template: Template, points: NDArray, sector: Sector) -> _Cut:
    """Cut the template's faces, carried to ``points``, with the sector's plane."""
    faces = template.mesh.faces
    plane = sector.plane(points[: len(template.mesh.points)])
    above = plane[:, 2] >= 0
    count = above[faces].sum(axis=1)
    crossed = np.flatnonzero((count == 1) | (count == 2))
    start, end = _crossed_edges(faces[crossed], above, count[crossed] == 1)
    keys, segments = np.unique(np.concatenate([start, end]), return_inverse=True)
    low, high = np.divmod(keys, len(plane))
    share = (plane[low, 2] / (plane[low, 2] - plane[high, 2]))[:, None]
    nodes = plane[low, :2] + share * (plane[high, :2] - plane[low, :2])
    return _Cut(nodes, segments.reshape(2, -1).T, template.sides[crossed])


def _crossed_edges(faces: NDArray, above: NDArray, one_above: NDArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return per face the keys of the edges where its segment starts and ends; a key is ``low * N + high`` of the edge's points."""
    rows = np.arange(len(faces))
    lone = np.argmax(above[faces] == one_above[:, None], axis=1)
    corner = faces[rows, lone].astype(np.int64)
    after, before = (faces[rows, (lone + step) % 3].astype(np.int64) for step in (1, 2))
    size = len(above)
    first, second = (np.minimum(corner, other) * size + np.maximum(corner, other) for other in (after, before))
    return np.where(one_above, first, second), np.where(one_above, second, first)


def _outline_of(cut: _Cut, structure: Structure) -> NDArray[np.int64]:
    """Return the (K, 2) segments round one structure, all running the same way."""
    behind, front = cut.sides[:, 0] == structure, cut.sides[:, 1] == structure
    return np.concatenate([cut.segments[behind & ~front], cut.segments[front & ~behind][:, ::-1]])


def _loops(segments: NDArray) -> list[list[int]]:
    """Return the closed loops of directed segments as node lists, the first node repeated at the end.

    Every node is entered as often as it is left, so pairing each end with a start of the same node leaves loops only.
    """
    follower = np.empty(len(segments), np.int64)
    follower[np.argsort(segments[:, 1], kind="stable")] = np.argsort(segments[:, 0], kind="stable")
    follow, start = follower.tolist(), segments[:, 0].tolist()
    seen = bytearray(len(start))
    loops = []
    for first in range(len(start)):
        loop, at = [], first
        while not seen[at]:
            seen[at] = 1
            loop.append(start[at])
            at = follow[at]
        if loop:
            loops.append([*loop, loop[0]])
    return loops


def _fill(cut: _Cut, pixels: NDArray, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the (H, W) structure at each pixel centre; ``pixels`` (K, 2) are the cut's nodes as (row, column)."""
    labels = np.zeros(shape, np.uint8)
    for structure in sorted(_structures(cut), reverse=True):
        inside, (top, left) = _parity(pixels[_outline_of(cut, structure)], shape)
        part = labels[top : top + inside.shape[0], left : left + inside.shape[1]]
        part[inside] = structure
    return labels


def _parity(segments: NDArray, shape: tuple[int, int]) -> tuple[NDArray[np.bool_], tuple[int, int]]:
    """Return the even-odd inside of (K, 2, 2) closed segments within their box, and the box's upper left pixel."""
    low = np.clip(np.floor(segments.min(axis=(0, 1))).astype(int), 0, shape)
    high = np.clip(np.ceil(segments.max(axis=(0, 1))).astype(int) + 1, low, shape)
    height, width = high - low
    rows, columns = _crossings(segments - low, int(height))
    kept = columns < width
    toggles = np.bincount(rows[kept] * width + columns[kept], minlength=height * width)[: height * width]
    inside = np.logical_xor.accumulate((toggles % 2 == 1).reshape(height, width), axis=1)
    return inside, (int(low[0]), int(low[1]))


def _crossings(segments: NDArray, height: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return row and first column to the right of every crossing of a segment with a line of pixel centres."""
    rows = segments[:, :, 0]
    first = np.clip(np.ceil(rows.min(axis=1) - 0.5), 0, height).astype(np.int64)
    last = np.clip(np.ceil(rows.max(axis=1) - 0.5), 0, height).astype(np.int64)
    counts = last - first
    which = np.repeat(np.arange(len(segments)), counts)
    row = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts) + first[which]
    (r0, c0), (r1, c1) = segments[which, 0].T, segments[which, 1].T
    column = c0 + (row + 0.5 - r0) / (r1 - r0) * (c1 - c0)
    return row, np.maximum(np.ceil(column - 0.5), 0).astype(np.int64)

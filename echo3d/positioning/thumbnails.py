"""Small pictures of hearts and bodies, drawn point by point without a graphics card, so that any thread may make them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echo3d.core.structures import Structure, colour
from echo3d.positioning.bodies import WorkBody
from echo3d.positioning.hearts import WorkHeart

SIDE = 96
_SKIN = (214, 178, 156)
_LIGHT = np.array([0.45, -0.75, 0.5]) / np.linalg.norm([0.45, -0.75, 0.5])
_FINER, _MOST = 2, 96
"""Each pixel is the mean of so many squared; a face's edge is sampled at most so often."""


def heart_thumbnail(heart: WorkHeart) -> NDArray[np.uint8]:
    """Return a picture (SIDE, SIDE, 4) of a heart from in front, in the colours of its structures."""
    table = np.full((256, 3), 150, np.uint8)
    for structure in Structure:
        table[structure] = colour(structure)
    return drawn(heart.mesh.points, heart.mesh.faces, table[heart.mesh.labels])


def body_thumbnail(body: WorkBody) -> NDArray[np.uint8]:
    """Return a picture (SIDE, SIDE, 4) of a body's skin from in front."""
    faces = body.skin.faces
    return drawn(body.skin.points, faces, np.broadcast_to(np.array(_SKIN, np.uint8), (len(faces), 3)))


def drawn(points: NDArray, faces: NDArray, colours: NDArray[np.uint8], side: int = SIDE) -> NDArray[np.uint8]:
    """Return a surface from in front as (side, side, 4) RGBA: the patient's left on the right, the head up.

    Parameters
    ----------
    points : (N, 3) mm, LPS
    faces : (F, 3)
    colours : (F, 3)

    >>> front = drawn(np.array([[0, 0, 0], [9, 0, 0], [0, 0, 9.0]]), np.array([[0, 1, 2]]), np.array([[255, 0, 0]], np.uint8), 8)
    >>> front[6, 1, 3], front[1, 6, 3]
    (np.uint8(255), np.uint8(0))
    """
    fine = side * _FINER
    at = _on_raster(points, fine)
    shade = _shades(points, faces)
    rows, columns, depth, face = _samples(at, faces)
    order = np.argsort(-depth, kind="stable")
    picture = np.zeros((fine, fine, 4), np.float32)
    lit = np.concatenate([colours * shade[:, None], np.full((len(faces), 1), 255.0)], axis=1).astype(np.float32)
    picture[rows[order], columns[order]] = lit[face[order]]  # the nearest comes last and stays
    blocks = picture.reshape(side, _FINER, side, _FINER, 4).sum(axis=(1, 3))
    alpha = blocks[..., 3:]
    blocks[..., :3] = np.divide(255 * blocks[..., :3], alpha, out=np.zeros_like(blocks[..., :3]), where=alpha > 0)
    blocks[..., 3:] = alpha / _FINER**2
    return np.clip(np.rint(blocks), 0, 255).astype(np.uint8)


def _on_raster(points: NDArray, fine: int) -> NDArray[np.float64]:
    """Return (N, 3) column, row and depth of points, the whole surface in the picture with a small margin."""
    seen = np.asarray(points, float)[:, [0, 2, 1]] * (1, -1, 1)
    low, high = seen.min(axis=0), seen.max(axis=0)
    scale = 0.94 * fine / max(float((high - low)[:2].max()), 1e-9)
    return (seen - (low + high) / 2) * scale + (fine / 2, fine / 2, 0)


def _shades(points: NDArray, faces: NDArray) -> NDArray[np.float64]:
    """Return (F,) how bright each face is, whichever way it is wound."""
    corners = np.asarray(points, float)[faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-12)
    facing = np.where(across[:, 1:2] > 0, -across, across)
    return 0.32 + 0.68 * np.clip(facing @ _LIGHT, 0, 1)


def _samples(at: NDArray, faces: NDArray) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Return row, column, depth and face of points spread over all faces, at least one to a pixel where an edge is not very long."""
    corners = at[faces]
    edges = np.abs(corners - np.roll(corners, 1, axis=1))[..., :2].max(axis=(1, 2))
    steps = np.clip(np.ceil(edges) + 1, 1, _MOST).astype(int)
    found, owner = [], []
    for step in np.unique(steps):
        own = np.flatnonzero(steps == step)
        i, j = np.nonzero(np.add.outer(np.arange(step), np.arange(step)) < step)
        first, second = (i + 1 / 3) / step, (j + 1 / 3) / step
        shares = np.stack([1 - first - second, first, second], axis=1)
        found.append(np.einsum("sk,fkd->fsd", shares, corners[own]).reshape(-1, 3))
        owner.append(np.repeat(own, len(shares)))
    spots = np.concatenate(found)
    fine = np.floor(spots[:, :2]).astype(int)
    return fine[:, 1], fine[:, 0], spots[:, 2], np.concatenate(owner)

"""The shape of a drawn heart before its chambers grow: modes, affine, polynomial and local variation.

The generator is wider than the modes, because the span of a dozen hearts is what limits real shapes (reference feasibility.md).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from echo3d.anatomy.material import GRID_SIDE, Material, near_material
from echo3d.anatomy.record import HeartRecord
from echo3d.anatomy.template import field_grid, read_arrays
from echo3d.core.field import sample_grid
from echo3d.core.pose import rigid_between, rotation_matrix
from echo3d.paths import resource


@lru_cache(maxsize=1)
def load_modes() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean (M, 3) and modes (Q, M, 3) of the training hearts at all material positions; mm, one standard deviation each."""
    data, rest = read_arrays(resource("template/modes.npz")), near_material().rest
    index = field_grid(GRID_SIDE).index(rest)
    modes = np.stack([sample_grid(mode.astype(float), index) for mode in data["modes"]])
    return sample_grid(data["mean"].astype(float), index), modes


def shaped(record: HeartRecord, *, surfaces_only: bool = False) -> NDArray[np.float64]:
    """Return the material positions (M, 3) of a record before its chambers grow, mm; the template's points alone where asked for."""
    material, (mean, modes) = near_material(), load_modes()
    rows = slice(0, material.count if surfaces_only else len(material.rest))
    rest = material.rest[rows]
    x = rest.copy()
    if record.modes:
        x = x + mean[rows] + np.tensordot(np.array(record.modes), modes[:, rows], axes=1)
    x = _affine(x, record)
    if record.polynomial:
        x = x + _monomials()[rows] @ np.array(record.polynomial).reshape(3, 16).T
    return x + _local(rest, record)


def aligned(material: Material, x: NDArray) -> NDArray[np.float64]:
    """Return positions moved rigidly so that the template's points lie nearest to the template."""
    rotation, shift = rigid_between(x[: material.count], material.rest[: material.count])
    return x @ rotation.T + shift


def _affine(x: NDArray, record: HeartRecord) -> NDArray[np.float64]:
    shear = np.eye(3)
    shear[0, 1], shear[0, 2], shear[1, 2] = record.shear
    frame = rotation_matrix(np.array([30.0, 0.0, 40.0]))
    return x @ (frame @ np.diag(np.exp(record.stretch)) @ shear @ frame.T).T


@lru_cache(maxsize=1)
def _monomials() -> NDArray[np.float64]:
    """Return (M, 16) quadratic and cubic monomials of the rest position over 60 mm."""
    x, y, z = np.clip(near_material().rest / 60.0, -1.4, 1.4).T
    square = [x * x, y * y, z * z, x * y, x * z, y * z]
    cube = [x**3, y**3, z**3, x * x * y, x * x * z, y * y * x, y * y * z, z * z * x, z * z * y, x * y * z]
    return np.stack(square + cube, axis=1)


def _local(rest: NDArray, record: HeartRecord) -> NDArray[np.float64]:
    """Return the (M, 3) mm of Gaussian bumps about points of the template."""
    if not record.locals:
        return np.zeros_like(rest)
    table = np.array(record.locals)
    centres, reach, shift = near_material().rest[table[:, 0].astype(int)], table[:, 1], table[:, 2:]
    square = (rest**2).sum(axis=1)[:, None] + (centres**2).sum(axis=1) - 2 * rest @ centres.T
    return np.asarray(np.exp(-square / (2 * reach**2)) @ shift)

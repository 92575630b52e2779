"""Displacement fields on the template, and label volumes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from echo3d.core.arrays import frozen_array
from echo3d.errors import ShapeError


@dataclass(frozen=True, slots=True, eq=False)
class FieldGrid:
    """A regular raster of nodes over the template's box.

    Parameters
    ----------
    low, high : (3,) mm, first and last node
    side : nodes per axis
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    side: int

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            object.__setattr__(self, name, frozen_array(getattr(self, name), np.float64, (3,), name))
        if self.side < 2 or not (self.high > self.low).all():
            raise ShapeError("a grid needs two nodes per axis and high above low")

    def around(self, points: NDArray, margin: float = 4.0) -> FieldGrid:
        """Return this grid where it holds points (P, 3) mm with a margin, else one of as many nodes over a box that does.

        >>> FieldGrid(np.zeros(3), np.full(3, 10.0), 11).around(np.array([[5.0, 5.0, 12.0]]), 1.0).high
        array([10., 10., 13.])
        """
        low = np.minimum(self.low, points.min(axis=0, initial=np.inf) - margin)
        high = np.maximum(self.high, points.max(axis=0, initial=-np.inf) + margin)
        return FieldGrid(low, high, self.side)

    def nodes(self) -> NDArray[np.float64]:
        """Return the (side³, 3) node positions in mm, x slowest."""
        axes = [np.linspace(self.low[i], self.high[i], self.side) for i in range(3)]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)

    def index(self, points: NDArray) -> NDArray[np.float64]:
        """Return fractional node indices (..., 3) of world points.

        >>> FieldGrid(np.zeros(3), np.full(3, 10.0), 11).index(np.array([5.0, 0.0, 10.0]))
        array([ 5.,  0., 10.])
        """
        return (points - self.low) / (self.high - self.low) * (self.side - 1)


def sample_grid(values: NDArray, index: NDArray) -> NDArray:
    """Sample ``values`` (X, Y, Z, C) trilinearly at fractional indices (..., 3); outside, the border's value holds."""
    size = np.array(values.shape[:3])
    clamped = np.clip(index, 0, size - 1.000001)
    base = np.minimum(clamped.astype(np.int64), size - 2)
    share = (clamped - base).astype(values.dtype)
    flat = values.reshape(-1, values.shape[3])
    stride = np.array([size[1] * size[2], size[2], 1])
    start = base @ stride
    result = np.zeros((*index.shape[:-1], values.shape[3]), dtype=values.dtype)
    for corner in np.ndindex(2, 2, 2):
        weight = np.prod(np.where(corner, share, 1 - share), axis=-1, keepdims=True)
        result += weight * flat[start + int(np.dot(corner, stride))]
    return result


@dataclass(frozen=True, slots=True, eq=False)
class DisplacementField:
    """A heart as a displacement of the template's material points.

    Parameters
    ----------
    vectors : (N, 3) float64 mm
    template_sha256 : the template it belongs to
    """

    vectors: NDArray[np.float64]
    template_sha256: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "vectors", frozen_array(self.vectors, np.float64, (None, 3), "vectors"))


@dataclass(frozen=True, slots=True, eq=False)
class LabelVolume:
    """Structure labels on a regular raster.

    Parameters
    ----------
    labels : (X, Y, Z) uint8
    affine : (4, 4) index to world mm (LPS); voxel centres at whole indices
    """

    labels: NDArray[np.uint8]
    affine: NDArray[np.float64]

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", frozen_array(self.labels, np.uint8, (None, None, None), "labels"))
        object.__setattr__(self, "affine", frozen_array(self.affine, np.float64, (4, 4), "affine"))

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in ml."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000.0

    def index(self, points: NDArray) -> NDArray[np.float64]:
        """Return fractional voxel indices (..., 3) of world points."""
        inverse = np.linalg.inv(self.affine)
        return points @ inverse[:3, :3].T + inverse[:3, 3]

    def look_up(self, points: NDArray) -> NDArray[np.uint8]:
        """Return the label of the nearest voxel for world points (..., 3); 0 outside."""
        nearest = np.rint(self.index(points)).astype(np.int64)
        size = np.array(self.labels.shape)
        valid = ((nearest >= 0) & (nearest < size)).all(axis=-1)
        safe = np.clip(nearest, 0, size - 1)
        return np.where(valid, self.labels[safe[..., 0], safe[..., 1], safe[..., 2]], 0).astype(np.uint8)

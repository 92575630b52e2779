"""What lies near on a raster: masks grown and worn by a voxel, distances up to a bound, the nearest label.

Whole-array NumPy instead of a look at each voxel's neighbours, or of distances to everywhere where only near ones count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import TypeVar

import numpy as np
import scipy
from numpy.typing import NDArray

_THREADS = 2
"""More gain nothing: half of the work on masks holds Python's lock."""

T = TypeVar("T")
R = TypeVar("R")


def in_threads(function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Return a function's results of all items, two at a time.

    >>> in_threads(abs, [-1, 2, -3])
    [1, 2, 3]
    """
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(function, items))


REACH = 5
"""Voxels within which the nearest label is looked for by steps; beyond, distances to everywhere are cheaper. Our choice, by time."""


def grown(mask: NDArray[np.bool_], times: int = 1) -> NDArray[np.bool_]:
    """Return a mask (X, Y, Z) with its six neighbours, ``times`` over.

    >>> [int(grown(np.arange(27).reshape(3, 3, 3) == 13, times).sum()) for times in (0, 1, 2)]
    [1, 7, 19]
    """
    for _ in range(times):
        mask, old = mask.copy(), mask
        for axis in range(3):
            new, last = np.moveaxis(mask, axis, 0), np.moveaxis(old, axis, 0)
            new[1:] |= last[:-1]
            new[:-1] |= last[1:]
    return mask


def worn(mask: NDArray[np.bool_], times: int = 1) -> NDArray[np.bool_]:
    """Return a mask (X, Y, Z) less all that has one of its six neighbours outside, ``times`` over; beyond the raster is outside.

    >>> int(worn(np.ones((5, 5, 5), bool)).sum())
    27
    """
    for _ in range(times):
        mask = ~grown(~mask)
        for axis in range(3):
            np.moveaxis(mask, axis, 0)[[0, -1]] = False
    return mask


def grown_numbers(numbers: NDArray[np.int32], mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return numbers in which those voxels of a mask that have none take the greatest of their six neighbours.

    Parameters
    ----------
    numbers : (X, Y, Z), 0 all along the raster's border, so that the step from one row to the next one's start meets none
    mask : (X, Y, Z)

    >>> numbers = np.zeros((3, 3, 4), np.int32)
    >>> numbers[1, 1, 1] = 2
    >>> grown_numbers(numbers, np.ones(numbers.shape, bool))[1, 1]
    array([2, 2, 2, 0], dtype=int32)
    """
    place, flat = np.flatnonzero(mask & (numbers == 0)), numbers.ravel()
    best = np.zeros(len(place), np.int32)
    for step in (1, numbers.shape[2], numbers.shape[1] * numbers.shape[2]):
        for way in (-step, step):
            np.maximum(best, flat.take(place + way, mode="clip"), out=best)
    result = flat.copy()
    result[place] = best
    return result.reshape(numbers.shape)


def squared_distances(mask: NDArray[np.bool_], reach: int) -> NDArray[np.uint16]:
    """Return the squared distance in voxels to the nearest voxel of a mask; ``reach**2 + 1`` where that is farther than ``reach``.

    Exact, one axis after the other, at a cost of ``reach`` and not of the raster's side.

    >>> squared_distances(np.arange(8).reshape(8, 1, 1) == 1, 3).ravel()
    array([ 1,  0,  1,  4,  9, 10, 10, 10], dtype=uint16)
    """
    result = np.where(mask, np.uint16(0), np.uint16(reach**2 + 1))
    for axis in range(3):
        new, old = np.moveaxis(result, axis, 0), np.moveaxis(result.copy(), axis, 0)
        for step in range(1, min(reach, len(old) - 1) + 1):
            farther = old + np.uint16(step**2)
            np.minimum(new[step:], farther[:-step], out=new[step:])
            np.minimum(new[:-step], farther[step:], out=new[:-step])
    return result


def nearest_labels(labels: NDArray[np.uint8], wanted: NDArray[np.bool_], places: NDArray) -> NDArray[np.uint8]:
    """Return the label of the nearest voxel whose label is wanted.

    Parameters
    ----------
    labels : (X, Y, Z)
    wanted : (256,) which labels count; one of them must be there
    places : (P, 3) indices

    Returns
    -------
    (P,) uint8

    >>> line = np.array([3, 0, 0, 0, 7], np.uint8).reshape(5, 1, 1)
    >>> nearest_labels(line, np.arange(256) > 0, np.array([[1, 0, 0], [3, 0, 0]]))
    array([3, 7], dtype=uint8)
    """
    around = np.pad(labels, REACH)
    result, flat = np.zeros(len(places), np.uint8), around.ravel()
    here, left = np.ravel_multi_index((places + REACH).T, around.shape), np.arange(len(places))
    inside = np.pad(wanted[labels], REACH).ravel()
    for step in _steps(around.shape):
        met = inside[here[left] + step]
        result[left[met]] = flat[here[left[met]] + step]
        left = left[~met]
        if not len(left):
            return result
    index = scipy.ndimage.distance_transform_edt(~wanted[labels], return_distances=False, return_indices=True)
    result[left] = labels[tuple(index[(slice(None), *places[left].T)])]
    return result


def _steps(shape: tuple[int, ...]) -> list[int]:
    """Return the ways to all voxels within REACH in a flat raster, nearest first."""
    ways = sorted((x * x + y * y + z * z, (x * shape[1] + y) * shape[2] + z) for x, y, z in product(range(-REACH, REACH + 1), repeat=3))
    return [way for square, way in ways if square <= REACH**2]


def box_of(mask: NDArray[np.bool_], margin: int = 0) -> tuple[slice, slice, slice]:
    """Return the box round a mask (X, Y, Z) with a margin as far as the raster goes; an empty one where the mask is.

    >>> box_of(np.arange(27).reshape(3, 3, 3) == 13)
    (slice(1, 2, None), slice(1, 2, None), slice(1, 2, None))
    """
    plane: NDArray = np.any(mask, axis=0)
    sides: list[NDArray] = [np.any(mask, axis=(1, 2)), np.any(plane, axis=1), np.any(plane, axis=0)]
    x, y, z = (_reach_of(np.flatnonzero(side), len(side), margin) for side in sides)
    return x, y, z


def _reach_of(there: NDArray, size: int, margin: int) -> slice:
    return slice(max(int(there[0]) - margin, 0), min(int(there[-1]) + 1 + margin, size)) if len(there) else slice(0, 0)

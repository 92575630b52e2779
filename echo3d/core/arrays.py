"""Checks that every frozen domain type runs once on its arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike, NDArray

from echo3d.errors import ShapeError


def frozen_array(value: object, dtype: DTypeLike, shape: tuple[int | None, ...], name: str) -> NDArray:
    """Return ``value`` as a read-only array of the given type after checking its shape.

    Parameters
    ----------
    value : array-like
    dtype : the type the array is converted to
    shape : expected shape; ``None`` stands for any length
    name : the field's name, for the message

    Raises
    ------
    ShapeError
        If the shape differs or a floating value is not finite.

    >>> frozen_array([[0, 0, 1]], float, (None, 3), "points").flags.writeable
    False
    """
    array = np.array(value, dtype=dtype)
    fits = array.ndim == len(shape) and all(want in (None, have) for want, have in zip(shape, array.shape, strict=False))
    if not fits:
        raise ShapeError(f"{name} must have shape {shape}, found {array.shape}")
    if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
        raise ShapeError(f"{name} must be finite, found NaN or infinity")
    array.flags.writeable = False
    return array


def unit(vector: NDArray) -> NDArray:
    """Return the vector scaled to length one.

    >>> unit(np.array([0.0, 3.0, 4.0]))
    array([0. , 0.6, 0.8])
    """
    length = float(np.linalg.norm(vector))
    if length < 1e-9:
        raise ShapeError("a direction must not be of length zero")
    return np.asarray(vector, dtype=float) / length

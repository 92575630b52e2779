"""Openings of a heart's walls sealed by a ball that does not pass them, and the pools that are enclosed then."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from echo3d.anatomy.nearby import box_of, grown, grown_numbers, squared_distances, worn


@dataclass(frozen=True, slots=True, eq=False)
class Room:
    """Where balls up to some radius can lie; :func:`room_beside` makes it once for all seals.

    Parameters
    ----------
    free : (X, Y, Z) bool, what is not solid
    squares : coarse raster, squared distance to what is solid in coarse voxels, up to a bound
    rim : coarse voxels by which the coarse raster is wider on every side
    coarse_mm : side of a coarse voxel, two of the free raster's
    """

    free: NDArray[np.bool_]
    squares: NDArray[np.uint16]
    rim: int
    coarse_mm: float

    def square(self, seal_mm: float) -> int:
        """Return the greatest squared distance in coarse voxels that is not more than ``seal_mm``."""
        return int((seal_mm / self.coarse_mm) ** 2 + 1e-9)


def room_beside(solid: NDArray[np.bool_], most_mm: float, voxel_mm: float) -> Room:
    """Return the room beside what is solid (X, Y, Z) for seals up to ``most_mm``.

    The ball is rolled on a raster of half the fineness, which is eight times as fast and as good: what it says is trusted to two voxels.
    """
    reach = int(np.ceil(most_mm / (2 * voxel_mm)))
    rim = reach + 1
    coarse = np.pad(solid, [(2 * rim, 2 * rim + n % 2) for n in solid.shape])
    coarse = coarse[::2] | coarse[1::2]
    coarse = coarse[:, ::2] | coarse[:, 1::2]
    coarse = coarse[:, :, ::2] | coarse[:, :, 1::2]
    return Room(~solid, squared_distances(coarse, reach), rim, 2 * voxel_mm)


def enclosed_pools(room: Room, seal_mm: float) -> NDArray[np.int32]:
    """Return the connected free regions (0 is none) that no ball of ``seal_mm`` radius can reach from outside.

    What hangs together by less than three voxels does not hang together; so do leaks of a raster end.

    Parameters
    ----------
    room : for seals at least as wide
    seal_mm : radius of the openings to seal
    """
    square = room.square(seal_mm)
    region, _ = scipy.ndimage.label(room.squares > square)
    reached = squared_distances(region == region[0, 0, 0], int(np.ceil(np.sqrt(square)))) <= square
    outside = _fine(reached, room) & room.free
    for _ in range(2):
        outside = grown(outside) & room.free
    enclosed = room.free & ~outside
    box, numbers = box_of(enclosed), np.zeros(enclosed.shape, np.int32)
    if not enclosed[box].size:
        return numbers
    pools, _ = scipy.ndimage.label(worn(enclosed[box]))
    numbers[box] = grown_numbers(pools, enclosed[box])
    return numbers


def _fine(coarse: NDArray[np.bool_], room: Room) -> NDArray[np.bool_]:
    """Return a coarse mask on the free raster."""
    inner = coarse[(slice(room.rim, -room.rim),) * 3]
    fine = inner.repeat(2, axis=2).repeat(2, axis=1).repeat(2, axis=0)
    return fine[tuple(slice(n) for n in room.free.shape)]

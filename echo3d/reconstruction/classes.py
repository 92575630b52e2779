"""The classes of a structure map, and which structure belongs to which."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echo3d.core.structures import Structure

CLASSES = 9
"""Outside the fan or the heart, LV muscle, RV muscle, other wall, LV, RV, LA, RA, great arteries."""


def class_table() -> NDArray[np.uint8]:
    """Return (256,) the class of each label.

    >>> class_table()[[0, 1, 2, 24, 101, 104]].tolist()
    [0, 1, 2, 3, 4, 7]
    """
    table = np.zeros(256, dtype=np.uint8)
    table[1:25] = 3
    table[int(Structure.LV_MYOCARDIUM)], table[int(Structure.RV_MYOCARDIUM)] = 1, 2
    table[101:105] = 4, 5, 6, 7
    table[105:107] = 8
    return table

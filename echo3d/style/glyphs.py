"""A small raster alphabet for what scanners print on their screens: capitals, figures and a few signs, five columns by seven rows."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

ROWS, COLUMNS = 7, 5

_SHAPES = {
    "A": ".###. #...# #...# ##### #...# #...# #...#",
    "B": "####. #...# #...# ####. #...# #...# ####.",
    "C": ".###. #...# #.... #.... #.... #...# .###.",
    "D": "####. #...# #...# #...# #...# #...# ####.",
    "E": "##### #.... #.... ####. #.... #.... #####",
    "F": "##### #.... #.... ####. #.... #.... #....",
    "G": ".###. #...# #.... #.### #...# #...# .###.",
    "H": "#...# #...# #...# ##### #...# #...# #...#",
    "I": ".###. ..#.. ..#.. ..#.. ..#.. ..#.. .###.",
    "J": "..### ...#. ...#. ...#. ...#. #..#. .##..",
    "K": "#...# #..#. #.#.. ##... #.#.. #..#. #...#",
    "L": "#.... #.... #.... #.... #.... #.... #####",
    "M": "#...# ##.## #.#.# #.#.# #...# #...# #...#",
    "N": "#...# ##..# ##..# #.#.# #..## #..## #...#",
    "O": ".###. #...# #...# #...# #...# #...# .###.",
    "P": "####. #...# #...# ####. #.... #.... #....",
    "Q": ".###. #...# #...# #...# #.#.# #..#. .##.#",
    "R": "####. #...# #...# ####. #.#.. #..#. #...#",
    "S": ".#### #.... #.... .###. ....# ....# ####.",
    "T": "##### ..#.. ..#.. ..#.. ..#.. ..#.. ..#..",
    "U": "#...# #...# #...# #...# #...# #...# .###.",
    "V": "#...# #...# #...# #...# .#.#. .#.#. ..#..",
    "W": "#...# #...# #...# #.#.# #.#.# ##.## #...#",
    "X": "#...# #...# .#.#. ..#.. .#.#. #...# #...#",
    "Y": "#...# #...# .#.#. ..#.. ..#.. ..#.. ..#..",
    "Z": "##### ....# ...#. ..#.. .#... #.... #####",
    "0": ".###. #...# #..## #.#.# ##..# #...# .###.",
    "1": "..#.. .##.. ..#.. ..#.. ..#.. ..#.. .###.",
    "2": ".###. #...# ....# ..##. .#... #.... #####",
    "3": "####. ....# ....# .###. ....# ....# ####.",
    "4": "...#. ..##. .#.#. #..#. ##### ...#. ...#.",
    "5": "##### #.... ####. ....# ....# #...# .###.",
    "6": ".###. #.... #.... ####. #...# #...# .###.",
    "7": "##### ....# ...#. ...#. ..#.. ..#.. ..#..",
    "8": ".###. #...# #...# .###. #...# #...# .###.",
    "9": ".###. #...# #...# .#### ....# ....# .###.",
    " ": "..... ..... ..... ..... ..... ..... .....",
    ".": "..... ..... ..... ..... ..... .##.. .##..",
    ":": "..... .##.. .##.. ..... .##.. .##.. .....",
    "-": "..... ..... ..... ##### ..... ..... .....",
    "+": "..... ..#.. ..#.. ##### ..#.. ..#.. .....",
    "/": "....# ....# ...#. ..#.. .#... #.... #....",
    "%": "##..# ##..# ...#. ..#.. .#... #..## #..##",
    "_": "..... ..... ..... ..... ..... ..... #####",
}


def text_bitmap(text: str) -> NDArray[np.float32]:
    """Return a line of text as (7, 6 n) float32, 1 where there is ink; one empty column follows each sign.

    Parameters
    ----------
    text : capitals, figures, blank and ``. : - + / % _``; small letters become capitals, other signs blanks

    >>> text_bitmap("MI 1.2").shape
    (7, 36)
    >>> int(text_bitmap("-").sum())
    5
    """
    shapes = [_glyph(sign) for sign in text.upper()]
    return np.concatenate([np.zeros((ROWS, 0), np.float32), *shapes], axis=1)


def scaled_bitmap(bitmap: NDArray[np.float32], height: float) -> NDArray[np.float32]:
    """Return a bitmap at another height in pixels, its proportions kept; ink is shared among pixels by area.

    >>> scaled_bitmap(np.ones((7, 12), np.float32), 3.5).shape
    (4, 6)
    """
    scale = height / bitmap.shape[0]
    return np.asarray(_areas(bitmap.shape[0], scale) @ bitmap @ _areas(bitmap.shape[1], scale).T, np.float32)


@lru_cache(maxsize=64)
def _glyph(sign: str) -> NDArray[np.float32]:
    """Return (7, 6) ink of one sign."""
    rows = [[*(dot == "#" for dot in row), False] for row in _SHAPES.get(sign, _SHAPES[" "]).split()]
    ink = np.array(rows, np.float32)
    ink.flags.writeable = False
    return ink


def _areas(count: int, scale: float) -> NDArray[np.float32]:
    """Return the matrix (ceil(count x scale), count) whose rows say how much of each old pixel lies under a new one."""
    edges = np.arange(int(np.ceil(count * scale)) + 1) / scale
    cells = np.arange(count)
    overlap = np.minimum(edges[1:, None], cells + 1) - np.maximum(edges[:-1, None], cells)
    return (np.clip(overlap, 0, None) * scale).astype(np.float32)

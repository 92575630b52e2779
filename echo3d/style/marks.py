"""What screens and archives lay over an echo picture: words, calipers, an ECG trace, boxes, patches filled in, JPEG.

Every function takes pictures (P, H, W) with their rows of numbers (see :class:`echo3d.style.randomise.Randomisation`) and returns new ones.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echo3d.style.glyphs import scaled_bitmap, text_bitmap
from echo3d.style.jpeg import jpeg_loss
from echo3d.style.scanner import Pictures, Rows

PHRASES = (
    "A##", "FR ##HZ", "MI #.#", "TI #.#", "HR ##", "## BPM", "2D ##%", "C ##", "P LOW", "HPEN", "ADULT", "X#-#", "DEPTH ##CM", "#.## CM",
    "M#", "FREEZE", "PAT T: ##.#C", "LVID #.#", "GN ##", "DR ##", "#+#", "TIS #.#",
)  # fmt: skip
"""What scanners print beside and over the fan; ``#`` stands for any figure."""

_WAVES = ((0.0, 0.012, 1.0), (-0.030, 0.010, -0.16), (0.032, 0.012, -0.26), (-0.17, 0.025, 0.14), (0.27, 0.045, 0.28))
_EDGE = 5


def random_phrase(rng: np.random.Generator) -> str:
    """Return a phrase of a scanner's screen with random figures.

    >>> len(random_phrase(np.random.default_rng(0))) > 0
    True
    """
    phrase = PHRASES[rng.integers(len(PHRASES))]
    return "".join(str(rng.integers(10)) if sign == "#" else sign for sign in phrase)


def ecg_wave(beats: NDArray) -> NDArray[np.float64]:
    """Return the height of an ECG (R wave about 1) at times counted in beats from an R wave: waves P, Q, R, S and T as Gaussian bumps.

    >>> ecg_wave(np.array([0.0, 1.0])).round(1)
    array([1., 1.])
    """
    phase = (np.asarray(beats, float) + 0.5) % 1 - 0.5
    return np.asarray(sum(height * np.exp(-0.5 * np.square((phase - at) / width)) for at, width, height in _WAVES))


def texts(pictures: Pictures, rows: Rows) -> Pictures:
    """Return pictures with their lines of text."""
    result = pictures.copy()
    for at, seed in enumerate(rows.seed):
        rng = np.random.default_rng([int(seed), 7])
        for level, row, column, height in rows.values[at]:
            phrase = random_phrase(rng)
            if level > 0:
                size = result.shape[1]
                ink = scaled_bitmap(text_bitmap(phrase), max(3.0, float(height) * size))
                result[at] = inked(result[at], ink, (int(row * size), int(column * size + result.shape[2] / 2)), float(level))
    return result


def inked(picture: Pictures, ink: Pictures, corner: tuple[int, int], level: float) -> Pictures:
    """Return a picture (H, W) with a bitmap laid over it in one grey, its upper left pixel at ``corner``; what juts out is lost."""
    top, left = corner
    height, width = picture.shape
    rows, columns = slice(max(top, 0), min(top + ink.shape[0], height)), slice(max(left, 0), min(left + ink.shape[1], width))
    result = picture.copy()
    if rows.start < rows.stop and columns.start < columns.stop:
        cover = np.minimum(ink[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left], 1)
        result[rows, columns] += cover * (np.float32(level) - result[rows, columns])
    return result


def calipers(pictures: Pictures, rows: Rows) -> Pictures:
    """Return pictures with two crosses and a dotted line between them."""
    result = pictures.copy()
    size, middle = pictures.shape[1], pictures.shape[2] / 2
    for at, (level, *ends) in enumerate(rows.values):
        one, two = (np.array([row * size, column * size + middle]) for row, column in (ends[:2], ends[2:]))
        count = max(2, int(np.linalg.norm(two - one) / max(3.0, size / 37)))
        dots = one + np.linspace(0, 1, count)[:, None] * (two - one)
        arm = np.arange(-2, 3) * max(1.0, size / 112)
        cross = np.concatenate([np.stack([arm, 0 * arm], 1), np.stack([0 * arm, arm], 1)])
        result[at] = dotted(result[at], np.concatenate([dots, one + cross, two + cross]), float(level))
    return result


def traces(pictures: Pictures, rows: Rows) -> Pictures:
    """Return pictures with an ECG across them."""
    result = pictures.copy()
    height, width = pictures.shape[1:]
    columns = np.arange(0, width, 0.05)  # fine enough for the slope of the R wave
    for at, (level, row, high, beats) in enumerate(rows.values):
        start = np.random.default_rng([int(rows.seed[at]), 8]).random()
        wave = (row - high * ecg_wave(start + beats * columns / width)) * height
        result[at] = dotted(result[at], np.stack([wave, columns], 1), float(level))
    return result


def dotted(picture: Pictures, points: NDArray, level: float) -> Pictures:
    """Return a picture (H, W) with the pixels under points (N, 2) (row, column) in one grey; points outside are left out."""
    spots = np.floor(points).astype(np.intp)
    spots = spots[((spots >= 0) & (spots < picture.shape)).all(axis=1)]
    result = picture.copy()
    result[spots[:, 0], spots[:, 1]] = level
    return result


def boxes(pictures: Pictures, rows: Rows) -> Pictures:
    """Return pictures with a rectangle painted over."""
    result = pictures.copy()
    for at, (high, top, left, wide, grey) in enumerate(rows.values):
        area = _area((top, left, high, wide), pictures.shape[1:])
        result[at][area] = grey
    return result


def filled(pictures: Pictures, rows: Rows) -> Pictures:
    """Return pictures in which a rectangle is filled in smoothly from its rim, as removed text is."""
    result = pictures.copy()
    for at, (high, top, left, wide) in enumerate(rows.values):
        area = _area((top, left, high, wide), pictures.shape[1:])
        result[at][area] = from_rim(pictures[at], area)
    return result


def from_rim(picture: Pictures, area: tuple[slice, slice]) -> Pictures:
    """Return the smooth surface (h, w) that joins the pixels around a rectangle: Coons' patch of its four averaged sides."""
    rows, columns = (np.arange(part.start - 1, part.stop + 1).clip(0, size - 1) for part, size in zip(area, picture.shape, strict=True))
    rim = picture[np.ix_(rows, columns)]
    upper, lower, left, right = (_softened(side) for side in (rim[0], rim[-1], rim[:, 0], rim[:, -1]))
    down, across = np.linspace(0, 1, len(rows))[:, None], np.linspace(0, 1, len(columns))[None]
    ruled = (1 - down) * upper + down * lower + (1 - across) * left[:, None] + across * right[:, None]
    corners = (1 - down) * ((1 - across) * upper[0] + across * upper[-1]) + down * ((1 - across) * lower[0] + across * lower[-1])
    return (ruled - corners)[1:-1, 1:-1].clip(0, 1).astype(np.float32)


def compressed(pictures: Pictures, rows: Rows) -> Pictures:
    """Return pictures as JPEG leaves them."""
    return jpeg_loss(np.clip(pictures, 0, 1), 100 - rows.values)


def _softened(side: Pictures) -> Pictures:
    """Return the running mean of five pixels along a side of a rim, the ends repeated."""
    padded = np.pad(side, _EDGE // 2, mode="edge")
    return np.convolve(padded, np.full(_EDGE, 1 / _EDGE, np.float32), mode="valid")


def _area(shares: tuple[float, ...], shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return the rectangle (top, left, height, width) in shares of the picture's sides, one pixel at least and inside it."""
    height, width = shape
    top, left = min(int(shares[0] * height), height - 1), min(int(shares[1] * width), width - 1)
    return slice(top, min(height, top + max(1, round(shares[2] * height)))), slice(
        left, min(width, left + max(1, round(shares[3] * width)))
    )

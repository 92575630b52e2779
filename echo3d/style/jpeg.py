"""What JPEG compression takes from a grey picture: blocks of eight by eight pixels, cosine transform, coarse steps."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.float32]

BLOCK = 8

LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
"""Steps of the luminance coefficients, of 255 grey levels. *Source:* ITU-T T.81, table K.1."""


def jpeg_loss(pictures: Pictures, quality: NDArray) -> Pictures:
    """Return pictures as they come back from JPEG, but for the rounding to whole grey levels.

    Parameters
    ----------
    pictures : (P, H, W) float32 in [0, 1]
    quality : (P,) 1 to 100, in the scale that libraries commonly take

    Returns
    -------
    (P, H, W) float32 in [0, 1]

    *Source:* ITU-T T.81, A.3.3 (transform), A.3.4 (quantisation); pictures of other sides are padded by their last row and column.
    """
    height, width = pictures.shape[1:]
    padded = (
        np.pad(pictures, ((0, 0), (0, -height % BLOCK), (0, -width % BLOCK)), mode="edge") if height % BLOCK or width % BLOCK else pictures
    )
    tall, wide = padded.shape[1:]
    steps = np.tile(_steps(quality), (1, 1, wide // BLOCK))[:, None]
    coefficients = _transformed(padded * np.float32(255) - np.float32(128), _cosines())
    bands = coefficients.reshape(len(padded), tall // BLOCK, BLOCK, wide)
    bands = np.rint(bands / steps) * steps
    back = _transformed(bands.reshape(padded.shape), _cosines().T)
    return np.clip((back[:, :height, :width] + np.float32(128)) / np.float32(255), 0, 1)


def _steps(quality: NDArray) -> Pictures:
    """Return (P, 8, 8) steps at each quality: the table at 50, half of it at 75, five times at 10; whole numbers of at least 1."""
    quality = np.clip(np.asarray(quality, float), 1, 100)
    percent = np.where(quality < 50, 5000 / quality, 200 - 2 * quality)
    steps = np.floor((np.asarray(LUMINANCE) * percent[:, None, None] + 50) / 100)
    return np.clip(steps, 1, 255).astype(np.float32)


def _transformed(pictures: Pictures, matrix: Pictures) -> Pictures:
    """Return every block B of pictures (P, H, W) as ``matrix @ B @ matrix.T``; blocks keep their places."""
    count, height, width = pictures.shape
    rows = pictures.reshape(-1, BLOCK) @ matrix.T
    return np.matmul(matrix, rows.reshape(count * height // BLOCK, BLOCK, width)).reshape(count, height, width)


@lru_cache(maxsize=1)
def _cosines() -> Pictures:
    """Return the (8, 8) orthonormal cosine transform."""
    wave, place = np.arange(BLOCK)[:, None], np.arange(BLOCK)[None]
    matrix = np.sqrt(2 / BLOCK) * np.cos((2 * place + 1) * wave * np.pi / (2 * BLOCK))
    matrix[0] /= np.sqrt(2)
    kept = matrix.astype(np.float32)
    kept.flags.writeable = False
    return kept

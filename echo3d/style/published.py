"""What opens and closes the published recipe of the pseudo image: the jitter of the four-chamber slice, and the sector mask.

Our own data sets use neither. There the hand's jitter turns and slides the fan in space, so that picture, labels and pose agree; a slice
that is turned, zoomed and shifted as a picture no longer shows its heart at its scale: labels and measures move, and a network that reads
millimetres learns wrong ones. And a fan is as wide as its machine makes it. *Source:* reference science.md C.7.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from echo3d.core.sector import PictureGrid
from echo3d.core.views import View
from echo3d.errors import ShapeError
from echo3d.style.pseudo import REFERENCE_SIZE, SECTOR_DEG, SECTOR_RADIUS

JITTERED = View.A4C
"""The only view that is jittered."""
ROTATION_DEG = (10.0, 20.0)
ZOOM = (1.1, 1.4)
SHIFT_COLUMNS, SHIFT_ROWS = 20.0, 5.0
"""Half ranges of the shifts, pixels of a 224 x 224 picture."""


@dataclass(frozen=True, slots=True)
class Jitter:
    """How a slice is moved as a picture before the recipe begins; as it stands, not at all.

    Parameters
    ----------
    rotation_deg : about the picture's middle, positive against the clock as seen
    zoom : above 1 the heart grows
    shift_rows, shift_columns : pixels of a 224 x 224 picture, downwards and to the right
    """

    rotation_deg: float = 0.0
    zoom: float = 1.0
    shift_rows: float = 0.0
    shift_columns: float = 0.0


def draw_published_jitter(rng: np.random.Generator, view: View) -> Jitter:
    """Return the published jitter of a view: none but for the four-chamber view.

    >>> draw_published_jitter(np.random.default_rng(1), View.A2C)
    Jitter(rotation_deg=0.0, zoom=1.0, shift_rows=0.0, shift_columns=0.0)
    """
    if view is not JITTERED:
        return Jitter()
    return Jitter(
        float(rng.uniform(*ROTATION_DEG)),
        float(rng.uniform(*ZOOM)),
        float(rng.uniform(-SHIFT_ROWS, SHIFT_ROWS)),
        float(rng.uniform(-SHIFT_COLUMNS, SHIFT_COLUMNS)),
    )


def jittered_labels(labels: NDArray[np.uint8], jitter: Jitter) -> NDArray[np.uint8]:
    """Return a label slice (H, W) turned, zoomed and shifted, the nearest pixel at each place and 0 where nothing was.

    Raises
    ------
    ShapeError
        If ``labels`` is no picture.

    >>> jittered_labels(np.eye(3, dtype=np.uint8), Jitter(rotation_deg=90.0))
    array([[0, 0, 1],
           [0, 1, 0],
           [1, 0, 0]], dtype=uint8)
    """
    if labels.ndim != 2:
        raise ShapeError(f"labels must be a picture (H, W), found shape {labels.shape}")
    scale = labels.shape[0] / REFERENCE_SIZE
    middle = (np.array(labels.shape) - 1) / 2
    rows, columns = np.indices(labels.shape, dtype=float)
    down, right = rows - middle[0] - scale * jitter.shift_rows, columns - middle[1] - scale * jitter.shift_columns
    turn = np.radians(jitter.rotation_deg)
    row = middle[0] + (np.cos(turn) * down + np.sin(turn) * right) / jitter.zoom
    column = middle[1] + (np.cos(turn) * right - np.sin(turn) * down) / jitter.zoom
    at_row, at_column = np.rint(row).astype(np.intp), np.rint(column).astype(np.intp)
    found = (at_row >= 0) & (at_row < labels.shape[0]) & (at_column >= 0) & (at_column < labels.shape[1])
    return np.where(found, labels[np.where(found, at_row, 0), np.where(found, at_column, 0)], 0).astype(np.uint8)


def published_inside(height: int = REFERENCE_SIZE, width: int = REFERENCE_SIZE) -> NDArray[np.bool_]:
    """Return the (H, W) sector mask of the recipe; its box is the whole picture but for the tip's row, so that the published crop
    does nothing here.

    >>> mask = published_inside()
    >>> bool(mask[1].any()), bool(mask[-1].any()), bool(mask[:, 0].any())
    (True, True, True)
    """
    return PictureGrid(height, width, 1.0).inside(SECTOR_DEG / 2, SECTOR_RADIUS * height)

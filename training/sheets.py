"""Sheets of sample pictures: rows of grey pictures as one PNG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from echo3d.io.images import write_png

GAP = 2
"""Pixels between two pictures."""


def write_sheet(path: Path, rows: Sequence[Tensor]) -> None:
    """Write rows of pictures (P, 1, H, W) in [0, 1]; each row may hold another number."""
    height, width = rows[0].shape[-2:]
    most = max(len(row) for row in rows)
    sheet = np.full((len(rows) * (height + GAP) - GAP, most * (width + GAP) - GAP), 64, np.uint8)
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            grey = np.rint(255 * picture[0].float().clamp(0, 1).cpu().numpy()).astype(np.uint8)
            sheet[i * (height + GAP) :, j * (width + GAP) :][:height, :width] = grey
    write_png(path, sheet)

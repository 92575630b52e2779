"""The paper's Figure 5 as a sheet: for each view the picture, the predicted section over it, and the true one.

    python -m training.overlaysheet --data runs/testmini --out sheet.png

*Source:* paper section 5.3 and Figure 5: the reconstruction cut at the predicted plane, in light blue over the picture.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from echo3d.anatomy.template import load_template
from echo3d.clinical.overlay import Outlines, draw_overlay, section_outlines
from echo3d.core.structures import TAGS, Structure, colour
from echo3d.core.views import View
from echo3d.io.images import write_png
from echo3d.reconstruction.planes import load_planes
from echo3d.reconstruction.raster import NETWORK_GRID
from echo3d.reconstruction.reconstruct import load_model
from training.overlayscore import Seen, cut, sector_of, see, some
from training.styles import STYLES

ZOOM = 3
"""Pixels of the sheet to a pixel of the network's raster, each way."""

GAP, DARK = 6, 24
LIGHT_BLUE = (150, 205, 255)
MASK_SHARE = 0.45


def overlay_sheet(seen: Seen, row: int) -> NDArray[np.uint8]:
    """Return the sheet (rows, columns, 3) of one sample: a row of pictures, of predicted sections and of true ones; a column a view.

    Parameters
    ----------
    seen : see :class:`training.overlayscore.Seen`
    row : which sample

    The predicted row has the tissue in light blue and every structure's outline in its colour; the true row has the labels that the
    picture was drawn from.
    """
    columns = [_column(seen, row, view) for view in View]
    return np.concatenate([part for column in columns for part in (column, _gap(column))][:-1], axis=1)


def _gap(column: NDArray) -> NDArray[np.uint8]:
    return np.full((len(column), GAP, 3), DARK, np.uint8)


def _column(seen: Seen, row: int, view: View) -> NDArray[np.uint8]:
    """Return picture, prediction and truth of one view, one below another."""
    picture = ndimage.zoom(seen.echo[row, view] / 255.0, ZOOM, order=1)
    labels = cut(seen, row, view, ("found", "found"))
    sector = sector_of(seen.planes["found"][row, view].astype(float), seen.fans[row, view])
    outlines = section_outlines(load_template(), seen.points["found"][row], sector)
    predicted = drawn_outlines(masked(picture, enlarged(labels)), outlines, enlarged(labels) > 0)
    true = draw_overlay(picture, enlarged(seen.labels[row, view]))
    grey = np.repeat(np.rint(255 * picture.clip(0, 1)).astype(np.uint8)[..., None], 3, axis=2)
    bar = np.full((GAP, grey.shape[1], 3), DARK, np.uint8)
    return np.concatenate([grey, bar, predicted, bar, true])


def enlarged(labels: NDArray) -> NDArray[np.uint8]:
    """Return labels at the sheet's size."""
    return labels.repeat(ZOOM, axis=0).repeat(ZOOM, axis=1)


def masked(picture: NDArray, labels: NDArray) -> NDArray[np.uint8]:
    """Return the grey picture (H, W) in [0, 1] with a light-blue mask over the tissue, (H, W, 3) uint8.

    >>> masked(np.zeros((1, 2)), np.array([[1, 101]]))[0, 1].tolist()
    [0, 0, 0]
    """
    share = np.where(np.isin(labels, list(TAGS)), MASK_SHARE, 0.0)[..., None]
    return np.rint(255 * picture.clip(0, 1)[..., None] * (1 - share) + np.array(LIGHT_BLUE) * share).astype(np.uint8)


def drawn_outlines(canvas: NDArray[np.uint8], outlines: Outlines, near: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the canvas with outlines (depth, lateral in mm) in their structures' colours, within or beside ``near`` only."""
    result = canvas.copy()
    shown = ndimage.binary_dilation(near, iterations=2)
    for structure, lines in outlines.items():
        for line in lines:
            row, column = _trace(line)
            kept = (row >= 0) & (row < len(result)) & (column >= 0) & (column < result.shape[1])
            row, column = row[kept], column[kept]
            kept = shown[row, column]
            result[row[kept], column[kept]] = np.rint(colour(Structure(structure)))
    return result


def _trace(line: NDArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows and columns on the sheet of a polyline in mm, a point for every half pixel of its length."""
    place = (line / NETWORK_GRID.pixel_mm + [0.0, NETWORK_GRID.width / 2]) * ZOOM
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(place, axis=0), axis=1))])
    at = np.arange(0.0, length[-1], 0.5)
    return tuple(np.floor(np.interp(at, length, place[:, axis])).astype(np.int64) for axis in (0, 1))  # type: ignore[return-value]


def main() -> None:
    """Write one sheet for each of some samples."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=4, help="pairs to choose from, each of another style")
    parser.add_argument("--row", type=int, default=0)
    parser.add_argument("--model", default="lean")
    parser.add_argument("--planes", default="sliceplane")
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = load_model(options.model, "cpu")
    seen = see(model, load_planes(model, options.planes), some(options.data, options.pairs, STYLES))
    write_png(options.out, overlay_sheet(seen, options.row))


if __name__ == "__main__":
    main()

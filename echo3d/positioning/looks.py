"""What a slice looks like on screen: its labels in colours, its tissue, the paper's pseudo image, or an echo picture."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from echo3d.anatomy.window import Window
from echo3d.core.sector import PictureGrid, SectorSlice, grid_for
from echo3d.core.structures import TAGS, Structure, colour
from echo3d.core.views import View
from echo3d.positioning.state import Picture
from echo3d.slicing.labelvolume import Labels, cut_polar
from echo3d.style.draws import SpeckleDraw, draw_speckle
from echo3d.style.polar import polar_of
from echo3d.style.pseudo import PseudoDraw, draw_pseudo, pseudo_image
from echo3d.style.scene import Scene, long_axis_of
from echo3d.style.speckle import speckle_image

_GROUND = (24, 30, 40)
_SAMPLES, _LINES = 320, 96
_COARSE_SAMPLES, _COARSE_LINES = 160, 64


def looked_at(piece: SectorSlice, labels: Labels, picture: Picture, *, window: Window | None = None) -> NDArray[np.uint8]:
    """Return the (H, W, 4) RGBA picture of a slice, clear outside the fan.

    Parameters
    ----------
    piece : the slice
    labels : the heart in the body, which the echo picture is cut from along its beams
    picture : what is wanted
    window : what stops the beams, for the echo picture
    """
    if picture is Picture.LABELS:
        return _clear_outside(label_table()[piece.labels], piece.inside)
    if picture is Picture.BINARY:
        return _clear_outside(_binary_table()[piece.labels], piece.inside)
    if picture in (Picture.PSEUDO, Picture.CYCLEGAN):  # ``restyling`` has the latter translated in another process
        return _grey(pseudo_image(piece.labels, piece.inside, pseudo_draw(piece.view)), piece.inside)
    return _grey(_echo(piece, labels, window), piece.inside)


def _echo(piece: SectorSlice, labels: Labels, window: Window | None) -> NDArray[np.float32]:
    coarse = piece.labels.shape[0] <= 128
    fan = polar_of(piece.sector, _COARSE_SAMPLES if coarse else _SAMPLES, _COARSE_LINES if coarse else _LINES)
    polar = cut_polar(labels, piece.sector, fan.plane_mm())
    grid: PictureGrid = grid_for(piece.sector, piece.labels.shape[0])
    return speckle_image(polar, fan, grid, speckle_draw(piece.view), scene=_scene(piece.view, window, fan.lines))


def _scene(view: View | None, window: Window | None, lines: int) -> Scene:
    """Return what is known of a view besides its labels, for so many beams."""
    if window is None:
        return Scene(long_axis=long_axis_of(view))
    nearest = np.arange(lines) * len(window.start_mm) // lines
    return Scene(window.start_mm[nearest], window.lung[nearest], long_axis=long_axis_of(view))


def _grey(image: NDArray[np.float32], inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    grey = np.rint(255 * np.clip(image, 0, 1)).astype(np.uint8)
    return _clear_outside(np.stack([grey, grey, grey, np.full_like(grey, 255)], axis=-1), inside)


def _clear_outside(picture: NDArray[np.uint8], inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    picture[~inside] = 0
    return picture


@lru_cache(maxsize=1)
def label_table() -> NDArray[np.uint8]:
    """Return (256, 4) RGBA of every label; what is no heart is a dark ground."""
    table = np.full((256, 4), 255, np.uint8)
    table[:, :3] = 128
    for structure in Structure:
        table[structure, :3] = colour(structure)
    table[0, :3] = _GROUND
    table.flags.writeable = False
    return table


@lru_cache(maxsize=1)
def _binary_table() -> NDArray[np.uint8]:
    table = np.full((256, 4), 255, np.uint8)
    table[:, :3] = 0
    table[list(TAGS), :3] = 255
    table.flags.writeable = False
    return table


@lru_cache(maxsize=8)
def pseudo_draw(view: View | None) -> PseudoDraw:
    """Return the settings of a view's pseudo image; the same each time, so that a moving heart does not flicker."""
    return draw_pseudo(np.random.default_rng([17, 0 if view is None else int(view)]))


@lru_cache(maxsize=8)
def speckle_draw(view: View | None) -> SpeckleDraw:
    """Return the settings of a view's echo picture; the same each time."""
    return draw_speckle(np.random.default_rng([23, 0 if view is None else int(view)]))

"""Pseudo images of the workspace in the trained echo style; the network runs in another process, and this knows only who to ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from echo3d.core.sector import SectorSlice
from echo3d.core.views import View
from echo3d.errors import InputError
from echo3d.positioning.looks import pseudo_draw
from echo3d.style.extent import in_mm
from echo3d.style.pseudo import pseudo_image

if TYPE_CHECKING:
    from echo3d.positioning.previews import Preview


@dataclass(frozen=True, slots=True, eq=False)
class Plain:
    """A picture to be translated.

    Parameters
    ----------
    pseudo : (H, W) float32 in [0, 1]
    inside : (H, W) bool, within the fan
    pixel_mm : side of a pixel
    """

    pseudo: NDArray[np.float32]
    inside: NDArray[np.bool_]
    pixel_mm: float


Restyle = Callable[[Sequence[Plain]], list[NDArray[np.float32]]]
"""Translates pictures, in their order; may be called on any thread but Qt's, for it waits."""


def plain_of(piece: SectorSlice) -> Plain:
    """Return the pseudo image of a slice, the same each time, with the grain that the network was trained on."""
    draw = in_mm(pseudo_draw(piece.view), len(piece.labels), piece.pixel_mm)
    return Plain(pseudo_image(piece.labels, piece.inside, draw), piece.inside, piece.pixel_mm)


def restyled(pieces: Sequence[SectorSlice], restyle: Restyle | None) -> list[NDArray[np.uint8]]:
    """Return slices in the trained style, (H, W, 4) RGBA each, clear outside the fan.

    Raises
    ------
    InputError
        If there is nobody to ask.
    EngineError
        If who is asked went away.
    """
    if restyle is None:
        raise InputError("the trained style needs the inference process, found none here; choose pseudo or echo pictures")
    made = restyle([plain_of(piece) for piece in pieces])
    return [_rgba(picture, piece.inside) for picture, piece in zip(made, pieces, strict=True)]


def with_style(previews: Mapping[View, Preview], restyle: Restyle | None) -> dict[View, Preview]:
    """Return previews with their pictures in the trained style."""
    pixels = restyled([preview.piece for preview in previews.values()], restyle)
    return {view: replace(preview, pixels=one) for (view, preview), one in zip(previews.items(), pixels, strict=True)}


def _rgba(picture: NDArray[np.float32], inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    grey = np.rint(255 * np.clip(picture, 0, 1)).astype(np.uint8)
    made = np.stack([grey, grey, grey, np.full_like(grey, 255)], axis=-1)
    made[~inside] = 0
    return made

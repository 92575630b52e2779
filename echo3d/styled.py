"""Label slices as pictures of a chosen style: tissue in white, the paper's pseudo image, or that in the trained echo style.

The network is named by strings alone, so that a window may import this without torch.
"""

from __future__ import annotations

import pkgutil

import numpy as np
from numpy.typing import NDArray

from echo3d.errors import InputError
from echo3d.style.extent import in_mm
from echo3d.style.pseudo import PseudoDraw, pseudo_image

STYLES = ("binary", "pseudo", "speckle", "cyclegan")
"""What a synthetic patient's pictures show; speckle is made from the labels along the beams, all others from the slice."""

LAST_TAG = 24
"""Labels from 1 to this are tissue."""


def check_style(style: str) -> None:
    """Refuse a style that is none.

    Raises
    ------
    InputError
        If it is not one of ``STYLES``.
    """
    if style not in STYLES:
        raise InputError(f"a style must be one of {', '.join(STYLES)}, found {style[:40]!r}; choose one of these")


def styled(style: str, labels: NDArray[np.uint8], inside: NDArray[np.bool_], how: tuple[PseudoDraw, float]) -> NDArray[np.float32]:
    """Return a slice as a picture.

    Parameters
    ----------
    style : binary, pseudo or cyclegan
    labels : (H, W) uint8 structure values
    inside : (H, W) bool, within the fan
    how : parameters of the pseudo image, and the side of a pixel in mm

    Returns
    -------
    (H, W) float32 in [0, 1], zero outside the fan

    >>> styled("binary", np.array([[1, 101, 24]], np.uint8), np.array([[True, True, False]]), None).tolist()
    [[1.0, 0.0, 0.0]]
    """
    if style == "binary":
        return ((labels > 0) & (labels <= LAST_TAG) & inside).astype(np.float32)
    draw, pixel_mm = how
    if style == "pseudo":
        return pseudo_image(labels, inside, draw)
    plain = pseudo_image(labels, inside, in_mm(draw, len(labels), pixel_mm))
    return translated(plain[None], inside[None], pixel_mm)[0]


def translated(pseudo: NDArray, inside: NDArray, pixel_mm: float) -> NDArray[np.float32]:
    """Return pseudo images (P, H, W) in the trained echo style; see :func:`echo3d.style.transfer.echo_styled`.

    Raises
    ------
    ModelError
        If the weights are missing or damaged.
    """
    load, translate = (pkgutil.resolve_name(f"echo3d.style.transfer:{name}") for name in ("load_generator", "echo_styled"))
    made: NDArray[np.float32] = translate(pseudo, inside, load(), pixel_mm=pixel_mm)
    return made

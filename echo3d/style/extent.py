"""Pseudo images of any extent with the grain, in mm, that the style transfer was trained on.

The recipe states its lengths in pixels of a picture of 224; a picture that shows twice as many mm would be blurred over twice as many.
"""

from __future__ import annotations

from dataclasses import replace

from echo3d.style.pseudo import PseudoDraw

TRAINED_MM = 112 * 1.6
"""Height of the pictures that the generator was trained on."""


def in_mm(draw: PseudoDraw, height: int, pixel_mm: float) -> PseudoDraw:
    """Return the draw for a picture of ``height`` rows of ``pixel_mm`` whose blurs and blocks are as long in mm as in training.

    >>> from echo3d.style.pseudo import draw_pseudo
    >>> import numpy as np
    >>> draw = draw_pseudo(np.random.default_rng(0))
    >>> in_mm(draw, 112, 1.6) == draw, in_mm(draw, 112, 3.2).second_blur
    (True, (3.0, 1.0))
    """
    factor = round(TRAINED_MM / (height * pixel_mm), 9)
    return replace(
        draw,
        multiplicative_block=draw.multiplicative_block * factor,
        first_blur=(draw.first_blur[0] * factor, draw.first_blur[1] * factor),
        second_blur=(draw.second_blur[0] * factor, draw.second_blur[1] * factor),
        normal_blocks=tuple(block * factor for block in draw.normal_blocks),
        spot_variance=draw.spot_variance * factor**2,
    )

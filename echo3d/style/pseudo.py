"""The paper's pseudo image: the recipe that turns a binary slice into the first domain of the style transfer.

*Source:* settings of reference [31] of the paper, as read in reference science.md C.7 and kept in that order. The rotation, zoom and
shift that open the recipe are :mod:`echo3d.style.published`; the sector mask that closes it is the slice's ``inside``, as published
:func:`echo3d.style.published.published_inside`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from echo3d.core.structures import BLOOD, TAGS
from echo3d.errors import ShapeError

Picture = NDArray[np.float32]

REFERENCE_SIZE = 224
"""Pixels; every length of the recipe is stated for a picture of this height."""


SPOT_BRIGHT_CHANCE = 0.5
"""Chance of a bright spot; it is dark otherwise."""
SPOT_CENTRE, SPOT_CENTRE_SD = (0.0, 100.0), 100.0
"""Mean (row, column) and standard deviation of the spot's centre, pixels."""
SPOT_AMPLITUDE, SPOT_AMPLITUDE_SD = 0.3, 0.05
"""Mean and standard deviation of its height, share of white."""
SPOT_VARIANCE_PER_ROW, SPOT_VARIANCE, SPOT_VARIANCE_SD = 4.0, 4000.0, 500.0
"""Its variance: so much for each row of the picture, and a normal number's mean and standard deviation; square pixels."""
MAXIMUM = (230.0, 250.0)
"""Range of the brightest grey level, uniform."""
SECTOR_DEG, SECTOR_RADIUS = 67.5, 1.0
"""Full opening of the closing mask (6 pi / 16) and its radius in heights of the picture; its tip is the middle of the upper edge."""


@dataclass(frozen=True, slots=True)
class PseudoDraw:
    """The parameters of one pseudo image; lengths in pixels of a 224 x 224 picture, grey levels of 255.

    Parameters
    ----------
    seed : of the noise fields
    spot_bright : whether the spot adds or takes light
    spot_row, spot_column : its centre; ~ N((0, 100), 100)
    spot_amplitude : as a share of white; ~ N(0.3, 0.05)
    spot_variance : square pixels; ~ 4 x height + N(4000, 500)
    maximum : grey level of the brightest pixel; ~ U(230, 250)
    multiplicative_block : the first noise is constant in blocks of this side
    additive_level : half range of the uniform noise
    blood_factor : of the enclosed blood pools
    first_blur, second_blur : standard deviation along (row, column)
    normal_level : standard deviation of the noise that is added and taken away
    normal_blocks : sides of its blocks, one after the other

    *Source:* science.md C.7.
    """

    seed: int
    spot_bright: bool
    spot_row: float
    spot_column: float
    spot_amplitude: float
    spot_variance: float
    maximum: float
    multiplicative_block: float = 8
    additive_level: float = 100.0
    blood_factor: float = 0.6
    first_blur: tuple[float, float] = (4.0, 2.0)
    second_blur: tuple[float, float] = (6.0, 2.0)
    normal_level: float = 10.0
    normal_blocks: tuple[float, ...] = (2, 6)


def draw_pseudo(rng: np.random.Generator) -> PseudoDraw:
    """Return the parameters of one pseudo image with the recipe's distributions.

    >>> draw_pseudo(np.random.default_rng(1)) == draw_pseudo(np.random.default_rng(1))
    True
    """
    return PseudoDraw(
        seed=int(rng.integers(2**31)),
        spot_bright=bool(rng.random() < SPOT_BRIGHT_CHANCE),
        spot_row=float(rng.normal(SPOT_CENTRE[0], SPOT_CENTRE_SD)),
        spot_column=float(rng.normal(SPOT_CENTRE[1], SPOT_CENTRE_SD)),
        spot_amplitude=float(rng.normal(SPOT_AMPLITUDE, SPOT_AMPLITUDE_SD)),
        spot_variance=SPOT_VARIANCE_PER_ROW * REFERENCE_SIZE + float(rng.normal(SPOT_VARIANCE, SPOT_VARIANCE_SD)),
        maximum=float(rng.uniform(*MAXIMUM)),
    )


def pseudo_image(labels: NDArray[np.uint8], inside: NDArray[np.bool_], draw: PseudoDraw) -> Picture:
    """Return the pseudo image of a slice.

    Parameters
    ----------
    labels : (H, W) uint8 structure values; tags 1-24 are tissue, 101-106 the enclosed blood
    inside : (H, W) bool, within the fan
    draw : see :func:`draw_pseudo`

    Returns
    -------
    (H, W) float32 in [0, 1], zero outside the fan

    Raises
    ------
    ShapeError
        If the two arrays are not pictures of one shape.
    """
    if labels.ndim != 2 or labels.shape != inside.shape:
        raise ShapeError(f"labels and inside must be pictures of one shape, found {labels.shape} and {inside.shape}")
    rng = np.random.default_rng(draw.seed)
    image = _TISSUE[labels]
    image *= _blocks(rng.random(_cells(labels.shape, draw.multiplicative_block), np.float32), labels.shape)
    image = np.clip(image + _spot(labels.shape, draw), 0, 1)
    image = np.clip(image + _uniform(rng, labels.shape, draw.additive_level), 0, 1)
    image *= np.where(_BLOOD[labels], np.float32(draw.blood_factor), np.float32(1))
    image = _blurred(image, draw.first_blur, draw.second_blur)
    for block in draw.normal_blocks:
        image = _rough(rng, image, draw.normal_level, block)
    image *= np.float32(draw.maximum / 255 / max(float(image.max()), 1e-6))
    return image * inside


def _table(values: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return (256,) whether a label is one of ``values``."""
    table = np.zeros(256, bool)
    table[list(values)] = True
    table.flags.writeable = False
    return table


_TISSUE = _table(tuple(TAGS)).astype(np.float32)
_BLOOD = _table(tuple(BLOOD))


def _cells(shape: tuple[int, ...], block: float) -> tuple[int, int]:
    """Return how many blocks of ``block`` reference pixels cover a picture, at most one per pixel.

    >>> _cells((112, 112), 8)
    (28, 28)
    >>> _cells((112, 112), 1)
    (112, 112)
    """
    scale = shape[0] / REFERENCE_SIZE
    rows, columns = (max(1, min(size, round(size / (block * scale)))) for size in shape)
    return rows, columns


def _blocks(coarse: Picture, shape: tuple[int, ...]) -> Picture:
    """Return the coarse field at full size, each value repeated."""
    rows = np.arange(shape[0]) * coarse.shape[0] // shape[0]
    columns = np.arange(shape[1]) * coarse.shape[1] // shape[1]
    return coarse.take(rows, axis=0).take(columns, axis=1)


def _spot(shape: tuple[int, ...], draw: PseudoDraw) -> Picture:
    """Return the light that the Gaussian spot adds (positive) or takes (negative)."""
    scale = shape[0] / REFERENCE_SIZE
    centre = (draw.spot_row, draw.spot_column)
    width = -0.5 / max(draw.spot_variance, 1.0)
    rows, columns = (np.exp(width * np.square((np.arange(size) + 0.5) / scale - at)) for size, at in zip(shape, centre, strict=True))
    sign = 1.0 if draw.spot_bright else -1.0
    return np.asarray(np.outer(sign * draw.spot_amplitude * rows, columns), np.float32)


def _uniform(rng: np.random.Generator, shape: tuple[int, ...], level: float) -> Picture:
    """Return per-pixel noise in +-level (of 255); in a smaller picture by as much less as the mean over the reference's pixels would be."""
    half = level / 255 * min(1.0, shape[0] / REFERENCE_SIZE)
    noise = rng.random(shape, np.float32)
    noise -= np.float32(0.5)
    noise *= np.float32(2 * half)
    return noise


def _blurred(image: Picture, first: tuple[float, float], second: tuple[float, float]) -> Picture:
    """Return the Gaussian mean of one Gaussian mean, each by its standard deviations in reference pixels along (row, column).

    The picture is mirrored at its edges. Nothing is clipped between the two, so that their matrices are multiplied once and kept.
    """
    height, width = image.shape
    scale = height / REFERENCE_SIZE
    rows, columns = _twice(height, first[0] * scale, second[0] * scale), _twice(width, first[1] * scale, second[1] * scale)
    return np.asarray(rows @ image @ columns.T)


@lru_cache(maxsize=32)
def _twice(size: int, first: float, second: float) -> Picture:
    """Return the (size, size) matrix of two Gaussian means in turn."""
    both = _kernel(size, second) @ _kernel(size, first)
    both.flags.writeable = False
    return both


@lru_cache(maxsize=32)
def _kernel(size: int, sigma: float) -> Picture:
    """Return the (size, size) matrix of a Gaussian mean along an axis that is mirrored at both ends."""
    at = np.arange(size)
    mirrored = np.stack([at, -1 - at, 2 * size - 1 - at])
    distance = at[:, None] - mirrored[:, None, :]
    kernel = np.exp(-0.5 * np.square(distance / max(sigma, 1e-3))).sum(axis=0)
    mean = np.ascontiguousarray(kernel / kernel.sum(axis=1, keepdims=True), np.float32)
    mean.flags.writeable = False
    return mean


def _rough(rng: np.random.Generator, image: Picture, level: float, block: float) -> Picture:
    """Return the image after one field of blocky normal noise is added and another one taken away, black and white held each time."""
    cells = _cells(image.shape, block)
    for sign in (1, -1):
        noise = rng.standard_normal(cells, np.float32) * np.float32(sign * level / 255)
        image = np.clip(image + _blocks(noise, image.shape), 0, 1)
    return image

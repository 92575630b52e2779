"""Domain randomisation: what carts, hands, screens and archives do to an echo picture, drawn at random and applied to many pictures.

A network that has seen every one of these, alone and together, does not mistake one machine's habits for anatomy. No effect moves a pixel:
the network reads metric positions. *Source:* Tobin et al. 2017 (the idea); ranges are our choice, with their reasons in ``EFFECTS``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echo3d.core.arrays import frozen_array
from echo3d.errors import InputError, ShapeError
from echo3d.style import marks, scanner
from echo3d.style.scanner import Rows

Pictures = NDArray[np.float32]

FREE = float("nan")
"""Neutral value of a place or a size, which says nothing about strength."""


CHUNK = 4
"""Pictures that are worked on together: 200 kB at 112 pixels, which a core's cache holds."""


@dataclass(frozen=True, slots=True)
class Effect:
    """How one effect is drawn.

    Parameters
    ----------
    chance : of each of its parts to be there
    low, high : range of each number, uniform
    neutral : the number with which nothing happens; ``FREE`` for places and sizes
    shape : of the numbers of one picture
    parts : how many leading axes of ``shape`` count things that come and go each for itself
    why : reason for chance and range
    """

    chance: tuple[float, ...] | float
    low: tuple[float, ...] | float
    high: tuple[float, ...] | float
    neutral: tuple[float, ...] | float
    shape: tuple[int, ...]
    parts: int
    why: str


EFFECTS: Mapping[str, Effect] = {
    "uneven": Effect(0.5, 0.35, 1.5, 1.0, (4, 4), 0, "poor contact and windows between ribs leave half of all clinical pictures patchy"),
    "depth_gain": Effect(0.5, 0.6, 1.5, 1.0, (6,), 0, "six sliders set by hand; +-4 dB in 60 dB is what hands leave"),
    "ghost": Effect(0.15, (0.1, 7.0, -0.3), (0.35, 25.0, 0.3), (0.0, FREE, FREE), (3,), 0, "side lobes repeat bright walls 10-20 dB down"),
    "haze": Effect(0.35, (0.1, 0.05), (0.6, 0.22), (0.0, FREE), (2,), 0, "chest wall clutter covers the first 1-4 cm, the apex of the LV"),
    "shadow": Effect(
        0.15,
        (0.3, -45.0, 2.0, 0.0),
        (1.0, 45.0, 9.0, 0.15),
        (0.0, FREE, FREE, FREE),
        (2, 4),
        1,
        "ribs and lung; sides are hidden most often",
    ),
    "dropout": Effect(
        0.12, (0.4, 0.1, -0.4, 0.03), (1.0, 0.9, 0.4, 0.14), (0.0, FREE, FREE, FREE), (3, 4), 1, "walls along the beam are lost in pieces"
    ),
    "blur": Effect(0.35, (0.0, 0.0), (0.9, 1.5), (0.0, 0.0), (2,), 0, "older probes: 3 mm across the beam and 2 mm along it more"),
    "display": Effect(
        (1.0, 0.5, 0.5, 1.0),
        (0.65, 0.8, -0.5, 0.65),
        (1.6, 1.4, 0.5, 1.45),
        (1.0, 1.0, 0.0, 1.0),
        (4,),
        1,
        "50-70 dB and vendors' grey maps",
    ),
    "noise": Effect(1.0, 0.0, 0.06, 0.0, (), 0, "electronic noise of up to 15 of 255 grey levels"),
    "flow": Effect(
        0.08,
        (0.6, 0.1, -20.0, 8.0, 0.5),
        (1.6, 0.45, 20.0, 25.0, 0.8),
        (0.0, FREE, FREE, FREE, FREE),
        (5,),
        0,
        "colour Doppler seen in grey",
    ),
    "fan": Effect(
        0.2, (0.0, 0.0, 0.0), (0.35, 0.35, 0.25), (0.0, 0.0, 0.0), (3,), 0, "users narrow the sector and cut the depth for speed"
    ),
    "text": Effect(
        0.1,
        (0.5, 0.02, -0.6, 0.03),
        (1.0, 0.95, 0.3, 0.08),
        (0.0, FREE, FREE, FREE),
        (2, 4),
        1,
        "letters of 3-8 % of the height lie on fans",
    ),
    "caliper": Effect(
        0.1, (0.5, 0.1, -0.4, 0.1, -0.4), (1.0, 0.9, 0.4, 0.9, 0.4), (0.0, *[FREE] * 4), (5,), 0, "saved frames carry measurements"
    ),
    "trace": Effect(0.08, (0.5, 0.7, 0.03, 1.0), (1.0, 0.95, 0.12, 4.0), (0.0, FREE, FREE, FREE), (4,), 0, "the ECG runs through the foot"),
    "box": Effect(
        0.12, (0.03, 0.0, 0.0, 0.03, 0.0), (0.2, 0.94, 0.94, 0.2, 1.0), (0.0, *[FREE] * 4), (5,), 0, "menus, colour bars, painted names"
    ),
    "hole": Effect(0.12, (0.04, 0.0, 0.0, 0.04), (0.2, 0.9, 0.9, 0.2), (0.0, FREE, FREE, FREE), (4,), 0, "archives fill removed text in"),
    "jpeg": Effect(0.5, 5.0, 70.0, 0.0, (), 0, "archives keep JPEG of quality 95-30; the number is what quality lacks of 100"),
}
"""Chance and range of every effect, in the order in which they are drawn; heights, rows and columns are shares of
the picture's height, columns are counted from its middle, angles are degrees against straight down."""


@dataclass(frozen=True, slots=True, eq=False)
class Randomisation:
    """What happens to each of P pictures; a row of neutral numbers leaves a picture as it is.

    Parameters
    ----------
    seed : (P,) of textures and words
    uneven : (P, 4, 4) factors of a smooth gain over the picture
    depth_gain : (P, 6) factors at equally spaced depths
    ghost : (P, 3) level, degrees to either side, and shift along the beam in shares of the angle
    haze : (P, 2) level, and depth of the fall to 1/e
    shadow : (P, 2, 4) wedges: darkness 0-1, centre and width in degrees, depth at which they begin
    dropout : (P, 3, 4) patches: darkness 0-1, row, column, radius
    blur : (P, 2) standard deviation along and across the middle beam, in 1/112 of the height (1.6 mm on the network's raster)
    display : (P, 4) exponent of the grey curve, stretch of the dynamic range, S of the grey curve (-1 to 1), gain
    noise : (P,) standard deviation of the noise
    flow : (P, 5) brightness of a colour box seen in grey, its near end, middle and half width in degrees, share left empty
    fan : (P, 3) shares of half opening (left, right) and of depth that are cut away
    text : (P, 2, 4) lines: brightness, row, column, height of letters
    caliper : (P, 5) brightness, and row and column of two ends
    trace : (P, 4) ECG: brightness, row, height, number of beats
    box : (P, 5) height, top, left (from the picture's left edge), width, grey value
    hole : (P, 4) rectangle filled in from its rim: height, top, left (from the picture's left edge), width
    jpeg : (P,) what the quality of a compression lacks of 100; 0 for none

    Raises
    ------
    ShapeError
        If the arrays are not as above or hold numbers that are not finite.
    """

    seed: NDArray[np.int64]
    uneven: Pictures
    depth_gain: Pictures
    ghost: Pictures
    haze: Pictures
    shadow: Pictures
    dropout: Pictures
    blur: Pictures
    display: Pictures
    noise: Pictures
    flow: Pictures
    fan: Pictures
    text: Pictures
    caliper: Pictures
    trace: Pictures
    box: Pictures
    hole: Pictures
    jpeg: Pictures

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", frozen_array(self.seed, np.int64, (None,), "seed"))
        for name, effect in EFFECTS.items():
            object.__setattr__(self, name, frozen_array(getattr(self, name), np.float32, (len(self), *effect.shape), name))

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.seed)

    def rows(self, index: object) -> Randomisation:
        """Return the draw of some pictures, chosen as rows of an array are."""
        return Randomisation(**{field.name: getattr(self, field.name)[index] for field in fields(self)})


def draw_randomisation(rng: np.random.Generator, count: int, strength: float = 1.0) -> Randomisation:
    """Return what happens to ``count`` pictures.

    Parameters
    ----------
    strength : of chances (at most certain) and of distances from neutral; 0 leaves every picture as it is

    Raises
    ------
    InputError
        If ``count`` or ``strength`` is negative.

    >>> draw_randomisation(np.random.default_rng(1), 48).shadow.shape
    (48, 2, 4)
    """
    if count < 0 or not strength >= 0:
        raise InputError(f"a randomisation needs a count and a strength of at least 0, found {count} and {strength}")
    drawn: dict[str, Any] = {name: _drawn(effect, rng, count, strength) for name, effect in EFFECTS.items()}
    return Randomisation(seed=rng.integers(2**31, size=count), **drawn)


def _drawn(effect: Effect, rng: np.random.Generator, count: int, strength: float) -> Pictures:
    """Return (count, *shape) numbers of one effect."""
    shape = (count, *effect.shape)
    values = np.broadcast_to(rng.uniform(effect.low, effect.high, shape), shape)
    neutral = np.asarray(effect.neutral)
    parts = shape[: 1 + effect.parts]
    there = (rng.random(parts) < strength * np.asarray(effect.chance)).reshape(parts + (1,) * (len(shape) - len(parts)))
    scaled = np.where(there, neutral + strength * (values - neutral), neutral)
    return np.where(np.isnan(neutral), values, scaled).astype(np.float32)


def randomisation_to_json(draw: Randomisation) -> dict[str, Any]:
    """Return plain JSON values, one list per effect."""
    return {field.name: getattr(draw, field.name).tolist() for field in fields(draw)}


def randomisation_from_json(record: Mapping[str, Any]) -> Randomisation:
    """Return the draw that :func:`randomisation_to_json` wrote.

    Raises
    ------
    InputError
        If an effect is missing, unknown, or not of its shape.
    """
    names = {field.name for field in fields(Randomisation)}
    if set(record) != names:
        odd = ", ".join(sorted(set(record) ^ names))
        raise InputError(f"a randomisation holds one list for each effect, found these missing or unknown: {odd}; draw it anew")
    try:
        return Randomisation(**{name: np.asarray(record[name]) for name in names})
    except (ShapeError, ValueError, TypeError) as exc:
        raise InputError(f"a randomisation holds rows of numbers for each effect, found others ({exc}); draw it anew") from exc


Step = Callable[[Pictures, Rows], Pictures]

_STEPS: Mapping[str, Step] = {
    "uneven": scanner.uneven,
    "depth_gain": scanner.depth_gain,
    "ghost": scanner.ghosts,
    "haze": scanner.haze,
    "shadow": scanner.shadows,
    "dropout": scanner.dropout,
    "blur": scanner.blurred,
    "display": scanner.displayed,
    "noise": scanner.noisy,
    "flow": scanner.flow,
    "text": marks.texts,
    "caliper": marks.calipers,
    "trace": marks.traces,
    "box": marks.boxes,
    "hole": marks.filled,
    "jpeg": marks.compressed,
    "fan": scanner.cut,  # last: a reader finds the narrow fan and takes away what lies beside it, ink as well
}


def randomised(pictures: Pictures, inside: NDArray[np.bool_], draw: Randomisation) -> Pictures:
    """Return pictures after their drawn effects; what lies outside a picture's fan comes back as it was.

    Parameters
    ----------
    pictures : (P, H, W) float32 in [0, 1], the tip of each fan at the middle of the upper edge
    inside : (P, H, W) bool, within the fan
    draw : P rows; see :func:`draw_randomisation`

    Returns
    -------
    (P, H, W) float32 in [0, 1]

    Raises
    ------
    ShapeError
        If the three do not belong together.
    """
    _check(pictures, inside, draw)
    result = np.empty(pictures.shape, np.float32)
    for start in range(0, len(pictures), CHUNK):
        some = slice(start, start + CHUNK)
        result[some] = _together(pictures[some], inside[some], draw.rows(some))
    return result


def _together(pictures: Pictures, inside: NDArray[np.bool_], draw: Randomisation) -> Pictures:
    """Return a few pictures after all their effects."""
    work = pictures.astype(np.float32)
    for name, step in _STEPS.items():
        values = getattr(draw, name)
        rows = np.flatnonzero(_acts(values, EFFECTS[name]))
        if len(rows):
            work[rows] = step(work[rows], Rows(values[rows], inside[rows], draw.seed[rows]))
    return np.where(inside, np.clip(work, 0, 1, out=work), pictures)


def narrowed(inside: NDArray[np.bool_], draw: Randomisation) -> NDArray[np.bool_]:
    """Return (P, H, W) what is left of the fans after the draw's cuts: the mask that a reader would find."""
    return inside & scanner.kept(inside, draw.fan)


def _check(pictures: Pictures, inside: NDArray[np.bool_], draw: Randomisation) -> None:
    """Raise where pictures, masks and draw do not belong together."""
    if pictures.ndim != 3 or pictures.shape != inside.shape or len(pictures) != len(draw):
        found = f"{pictures.shape}, {inside.shape} and {len(draw)}"
        raise ShapeError(f"pictures and inside must be of one shape (P, H, W) with one drawn row each, found {found}")


def _acts(values: Pictures, effect: Effect) -> NDArray[np.bool_]:
    """Return (P,) whether a row differs from neutral in anything but places and sizes."""
    neutral = np.asarray(effect.neutral, np.float32)
    differs = ~np.isnan(neutral) & (values != neutral)
    return differs.reshape(len(values), -1).any(axis=1)

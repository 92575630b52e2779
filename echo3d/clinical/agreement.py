"""How well a reconstruction's outline agrees with the picture it is laid over, without any truth: what real clips can be judged by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from echo3d.core.images import EchoImage
from echo3d.core.structures import Structure

BAND_MM = 4.0
"""Width of the bands inside and outside the endocardium whose grey is compared."""

REACH_MM = 12.0
"""How far from the endocardium the mean grey is followed."""

_SMOOTH_MM = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """How a picture looks along the LV endocardium that was predicted for it.

    Parameters
    ----------
    contrast : (outside - inside) / (outside + inside) of the mean grey within 4 mm of the endocardium; 0 for a contour laid at random
    gradient : mean slope of the smoothed grey across it, outwards, in standard deviations of the fan's grey per mm
    offset_mm : where the mean grey rises most steeply, outwards positive; 0 where the contour lies on the edge
    profile : (2 * REACH_MM,) mean grey in steps of 1 mm from 12 mm inside to 12 mm outside
    """

    contrast: float
    gradient: float
    offset_mm: float
    profile: NDArray[np.float64]


def endocardial_agreement(image: EchoImage, labels: NDArray[np.uint8], pixel_mm: tuple[float, float]) -> Agreement | None:
    """Return how a picture agrees with the LV cavity laid over it; None where the cut shows no cavity with a wall.

    Only the border between cavity and muscle counts: valves, and what lies outside the fan, are left out.

    Parameters
    ----------
    image : the picture
    labels : (H, W) uint8 structures under its pixels, see :func:`echo3d.clinical.overlay.image_labels`
    pixel_mm : (row, column) spacing in mm

    *Source:* our choice, after the region terms by which active contours are judged.
    """
    cavity, wall = labels == Structure.LV_CAVITY, labels == Structure.LV_MYOCARDIUM
    if not (ndimage.binary_dilation(cavity) & wall).any():
        return None
    signed = _signed_mm(cavity, pixel_mm)
    near = _near_wall(cavity, wall, pixel_mm) & image.fan.mask(*labels.shape)
    inside, outside = (image.pixels[near & side & (np.abs(signed) <= BAND_MM)] for side in (cavity, ~cavity))
    if not len(inside) or not len(outside):
        return None
    low, high = float(inside.mean()), float(outside.mean())
    profile = _profile(image.pixels, signed, near)
    steps = np.diff(ndimage.gaussian_filter1d(profile, 1.0))
    return Agreement(
        contrast=(high - low) / max(high + low, 1e-6),
        gradient=_gradient(image, signed, near, pixel_mm),
        offset_mm=float(np.argmax(steps) + 1 - REACH_MM),
        profile=profile,
    )


def mean_agreement(found: Sequence[Agreement | None]) -> dict[str, float]:
    """Return the means over the frames of a clip, and the share of frames that could be judged."""
    judged = [one for one in found if one is not None]
    shares = {"judged": len(judged) / max(len(found), 1)}
    if not judged:
        return shares
    means = {name: float(np.mean([getattr(one, name) for one in judged])) for name in ("contrast", "gradient")}
    profile = ndimage.gaussian_filter1d(np.mean([one.profile for one in judged], axis=0), 1.0)
    return means | {"offset_mm": float(np.argmax(np.diff(profile)) + 1 - REACH_MM)} | shares


def _signed_mm(cavity: NDArray[np.bool_], pixel_mm: tuple[float, float]) -> NDArray[np.float64]:
    """Return the distance (H, W) of each pixel to the cavity's border, negative within."""
    outside = ndimage.distance_transform_edt(~cavity, sampling=pixel_mm)
    inside = ndimage.distance_transform_edt(cavity, sampling=pixel_mm)
    half = min(pixel_mm) / 2
    return np.where(cavity, half - inside, outside - half)


def _near_wall(cavity: NDArray[np.bool_], wall: NDArray[np.bool_], pixel_mm: tuple[float, float]) -> NDArray[np.bool_]:
    """Return the pixels whose nearest piece of the cavity's border is one with muscle behind it."""
    border = cavity ^ ndimage.binary_dilation(cavity)
    to_wall = ndimage.distance_transform_edt(~(border & wall), sampling=pixel_mm)
    others = border & ~wall
    if not others.any():
        return np.ones(cavity.shape, bool)
    return np.asarray(to_wall < ndimage.distance_transform_edt(~others, sampling=pixel_mm))


def _profile(pixels: NDArray, signed: NDArray, near: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the mean grey in steps of 1 mm; a step without pixels takes the one before it."""
    step = np.floor(signed + REACH_MM).astype(int)
    count = int(2 * REACH_MM)
    kept = near & (step >= 0) & (step < count)
    total = np.bincount(step[kept], pixels[kept], count)
    number = np.bincount(step[kept], minlength=count)
    profile = total / np.maximum(number, 1)
    filled = np.maximum.accumulate(np.where(number > 0, np.arange(count), 0))
    return np.asarray(profile[filled])


def _gradient(image: EchoImage, signed: NDArray, near: NDArray[np.bool_], pixel_mm: tuple[float, float]) -> float:
    """Return the mean outward slope of the grey within 1.5 mm of the border, in standard deviations of the fan's grey per mm."""
    smooth = ndimage.gaussian_filter(image.pixels.astype(float), [_SMOOTH_MM / size for size in pixel_mm])
    slope = [np.gradient(smooth, size, axis=axis) for axis, size in enumerate(pixel_mm)]
    normal = [np.gradient(ndimage.gaussian_filter(signed, 1.0), size, axis=axis) for axis, size in enumerate(pixel_mm)]
    length = np.maximum(np.hypot(*normal), 1e-6)
    edge = near & (np.abs(signed) <= _SMOOTH_MM)
    spread = float(image.pixels[image.fan.mask(*signed.shape)].std())
    along = (slope[0] * normal[0] + slope[1] * normal[1]) / length
    return float(along[edge].mean() / max(spread, 1e-6)) if edge.any() else 0.0

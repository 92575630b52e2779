"""Landmarks of a heart of which only the label volume is known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import scipy
from numpy.typing import NDArray

from echo3d.core.field import LabelVolume
from echo3d.core.pose import rigid_between
from echo3d.core.structures import CHAMBER_KEYS, Structure
from echo3d.errors import InputError

S = Structure
_VALVES = {
    "mitral": (S.MITRAL_VALVE, S.LV_CAVITY, (S.LA_CAVITY, S.LA_WALL)),
    "tricuspid": (S.TRICUSPID_VALVE, S.RV_CAVITY, (S.RA_CAVITY, S.RA_WALL)),
    "aortic": (S.AORTIC_VALVE, S.LV_CAVITY, (S.AORTA_LUMEN, S.AORTA)),
    "pulmonary": (S.PULMONARY_VALVE, S.RV_CAVITY, (S.PULMONARY_LUMEN, S.PULMONARY_ARTERY)),
}
_FEWEST = 20
"""Voxels below which a structure's middle says nothing."""


def volume_landmarks(volume: LabelVolume) -> dict[str, NDArray[np.float64]]:
    """Return those landmarks of ``core.mesh.LANDMARKS`` that the volume shows, (3,) mm each.

    Chambers are the middles of their blood. A valve is the middle of its plane; without one, of where the two bloods meet; the mitral valve
    without an atrium is the middle of the opening of the LV's blood. The apices are the LV's points farthest from the mitral valve.

    Raises
    ------
    InputError
        If there is no blood or muscle of a left ventricle, or nothing to tell its base from its apex.
    """
    labels = volume.labels
    found = {key: middle for key, tag in CHAMBER_KEYS.items() if (middle := _middle(labels == tag)) is not None}
    found |= {name: middle for name in _VALVES if (middle := _valve(labels, name)) is not None}
    if "lv" in found and "mitral" not in found and (middle := _opening(labels)) is not None:
        found["mitral"] = middle
    if "lv" not in found or "mitral" not in found:
        what = "no blood of a left ventricle" if "lv" not in found else "no opening or valve of its left ventricle"
        raise InputError(f"a heart must show its left ventricle and where it opens, found {what}; name its parts with --mapping FILE")
    found["lv_apex_endo"] = _farthest(labels == S.LV_CAVITY, found["mitral"])
    muscle = labels == S.LV_MYOCARDIUM
    found["lv_apex_epi"] = _farthest(muscle, found["mitral"]) if muscle.sum() >= _FEWEST else found["lv_apex_endo"]
    whole = _middle(labels > 0)
    found |= {} if whole is None else {"heart": whole}
    rotation, shift = volume.affine[:3, :3], volume.affine[:3, 3]
    return {name: rotation @ index + shift for name, index in found.items()}


def _valve(labels: NDArray, name: str) -> NDArray[np.float64] | None:
    """Return the middle of a valve's plane, else of where the blood on both sides meets."""
    plane, ventricle, beyond = _VALVES[name]
    middle = _middle(labels == plane)
    for other in beyond:
        middle = _middle(_meeting(labels, ventricle, other)) if middle is None else middle
    return middle


def _middle(mask: NDArray) -> NDArray[np.float64] | None:
    """Return the mean index of a mask, None where it is all but empty."""
    columns: NDArray = np.count_nonzero(mask, axis=2)
    total = int(columns.sum())
    if total < _FEWEST:
        return None
    along = (columns.sum(axis=1), columns.sum(axis=0), np.count_nonzero(mask.reshape(-1, mask.shape[2]), axis=0))
    return np.array([counts @ np.arange(len(counts)) / total for counts in along])


def _meeting(labels: NDArray, one: int, other: int) -> NDArray[np.bool_]:
    """Return where two structures come within three voxels of each other."""
    first = labels == one
    if not first.any() or not (labels == other).any():
        return np.zeros(labels.shape, bool)
    return scipy.ndimage.binary_dilation(first, iterations=2) & scipy.ndimage.binary_dilation(labels == other, iterations=2)


def _opening(labels: NDArray) -> NDArray[np.float64] | None:
    """Return the middle of the largest patch in which the LV's blood borders on nothing."""
    patch = (labels == S.LV_CAVITY) & scipy.ndimage.binary_dilation(labels == 0)
    parts, count = scipy.ndimage.label(patch, structure=np.ones((3, 3, 3)))
    return _middle(parts == np.bincount(parts.ravel())[1:].argmax() + 1) if count else None


def _farthest(mask: NDArray, start: NDArray) -> NDArray[np.float64]:
    """Return the index of the mask farthest from ``start``."""
    squares = [((np.arange(size) - at) ** 2).astype(np.float32) for size, at in zip(mask.shape, start, strict=True)]
    distance = np.where(mask, squares[0][:, None, None] + squares[1][:, None] + squares[2], np.float32(-1))
    return np.array(np.unravel_index(int(distance.argmax()), mask.shape), float)


def completed(found: Mapping[str, NDArray], mean: Mapping[str, NDArray]) -> dict[str, NDArray[np.float64]]:
    """Return all landmarks: those that are not found are the mean heart's, carried by the similarity that fits the others best.

    Parameters
    ----------
    found : (3,) LPS mm each, three at least
    mean : the mean heart's, all of them

    >>> mean = {"a": np.zeros(3), "b": np.array([2.0, 0, 0]), "c": np.array([0, 2.0, 0]), "d": np.array([0, 0, 2.0])}
    >>> completed({name: 3 * mean[name] + 1 for name in "abc"}, mean)["d"].round(6)
    array([1., 1., 7.])
    """
    names = [name for name in mean if name in found]
    fixed, moving = np.stack([found[name] for name in names]), np.stack([mean[name] for name in names])
    spread = [np.linalg.norm(points - points.mean(axis=0)) for points in (fixed, moving)]
    scale = float(spread[0] / spread[1])
    rotation, shift = rigid_between(scale * moving, fixed)
    return {name: np.asarray(found[name] if name in found else rotation @ (scale * at) + shift, float) for name, at in mean.items()}

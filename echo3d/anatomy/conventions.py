"""In which unit and along which axes a foreign heart is written: recognised from its extent and its anatomy, and said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from echo3d.core.pose import rigid_between
from echo3d.errors import InputError

UNITS = {"m": 1000.0, "dm": 100.0, "cm": 10.0, "mm": 1.0}
LARGEST_MM = 330.0
"""Diagonal of the box of the largest heart with its vessels."""

SMALLEST_MM = {"one ventricle": 60.0, "two ventricles": 100.0, "four chambers": 140.0}
"""Diagonal of the box of the smallest heart, by what there is of it; ours to choose, a small adult's at end-systole."""

_LETTERS = {"L": (0, 1), "R": (0, -1), "P": (1, 1), "A": (1, -1), "S": (2, 1), "I": (2, -1), "H": (2, 1), "F": (2, -1)}
_WORDS = (("left", "right"), ("back", "front"), ("head", "feet"))
_TURNED = 40.0
"""Degrees from the mean heart beyond which no patient's heart lies; such a file has the heart's own axes."""

_MIRROR_GAIN = 0.5
"""A mirrored reading is believed when it leaves less than this share of the error of the best plain one."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How many mm one unit of a file is, how that is known, and whether it is more than a guess."""

    mm: float
    reason: str
    known: bool


def heart_scale(extent: NDArray, kind: str, *, asked: str | None, convention: str, mean_mm: float) -> Scale:
    """Return the scale of a heart.

    Parameters
    ----------
    extent : (3,) sides of its box in file units
    kind : which of ``SMALLEST_MM`` it is
    asked : "m", "dm", "cm", "mm", or mm per file unit as a number, where the user says so
    convention : "gltf" for files whose format fixes the metre, "lps" for files of ours
    mean_mm : diagonal of the mean heart's box, for hearts without any unit

    Raises
    ------
    InputError
        If no unit makes it a heart, or the one asked for does not.

    >>> heart_scale(np.array([0.13, 0.1, 0.12]), "four chambers", asked=None, convention="", mean_mm=209.0).mm
    1000.0
    """
    size = float(np.linalg.norm(extent))
    low = SMALLEST_MM[kind]
    if asked is not None:
        mm = _asked_mm(asked)
        if not 0.5 * low <= size * mm <= 1.5 * LARGEST_MM:
            raise InputError(f"a heart's box measures {0.5 * low:.0f} to {1.5 * LARGEST_MM:.0f} mm across, found {size * mm:.3g} mm with "
                             f"--units {asked}; give another unit")  # fmt: skip
        return Scale(mm, f"unit {asked}, as asked", True)
    fitting = {unit: mm for unit, mm in UNITS.items() if low <= size * mm <= LARGEST_MM}
    said = f"its box is {size:.3g} units across, a heart's is {low:.0f} to {LARGEST_MM:.0f} mm"
    if convention == "lps":
        return Scale(1.0, "unit mm, as files of echo3d are", True)
    if fitting:
        unit, mm = next(iter(fitting.items()))
        agrees = ", as glTF asks" if convention == "gltf" and unit == "m" else ""
        return Scale(mm, f"unit {unit}{agrees}: {said}", True)
    if size <= np.sqrt(3) and kind == "four chambers":
        mm = mean_mm / size
        return Scale(mm, f"no unit, a heart scaled into the unit cube; made as large as the mean heart ({mm:.0f} mm per unit)", False)
    raise InputError(f"a heart must have a known unit, found none that fits ({said}); say mm, cm, dm, m or mm per unit with --units")


def _asked_mm(asked: str) -> float:
    """Return the mm of a unit that the user names."""
    try:
        mm = UNITS[asked] if asked in UNITS else float(asked)
    except ValueError as exc:
        raise InputError(f"a unit must be one of {', '.join(UNITS)} or mm per unit, found {asked[:40]!r}; choose one of these") from exc
    if not (np.isfinite(mm) and mm > 0):
        raise InputError(f"mm per unit must be a positive number, found {asked[:40]!r}; give another")
    return mm


def axes_from_letters(letters: str) -> NDArray[np.float64]:
    """Return the (3, 3) matrix to LPS of three letters that say where the file's x, y and z point.

    Parameters
    ----------
    letters : one each of L or R (left, right), P or A (back, front), S or I (head, feet; H or F will do too)

    Raises
    ------
    InputError
        If these are not three different directions.

    >>> axes_from_letters("LSA").astype(int).tolist()
    [[1, 0, 0], [0, 0, -1], [0, 1, 0]]
    """
    word = letters.upper()
    matrix = np.zeros((3, 3))
    for column, letter in enumerate(word):
        axis, sign = _LETTERS.get(letter, (0, 0))
        if column < 3:
            matrix[axis, column] = sign
    if len(word) != 3 or abs(np.linalg.det(matrix)) != 1:
        raise InputError(f"axes must be three letters, one each of L/R, P/A and S/I, such as LPS, found {letters[:20]!r}; write them so")
    return matrix


def axes_from_anatomy(landmarks: Mapping[str, NDArray], mean: Mapping[str, NDArray], convention: str) -> tuple[NDArray[np.float64], str]:
    """Return the matrix to LPS that lays a heart's landmarks best onto the mean heart's, and a sentence on it.

    Parameters
    ----------
    landmarks : found ones, (3,) in file axes, mm
    mean : the mean heart's, LPS mm
    convention : "lps" for files of ours, "gltf" where the format says y is up and z front

    Returns
    -------
    matrix (3, 3) : a signed permutation, or any rotation where the file's axes are no patient's
    sentence : what was taken and why
    """
    if convention == "lps":
        return np.eye(3), "axes LPS, as files of echo3d are"
    names = [name for name in landmarks if name in mean]
    moving, fixed = (np.stack([points[name] for name in names]) if names else np.zeros((0, 3)) for points in (landmarks, mean))
    if len(names) < 4 or _flat(moving):
        matrix = axes_from_letters("LSA" if convention == "gltf" else "LPS")
        source = "as glTF asks" if convention == "gltf" else "taken to be LPS"
        return matrix, f"{_said(matrix)}: {source}, because there is too little anatomy to tell"
    best = {turn: min(_candidates(turn), key=lambda matrix: _misfit(matrix, moving, fixed)) for turn in (1, -1)}
    mirrored = _misfit(best[-1], moving, fixed) < _MIRROR_GAIN * _misfit(best[1], moving, fixed)
    matrix = best[-1 if mirrored else 1]
    rotation, _ = rigid_between(moving @ matrix.T, fixed)
    angle = float(np.degrees(np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1))))
    mirror = "; the file is mirrored, which is put right" if mirrored else ""
    if angle > _TURNED:
        return rotation @ matrix, f"axes of no patient ({angle:.0f} degrees off), so the heart is turned onto the mean heart{mirror}"
    return matrix, f"{_said(matrix)}: from the places of {len(names)} landmarks, {angle:.0f} degrees from the mean heart{mirror}"


def _candidates(turn: int) -> list[NDArray[np.float64]]:
    """Return the 24 signed permutations of axes that keep (1) or change (-1) handedness."""
    found = [np.eye(3)[list(order)] * np.array(signs)[:, None] for order in permutations(range(3)) for signs in product((1, -1), repeat=3)]
    return [matrix for matrix in found if round(float(np.linalg.det(matrix))) == turn]


def _misfit(matrix: NDArray, moving: NDArray, fixed: NDArray) -> float:
    """Return the squared error after shift and best scale."""
    a, b = moving @ matrix.T, fixed
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    scale = max(float((a * b).sum() / (a * a).sum()), 0.0)
    return float(((scale * a - b) ** 2).sum())


def _flat(points: NDArray) -> bool:
    """Return whether points lie on a line, so that they tell no axes."""
    sizes = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    return bool(sizes[1] < 0.15 * sizes[0])


def _said(matrix: NDArray) -> str:
    """Return where the file's axes point, in words.

    >>> _said(axes_from_letters("LSA"))
    'axes x left, y head, z front'
    """
    words = []
    for column, name in enumerate("xyz"):
        axis = int(np.abs(matrix[:, column]).argmax())
        words.append(f"{name} {_WORDS[axis][0 if matrix[axis, column] > 0 else 1]}")
    return "axes " + ", ".join(words)

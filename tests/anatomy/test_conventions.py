"""Units from extents, axes from anatomy: every unit, every orientation, mirrored too."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from echo3d.anatomy.conventions import UNITS, axes_from_anatomy, axes_from_letters, heart_scale
from echo3d.anatomy.published import mean_landmarks
from echo3d.core.pose import rotation_matrix
from echo3d.errors import InputError

HEART = np.array([129.0, 108.0, 125.0])


def scale(extent: np.ndarray, kind: str = "four chambers", asked: str | None = None, convention: str = ""):
    return heart_scale(extent, kind, asked=asked, convention=convention, mean_mm=209.0)


@pytest.mark.parametrize("unit", sorted(UNITS))
@pytest.mark.parametrize("size", [0.75, 1.0, 1.4])
def test_a_heart_of_any_size_tells_its_unit(unit: str, size: float) -> None:
    found = scale(size * HEART / UNITS[unit])
    assert found.mm == UNITS[unit]
    assert found.known
    assert f"unit {unit}" in found.reason


def test_a_normalised_heart_is_made_as_large_as_the_mean_and_says_so() -> None:
    found = scale(np.array([0.63, 0.49, 0.57]))
    assert not found.known
    assert found.mm * np.linalg.norm([0.63, 0.49, 0.57]) == pytest.approx(209.0)
    assert "unit cube" in found.reason


def test_what_is_asked_for_is_taken_unless_it_is_absurd() -> None:
    assert scale(np.array([0.63, 0.49, 0.57]), asked="217").mm == 217
    assert scale(HEART, asked="mm").known
    for asked, told in (("m", "another unit"), ("ft", "one of"), ("-3", "positive"), ("nan", "positive")):
        with pytest.raises(InputError, match=told):
            scale(HEART, asked=asked)


@pytest.mark.parametrize("extent", [1e-9, 5e-3, 40.0, 1e6])
def test_no_unit_is_invented_for_what_cannot_be_a_heart(extent: float) -> None:
    with pytest.raises(InputError, match="--units"):
        scale(np.full(3, extent), kind="two ventricles")


def test_letters_are_directions() -> None:
    assert np.allclose(axes_from_letters("RAS"), np.diag([-1, -1, 1]))
    assert np.allclose(axes_from_letters("lsa") @ [1, 2, 3], [1, -3, 2])
    for wrong in ("LPP", "LR", "XYZ", "LPSA", "LRS"):
        with pytest.raises(InputError, match="three letters"):
            axes_from_letters(wrong)


ORIENTATIONS = [
    np.eye(3)[list(order)] * np.array(signs)[:, None] for order in permutations(range(3)) for signs in product((1, -1), repeat=3)
]


@pytest.mark.parametrize("number", range(48))
def test_every_orientation_is_recognised_with_a_turned_and_shifted_heart(number: int) -> None:
    turn = rotation_matrix(np.array([14.0, -11.0, 17.0]))
    to_file = np.linalg.inv(ORIENTATIONS[number])
    mean = mean_landmarks()
    rng = np.random.default_rng(number)
    file = {name: to_file @ (1.2 * turn @ at + [30, -20, 400] + rng.normal(0, 3, 3)) for name, at in mean.items()}
    matrix, said = axes_from_anatomy(file, mean, "")
    assert np.allclose(matrix, ORIENTATIONS[number])
    assert ("mirrored" in said) == (np.linalg.det(ORIENTATIONS[number]) < 0)


def test_a_heart_on_its_own_axes_is_turned_onto_the_mean_heart() -> None:
    turn = rotation_matrix(np.array([0.0, 0.0, 45.0])) @ rotation_matrix(np.array([50.0, 0.0, 0.0]))
    mean = mean_landmarks()
    matrix, said = axes_from_anatomy({name: turn @ at for name, at in mean.items()}, mean, "")
    assert "no patient" in said
    assert np.allclose(matrix @ turn, np.eye(3), atol=1e-6)


def test_too_little_anatomy_leaves_it_to_the_format() -> None:
    line = {name: np.array([0.0, 0, 10.0 * k]) for k, name in enumerate(("lv_apex_endo", "lv", "mitral"))}
    assert np.allclose(axes_from_anatomy(line, mean_landmarks(), "")[0], np.eye(3))
    assert np.allclose(axes_from_anatomy(line, mean_landmarks(), "gltf")[0], axes_from_letters("LSA"))
    assert "too little" in axes_from_anatomy(line, mean_landmarks(), "")[1]

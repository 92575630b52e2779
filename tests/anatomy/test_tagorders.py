"""What tags mean: both cohorts' orders, known arrays, names, mapping files."""

from __future__ import annotations

import numpy as np
import pytest

from echo3d.anatomy.tagorders import HEART_FAILURE, ORDERS, role_from_name, roles_of
from echo3d.core.foreign import Role, TaggedSurface
from echo3d.core.structures import TAGS, Structure
from echo3d.errors import InputError

S = Structure


def surface(tags: list[int], array: str = "", names: dict[int, str] | None = None) -> TaggedSurface:
    """Return one triangle for each tag, in a row."""
    points = np.repeat(10.0 * np.arange(len(tags)), 3)[:, None] + np.tile(np.eye(3), (len(tags), 1))
    return TaggedSurface(points, np.arange(3 * len(tags)).reshape(-1, 3), tags, names or {}, array)


def test_the_heart_failure_order_is_a_permutation_that_keeps_the_walls() -> None:
    assert sorted(HEART_FAILURE) == sorted(int(role) for role in HEART_FAILURE.values()) == [int(tag) for tag in TAGS]
    assert all(HEART_FAILURE[tag] == tag for tag in range(1, 7))
    assert [HEART_FAILURE[tag] for tag in (14, 15, 16, 17)] == [S.MITRAL_VALVE, S.TRICUSPID_VALVE, S.AORTIC_VALVE, S.PULMONARY_VALVE]
    assert (HEART_FAILURE[8], HEART_FAILURE[19]) == (S.LEFT_SUPERIOR_PV_BORDER, S.LEFT_SUPERIOR_PV)
    assert (HEART_FAILURE[12], HEART_FAILURE[24]) == (S.SUPERIOR_VENA_CAVA_BORDER, S.INFERIOR_VENA_CAVA)


def test_the_order_asked_for_wins_over_the_array_name() -> None:
    tags = surface([1, 7, 14], "elemTag")
    assert roles_of(tags)[0] == {1: 1, 7: S.MITRAL_VALVE, 14: S.RIGHT_INFERIOR_PV}
    found, said = roles_of(tags, order="heart-failure")
    assert found == {1: 1, 7: S.LA_APPENDAGE_BORDER, 14: S.MITRAL_VALVE}
    assert "heart-failure" in said
    assert set(ORDERS) == {"published", "heart-failure"}


def test_the_heart_failure_order_shows_by_where_its_mitral_valve_lies() -> None:
    assert roles_of(surface([1, 7, 14], "elemTag"))[0][7] == S.MITRAL_VALVE
    found, said = roles_of(surface([1, 14, 7], "elemTag"))
    assert found[14] == S.MITRAL_VALVE
    assert "part 14" in said
    assert roles_of(surface([1, 14, 7], "elemTag"), order="published")[0][7] == S.MITRAL_VALVE


def test_known_templates_are_known_by_their_arrays() -> None:
    assert roles_of(surface([1, 3, 6], "RegionId"))[0] == {1: S.LV_MYOCARDIUM, 3: S.LV_CAVITY, 6: S.AORTA_LUMEN}
    found, said = roles_of(surface([1, 2, 3, 4], "class"))
    assert found == {1: 0, 2: Role.VENTRICLES, 3: S.LV_CAVITY, 4: S.RV_CAVITY}
    assert "unknown" not in said
    assert "1 unknown" in roles_of(surface([1, 99], "elemTag"))[1]


NAMES = {
    "VH_M_interventricular_septum": S.LV_MYOCARDIUM,
    "VH_M_left_cardiac_atrium": S.LA_WALL,
    "VH_M_heart_right_ventricle": S.RV_MYOCARDIUM,
    "VH_M_papillary_muscle_of_heart_medial": Role.PAPILLARY,
    "VH_M_pulmonary_valve": S.PULMONARY_VALVE,
    "LV_endo": S.LV_CAVITY,
    "rv-blood pool": S.RV_CAVITY,
    "Pulmonary artery": S.PULMONARY_ARTERY,
    "pulmonary trunk lumen": S.PULMONARY_LUMEN,
    "ascending aorta": S.AORTA,
    "Left superior PV border": S.LEFT_SUPERIOR_PV_BORDER,
    "LSPV": S.LEFT_SUPERIOR_PV,
    "SVC": S.SUPERIOR_VENA_CAVA,
    "epicardium": Role.VENTRICLES,
    "RA cavity": S.RA_CAVITY,
    "lung_left": 0,
    "larynx": 0,
}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_names_in_plain_words(name: str) -> None:
    assert role_from_name(name) == NAMES[name]


@pytest.mark.parametrize("structure", [s for s in S if s])
def test_our_own_titles_come_back(structure: Structure) -> None:
    assert role_from_name(structure.title) == structure


def test_a_mapping_replaces_everything_and_later_lines_win() -> None:
    parts = surface([1, 2, 3], "names", {1: "Wall left", 2: "Wall right", 3: "Fat"})
    found, said = roles_of(parts, mapping={"wall*": 1, "2": 2})
    assert found == {1: 1, 2: 2, 3: 0}
    assert "mapping" in said
    with pytest.raises(InputError, match="found none of 'valve'"):
        roles_of(parts, mapping={"valve": 7})


def test_nothing_known_is_refused_with_what_is_there() -> None:
    for parts, told in ((surface([1, 2], "material"), "tags"), (surface([4], "names", {4: "liver"}), "liver"), (surface([0]), "tags")):
        with pytest.raises(InputError, match=told):
            roles_of(parts)
    with pytest.raises(InputError, match="tags"):
        roles_of(surface([0, 0], "elemTag"))

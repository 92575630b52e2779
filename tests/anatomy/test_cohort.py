"""Drawn hearts: rebuilt from their record bit for bit, sound, and of their group."""

from __future__ import annotations

import json

import numpy as np
import pytest

from echo3d.anatomy.cohort import Wish, build_heart, draw_heart, record_from_json, record_to_json, sound_wish
from echo3d.anatomy.contours import region_volumes
from echo3d.anatomy.groups import GROUPS, check_mixture
from echo3d.anatomy.material import load_material
from echo3d.anatomy.measure import measure, wall_mm
from echo3d.anatomy.sound import faults_of
from echo3d.core.pose import rigid_between
from echo3d.core.structures import Structure
from echo3d.errors import InputError
from echo3d.paths import resource


def test_a_heart_is_rebuilt_from_its_record_bit_for_bit() -> None:
    heart = build_heart(draw_heart(np.random.default_rng(7)))
    record = record_from_json(json.loads(json.dumps(record_to_json(heart.record))))
    again = build_heart(record)
    assert record == heart.record
    assert np.array_equal(again.ed, heart.ed) and np.array_equal(again.es, heart.es)


@pytest.mark.parametrize("group", list(GROUPS))
def test_hearts_are_sound_and_measure_what_was_drawn(group: str) -> None:
    heart = sound_wish(np.random.default_rng(11), Wish(group=group)).heart
    record, found = heart.record, measure(heart.ed, heart.es)
    assert record.group == group and record.goals is not None
    assert found.lv_edv_ml == pytest.approx(record.goals.lv_ml, rel=0.02)
    assert found.lv_mass_g == pytest.approx(record.goals.mass_g, rel=0.02)
    assert found.rv_edv_ml == pytest.approx(record.goals.rv_ml, rel=0.02)
    assert found.la_max_ml == pytest.approx(record.goals.la_ml, rel=0.03)
    assert found.ef == pytest.approx(record.beat.ef, abs=0.002)
    assert found.gls == pytest.approx(record.beat.gls, abs=0.004)
    assert faults_of(record, heart.ed, heart.es) == []


def test_groups_differ_as_the_diseases_do() -> None:
    def mean(group: str) -> dict[str, float]:
        hearts = [build_heart(draw_heart(np.random.default_rng(s), group=group)) for s in range(5)]
        found = [measure(h.ed, h.es) for h in hearts]
        return {
            name: float(np.mean([getattr(m, name) for m in found])) for name in ("lv_edv_ml", "ef", "septum_mm", "rv_edv_ml", "la_max_ml")
        }

    table = {group: mean(group) for group in GROUPS}
    normal = table["normal"]
    assert table["dcm"]["lv_edv_ml"] > 1.3 * normal["lv_edv_ml"] and table["dcm"]["ef"] < 0.41
    assert table["hcm-septal"]["septum_mm"] > 1.4 * normal["septum_mm"]
    assert table["hcm-concentric"]["septum_mm"] > 1.25 * normal["septum_mm"]
    assert table["rv"]["rv_edv_ml"] > 1.2 * normal["rv_edv_ml"]
    assert table["la"]["la_max_ml"] > 1.2 * normal["la_max_ml"]


def test_septal_growth_thickens_the_septum_alone() -> None:
    walls = [wall_mm(sound_wish(np.random.default_rng(seed), Wish(group="hcm-septal")).heart.ed) for seed in range(4)]
    assert np.mean([w[[1, 2, 7, 8]].mean() / w[[4, 5, 10, 11]].mean() for w in walls]) > 1.3


def test_end_diastole_is_aligned_to_the_template() -> None:
    heart = build_heart(draw_heart(np.random.default_rng(3)))
    material = load_material()
    rotation, shift = rigid_between(heart.ed[: material.count], material.rest[: material.count])
    assert np.allclose(rotation, np.eye(3), atol=1e-6) and np.allclose(shift, 0, atol=1e-6)


def test_rejected_draws_are_counted_and_the_next_one_is_taken() -> None:
    found = [sound_wish(np.random.default_rng([2, k]), Wish(group="hcm-concentric")) for k in range(6)]
    assert sum(sum(one.rejected.values()) for one in found) > 0
    assert all(faults_of(one.heart.record, one.heart.ed, one.heart.es) == [] for one in found)


def test_families_can_be_held_out() -> None:
    families = {draw_heart(np.random.default_rng(s), families=("shell", "piston")).beat.family for s in range(12)}
    assert families == {"shell", "piston"}


def test_the_shipped_record_of_schema_1_still_reads() -> None:
    truth = json.loads((resource("demo") / "truth.json").read_text(encoding="utf-8"))
    heart = build_heart(record_from_json(truth["record"]))
    before, after = region_volumes(heart.ed), region_volumes(heart.es)
    assert before[Structure.LV_CAVITY] == pytest.approx(truth["edv_ml"], rel=0.05)
    assert 1 - after[Structure.LV_CAVITY] / before[Structure.LV_CAVITY] == pytest.approx(truth["ef"], abs=0.002)


def test_unknown_groups_and_damaged_records_are_refused() -> None:
    with pytest.raises(InputError, match="a group must be one of normal, .* found 'flu'"):
        draw_heart(np.random.default_rng(0), group="flu")
    with pytest.raises(InputError, match="HeartRecord"):
        record_from_json({"modes": [1]})
    with pytest.raises(InputError, match="0 or more and not all 0"):
        check_mixture({"dcm": 0.0})


def test_a_redrawn_heart_keeps_its_group_and_law() -> None:
    rng = np.random.default_rng([2, 5])
    first = draw_heart(np.random.default_rng([2, 5]), group="hcm-concentric")
    found = sound_wish(rng, Wish(group="hcm-concentric"))
    assert found.heart.record.beat.family == first.beat.family

"""Drawn hearts: rebuilt from their record bit for bit, sound, and of their kind."""

from __future__ import annotations

import json

import numpy as np
import pytest

from echo3d.anatomy.cohort import build_heart, draw_heart, record_from_json, record_to_json, smallest_jacobian, sound_heart
from echo3d.anatomy.material import load_material
from echo3d.anatomy.template import load_template
from echo3d.core.pose import rigid_between
from echo3d.errors import InputError


def test_a_heart_is_rebuilt_from_its_record_bit_for_bit() -> None:
    heart = build_heart(draw_heart(np.random.default_rng(7)))
    record = record_from_json(json.loads(json.dumps(record_to_json(heart.record))))
    again = build_heart(record)
    assert record == heart.record
    assert np.array_equal(again.ed, heart.ed) and np.array_equal(again.es, heart.es)


@pytest.mark.parametrize("pathology", ["none", "dcm", "hcm", "rv"])
def test_hearts_are_sound_and_hold_their_ejection_fraction(pathology: str) -> None:
    heart = sound_heart(np.random.default_rng(11), ef=0.4, pathology=pathology)
    template, count = load_template(), len(load_template().points)
    ed, es = template.volumes_ml(heart.ed), template.volumes_ml(heart.es[:count])
    assert 1 - es["lv"] / ed["lv"] == pytest.approx(0.4, abs=0.002)
    assert min(smallest_jacobian(heart.ed), smallest_jacobian(heart.es)) > 0


def test_kinds_differ_as_the_disease_does() -> None:
    template = load_template()

    def mean_lv(kind: str) -> float:
        hearts = [build_heart(draw_heart(np.random.default_rng(s), pathology=kind)) for s in range(4)]
        return float(np.mean([template.volumes_ml(h.ed)["lv"] for h in hearts]))

    assert mean_lv("dcm") > 1.3 * mean_lv("none") > 1.3 * mean_lv("hcm")


def test_end_diastole_is_aligned_to_the_template() -> None:
    heart = build_heart(draw_heart(np.random.default_rng(3)))
    material = load_material()
    rotation, shift = rigid_between(heart.ed[: material.count], material.rest[: material.count])
    assert np.allclose(rotation, np.eye(3), atol=1e-6) and np.allclose(shift, 0, atol=1e-6)


def test_unknown_kinds_and_damaged_records_are_refused() -> None:
    with pytest.raises(InputError, match="one of none, dcm, hcm, rv, found 'flu'"):
        draw_heart(np.random.default_rng(0), pathology="flu")
    with pytest.raises(InputError, match="HeartRecord"):
        record_from_json({"modes": [1]})

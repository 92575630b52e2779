"""The beat: exact ejection fraction, constant myocardium, a near-still apex, filling atria."""

from __future__ import annotations

import numpy as np
import pytest

from echo3d.anatomy.beat import BeatDraw, at_target, draw_beat, ejected_share, solve_motion
from echo3d.anatomy.cohort import smallest_jacobian
from echo3d.anatomy.material import load_material
from echo3d.anatomy.template import load_template
from echo3d.core.mesh import enclosed_ml, region_faces
from echo3d.core.structures import Structure
from echo3d.errors import InputError


@pytest.mark.parametrize("ef", [0.12, 0.35, 0.6, 0.75])
def test_ejection_fraction_is_exact_and_muscle_keeps_its_volume(ef: float) -> None:
    template, material = load_template(), load_material()
    beat = draw_beat(np.random.default_rng(4), ef)
    points = at_target(solve_motion(material.rest, beat))
    before, after = template.volumes_ml(material.rest), template.volumes_ml(points)
    assert 1 - after["lv"] / before["lv"] == pytest.approx(ef, abs=0.002)
    assert 1 - after["rv"] / before["rv"] == pytest.approx(beat.rv_ef, abs=0.01)
    wall = region_faces(template.mesh.faces, template.sides, Structure.LV_MYOCARDIUM)
    assert enclosed_ml(points, wall) / enclosed_ml(material.rest, wall) == pytest.approx(1, abs=0.03)
    assert after["la"] > before["la"] and after["ra"] > before["ra"]
    assert smallest_jacobian(points) > 0


def test_the_base_descends_to_a_near_still_apex() -> None:
    template, material = load_template(), load_material()
    points = at_target(solve_motion(material.rest, BeatDraw(ef=0.6)))
    move = {name: template.landmark(points, name) - template.landmark(template.points, name) for name in ("mitral", "lv_apex_epi")}
    assert np.linalg.norm(move["mitral"]) > 8
    assert np.linalg.norm(move["lv_apex_epi"]) < 4


def test_half_the_share_gives_half_the_ejection_fraction() -> None:
    template, material = load_template(), load_material()
    points = at_target(solve_motion(material.rest, BeatDraw(ef=0.5), 0.5))
    assert 1 - template.volumes_ml(points)["lv"] / template.volumes_ml(material.rest)["lv"] == pytest.approx(0.25, abs=0.002)


def test_the_volume_curve_ejects_once_and_fills_with_a_kick() -> None:
    share = ejected_share(BeatDraw(), 200)
    peak = int(share.argmax())
    assert share[0] == 0 and share[peak] == 1
    assert (np.diff(share[: peak + 1]) >= 0).all() and (np.diff(share[peak:]) <= 1e-9).all()
    slope = -np.diff(share[peak:])
    assert slope[: len(slope) // 2].max() > slope[len(slope) // 2 : -len(slope) // 5].max()


def test_an_impossible_ejection_fraction_is_refused() -> None:
    with pytest.raises(InputError, match=r"0\.08 and 0\.80, found 0\.95"):
        draw_beat(np.random.default_rng(0), 0.95)

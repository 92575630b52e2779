"""The beat: exact ejection fraction and strain, constant muscle, moving valves, physiological curves, three different laws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from echo3d.anatomy.beat import FAMILIES, BeatDraw, check_families, draw_beat
from echo3d.anatomy.cohort import sound_heart
from echo3d.anatomy.contours import longitudinal_strain, region_volumes
from echo3d.anatomy.material import bullet_of, load_material
from echo3d.anatomy.measure import measure
from echo3d.anatomy.solve import heart_at
from echo3d.anatomy.sound import form_faults
from echo3d.anatomy.template import load_template
from echo3d.anatomy.timing import END_SYSTOLE, Moment, at_share, clock_of, moments, volume_share
from echo3d.core.structures import Structure
from echo3d.errors import InputError

LV, RV, LA, RA = (Structure.LV_CAVITY, Structure.RV_CAVITY, Structure.LA_CAVITY, Structure.RA_CAVITY)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("ef", [0.12, 0.35, 0.6])
def test_volumes_strain_and_muscle_are_met(family: str, ef: float) -> None:
    rest = load_material().rest
    beat = replace(draw_beat(np.random.default_rng(4), ef, (family,)), gls=-0.325 * ef, rv_ef=0.9 * ef)
    points = heart_at(rest, beat)
    before, after = region_volumes(rest), region_volumes(points)
    assert 1 - after[LV] / before[LV] == pytest.approx(ef, abs=0.002)
    assert 1 - after[RV] / before[RV] == pytest.approx(beat.rv_ef, abs=0.01)
    assert longitudinal_strain(rest, points) == pytest.approx(beat.gls, abs=0.004)
    for muscle in (Structure.LV_MYOCARDIUM, Structure.RV_MYOCARDIUM):
        assert after[muscle] / before[muscle] == pytest.approx(1, abs=0.01)
    assert before[LA] / after[LA] == pytest.approx(1 - beat.la_emptying, abs=0.01)
    assert before[RA] / after[RA] == pytest.approx(1 - beat.ra_emptying, abs=0.01)
    assert form_faults(points, after) == []


def test_the_families_move_a_heart_differently() -> None:
    rest, count = load_material().rest, load_material().count
    beat = BeatDraw(ef=0.6, gls=-0.195)
    systole = [heart_at(rest, replace(beat, family=family))[:count] for family in FAMILIES]
    wall = load_template().aha > 0
    for i in range(3):
        for j in range(i):
            assert np.linalg.norm((systole[i] - systole[j])[wall], axis=1).mean() > 1.0


def test_the_base_descends_to_a_near_still_apex() -> None:
    template, rest = load_template(), load_material().rest
    points = heart_at(rest, BeatDraw(ef=0.6, gls=-0.2))
    move = {name: template.landmark(points, name) - template.landmark(rest, name) for name in ("mitral", "lv_apex_epi", "tricuspid")}
    assert np.linalg.norm(move["mitral"]) > 8
    assert np.linalg.norm(move["lv_apex_epi"]) < 5
    assert np.linalg.norm(move["tricuspid"]) > 8


def test_half_the_share_gives_half_the_ejection_fraction() -> None:
    rest = load_material().rest
    after, before = region_volumes(heart_at(rest, BeatDraw(ef=0.5, gls=-0.16), at_share(0.5))), region_volumes(rest)
    assert 1 - after[LV] / before[LV] == pytest.approx(0.25, abs=0.002)


def test_a_dead_segment_moves_less_and_the_ejection_fraction_stays() -> None:
    rest, template = load_material().rest, load_template()
    scar = tuple(0.0 if s in (7, 13) else 1.0 for s in range(1, 18))
    beat = BeatDraw(ef=0.45, gls=-0.14)
    whole, hurt = (heart_at(rest, replace(beat, segments=s)) for s in ((1.0,) * 17, scar))
    inner = load_material().inner_points

    def inward(points: np.ndarray, segment: int) -> float:
        rows = inner[template.aha[inner] == segment]
        return float(np.linalg.norm((points - rest)[rows], axis=1).mean())

    assert inward(hurt, 7) < 0.75 * inward(whole, 7)
    assert inward(hurt, 11) > inward(whole, 11)
    assert 1 - region_volumes(hurt)[LV] / region_volumes(rest)[LV] == pytest.approx(0.45, abs=0.002)


def test_the_volume_curve_rests_ejects_rests_and_fills_twice() -> None:
    draw = BeatDraw(heart_rate=60.0, systole=0.36, kick=0.25)
    time = np.linspace(0, 1, 1001)
    share, clock = volume_share(draw, time), clock_of(draw)
    assert (share[time < clock.opening] == 0).all()
    assert share[(time >= clock.closing) & (time <= clock.filling)] == pytest.approx(1)
    ejecting = np.diff(share[(time > clock.opening) & (time < clock.closing)])
    assert (ejecting >= 0).all() and ejecting[: len(ejecting) // 2].sum() > 1.2 * ejecting[len(ejecting) // 2 :].sum()
    filling = -np.diff(share[time >= clock.closing])
    assert (filling >= -1e-12).all()
    rest = (time[:-1][time[:-1] >= clock.closing] > clock.filling + clock.early) & (time[:-1][time[:-1] >= clock.closing] < clock.kick)
    assert filling[rest].max() < 1e-9 < filling[time[:-1][time[:-1] >= clock.closing] > clock.kick + 0.03].max()


def test_a_beat_has_one_end_systole_and_starts_at_end_diastole() -> None:
    course = moments(draw_beat(np.random.default_rng(2), 0.6))
    assert len(course) == 25
    assert course[0] == Moment(0, 0, 0, 0, 0, 0)
    assert course.count(END_SYSTOLE) == 1
    twist = np.array([m.twist for m in course])
    lv = np.array([m.lv for m in course])
    es = course.index(END_SYSTOLE)
    assert twist[es + 3] < lv[es + 3], "torsion unwinds before the ventricle fills"


def test_strain_follows_the_ejection_fraction_with_scatter() -> None:
    rng = np.random.default_rng(0)
    draws = [draw_beat(rng, float(ef)) for ef in rng.uniform(0.15, 0.72, 400)]
    ef, gls = np.array([d.ef for d in draws]), np.array([d.gls for d in draws])
    assert -0.99 < np.corrcoef(ef, gls)[0, 1] < -0.85
    for low, high, mean in ((0.40, 0.50, -14.9), (0.50, 0.55, -16.2), (0.55, 0.72, -20.5)):
        assert 100 * gls[(ef >= low) & (ef < high)].mean() == pytest.approx(mean, abs=2.0)


def test_an_impossible_beat_is_refused() -> None:
    with pytest.raises(InputError, match=r"0\.08 and 0\.80, found 0\.95"):
        draw_beat(np.random.default_rng(0), 0.95)
    with pytest.raises(InputError, match="found 'waltz'"):
        check_families(("waltz",))


def test_the_base_of_the_rv_comes_down_as_far_as_it_was_drawn() -> None:
    ed, template = load_material().rest, load_template()
    falls = []
    for share in (0.15, 0.30):
        es = heart_at(ed, BeatDraw(ef=0.55, rv_descent=share))
        falls.append(template.landmark(ed, "tricuspid") - template.landmark(es, "tricuspid"))
    axis = bullet_of(template, ed).axis
    assert falls[1] @ axis == pytest.approx(2 * falls[0] @ axis, rel=0.2)
    assert 10 < falls[0] @ axis < 20


def test_drawn_hearts_have_the_tapse_of_people() -> None:
    found = [sound_heart(np.random.default_rng([41, k]), group="normal") for k in range(6)]
    tapse = [measure(heart.ed, heart.es).tapse_mm for heart in found]
    assert 15 < np.mean(tapse) < 24 and min(tapse) > 10

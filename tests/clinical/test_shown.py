"""What is withheld and why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from echo3d.clinical.shown import STILL, UNCALIBRATED, UNSTEADY, UNTRUSTED, shown
from echo3d.core.result import Beat, StudyResult
from echo3d.core.views import View


def test_a_good_result_shows_all(ball_result: StudyResult) -> None:
    numbers = shown(ball_result)
    assert numbers.ef == pytest.approx(1 - 0.8**3)
    assert numbers.edv_ml == pytest.approx(4 / 3 * np.pi * 25**3 / 1000, rel=0.003)
    assert numbers.sv_ml == pytest.approx(numbers.edv_ml - numbers.esv_ml)
    assert set(numbers.interval90) == {"ef", "edv_ml", "esv_ml", "sv_ml"}
    assert numbers.reasons == ()
    assert numbers.doubts == ()


def test_without_calibration_only_the_ef_stays(ball_result: StudyResult) -> None:
    numbers = shown(replace(ball_result, calibrated=False))
    assert (numbers.edv_ml, numbers.esv_ml, numbers.sv_ml, numbers.volumes_ml) == (None, None, None, None)
    assert numbers.ef == pytest.approx(1 - 0.8**3)
    assert set(numbers.interval90) == {"ef"}
    assert numbers.reasons == (UNCALIBRATED,)


def test_without_trust_nothing_stays(ball_result: StudyResult) -> None:
    numbers = shown(replace(ball_result, trust=0.1))
    assert (numbers.edv_ml, numbers.ef, numbers.volumes_ml, numbers.interval90) == (None, None, None, {})
    assert numbers.reasons == (UNTRUSTED,)


def test_without_motion_there_is_no_ef(ball_result: StudyResult) -> None:
    still = Beat(ball_result.beat.points[:1], ball_result.beat.times_ms[:1], ball_result.beat.lv_ml[:1])
    numbers = shown(replace(ball_result, beat=still))
    assert numbers.ef is None
    assert numbers.esv_ml is None
    assert numbers.edv_ml is not None
    assert numbers.reasons == (STILL,)


def test_a_curve_that_jumps_is_doubtful(ball_result: StudyResult) -> None:
    noise = 100 + 20 * np.random.default_rng(2).normal(size=25)
    jumping = Beat(np.repeat(ball_result.beat.points[:1], 25, axis=0), np.arange(25) * 40.0, noise)
    assert shown(replace(ball_result, beat=jumping)).doubts == (UNSTEADY,)
    smooth = replace(jumping, lv_ml=100 + 30 * np.cos(np.arange(25) / 25 * 2 * np.pi))
    assert shown(replace(ball_result, beat=smooth)).doubts == ()


def test_a_view_that_looks_like_another_is_named(ball_result: StudyResult) -> None:
    def told(*trusts: float) -> tuple[str, ...]:
        each = dict(zip(ball_result.clips, trusts, strict=False))
        phases = {name: replace(getattr(ball_result, name), view_trust=each) for name in ("ed", "es")}
        return shown(replace(ball_result, clips={view: ball_result.clips[view] for view in each}, **phases)).doubts

    assert told(0.9, 0.8) == ()
    (doubt,) = told(0.9, 0.1)
    assert "Apical 2-chamber" in doubt
    assert told(0.1) == (), "a lone view has nothing beside it"


def test_two_pictures_of_one_plane_are_named(ball_result: StudyResult) -> None:
    def told(turn: float, shift: float) -> tuple[str, ...]:
        first, angle = ball_result.ed.planes[View.A4C], np.radians(turn)
        second = replace(first, lateral=np.array([np.cos(angle), np.sin(angle), 0]), origin=first.origin + shift * np.array([0, 1.0, 0]))
        planes = {View.A4C: first, View.A2C: second}
        return shown(replace(ball_result, ed=replace(ball_result.ed, planes=planes), es=replace(ball_result.es, planes=planes))).doubts

    assert told(15, 0) == told(0, 12) == ()
    (doubt,) = told(3, 3)
    assert "Apical 4-chamber and Apical 2-chamber" in doubt


def test_impossible_numbers_are_doubtful(ball_result: StudyResult) -> None:
    tiny = replace(ball_result.function, edv_ml=12.0, esv_ml=11.9)
    doubts = shown(replace(ball_result, function=tiny)).doubts
    assert ["1 %" in doubts[0], "12 ml" in doubts[1]] == [True, True]

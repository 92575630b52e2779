"""The whole way with the shipped weights: the demo patient against its truth, odd studies, real files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvista as pv

from echo3d.cli import main
from echo3d.clinical.shown import strangers, twins
from echo3d.core.mesh import enclosed_ml
from echo3d.core.modelcard import USUAL_MODEL
from echo3d.core.result import TRUST_FLOOR, StudyResult
from echo3d.core.study import PatientStudy
from echo3d.core.views import View
from echo3d.errors import InputError
from echo3d.io.images import read_png
from echo3d.pipeline import demo_study, demo_truth, reconstruct_study
from echo3d.reconstruction.reconstruct import S2MModel, load_model
from echo3d.results import summary, write_result

KEYS = {"schema", "edv_ml", "esv_ml", "sv_ml", "ef", "interval90", "volumes_ml", "views", "calibrated", "trusted", "model", "warnings"}


@pytest.fixture(scope="module")
def model() -> S2MModel:
    return load_model(USUAL_MODEL, "cpu")


@pytest.fixture(scope="module")
def study() -> PatientStudy:
    return demo_study()


@pytest.fixture(scope="module")
def result(study: PatientStudy, model: S2MModel) -> StudyResult:
    return reconstruct_study(study, model)


@pytest.fixture(scope="module")
def folder(result: StudyResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("result") / "demo"
    write_result(result, out)
    return out


def test_the_demo_agrees_with_its_truth(result: StudyResult) -> None:
    truth = demo_truth()
    assert result.function.ef == pytest.approx(truth["ef"], abs=0.04)
    assert result.function.edv_ml == pytest.approx(truth["edv_ml"], rel=0.08)
    assert result.trusted
    assert result.calibrated
    assert len(result.clips) == 6


def test_intervals_hold_the_values_and_the_truth(result: StudyResult) -> None:
    truth = demo_truth()
    for name in ("ef", "edv_ml", "esv_ml"):
        low, high = result.function.interval90[name]
        value = getattr(result.function, name)
        assert low < value < high
        assert low <= truth[name] <= high


def test_frames_are_near_the_true_phases(result: StudyResult) -> None:
    truth = demo_truth()
    assert set(result.ed_frame.values()) == {truth["ed_frame"]}
    assert all(abs(frame - truth["es_frame"]) <= 2 for frame in result.es_frame.values())


def test_the_beat_is_smooth_and_starts_at_end_diastole(result: StudyResult) -> None:
    beat = result.beat
    assert beat.points.shape == (25, *result.ed.points.shape)
    assert np.argmax(beat.lv_ml) in (0, 1, 24)
    assert beat.lv_ml.min() == pytest.approx(result.function.esv_ml, rel=0.1)
    assert beat.times_ms[1] == pytest.approx(demo_truth()["frame_ms"], rel=0.01)
    steps = np.linalg.norm(np.diff(beat.points, axis=0), axis=2)
    assert steps.mean() < 1.5


def test_a_closer_look_carries_the_beat_along(result: StudyResult) -> None:
    beat, function = result.beat.lv_ml, result.function
    assert beat[0] == pytest.approx(function.edv_ml, rel=0.04)
    assert beat.min() == pytest.approx(function.esv_ml, rel=0.06)
    assert summary(result)["views"][0]["plane"]["network"] == "accurate"
    assert all(0 < function.interval90[name][0] < function.interval90[name][1] for name in ("edv_ml", "la_es_ml", "rv_ed_ml"))


@pytest.mark.parametrize("quick", [True, False], ids=["quick look", "network alone"])
def test_lean_agrees_with_the_truth_too(study: PatientStudy, quick: bool) -> None:
    model = load_model("lean", "cpu")
    lean = reconstruct_study(study, model if quick else replace(model, quick=None))
    assert lean.function.ef == pytest.approx(demo_truth()["ef"], abs=0.04)
    assert summary(lean)["views"][0]["plane"]["network"] == ("lean" if quick else "sliceplane")


def test_the_folder_holds_everything(folder: Path, result: StudyResult) -> None:
    content = json.loads((folder / "result.json").read_text())
    assert set(content) >= KEYS
    assert content["ef"] == pytest.approx(result.function.ef, abs=1e-4)
    assert [view["view"] for view in content["views"]] == [view.key for view in View]
    for view in content["views"]:
        assert view["plane"]["network"] == "accurate"
        assert np.linalg.norm(view["plane"]["axis"]) == pytest.approx(1.0, abs=1e-4)
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")
    assert {path.name for path in (folder / "overlays").iterdir()} == {f"{view.key}_{phase}.png" for view in View for phase in ("ed", "es")}
    assert read_png(folder / "overlays" / "a4c_ed.png").shape == (320, 320, 3)


def test_the_written_hearts_hold_the_written_volumes(folder: Path, model: S2MModel) -> None:
    content = json.loads((folder / "result.json").read_text())
    for phase in ("ed", "es"):
        surface = pv.read(folder / f"heart_{phase}.vtp")
        volume = enclosed_ml(np.asarray(surface.points, float), model.template.cavities["lv"])
        assert volume == pytest.approx(content["volumes_ml"]["lv"][phase], abs=0.1)
        assert {"sigma_mm", "aha17"} <= set(surface.point_data)
        assert "elemTag" in surface.cell_data


def without(study: PatientStudy, **changes: Any) -> PatientStudy:
    """Return the study with every clip changed."""
    return replace(study, clips=tuple(replace(clip, **changes) for clip in study.clips))


def test_without_calibration_volumes_are_withheld_and_the_ef_is_given(study: PatientStudy, model: S2MModel) -> None:
    content = summary(reconstruct_study(without(study, pixel_mm=None), model))
    assert not content["calibrated"]
    assert [content[name] for name in ("edv_ml", "esv_ml", "sv_ml", "volumes_ml")] == [None] * 4
    assert content["curve"]["lv_ml"] is None
    assert 0.3 < content["ef"] < 0.85
    assert any("calibration" in warning for warning in content["warnings"])


def test_without_r_waves_views_that_start_anywhere_in_the_beat_are_brought_together(
    study: PatientStudy, model: S2MModel, result: StudyResult
) -> None:
    starts = dict(zip(View, (0, 5, 11, 16, 20, 23), strict=True))
    turned = tuple(
        replace(clip, frames=np.roll(np.stack([clip.frames[k] for k in range(25)]), starts[clip.view], axis=0), r_waves_ms=())
        for clip in study.clips
        if clip.view is not None
    )
    found = reconstruct_study(replace(study, clips=turned), model)
    assert found.function.ef == pytest.approx(result.function.ef, abs=0.05)
    late = [(found.ed_frame[view] - start) % 25 for view, start in starts.items()]
    assert sum(frames in (0, 1, 2, 23, 24) for frames in late) >= 4


def test_the_users_frames_win(study: PatientStudy, model: S2MModel) -> None:
    chosen = replace(study, ed_frame={View.A4C: 2}, es_frame={View.A4C: 12, View.A2C: 11})
    found = reconstruct_study(chosen, model)
    assert found.ed_frame[View.A4C] == 2
    assert (found.es_frame[View.A4C], found.es_frame[View.A2C]) == (12, 11)


@pytest.mark.parametrize("views", [(View.A4C,), (View.A4C, View.A2C), (View.A4C, View.A2C, View.PSAX_BASAL, View.PSAX_MID)])
def test_any_number_of_views_works(study: PatientStudy, model: S2MModel, views: tuple[View, ...]) -> None:
    few = replace(study, clips=tuple(clip for clip in study.clips if clip.view in views))
    found = reconstruct_study(few, model)
    assert set(found.clips) == set(views)
    assert 0.2 < found.function.ef < 0.9
    assert any("one view only" in warning for warning in found.warnings) == (len(views) == 1)


def test_an_unknown_view_is_tried_as_each_apical_view(study: PatientStudy, model: S2MModel) -> None:
    clip = study.by_view()[View.A4C]
    found = reconstruct_study(replace(study, clips=(replace(clip, view=None),)), model)
    (view,) = found.clips
    assert view.apical
    assert any("not recognised" in warning for warning in found.warnings)


def test_clips_called_by_another_view_are_named(study: PatientStudy, model: S2MModel, result: StudyResult) -> None:
    assert not strangers(result) and not twins(result)
    known = study.by_view()
    wrong = {View.A2C: known[View.A4C], View.PSAX_APICAL: known[View.PSAX_MID]}
    mistaken = tuple(replace(wrong[clip.view], view=clip.view) if clip.view in wrong else clip for clip in study.clips)
    found = reconstruct_study(replace(study, clips=mistaken), model)
    assert View.A2C in strangers(found)
    assert (View.PSAX_MID, View.PSAX_APICAL) in twins(found)
    content = summary(found)
    assert any("Apical 2-chamber hardly" in doubt for doubt in content["doubts"])
    assert any("Short axis, mid and Short axis, apical" in doubt for doubt in content["doubts"])
    said = {view["view"]: view["trust"] for view in content["views"]}
    assert said["a2c"]["ed"] < 0.5 < said["psax_basal"]["ed"]
    assert set(strangers(found)) <= {View.A2C, View.PSAX_APICAL}, "none that is what it is called"


def test_a_still_has_no_ejection_fraction(study: PatientStudy, model: S2MModel) -> None:
    stills = tuple(replace(clip, frames=np.stack([clip.frames[0]]), r_waves_ms=(), frame_ms=None) for clip in study.clips)
    content = summary(reconstruct_study(replace(study, clips=stills), model))
    assert content["ef"] is None
    assert any("No clip moves" in warning for warning in content["warnings"])


def test_noise_is_never_a_confident_number(study: PatientStudy, model: S2MModel) -> None:
    rng = np.random.default_rng(3)
    noisy = tuple(
        replace(clip, frames=(rng.integers(0, 255, (8, 320, 320)) * clip.fan.mask(320, 320)).astype(np.uint8), r_waves_ms=(), frame_ms=None)
        for clip in study.clips
    )
    found = reconstruct_study(replace(study, clips=noisy), model)
    content = summary(found)
    assert found.trust < TRUST_FLOOR
    assert content["trusted"] is False
    assert content["ef"] is None
    assert content["edv_ml"] is None


def test_a_study_without_clips_is_refused(study: PatientStudy, model: S2MModel) -> None:
    with pytest.raises(InputError, match="at least one echo clip"):
        reconstruct_study(replace(study, clips=()), model)


def run_json(words: list[str], capfd: pytest.CaptureFixture[str]) -> tuple[int, Mapping[str, Any]]:
    code = main([*words, "--json"])
    return code, json.loads(capfd.readouterr().out)


def test_the_demo_command_gives_the_same_as_reconstruct(tmp_path: Path, capfd: pytest.CaptureFixture[str], result: StudyResult) -> None:
    code, answer = run_json(["demo", "--out", str(tmp_path / "out"), "--device", "cpu"], capfd)
    assert code == 0
    assert answer["ef"] == pytest.approx(result.function.ef, abs=2e-3)
    assert answer["truth"]["ef"] == pytest.approx(demo_truth()["ef"])
    assert {"result.json", "heart_ed.vtp", "heart_es.vtp", "report.pdf"} <= set(answer["files"])
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def real(shared: Path, name: str, out: Path, capfd: pytest.CaptureFixture[str]) -> tuple[int, Mapping[str, Any]]:
    return run_json(["reconstruct", str(shared / "data" / "echo" / name), "--out", str(out), "--device", "cpu"], capfd)


def test_the_real_apical_clip(shared: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, answer = real(shared, "pydicom/examples_ybr_color.dcm", tmp_path / "out", capfd)
    assert code == 0
    (view,) = answer["views"]
    assert view["pixel_mm"] == pytest.approx([1.021, 1.021], abs=0.001)
    assert any("1.021" in warning for warning in answer["warnings"])
    assert answer["calibrated"]


def test_the_real_palette_clip(shared: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, answer = real(shared, "dcm4che/US-PAL-8-10x-echo.dcm", tmp_path / "out", capfd)
    assert code == 0
    assert answer["calibrated"] is False
    assert answer["edv_ml"] is None
    assert answer["views"][0]["stand_in"]
    assert answer["ef"] is not None or answer["trusted"] is False


def test_the_real_video(shared: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, answer = real(shared, "fiammante/Anonymized_EchoCardiography06.mp4", tmp_path / "out", capfd)
    assert code == 0
    assert answer["edv_ml"] is None


def test_the_obstetric_still_is_never_a_heart(shared: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, answer = real(shared, "pydicom/examples_palette.dcm", tmp_path / "out", capfd)
    assert code == 2
    assert "not a usable view of the heart" in answer["error"]
    assert list(tmp_path.iterdir()) == []

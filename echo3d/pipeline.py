"""The stages as one page of plain calls: a study in, a beating heart and its numbers out. Read this first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from echo3d.beat import beat_of, find_windows, images_at, mean_trust, reconstruct_beat
from echo3d.clinical.alignment import hold_still
from echo3d.clinical.function import measure_function, with_intervals
from echo3d.clinical.shown import shown
from echo3d.core.modelcard import USUAL_MODEL
from echo3d.core.result import StudyResult
from echo3d.core.study import PatientStudy
from echo3d.core.views import View
from echo3d.intake import choose_clips
from echo3d.paths import resource
from echo3d.progress import Progress, silent
from echo3d.results import check_out, write_result
from echo3d.simulate import Simulation, simulate_study

if TYPE_CHECKING:
    from echo3d.reconstruction.reconstruct import S2MModel

__all__ = [
    "Request",
    "Simulation",
    "demo_study",
    "demo_truth",
    "reconstruct_study",
    "run_demo",
    "run_reconstruct",
    "simulate_study",
    "write_result",
]

DEMO = "demo"
"""The resource folder with the embedded patient's six clips and truth.json."""

ONE_VIEW = "The heart comes from one view only; what that view does not show is the most likely shape, not a measurement."


def reconstruct_study(study: PatientStudy, model: S2MModel, progress: Progress = silent) -> StudyResult:
    """Return the beating heart of a study with its numbers, intervals and warnings.

    Parameters
    ----------
    study : clips of one patient, one to six views
    model : from :func:`echo3d.reconstruction.reconstruct.load_model`
    progress : hears how far it is

    Raises
    ------
    InputError
        If the study holds no clip.
    """
    from echo3d.reconstruction.planes import load_planes, with_planes
    from echo3d.reconstruction.reconstruct import reconstruct
    from echo3d.reconstruction.uncertainty import interval90

    progress(0.1, "Looking at the views")
    intake = choose_clips(study, model)
    progress(0.3, "Finding the beat")
    windows = find_windows(study, intake.clips, model)
    progress(0.5, "Reconstructing the beat")
    raw = reconstruct_beat(model, intake.clips, windows)
    ed_frame, es_frame = raw.frames(raw.ed, study.ed_frame), raw.frames(raw.es, study.es_frame)
    progress(0.8, "Reconstructing end-diastole and end-systole")
    pair = [images_at(intake.clips, frames) for frames in (ed_frame, es_frame)]
    ed, es = reconstruct(model, pair, ["ED", "ES"])
    quick = reconstruct(model, pair, ["ED", "ES"], refine=False)
    moves = (ed.points - quick[0].points, es.points - quick[1].points)
    if model.refiner is None and model.quick is None:
        ed, es = with_planes(load_planes(model), model, pair, [ed, es])
    (es,) = hold_still(model.template, [es], ed)
    beat = beat_of(model.template, raw, ed, moves)
    progress(0.9, "Measuring")
    function = measure_function(model.template, ed.points, es.points)
    function = with_intervals(function, interval90(model.card, function, tuple(intake.clips), intake.calibrated))
    result = StudyResult(
        pseudonym=study.pseudonym,
        clips=intake.clips,
        ed_frame=ed_frame,
        es_frame=es_frame,
        ed=ed,
        es=es,
        function=function,
        beat=beat,
        calibrated=intake.calibrated,
        trust=mean_trust(raw),
        model=model.card.name,
        warnings=intake.warnings,
    )
    progress(1.0, "Done")
    return with_warnings(result)


def with_warnings(result: StudyResult) -> StudyResult:
    """Return the result with what is to be said about its numbers put before what was said about its clips."""
    numbers = shown(result)
    single = (ONE_VIEW,) if len(result.clips) == 1 else ()
    return replace(result, warnings=(*numbers.reasons, *numbers.doubts, *single, *result.warnings))


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of :func:`run_reconstruct`.

    Parameters
    ----------
    paths : folders, zips, DICOMDIRs or files
    views : the file of each view that the user names
    ed, es : frames that the user chose, per view
    model : name of the weights
    device : "auto", "cpu", "cuda" or "cuda:n"
    """

    paths: tuple[Path, ...]
    views: Mapping[View, Path] = field(default_factory=dict)
    ed: Mapping[View, int] = field(default_factory=dict)
    es: Mapping[View, int] = field(default_factory=dict)
    model: str = USUAL_MODEL
    device: str = "auto"


def run_reconstruct(request: Request, out: Path, *, force: bool = False, progress: Progress = silent) -> StudyResult:
    """Read a study, reconstruct it and write its result folder, whole or not at all.

    Raises
    ------
    InputError
        If the study cannot be used, or ``out`` holds something and may not be replaced.
    """
    from echo3d.io.studies import load_study

    check_out(out, force=force)
    progress(0.0, "Reading the study")
    study = load_study(request.paths, views=request.views, ed=request.ed, es=request.es)

    from echo3d.reconstruction.reconstruct import load_model

    progress(0.05, "Waking the network")
    result = reconstruct_study(study, load_model(request.model, request.device), progress)
    write_result(result, out, force=force)
    return result


def demo_study() -> PatientStudy:
    """Return the embedded synthetic patient: six views, known truth."""
    from echo3d.io.studies import load_study

    return load_study(demo_clips())


def demo_clips() -> tuple[Path, ...]:
    """Return the files of the embedded patient's clips."""
    return tuple(sorted(resource(DEMO).glob("*.dcm")))


def demo_truth() -> dict[str, Any]:
    """Return what is known of the embedded patient; see :func:`echo3d.simulate.simulate_study`."""
    truth: dict[str, Any] = json.loads((resource(DEMO) / "truth.json").read_text(encoding="utf-8"))
    return truth


def run_demo(out: Path, *, force: bool = False, device: str = "auto", progress: Progress = silent) -> StudyResult:
    """Reconstruct the embedded patient and write the same files as for any other."""
    check_out(out, force=force)
    return run_reconstruct(Request(demo_clips(), device=device), out, force=force, progress=progress)

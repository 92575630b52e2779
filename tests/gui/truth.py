"""A result that needs no network: the embedded patient's own truth, as the network would give it without error."""

from __future__ import annotations

import json
from functools import cache

import numpy as np

from echo3d.anatomy.cohort import build_heart, position_at, record_from_json
from echo3d.anatomy.template import load_template
from echo3d.anatomy.timing import moments
from echo3d.clinical.function import measure_function
from echo3d.core.result import Beat, Reconstruction, StudyResult
from echo3d.core.sector import Sector
from echo3d.core.study import PatientStudy
from echo3d.core.views import View
from echo3d.paths import resource


@cache
def hearts() -> tuple[np.ndarray, dict, dict[View, Sector]]:
    """Return (T, N, 3) points over the beat, the truth record and the planes of the embedded patient."""
    truth = json.loads((resource("demo") / "truth.json").read_text(encoding="utf-8"))
    heart, count = build_heart(record_from_json(truth["record"])), len(load_template().points)
    course = moments(heart.record.beat, len(truth["lv_ml"]))[::4]
    points = [position_at(heart, moment)[:count] for moment in course]
    planes = {
        View[key.upper()]: Sector(np.array(p["origin"]), np.array(p["axis"]), np.array(p["lateral"]), p["half_angle"], p["depth_mm"])
        for key, p in truth["planes"].items()
    }
    return np.stack(points), truth, planes


def true_result(study: PatientStudy) -> StudyResult:
    """Return the true result of the embedded patient."""
    points, truth, planes = hearts()
    template = load_template()
    lv = np.array([template.volumes_ml(p)["lv"] for p in points])
    es = int(np.argmin(lv))
    clips = study.by_view()
    step = 4 * truth["frame_ms"]
    pair = [Reconstruction(name, points[k], np.ones(len(points[k])), planes, 0.9) for name, k in (("ED", 0), ("ES", es))]
    return StudyResult(
        pseudonym=study.pseudonym,
        clips=clips,
        ed_frame=dict.fromkeys(clips, truth["ed_frame"]),
        es_frame=dict.fromkeys(clips, truth["es_frame"]),
        ed=pair[0],
        es=pair[1],
        function=measure_function(template, pair[0].points, pair[1].points),
        beat=Beat(points.astype(np.float32), np.arange(len(points)) * step, lv),
        calibrated=True,
        trust=1.0,
        model="truth",
        warnings=("A warning for the eye.",),
    )

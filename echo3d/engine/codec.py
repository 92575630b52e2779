"""A study's result as a message and back; NumPy only, so that the window can read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from echo3d.core.images import EchoClip
from echo3d.core.result import Beat, Reconstruction, StudyResult, VentricularFunction
from echo3d.core.sector import Sector
from echo3d.core.study import PatientStudy
from echo3d.core.views import View
from echo3d.engine.protocol import Message
from echo3d.errors import EngineError


def encode_result(result: StudyResult, study: PatientStudy, ticket: int = 0) -> Message:
    """Return the message that carries a result; the clips stay behind as numbers in the study, which both sides read."""
    function = result.function
    body = {
        "pseudonym": result.pseudonym,
        "clips": {view.key: _number(clip, study) for view, clip in result.clips.items()},
        "ed_frame": _by_key(result.ed_frame),
        "es_frame": _by_key(result.es_frame),
        "hearts": {"ed": _heart_body(result.ed), "es": _heart_body(result.es)},
        "edv_ml": function.edv_ml,
        "esv_ml": function.esv_ml,
        "volumes_ml": function.volumes_ml,
        "interval90": {name: list(pair) for name, pair in function.interval90.items()},
        "calibrated": result.calibrated,
        "trust": result.trust,
        "model": result.model,
        "warnings": list(result.warnings),
    }
    arrays = {f"{name}.{key}": getattr(heart, key) for name, heart in _hearts(result) for key in ("points", "sigma_mm")}
    beat = {f"beat.{key}": getattr(result.beat, key) for key in ("points", "times_ms", "lv_ml")}
    return Message("done", ticket, body, arrays | beat)


def decode_result(message: Message, study: PatientStudy) -> StudyResult:
    """Return the result of a message, with the clips of the reader's own copy of the study."""
    body, arrays = message.body, message.arrays
    hearts = {name: _heart(body["hearts"][name], message, name) for name in ("ed", "es")}
    interval = {name: (float(pair[0]), float(pair[1])) for name, pair in body["interval90"].items()}
    return StudyResult(
        pseudonym=body["pseudonym"],
        clips={_view(key): replace(study.clips[number], view=_view(key)) for key, number in body["clips"].items()},
        ed_frame={_view(key): frame for key, frame in body["ed_frame"].items()},
        es_frame={_view(key): frame for key, frame in body["es_frame"].items()},
        ed=hearts["ed"],
        es=hearts["es"],
        function=VentricularFunction(body["edv_ml"], body["esv_ml"], body["volumes_ml"], interval),
        beat=Beat(arrays["beat.points"], arrays["beat.times_ms"], arrays["beat.lv_ml"]),
        calibrated=body["calibrated"],
        trust=body["trust"],
        model=body["model"],
        warnings=tuple(body["warnings"]),
    )


def _number(clip: EchoClip, study: PatientStudy) -> int:
    """Return which of the study's clips this is; its view may have been chosen since."""
    for number, known in enumerate(study.clips):
        if known.frames is clip.frames:
            return number
    raise EngineError("a result must be made of clips of its study, found another; reconstruct the study again")


def _hearts(result: StudyResult) -> tuple[tuple[str, Reconstruction], ...]:
    return (("ed", result.ed), ("es", result.es))


def _by_key(frames: Mapping[View, int]) -> dict[str, int]:
    return {view.key: int(frame) for view, frame in frames.items()}


def _view(key: str) -> View:
    return View[key.upper()]


def _heart_body(heart: Reconstruction) -> dict[str, Any]:
    """Return all of a heart but its arrays."""
    planes = {
        view.key: [*map(float, (*sector.origin, *sector.axis, *sector.lateral)), float(sector.half_angle), float(sector.depth)]
        for view, sector in heart.planes.items()
    }
    each = {view.key: float(trust) for view, trust in heart.view_trust.items()}
    return {"phase": heart.phase, "trust": float(heart.trust), "planes": planes, "planes_by": heart.planes_by, "view_trust": each}


def _heart(body: dict[str, Any], message: Message, name: str) -> Reconstruction:
    """Return the heart whose arrays are called ``name`` in the message."""
    planes = {
        _view(key): Sector(np.array(row[0:3]), np.array(row[3:6]), np.array(row[6:9]), row[9], row[10])
        for key, row in body["planes"].items()
    }
    points, sigma_mm = (message.arrays[f"{name}.{part}"] for part in ("points", "sigma_mm"))
    each = {_view(key): float(trust) for key, trust in body["view_trust"].items()}
    return Reconstruction(body["phase"], points, sigma_mm, planes, body["trust"], body["planes_by"], each)

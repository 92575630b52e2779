import io
from dataclasses import replace

import numpy as np

from echo3d.core.images import EchoClip, Source
from echo3d.core.result import Beat, Reconstruction, StudyResult, VentricularFunction
from echo3d.core.sector import Fan, Sector
from echo3d.core.study import PatientStudy
from echo3d.core.views import View
from echo3d.engine.codec import decode_result, encode_result
from echo3d.engine.protocol import read_message, write_message


def heart(phase: str, seed: int) -> Reconstruction:
    rng = np.random.default_rng(seed)
    plane = Sector(np.array([1.0, 2, 3]), np.array([0, 0, 1.0]), np.array([1.0, 0, 0]), 37.5, 151.0)
    return Reconstruction(phase, rng.normal(size=(8, 3)), rng.random(8), {View.A4C: plane}, 0.9, view_trust={View.A4C: 0.85})


def test_a_result_survives_the_pipe() -> None:
    clip = EchoClip(None, np.zeros((3, 4, 5), np.uint8), (0.5, 0.5), None, Source("a.dcm", "view code"), Fan(0, 2.5, 40, 4))
    study = PatientStudy("p1", (replace(clip, frames=np.ones((2, 4, 5), np.uint8)), clip), {}, {})
    function = VentricularFunction(120.0, 50.0, {"lv": {"ed": 120.0, "es": 50.0}}, {"ef": (0.5, 0.65)})
    beat = Beat(np.ones((2, 8, 3), np.float32), np.array([0.0, 400.0]), np.array([120.0, 50.0]))
    result = StudyResult(
        "p1",
        {View.A4C: replace(clip, view=View.A4C)},
        {View.A4C: 0},
        {View.A4C: 2},
        heart("ED", 1),
        heart("ES", 2),
        function,
        beat,
        True,
        False,
        "lean",
        ("w",),
    )
    pipe = io.BytesIO()
    write_message(pipe, encode_result(result, study, 3))
    pipe.seek(0)
    back = decode_result(read_message(pipe), study)
    assert back.clips[View.A4C].frames is clip.frames and back.clips[View.A4C].view is View.A4C
    assert np.array_equal(back.ed.points, result.ed.points) and np.array_equal(back.es.sigma_mm, result.es.sigma_mm)
    assert np.array_equal(back.beat.points, beat.points) and back.function == function
    assert (back.ed_frame, back.es_frame, back.warnings, back.trusted) == ({View.A4C: 0}, {View.A4C: 2}, ("w",), False)
    sector = back.ed.planes[View.A4C]
    assert sector.half_angle == 37.5 and np.array_equal(sector.origin, [1, 2, 3])

"""A real beat: its volumes are read right, a wrong folder is refused, and our heart and beat come near to it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from echo3d.anatomy.template import load_template
from echo3d.anatomy.timing import volume_share
from echo3d.cohort.against import _own_faces, fit_all, fit_timing, gauss_newton, matched
from echo3d.cohort.series import SURFACES, Series, Surface, read_series
from echo3d.errors import InputError


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "data/hearts/bivme_patient1/fitted"


def own_surfaces(points: np.ndarray) -> dict[str, Surface]:
    return {name: Surface(points, faces) for name, faces in _own_faces().items()}


def test_closed_at_its_valves_the_ventricle_holds_a_little_more_than_the_open_surface(folder: Path) -> None:
    import pyvista as pv

    lv = read_series(folder).volumes_ml("LV_ENDOCARDIAL")
    for phase in (0, 10):
        loose = pv.read(folder / f"patient1_LV_ENDOCARDIAL_{phase:03d}.vtk").volume / 1000
        assert loose < lv[phase] < 1.08 * loose
    assert len(lv) == 25 and lv[0] == pytest.approx(174.5, abs=1) and lv[10] == pytest.approx(77.5, abs=1)


def test_a_beat_starts_with_its_largest_ventricle(folder: Path) -> None:
    lv = read_series(folder).from_diastole().volumes_ml("LV_ENDOCARDIAL")
    assert lv.argmax() == 0 and lv.argmin() == 10


def test_the_volume_curve_of_a_real_beat_is_met(folder: Path) -> None:
    series = read_series(folder).from_diastole()
    draw, edv = fit_timing(series)
    lv = series.volumes_ml("LV_ENDOCARDIAL")
    assert np.sqrt(np.mean((edv * (1 - draw.ef * volume_share(draw, np.arange(25) / 25)) - lv) ** 2)) <= 4.0


def test_half_a_series_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found 0 phases"):
        read_series(tmp_path)
    for phase in range(5):
        for name in SURFACES[: 2 if phase == 3 else 3]:
            shutil.copy(folder / f"patient1_{name}_{phase:03d}.vtk", tmp_path)
    with pytest.raises(InputError, match="some incomplete"):
        read_series(tmp_path)
    shutil.copy(folder / "patient1_EPICARDIAL_003.vtk", tmp_path)
    (tmp_path / "patient1_EPICARDIAL_003.vtk").write_text("# vtk DataFile Version 3.0\nbroken\n")
    with pytest.raises(InputError, match="EPICARDIAL_003"):
        read_series(tmp_path)


def test_a_known_shift_is_recovered() -> None:
    points = load_template().points
    goal = own_surfaces(points + np.array([4.0, -2.0, 3.0]))
    found = gauss_newton(lambda v: points + 5.0 * v, np.zeros(3), lambda p: matched(p, goal), 12)
    assert 5.0 * found == pytest.approx([4.0, -2.0, 3.0], abs=0.4)


def test_the_frame_of_a_series_points_from_apex_to_base() -> None:
    template = load_template()
    apex, base, rv = Series([own_surfaces(template.points)]).frame()
    assert np.linalg.norm(apex - template.landmark(template.points, "lv_apex_endo")) < 10
    assert np.linalg.norm(base - template.landmark(template.points, "mitral")) < 15
    assert np.linalg.norm(rv - template.landmark(template.points, "rv")) < 25


@pytest.mark.slow
def test_our_beat_comes_near_to_a_real_one(folder: Path) -> None:
    best = fit_all(read_series(folder).from_diastole(), ("shell",))[0]
    assert best.rmse_ml <= 4.0
    assert best.distance_mm.mean() <= 2.5

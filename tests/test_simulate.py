"""A synthetic patient can be read back, agrees with its truth, and is rebuilt from its record."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from echo3d.core.views import View
from echo3d.errors import InputError
from echo3d.io.studies import load_study
from echo3d.simulate import Simulation, read_record, simulate_study

SPEC = Simulation(seed=11, ef=0.5, pathology="none", views=(View.PSAX_MID, View.A4C), phases=5)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small synthetic study."""
    out = tmp_path_factory.mktemp("simulated") / "study"
    simulate_study(SPEC, out)
    return out


def truth_of(folder: Path) -> dict:
    return json.loads((folder / "truth.json").read_text())


def test_the_ejection_fraction_is_as_asked(study: Path) -> None:
    truth = truth_of(study)
    assert truth["ef"] == pytest.approx(0.5, abs=0.002)
    assert truth["edv_ml"] == truth["lv_ml"][0] == max(truth["lv_ml"])
    assert truth["esv_ml"] == truth["lv_ml"][truth["es_frame"]] == min(truth["lv_ml"])


def test_the_study_reads_back_with_views_sizes_and_times(study: Path) -> None:
    truth, clips = truth_of(study), load_study([study]).by_view()
    assert set(clips) == {View.A4C, View.PSAX_MID}
    for view, clip in clips.items():
        plane = truth["planes"][view.key]
        assert clip.pixel_mm is not None
        assert clip.fan.radius * clip.pixel_mm[0] == pytest.approx(plane["depth_mm"], rel=0.03)
        assert clip.fan.half_angle == pytest.approx(plane["half_angle"], abs=2.0)
        assert clip.r_waves_ms == (0.0,)
        assert clip.frame_ms is not None
        assert np.diff(clip.frame_ms) == pytest.approx(truth["frame_ms"], abs=0.01)
        assert len(clip.frames) == SPEC.phases


def test_no_name_is_in_the_study(study: Path) -> None:
    assert load_study([study]).pseudonym.startswith("P-")
    assert str(study.parent) not in (study / "truth.json").read_text()


def test_record_and_seed_rebuild_every_picture(study: Path, tmp_path: Path) -> None:
    record = read_record(study / "truth.json")
    again = replace(SPEC, ef=None, pathology=None, record=record, views=(View.A4C,))
    truth = simulate_study(again, tmp_path / "again")
    assert truth["lv_ml"] == pytest.approx(truth_of(study)["lv_ml"])
    assert (tmp_path / "again" / "a4c.dcm").read_bytes() == (study / "a4c.dcm").read_bytes()


def test_what_cannot_be_simulated_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least one view"):
        simulate_study(replace(SPEC, views=()), tmp_path / "out")
    with pytest.raises(InputError, match="at least 4 frames"):
        simulate_study(replace(SPEC, phases=1), tmp_path / "out")
    (tmp_path / "list.json").write_text("[1, 2]")
    with pytest.raises(InputError, match="another kind"):
        read_record(tmp_path / "list.json")
    (tmp_path / "thin.json").write_text('{"modes": []}')
    with pytest.raises(InputError, match="HeartRecord"):
        read_record(tmp_path / "thin.json")


def test_a_given_heart_brings_its_own_function(study: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="leave them out"):
        simulate_study(replace(SPEC, record=read_record(study / "truth.json")), tmp_path / "out")


@pytest.mark.parametrize("style", ["binary", "pseudo", "cyclegan"])
def test_every_style_shows_the_same_heart(style: str, study: Path, tmp_path: Path) -> None:
    """The same fans and volumes as with speckle, the truth says which style, and pictures are of that style."""
    truth = simulate_study(replace(SPEC, views=(View.PSAX_MID,), phases=4, style=style), tmp_path / "out")
    plain = truth_of(study)
    assert truth["style"] == style and plain["style"] == "speckle" and "style" in truth_of(tmp_path / "out")
    assert truth["planes"]["psax_mid"] == plain["planes"]["psax_mid"] and truth["edv_ml"] == pytest.approx(plain["edv_ml"])
    film = np.stack(pixels_of(tmp_path / "out" / "psax_mid.dcm"))
    other = np.stack(pixels_of(study / "psax_mid.dcm"))
    assert film.shape[1:] == other.shape[1:] and np.abs(film[0].astype(int) - other[0]).mean() > 5
    grey = float(((film > 40) & (film < 215)).mean())  # clips are compressed, so that black and white fray a little
    assert (grey < 0.03) == (style == "binary")
    assert np.abs(film[0].astype(int) - film[1]).mean() > 0.5  # it moves
    if style != "binary":
        assert truth["looks"]["psax_mid"]["spot_amplitude"] > 0


def pixels_of(path: Path) -> list[np.ndarray]:
    """Return the frames of a clip as they are stored."""
    from pydicom import dcmread

    return list(dcmread(path).pixel_array)


def test_another_style_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="binary, pseudo, speckle, cyclegan"):
        simulate_study(replace(SPEC, style="oil"), tmp_path / "out")
    assert not (tmp_path / "out").exists()

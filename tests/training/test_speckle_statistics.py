"""The program that lays the simulator's speckle beside that of real clips."""

from pathlib import Path

import numpy as np
import pytest

from echo3d.core.sector import Fan
from echo3d.core.structures import Structure
from echo3d.errors import ShapeError
from echo3d.style.draws import SpeckleDraw
from echo3d.style.polar import PolarGrid
from echo3d.style.speckle import envelope
from training.speckle_statistics import CLIPS, along_beams, median, real_rows, row_of, simulated_rows, table, windows

FAN = Fan(0.0, 160.0, 40.0, 240.0)


def halves() -> np.ndarray:
    """Return a picture (250, 320) whose upper half is bright speckle of 60 dB over 1, and whose lower half is dark."""
    fan = PolarGrid(240, 160, 40.0, 160.0)
    muscle = np.full((240, 160), Structure.LV_MYOCARDIUM, np.uint8)
    level = 160 / 255 + 20 / 60 * np.log10(envelope(muscle, fan, SpeckleDraw(1, axial_mm=2.0, lateral_deg=2.0)))
    rows, columns = np.mgrid[:250, :320] + 0.5
    radius, angle = np.hypot(rows, columns - 160.0), np.degrees(np.arctan2(columns - 160.0, rows))
    near = level[np.clip(radius, 0, 239).astype(int), np.clip((angle / 80 + 0.5) * 160, 0, 159).astype(int)]
    picture = np.where(radius < 140, near, 10 / 255)
    return np.asarray(np.rint(255 * np.clip(picture, 0, 1)) * FAN.mask(250, 320), np.float32)


def test_tissue_is_sought_where_it_is_bright_and_blood_where_it_is_dark() -> None:
    tissue, blood = windows(along_beams(halves(), FAN)[0])
    assert tissue[0].stop <= 142 and blood[0].start >= 138


def test_a_picture_of_known_speckle_gives_its_range_and_lengths() -> None:
    row = row_of("known", halves(), FAN, 160 / 240)
    assert row.range_db == pytest.approx(60, rel=0.2) and row.distance < 0.1
    assert row.axial_px * row.pixel_mm == pytest.approx(2.0, rel=0.3)
    assert row.blood == pytest.approx(10, abs=1) and row.tissue == pytest.approx(150, abs=12)


def test_a_black_picture_is_refused_and_a_median_of_nothing() -> None:
    with pytest.raises(ShapeError, match="tissue that fills a window"):
        row_of("black", np.zeros((250, 320), np.float32), FAN, None)
    with pytest.raises(ShapeError, match="found none"):
        median([])


def test_the_table_shows_the_simulator_with_every_figure() -> None:
    rows = list(simulated_rows(1, 3))
    lines = table(rows).splitlines()
    assert lines[2].startswith("| simulated, all (") and "mm" in lines[2]
    assert len({line.count("|") for line in lines}) == 1 and "nan" not in table(rows)


@pytest.mark.skipif(not CLIPS.is_dir(), reason="needs the real clips in ../shared/data/echo")
def test_real_clips_are_measured_and_others_named(capsys: pytest.CaptureFixture[str]) -> None:
    rows = {row.name: row for row in real_rows(Path(CLIPS))}
    assert "examples_palette.dcm: left out." in capsys.readouterr().out
    apical = rows["examples_ybr_color"]
    assert apical.pixel_mm == pytest.approx(1.02, abs=0.01) and apical.blood < apical.tissue
    assert all(5 < row.range_db < 200 and 1 < row.axial_px < 40 for row in rows.values())

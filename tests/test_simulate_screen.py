"""A synthetic study on a machine's screens reads back with the same size and fan, with its region tags and without, and no text in it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from echo3d.core.images import EchoImage
from echo3d.core.views import View
from echo3d.io.fan import find_fan
from echo3d.io.studies import load_study
from echo3d.reconstruction.raster import to_network
from echo3d.simulate import Simulation, simulate_study

VIEWS = (View.A4C, View.PSAX_MID)
SPEC = Simulation(seed=6, views=VIEWS, phases=8, screen=True)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small synthetic study on screens."""
    out = tmp_path_factory.mktemp("screens") / "study"
    simulate_study(SPEC, out)
    return out


def true_fan(folder: Path, view: View, pixel_mm: float) -> tuple[float, float, float, float]:
    """Return row and column of the tip, half angle and depth in mm, from truth.json."""
    truth = json.loads((folder / "truth.json").read_text())
    plane, layout = truth["planes"][view.key], truth["screen"]
    column = (layout["width"] - layout["picture"]) // 2 + layout["shift"] + layout["picture"] / 2
    assert pixel_mm == pytest.approx(
        max(plane["depth_mm"], 2 * plane["depth_mm"] * np.sin(np.radians(plane["half_angle"]))) / layout["picture"]
    )
    return layout["top"], column, plane["half_angle"], plane["depth_mm"]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("tagged", [True, False])
def test_the_fan_is_found_where_it_is(study: Path, view: View, tagged: bool) -> None:
    clip = load_study([study]).by_view()[view]
    assert clip.pixel_mm is not None and clip.source.warnings == ()
    fan = clip.fan if tagged else find_fan(np.stack([np.asarray(frame) for frame in clip.frames])).fan
    row, column, half, depth = true_fan(study, view, clip.pixel_mm[0])
    assert np.hypot(fan.apex_row - row, fan.apex_column - column) <= 2
    assert abs(fan.half_angle - half) <= 1 and abs(fan.tilt) <= 1
    assert abs(fan.radius * clip.pixel_mm[0] - depth) <= 1


@pytest.mark.parametrize("view", VIEWS)
def test_what_the_network_sees_holds_no_text(study: Path, tmp_path: Path, view: View) -> None:
    """The same heart without a screen, on the network's raster: one picture but for JPEG and the raster it was drawn on."""
    simulate_study(Simulation(seed=6, views=VIEWS, phases=8), tmp_path / "plain")
    seen = []
    for folder in (study, tmp_path / "plain"):
        clip = load_study([folder]).by_view()[view]
        seen.append(to_network(EchoImage(view, np.asarray(clip.frames[2], np.float32) / 255, clip.pixel_mm, clip.fan)))
    both = (seen[0][1] > 0) & (seen[1][1] > 0)
    assert both.sum() >= 0.99 * seen[1][1].sum()
    assert np.abs(seen[0][0] - seen[1][0])[both].max() < 0.2
    assert np.corrcoef(seen[0][0][both], seen[1][0][both])[0, 1] > 0.99


def test_the_regions_are_the_fan_and_the_ecg(study: Path) -> None:
    truth = json.loads((study / "truth.json").read_text())
    layout, dataset = truth["screen"], dcmread(study / "a4c.dcm")
    fan, trace = dataset.SequenceOfUltrasoundRegions
    assert (dataset.Columns, dataset.Rows) == (layout["width"], layout["height"])
    assert (fan.RegionSpatialFormat, fan.RegionDataType, trace.RegionSpatialFormat, trace.RegionDataType) == (1, 1, 4, 10)
    seconds = trace.PhysicalDeltaX * (trace.RegionLocationMaxX1 + 1 - trace.RegionLocationMinX0)
    assert seconds == pytest.approx(layout["beats"] * 60 / truth["record"]["beat"]["heart_rate"], rel=1e-6)
    assert fan.RegionLocationMaxY1 < trace.RegionLocationMinY0
